//! Batches with everything that a table may hold, and what it should not.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use proptest::prelude::*;
use throughline_lake::tables;

/// What expressions are compiled against. The batches keep to it except for `gone`, which they lack, and `turned` and
/// `lied`, which they hold as integers and as texts.
pub(super) fn declared() -> Schema {
    Schema::new(vec![
        Field::new("id", DataType::Binary, true),
        Field::new("n", DataType::Int64, true),
        Field::new("small", DataType::Int32, true),
        Field::new("x", DataType::Float64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("Order ID", DataType::Utf8, true),
        Field::new("ok", DataType::Boolean, true),
        Field::new("at", tables::timestamp(), true),
        Field::new("local", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new("cost_micros", DataType::Int64, true),
        Field::new("value_micros", DataType::Int64, true),
        Field::new("properties", DataType::Utf8, true),
        Field::new("gone", DataType::Int64, true),
        Field::new("turned", DataType::Float64, true),
        Field::new("lied", DataType::Int64, true),
    ])
}

fn held() -> Vec<Field> {
    let with = |field: &Field| match field.name().as_str() {
        "gone" => None,
        "turned" => Some(Field::new("turned", DataType::Int64, true)),
        "lied" => Some(Field::new("lied", DataType::Utf8, true)),
        _ => Some(field.clone()),
    };
    declared().fields().iter().filter_map(|f| with(f)).collect()
}

pub(super) const INTS: &[i64] = &[0, 1, -1, 2, 7, 1000, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1, -86_400_000_000];
pub(super) const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    0.5,
    -2.5,
    1.0,
    7.0,
    1e308,
    f64::MIN_POSITIVE,
    5e-324,
    -1e19,
    9_223_372_036_854_775_808.0,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
];
pub(super) const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "abc",
    "ABC",
    "a%b_c",
    "a\\b",
    "it's é",
    "İß\u{0}\n",
    "😀,b,",
    "12",
    "-0",
    "1e400",
    "TRUE",
    "0",
    "2026-03-04",
    "2026-03-04T05:06:07.891+02:00",
    "-0.0",
    "\u{a0}x\u{2003}",
];
/// 1 January of year 1, the end of 9999, now, and beyond.
pub(super) const TIMES: &[i64] = &[
    0,
    -1,
    1_772_600_767_891_000,
    1_772_600_767_891_001,
    -62_135_596_800_000_000,
    -62_135_596_800_000_001,
    253_402_300_799_999_999,
    253_402_300_800_000_000,
    i64::MIN,
    i64::MAX,
];
pub(super) const PROPERTIES: &[&str] = &[
    "{}",
    r#"{"plan":"pro","seats":12,"trial":false,"it's":1.50}"#,
    r#"{"plan":null,"seats":"-3","trial":"TRUE"}"#,
    r#"{"plan":"a","plan":"b","seats":18446744073709551615}"#,
    r#"{"plan":["x",{"y":1}],"seats":1e15,"trial":""}"#,
    r#"{"plan":"😀\u00e9\n","seats":0.1}"#,
    r#"{"plan":"lost","seats":1e999}"#,
    r#"{"plan":"\ud800"}"#,
    r#"{"plan":"pro""#,
    "[1]",
    "null",
    "",
    "plan",
];

/// Entries of one column: from the pool, from anywhere, or NULL; now and then nothing but NULL.
fn column<T: Clone + std::fmt::Debug + 'static>(
    rows: usize,
    pool: Vec<T>,
    wild: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Vec<Option<T>>> {
    let entry = prop_oneof![
        2 => Just(None),
        4 => prop::sample::select(pool).prop_map(Some),
        2 => wild.prop_map(Some),
    ];
    prop_oneof![
        7 => prop::collection::vec(entry, rows),
        1 => Just(vec![None; rows]),
    ]
    .boxed()
}

fn ints(rows: usize) -> BoxedStrategy<ArrayRef> {
    column(rows, INTS.to_vec(), any::<i64>()).prop_map(|v| Arc::new(Int64Array::from(v)) as ArrayRef).boxed()
}

fn texts(rows: usize, pool: &[&str]) -> BoxedStrategy<ArrayRef> {
    let pool = pool.iter().map(|t| (*t).to_owned()).collect();
    column(rows, pool, "[a-cé%_0-9.\\\\ ]{0,6}").prop_map(|v| Arc::new(StringArray::from(v)) as ArrayRef).boxed()
}

fn times(rows: usize, zone: Option<&'static str>) -> BoxedStrategy<ArrayRef> {
    // Mostly legal ones, so that both ways of reading a column are taken.
    prop_oneof![
        column(rows, TIMES.to_vec(), any::<i64>()),
        column(rows, TIMES[..4].to_vec(), 0_i64..1_800_000_000_000_000)
    ]
    .prop_map(move |v| Arc::new(TimestampMicrosecondArray::from(v).with_timezone_opt(zone)) as ArrayRef)
    .boxed()
}

fn entries_of(field: &Field, rows: usize) -> BoxedStrategy<ArrayRef> {
    match (field.name().as_str(), field.data_type()) {
        ("properties", _) => texts(rows, PROPERTIES),
        (_, DataType::Binary) => Just(Arc::new(BinaryArray::from_vec(vec![b"x"; rows])) as ArrayRef).boxed(),
        (_, DataType::Int64) => ints(rows),
        (_, DataType::Int32) => column(rows, vec![0, 1, i32::MIN, i32::MAX], any::<i32>())
            .prop_map(|v| Arc::new(Int32Array::from(v)) as ArrayRef)
            .boxed(),
        (_, DataType::Float64) => {
            prop_oneof![column(rows, FLOATS.to_vec(), any::<f64>()), column(rows, vec![0.5, 1.0, -2.5, 7.0], -1e6..1e6)]
                .prop_map(|v| Arc::new(Float64Array::from(v)) as ArrayRef)
                .boxed()
        }
        (_, DataType::Boolean) => column(rows, vec![true, false], any::<bool>())
            .prop_map(|v| Arc::new(BooleanArray::from(v)) as ArrayRef)
            .boxed(),
        (_, DataType::Timestamp(_, zone)) => times(rows, zone.as_ref().map(|_| "UTC")),
        _ => texts(rows, TEXTS),
    }
}

/// A random batch of at most so many rows.
pub(super) fn batch(max_rows: usize) -> BoxedStrategy<RecordBatch> {
    let of_size = |rows: usize| {
        let columns: Vec<_> = held().iter().map(|field| entries_of(field, rows)).collect();
        columns.prop_map(|columns| RecordBatch::try_new(Arc::new(Schema::new(held())), columns).expect("it fits"))
    };
    (0..=max_rows).prop_flat_map(of_size).boxed()
}

/// A fixed batch in which every pool occurs whole, with NULLs between, each column at another pace.
pub(super) fn edges(rows: usize) -> RecordBatch {
    fn cycle<T: Copy>(pool: &[T], pace: usize, rows: usize) -> Vec<Option<T>> {
        (0..rows).map(|row| pool.get((row * pace) % (pool.len() + 1)).copied()).collect()
    }
    let columns = held().into_iter().enumerate().map(|(index, field)| -> ArrayRef {
        let pace = [1, 3, 5, 7, 11, 13][index % 6];
        match (field.name().as_str(), field.data_type()) {
            ("properties", _) => Arc::new(StringArray::from(cycle(PROPERTIES, pace, rows))),
            (_, DataType::Binary) => Arc::new(BinaryArray::from_vec(vec![b"x"; rows])),
            (_, DataType::Int64) => Arc::new(Int64Array::from(cycle(INTS, pace, rows))),
            (_, DataType::Int32) => Arc::new(Int32Array::from(cycle(&[0, 1, -7, i32::MIN, i32::MAX], pace, rows))),
            (_, DataType::Float64) => Arc::new(Float64Array::from(cycle(FLOATS, pace, rows))),
            (_, DataType::Boolean) => Arc::new(BooleanArray::from(cycle(&[true, false], pace, rows))),
            (_, DataType::Timestamp(_, zone)) => {
                Arc::new(TimestampMicrosecondArray::from(cycle(TIMES, pace, rows)).with_timezone_opt(zone.clone()))
            }
            _ => Arc::new(StringArray::from(cycle(TEXTS, pace, rows))),
        }
    });
    RecordBatch::try_new(Arc::new(Schema::new(held())), columns.collect()).expect("it fits")
}

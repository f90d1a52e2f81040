//! Timelines to try things on.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use throughline_core::EventKind;
use throughline_core::time::DAY_US;
use throughline_journeys::{ConversionConfig, JourneyConfig, JourneyRules, SegmentConfig, TIMELINE_COLUMNS};
use throughline_lake::tables;

/// One row: a person, a time in hours, what happened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) person: u16,
    pub(crate) hour: u16,
    /// 0 to 3 touches of that channel, 4 a purchase, 5 a refund, 6 a refusal of consent.
    pub(crate) what: u8,
}

/// The rows as a timeline, in its order; every row has its own id.
pub(crate) fn timeline(rows: &[Row]) -> RecordBatch {
    let mut rows: Vec<(Row, String)> = rows.iter().enumerate().map(|(n, row)| (*row, format!("e{n:06}"))).collect();
    rows.sort_by(|a, b| (a.0.person, a.0.hour, &a.1).cmp(&(b.0.person, b.0.hour, &b.1)));
    in_order(&rows)
}

/// The rows as they stand.
pub(crate) fn in_order(rows: &[(Row, String)]) -> RecordBatch {
    let text = |f: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(|(row, _)| f(row)).collect::<StringArray>())
    };
    let schema = tables::timeline().file_schema;
    let columns = TIMELINE_COLUMNS.iter().map(|name| -> ArrayRef {
        match *name {
            "person_id" => Arc::new(BinaryArray::from_iter_values(rows.iter().map(|(row, _)| {
                let mut id = [0; 16];
                id[..2].copy_from_slice(&row.person.to_be_bytes());
                id
            }))),
            "source" => text(&|_| Some("shop".into())),
            "source_event_id" => Arc::new(StringArray::from_iter_values(rows.iter().map(|(_, id)| id))),
            "kind" => text(&|row| {
                let kind = match row.what {
                    4 => EventKind::Purchase,
                    5 => EventKind::Refund,
                    6 => EventKind::PageView,
                    _ => EventKind::Click,
                };
                Some(kind.to_string())
            }),
            "occurred_at" => Arc::new(
                TimestampMicrosecondArray::from_iter_values(
                    rows.iter().map(|(row, _)| i64::from(row.hour) * DAY_US / 24),
                )
                .with_timezone("UTC"),
            ),
            "channel" => text(&|row| (row.what < 4).then(|| format!("channel {}", row.what))),
            "value_micros" => {
                Arc::new(rows.iter().map(|(row, _)| (row.what >= 4).then_some(20_000_000)).collect::<Int64Array>())
            }
            // What a page view says of a person is not to be used; the rest says it every third hour.
            "properties" => text(&|row| match (row.what, row.hour % 3) {
                (6, _) => Some(r#"{"tier": "secret"}"#.into()),
                (_, 0) => Some(format!(r#"{{"tier": "{}"}}"#, row.hour % 5)),
                _ => None,
            }),
            "consent" => text(&|row| Some(if row.what == 6 { "measurement=denied" } else { "granted" }.into())),
            _ => text(&|_| None),
        }
    });
    let fields = TIMELINE_COLUMNS.iter().map(|name| schema.field_with_name(name).expect("a column").clone());
    let schema = arrow::datatypes::Schema::new(fields.collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.collect()).expect("a timeline")
}

/// Purchases and, beside them, sign-ups that nobody makes.
pub(crate) fn rules() -> Arc<JourneyRules> {
    let conversions = vec![
        ConversionConfig::new("purchase", EventKind::Purchase),
        ConversionConfig::new("signup", EventKind::Signup),
    ];
    let withdrawal = throughline_core::consent::Withdrawal::default();
    let segments = vec![SegmentConfig { name: "tier".into(), value: "properties['tier']".into() }];
    Arc::new(JourneyRules { config: JourneyConfig::default(), conversions, withdrawal, segments })
}

//! Every operator and every function on a fixed batch of edge cases, and the shape of batches.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use throughline_core::expr::{Expr, Op, Type, functions};
use throughline_lake::{CompiledExpr, LakeError, expression_schema, tables, values_of};

use super::batches::{declared, edges};
use super::{check, entries, invisible, parse};

/// Enough rows for every combination that the paces of the columns give.
const ROWS: usize = 120;

const CASES: &[&str] = &[
    // Columns, constants, properties, units.
    "n",
    "small",
    "x",
    "name",
    "\"Order ID\"",
    "ok",
    "at",
    "local",
    "gone",
    "turned",
    "lied",
    "value",
    "cost",
    "value_micros",
    "properties",
    "properties['plan']",
    "properties['seats']::FLOAT > properties['it''s']::FLOAT",
    "properties['plan'] = properties || properties['absent']",
    "NULL",
    "1",
    "-0.0",
    "'a'",
    "DATE '2026-03-04'",
    "1 + 1 = 2 AND ok",
    // Arithmetic.
    "-n",
    "-x",
    "n + small",
    "n - 1",
    "n * n",
    "x + 1e308",
    "x - x",
    "x * -1",
    "x / n",
    "n / small",
    "n % small",
    "n % -1",
    "at + INTERVAL '7 days'",
    "at - INTERVAL '1 microsecond'",
    "name || '-' || \"Order ID\"",
    // Comparisons, of every type.
    "n = small",
    "n <> 1",
    "n < small",
    "n <= 1000",
    "n > x",
    "x >= 0",
    "x = 0",
    "x = -x",
    "turned < x",
    "name = 'abc'",
    "name < \"Order ID\"",
    "name >= 'a'",
    "ok = FALSE",
    "ok < (n > 0)",
    "at > local",
    "at = TIMESTAMP '2026-03-04T05:06:07.891Z'",
    "value = cost",
    "gone = 1",
    "n = NULL",
    // Logic.
    "NOT ok",
    "ok AND n > 0",
    "ok OR n > 0",
    "n > 0 AND x > 0 AND name > 'a' AND at IS NOT NULL AND NULL",
    "n > 0 OR x > 0 OR name > 'a' OR ok OR NULL",
    "n IS NULL",
    "x IS NOT NULL",
    "(n + 1) IS NULL",
    // Choice.
    "n IN (1, 7, -9223372036854775808)",
    "n NOT IN (1, NULL)",
    "n IN (NULL)",
    "n IN (1, 0.5)",
    "x IN (0, -2.5, 1e308)",
    "x NOT IN (0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0)",
    "name IN ('a', '', 'it''s é')",
    "name NOT IN ('a', 'abc')",
    "ok IN (TRUE, NULL)",
    "at IN (DATE '1970-01-01', TIMESTAMP '2026-03-04T05:06:07.891Z')",
    "lower(name) IN ('abc')",
    "n BETWEEN 0 AND 1000",
    "n NOT BETWEEN small AND 7",
    "x BETWEEN -0.0 AND NULL",
    "x + 1 BETWEEN n AND 2.5",
    "((n > 1) BETWEEN ok AND TRUE) NOT BETWEEN FALSE AND ok",
    "name BETWEEN 'a' AND 'b'",
    "name LIKE 'a%'",
    "name LIKE '%b%'",
    "name LIKE '%c'",
    "name LIKE ''",
    "name LIKE '%'",
    "name LIKE '_'",
    "name LIKE 'a_c'",
    "name LIKE '%_%'",
    "name LIKE 'a\\b'",
    "name LIKE 'a\\%'",
    "name LIKE '.*'",
    "name NOT LIKE '%(b%'",
    "name NOT LIKE \"Order ID\"",
    "name LIKE \"Order ID\" || '%'",
    "name LIKE NULL",
    "CASE WHEN ok THEN n END",
    "CASE WHEN ok THEN n ELSE small END",
    "CASE WHEN ok THEN 1 ELSE 2 END",
    "CASE WHEN ok THEN 1 WHEN n > 0 THEN NULL WHEN x > 0 THEN n END",
    "CASE n WHEN 1 THEN 'one' WHEN 7 THEN 'seven' WHEN 1 THEN 'again' WHEN NULL THEN 'null' ELSE 'many' END",
    "CASE x WHEN 0 THEN 'zero' WHEN -2.5 THEN name END",
    "CASE name WHEN \"Order ID\" THEN 1 WHEN 'a' THEN 2 ELSE 3 END",
    "CASE ok WHEN TRUE THEN at WHEN FALSE THEN local END",
    "CASE at WHEN DATE '1970-01-01' THEN 1 WHEN local THEN 2 END",
    "CASE at WHEN DATE '1970-01-01' THEN 1 WHEN DATE '2026-03-04' THEN 2 END",
    "CASE WHEN n > 0 THEN CASE WHEN ok THEN CASE small WHEN 1 THEN CASE WHEN x > 0 THEN name END END END ELSE '' END",
    // Casts.
    "ok::INT",
    "ok::FLOAT",
    "ok::TEXT",
    "n::BOOL",
    "n::FLOAT",
    "n::TEXT",
    "n::INT",
    "x::INT",
    "x::TEXT",
    "name::BOOL",
    "name::INT",
    "name::FLOAT",
    "name::TIMESTAMP",
    "at::TEXT",
    "at::TIMESTAMP",
    // Functions.
    "lower(name)",
    "upper(name)",
    // Signals of consent.
    "consent_mode(name, 'denied', NULL, 'granted')",
    "consent_gcs(name)",
    "consent_gcd('11r1r1r1r5')",
    "consent_tcf(name, 2)",
    "consent_gpp('DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN')",
    "consent_usp('1YYN')",
    "consent_gpc(ok)",
    "consent_segment('{\"Analytics\":true}')",
    "consent_adobe('{\"consents\":{\"collect\":{\"val\":\"y\"}}}')",
    "consent_snowplow('deny', name)",
    "consent_all(name, 'messaging=denied')",
    "trim(name)",
    "length(name)",
    "concat(name, NULL, \"Order ID\")",
    "substr(name, 2)",
    "substr(name, small, n)",
    "replace(name, 'b', \"Order ID\")",
    "starts_with(name, 'a')",
    "split_part(name, ',', small)",
    "to_int(name)",
    "to_float(name)",
    "abs(n)",
    "abs(x)",
    "round(x)",
    "round(x, -1)",
    "floor(x)",
    "ceil(x)",
    "ln(x)",
    "exp(x)",
    "sqrt(x)",
    "date_trunc('week', at)",
    "extract(dow FROM at)",
    "extract(epoch FROM local)",
    "epoch_seconds(at)",
    "from_epoch_seconds(x)",
    "from_epoch_millis(n)",
    "from_epoch_micros(n)",
    "parse_time(name)",
    "parse_time(name, '%Y-%m-%d')",
    "coalesce(n, small, 0)",
    "coalesce(name, lower(\"Order ID\"))",
    "coalesce(lower(name), \"Order ID\", 'none')",
    "coalesce(NULL, n)",
    "coalesce(gone)",
    "nullif(n, small)",
    "nullif(x, 0)",
    "least(n, small, 7)",
    "greatest(name, \"Order ID\")",
];

#[test]
fn every_case_agrees() {
    let batch = edges(ROWS);
    for text in CASES {
        check(text, &declared(), &batch);
    }
}

/// The operator's name; a new one does not compile here until it has its cases.
const fn name_of(op: &Op) -> &'static str {
    match op {
        Op::Neg => "neg",
        Op::Not => "not",
        Op::Add => "+",
        Op::Sub => "-",
        Op::Mul => "*",
        Op::Div => "/",
        Op::Mod => "%",
        Op::Eq => "=",
        Op::NotEq => "<>",
        Op::Lt => "<",
        Op::LtEq => "<=",
        Op::Gt => ">",
        Op::GtEq => ">=",
        Op::And => "and",
        Op::Or => "or",
        Op::Concat => "||",
        Op::IsNull { .. } => "is null",
        Op::In { .. } => "in",
        Op::Between { .. } => "between",
        Op::Like { .. } => "like",
        Op::Case { .. } => "case",
        Op::Cast(_) => "cast",
        Op::ToFloat => "to float",
        Op::Shift { .. } => "shift",
        Op::Call(_) => "call",
    }
}

#[test]
fn the_cases_hold_every_operator_and_function() {
    let (mut operators, mut called) = (BTreeSet::new(), BTreeSet::new());
    for text in CASES {
        parse(text, &declared()).root().visit(&mut |node| {
            if let Expr::Apply { op, .. } = node {
                operators.insert(name_of(op));
                if let Op::Call(function) = op {
                    called.insert(function.name());
                }
            }
        });
    }
    assert_eq!(called, functions::all().map(functions::Function::name).collect());
    assert_eq!(operators.len(), 25, "{operators:?}");
}

#[test]
fn batches_may_be_empty_or_hold_nothing_but_nulls() {
    let full = edges(ROWS);
    let nulls: Vec<ArrayRef> =
        full.schema().fields().iter().map(|f| arrow::array::new_null_array(f.data_type(), 5)).collect();
    let nulls = RecordBatch::try_new(full.schema(), nulls).expect("it fits");
    let bare = RecordBatch::try_from_iter([("other", Arc::new(Int64Array::from(vec![1, 2])) as ArrayRef)]);
    let bare = bare.expect("a batch");
    for text in CASES {
        for batch in [&full.slice(0, 0), &full.slice(17, 1), &full.slice(3, 40), &nulls, &bare] {
            check(text, &declared(), batch);
        }
    }
}

#[test]
fn long_batches_are_computed_in_steps() {
    let batch = edges(40_000);
    for text in
        ["name", "n > 0 AND name LIKE 'a%'", "lower(name) || n::TEXT", "properties['plan']", "1", "NULL::TIMESTAMP"]
    {
        check(text, &declared(), &batch);
    }
}

#[test]
fn texts_that_grow_beyond_the_limit_are_null() {
    // Each row makes up to 1 MiB; together they do not fit into one array of texts.
    let rows = 4000;
    let text: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|n| "x".repeat(900 + n % 200))));
    let batch = RecordBatch::try_from_iter([("name", text)]).expect("a batch");
    let expr = parse("length(replace(name, 'x', name)) > 0", &declared());
    let compiled = CompiledExpr::new(&expr, &declared()).expect("it compiles");
    let known = compiled.permits(&batch).expect("answers").true_count();
    let expect = (0..rows).filter(|n| (900 + n % 200_usize).pow(2) <= 1 << 20).count();
    assert_eq!(known, expect);
    assert!(known > 0 && known < rows);
}

#[test]
fn nesting_costs_no_more_than_its_size() {
    let batch = edges(20);
    let nest = |levels: usize, leaf: &str, one: &dyn Fn(usize, &str) -> String| {
        (0..levels).fold(leaf.to_owned(), |inner, level| one(level, &inner))
    };
    let names = ["n", "small", "lied", "gone", "value_micros"];
    for text in [
        nest(28, "x", &|k, inner| {
            format!("CASE WHEN {} > 0 THEN {inner} WHEN ok THEN 1.5 ELSE x END", names[k % names.len()])
        }),
        nest(28, "n", &|k, inner| format!("CASE {} WHEN {inner} THEN 1 ELSE small END", names[k % names.len()])),
        // Every level reads a column that the levels in it do not.
        nest(28, "name", &|k, inner| format!("CASE WHEN properties['p{k}'] > '' THEN {inner} WHEN ok THEN name END")),
        nest(28, "ok", &|_, inner| format!("({inner} BETWEEN ok AND TRUE)")),
        nest(28, "name", &|_, inner| format!("coalesce(\"Order ID\", {inner})")),
        nest(28, "name", &|_, inner| format!("coalesce({inner}, \"Order ID\")")),
        nest(28, "n", &|_, inner| format!("nullif({inner}, small)")),
        nest(60, "n", &|_, inner| format!("{inner} + 1")),
        nest(100, "ok", &|k, inner| format!("{inner} AND {} > 0", names[k % names.len()])),
    ] {
        let start = Instant::now();
        check(&text, &declared(), &batch);
        assert!(start.elapsed() < Duration::from_secs(5), "{text} took {:?}", start.elapsed());
    }
}

#[test]
fn conditions_hold_where_they_are_true() {
    let ok: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]));
    let batch = RecordBatch::try_from_iter([("ok", ok)]).expect("a batch");
    let permits = |text: &str| {
        let compiled = CompiledExpr::new(&parse(text, &declared()), &declared()).expect("it compiles");
        compiled.permits(&batch).expect("answers").iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
    };
    assert_eq!(permits("ok"), [true, false, false]);
    assert_eq!(permits("NOT ok"), [false, true, false]);
    assert_eq!(permits("ok IS NULL"), [false, false, true]);
    assert_eq!(permits("NULL::BOOL"), [false; 3]);
    assert_eq!(permits("1"), [false; 3]);
}

#[test]
fn columns_read_as_the_language_holds_them() {
    let x: ArrayRef = Arc::new(Float64Array::from(vec![-0.0, f64::NAN, f64::INFINITY, 2.5]));
    let micros: ArrayRef = Arc::new(Int64Array::from(vec![Some(1_500_000), Some(-1), None, Some(i64::MAX)]));
    let batch = RecordBatch::try_from_iter([("x", x), ("value_micros", micros)]).expect("a batch");
    let answers = |text: &str| {
        let expr = parse(text, &declared());
        let compiled = CompiledExpr::new(&expr, &declared()).expect("it compiles");
        let answers = compiled.evaluate(&batch).expect("answers");
        assert_eq!(values_of(&answers).len(), 4);
        entries(&answers, expr.ty())
    };
    assert_eq!(answers("x"), ["Float(0.0)", "NULL", "NULL", "Float(2.5)"]);
    assert_eq!(answers("value"), ["Float(1.5)", "Float(-1e-6)", "NULL", "Float(9223372036854.775)"]);
    assert_eq!(answers("gone IS NULL"), ["Bool(true)"; 4]);
    // A column that is called like the unit of another one is meant itself.
    let fields = vec![Field::new("value", DataType::Float64, true), Field::new("value_micros", DataType::Int64, true)];
    let both = Schema::new(fields);
    let value: ArrayRef = Arc::new(Float64Array::from(vec![7.0; 4]));
    let batch =
        RecordBatch::try_new(Arc::new(both.clone()), vec![value, Arc::clone(batch.column(1))]).expect("it fits");
    check("value", &both, &batch);
    let compiled = CompiledExpr::new(&parse("value", &both), &both).expect("it compiles");
    let all = BooleanArray::from(vec![true; 4]);
    let answers = compiled.evaluate_where(&batch, &all).expect("answers");
    assert_eq!(entries(&answers, Type::Float), ["Float(7.0)"; 4]);
}

#[test]
fn expressions_of_another_table_are_refused() {
    let declared = declared();
    let timeline = tables::timeline().file_schema;
    let refused = |text: &str, other: &Schema| match CompiledExpr::new(&parse(text, &declared), other) {
        Err(LakeError::Schema { reason, .. }) => reason,
        other => panic!("{text}: {other:?}"),
    };
    assert!(refused("small > 1 AND name = 'a'", &timeline).contains("`small` (Int)"));
    assert!(refused("properties['a']", &tables::spend().file_schema).contains("properties['a']"));
    // A name with another type is another column.
    assert!(
        refused("at > DATE '2026-03-04'", &Schema::new(vec![Field::new("at", DataType::Utf8, true)])).contains("`at`")
    );
    let hidden = invisible(&declared).expect("a column that is not visible");
    assert!(expression_schema(&declared).find(hidden).is_none());
    assert!(Expr::parse(hidden, &expression_schema(&declared)).is_err());
}

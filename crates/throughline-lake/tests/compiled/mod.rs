//! Compiled expressions give what the row evaluator gives.

mod answers;
mod batches;
mod random;
mod writer;

use arrow::array::{
    Array, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Schema as ArrowSchema};
use throughline_core::expr::{Expr, Type, TypedExpr, Value};
use throughline_lake::{CompiledExpr, RowsView, expression_schema, tables};

fn parse(text: &str, schema: &ArrowSchema) -> TypedExpr {
    Expr::parse(text, &expression_schema(schema)).unwrap_or_else(|e| panic!("{text}: {e} {:?}", e.help()))
}

/// The entries exactly as they stand in the array: a NaN, a negative zero or a time out of range would show.
fn entries(array: &dyn Array, ty: Type) -> Vec<String> {
    let any = array.as_any();
    let entry = |row: usize| -> String {
        if array.is_null(row) {
            return "NULL".to_owned();
        }
        let text = match ty {
            Type::Bool => any.downcast_ref::<BooleanArray>().map(|a| format!("{:?}", Value::Bool(a.value(row)))),
            Type::Int => any.downcast_ref::<Int64Array>().map(|a| format!("{:?}", Value::Int(a.value(row)))),
            Type::Float => any.downcast_ref::<Float64Array>().map(|a| format!("{:?}", Value::Float(a.value(row)))),
            Type::Text => any.downcast_ref::<StringArray>().map(|a| format!("{:?}", Value::text(a.value(row)))),
            Type::Time => {
                assert_eq!(*array.data_type(), tables::timestamp());
                any.downcast_ref::<TimestampMicrosecondArray>()
                    .map(|a| format!("{:?}", Value::Time(throughline_core::Timestamp::from_micros(a.value(row)))))
            }
        };
        text.unwrap_or_else(|| panic!("{ty} as {}", array.data_type()))
    };
    (0..array.len()).map(entry).collect()
}

fn shown(value: &Value) -> String {
    if value.is_null() { "NULL".to_owned() } else { format!("{value:?}") }
}

/// Compares both evaluators on every row; the first difference, when there is one.
fn difference(expr: &TypedExpr, declared: &ArrowSchema, batch: &RecordBatch) -> Option<String> {
    let compiled = CompiledExpr::new(expr, declared).unwrap_or_else(|e| panic!("{expr}: {e}"));
    assert_eq!(compiled.ty(), expr.ty());
    let answers = compiled.evaluate(batch).unwrap_or_else(|e| panic!("{expr}: {e}"));
    let got = entries(&answers, expr.ty());
    assert_eq!(got.len(), batch.num_rows(), "{expr}");
    let schema = expression_schema(declared);
    let view = RowsView::new(batch, &schema).expect("a view");
    let permitted = compiled.permits(batch).unwrap_or_else(|e| panic!("{expr}: {e}"));
    assert_eq!((permitted.len(), permitted.null_count()), (batch.num_rows(), 0), "{expr}");
    got.iter().enumerate().find_map(|(row, got)| {
        let expect = shown(&expr.eval(&view.row(row)));
        if *got != expect {
            return Some(format!("{expr}\nrow {row}: compiled {got}, row by row {expect}"));
        }
        let permits = expr.permits(&view.row(row));
        (permitted.value(row) != permits).then(|| format!("{expr}\nrow {row}: permits, compiled {}", !permits))
    })
}

#[track_caller]
fn check(text: &str, declared: &ArrowSchema, batch: &RecordBatch) {
    let found = difference(&parse(text, declared), declared, batch);
    assert!(found.is_none(), "{}", found.unwrap_or_default());
}

/// The schema's first column of a type that expressions do not see.
fn invisible(schema: &ArrowSchema) -> Option<&str> {
    schema.fields().iter().find(|f| *f.data_type() == DataType::Binary).map(|f| f.name().as_str())
}

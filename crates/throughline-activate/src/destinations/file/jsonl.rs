//! JSON Lines: one object per row, keys in the order of the columns, NULL as null.

use std::io::{self, Write};

use serde_json::Map;
use throughline_core::expr::Value;

use crate::destination::Batch;

pub(super) fn encode(batch: &Batch, out: &mut dyn Write) -> io::Result<()> {
    for row in &batch.rows {
        let cells = batch.head.schema.iter().zip(row).map(|(column, value)| (column.name.clone(), json(value)));
        serde_json::to_writer(&mut *out, &cells.collect::<Map<_, _>>())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.as_ref().into(),
        Value::Time(time) => time.to_string().into(),
    }
}

//! CSV: RFC 4180 with a header line. NULL and empty text are both an empty cell.

use std::borrow::Cow;
use std::io::Write;

use throughline_core::expr::Value;

use crate::destination::Batch;

/// Characters that make a spreadsheet run the rest of a cell (OWASP, "CSV Injection").
const DANGEROUS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

pub(super) fn encode(batch: &Batch, guard: bool, out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(batch.head.schema.iter().map(|column| column.name.as_str()))?;
    for row in &batch.rows {
        for value in row {
            writer.write_field(cell(value, guard).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}

fn cell(value: &Value, guard: bool) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        // Only text is guarded: the minus of a number is part of the number.
        Value::Text(text) if guard && text.starts_with(DANGEROUS) => Cow::Owned(format!("'{text}")),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Time(time) => Cow::Owned(time.to_string()),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Int(number) => Cow::Owned(number.to_string()),
        Value::Float(number) => Cow::Owned(number.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: impl Into<Value>, expect: &str) {
        assert_eq!(cell(&value.into(), true), expect);
    }

    #[test]
    fn formulas_are_disarmed_and_numbers_are_not() {
        check("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")");
        check("+4930123", "'+4930123");
        check("-2+3", "'-2+3");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\t=1", "'\t=1");
        check("\r=1", "'\r=1");
        check("a=1", "a=1");
        check("'=1", "'=1");
        check("", "");
        check(-5_i64, "-5");
        check(Value::Float(-0.5), "-0.5");
        check(Value::Null, "");
        assert_eq!(cell(&"+4930123".into(), false), "+4930123");
    }
}

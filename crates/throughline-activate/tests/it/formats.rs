//! Every format holds the same rows.

use arrow::array::AsArray;
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use throughline_activate::{Column, ColumnType, Envelope};
use throughline_core::Timestamp;

use crate::world::{Decision, Result, World, destination};

const FIELDS: &str = "email: identifier, action: action, value: expected_net_value, tier: evidence_tier, \
                      until: expires_at, dear: \"expected_net_value > 1\", note: \"'a,\\\"b\\\"' || action\", none: segment";

async fn deliver(format: &str) -> Result<(Envelope, Vec<u8>)> {
    let mut world = World::new().await?;
    let people = world.people(20).await?;
    let mut decisions: Vec<Decision> = people.iter().map(|p| Decision::about(*p)).collect();
    for (i, decision) in decisions.iter_mut().enumerate() {
        decision.value_micros = (i % 5 != 0).then_some(i64::try_from(i)? * 333_333);
    }
    let decisions = world.decide(&decisions).await?;
    let yaml = destination(&format!("format: {format}"), FIELDS);
    world.deliver(&world.route(&yaml), &decisions).await?;
    Ok(world.drop_folder()?.into_values().next().ok_or("no batch")?)
}

/// Cells as text, NULL as empty.
fn csv_rows(payload: &[u8]) -> Result<Vec<Vec<String>>> {
    let mut reader = csv::Reader::from_reader(payload);
    reader.records().map(|row| Ok(row?.iter().map(str::to_owned).collect())).collect()
}

fn jsonl_rows(payload: &[u8], columns: &[Column]) -> Result<Vec<Vec<String>>> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => String::new(),
        serde_json::Value::String(text) => text.clone(),
        // Whole floats keep their point in JSON and lose it in CSV.
        serde_json::Value::Number(n) => {
            n.as_i64().map_or_else(|| n.as_f64().unwrap_or(0.0).to_string(), |i| i.to_string())
        }
        other => other.to_string(),
    };
    let lines = std::str::from_utf8(payload)?.lines();
    let mut rows = Vec::new();
    for line in lines {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line)?;
        assert!(object.keys().eq(columns.iter().map(|c| &c.name)), "{line}");
        rows.push(object.values().map(text).collect());
    }
    Ok(rows)
}

fn parquet_rows(payload: Vec<u8>, columns: &[Column]) -> Result<Vec<Vec<String>>> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), payload)?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(file.path())?)?.build()?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().zip(batch.columns()).map(|(column, array)| -> Result<String> {
                if array.is_null(row) {
                    return Ok(String::new());
                }
                Ok(match column.kind {
                    ColumnType::Float => array.as_primitive::<Float64Type>().value(row).to_string(),
                    ColumnType::Int => array.as_primitive::<Int64Type>().value(row).to_string(),
                    ColumnType::Time => {
                        let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                        Timestamp::from_micros(micros).to_string()
                    }
                    _ => ArrayFormatter::try_new(array, &FormatOptions::default())?.value(row).to_string(),
                })
            });
            rows.push(cells.collect::<Result<Vec<_>>>()?);
        }
    }
    Ok(rows)
}

#[tokio::test]
async fn all_formats_hold_the_same_rows() -> Result<()> {
    use ColumnType::{Bool, Float, Int, Text, Time};
    let (csv, csv_payload) = deliver("csv").await?;
    let (jsonl, jsonl_payload) = deliver("jsonl").await?;
    let (parquet, parquet_payload) = deliver("parquet").await?;
    let expect = csv_rows(&csv_payload)?;
    assert_eq!(expect.len(), 20);
    let row = expect.iter().find(|row| row[2] == "0.333333").ok_or("p1 is missing")?;
    assert_eq!(
        row[..],
        ["p1@example.com", "mail", "0.333333", "1", "2026-03-17T12:00:00Z", "false", "a,\"b\"mail", ""]
    );
    let kinds: Vec<ColumnType> = csv.schema.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [Text, Text, Float, Int, Time, Bool, Text, Text]);
    assert_eq!(jsonl_rows(&jsonl_payload, &jsonl.schema)?, expect);
    assert_eq!(parquet_rows(parquet_payload, &parquet.schema)?, expect);
    let extensions = [&csv, &jsonl, &parquet].map(|envelope| envelope.file.as_str());
    assert_eq!(extensions, ["data.csv", "data.jsonl", "data.parquet"]);
    Ok(())
}

#[tokio::test]
async fn equal_inputs_give_equal_bytes() -> Result<()> {
    for format in ["csv", "jsonl", "parquet"] {
        let (first, second) = (deliver(format).await?, deliver(format).await?);
        assert!(first == second, "{format}");
    }
    Ok(())
}

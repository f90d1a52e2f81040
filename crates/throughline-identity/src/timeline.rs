//! The timeline: every event once, under its person, sorted, by bucket. A plan of the engine, so that it spills.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Int32Array, ListArray, RecordBatch};
use arrow::datatypes::{DataType, Field};
use datafusion::common::cast::as_binary_array;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use futures::TryStreamExt as _;
use throughline_core::{PersonId, RunContext, SubjectToken};
use throughline_lake::{Session, Snapshot, Staged, TableWriter, columns};

use crate::error::IdentityError;
use crate::gather::row_tokens;

/// Token → person, sorted by token: 32 bytes an identifier.
#[derive(Debug)]
pub(crate) struct PersonIndex {
    pub(crate) tokens: Vec<SubjectToken>,
    pub(crate) persons: Vec<PersonId>,
}

impl PersonIndex {
    fn person(&self, token: SubjectToken) -> Option<PersonId> {
        self.tokens.binary_search(&token).ok().map(|i| self.persons[i])
    }
}

/// `person_of(tokens)`: the person of the first token.
fn person_of(index: Arc<PersonIndex>) -> ScalarUDF {
    let list = DataType::List(Arc::new(Field::new("element", DataType::Binary, true)));
    create_udf(
        "person_of",
        vec![list],
        DataType::Binary,
        Volatility::Immutable,
        Arc::new(move |args: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let tokens = arrays[0]
                .as_any()
                .downcast_ref::<ListArray>()
                .ok_or_else(|| DataFusionError::Execution("person_of needs a list of tokens".into()))?;
            let mut out = BinaryBuilder::with_capacity(tokens_len(tokens), tokens_len(tokens) * 16);
            for row in 0..tokens_len(tokens) {
                let ids = row_tokens(tokens, row).map_err(|e| DataFusionError::External(Box::new(e)))?;
                match ids.first().and_then(|t| index.person(*t)) {
                    Some(person) => out.append_value(person.0),
                    None => out.append_null(),
                }
            }
            Ok(ColumnarValue::Array(Arc::new(out.finish()) as ArrayRef))
        }),
    )
}

fn tokens_len(tokens: &ListArray) -> usize {
    arrow::array::Array::len(tokens)
}

/// `person_bucket(person_id)`: the bucket of a person.
fn person_bucket(buckets: u32) -> ScalarUDF {
    create_udf(
        "person_bucket",
        vec![DataType::Binary],
        DataType::Int32,
        Volatility::Immutable,
        Arc::new(move |args: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(args)?;
            let ids = as_binary_array(&arrays[0])?;
            let out: Int32Array = ids
                .iter()
                .map(|id| {
                    let id: [u8; 16] = id?.try_into().ok()?;
                    i32::try_from(PersonId(id).bucket(buckets)).ok()
                })
                .collect();
            Ok(ColumnarValue::Array(Arc::new(out) as ArrayRef))
        }),
    )
}

/// Writes the timeline and returns its files and row count. Of several revisions of one source event the highest
/// wins; of equal ones, that of the export which was read last.
pub(crate) async fn write_timeline(
    session: &Session,
    events: Snapshot,
    index: PersonIndex,
    buckets: u32,
    mut writer: TableWriter,
    context: &RunContext,
) -> Result<(Staged, u64), IdentityError> {
    let spec = throughline_lake::tables::timeline();
    session.register_function(person_of(Arc::new(index)));
    session.register_function(person_bucket(buckets));
    session.register("events", events)?;
    let signal: Vec<&str> =
        spec.file_schema.fields().iter().map(|f| f.name().as_str()).filter(|n| *n != "person_id").collect();
    let sql = format!(
        "SELECT person_bucket(person_id) AS bucket, person_id, {columns} FROM (
           SELECT person_of(tokens) AS person_id, {columns},
             row_number() OVER (PARTITION BY source, source_event_id
                                ORDER BY revision DESC, ingested_at DESC, {columns}) AS occurrence
           FROM events WHERE available_at <= to_timestamp_micros({as_of}))
         WHERE occurrence = 1 AND person_id IS NOT NULL
         ORDER BY bucket, person_id, occurred_at, source, source_event_id",
        columns = signal.join(", "),
        as_of = context.as_of.micros(),
    );
    let mut stream = session.stream(&sql).await?;
    let mut rows = 0;
    while let Some(batch) = stream.try_next().await? {
        if context.is_cancelled() {
            return Err(IdentityError::Cancelled);
        }
        rows += batch.num_rows() as u64;
        for (bucket, part) in columns::runs(&batch, "bucket")? {
            let indices = spec
                .file_schema
                .fields()
                .iter()
                .map(|f| part.schema().index_of(f.name()))
                .collect::<Result<Vec<_>, _>>()?;
            let part = part.project(&indices)?;
            let part = RecordBatch::try_new(Arc::clone(&spec.file_schema), part.columns().to_vec())?;
            writer.write(Some(&bucket.to_string()), &part).await?;
        }
        context.progress.advance("link", batch.num_rows() as u64);
    }
    Ok((writer.finish().await?, rows))
}

//! Questions in SQL over everything that is published.

use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use throughline_features::{features_table, labels_table};
use throughline_lake::{LakeError, Session, SessionOptions, tables};

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;

/// Memory that a question may use before it spills.
const MEMORY_BYTES: usize = 1 << 30;

/// Rows in the order of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Name of each column, and whether it holds numbers or truth values, which JSON writes bare.
    pub columns: Vec<(String, bool)>,
    /// Texts; `None` is NULL. Times are RFC 3339, ids and tokens hexadecimal.
    pub rows: Vec<Vec<Option<String>>>,
}

/// Answers a question: one SQL query over the published tables of a project, by their names, with the function
/// `property(properties, 'name')`. What is no query is refused, and so is a sum of floats, which has no one answer. The order of rows
/// is that of `ORDER BY`, undefined without.
pub async fn query(project: &Project, stores: &Stores, sql: &str) -> Result<Answer, RunError> {
    let fail = |source: LakeError| RunError::Stage { stage: "query".into(), unit: "sql".into(), source: source.into() };
    let manifest = stores.ledger.manifest().await?;
    let options = SessionOptions { memory_bytes: MEMORY_BYTES, ..SessionOptions::default() };
    let session = Session::new(&options).map_err(fail)?;
    let of_features = [features_table(&project.features.value), labels_table()];
    for spec in tables::all().into_iter().chain(of_features) {
        let snapshot = stores.lake.snapshot(&spec, manifest.get(&spec.name).copied()).await.map_err(fail)?;
        session.register(&spec.name, snapshot).map_err(fail)?;
    }
    let batches = session.query(sql).await.map_err(fail)?;
    let mut answer = Answer { columns: Vec::new(), rows: Vec::new() };
    let format = FormatOptions::default().with_null("");
    for batch in &batches {
        answer.columns = batch.schema().fields().iter().map(|f| (f.name().clone(), bare(f.data_type()))).collect();
        let read = |e| fail(LakeError::from(e));
        let columns: Result<Vec<_>, _> =
            batch.columns().iter().map(|c| ArrayFormatter::try_new(c.as_ref(), &format)).collect();
        let columns = columns.map_err(read)?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter().zip(batch.columns());
            let cells = cells.map(|(text, values)| values.is_valid(row).then(|| text.value(row).to_string()));
            answer.rows.push(cells.collect());
        }
    }
    Ok(answer)
}

/// Whether JSON writes values of a type without quotes.
fn bare(ty: &DataType) -> bool {
    ty.is_integer() || ty.is_floating() || *ty == DataType::Boolean
}

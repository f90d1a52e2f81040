//! Questions to published tables that answer one page.

use serde_json::{Map, Value};
use throughline_lake::{Session, SessionOptions, TableSpec};

use crate::app::Shared;
use crate::problem::ApiError;

/// Memory one question may use before it spills.
const MEMORY_BYTES: usize = 256 << 20;

/// The rows of a query over one table, as JSON objects.
pub(crate) async fn rows(app: &Shared, spec: &TableSpec, query: &str) -> Result<Vec<Map<String, Value>>, ApiError> {
    let snapshot = app.snapshot(spec).await?;
    if snapshot.files().is_empty() {
        return Ok(Vec::new());
    }
    let options = SessionOptions { memory_bytes: MEMORY_BYTES, threads: 1, ..SessionOptions::default() };
    let session = Session::new(&options)?;
    session.register(&spec.name, snapshot)?;
    let batches = session.query(query).await?;
    Ok(batches.iter().flat_map(throughline_run::row_objects).collect())
}

/// A text as an SQL literal.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

//! What can go wrong in the lake.

/// Errors of the lake.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The location cannot be used.
    #[error("lake location `{location}` cannot be used: {reason}")]
    Location {
        /// The location as given.
        location: String,
        /// Why not.
        reason: String,
    },
    /// A table was written by a newer Throughline.
    #[error("table `{table}` has schema version {found}, newer than the {known} this binary knows; upgrade first")]
    NewerSchema {
        /// Table.
        table: String,
        /// Version found.
        found: u32,
        /// Version known.
        known: u32,
    },
    /// Rows do not fit the table.
    #[error("rows for table `{table}` do not fit its schema: {reason}")]
    Schema {
        /// Table.
        table: String,
        /// What differs.
        reason: String,
    },
    /// A file that a version names is missing or unreadable.
    #[error("file `{path}` of table `{table}` cannot be read")]
    File {
        /// Table.
        table: String,
        /// Path within the table.
        path: String,
        /// Cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The beginning of a table's log is gone, so what it says of earlier versions cannot be changed.
    #[error("the log of table `{table}` has lost its beginning; earlier versions of it cannot be rewritten")]
    LogCutShort {
        /// Table.
        table: String,
    },
    /// The Delta log refused.
    #[error("delta table `{table}`")]
    Delta {
        /// Table.
        table: String,
        /// Cause.
        #[source]
        source: Box<deltalake_core::DeltaTableError>,
    },
    /// The object store refused.
    #[error("object store")]
    Store(#[from] object_store::Error),
    /// A column could not be built.
    #[error("arrow")]
    Arrow(#[from] arrow::error::ArrowError),
    /// Parquet refused.
    #[error("parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// The engine refused a plan or failed to run it.
    #[error("query engine: {0}")]
    Engine(Box<datafusion::error::DataFusionError>),
    /// A part of a plan died.
    #[error("a part of the plan died: {0}")]
    Task(String),
    /// A plan sums floats, whose result would depend on the partitioning.
    #[error(
        "`{function}` over `{expression}` adds floats, whose sum depends on the order of rows; use sum over integers (micros) and count"
    )]
    FloatSum {
        /// The aggregate.
        function: String,
        /// Its argument.
        expression: String,
    },
}

impl From<datafusion::error::DataFusionError> for LakeError {
    fn from(source: datafusion::error::DataFusionError) -> Self {
        Self::Engine(Box::new(source))
    }
}

impl LakeError {
    pub(crate) fn delta(table: &str) -> impl FnOnce(deltalake_core::DeltaTableError) -> Self + '_ {
        move |source| Self::Delta { table: table.to_owned(), source: Box::new(source) }
    }
}

//! What a table is: name, columns, partition, order, version.

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// The column a table is split by. It is stored in the path, not in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionColumn {
    /// A text such as the UTC date `2026-03-01`.
    Text(&'static str),
    /// A small integer such as the person bucket.
    Int(&'static str),
}

impl PartitionColumn {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Text(name) | Self::Int(name) => name,
        }
    }

    /// Its type.
    pub const fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Int(_) => DataType::Int32,
        }
    }
}

/// A table of the lake.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Name, also its folder.
    pub name: String,
    /// Version of the schema; stored in the table's properties.
    pub version: u32,
    /// Columns in the data files (without the partition column).
    pub file_schema: SchemaRef,
    /// How it is split.
    pub partition: Option<PartitionColumn>,
    /// What one row means.
    pub doc: &'static str,
}

impl TableSpec {
    /// A table with the given file columns.
    pub fn new(
        name: impl Into<String>,
        version: u32,
        fields: Vec<Field>,
        partition: Option<PartitionColumn>,
        doc: &'static str,
    ) -> Self {
        Self { name: name.into(), version, file_schema: Arc::new(Schema::new(fields)), partition, doc }
    }

    /// All columns as readers see them: file columns, then the partition column.
    pub fn table_schema(&self) -> SchemaRef {
        let mut fields: Vec<Field> = self.file_schema.fields().iter().map(|f| f.as_ref().clone()).collect();
        if let Some(partition) = &self.partition {
            fields.push(Field::new(partition.name(), partition.data_type(), false));
        }
        Arc::new(Schema::new(fields))
    }
}

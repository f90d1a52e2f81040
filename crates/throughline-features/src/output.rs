//! The features table: one column a feature.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, Float64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field};
use throughline_core::PersonId;
use throughline_core::expr::Value;
use throughline_lake::{LakeError, PartitionColumn, TableSpec, columns, tables};

use crate::compile::{CompiledFeatures, FeatureType};

/// The features table of a project: person, time, purpose (`score`, or `train:` and an experiment), features.
pub fn features_table(features: &CompiledFeatures) -> TableSpec {
    let mut fields = vec![
        Field::new("person_id", DataType::Binary, false),
        Field::new("as_of", tables::timestamp(), false),
        Field::new("purpose", DataType::Utf8, false),
    ];
    for feature in &features.features {
        let kind = match feature.ty {
            FeatureType::Number => DataType::Float64,
            FeatureType::Category => DataType::Utf8,
        };
        fields.push(Field::new(&feature.name, kind, true));
    }
    let doc = "what was known about one person at one time";
    TableSpec::new("features", 1, fields, Some(PartitionColumn::Int("bucket")), doc)
}

#[derive(Debug)]
enum Column {
    Number(Float64Builder),
    Category(StringBuilder),
}

/// Collects rows of the features table.
#[derive(Debug)]
pub(crate) struct FeatureRows {
    spec: TableSpec,
    person: BinaryBuilder,
    as_of: Vec<Option<i64>>,
    purpose: StringBuilder,
    columns: Vec<Column>,
}

impl FeatureRows {
    pub(crate) fn new(features: &CompiledFeatures) -> Self {
        let columns = features
            .features
            .iter()
            .map(|f| match f.ty {
                FeatureType::Number => Column::Number(Float64Builder::new()),
                FeatureType::Category => Column::Category(StringBuilder::new()),
            })
            .collect();
        Self {
            spec: features_table(features),
            person: BinaryBuilder::new(),
            as_of: Vec::new(),
            purpose: StringBuilder::new(),
            columns,
        }
    }

    pub(crate) fn push(&mut self, person: PersonId, as_of: i64, purpose: &str, values: &[Value]) {
        self.person.append_value(person.0);
        self.as_of.push(Some(as_of));
        self.purpose.append_value(purpose);
        for (column, value) in self.columns.iter_mut().zip(values) {
            match column {
                Column::Number(numbers) => {
                    numbers.append_option(value.as_f64().or_else(|| value.as_bool().map(f64::from)));
                }
                Column::Category(texts) => texts.append_option(value.as_str()),
            }
        }
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let mut arrays: Vec<ArrayRef> =
            vec![Arc::new(self.person.finish()), columns::times(self.as_of), Arc::new(self.purpose.finish())];
        for column in &mut self.columns {
            arrays.push(match column {
                Column::Number(numbers) => Arc::new(numbers.finish()),
                Column::Category(texts) => Arc::new(texts.finish()),
            });
        }
        Ok(RecordBatch::try_new(self.spec.file_schema, arrays)?)
    }
}

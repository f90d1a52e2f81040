//! Rows of the features table for a model: columns in memory, with the labels of an experiment beside them.

use std::collections::BTreeMap;

use arrow::array::{Array, RecordBatch};
use throughline_core::PersonId;
use throughline_features::{CompiledFeatures, FeatureType, features_table, labels_table};
use throughline_lake::columns;
use throughline_uplift::{Raw, RawColumn};

use crate::stage::{StageContext, StageError};

/// What followed an assignment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) arm: String,
    pub(super) probability: Option<f64>,
    pub(super) outcome: f64,
}

/// A feature's values, owned.
#[derive(Debug, Clone)]
enum Values {
    Number(Vec<Option<f64>>),
    Category(Vec<Option<String>>),
}

/// Features of people, column by column, in the order of reading (bucket, person).
#[derive(Debug, Clone)]
pub(super) struct FeatureSet {
    names: Vec<String>,
    values: Vec<Values>,
    pub(super) people: Vec<PersonId>,
}

impl FeatureSet {
    fn new(features: &CompiledFeatures) -> Self {
        let names = features.features.iter().map(|f| f.name.clone()).collect();
        let values = features
            .features
            .iter()
            .map(|f| match f.ty {
                FeatureType::Number => Values::Number(Vec::new()),
                FeatureType::Category => Values::Category(Vec::new()),
            })
            .collect();
        Self { names, values, people: Vec::new() }
    }

    /// Columns as the model's encoder reads them.
    pub(super) fn raw(&self) -> Vec<RawColumn<'_>> {
        self.names
            .iter()
            .zip(&self.values)
            .map(|(name, values)| RawColumn {
                name: name.clone(),
                values: match values {
                    Values::Number(v) => Raw::Number(v.clone()),
                    Values::Category(v) => Raw::Category(v.iter().map(Option::as_deref).collect()),
                },
            })
            .collect()
    }

    /// The rows that a predicate keeps.
    pub(super) fn filter(&self, keep: &[bool]) -> Self {
        fn chosen<T: Clone>(values: &[T], keep: &[bool]) -> Vec<T> {
            values.iter().zip(keep).filter(|(_, k)| **k).map(|(v, _)| v.clone()).collect()
        }
        Self {
            names: self.names.clone(),
            values: self
                .values
                .iter()
                .map(|v| match v {
                    Values::Number(v) => Values::Number(chosen(v, keep)),
                    Values::Category(v) => Values::Category(chosen(v, keep)),
                })
                .collect(),
            people: chosen(&self.people, keep),
        }
    }

    fn append(&mut self, batch: &RecordBatch, purpose: &str) -> Result<(), StageError> {
        let rows: Vec<usize> = {
            let found = columns::text(batch, "purpose")?;
            (0..batch.num_rows()).filter(|&r| found.value(r) == purpose).collect()
        };
        let person = columns::binary(batch, "person_id")?;
        for &row in &rows {
            self.people.push(PersonId(columns::id16(person.value(row))?));
        }
        for (name, values) in self.names.iter().zip(&mut self.values) {
            match values {
                Values::Number(out) => {
                    let column = columns::float(batch, name)?;
                    out.extend(rows.iter().map(|&r| columns::float_at(column, r)));
                }
                Values::Category(out) => {
                    let column = columns::text(batch, name)?;
                    out.extend(rows.iter().map(|&r| columns::text_at(column, r).map(str::to_owned)));
                }
            }
        }
        Ok(())
    }
}

/// The features of one purpose (`score`, `train:<experiment>`), of one bucket or of all.
pub(super) async fn feature_set(
    context: &StageContext<'_>,
    purpose: &str,
    bucket: Option<&str>,
) -> Result<FeatureSet, StageError> {
    let features = &context.project.features.value;
    let snapshot = context.read(&features_table(features)).await?;
    let mut out = FeatureSet::new(features);
    let buckets: Vec<String> = match bucket {
        Some(bucket) => vec![bucket.to_owned()],
        None => snapshot.partitions().into_iter().collect(),
    };
    for bucket in buckets {
        for batch in snapshot.read_partition(&bucket, None).await? {
            out.append(&batch, purpose)?;
        }
    }
    Ok(out)
}

/// The complete labels of one experiment, with one of its metrics as the outcome.
pub(super) async fn labels_of(
    context: &StageContext<'_>,
    experiment: &str,
    metric: usize,
) -> Result<BTreeMap<PersonId, Label>, StageError> {
    let snapshot = context.read(&labels_table()).await?;
    let mut out = BTreeMap::new();
    for batch in snapshot.read_all(None).await? {
        let person = columns::binary(&batch, "person_id")?;
        let name = columns::text(&batch, "experiment")?;
        let (arm, complete) = (columns::text(&batch, "arm")?, columns::boolean(&batch, "complete")?);
        let probability = columns::float(&batch, "probability")?;
        let outcomes = columns::list(&batch, "outcomes")?;
        for row in 0..batch.num_rows() {
            if name.value(row) != experiment || !complete.value(row) || outcomes.is_null(row) {
                continue;
            }
            let Some(outcome) = columns::floats_at(outcomes, row)?.get(metric).copied().flatten() else { continue };
            let label =
                Label { arm: arm.value(row).to_owned(), probability: columns::float_at(probability, row), outcome };
            out.insert(PersonId(columns::id16(person.value(row))?), label);
        }
    }
    Ok(out)
}

//! The rows of the labels table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, ListBuilder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field};
use throughline_core::PersonId;
use throughline_lake::{LakeError, PartitionColumn, TableSpec, columns, tables};

fn element(ty: DataType) -> Arc<Field> {
    Arc::new(Field::new("element", ty, true))
}

/// The labels table: one row a person and experiment.
///
/// `outcomes`, `denominators` (of ratios), `baselines` and `baseline_denominators` (of metrics with `baseline_days`) are in the
/// order of the experiment's metrics, NULL where a metric has none; `covariates` and `groups` (strata, cluster, segments) in
/// the order of the file.
pub fn labels_table() -> TableSpec {
    let list = |name: &str, ty| Field::new(name, DataType::List(element(ty)), true);
    let fields = vec![
        Field::new("person_id", DataType::Binary, false),
        Field::new("experiment", DataType::Utf8, false),
        Field::new("arm", DataType::Utf8, false),
        Field::new("probability", DataType::Float64, true),
        Field::new("assigned_at", tables::timestamp(), false),
        Field::new("complete", DataType::Boolean, false),
        list("outcomes", DataType::Float64),
        list("denominators", DataType::Float64),
        list("baselines", DataType::Float64),
        list("baseline_denominators", DataType::Float64),
        list("covariates", DataType::Float64),
        list("groups", DataType::Utf8),
    ];
    let doc = "one person's arm in one experiment and what followed";
    TableSpec::new("labels", 2, fields, Some(PartitionColumn::Int("bucket")), doc)
}

/// One person's part in one experiment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label<'a> {
    pub(crate) person: PersonId,
    pub(crate) experiment: &'a str,
    pub(crate) arm: &'a str,
    pub(crate) probability: Option<f64>,
    pub(crate) assigned_at: i64,
    pub(crate) complete: bool,
}

type Floats = ListBuilder<Float64Builder>;

fn floats() -> Floats {
    ListBuilder::new(Float64Builder::new()).with_field(element(DataType::Float64))
}

/// Labels of a bucket. A row is [`LabelRows::push`], then its lists value by value, then [`LabelRows::end`].
#[derive(Debug)]
pub(crate) struct LabelRows {
    person: BinaryBuilder,
    experiment: StringBuilder,
    arm: StringBuilder,
    probability: Float64Builder,
    assigned_at: Vec<Option<i64>>,
    complete: BooleanBuilder,
    outcomes: Floats,
    denominators: Floats,
    baselines: Floats,
    baseline_denominators: Floats,
    covariates: Floats,
    groups: ListBuilder<StringBuilder>,
}

impl Default for LabelRows {
    fn default() -> Self {
        Self {
            person: BinaryBuilder::new(),
            experiment: StringBuilder::new(),
            arm: StringBuilder::new(),
            probability: Float64Builder::new(),
            assigned_at: Vec::new(),
            complete: BooleanBuilder::new(),
            outcomes: floats(),
            denominators: floats(),
            baselines: floats(),
            baseline_denominators: floats(),
            covariates: floats(),
            groups: ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8)),
        }
    }
}

impl LabelRows {
    pub(crate) fn push(&mut self, label: &Label<'_>) {
        self.person.append_value(label.person.0);
        self.experiment.append_value(label.experiment);
        self.arm.append_value(label.arm);
        self.probability.append_option(label.probability);
        self.assigned_at.push(Some(label.assigned_at));
        self.complete.append_value(label.complete);
    }

    pub(crate) fn outcome(&mut self, value: Option<f64>, below: Option<f64>) {
        self.outcomes.values().append_option(value);
        self.denominators.values().append_option(below);
    }

    pub(crate) fn baseline(&mut self, value: Option<f64>, below: Option<f64>) {
        self.baselines.values().append_option(value);
        self.baseline_denominators.values().append_option(below);
    }

    pub(crate) fn covariate(&mut self, value: Option<f64>) {
        self.covariates.values().append_option(value);
    }

    pub(crate) fn group(&mut self, value: Option<String>) {
        self.groups.values().append_option(value);
    }

    pub(crate) fn end(&mut self) {
        for list in [
            &mut self.outcomes,
            &mut self.denominators,
            &mut self.baselines,
            &mut self.baseline_denominators,
            &mut self.covariates,
        ] {
            list.append(true);
        }
        self.groups.append(true);
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.person.finish()),
            Arc::new(self.experiment.finish()),
            Arc::new(self.arm.finish()),
            Arc::new(self.probability.finish()),
            columns::times(self.assigned_at),
            Arc::new(self.complete.finish()),
            Arc::new(self.outcomes.finish()),
            Arc::new(self.denominators.finish()),
            Arc::new(self.baselines.finish()),
            Arc::new(self.baseline_denominators.finish()),
            Arc::new(self.covariates.finish()),
            Arc::new(self.groups.finish()),
        ];
        Ok(RecordBatch::try_new(labels_table().file_schema, arrays)?)
    }
}

//! A lake with a timeline, and the steps run on it.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, new_null_array};
use throughline_core::consent::Withdrawal;
use throughline_core::time::DAY_US;
use throughline_core::{RunContext, Timestamp};
use throughline_features::{
    CompiledExperiment, CompiledFeatures, FeatureInput, FeatureReport, FeaturesConfig, LabelInput, LabelReport,
    features, features_table, labels, labels_table,
};
use throughline_lake::{Lake, Snapshot, Unit, columns, tables};

/// One row of the timeline. Times are in microseconds; an event is available when it occurs unless told otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) person: u8,
    pub(crate) kind: &'static str,
    pub(crate) name: &'static str,
    pub(crate) occurred: i64,
    pub(crate) available: i64,
    pub(crate) value_micros: Option<i64>,
    pub(crate) properties: Option<String>,
    pub(crate) source: &'static str,
    pub(crate) consent: &'static str,
}

impl Event {
    pub(crate) fn new(person: u8, kind: &'static str, occurred: i64) -> Self {
        let name = if kind == "assignment" { "email_test" } else { "" };
        Self {
            person,
            kind,
            name,
            occurred,
            available: occurred,
            value_micros: None,
            properties: None,
            source: "x",
            consent: "measurement=granted",
        }
    }

    /// A purchase of so many units.
    pub(crate) fn purchase(person: u8, occurred: i64, units: i64) -> Self {
        Self { value_micros: Some(units * 1_000_000), ..Self::new(person, "purchase", occurred) }
    }

    /// An assignment in the test.
    pub(crate) fn assigned(person: u8, occurred: i64, arm: &str) -> Self {
        Self { properties: Some(format!(r#"{{"arm":"{arm}","p":0.25}}"#)), ..Self::new(person, "assignment", occurred) }
    }

    /// With another consent, from another source.
    pub(crate) fn said(self, source: &'static str, consent: &'static str) -> Self {
        Self { source, consent, ..self }
    }

    pub(crate) fn available(self, available: i64) -> Self {
        Self { available, ..self }
    }
}

/// So many days after the epoch.
pub(crate) const fn day(n: i64) -> i64 {
    n * DAY_US
}

fn batch(events: &[&Event]) -> RecordBatch {
    let spec = tables::timeline();
    let n = events.len();
    let text = |f: &dyn Fn(&Event) -> Option<String>| -> ArrayRef {
        Arc::new(events.iter().map(|e| f(e)).collect::<StringArray>())
    };
    let arrays = spec.file_schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "person_id" => Arc::new(BinaryArray::from_iter_values(events.iter().map(|e| [e.person; 16]))),
            "kind" => text(&|e| Some(e.kind.to_owned())),
            "name" => text(&|e| Some(e.name.to_owned()).filter(|n| !n.is_empty())),
            "properties" => text(&|e| e.properties.clone()),
            "source" => text(&|e| Some(e.source.to_owned())),
            "source_event_id" => text(&|_| Some("x".to_owned())),
            "consent" => text(&|e| Some(e.consent.to_owned())),
            "revision" => Arc::new(Int64Array::from(vec![1; n])),
            "occurred_at" => columns::times(events.iter().map(|e| Some(e.occurred))),
            "available_at" | "ingested_at" => columns::times(events.iter().map(|e| Some(e.available))),
            "value_micros" => Arc::new(events.iter().map(|e| e.value_micros).collect::<Int64Array>()),
            _ => new_null_array(field.data_type(), n),
        }
    });
    RecordBatch::try_new(Arc::clone(&spec.file_schema), arrays.collect()).expect("rows fit")
}

pub(crate) struct Line {
    _dir: tempfile::TempDir,
    lake: Lake,
    timeline: Snapshot,
    context: RunContext,
    pub(crate) withdrawal: Withdrawal,
}

fn unit() -> Unit {
    Unit { stage: "test".into(), name: "all".into(), fingerprint: "f".into(), run_seq: 1 }
}

impl Line {
    /// A timeline of these events, people spread over two buckets, for a run as of `as_of`.
    pub(crate) async fn new(events: &[Event], as_of: i64) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let lake = Lake::open_local(dir.path()).expect("a lake");
        let mut sorted: Vec<&Event> = events.iter().collect();
        sorted.sort_by_key(|e| (e.person, e.occurred));
        let mut writer = lake.writer(&tables::timeline(), &unit()).expect("a writer");
        for bucket in 0..2 {
            let of_bucket: Vec<&Event> = sorted.iter().copied().filter(|e| e.person % 2 == bucket).collect();
            writer.write(Some(&bucket.to_string()), &batch(&of_bucket)).await.expect("written");
        }
        let staged = [writer.finish().await.expect("finished")];
        let timeline = lake.staged_snapshot(&tables::timeline(), &staged).expect("a snapshot");
        let as_of = Timestamp::from_micros(as_of);
        Self {
            _dir: dir,
            lake,
            timeline,
            context: RunContext::new(1, as_of, as_of, 7),
            withdrawal: Withdrawal::Forward,
        }
    }

    /// Runs the features step: (person, as of, purpose, values), in order.
    pub(crate) async fn features(
        &self,
        yaml: &str,
        experiments: &[CompiledExperiment],
    ) -> (Vec<(u8, i64, String, Vec<Option<f64>>)>, FeatureReport) {
        let compiled = compile_features(yaml);
        let input = FeatureInput {
            features: &compiled,
            experiments,
            withdrawal: self.withdrawal,
            timeline: self.timeline.clone(),
        };
        let outcome = features(&self.lake, &self.context, input, &unit()).await.expect("features");
        let snapshot = self.lake.staged_snapshot(&features_table(&compiled), &outcome.staged).expect("a snapshot");
        let mut rows = Vec::new();
        for batch in snapshot.read_all(None).await.expect("read") {
            let (person, purpose) = (columns::binary(&batch, "person_id"), columns::text(&batch, "purpose"));
            let (person, purpose) = (person.expect("people"), purpose.expect("purposes"));
            let as_of = columns::time(&batch, "as_of").expect("times");
            for row in 0..batch.num_rows() {
                let value = |f: &throughline_features::CompiledAggregate| {
                    columns::float_at(columns::float(&batch, &f.name).expect("a number"), row)
                };
                let values = compiled.features.iter().map(value).collect();
                rows.push((person.value(row)[0], as_of.value(row), purpose.value(row).to_owned(), values));
            }
        }
        rows.sort_by(|a, b| (a.0, &a.2).cmp(&(b.0, &b.2)));
        (rows, outcome.report)
    }

    /// Runs the labels step: (person, arm, probability, complete, outcomes), in order.
    pub(crate) async fn labels(&self, experiments: &[CompiledExperiment]) -> (Vec<Label>, LabelReport) {
        let input = LabelInput { experiments, withdrawal: self.withdrawal, timeline: self.timeline.clone() };
        let outcome = labels(&self.lake, &self.context, input, &unit()).await.expect("labels");
        let snapshot = self.lake.staged_snapshot(&labels_table(), &outcome.staged).expect("a snapshot");
        let mut rows = Vec::new();
        for batch in snapshot.read_all(None).await.expect("read") {
            let lists = columns::list(&batch, "outcomes").expect("outcomes");
            for row in 0..batch.num_rows() {
                let outcomes = columns::floats_at(lists, row).expect("floats");
                rows.push(Label {
                    person: columns::binary(&batch, "person_id").expect("people").value(row)[0],
                    arm: columns::text(&batch, "arm").expect("arms").value(row).to_owned(),
                    probability: columns::float_at(columns::float(&batch, "probability").expect("floats"), row),
                    assigned_at: columns::time(&batch, "assigned_at").expect("times").value(row),
                    complete: columns::boolean(&batch, "complete").expect("booleans").value(row),
                    outcomes: outcomes.into_iter().map(Option::unwrap_or_default).collect(),
                });
            }
        }
        rows.sort_by_key(|label| label.person);
        (rows, outcome.report)
    }
}

impl Line {
    /// The list columns of the one label that these experiments give, values in words, `-` for none.
    pub(crate) async fn lists(&self, experiments: &[CompiledExperiment]) -> Vec<(String, String)> {
        let input = LabelInput { experiments, withdrawal: self.withdrawal, timeline: self.timeline.clone() };
        let outcome = labels(&self.lake, &self.context, input, &unit()).await.expect("labels");
        let snapshot = self.lake.staged_snapshot(&labels_table(), &outcome.staged).expect("a snapshot");
        let batches = snapshot.read_all(None).await.expect("read");
        let batch = batches.iter().find(|b| b.num_rows() > 0).expect("a label");
        let words = |list: arrow::array::ArrayRef| {
            let shown = |i| {
                if list.is_null(i) {
                    "-".to_owned()
                } else {
                    arrow::util::display::array_value_to_string(&list, i).expect("shown")
                }
            };
            (0..list.len()).map(shown).map(|w| w.trim_end_matches(".0").to_owned()).collect::<Vec<_>>().join(" ")
        };
        let lists = ["outcomes", "denominators", "baselines", "baseline_denominators", "covariates", "groups"];
        lists
            .iter()
            .map(|name| ((*name).to_owned(), words(columns::list(batch, name).expect("a list").value(0))))
            .collect()
    }
}

/// One row of the labels table.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Label {
    pub(crate) person: u8,
    pub(crate) arm: String,
    pub(crate) probability: Option<f64>,
    pub(crate) assigned_at: i64,
    pub(crate) complete: bool,
    pub(crate) outcomes: Vec<f64>,
}

/// Features given as lines of YAML.
pub(crate) fn compile_features(lines: &str) -> CompiledFeatures {
    let yaml = format!("apiVersion: throughline/v1\nkind: Features\nfeatures:\n{lines}");
    let config: FeaturesConfig = serde_saphyr::from_str(&yaml).expect("YAML");
    CompiledFeatures::compile(&[("features/test.yaml".to_owned(), config.features)]).expect("it compiles")
}

/// The test that [`Event::assigned`] assigns to: arms `mail` (weight 3) and `none` (1), a window of 7 days, `extra` lines.
pub(crate) fn experiment(extra: &str, metrics: &str) -> CompiledExperiment {
    let yaml = format!(
        "apiVersion: throughline/v1\nkind: Experiment\nname: mails\n\
         assignment: {{ event_name: email_test, arm: \"properties['arm']\"{extra} }}\n\
         arms: {{ mail: 3, none: 1 }}\ncontrol: none\nwindow_days: 7\nmetrics:\n{metrics}"
    );
    let config = serde_saphyr::from_str(&yaml).expect("YAML");
    CompiledExperiment::compile("experiments/test.yaml", config).expect("it compiles")
}

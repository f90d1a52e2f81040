//! Experiments and studies as the last run read them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_run::kept_evidence;
use utoipa::ToSchema;

use super::shapes::evidence::{EstimateShape, Finding, Tier};
use crate::app::Shared;
use crate::problem::ApiError;

/// Experiments and studies as the last run read them.
#[derive(Debug, Default, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names of the answer's fields")]
pub(crate) struct Experiments {
    experiments: Vec<ExperimentView>,
    studies: Vec<StudyView>,
    /// When they were read.
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
}

/// An experiment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ExperimentView {
    /// Its name.
    #[serde(rename(deserialize = "experiment"))]
    name: String,
    /// Where it is declared.
    file: String,
    reading: ReadingView,
    /// How each effect read at each run, oldest first.
    #[serde(default)]
    history: Vec<HistoryView>,
}

/// What an experiment says, its health first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ReadingView {
    health: String,
    #[schema(value_type = Tier)]
    tier: String,
    srm: SrmView,
    arms: Vec<ArmView>,
    comparisons: Vec<ComparisonView>,
    /// Checks that look at single people.
    #[serde(default)]
    checks: Option<ChecksView>,
    /// Effects by declared segment.
    #[serde(default)]
    segments: Vec<SegmentationView>,
    #[schema(value_type = Vec<Finding>)]
    diagnostics: Vec<Value>,
}

/// The check of the arms' sizes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SrmView {
    p_value: f64,
    statistic: f64,
    df: u64,
    observed: Vec<u64>,
    expected: Vec<f64>,
    alarm: bool,
}

/// An arm.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ArmView {
    arm: String,
    weight: f64,
    units: u64,
    metrics: Vec<ArmMetric>,
}

/// A metric in an arm.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ArmMetric {
    metric: String,
    n: u64,
    missing: u64,
    invalid: u64,
    #[serde(default)]
    mean: Option<f64>,
    #[serde(default)]
    std_error: Option<f64>,
}

/// An arm against the control.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ComparisonView {
    arm: String,
    control: String,
    metric: String,
    #[schema(value_type = Option<EstimateShape>)]
    #[serde(default)]
    estimate: Option<Value>,
    /// Why there is none.
    #[serde(default)]
    estimate_absent: Option<String>,
    #[schema(value_type = Option<EstimateShape>)]
    #[serde(default)]
    relative: Option<Value>,
    /// Why there is none.
    #[serde(default)]
    relative_absent: Option<String>,
    /// Corrected over all comparisons of the reading.
    #[serde(default)]
    adjusted_p_value: Option<f64>,
    significant: bool,
    /// The simultaneous interval over all comparisons, where bands were asked for.
    #[serde(default)]
    band: Option<(f64, f64)>,
    /// The share of the variance that adjustment removed.
    #[serde(default)]
    variance_reduction: Option<f64>,
    /// Whether less of the metric is better.
    #[serde(default)]
    lower_is_better: bool,
    #[serde(default)]
    non_inferiority: Option<MarginView>,
    /// What it says in plain language, and what to do.
    #[serde(default)]
    verdict: String,
}

/// Whether an arm is not worse than a margin allows.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct MarginView {
    margin: f64,
    /// Whether the margin is a share of the control's mean.
    relative: bool,
    shown: bool,
}

/// Checks that look at single people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ChecksView {
    #[serde(default)]
    crossover: Option<CrossoverView>,
    outliers: Vec<OutliersView>,
    trends: Vec<TrendView>,
    implausible: Vec<ImplausibleView>,
}

/// People in more than one arm.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct CrossoverView {
    units: u64,
    crossed: u64,
    alarm: bool,
}

/// How far single people carry an effect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OutliersView {
    arm: String,
    metric: String,
    /// The largest share of the effect's variance that comes from one person.
    variance_share: f64,
    effect_without: f64,
}

/// An effect over the days of assignment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TrendView {
    arm: String,
    metric: String,
    /// Mean day since 1970, effect and its standard error of each period.
    periods: Vec<(f64, f64, f64)>,
    #[schema(value_type = EstimateShape)]
    slope: Value,
    alarm: bool,
}

/// An effect that is more often a fault than a finding.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ImplausibleView {
    arm: String,
    metric: String,
    at_least: f64,
}

/// Effects of one arm on one metric by segment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SegmentationView {
    column: String,
    arm: String,
    metric: String,
    /// The test that all segments have the same effect.
    #[serde(default)]
    heterogeneity: Option<HeterogeneityView>,
    effects: Vec<SegmentView>,
}

/// The test that all segments have the same effect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HeterogeneityView {
    p_value: f64,
}

/// An effect in one segment.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SegmentView {
    segment: String,
    #[schema(value_type = EstimateShape)]
    estimate: Value,
    adjusted_p_value: f64,
    significant: bool,
    /// Drawn towards the mean of all segments by how uncertain it is.
    #[schema(value_type = EstimateShape)]
    shrunk: Value,
}

/// One reading of one effect.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct HistoryView {
    arm: String,
    metric: String,
    /// Everything until then counts.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    value: f64,
    /// A null end is infinite.
    interval: (Option<f64>, Option<f64>),
    p_value: f64,
    n: u64,
    healthy: bool,
}

/// A study.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StudyView {
    /// Its name.
    #[serde(rename(deserialize = "study"))]
    name: String,
    /// Where it is declared.
    file: String,
    /// Its record in the ledger; absent when it could not be carried out.
    #[serde(default)]
    evidence: Option<String>,
    #[schema(value_type = Vec<Finding>)]
    #[serde(default)]
    diagnostics: Vec<Value>,
}

/// Experiments and studies as the last run read them, with how each effect read before.
#[utoipa::path(get, path = "/experiments", operation_id = "listExperiments", tag = "evidence",
    responses((status = 200, body = Experiments)))]
pub(crate) async fn list_experiments(State(app): State<Shared>) -> Result<Json<Experiments>, ApiError> {
    let Some(record) = app.ledger().fingerprint("prove", "all").await? else {
        return Ok(Json(Experiments::default()));
    };
    let part = |name: &str| record.metrics.get(name).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let mut experiments: Vec<ExperimentView> = serde_json::from_value(part("experiments"))?;
    let studies = serde_json::from_value(part("studies"))?;
    let mut history = histories(&app).await?;
    for experiment in &mut experiments {
        experiment.history = history.remove(&experiment.name).unwrap_or_default();
    }
    Ok(Json(Experiments { experiments, studies, published_at: Some(record.published_at) }))
}

/// Readings by source, oldest first.
async fn histories(app: &Shared) -> Result<BTreeMap<String, Vec<HistoryView>>, ApiError> {
    let mut out: BTreeMap<String, Vec<HistoryView>> = BTreeMap::new();
    for kept in kept_evidence(app.ledger()).await? {
        let r = &kept.record;
        let (low, high) = r.estimate.interval();
        let end = |x: f64| x.is_finite().then_some(x);
        out.entry(r.source_name().to_owned()).or_default().push(HistoryView {
            arm: r.scope.action.clone(),
            metric: r.estimand.metric.clone(),
            at: r.scope.period_end,
            value: r.estimate.value,
            interval: (end(low), end(high)),
            p_value: r.estimate.p_value,
            n: r.estimate.n,
            healthy: r.tier.number() > 0,
        });
    }
    for readings in out.values_mut() {
        readings.sort_by(|a, b| (&a.metric, &a.arm, a.at).cmp(&(&b.metric, &b.arm, b.at)));
    }
    Ok(out)
}

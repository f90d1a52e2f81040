//! What is known about effects: experiments as they read, studies, the evidence ledger, and what people decide about it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_govern::MAX_TEXT;
use throughline_run::{EvidenceWish, approve_evidence, kept_evidence, list_evidence, retire_evidence};
use utoipa::{IntoParams, ToSchema};

use super::shapes::evidence::{EstimateShape, EvidenceEntry, Finding, Tier};
use super::{Body, Query};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::hub::Topic;

/// The evidence ledger.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    /// Records by source and metric, newest first.
    #[schema(value_type = Vec<EvidenceEntry>)]
    items: Vec<Value>,
    /// Where they contradict each other.
    conflicts: Vec<ConflictView>,
    /// The instant they are judged at.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Two records of different sources about the same question that say different things.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConflictView {
    /// The one of the higher tier.
    first: String,
    /// The other.
    second: String,
    /// The first minus the second.
    difference: f64,
    /// The chance of such a difference between estimates of one effect; absent where one has no standard error.
    p_value: Option<f64>,
    /// Whether both are clear, in opposite directions.
    opposed: bool,
}

/// Which moment.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Moment {
    /// The records as they stood then; now when absent.
    #[param(value_type = Option<String>, format = DateTime)]
    at: Option<Timestamp>,
}

/// Everything recorded about effects, with how it stands.
#[utoipa::path(get, path = "/evidence", operation_id = "listEvidence", tag = "evidence", params(Moment),
    responses((status = 200, body = Evidence), (status = 422, body = Problem)))]
pub(crate) async fn list_all(
    State(app): State<Shared>,
    Query(moment): Query<Moment>,
) -> Result<Json<Evidence>, ApiError> {
    let at = moment.at.unwrap_or_else(|| app.now());
    let list = list_evidence(app.ledger(), at).await?;
    let items = list.items.iter().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let conflicts = list
        .conflicts
        .into_iter()
        .map(|c| ConflictView {
            first: c.first,
            second: c.second,
            difference: c.difference,
            p_value: c.p_value,
            opposed: c.opposed,
        })
        .collect();
    Ok(Json(Evidence { items, conflicts, at }))
}

/// A decision about a record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewEvidenceNote {
    /// The record.
    id: String,
    /// Why.
    #[serde(default)]
    reason: String,
}

impl NewEvidenceNote {
    fn check(&self) -> Result<&str, ApiError> {
        let length = self.reason.chars().count();
        if length > MAX_TEXT {
            return Err(ApiError::invalid(format!("the reason has {length} characters, the limit is {MAX_TEXT}")));
        }
        Ok(self.reason.trim())
    }
}

/// Answers for the assumptions of a record, so that it may decide. The next run goes by it.
#[utoipa::path(post, path = "/evidence/approvals", operation_id = "approveEvidence", tag = "evidence",
    request_body = NewEvidenceNote,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn approve(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewEvidenceNote>,
) -> Result<StatusCode, ApiError> {
    let wish = EvidenceWish { id: &body.id, by: &identity.user.name, text: body.check()?, now: app.now() };
    approve_evidence(app.ledger(), wish).await?;
    app.hub.changed([Topic::Evidence, Topic::Audit]);
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a record out of use, for good. The next run goes by it.
#[utoipa::path(post, path = "/evidence/retirements", operation_id = "retireEvidence", tag = "evidence",
    request_body = NewEvidenceNote,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn retire(
    State(app): State<Shared>,
    identity: Identity,
    Body(body): Body<NewEvidenceNote>,
) -> Result<StatusCode, ApiError> {
    let wish = EvidenceWish { id: &body.id, by: &identity.user.name, text: body.check()?, now: app.now() };
    retire_evidence(app.ledger(), wish).await?;
    app.hub.changed([Topic::Evidence, Topic::Audit]);
    Ok(StatusCode::NO_CONTENT)
}

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
    #[serde(default)]
    adjusted_p_value: Option<f64>,
    significant: bool,
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

//! The evidence ledger, and what people decide about it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_govern::MAX_TEXT;
use throughline_run::{EvidenceWish, approve_evidence, list_evidence, retire_evidence};
use utoipa::{IntoParams, ToSchema};

use super::shapes::evidence::EvidenceEntry;
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

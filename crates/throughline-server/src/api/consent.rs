//! What is documented about consent.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use throughline_run::consent_report;

use super::shapes::consent::ConsentDocumented;
use crate::app::Shared;
use crate::problem::ApiError;

/// What is documented about consent, and who may be activated where.
#[utoipa::path(get, path = "/consent", operation_id = "getConsent", tag = "consent",
    responses((status = 200, body = ConsentDocumented)))]
pub(crate) async fn get_consent(State(app): State<Shared>) -> Result<Json<Value>, ApiError> {
    let project = app.project();
    // It reads the whole timeline, so it is computed once for what is published.
    let last = app.ledger().runs(1).await?.pop().map(|run| (run.run_seq, run.status));
    let made_of = format!("{} {last:?} {:?}", project.hash(), app.ledger().manifest().await?);
    let mut known = app.consent.lock().await;
    if let Some((_, report)) = known.as_ref().filter(|(of, _)| *of == made_of) {
        return Ok(Json(report.clone()));
    }
    let report = serde_json::to_value(consent_report(&project, &app.stores).await?)?;
    *known = Some((made_of, report.clone()));
    Ok(Json(report))
}

//! Persons: their signals, and, for those who may, who they are.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use serde_json::{Value, json};
use throughline_core::PersonId;
use throughline_govern::Resource;
use throughline_ledger::AuditEntry;
use throughline_run::Subject;
use throughline_vault::OpenFor;
use utoipa::ToSchema;

use super::Body;
use super::safety::Reason;
use super::shapes::thread::PersonThread;
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};
use crate::work::hub::Topic;

/// Fields that describe a person or lead to them in other systems.
const PERSONAL: [&str; 7] =
    ["event", "source_event_id", "conversion_event_id", "geo", "device", "properties", "feature_values"];

/// Hides personal fields from those who may not see them, and says so.
pub(crate) fn masked_for(app: &Shared, identity: &Identity, mut value: Value) -> Result<Value, ApiError> {
    let masked = !identity.may(app, "seePersonalData", &Resource::Project)?;
    if masked {
        mask(&mut value);
    }
    value["masked"] = Value::from(masked);
    Ok(value)
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if PERSONAL.contains(&name.as_str()) && !field.is_null() {
                    *field = Value::from("\u{2022}\u{2022}\u{2022}");
                } else {
                    mask(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}

/// What is known of a person, without saying who it is.
#[utoipa::path(get, path = "/persons/{id}", operation_id = "explainPerson", tag = "persons",
    params(("id" = String, Path, description = "Id of the person")),
    responses((status = 200, body = PersonThread), (status = 404, body = Problem)))]
pub(crate) async fn explain_person(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let thread = throughline_run::explain(&app.project(), &app.stores, &Subject::Person(id)).await?;
    Ok(Json(masked_for(&app, &identity, thread)?))
}

/// The identifiers of a person in the clear.
#[derive(Serialize, ToSchema)]
pub(crate) struct Identifiers {
    identifiers: Vec<Identifier>,
}

/// An identifier.
#[derive(Serialize, ToSchema)]
pub(crate) struct Identifier {
    /// What kind; absent when it was erased.
    kind: Option<String>,
    /// The value; absent when it was erased.
    value: Option<String>,
}

/// Opens the identifiers of a person. Who asked, for whom and why goes on record, sealed under the person's own keys, so
/// that the record ends with the person's erasure.
#[utoipa::path(post, path = "/persons/{id}/identifiers", operation_id = "revealIdentifiers", tag = "persons",
    params(("id" = String, Path, description = "Id of the person")), request_body = Reason,
    responses((status = 200, body = Identifiers), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn reveal_identifiers(
    State(app): State<Shared>,
    identity: Identity,
    Path(id): Path<String>,
    Body(body): Body<Reason>,
) -> Result<Json<Identifiers>, ApiError> {
    let reason = body.checked()?;
    let person: PersonId = id.parse().map_err(|_| ApiError::not_found(format!("person `{id}`")))?;
    let tokens = throughline_run::person_tokens(&app.stores, person).await?;
    if tokens.is_empty() {
        return Err(ApiError::not_found(format!("person `{id}`")));
    }
    let note = json!({ "person": id, "reason": reason }).to_string();
    let vault = &app.stores.vault;
    let mut sealed = Vec::new();
    for token in &tokens {
        if let Some(bytes) = vault.seal_note(*token, &note).await? {
            sealed.push(json!({ "subject": token.to_string(), "box": hex::encode(bytes) }));
        }
    }
    let now = app.now();
    let payload = json!({ "identifiers": tokens.len(), "sealed": sealed });
    // On record before anything is opened: an access that is not recorded must not happen.
    let entry = AuditEntry { kind: "personal_data_opened", actor: &identity.user.name, payload: &payload, at: now };
    app.ledger().append_audit(entry).await?;
    let revealed = vault.reveal(&tokens, OpenFor::SubjectAccess, &identity.user.name, now).await?;
    app.hub.changed([Topic::Audit]);
    let identifiers = revealed.values.into_iter().map(|value| Identifier {
        kind: value.as_ref().map(|v| v.kind().to_string()),
        value: value.as_ref().map(|v| v.expose().to_owned()),
    });
    Ok(Json(Identifiers { identifiers: identifiers.collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn personal_fields_are_hidden_at_any_depth_and_ids_stay() {
        let mut value = json!({ "person_id": "p", "last_events": [{ "event": "o1", "kind": "purchase" }],
            "decision": { "feature_values": "{}", "action": "mail", "device": null } });
        mask(&mut value);
        let dots = "\u{2022}\u{2022}\u{2022}";
        let expect = json!({ "person_id": "p", "last_events": [{ "event": dots, "kind": "purchase" }],
            "decision": { "feature_values": dots, "action": "mail", "device": null } });
        assert_eq!(value, expect);
    }
}

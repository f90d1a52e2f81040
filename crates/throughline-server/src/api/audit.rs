//! The audit log: read, checked, proved, exported.

use axum::Json;
use axum::body::Body as HttpBody;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::Timestamp;
use throughline_ledger::{AuditEntry, AuditFilter, AuditRecord};
use utoipa::{IntoParams, ToSchema};

use super::Query;
use super::page::{Page, PageQuery};
use super::shapes::audit::{AuditFaultItem, AuditProof};
use crate::access::Identity;
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Records of one read while exporting.
const EXPORT_PAGE: u32 = 1000;

/// Which records.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only of this kind.
    kind: Option<String>,
    /// Only of this actor.
    actor: Option<String>,
}

/// A record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditItem {
    /// Its place, from 1.
    seq: u64,
    /// What happened.
    kind: String,
    /// Who did it.
    actor: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The particulars.
    payload: Value,
    /// The particulars, exactly the text that the hash covers.
    text: String,
    /// The leaf hash of the record before; zeros for the first.
    prev: String,
    /// Its leaf hash.
    leaf: String,
    /// How many parts of it are sealed under keys of persons.
    sealed: u64,
}

impl From<AuditRecord> for AuditItem {
    fn from(record: AuditRecord) -> Self {
        let payload: Value = serde_json::from_str(&record.payload).unwrap_or(Value::Null);
        let sealed = payload["sealed"].as_array().map_or(0, |s| s.len() as u64);
        Self {
            seq: record.seq,
            kind: record.kind,
            actor: record.actor,
            at: record.at,
            payload,
            text: record.payload,
            prev: hex::encode(record.prev),
            leaf: hex::encode(record.leaf),
            sealed,
        }
    }
}

/// The records, newest first.
#[utoipa::path(get, path = "/audit", operation_id = "listAudit", tag = "audit", params(Wanted, PageQuery),
    responses((status = 200, body = Page<AuditItem>)))]
pub(crate) async fn list_audit(
    State(app): State<Shared>,
    Query(wanted): Query<Wanted>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Page<AuditItem>>, ApiError> {
    let limit = page.limit()?;
    let filter = AuditFilter {
        kind: wanted.kind.as_deref(),
        actor: wanted.actor.as_deref(),
        before: page.after()?,
        limit: limit + 1,
    };
    let items = app.ledger().latest_audit(filter).await?.into_iter().map(AuditItem::from).collect();
    Ok(Json(Page::cut(items, limit, |r: &AuditItem| r.seq)?))
}

/// One record.
#[utoipa::path(get, path = "/audit/{seq}", operation_id = "getAuditRecord", tag = "audit",
    params(("seq" = u64, Path, description = "Place of the record, from 1")),
    responses((status = 200, body = AuditItem), (status = 404, body = Problem)))]
pub(crate) async fn get_audit_record(
    State(app): State<Shared>,
    Path(seq): Path<u64>,
) -> Result<Json<AuditItem>, ApiError> {
    let found = match seq.checked_sub(1) {
        Some(before) => app.ledger().audit_records(before, 1).await?.pop().filter(|record| record.seq == seq),
        None => None,
    };
    found.map(|record| Json(record.into())).ok_or_else(|| ApiError::not_found(format!("record {seq}")))
}

/// A signed head of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditHead {
    /// The log's name.
    origin: String,
    /// How many records it covers.
    size: u64,
    /// The Merkle root over them.
    root: String,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The signed note: keep it elsewhere.
    note: String,
    /// The key that verifies it.
    public_key: String,
}

/// A signed head of the log as it stands.
#[utoipa::path(get, path = "/audit/head", operation_id = "getAuditHead", tag = "audit",
    responses((status = 200, body = AuditHead)))]
pub(crate) async fn get_audit_head(State(app): State<Shared>) -> Result<Json<AuditHead>, ApiError> {
    let project = app.project();
    let signed = throughline_run::sign_head(&project, app.ledger(), app.now()).await?;
    let key = throughline_run::audit_key::open(&project)?;
    Ok(Json(AuditHead {
        origin: signed.head.origin,
        size: signed.head.size,
        root: hex::encode(signed.head.root),
        at: signed.head.at,
        note: signed.note,
        public_key: key.public().to_string(),
    }))
}

/// The outcome of checking the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditVerification {
    /// Whether nothing is amiss.
    intact: bool,
    /// Records read and hashed again.
    records: u64,
    /// The Merkle root over them.
    root: String,
    /// Signed heads whose signature and root were compared.
    heads_checked: u64,
    /// Signed heads whose signature does not hold.
    heads_unsigned: u64,
    /// How much is amiss.
    fault_count: u64,
    /// What is amiss: the first hundred.
    #[schema(value_type = Vec<AuditFaultItem>)]
    faults: Value,
    /// How long it took.
    seconds: f64,
}

/// Checks the whole log: every hash, the tree, every signed head.
#[utoipa::path(post, path = "/audit/verification", operation_id = "verifyAudit", tag = "audit",
    responses((status = 200, body = AuditVerification)))]
pub(crate) async fn verify_audit(State(app): State<Shared>) -> Result<Json<AuditVerification>, ApiError> {
    let begun = std::time::Instant::now();
    let check = app.ledger().verify_audit().await?;
    let key = throughline_run::audit_key::open(&app.project())?.public();
    let heads = app.ledger().signed_heads().await?;
    let heads_unsigned = heads.iter().filter(|h| !h.verify(&key)).count() as u64;
    Ok(Json(AuditVerification {
        intact: check.is_intact() && heads_unsigned == 0,
        records: check.records,
        root: hex::encode(check.root),
        heads_checked: check.heads_checked,
        heads_unsigned,
        fault_count: check.fault_count,
        faults: serde_json::to_value(&check.faults)?,
        seconds: begun.elapsed().as_secs_f64(),
    }))
}

/// Which proof.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ProofWanted {
    /// The record to be proved.
    seq: Option<u64>,
    /// The size of an earlier head, to be proved the beginning of the later one.
    first: Option<u64>,
    /// The size of the head; the whole log without.
    size: Option<u64>,
}

/// Proves that a record stands in the log of a head (`seq`), or that an earlier log is the beginning of it (`first`).
#[utoipa::path(get, path = "/audit/proof", operation_id = "proveAudit", tag = "audit", params(ProofWanted),
    responses((status = 200, body = AuditProof), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn prove_audit(
    State(app): State<Shared>,
    Query(wanted): Query<ProofWanted>,
) -> Result<Json<Value>, ApiError> {
    let size = match wanted.size {
        Some(size) => size,
        None => app.ledger().audit_tree().await?.0,
    };
    let proof = match (wanted.seq, wanted.first) {
        (Some(seq), None) => serde_json::to_value(app.ledger().prove_inclusion(seq, size).await?)?,
        (None, Some(first)) => serde_json::to_value(app.ledger().prove_consistency(first, size).await?)?,
        _ => return Err(ApiError::invalid("name either `seq` or `first`")),
    };
    Ok(Json(proof))
}

/// The whole log as JSON Lines, one record a line, for `throughline audit verify --file`.
#[utoipa::path(get, path = "/audit/export", operation_id = "exportAudit", tag = "audit",
    responses((status = 200, content_type = "application/jsonl", body = String)))]
pub(crate) async fn export_audit(State(app): State<Shared>, identity: Identity) -> Result<Response, ApiError> {
    let payload = json!({ "format": "jsonl" });
    let entry = AuditEntry { kind: "audit_exported", actor: &identity.user.name, payload: &payload, at: app.now() };
    app.ledger().append_audit(entry).await?;
    let pages = stream::try_unfold((app, 0), |(app, after)| async move {
        let records = app.ledger().audit_records(after, EXPORT_PAGE).await.map_err(std::io::Error::other)?;
        let Some(last) = records.last() else { return Ok::<_, std::io::Error>(None) };
        let after = last.seq;
        let mut lines = String::new();
        for record in &records {
            lines.push_str(&serde_json::to_string(record)?);
            lines.push('\n');
        }
        Ok(Some((lines, (app, after))))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/jsonl"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.jsonl\""),
    ];
    Ok((headers, HttpBody::from_stream(pages)).into_response())
}

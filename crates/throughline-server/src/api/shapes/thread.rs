//! The threads behind decisions, conversions and persons. What a row of a table leaves empty is left out.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::ToSchema;

use super::evidence::EvidenceItem;

/// The thread behind the latest decision about an entity.
#[derive(ToSchema)]
pub(crate) struct DecisionThread {
    decision: DecisionRow,
    /// Effects of arms on this person, as scored.
    scores: Vec<ScoreRow>,
    /// Evidence of the experiment behind the policy.
    evidence: Vec<EvidenceItem>,
    /// The latest version of the policy, which may be newer than the decision.
    policy: Option<ArtefactItem>,
    /// The latest version of the model, which may be newer than the decision.
    model: Option<ArtefactItem>,
    person: PersonSummary,
    deliveries: Vec<DeliveryRow>,
    /// Whether personal fields are dots.
    masked: bool,
}

/// A row of the decisions table.
#[derive(ToSchema)]
pub(crate) struct DecisionRow {
    entity_id: String,
    cycle_id: String,
    #[schema(format = DateTime)]
    decided_at: String,
    action: String,
    /// The best feasible actions with their expected net value; null where none is feasible.
    top_n: Option<BTreeMap<String, f64>>,
    #[schema(required = false, nullable = false)]
    score: Option<f64>,
    #[schema(required = false, nullable = false)]
    segment: Option<String>,
    /// JSON text: whether rules, consent and caps allow each action.
    #[schema(required = false, nullable = false)]
    eligibility: Option<String>,
    rationale: Option<Vec<String>>,
    #[schema(required = false, nullable = false)]
    expected_net_value: Option<f64>,
    #[schema(required = false, nullable = false)]
    expected_net_value_low: Option<f64>,
    #[schema(required = false, nullable = false)]
    expected_net_value_high: Option<f64>,
    /// Why there is no interval.
    #[schema(required = false, nullable = false)]
    interval_note: Option<String>,
    action_probabilities: Option<BTreeMap<String, f64>>,
    arm: String,
    #[schema(required = false, nullable = false)]
    model_id: Option<String>,
    #[schema(required = false, nullable = false)]
    model_version: Option<i32>,
    #[schema(required = false, nullable = false)]
    feature_snapshot: Option<i64>,
    /// JSON text, or dots.
    #[schema(required = false, nullable = false)]
    feature_values: Option<String>,
    policy_id: String,
    policy_version: i32,
    evidence_tier: i32,
    /// `purpose=state`, separated by semicolons.
    consent: String,
    #[schema(required = false, nullable = false, format = DateTime)]
    scored_at: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
    #[schema(required = false, nullable = false)]
    confidence: Option<f64>,
    contract_version: String,
    currency: String,
}

/// A row of the scores table.
#[derive(ToSchema)]
pub(crate) struct ScoreRow {
    person_id: String,
    model_id: String,
    model_version: i32,
    arm: String,
    #[schema(required = false, nullable = false)]
    effect: Option<f64>,
    #[schema(required = false, nullable = false)]
    base: Option<f64>,
    fold: String,
    #[schema(format = DateTime)]
    scored_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A row of the deliveries table.
#[derive(ToSchema)]
pub(crate) struct DeliveryRow {
    batch_id: String,
    idempotency_key: String,
    destination: String,
    entity_id: String,
    cycle_id: String,
    action: String,
    status: String,
    #[schema(required = false, nullable = false)]
    reason: Option<String>,
    #[schema(format = DateTime)]
    planned_at: String,
}

/// An immutable artefact of the registry.
#[derive(ToSchema)]
pub(crate) struct ArtefactItem {
    kind: String,
    name: String,
    version: u32,
    content_hash: String,
    metadata: BTreeMap<String, Value>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// What is known of a person, without saying who it is.
#[derive(ToSchema)]
pub(crate) struct PersonSummary {
    person_id: String,
    /// Kinds of the identifiers.
    identifiers: Vec<String>,
    /// How many events.
    events: u64,
    /// The last twenty, oldest first.
    last_events: Vec<EventItem>,
}

/// A person, as the caller may see it.
#[derive(ToSchema)]
pub(crate) struct PersonThread {
    person_id: String,
    /// Kinds of the identifiers.
    identifiers: Vec<String>,
    /// How many events.
    events: u64,
    /// The last twenty, oldest first.
    last_events: Vec<EventItem>,
    /// Whether personal fields are dots.
    masked: bool,
}

/// An event.
#[derive(ToSchema)]
pub(crate) struct EventItem {
    #[schema(format = DateTime)]
    at: String,
    kind: String,
    channel: Option<String>,
    source: String,
    /// Its id at the source, or dots.
    event: String,
    value: Option<f64>,
}

/// The thread behind a conversion.
#[derive(ToSchema)]
pub(crate) struct ConversionThread {
    journey: JourneyRow,
    /// Shares of this one conversion by model and channel; null without models.
    credit: Option<BTreeMap<String, BTreeMap<String, f64>>>,
    touches_kept: Vec<TouchRow>,
    touches_dropped: Vec<TouchRow>,
    /// What the person's identity rests on.
    identity: IdentityShape,
    person: PersonSummary,
    /// Whether personal fields are dots.
    masked: bool,
}

/// Why identifiers are of one person.
#[derive(ToSchema)]
pub(crate) struct IdentityShape {
    /// Links that events showed.
    links: Vec<LinkShape>,
    /// Profiles that were compared.
    matches: Vec<MatchShape>,
}

/// A link between two identifiers that events showed.
#[derive(ToSchema)]
pub(crate) struct LinkShape {
    token: String,
    other_token: String,
    method: String,
    source: String,
    observations: i64,
    #[schema(format = DateTime)]
    first_seen_at: String,
}

/// Two profiles that may be of one person.
#[derive(ToSchema)]
pub(crate) struct MatchShape {
    token: String,
    other_token: String,
    source: String,
    other_source: String,
    /// That they are of one person.
    probability: f64,
    weight_bits: f64,
    /// What became of the pair.
    outcome: String,
    reason: String,
}

/// A row of the journeys table.
#[derive(ToSchema)]
pub(crate) struct JourneyRow {
    journey_id: String,
    person_id: String,
    #[schema(required = false, nullable = false)]
    conversion: Option<String>,
    /// Id of the converting event at its source, or dots.
    #[schema(required = false, nullable = false)]
    conversion_event_id: Option<String>,
    converted: bool,
    #[schema(format = DateTime)]
    ended_at: String,
    #[schema(required = false, nullable = false)]
    value: Option<f64>,
    #[schema(required = false, nullable = false)]
    currency: Option<String>,
    touches: i32,
    path: Vec<String>,
    /// When its first counted touch was.
    #[schema(required = false, nullable = false, format = DateTime)]
    started_at: Option<String>,
    /// Month in which the person was first seen.
    #[schema(required = false, nullable = false)]
    cohort: Option<String>,
    /// Place of the conversion.
    #[schema(required = false, nullable = false)]
    geo: Option<String>,
    /// Device of the conversion.
    #[schema(required = false, nullable = false)]
    device: Option<String>,
    /// The configuration that built it: equal ids, equal rules.
    #[schema(required = false, nullable = false)]
    config_id: Option<String>,
    /// What is known of the person at the end, as `name=value`.
    #[schema(required = false)]
    segments: Vec<String>,
}

/// A row of the touches table.
#[derive(ToSchema)]
pub(crate) struct TouchRow {
    journey_id: String,
    person_id: String,
    position: i32,
    source: String,
    source_event_id: String,
    kind: String,
    channel: String,
    #[schema(required = false, nullable = false)]
    campaign: Option<String>,
    #[schema(format = DateTime)]
    occurred_at: String,
    session: i32,
    kept: bool,
    /// The rule that kept or dropped it.
    rule: String,
    /// How the channel was met: click, view, visit, …
    #[schema(required = false, nullable = false)]
    interaction: Option<String>,
    /// Advertisement.
    #[schema(required = false, nullable = false)]
    ad: Option<String>,
    /// Place.
    #[schema(required = false, nullable = false)]
    geo: Option<String>,
    /// Device.
    #[schema(required = false, nullable = false)]
    device: Option<String>,
}

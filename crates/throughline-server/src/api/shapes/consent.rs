//! The report on consent.

use utoipa::ToSchema;

/// What a withdrawal does to earlier events.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum WithdrawalName {
    Forward,
    Recompute,
}

/// What personal data may be used for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum PurposeName {
    Measurement,
    Linking,
    Personalisation,
    Advertising,
    Messaging,
}

/// What is documented about consent, and who may be activated where.
#[derive(ToSchema)]
pub(crate) struct ConsentDocumented {
    withdrawal: WithdrawalName,
    /// Level of the intervals of shares.
    level: f64,
    /// People of the timeline.
    people: u64,
    /// Events of the timeline.
    events: u64,
    sources: Vec<SourceConsentItem>,
    /// What stands over all sources.
    purposes: Vec<PurposeConsentItem>,
    conflicts: Vec<ConsentConflict>,
    /// Days on which what stands turned, in order.
    changes: Vec<ConsentChanges>,
    activation: Vec<ActivationItem>,
    /// What may not be linked.
    linking: Vec<ForbiddenLinkItem>,
    /// What consent removed from each stage, as of its last run.
    removed: Vec<RemovedItem>,
}

/// A link that may not be made.
#[derive(ToSchema)]
pub(crate) struct ForbiddenLinkItem {
    /// One source that is linked with nothing, or two that are not linked with each other.
    sources: Vec<String>,
    /// The purposes that forbid it, `the source`, or `identity.yaml`.
    forbidden_by: Vec<String>,
}

/// Counts by state.
#[derive(ToSchema)]
pub(crate) struct StateCounts {
    granted: u64,
    denied: u64,
    /// Nothing said, which is no permission.
    unknown: u64,
}

/// A share with its interval (Wilson); both absent without anybody.
#[derive(ToSchema)]
pub(crate) struct ShareItem {
    value: Option<f64>,
    interval: Option<(f64, f64)>,
}

/// What a source documents.
#[derive(ToSchema)]
pub(crate) struct SourceConsentItem {
    source: String,
    /// People it knows.
    people: u64,
    /// Its events.
    events: u64,
    purposes: Vec<SourcePurposeItem>,
}

/// What a source documents about a purpose.
#[derive(ToSchema)]
pub(crate) struct SourcePurposeItem {
    purpose: PurposeName,
    /// Its events by the consent they came with.
    events: StateCounts,
    /// Its people by what it last said of them.
    people: StateCounts,
    /// Share of its people of whom it says anything.
    coverage: ShareItem,
    granted: ShareItem,
    denied: ShareItem,
}

/// What stands of people over all sources.
#[derive(ToSchema)]
pub(crate) struct PurposeConsentItem {
    purpose: PurposeName,
    people: StateCounts,
    /// Share of people of whom anything is known.
    coverage: ShareItem,
    granted: ShareItem,
    /// People whose sources contradict each other; the denial counts.
    conflicts: u64,
    /// Times that what stood went from granted to denied.
    withdrawn: u64,
    /// Times that it went back.
    given_back: u64,
}

/// Two sources that contradict each other.
#[derive(ToSchema)]
pub(crate) struct ConsentConflict {
    purpose: PurposeName,
    granted_by: String,
    /// It wins.
    denied_by: String,
    people: u64,
    /// People whose grant is the later statement.
    grant_is_later: u64,
}

/// Changes of what stands on one day (UTC).
#[derive(ToSchema)]
pub(crate) struct ConsentChanges {
    #[schema(format = Date)]
    day: String,
    purpose: PurposeName,
    withdrawn: u64,
    given_back: u64,
}

/// Who may be activated at a destination.
#[derive(ToSchema)]
pub(crate) struct ActivationItem {
    destination: String,
    purpose: PurposeName,
    /// The kind of identifier it needs.
    identifier: Option<String>,
    people: StateCounts,
    /// People with permission who have such an identifier.
    reachable: u64,
}

/// Rows that consent removed at one place of a stage.
#[derive(ToSchema)]
pub(crate) struct RemovedItem {
    stage: String,
    /// The policy, or the destination and policy.
    unit: Option<String>,
    /// What was removed, in the plural.
    what: String,
    purpose: String,
    /// Rows considered, removed ones included.
    considered: u64,
    /// Removed because nothing was said.
    unknown: u64,
    /// Removed because it was denied.
    denied: u64,
    /// Removed because it was withdrawn, or denied in another place.
    withdrawn: u64,
}

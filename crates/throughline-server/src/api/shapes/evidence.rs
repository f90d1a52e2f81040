//! Evidence and estimates.

use utoipa::ToSchema;

/// How an effect was identified, from association to randomisation.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Tier {
    Associational,
    Modelled,
    QuasiExperiment,
    Randomised,
}

/// How two arms are set against each other.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ContrastName {
    Absolute,
    Relative,
}

/// An estimate with its uncertainty.
#[derive(ToSchema)]
pub(crate) struct EstimateShape {
    value: f64,
    std_error: Option<f64>,
    /// A union of closed intervals, in order; a null end is infinite.
    set: Vec<(Option<f64>, Option<f64>)>,
    /// Level of the set.
    level: f64,
    p_value: f64,
    n: u64,
    inference: String,
    method: String,
    /// Absent where there are none.
    #[schema(required = false)]
    assumptions: Vec<String>,
}

/// The quantity an estimate is of.
#[derive(ToSchema)]
pub(crate) struct EstimandShape {
    metric: String,
    treatment: String,
    control: String,
    contrast: ContrastName,
}

/// For what it holds.
#[derive(ToSchema)]
pub(crate) struct ScopeShape {
    action: String,
    #[schema(required = false, nullable = false)]
    segment: Option<String>,
    #[schema(required = false, nullable = false)]
    geo: Option<String>,
    #[schema(format = DateTime)]
    period_start: String,
    #[schema(format = DateTime)]
    period_end: String,
}

/// How grave a finding is.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Gravity {
    Info,
    Warning,
    Error,
}

/// A finding.
#[derive(ToSchema)]
pub(crate) struct Finding {
    severity: Gravity,
    code: String,
    message: String,
    /// What to do about it.
    #[schema(required = false, nullable = false)]
    help: Option<String>,
    /// Where.
    #[schema(required = false, nullable = false)]
    location: Option<Place>,
}

/// A place in a file.
#[derive(ToSchema)]
pub(crate) struct Place {
    file: String,
    line: Option<u64>,
    column: Option<u64>,
}

/// Where evidence comes from.
#[derive(ToSchema)]
pub(crate) struct SourceShape {
    name: String,
    #[schema(required = false, nullable = false)]
    data: Option<String>,
}

/// What happened to evidence.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum NoteName {
    Approved,
    Retired,
    Used,
}

/// A note about evidence.
#[derive(ToSchema)]
pub(crate) struct NoteShape {
    kind: NoteName,
    by: String,
    #[schema(format = DateTime)]
    at: String,
    /// Why, or what for.
    text: String,
}

/// How evidence stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum StandingName {
    Retired,
    Expired,
    NotYet,
    Superseded,
    Suspect,
    Unapproved,
    Standing,
}

/// Evidence with what was noted about it.
#[derive(ToSchema)]
pub(crate) struct EvidenceEntry {
    record: EvidenceItem,
    #[schema(format = DateTime)]
    recorded_at: String,
    notes: Vec<NoteShape>,
    standing: StandingName,
}

/// One piece of evidence.
#[derive(ToSchema)]
pub(crate) struct EvidenceItem {
    id: String,
    /// Absent in records of before.
    #[schema(required = false, nullable = false)]
    source: Option<SourceShape>,
    estimand: EstimandShape,
    scope: ScopeShape,
    design: String,
    tier: Tier,
    health: String,
    estimate: EstimateShape,
    assumptions: Vec<String>,
    diagnostics: Vec<Finding>,
    /// From when it is no longer counted on; absent for never.
    #[schema(required = false, nullable = false, format = DateTime)]
    expires_at: Option<String>,
    /// What belongs to the method: paths, weights, placebos.
    #[schema(required = false)]
    details: serde_json::Value,
}

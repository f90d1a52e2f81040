//! Shapes of answers for the API's document: of what other crates hand over ready-made, which know nothing of the API.
//!
//! They are never built. A test holds every answer against the document, so that they cannot drift from what is sent.
#![expect(dead_code, reason = "read by the document's macros only")]

pub(crate) mod approval;
pub(crate) mod audit;
pub(crate) mod consent;
pub(crate) mod evidence;
pub(crate) mod matches;
pub(crate) mod sources;
pub(crate) mod thread;

use utoipa::ToSchema;

/// What somebody may do.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum RoleName {
    Viewer,
    Analyst,
    Marketer,
    Approver,
    Admin,
}

/// What somebody signs for.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum SignOffName {
    Growth,
    Finance,
    Legal,
    Operations,
}

/// What a token is good for, within its owner's rights.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum ScopeName {
    Read,
    Run,
    Approve,
    Admin,
}

/// A stage of the line.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum StageName {
    Ingest,
    Link,
    Journeys,
    Attribute,
    Prove,
    Features,
    Model,
    Decide,
    Activate,
    Observe,
}

/// How a stage stands; `never` without any result.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum StageStand {
    Never,
    Waiting,
    Running,
    Done,
    Failed,
}

/// What holds deliveries back, or let them go.
#[derive(ToSchema)]
pub(crate) struct GateItem {
    /// `open`, `agreed`, `waiting`, `frozen`, or how the request about it ended.
    state: String,
    /// The request that people agree to.
    #[schema(required = false, nullable = false)]
    approval: Option<String>,
    /// The freeze.
    #[schema(required = false, nullable = false, value_type = Option<Object>)]
    freeze: Option<()>,
}

/// How a stage of a run at work stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum StageAtWork {
    Waiting,
    Running,
    Done,
    Failed,
}

/// How a run at work, or the last one of this server, stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum RunAtWork {
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

/// How a run ended; `abandoned` when its process ended first and another run followed.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum RunStand {
    Running,
    Succeeded,
    Failed,
    Cancelled,
    Abandoned,
}

/// A way to sign in.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum SignInMethod {
    Password,
    Oidc,
}

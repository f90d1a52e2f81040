//! The audit log.

use serde::Serialize;
use utoipa::ToSchema;

/// What is amiss in a log.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum AuditFaultKind {
    Gap,
    Altered,
    Unchained,
    Tree,
    Head,
    Ending,
}

/// Something amiss in a log; which numbers there are depends on what it is.
#[derive(ToSchema)]
pub(crate) struct AuditFaultItem {
    fault: AuditFaultKind,
    /// The record that was altered, or does not follow on the one before.
    #[schema(required = false, nullable = false)]
    seq: Option<u64>,
    /// The number expected (a gap, the ending).
    #[schema(required = false, nullable = false)]
    expected: Option<u64>,
    /// The number found (a gap, the ending).
    #[schema(required = false, nullable = false)]
    found: Option<u64>,
    /// The size of the signed head that does not fit.
    #[schema(required = false, nullable = false)]
    size: Option<u64>,
}

/// That a record stands in the log of a head (RFC 6962). Hashes are hexadecimal.
#[derive(Serialize, ToSchema)]
pub(crate) struct Inclusion {
    seq: u64,
    size: u64,
    leaf: String,
    root: String,
    /// The audit path, lowest first.
    path: Vec<String>,
}

/// That an earlier log is the beginning of a later one (RFC 6962). Hashes are hexadecimal.
#[derive(Serialize, ToSchema)]
pub(crate) struct Consistency {
    first: u64,
    first_root: String,
    second: u64,
    second_root: String,
    path: Vec<String>,
}

/// Which proof depends on what was asked for.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum AuditProof {
    Inclusion(Inclusion),
    Consistency(Consistency),
}

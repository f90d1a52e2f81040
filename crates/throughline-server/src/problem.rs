//! Errors as they leave the server: problem documents (RFC 9457) with a stable code. The inside stays in the log.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use throughline_govern::{ApprovalError, GovernError};
use throughline_ledger::LedgerError;
use throughline_run::RunError;
use utoipa::ToSchema;

use crate::diagnostics as codes;
use crate::http::request_id;

/// A problem document.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// A page about this kind of problem.
    #[serde(rename = "type")]
    pub kind: String,
    /// What kind of problem, in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// The request, to be found in the log.
    pub request_id: String,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// Nobody is signed in.
    #[error("sign in first")]
    SignedOut,
    /// The credentials are wrong. Which part of them is not said.
    #[error("the name, password or token is not right")]
    WrongCredentials,
    /// The caller may not do this.
    #[error("{why}")]
    Forbidden {
        /// Why not.
        why: String,
    },
    /// A request from a browser lacks the token that only our own pages know.
    #[error("the request does not come from this studio: {why}")]
    ForeignRequest {
        /// What was missing.
        why: &'static str,
    },
    /// There is no such thing.
    #[error("there is no {what}")]
    NotFound {
        /// Which thing.
        what: String,
    },
    /// The state of things does not allow it.
    #[error("{why}")]
    Conflict {
        /// Why not.
        why: String,
    },
    /// The request is not valid.
    #[error("{why}")]
    Invalid {
        /// Why.
        why: String,
    },
    /// Too many requests.
    #[error("too many requests; try again in {seconds} s")]
    TooMany {
        /// When to try again.
        seconds: u64,
    },
    /// The body is too large.
    #[error("the body exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The request took too long.
    #[error("the request took longer than {seconds} s")]
    TooSlow {
        /// The limit.
        seconds: u64,
    },
    /// Something inside failed; the log has the details.
    #[error("something inside failed; the log has the details under the request's id")]
    Inside(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl ApiError {
    /// A failure inside.
    pub fn inside(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Inside(error.into())
    }

    /// There is no such thing.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// The request is not valid.
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::Invalid { why: why.into() }
    }

    fn parts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::SignedOut => (StatusCode::UNAUTHORIZED, codes::SIGNED_OUT, "Not signed in"),
            Self::WrongCredentials => (StatusCode::UNAUTHORIZED, codes::WRONG_CREDENTIALS, "Sign-in failed"),
            Self::Forbidden { .. } => (StatusCode::FORBIDDEN, codes::FORBIDDEN, "Not allowed"),
            Self::ForeignRequest { .. } => (StatusCode::FORBIDDEN, codes::FOREIGN_REQUEST, "Foreign request"),
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, codes::NOT_FOUND, "Not found"),
            Self::Conflict { .. } => (StatusCode::CONFLICT, codes::CONFLICT, "Conflict"),
            Self::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, codes::INVALID, "Not valid"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, codes::TOO_MANY, "Too many requests"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, codes::TOO_LARGE, "Body too large"),
            Self::TooSlow { .. } => (StatusCode::REQUEST_TIMEOUT, codes::TOO_SLOW, "Request too slow"),
            Self::Inside(_) => (StatusCode::INTERNAL_SERVER_ERROR, codes::INSIDE, "Internal error"),
        }
    }

    /// The document of this error.
    pub fn problem(&self) -> Problem {
        let (status, code, title) = self.parts();
        Problem {
            kind: format!("https://docs.throughline.example/diagnostics#{}", code.to_lowercase()),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.to_string(),
            code: code.to_owned(),
            request_id: request_id::current(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = self.problem();
        if let Self::Inside(source) = &self {
            tracing::error!(request_id = %problem.request_id, error = %chain(source.as_ref()), "request failed inside");
        }
        let (status, ..) = self.parts();
        let mut response = (status, Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Self::TooMany { seconds } = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// An error and its causes in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Conflict { .. } => Self::Conflict { why: error.to_string() },
            LedgerError::NulCharacter { .. } => Self::Invalid { why: error.to_string() },
            LedgerError::Unknown { what, key } => Self::not_found(format!("{what} `{key}`")),
            other => Self::inside(other),
        }
    }
}

impl From<RunError> for ApiError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::NotFound { what, name, .. } => Self::not_found(format!("{what} `{name}`")),
            RunError::Busy { .. } | RunError::Evidence { .. } => Self::Conflict { why: error.to_string() },
            RunError::UnknownStage { .. } => Self::Invalid { why: error.to_string() },
            other => Self::inside(other),
        }
    }
}

impl From<GovernError> for ApiError {
    fn from(error: GovernError) -> Self {
        Self::inside(error)
    }
}

impl From<ApprovalError> for ApiError {
    fn from(error: ApprovalError) -> Self {
        let why = error.to_string();
        match error {
            ApprovalError::ReasonMissing
            | ApprovalError::TextMissing { .. }
            | ApprovalError::TextTooLong { .. }
            | ApprovalError::ControlCharacter { .. } => Self::Invalid { why },
            ApprovalError::OwnRequest { .. }
            | ApprovalError::NotEntitled { .. }
            | ApprovalError::NotASignOff { .. }
            | ApprovalError::NotRequester { .. } => Self::Forbidden { why },
            _ => Self::Conflict { why },
        }
    }
}

macro_rules! inside {
    ($($error:ty),*) => { $(impl From<$error> for ApiError {
        fn from(error: $error) -> Self {
            Self::inside(error)
        }
    })* };
}

inside!(throughline_lake::LakeError, throughline_vault::VaultError, serde_json::Error, tokio::task::JoinError);

//! The one gate: every route is an operation of the OpenAPI document, and every operation needs a rule that allows it.

use std::collections::{BTreeSet, HashMap};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;
use throughline_govern::{PUBLIC, Resource};
use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation, PathItem};

use super::authenticate::{Identity, Via};
use super::session::csrf_token;
use crate::app::Shared;
use crate::problem::ApiError;

/// The header of the token against forged requests.
const CSRF_HEADER: &str = "x-csrf-token";

/// Operations about one approval or one account: their handlers ask with it at hand.
pub(crate) const BY_RESOURCE: [&str; 6] =
    ["voteApproval", "withdrawApproval", "revokeToken", "listTokens", "createToken", "changeOwnPassword"];

/// Which operation a route is.
#[derive(Debug, Default)]
pub(crate) struct Operations(HashMap<(Method, String), String>);

impl Operations {
    /// Reads the operations of a document.
    pub(crate) fn of(document: &OpenApi) -> Self {
        let mut known = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in methods(item) {
                if let Some(id) = &operation.operation_id {
                    known.insert((method, path.clone()), id.clone());
                }
            }
        }
        Self(known)
    }

    /// The operation of a route.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&str> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        self.0.get(&(method.clone(), path.to_owned())).map(String::as_str)
    }

    /// Every operation.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.0.values().map(String::as_str).collect()
    }
}

fn methods(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::POST, &item.post),
        (Method::PUT, &item.put),
        (Method::PATCH, &item.patch),
        (Method::DELETE, &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_ref().map(|o| (method, o)))
}

/// Lets a request through that its caller may make. A route without an operation, and an operation without a rule, let
/// nobody through.
pub(crate) async fn authorise(State(app): State<Shared>, request: Request, next: Next) -> Response {
    match check(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check(app: &Shared, request: &Request) -> Result<(), ApiError> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(operation) = app.operations.find(request.method(), path) else {
        return Err(ApiError::Forbidden { why: "no rule covers this route".to_owned() });
    };
    let is_unsafe = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if is_unsafe {
        same_origin(request.headers(), &app.settings.origins())?;
    }
    if PUBLIC.contains(&operation) {
        return Ok(());
    }
    let identity = request.extensions().get::<Identity>().ok_or(ApiError::SignedOut)?;
    if is_unsafe && let Via::Session(cookie) = &identity.via {
        let given = request.headers().get(CSRF_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        if !bool::from(given.ct_eq(csrf_token(cookie).as_bytes())) {
            return Err(ApiError::ForeignRequest { why: "the token against forged requests is missing or wrong" });
        }
    }
    if BY_RESOURCE.contains(&operation) {
        return Ok(());
    }
    identity.require(app, operation, &Resource::Project)
}

/// Refuses unsafe requests that a browser says come from another site. Programs send neither header.
fn same_origin(headers: &HeaderMap, ours: &[String]) -> Result<(), ApiError> {
    let foreign = Err(ApiError::ForeignRequest { why: "it comes from another site" });
    if let Some(site) = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok())
        && !matches!(site, "same-origin" | "none")
    {
        return foreign;
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    // Not compared with the host of the request: a name that another site points here would pass.
    if ours.iter().any(|o| o.as_bytes() == origin.as_bytes()) { Ok(()) } else { foreign }
}

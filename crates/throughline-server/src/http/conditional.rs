//! Conditional requests: answers carry an entity tag, and what the caller already has is not sent again (RFC 9110, §13).

use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest, Sha256};

use crate::problem::ApiError;

/// Larger answers are streamed without a tag.
const LIMIT: usize = 4 << 20;

/// Tags successful JSON answers to GET with a strong entity tag of their content, and answers 304 where it matches.
pub(crate) async fn tag(request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let wanted = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    if !is_get || response.status() != StatusCode::OK || !is_json(response.headers()) {
        return response;
    }
    let small = response.body().size_hint().upper().is_some_and(|n| n <= LIMIT as u64);
    if !small || response.headers().contains_key(header::ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let bytes = match to_bytes(body, LIMIT).await {
        Ok(bytes) => bytes,
        Err(error) => return ApiError::inside(error).into_response(),
    };
    let tag = format!("\"{}\"", &hex::encode(Sha256::digest(&bytes))[..32]);
    if let Ok(value) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, value);
        parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    if wanted.is_some_and(|w| matches(&w, &tag)) {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|v| v.as_bytes().starts_with(b"application/json"))
}

/// Weak comparison with any tag of the header, or `*`.
fn matches(wanted: &HeaderValue, tag: &str) -> bool {
    let Ok(wanted) = wanted.to_str() else { return false };
    wanted.split(',').map(str::trim).any(|w| w == "*" || w.strip_prefix("W/").unwrap_or(w) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_match_weakly_and_in_lists() {
        let check = |wanted: &'static str| matches(&HeaderValue::from_static(wanted), "\"ab\"");
        assert!(check("\"ab\"") && check("W/\"ab\"") && check("\"x\", \"ab\"") && check("*"));
        assert!(!check("\"abc\"") && !check("ab") && !check(""));
    }
}

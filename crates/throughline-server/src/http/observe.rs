//! What is measured and logged about requests: counts and durations by operation, one line each, a span for traces. Paths
//! are logged as templates and without queries, so that no id and no secret of a request reaches the log.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

/// Measures, logs and traces a request.
pub(crate) async fn record(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    let id = super::request_id::current();
    let span = tracing::info_span!("request", otel.name = %format!("{method} {path}"), otel.kind = "server",
        http.request.method = %method, http.route = %path, request_id = %id,
        http.response.status_code = tracing::field::Empty);
    let begun = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, seconds) = (response.status().as_u16(), begun.elapsed().as_secs_f64());
    span.record("http.response.status_code", status);
    let labels = [("method", method.to_string()), ("route", path.clone()), ("status", status.to_string())];
    metrics::counter!("throughline_http_requests_total", &labels).increment(1);
    metrics::histogram!("throughline_http_request_seconds", "route" => path.clone()).record(seconds);
    span.in_scope(|| tracing::info!(%method, route = %path, status, milliseconds = seconds * 1e3, "request"));
    response
}

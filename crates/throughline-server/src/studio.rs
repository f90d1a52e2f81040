//! The studio's pages, built into the binary. Without a build of them, a page that says so.

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use crate::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../../studio/dist"]
#[allow_missing = true]
struct Assets;

const STUB: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Throughline</title>\
    <body><h1>Throughline</h1><p>This binary was built without the studio. Build it with \
    <code>make studio</code> and compile again. \
    The API answers under <code>/api/v1</code>.</p></body></html>";

/// A file of the studio; its page for every address that is not a file.
pub(crate) async fn serve(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::not_found("page here that takes this method").into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("api/") {
        return ApiError::not_found(format!("route `/{path}`")).into_response();
    }
    if let Some(file) = Assets::get(path).filter(|_| !path.is_empty()) {
        return answer(&file, path);
    }
    // A missing file is missing: the page in its place would be taken for it and cached.
    if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return ApiError::not_found(format!("file `/{path}`")).into_response();
    }
    match Assets::get("index.html") {
        Some(page) => answer(&page, "index.html"),
        None => (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], STUB).into_response(),
    }
}

fn answer(file: &rust_embed::EmbeddedFile, path: &str) -> Response {
    // Names of built assets carry a hash of their content.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let mut response = file.data.clone().into_owned().into_response();
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::from_str(file.metadata.mimetype()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

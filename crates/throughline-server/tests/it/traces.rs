//! Traces reach a collector, over OTLP/HTTP.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::routing::post;

use crate::Outcome;
use crate::house::House;

type Received = Arc<Mutex<Vec<u8>>>;

async fn collect(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> &'static str {
    assert_eq!(
        headers.get("content-type").map(axum::http::HeaderValue::as_bytes),
        Some(&b"application/x-protobuf"[..])
    );
    received.lock().expect("received").extend_from_slice(&body);
    ""
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_become_spans() -> Outcome {
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}/v1/traces", listener.local_addr()?);
    let router = Router::new().route("/v1/traces", post(collect)).with_state(Arc::clone(&received));
    tokio::spawn(async move { drop(axum::serve(listener, router).await) });
    let telemetry = tokio::task::spawn_blocking(move || {
        throughline_server::begin_telemetry(true, "warn,throughline_server=info", Some(&endpoint))
    })
    .await??;
    let house = House::open().await?;
    let admin = house.admin().await?;
    let answer = admin.get("/api/v1/line?secret=hunter2").await?;
    assert_eq!(answer.status, 200);
    tokio::task::spawn_blocking(move || drop(telemetry)).await?;
    let bytes = received.lock().expect("received").clone();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("GET /api/v1/line") && text.contains(answer.header("x-request-id")), "{} bytes", bytes.len());
    assert!(!text.contains("hunter2"), "queries stay out of traces");
    Ok(())
}

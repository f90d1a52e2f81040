//! What a hostile client tries.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Outcome;
use crate::house::House;

/// What the server says to raw bytes.
async fn raw(house: &House, bytes: &[u8]) -> Result<String, Box<dyn std::error::Error>> {
    let mut stream = TcpStream::connect(house.app.settings.address).await?;
    stream.write_all(bytes).await?;
    let mut answer = Vec::new();
    drop(tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await);
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_lead_nowhere_but_to_what_is_served() -> Outcome {
    let house = House::open().await?;
    let secret = std::fs::read_to_string(house.dir.path().join(".throughline/vault/vault.key"))?;
    let paths = [
        "/../../etc/passwd",
        "/assets/../../../.throughline/vault/vault.key",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fthroughline.yaml",
        "/assets/%00.js",
        "/.throughline/vault/vault.key",
        "/api/v1/runs/1%2f..%2f..%2f..%2fvault%2fvault.key/report.html",
        "//etc/passwd",
    ];
    for path in paths {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        let answer = raw(&house, request.as_bytes()).await?;
        assert!(!answer.contains("root:") && !answer.contains(secret.trim()), "{path}: {answer}");
        assert!(answer.starts_with("HTTP/1.1 4") || answer.contains("text/html"), "{path}: {answer}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_a_limit_announced_or_not() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let large = admin.post("/api/v1/freeze", json!({ "reason": "x".repeat(2 << 20) })).await?;
    assert_eq!((large.status, large.json()?["code"].clone()), (413, json!("TL928")));
    // Chunks announce nothing.
    let token = admin.headers[0].1.clone();
    let mut request = format!(
        "POST /api/v1/freeze HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    )
    .into_bytes();
    for _ in 0..40 {
        request.extend_from_slice(b"10000\r\n");
        request.extend_from_slice(&vec![b'x'; 0x10000]);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    let answer = raw(&house, &request).await.unwrap_or_default();
    assert!(!answer.contains(" 200 ") && !answer.contains(" 500 "), "{answer}");
    assert!(house.app.ledger().switch("frozen").await?.is_none());
    let long = format!("GET /?{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20));
    let answer = raw(&house, long.as_bytes()).await.unwrap_or_default();
    assert!(!answer.contains(" 200 "), "a request line of 1 MiB");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_is_dropped_and_others_are_answered_meanwhile() -> Outcome {
    let house = House::open().await?;
    let begun = Instant::now();
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(house.app.settings.address).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ").await?;
        slow.push(stream);
    }
    assert_eq!(house.nobody().get("/healthz").await?.body, "ok");
    assert!(begun.elapsed() < Duration::from_secs(5), "answered beside 50 slow clients");
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(20), slow[0].read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the head of a request may take 10 s");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted() -> Outcome {
    let house = House::open().await?;
    let http = reqwest::Client::new();
    let mut refused = None;
    for _ in 0..700 {
        let response = http.get(format!("{}/healthz", house.url)).send().await?;
        if response.status() == 429 {
            refused = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).map(str::to_owned);
            break;
        }
    }
    assert_eq!(refused.as_deref(), Some("1"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_guarded_and_errors_say_nothing_of_the_inside() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    for path in ["/", "/healthz", "/api/v1/line", "/api/v1/nothing", "/api/v1/approvals/x"] {
        let answer = admin.get(path).await?;
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.header("x-request-id").is_empty(), "{path}");
        assert!(!answer.body.contains(&house.dir.path().display().to_string()), "{path}: {}", answer.body);
    }
    let problem = admin.get("/api/v1/approvals/x").await?;
    assert_eq!(problem.header("content-type"), "application/problem+json");
    let body = problem.json()?;
    assert_eq!((&body["status"], &body["code"]), (&json!(404), &json!("TL924")));
    assert_eq!(body["request_id"], json!(problem.header("x-request-id")));
    let forged = admin.and("x-request-id", "a\u{1b}[31m evil").get("/healthz").await;
    assert!(forged.is_err() || forged.is_ok_and(|a| !a.header("x-request-id").contains("evil")));
    for (body, what) in [
        ("{", "broken JSON"),
        ("[]", "another shape"),
        ("{\"reason\": 1}", "another type"),
        ("{\"reason\":\"x\",\"y\":1}", "an unknown field"),
    ] {
        let http = reqwest::Client::new();
        let request = http.post(format!("{}/api/v1/freeze", house.url)).header("content-type", "application/json");
        let response = request.header("authorization", &admin.headers[0].1).body(body).send().await?;
        assert_eq!(response.status(), 422, "{what}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_never_reaches_the_metrics_or_the_audit_log() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let token = admin.headers[0].1.replace("Bearer ", "");
    let secret = token.rsplit('_').next().unwrap_or_default();
    admin.get(&format!("/api/v1/line?token={token}")).await?;
    let metrics = admin.get("/metrics").await?.body;
    let audit = admin.get("/api/v1/audit?limit=500").await?.body;
    let export = admin.get("/api/v1/audit/export").await?.body;
    for text in [metrics, audit, export] {
        assert!(!text.is_empty() && !text.contains(secret));
    }
    Ok(())
}

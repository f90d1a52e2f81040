//! Every route × role, from the OpenAPI document: who gets in and who does not.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::Outcome;
use crate::house::{Client, House};

/// What was seen for each operation, by role: `x` let in, `·` refused (403), `?` not signed in (401).
const EXPECT: &str = include_str!("matrix.txt");

/// A body that an operation reads.
fn body(operation: &str) -> Option<Value> {
    match operation {
        "createSession" => Some(json!({ "token": "tlk_0_0" })),
        "changeOwnPassword" => Some(json!({ "new": "a new password" })),
        "startRun" | "changeUser" => Some(json!({})),
        "freeze" | "unfreeze" | "withdrawApproval" | "revealIdentifiers" => Some(json!({ "reason": "the matrix" })),
        "drawMatches" => Some(json!({ "size": 0 })),
        "openMatch" => Some(json!({ "token": "a", "other_token": "b" })),
        "approveEvidence" | "retireEvidence" => Some(json!({ "id": "none", "reason": "the matrix" })),
        "decideMatch" => Some(json!({ "token": "a", "other_token": "b", "same": true })),
        "requestApproval" => Some(json!({ "title": "t", "reason": "r" })),
        "voteApproval" => Some(json!({ "vote": "approve", "revision": 1 })),
        "commentApproval" => Some(json!({ "text": "hello" })),
        "createUser" => Some(json!({ "name": "not a name!", "roles": [] })),
        "createToken" => Some(json!({ "label": "", "scopes": [], "expires_in_days": 1 })),
        _ => None,
    }
}

/// A path with the ids of things that exist, or of none.
fn path(template: &str, ids: &BTreeMap<&str, String>) -> String {
    let mut path = template.to_owned();
    for (name, id) in ids {
        path = path.replace(name, id);
    }
    path
}

async fn ask(client: &Client, method: &str, path: &str, operation: &str) -> Result<char, Box<dyn std::error::Error>> {
    if operation == "streamEvents" {
        // Its answer does not end; its head is enough.
        let http = reqwest::Client::new();
        let mut request = http.get(format!("{}{path}", client.url));
        for (name, value) in &client.headers {
            request = request.header(name, value);
        }
        return Ok(mark(request.send().await?.status().as_u16()));
    }
    let answer = client.send(method, path, body(operation)).await?;
    Ok(mark(answer.status))
}

fn mark(status: u16) -> char {
    match status {
        401 => '?',
        403 => '·',
        _ => 'x',
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_it_should() -> Outcome {
    let house = House::open().await?;
    let admin = house.admin().await?;
    let mut callers = vec![("nobody", house.nobody())];
    for role in ["viewer", "analyst", "marketer", "approver"] {
        callers.push((role, house.user(&admin, role, &[role], &[]).await?));
    }
    let asker = house.user(&admin, "asker", &["marketer"], &[]).await?;
    callers.push(("admin", admin.clone()));
    let document = throughline_server::openapi();
    let mut seen: BTreeMap<String, Vec<char>> = BTreeMap::new();
    for (template, methods) in document["paths"].as_object().ok_or("no paths")? {
        for (method, operation) in methods.as_object().ok_or("no methods")? {
            let name = operation["operationId"].as_str().ok_or("an operation without an id")?;
            for (_, client) in &callers {
                // A fresh one for each, because votes and revocations use it up.
                let made = if template.contains("/approvals/") {
                    asker.post("/api/v1/approvals", json!({ "title": "t", "reason": "r" })).await?.json()?
                } else if template.contains("/tokens/") {
                    let token = json!({ "label": "l", "scopes": ["read"], "expires_in_days": 1 });
                    asker.post("/api/v1/tokens", token).await?.json()?
                } else {
                    json!({ "id": "0".repeat(32) })
                };
                let of = made["id"].as_str().ok_or("no id")?.to_owned();
                let ids = BTreeMap::from([
                    ("{id}", of),
                    ("{run_seq}", "9".into()),
                    ("{seq}", "1".into()),
                    ("{entity_id}", "0".repeat(32)),
                    ("{provider}", "p".into()),
                ]);
                let mark = ask(client, &method.to_uppercase(), &path(template, &ids), name).await?;
                seen.entry(name.to_owned()).or_default().push(mark);
                // Limits count requests; the matrix is not about them.
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
        }
    }
    let mut text = format!(
        "{:<22}{}\n",
        "operation",
        callers.iter().map(|(w, _)| format!("{w:<10}")).collect::<Vec<_>>().concat().trim_end()
    );
    for (name, marks) in &seen {
        let marks = marks.iter().map(|m| format!("{m:<10}")).collect::<Vec<_>>().concat();
        text.push_str(&format!("{name:<22}{}\n", marks.trim_end()));
    }
    assert_eq!(text, EXPECT, "\n{text}");
    Ok(())
}

//! A small project with every stage of the line, and a walk through all operations of the API over it.

use serde_json::{Value, json};
use throughline_server::ServerConfig;

use crate::Outcome;
use crate::contract;
use crate::house::{Client, House};

const FILES: [(&str, &str); 7] = [
    (
        "sources/shop.yaml",
        "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/events.csv
consent: \"'measurement=granted;linking=granted;messaging=granted'\"
emits:
  - id: id
    kind: kind
    name: name
    occurred_at: at
    subjects: { email: email }
    channel: channel
    value: to_float(value)
    currency: \"'EUR'\"
    properties: { arm: arm }
",
    ),
    (
        "sources/club.yaml",
        "apiVersion: throughline/v1
kind: Source
name: club
connector: csv
location: data/club.csv
consent: \"'linking=granted'\"
emits:
  - id: number
    kind: \"'signup'\"
    occurred_at: \"'2026-02-01T00:00:00Z'\"
    subjects: { loyalty: number }
    profile: { first: first, last: last, born: born, street: street }
",
    ),
    (
        "experiments/mail.yaml",
        "apiVersion: throughline/v1
kind: Experiment
name: mail
assignment: { event_name: mail, arm: \"properties['arm']\" }
arms: { none: 1, mail: 1 }
control: none
window_days: 10
metrics:
  - { name: purchase, type: proportion, agg: any, where: \"kind = 'purchase'\" }
  - { name: spend, type: mean, agg: sum, value: value, where: \"kind = 'purchase'\" }
",
    ),
    (
        "features/clicks.yaml",
        "apiVersion: throughline/v1
kind: Features
features:
  - { name: clicks, agg: count, where: \"kind = 'click'\", window_days: 30 }
  - { name: days_since_purchase, agg: recency, where: \"kind = 'purchase'\" }
",
    ),
    (
        "policies/mail.yaml",
        "apiVersion: throughline/v1
kind: Policy
name: mail
model:
  name: two_model
  experiment: mail
  outcome: spend
  train_share: 0.5
  params: { learner_params: { rounds: 5, max_depth: 2, min_child_weight: 5 } }
actions:
  - { name: none, kind: none }
  - { name: mail, kind: send, arm: mail, cost_micros: 20000, channel: email, consent: [messaging] }
margin: 0.5
outcome_is_money: true
constraints:
  budget_micros: 4000000
  holdout: 0.1
  exploration: 0.1
",
    ),
    (
        "destinations/mailing.yaml",
        "apiVersion: throughline/v1
kind: Destination
name: mailing
adapter: file
options: { format: csv, path: out/mailing }
purpose: messaging
identifier: email
filter: \"action <> 'none'\"
fields: { email: identifier, template: action }
",
    ),
    (
        "approvals/rights.yaml",
        "apiVersion: throughline/v1
kind: Approval
name: administrators
what: role
when: grants_admin
quorum: 1
roles: [admin]
expires_after_hours: 24
reason: whoever has this role has all of them
",
    ),
];

/// 400 people, every second one drawn into the mail; mails sell.
fn events() -> String {
    let mut rows = String::from("id,kind,name,at,channel,value,email,arm\n");
    for i in 0..400_u32 {
        let (arm, channel) = (["none", "mail"][i as usize % 2], ["search", "social", "email"][i as usize % 3]);
        let day = 1 + i % 9;
        let mut row = |id: char, kind: &str, name: &str, at: String, channel: &str, value: String, arm: &str| {
            rows.push_str(&format!("{id}{i},{kind},{name},{at},{channel},{value},p{i}@example.com,{arm}\n"));
        };
        row('c', "click", "", format!("2026-02-{day:02}T10:00:00Z"), channel, String::new(), "");
        row('a', "assignment", "mail", "2026-02-10T00:00:00Z".into(), "", String::new(), arm);
        if i % 8 < 2 || (arm == "mail" && i % 3 == 0) {
            row('o', "purchase", "", format!("2026-02-{}T12:00:00Z", 11 + i % 7), "", format!("{}.5", 10 + i % 40), "");
        }
    }
    rows
}

/// 60 members of a club, each twice, some mistyped.
fn club() -> String {
    let mut rows = String::from("number,first,last,born,street\n");
    for i in 0..60_usize {
        let first = ["ann", "bob", "clara", "david", "emma", "felix", "greta"][i % 7];
        let last = ["abbotson", "brennerley", "carlsenman", "dorfmanton", "ekbergwell"][i / 7 % 5];
        let (year, day, house) = (1940 + i * 37 % 60, 1 + i * 11 % 28, 1 + i * 53 % 97);
        let mistyped = if i % 3 == 0 { last.replace("er", "re") } else { last.to_owned() };
        rows.push_str(&format!("a{i},{first},{last},{year}-05-{day:02},{house} mill lane\n"));
        rows.push_str(&format!("b{i},{first},{mistyped},{year}-05-{day:02},{house} mill lane\n"));
    }
    rows
}

async fn open() -> Result<House, Box<dyn std::error::Error>> {
    let (rows, club) = (events(), club());
    let data = [("data/events.csv", rows.as_str()), ("data/club.csv", club.as_str())];
    let files: Vec<(&str, &str)> = FILES.into_iter().chain(data).collect();
    House::with(ServerConfig::default(), &files).await
}

/// Sends and wants this status.
async fn sent(
    client: &Client,
    method: &str,
    path: &str,
    body: Option<Value>,
    status: u16,
) -> Result<Value, Box<dyn std::error::Error>> {
    let answer = client.send(method, &format!("/api/v1{path}"), body).await?;
    assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
    Ok(answer.json().unwrap_or_default())
}

async fn got(client: &Client, path: &str) -> Result<Value, Box<dyn std::error::Error>> {
    sent(client, "GET", path, None, 200).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_answers_as_the_document_says() -> Outcome {
    let house = open().await?;
    let admin = house.admin().await?;
    let viewer = house.user(&admin, "vera", &["viewer"], &[]).await?;
    for path in ["/attribution", "/runs/current", "/decisions/00000000000000000000000000000000"] {
        sent(&admin, "GET", path, None, 404).await?;
    }
    assert_eq!(house.run(&admin).await?["status"], "succeeded");
    reading(&admin, &viewer).await?;
    matching(&admin, &viewer).await?;
    proving(&admin, &viewer).await?;
    agreeing(&house, &admin).await?;
    accounts(&house, &admin).await?;
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(admin.get(path).await?.status, 200);
    }
    let missed = unseen();
    // The provider's part is tested with a provider, and a stream does not end.
    assert_eq!(missed, ["finishOidc", "startOidc", "streamEvents"], "operations that were not answered well");
    Ok(())
}

/// Operations with no success among what was answered.
fn unseen() -> Vec<String> {
    let seen = contract::seen();
    let paths = throughline_server::openapi()["paths"].as_object().into_iter().flatten();
    let names = paths.flat_map(|(_, ms)| ms.as_object().into_iter().flatten()).map(|(_, o)| text(&o["operationId"]));
    let mut missed: Vec<String> = names.filter(|n| !seen.iter().any(|(s, status)| s == n && *status < 400)).collect();
    missed.sort();
    missed
}

async fn reading(admin: &Client, viewer: &Client) -> Outcome {
    for path in [
        "/sign-in",
        "/session",
        "/line",
        "/runs",
        "/runs/current",
        "/runs/1",
        "/attribution",
        "/attribution/cells?dimension=campaign&conversion=purchase",
        "/attribution/bridges",
        "/paths?conversion=purchase",
        "/consent",
        "/sources",
        "/configuration",
        "/openapi.json",
    ] {
        got(admin, path).await?;
    }
    got(admin, "/runs/1/report.html").await?;
    assert!(!got(admin, "/attribution").await?["evidence"].as_array().is_none_or(Vec::is_empty), "evidence was seen");
    let conversion = text(&got(admin, "/conversions").await?["items"][0]["id"]);
    let decisions = got(admin, "/decisions?limit=500").await?;
    let decided = |action: &str| {
        let items = decisions["items"].as_array().into_iter().flatten();
        items.filter(|d| d["action"] == action).map(|d| text(&d["entity_id"])).next()
    };
    for client in [admin, viewer] {
        got(client, &format!("/conversions/{conversion}")).await?;
        for entity in [decided("mail"), decided("none")] {
            let entity = entity.ok_or("nobody was decided for")?;
            let thread = got(client, &format!("/decisions/{entity}")).await?;
            assert!(thread["policy"].is_object() && thread["model"].is_object(), "{thread}");
            got(client, &format!("/persons/{entity}")).await?;
        }
    }
    let mailed = decided("mail").ok_or("nobody was mailed")?;
    let thread = got(admin, &format!("/decisions/{mailed}")).await?;
    let part = |name: &str| thread[name].as_array().map_or(0, Vec::len);
    assert!(part("deliveries") == 1 && part("scores") > 0 && part("evidence") > 0, "{thread}");
    sent(admin, "POST", &format!("/persons/{mailed}/identifiers"), Some(json!({ "reason": "asked" })), 200).await?;
    sent(viewer, "POST", &format!("/persons/{mailed}/identifiers"), Some(json!({ "reason": "asked" })), 403).await?;
    let newest = got(admin, "/audit").await?["items"][0].clone();
    assert_eq!(got(admin, &format!("/audit/{}", newest["seq"])).await?, newest);
    for seq in ["0", "99999"] {
        sent(admin, "GET", &format!("/audit/{seq}"), None, 404).await?;
    }
    let size = got(admin, "/audit/head").await?["size"].clone();
    got(admin, &format!("/audit/proof?seq=1&size={size}")).await?;
    got(admin, &format!("/audit/proof?first=1&size={size}")).await?;
    sent(admin, "POST", "/audit/verification", None, 200).await?;
    assert_eq!(admin.get("/api/v1/audit/export").await?.status, 200);
    Ok(())
}

async fn matching(admin: &Client, viewer: &Client) -> Outcome {
    let before = got(viewer, "/matches").await?;
    assert!(before["draw"].is_null() && before["total"] == 0, "{before}");
    assert!(got(viewer, "/matches/accuracy").await?["precision"].is_null());
    sent(viewer, "POST", "/matches/draws", Some(json!({ "size": 20 })), 403).await?;
    sent(admin, "POST", "/matches/draws", Some(json!({ "size": 0 })), 422).await?;
    sent(admin, "POST", "/matches/draws", Some(json!({ "size": 20 })), 201).await?;
    let queue = got(viewer, "/matches?outcome=queue&limit=200").await?;
    let items = queue["items"].as_array().ok_or("no queue")?.clone();
    assert!(!items.is_empty() && queue["total"] == queue["draw"]["pairs"], "{queue}");
    assert!(items.iter().all(|item| item["said"].is_null() && item["inclusion"].is_number()), "{queue}");
    assert!(items.iter().any(|item| item["weights"]["last"].is_number()), "{queue}");
    let pair = json!({ "token": items[0]["token"], "other_token": items[0]["other_token"] });
    sent(viewer, "POST", "/matches/records", Some(pair.clone()), 403).await?;
    let opened = sent(admin, "POST", "/matches/records", Some(pair), 200).await?;
    assert!(text(&opened["said"][0]["street"]).ends_with("mill lane"), "{opened}");
    assert_eq!(got(admin, "/audit").await?["items"][0]["kind"], "vault_opened");
    let nobody = json!({ "token": "0".repeat(32), "other_token": "1".repeat(32) });
    sent(admin, "POST", "/matches/records", Some(nobody), 404).await?;
    for (item, same) in items.iter().zip([true, false]) {
        let body =
            json!({ "token": item["token"], "other_token": item["other_token"], "same": same, "reason": "seen" });
        sent(viewer, "POST", "/matches/decisions", Some(body.clone()), 403).await?;
        sent(admin, "POST", "/matches/decisions", Some(body), 204).await?;
    }
    assert_eq!(got(viewer, "/matches").await?["total"].as_u64(), Some(items.len() as u64 - 2));
    assert_eq!(got(viewer, "/matches?outcome=decided").await?["total"], 2);
    assert_eq!(got(viewer, "/matches/accuracy").await?["labelled"], 2);
    let undo = json!({ "token": items[0]["token"], "other_token": items[0]["other_token"], "same": null });
    sent(admin, "POST", "/matches/decisions", Some(undo), 204).await?;
    assert_eq!(got(viewer, "/matches?outcome=decided").await?["total"], 1);
    for path in ["/matches?outcome=maybe", "/matches?limit=0"] {
        sent(viewer, "GET", path, None, 422).await?;
    }
    Ok(())
}

async fn proving(admin: &Client, viewer: &Client) -> Outcome {
    let read = got(viewer, "/experiments").await?;
    let experiment = &read["experiments"][0];
    assert_eq!((&experiment["name"], &experiment["reading"]["health"]), (&json!("mail"), &json!("healthy")), "{read}");
    assert_eq!(experiment["history"].as_array().map(Vec::len), Some(2), "{read}");
    let ledger = got(viewer, "/evidence").await?;
    let items = ledger["items"].as_array().ok_or("no evidence")?;
    assert!(items.len() == 2 && items.iter().all(|i| i["standing"] == "standing"), "{ledger}");
    assert!(items.iter().any(|i| i["notes"][0]["kind"] == "used"), "decisions rest on it: {ledger}");
    let before = got(viewer, "/evidence?at=2020-01-01T00:00:00Z").await?;
    assert_eq!(before["items"][0]["standing"], "not_yet");
    sent(viewer, "GET", "/evidence?at=then", None, 422).await?;
    let wish = |reason: &str| Some(json!({ "id": items[0]["record"]["id"], "reason": reason }));
    sent(viewer, "POST", "/evidence/approvals", wish("looks right"), 403).await?;
    sent(admin, "POST", "/evidence/approvals", wish("looks right"), 204).await?;
    sent(admin, "POST", "/evidence/approvals", Some(json!({ "id": "none", "reason": "" })), 404).await?;
    sent(admin, "POST", "/evidence/retirements", wish(" "), 409).await?;
    sent(admin, "POST", "/evidence/retirements", wish("the mail had a wrong price"), 204).await?;
    sent(admin, "POST", "/evidence/approvals", wish("still"), 409).await?;
    let after = got(viewer, "/evidence").await?;
    let retired = after["items"].as_array().into_iter().flatten().find(|i| i["standing"] == "retired");
    assert_eq!(retired.map(|i| &i["record"]["id"]), Some(&items[0]["record"]["id"]), "{after}");
    assert_eq!(got(admin, "/audit").await?["items"][0]["kind"], "evidence_retired");
    Ok(())
}

async fn agreeing(house: &House, admin: &Client) -> Outcome {
    let asker = house.user(admin, "mara", &["marketer"], &[]).await?;
    let signer = house.user(admin, "otto", &["approver"], &["finance"]).await?;
    let ask = json!({ "title": "More", "reason": "it sells", "before": { "budget": 1 }, "after": { "budget": 2 } });
    let first = sent(&asker, "POST", "/approvals", Some(ask.clone()), 201).await?;
    let second = sent(&asker, "POST", "/approvals", Some(ask), 201).await?;
    let (first, second) = (format!("/approvals/{}", text(&first["id"])), format!("/approvals/{}", text(&second["id"])));
    sent(&signer, "POST", &format!("{first}/comments"), Some(json!({ "text": "why?" })), 200).await?;
    let seen = got(&signer, &first).await?;
    let ballot = json!({ "vote": "approve", "revision": seen["revision"], "reason": "well then" });
    sent(&asker, "POST", &format!("{first}/votes"), Some(ballot.clone()), 403).await?;
    sent(&signer, "POST", &format!("{first}/votes"), Some(ballot), 200).await?;
    sent(&asker, "POST", &format!("{second}/withdrawal"), Some(json!({ "reason": "not now" })), 200).await?;
    for state in ["", "?state=pending", "?state=withdrawn"] {
        got(&signer, &format!("/approvals{state}")).await?;
    }
    sent(admin, "POST", "/freeze", Some(json!({ "reason": "complaints" })), 200).await?;
    got(admin, "/line").await?;
    sent(admin, "DELETE", "/freeze", Some(json!({ "reason": "solved" })), 204).await?;
    sent(&asker, "POST", "/runs", Some(json!({ "stage": "observe" })), 202).await?;
    let stopped = asker.send("DELETE", "/api/v1/runs/current", None).await?;
    assert!([202, 404].contains(&stopped.status), "{}", stopped.body);
    if stopped.status == 404 {
        // It was quicker than we were; a run of everything is not.
        sent(&asker, "POST", "/runs", Some(json!({ "from": "ingest" })), 202).await?;
        sent(&asker, "DELETE", "/runs/current", None, 202).await?;
    }
    Ok(())
}

async fn accounts(house: &House, admin: &Client) -> Outcome {
    let users = got(admin, "/users").await?;
    let of = |name: &str| {
        let items = users["items"].as_array().into_iter().flatten();
        items.filter(|u| u["name"] == name).map(|u| format!("/users/{}", text(&u["id"]))).next()
    };
    let vera = of("vera").ok_or("no vera")?;
    sent(admin, "PATCH", &vera, Some(json!({ "display_name": "Vera" })), 200).await?;
    let promoted = json!({ "roles": ["admin"], "display_name": "Vera V." });
    assert_eq!(sent(admin, "PATCH", &vera, Some(promoted), 202).await?["state"], "pending");
    let vera_now = |users: &Value| {
        let items = users["items"].as_array().into_iter().flatten();
        items.filter(|u| u["name"] == "vera").map(|u| (u["display_name"].clone(), u["roles"].clone())).next()
    };
    let listed = got(admin, "/users").await?;
    assert_eq!(vera_now(&listed), Some((json!("Vera V."), json!(["viewer"]))), "what needs no agreement is changed");
    // An administrator is not made by making an account, either.
    let boss = json!({ "name": "boss", "roles": ["admin", "viewer"] });
    assert_eq!(sent(admin, "POST", "/users", Some(boss), 202).await?["facts"]["grants_admin"], true);
    let made = got(admin, "/users").await?["items"].clone();
    let made = made.as_array().into_iter().flatten().find(|u| u["name"] == "boss").cloned().ok_or("no boss")?;
    assert_eq!(made["roles"], json!([]), "{made}");
    sent(admin, "PATCH", "/users/0", Some(json!({ "roles": [] })), 404).await?;
    let password = "a long password";
    let user = json!({ "name": "nina", "roles": ["analyst"], "password": password });
    sent(admin, "POST", "/users", Some(user.clone()), 201).await?;
    sent(admin, "POST", "/users", Some(user), 409).await?;
    let token = json!({ "label": "export", "scopes": ["read"], "expires_in_days": 7 });
    let made = sent(admin, "POST", "/tokens", Some(token), 201).await?;
    got(admin, "/tokens").await?;
    sent(admin, "DELETE", &format!("/tokens/{}", text(&made["id"])), None, 204).await?;
    let browser = signed_in(house, "nina", password).await?;
    let change = json!({ "current": password, "new": "another long password" });
    sent(&browser, "PUT", "/session/password", Some(change), 204).await?;
    sent(&browser, "GET", "/session", None, 401).await?;
    let browser = signed_in(house, "nina", "another long password").await?;
    sent(&browser, "DELETE", "/session", None, 204).await?;
    Ok(())
}

/// A browser that signed in with a password.
async fn signed_in(house: &House, name: &str, password: &str) -> Result<Client, Box<dyn std::error::Error>> {
    let answer = house.nobody().post("/api/v1/session", json!({ "name": name, "password": password })).await?;
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    Ok(house.nobody().and("cookie", &cookie).and("x-csrf-token", &text(&answer.json()?["csrf_token"])))
}

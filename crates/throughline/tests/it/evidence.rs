//! `evidence` and studies: what is known about effects, how it stands, and what a policy makes of it.

use serde_json::{Value, json};

use crate::sources::project;
use crate::support::{json as answered, reference, refused, shown, succeed, write};

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop.csv
consent: \"'granted'\"
emits:
  - { id: id, kind: kind, occurred_at: at, subjects: { email: email } }
";

const STUDY: &str = "apiVersion: throughline/v1
kind: Study
name: radio
description: What did a month of radio in the north do to sales?
command: panel
file: data/regions.csv
options: { unit: region, time: week, outcome: sales, treatment: radio, method: did }
evidence: { action: radio, metric: sales, from: 2026-01-05, to: 2026-03-01 }
";

/// Regions over weeks: half of them get radio from week 5 on, which sells `effect` more.
fn regions(effect: f64) -> String {
    let mut text = String::from("region,week,sales,radio\n");
    for region in 0..20_u32 {
        for week in 1..=8_u32 {
            let radio = u32::from(region < 10 && week >= 5);
            let wobble = f64::from((region * 7 + week * 13) % 11) / 10.0;
            let sales = 50.0 + f64::from(region) + f64::from(week) + wobble + effect * f64::from(radio);
            text.push_str(&format!("r{region},{week},{sales},{radio}\n"));
        }
    }
    text
}

fn standing(list: &Value, id: &str) -> Value {
    let items = list["items"].as_array().into_iter().flatten();
    items.filter(|i| i["record"]["id"] == id).map(|i| i["standing"].clone()).next().unwrap_or_default()
}

#[test]
fn a_study_becomes_evidence_that_somebody_answers_for() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", "id,kind,at,email\n1,visit,2026-02-01T10:00:00Z,a@b.example\n"),
        ("studies/radio.yaml", STUDY),
        ("data/regions.csv", &regions(3.0)),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let list = answered(&["evidence", "list", root]);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    let record = &list["items"][0]["record"];
    assert_eq!((&record["design"], &record["tier"]), (&json!("difference_in_differences"), &json!("quasi_experiment")));
    let value = record["estimate"]["value"].as_f64().expect("a number");
    assert!((value - 3.0).abs() < 0.3, "{record}");
    let id = record["id"].as_str().expect("an id").to_owned();
    assert_eq!(standing(&list, &id), "unapproved");
    succeed(&["evidence", "approve", &id, root, "--by", "ada", "--reason", "nothing else happened in the north"]);
    assert_eq!(standing(&answered(&["evidence", "list", root]), &id), "standing");
    let told = succeed(&["evidence", "show", &id, root]);
    for part in ["This holds if", "Approved by ada: nothing else happened", "tier 2, standing"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    // The same data again: nothing new. More data: a newer record, which supersedes.
    succeed(&["run", root, "--quiet"]);
    assert_eq!(answered(&["evidence", "list", root, "--all"])["items"].as_array().map(Vec::len), Some(1));
    write(dir.path(), "data/regions.csv", regions(3.5));
    succeed(&["run", root, "--quiet"]);
    let list = answered(&["evidence", "list", root, "--all"]);
    assert_eq!(
        (list["items"].as_array().map(Vec::len), standing(&list, &id)),
        (Some(2), json!("superseded")),
        "{list}"
    );
    refused(&["evidence", "retire", &id, root], &["say why"]);
    succeed(&["evidence", "retire", &id, root, "--reason", "a region was double"]);
    refused(&["evidence", "approve", &id, root], &["retired it: a region was double"]);
    refused(&["evidence", "show", "radioo", root], &["there is no evidence"]);
    assert!(succeed(&["audit", "verify", root]).contains("records"));
}

#[test]
fn a_study_that_cannot_be_carried_out_is_told_and_stops_nothing() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", "id,kind,at,email\n1,visit,2026-02-01T10:00:00Z,a@b.example\n"),
        ("studies/radio.yaml", STUDY),
        ("data/regions.csv", "region,week,sales,radio\nr1,1,5,0\n"),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    assert_eq!(answered(&["evidence", "list", root])["items"], json!([]));
    let report = std::fs::read_to_string(dir.path().join(".throughline/runs/1/report.html")).expect("a report");
    assert!(report.contains("could not be carried out"), "the report says so");
    write(dir.path(), "studies/radio.yaml", STUDY.replace("method: did", "methd: did"));
    refused(&["check", root], &["TL066", "--methd", "throughline panel --help"]);
    write(dir.path(), "studies/radio.yaml", STUDY.replace("command: panel", "command: serve"));
    refused(&["check", root], &["TL066", "no command that estimates an effect"]);
}

#[test]
fn an_answer_of_a_command_is_recorded() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", "id,kind,at,email\n1,visit,2026-02-01T10:00:00Z,a@b.example\n"),
        ("data/regions.csv", &regions(3.0)),
    ]);
    let root = shown(dir.path());
    let file = dir.path().join("data/regions.csv");
    let panel =
        ["panel", shown(&file), "--unit", "region", "--time", "week", "--outcome", "sales", "--treatment", "radio"];
    let answer = succeed(&[&panel[..], &["--method", "did", "--json"]].concat());
    write(dir.path(), "answer.json", &answer);
    let path = dir.path().join("answer.json");
    let record = [
        "evidence",
        "record",
        shown(&path),
        root,
        "--name",
        "radio",
        "--command",
        "panel",
        "--action",
        "radio",
        "--metric",
        "sales",
        "--from",
        "2026-01-05",
        "--to",
        "2026-03-01",
    ];
    assert!(succeed(&record).contains("tier 2"));
    succeed(&record);
    assert_eq!(answered(&["evidence", "list", root])["items"].as_array().map(Vec::len), Some(1));
    write(dir.path(), "answer.json", answer.replace("\"p_value\": ", "\"p_value\": 0.9, \"was\": "));
    refused(&record, &["TL067", "disagree about 0"]);
}

#[test]
fn a_gate_holds_actions_without_evidence() {
    let dir = tempfile::tempdir().expect("a folder");
    let shop = dir.path().join("shop");
    let root = shown(&shop);
    succeed(&["init", root, "--example", "demo", "--people", "1500"]);
    let policy = std::fs::read_to_string(shop.join("policies/spring_mail.yaml")).expect("the demo's policy");
    write(&shop, "policies/spring_mail.yaml", format!("{policy}gates:\n  evidence: {{ tier: 3 }}\n"));
    succeed(&["run", root, "--quiet"]);
    let counts = || {
        let rows = answered_query(root, "SELECT action, count(*) AS n FROM decisions GROUP BY action ORDER BY action");
        rows.iter().map(|r| (r["action"].as_str().unwrap_or_default().to_owned(), r["n"].clone())).collect::<Vec<_>>()
    };
    assert!(counts().len() > 1, "with evidence of tier 3 actions are taken: {:?}", counts());
    let list = answered(&["evidence", "list", root]);
    let used = list["items"].as_array().into_iter().flatten();
    let used: Vec<&Value> =
        used.filter(|i| i["notes"].as_array().is_some_and(|n| n.iter().any(|n| n["kind"] == "used"))).collect();
    assert_eq!(used.len(), 2, "both arms' effect on spend: {list}");
    for item in used {
        let id = item["record"]["id"].as_str().expect("an id");
        succeed(&["evidence", "retire", id, root, "--reason", "the price was wrong"]);
    }
    succeed(&["run", root, "--quiet"]);
    assert_eq!(counts().iter().map(|c| c.0.as_str()).collect::<Vec<_>>(), ["none"]);
    let told = answered_query(root, "SELECT rationale FROM decisions LIMIT 200");
    assert!(told.iter().any(|r| r["rationale"].to_string().contains("evidence_gate:email_offer")), "{told:?}");
}

fn answered_query(root: &str, sql: &str) -> Vec<Value> {
    let text = succeed(&["query", root, sql, "--format", "json"]);
    serde_json::from_str::<Value>(&text).expect("JSON").as_array().cloned().unwrap_or_default()
}

#[test]
fn the_example_finds_the_published_effects() {
    let Some(_) = reference() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("evidence");
    succeed(&["init", shown(&root), "--example", "evidence"]);
    succeed(&["run", shown(&root), "--quiet"]);
    let list = answered(&["evidence", "list", shown(&root), "--as-of", "2009-07-01"]);
    let effect = |source: &str| {
        let items = list["items"].as_array().into_iter().flatten();
        let found = items.filter(|i| i["record"]["source"]["name"] == source).map(|i| {
            (i["record"]["estimate"]["value"].as_f64().unwrap_or(f64::NAN), i["standing"].as_str().unwrap_or_default())
        });
        found.collect::<Vec<_>>()
    };
    // Dehejia and Wahba (1999), Arkhangelsky et al. (2021), Callaway and Sant'Anna (2021), Card (1995).
    for (source, value, tolerance, standing) in [
        ("supported_work", 1794.343, 0.01, "standing"),
        ("california", -15.6038, 0.002, "unapproved"),
        ("minimum_wage", -0.031_018, 1e-5, "unapproved"),
        ("schooling", 0.131_504, 1e-5, "unapproved"),
    ] {
        let found = effect(source);
        assert_eq!(found.len(), 1, "{source}: {list}");
        assert!((found[0].0 - value).abs() < tolerance && found[0].1 == standing, "{source}: {found:?}");
    }
}

//! Hostile input: fields of a megabyte, nested bombs, bytes that are no text, formulas, clocks that were never set, and a crowd that
//! shares one cookie. Each is refused or bounded, and said.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;
use throughline_run::{Project, Stores, table_rows, tables};

use crate::sources::project;
use crate::support::{json, shown, succeed, write};

const JSONL: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: jsonl
location: data/shop.jsonl
consent: \"'granted'\"
failure_limit: 0.99
emits:
  - id: \"id\"
    kind: \"'purchase'\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    value: \"value\"
    currency: \"'EUR'\"
";

const CSV: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop.csv
consent: \"'granted'\"
failure_limit: 0.99
emits:
  - id: \"id\"
    kind: \"'visit'\"
    occurred_at: \"at\"
    subjects: { cookie: \"cookie\", email: \"email\" }
    campaign: \"campaign\"
    channel: \"'search'\"
";

fn good(id: &str) -> String {
    format!(r#"{{"id":"{id}","at":"2026-03-01T10:00:00Z","email":"{id}@a.example","value":1}}"#)
}

/// Runs a file and gives what ingest counted.
#[track_caller]
fn counted(source: &str, file: &str, content: impl AsRef<[u8]>) -> Value {
    let dir = project(&[("sources/shop.yaml", source)]);
    write(dir.path(), file, content);
    let report = json(&["run", shown(dir.path())]);
    let metrics = report["stages"][0]["units"][0]["metrics"].clone();
    // The same is foreseen without running.
    let check = json(&["check", shown(dir.path())]);
    assert_eq!(check["sources"][0]["profile"]["quarantined"], metrics["quarantined"], "{check}");
    metrics
}

#[track_caller]
fn check_lines(bad: &[u8], code: &str) {
    let content = [good("a").as_bytes(), b"\n", bad, b"\n", good("b").as_bytes(), b"\n"].concat();
    let metrics = counted(JSONL, "data/shop.jsonl", content);
    assert_eq!(metrics["quarantined"], serde_json::json!({ code: 1 }), "{metrics}");
    assert_eq!(metrics["events"], 2, "{metrics}");
}

#[test]
fn lines_that_are_too_long_nested_or_no_text_are_refused_alone() {
    let long = format!(r#"{{"id":"x","at":"2026-03-01","email":"{}","value":1}}"#, "e".repeat(1_200_000));
    check_lines(long.as_bytes(), "TL204");
    check_lines(format!("{}{}", "[".repeat(200_000), "]".repeat(200_000)).as_bytes(), "TL203");
    let bomb = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    check_lines(good("x").replace("\"x@a.example\"", &bomb).as_bytes(), "TL204");
    check_lines(b"{\"id\":\"\xff\xfe\",\"at\":\"2026-03-01\",\"email\":\"x@a.example\",\"value\":1}", "TL202");
    check_lines(good("1970").replace("2026-03-01T10", "1970-01-01T00").as_bytes(), "TL210");
    check_lines(good("2099").replace("2026-03-01", "2099-12-31").as_bytes(), "TL211");
    check_lines(good("-1e400").replace("\"value\":1", "\"value\":1e400").as_bytes(), "TL215");
}

#[test]
fn a_field_of_a_megabyte_and_a_quote_that_never_ends_cost_their_rows_only() {
    let head = "id,at,cookie,email,campaign\n";
    let row = |id: &str, campaign: &str| format!("{id},2026-03-01T10:00:00Z,c{id},{id}@a.example,{campaign}\n");
    let long = row("x", &"z".repeat(1_200_000));
    let metrics = counted(CSV, "data/shop.csv", [head, &row("a", "k"), &long, &row("b", "k")].concat());
    assert_eq!((&metrics["events"], &metrics["quarantined"]["TL204"]), (&Value::from(2), &Value::from(1)), "{metrics}");
    let open = format!("{head}{}{}", row("a", "k"), row("b", "\"never closed"));
    let metrics = counted(CSV, "data/shop.csv", open);
    assert_eq!(metrics["rows_read"], 2, "{metrics}");
}

#[test]
fn formulas_stay_text_and_are_disarmed_where_we_write_tables() {
    let dir = project(&[]);
    let records = "name,city\n=cmd()|' /C calc'!A0,Berlin\nAnn Mayer,Köln\nAnn Mayer,Köln\n";
    let path = dir.path().join("=cmd().csv");
    std::fs::write(&path, records).expect("a file");
    let out = dir.path().join("out.csv");
    let linked = std::process::Command::new(crate::support::binary())
        .current_dir(dir.path())
        .args(["link", "=cmd().csv", "--out", shown(&out)])
        .output()
        .expect("the binary starts");
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let written = std::fs::read_to_string(&out).expect("written");
    assert!(written.lines().skip(1).all(|line| line.starts_with("'=cmd().csv,")), "{written}");
}

#[test]
fn a_crowd_that_shares_one_cookie_does_not_become_one_person() {
    const CROWD: usize = 5000;
    let mut rows = String::from("id,at,cookie,email,campaign\n");
    for n in 0..CROWD {
        let _infallible = writeln!(rows, "{n},2026-03-01T10:00:00Z,kiosk,p{n}@a.example,k");
    }
    let dir = project(&[("sources/shop.yaml", CSV), ("data/shop.csv", &rows)]);
    let report = json(&["run", shown(dir.path())]);
    let link = report["stages"].as_array().expect("stages").iter().find(|s| s["name"] == "link").expect("link");
    let metrics = &link["units"][0]["metrics"];
    let count = |name: &str| metrics[name].as_u64().expect("a count");
    assert_eq!(count("identifiers"), CROWD as u64 + 1, "{metrics}");
    assert_eq!(count("persons"), CROWD as u64 + 1 - 99, "one person of 100 identifiers, the others alone: {metrics}");
    assert_eq!(count("links_refused"), CROWD as u64 - 99, "{metrics}");
    let said = succeed(&["run", shown(dir.path())]);
    assert!(said.contains("warning[TL019]") && said.contains("4901 links"), "{said}");
    let project = Project::load(dir.path(), BTreeMap::new()).expect("a project");
    let persons = tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        table_rows(&stores, &tables::persons()).await.expect("rows")
    });
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for row in &persons {
        *sizes.entry(row["person_id"].to_string()).or_default() += 1;
    }
    assert_eq!(sizes.values().max(), Some(&100));
}

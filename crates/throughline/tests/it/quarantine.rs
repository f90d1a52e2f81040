//! Rows in quarantine: listed without their content, corrected, read again exactly once, and taken back.

use std::path::Path;

use serde_json::Value;

use crate::sources::{check_purchases, project};
use crate::support::{json, refused, shown, succeed, throughline, write};

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: CONNECTOR
location: data/shop.*
consent: \"'granted'\"
failure_limit: 0.9
emits:
  - id: \"id\"
    kind: \"'purchase'\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    value: \"value\"
    currency: \"'EUR'\"
";

const ROWS: &str = "id,at,email,value
a,2026-03-01T10:00:00Z,a@secret.example,10
b,yesterday,b@secret.example,20
c,2026-03-01T10:00:00Z,\"c@secret.example\",\"12,5\"
";

fn shop(connector: &str, file: &str, rows: &str) -> tempfile::TempDir {
    let dir = project(&[("sources/shop.yaml", &SHOP.replace("CONNECTOR", connector)), (file, rows)]);
    json(&["run", shown(dir.path())]);
    dir
}

/// The rows as `list` tells them.
fn listed(root: &Path) -> Vec<Value> {
    json(&["quarantine", "list", shown(root)])["rows"].as_array().expect("rows").clone()
}

/// The id of the row with a code.
#[track_caller]
fn row(root: &Path, code: &str) -> String {
    let rows = listed(root);
    let found = rows.iter().find(|r| r["code"] == code).unwrap_or_else(|| panic!("no {code} in {rows:?}"));
    found["row"].as_str().expect("an id").to_owned()
}

fn correct(root: &Path, row: &str, field: &str) {
    succeed(&[
        "quarantine",
        "correct",
        row,
        shown(root),
        "--field",
        field,
        "--reason",
        "seen on the slip",
        "--author",
        "ana",
    ]);
}

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["corrections"].as_array().expect("corrections").iter().map(|c| c["outcome"].as_str().expect("one")).collect()
}

#[test]
fn a_corrected_row_is_used_once_survives_reading_again_and_can_be_taken_back() {
    let dir = shop("csv", "data/shop.csv", ROWS);
    let root = dir.path();
    check_purchases(root, &["a=10.0"]);
    let list = succeed(&["quarantine", "list", shown(root)]);
    assert!(list.contains("data/shop.csv:3") && list.contains("TL209") && list.contains("refused"), "{list}");
    assert!(!list.contains("secret"), "{list}");
    let bad_time = row(root, "TL209");
    let sealed = succeed(&["quarantine", "show", &bad_time, shown(root)]);
    assert!(!sealed.contains("secret") && sealed.contains("--open"), "{sealed}");

    correct(root, &bad_time, "at=2026-03-02T10:00:00Z");
    correct(root, &row(root, "TL215"), "value=12.5");
    let opened = succeed(&["quarantine", "show", &bad_time, shown(root), "--open"]);
    for text in ["yesterday", "→", "2026-03-02T10:00:00Z", "b@secret.example", "by ana: seen on the slip"] {
        assert!(opened.contains(text), "`{text}` is missing in:\n{opened}");
    }
    assert_eq!(outcomes(&json(&["quarantine", "replay", shown(root)])), ["used", "used"]);
    check_purchases(root, &["a=10.0", "b=20.0", "c=12.5"]);
    assert!(listed(root).iter().all(|r| r["code"].is_null() && r["outcome"] == "used"), "{:?}", listed(root));
    assert!(
        !root
            .join(".throughline/spill")
            .read_dir()
            .is_ok_and(|mut d| d.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().starts_with("corrected")))),
        "a copy was left"
    );
    let report = json(&["run", shown(root)]);
    assert!(report["stages"][0]["units"].as_array().expect("units").iter().all(|u| u["status"] == "unchanged"));

    // The file is written again: the rows moved, one of them is another one now.
    write(
        root,
        "data/shop.csv",
        ROWS.replace("a,2026", "z,2026-03-01T10:00:00Z,z@secret.example,1\na,2026").replace("12,5", "13,5"),
    );
    let run = succeed(&["run", shown(root)]);
    assert!(run.contains("warning[TL138]") && run.contains("its correction was not applied"), "{run}");
    check_purchases(root, &["a=10.0", "b=20.0", "z=1.0"]);

    succeed(&["quarantine", "undo", &bad_time, shown(root), "--reason", "it was another day", "--author", "ben"]);
    json(&["quarantine", "replay", shown(root)]);
    check_purchases(root, &["a=10.0", "z=1.0"]);
    assert_eq!(row(root, "TL209"), bad_time);
    let history = json(&["quarantine", "show", &bad_time, shown(root), "--open"])["history"].clone();
    let told: Vec<(&str, &str, bool)> = history
        .as_array()
        .expect("history")
        .iter()
        .map(|h| {
            (h["author"].as_str().expect("an author"), h["reason"].as_str().expect("a reason"), h["corrected"] == true)
        })
        .collect();
    assert_eq!(told, [("ana", "seen on the slip", true), ("ben", "it was another day", false)]);
    refused(&["quarantine", "undo", &bad_time, shown(root), "--reason", "again"], &["nothing was decided about it"]);
    // What is on record names no content.
    let audit = succeed(&["audit", "export", shown(root)]);
    assert!(
        audit.contains("quarantine_decided") && audit.contains("correction") && !audit.contains("secret"),
        "{audit}"
    );
}

#[test]
fn lines_and_lists_of_json_are_corrected_where_they_stand() {
    let rows = [
        r#"{"id":"a","at":"2026-03-01T10:00:00Z","email":"a@b.example","value":10}"#,
        r#"{"id":"b","at":"2026-03-01T10:00:00Z","email":"b@b.example","value":"x"}"#,
    ];
    let dir = shop("jsonl", "data/shop.jsonl", &rows.join("\n"));
    let root = dir.path();
    let bad = row(root, "TL215");
    correct(root, &bad, "value=7");
    assert_eq!(outcomes(&json(&["quarantine", "replay", shown(root)])), ["used"]);
    check_purchases(root, &["a=10.0", "b=7.0"]);
    // Equal rows have one id and one correction: the second is a repetition of the first.
    write(root, "data/shop.jsonl", [rows[0], rows[1], rows[1]].join("\n"));
    json(&["run", shown(root)]);
    check_purchases(root, &["a=10.0", "b=7.0"]);
    assert_eq!(listed(root).iter().filter(|r| r["code"] == "TL207").count(), 1, "{:?}", listed(root));
}

fn wish<'a>(root: &'a Path, row: &'a str, fields: &[&'a str]) -> Vec<&'a str> {
    [["quarantine", "correct", row, shown(root), "--reason", "r"].as_slice(), fields].concat()
}

#[test]
fn what_cannot_be_corrected_is_refused_with_the_reason_and_nothing_is_kept() {
    let dir = shop("csv", "data/shop.csv", ROWS);
    let root = dir.path();
    let bad = row(root, "TL209");
    let wish = |fields| wish(root, &bad, fields);
    refused(&wish(&[]), &["error[TL138]", "nothing is to be done", "--field"]);
    refused(&wish(&["--field", "at=tomorrow"]), &["error[TL138]", "would be refused: TL209", "nothing was kept"]);
    refused(
        &wish(&["--field", "when=2026-03-01"]),
        &["the row has no field `when`", "its fields: id, at, email, value"],
    );
    refused(&wish(&["--field", "at=yesterday"]), &["is the row as it stands"]);
    refused(&wish(&["--text", "b,2026-03-01"]), &["would be refused: TL201"]);
    refused(&["quarantine", "show", "abc", shown(root)], &["error[TL059]"]);
    refused(&["quarantine", "show", &"0".repeat(32), shown(root)], &["row in quarantine", "quarantine list"]);
    assert!(listed(root).iter().all(|r| r["corrected"] == false && r["author"].is_null()));
    // A label alone changes nothing that is read.
    succeed(&wish(&["--label", "till 7"]));
    let labelled = json(&["quarantine", "list", shown(root), "--label", "till 7"]);
    assert_eq!(labelled["total"], 1);
    let report = json(&["run", shown(root)]);
    assert!(report["stages"][0]["units"].as_array().expect("units").iter().all(|u| u["status"] == "unchanged"));
    // Rows of another length are corrected as a whole.
    succeed(&wish(&["--text", "b,2026-03-02T10:00:00Z,b@secret.example,21"]));
    // Whoever reads the output of a failed command learns nothing of the row.
    let output = throughline(&wish(&["--field", "at=tomorrow"]));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("secret"));
    json(&["quarantine", "replay", shown(root)]);
    check_purchases(root, &["a=10.0", "b=21.0"]);
}

//! Bad input: a clear error with place, code and suggestion, or a quarantined row with its reason; never a panic,
//! never a half-written table.

use std::path::Path;

use serde_json::Value;

use crate::support::{json, refused, shown, succeed, write};

const PROJECT: &str = "apiVersion: throughline/v1\nkind: Project\nname: small\ncurrency: EUR\nas_of: 2026-03-10\n\
                       conversions:\n  - { name: purchase, kind: purchase }\n";

const SOURCE: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop.csv
consent: \"'granted'\"
failure_limit: 0.9
emits:
  - id: \"id\"
    kind: \"kind\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    channel: \"channel\"
    value: \"to_float(value)\"
    currency: \"'EUR'\"
";

const ROWS: &str = "id,kind,at,email,channel,value
1,visit,2026-03-01T10:00:00Z,a@b.example,search,
2,purchase,2026-03-02T10:00:00Z,a@b.example,,20
3,visit,2026-03-02T11:00:00Z,c@d.example,social,
";

fn project(source: &str, rows: impl AsRef<[u8]>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "throughline.yaml", PROJECT);
    write(dir.path(), "sources/shop.yaml", source);
    write(dir.path(), "data/shop.csv", rows);
    dir
}

/// Nothing was published.
#[track_caller]
fn nothing_written(dir: &Path) {
    assert!(!dir.join(".throughline/lake/events/_delta_log").exists(), "a table was written");
}

#[track_caller]
fn check_refused(source: &str, rows: impl AsRef<[u8]>, texts: &[&str]) {
    let dir = project(source, rows);
    refused(&["check", shown(dir.path())], texts);
    refused(&["run", shown(dir.path())], texts);
    nothing_written(dir.path());
}

/// Runs the project and returns what ingest counted.
#[track_caller]
fn ingested(rows: impl AsRef<[u8]>) -> Value {
    let dir = project(SOURCE, rows);
    let report = json(&["run", shown(dir.path())]);
    report["stages"][0]["units"][0]["metrics"].clone()
}

#[track_caller]
fn check_quarantined(row: impl AsRef<[u8]>, code: &str) {
    let rows = [ROWS.as_bytes(), row.as_ref()].concat();
    let counts = ingested(&rows);
    assert_eq!(counts["quarantined"][code], Value::from(1), "{counts}");
    assert_eq!(counts["events"], Value::from(3), "{counts}");
}

#[test]
fn the_small_project_itself_is_fine() {
    let dir = project(SOURCE, ROWS);
    assert!(succeed(&["check", shown(dir.path())]).contains("no errors"));
    assert_eq!(ingested(ROWS)["events"], Value::from(3));
}

#[test]
fn files_that_cannot_be_used() {
    let missing = SOURCE.replace("shop.csv", "shpo.csv");
    check_refused(&missing, ROWS, &["shpo.csv", "sources/shop.yaml"]);
    let semicolons = ROWS.replace(',', ";");
    check_refused(SOURCE, &semicolons, &["error[TL", "delimiter", "`;`"]);
    check_refused(SOURCE, "", &["error[TL", "empty"]);
}

#[test]
fn expressions_that_cannot_be_used() {
    let column = SOURCE.replace("email: \"email\"", "email: \"emial\"");
    check_refused(&column, ROWS, &["sources/shop.yaml:12", "error[TL", "emial", "did you mean `email`?"]);
    let subquery = SOURCE.replace("\"kind\"", "\"(SELECT 1)\"");
    check_refused(&subquery, ROWS, &["sources/shop.yaml:10", "error[TL", "subquer"]);
    let field = SOURCE.replace("location:", "locaton:");
    check_refused(&field, ROWS, &["sources/shop.yaml:5", "did you mean `location`?"]);
}

#[test]
fn rows_that_cannot_be_used() {
    check_quarantined("4,visit,yesterday,e@f.example,search,\n", "TL209");
    check_quarantined("5,purchase,2026-03-03T10:00:00Z,e@f.example,,-5\n", "TL216");
    check_quarantined("1,visit,2026-03-03T10:00:00Z,e@f.example,search,\n", "TL207");
    check_quarantined("6,visit,2026-03-03T10:00:00Z,,search,\n", "TL212");
    check_quarantined(b"7,visit,2026-03-03T10:00:00Z,\xff\xfe@f.example,search,\n".as_slice(), "TL202");
    check_quarantined("8,visit,2026-03-03T10:00:00Z\n", "TL201");
}

#[test]
fn more_bad_rows_than_the_limit_stop_the_source() {
    let strict = SOURCE.replace("failure_limit: 0.9", "failure_limit: 0.1");
    let dir = project(&strict, [ROWS, "4,visit,yesterday,e@f.example,search,\n"].concat());
    refused(&["run", shown(dir.path())], &["shop", "25.0 %", "line 5"]);
    nothing_written(dir.path());
}

#[test]
fn schedules_that_cannot_be_kept() {
    for (schedule, text) in [
        ("{ name: a, every_minutes: 60, from: feature }", "unknown stage `feature`"),
        ("{ name: a, every_minutes: 60, stage: model, from: model }", "both `stage` and `from`"),
        ("{ name: a, every_minutes: 0 }", "nonzero"),
    ] {
        let dir = project(SOURCE, ROWS);
        write(dir.path(), "throughline.yaml", format!("{PROJECT}schedule:\n  - {schedule}\n"));
        refused(&["check", shown(dir.path())], &["error[TL", text, "throughline.yaml"]);
    }
}

#[test]
fn policies_that_cannot_be_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("p");
    succeed(&["init", shown(&root), "--example", "demo", "--people", "20"]);
    let path = root.join("policies/spring_mail.yaml");
    let good = std::fs::read_to_string(&path).expect("a policy");
    for (from, to, texts) in [
        ("arm: email_news", "arm: email_newz", ["error[TL", "email_newz", "email_news"]),
        ("kind: discount", "kind: discuont", ["error[TL", "discuont", "discount"]),
        ("outcome: spend", "outcome: spent", ["error[TL", "spent", "did you mean `spend`?"]),
        ("is_customer = 1", "is_custmer = 1", ["error[TL", "is_custmer", "is_customer"]),
        ("holdout: 0.05", "holdout: 5", ["error[TL", "policies/spring_mail.yaml", "0 to 1"]),
    ] {
        std::fs::write(&path, good.replacen(from, to, 1)).expect("written");
        refused(&["check", shown(&root)], &texts);
    }
}

#[test]
fn names_that_are_not_known() {
    let dir = project(SOURCE, ROWS);
    let root = shown(dir.path());
    refused(&["run", root, "--stage", "ingets"], &["ingets", "did you mean `ingest`?"]);
    refused(&["explain", "decison", "--project", root], &["did you mean `decision`?"]);
    refused(&["run", "no-such-folder"], &["throughline.yaml", "throughline init"]);
    refused(&["init", root], &["already holds a project"]);
    let elsewhere = SOURCE.replace("data/shop.csv", "${THROUGHLINE_SHOP}/shop.csv");
    let dir = project(&elsewhere, ROWS);
    let folder = format!("THROUGHLINE_SHOP={}", shown(&dir.path().join("data")));
    succeed(&["check", shown(dir.path()), "--set", &folder]);
    refused(&["check", shown(dir.path())], &["THROUGHLINE_SHOP"]);
}

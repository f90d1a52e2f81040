//! Sources over time: files that are written again, come twice, change their columns, or are gone.

use std::path::Path;

use serde_json::Value;
use throughline_run::{Project, Stores, table_rows, tables};

use crate::support::{json, refused, shown, succeed, write};

const PROJECT: &str = "apiVersion: throughline/v1\nkind: Project\nname: small\ncurrency: EUR\nas_of: 2026-03-10\n\
                       conversions:\n  - { name: purchase, kind: purchase }\n";

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop-*.csv
consent: \"'granted'\"
failure_limit: 0.9
emits:
  - id: \"id\"
    kind: \"kind\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    channel: \"channel\"
    value: \"value\"
    currency: \"'EUR'\"
";

const ADS: &str = "apiVersion: throughline/v1
kind: Source
name: ads
connector: csv
location: data/ads-*.csv
emits:
  - table: spend
    id: \"day || '/' || campaign\"
    date: \"day\"
    channel: \"'search'\"
    campaign: \"campaign\"
    cost: \"cost\"
    currency: \"'EUR'\"
";

const HEAD: &str = "id,kind,at,email,channel,value\n";

/// Rows of a shop's day: id and value of purchases.
fn day(of: &str, rows: &[(&str, &str)]) -> String {
    let row =
        |(id, value): &(&str, &str)| format!("{id},purchase,2026-03-{of}T10:00:00Z,{id}@a.example,search,{value}\n");
    HEAD.to_owned() + &rows.iter().map(row).collect::<String>()
}

pub(crate) fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "throughline.yaml", PROJECT);
    for (path, text) in files {
        write(dir.path(), path, text);
    }
    dir
}

fn rows(root: &Path) -> Vec<Value> {
    let project = Project::load(root, std::collections::BTreeMap::new()).expect("a project");
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let stores = Stores::open(&project).await.expect("stores");
        table_rows(&stores, &tables::timeline()).await.expect("rows")
    })
}

/// `id=value` of every purchase of the timeline.
#[track_caller]
pub(crate) fn check_purchases(root: &Path, expect: &[&str]) {
    let of = |row: &Value| format!("{}={}", row["source_event_id"].as_str().expect("an id"), row["value"]);
    let mut found: Vec<String> = rows(root).iter().map(of).collect();
    found.sort();
    assert_eq!(found, expect);
}

/// Units of ingest that ran.
fn ran(report: &Value) -> Vec<String> {
    let units = report["stages"][0]["units"].as_array().expect("units").iter();
    units.filter(|u| u["status"] == "ran").map(|u| u["name"].as_str().expect("a name").to_owned()).collect()
}

fn state<'r>(report: &'r Value, source: &str) -> &'r Value {
    let states = report["sources"].as_array().expect("sources");
    states.iter().find(|s| s["source"] == source).expect("the source")
}

#[test]
fn a_day_that_is_written_again_replaces_its_rows_once_and_late_events_land() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop-2026-03-01.csv", &day("01", &[("a", "10"), ("b", "20")])),
        ("data/shop-2026-03-02.csv", &day("02", &[("c", "30")])),
    ]);
    let root = dir.path();
    let first = json(&["run", shown(root)]);
    check_purchases(root, &["a=10.0", "b=20.0", "c=30.0"]);
    assert_eq!(state(&first, "shop")["last_event_at"], "2026-03-02T10:00:00Z");
    assert_eq!(state(&first, "shop")["last_file"], "data/shop-2026-03-02.csv");
    assert_eq!(state(&first, "shop")["age_hours"], 182.0);

    // One order was corrected, one taken back, and one came late.
    write(root, "data/shop-2026-03-01.csv", day("01", &[("a", "11"), ("late", "5")]));
    let second = json(&["run", shown(root)]);
    assert_eq!(ran(&second), ["shop/data/shop-2026-03-01.csv"]);
    check_purchases(root, &["a=11.0", "c=30.0", "late=5.0"]);
    assert_eq!(state(&second, "shop")["last_file"], "data/shop-2026-03-01.csv");
    assert_eq!(ran(&json(&["run", shown(root)])), Vec::<String>::new());
    check_purchases(root, &["a=11.0", "c=30.0", "late=5.0"]);

    // What it held before it may hold again; computed anew, the outcome is the same.
    write(root, "data/shop-2026-03-01.csv", day("01", &[("a", "10"), ("b", "20")]));
    json(&["run", shown(root)]);
    check_purchases(root, &["a=10.0", "b=20.0", "c=30.0"]);
    json(&["run", shown(root), "--from", "ingest"]);
    check_purchases(root, &["a=10.0", "b=20.0", "c=30.0"]);
}

#[test]
fn of_one_order_in_two_exports_the_newest_counts_whichever_run_reads_it() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop-9.csv", &day("01", &[("a", "99"), ("b", "20")])),
        ("data/shop-10.csv", &day("01", &[("a", "12")])),
    ]);
    let root = dir.path();
    json(&["run", shown(root)]);
    check_purchases(root, &["a=12.0", "b=20.0"]);
    // An export that comes later is newer, whatever its name.
    write(root, "data/shop-1.csv", day("01", &[("a", "7"), ("b", "21")]));
    json(&["run", shown(root)]);
    check_purchases(root, &["a=7.0", "b=21.0"]);
    json(&["run", shown(root), "--from", "ingest"]);
    check_purchases(root, &["a=7.0", "b=21.0"]);
}

const ATTRIBUTION: &str = "apiVersion: throughline/v1\nkind: Attribution\nmodels: [linear]\n";

/// Booked spend of the channel search.
fn spend(report: &Value) -> Value {
    let stages = report["stages"].as_array().expect("stages");
    let attribute = stages.iter().find(|s| s["name"] == "attribute").expect("the stage").to_string();
    let value: Value = serde_json::from_str(&attribute).expect("JSON");
    find(&value, "spend").expect("spend")
}

fn find(value: &Value, key: &str) -> Option<Value> {
    match value {
        Value::Object(fields) => {
            fields.get(key).filter(|v| v.is_number()).cloned().or_else(|| fields.values().find_map(|v| find(v, key)))
        }
        Value::Array(items) => items.iter().find_map(|v| find(v, key)),
        _ => None,
    }
}

#[test]
fn spend_that_is_stated_again_counts_as_stated_last_and_is_not_added_up() {
    let visits = "v,visit,2026-02-28T10:00:00Z,a@a.example,search,\n";
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("sources/ads.yaml", ADS),
        ("attribution.yaml", ATTRIBUTION),
        ("data/shop-1.csv", &(day("01", &[("a", "10")]) + visits)),
        ("data/ads-2026-03-01.csv", "day,campaign,cost\n2026-03-01,x,100\n2026-03-01,y,5\n"),
        ("data/ads-2026-03-02.csv", "day,campaign,cost\n2026-03-01,x,90\n2026-03-02,x,40\n"),
    ]);
    let root = dir.path();
    let report = json(&["run", shown(root)]);
    assert_eq!(spend(&report), 135.0, "5 of y, 90 and 40 of x");
    assert_eq!(state(&report, "ads")["last_spend_on"], "2026-03-02");
    assert_eq!(state(&report, "ads")["age_hours"], 168.0, "the day of spend ends at midnight");
    // Stated once more in a file whose name comes first.
    write(root, "data/ads-2026-02-restated.csv", "day,campaign,cost\n2026-03-01,x,95.5\n");
    assert_eq!(spend(&json(&["run", shown(root)])), 140.5);
    assert_eq!(spend(&json(&["run", shown(root), "--from", "ingest"])), 140.5);
}

#[test]
fn a_file_that_is_gone_is_said_and_its_rows_stay_or_go_as_the_source_says() {
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop-1.csv", &day("01", &[("a", "10")])),
        ("data/shop-2.csv", &day("02", &[("b", "20")])),
    ]);
    let root = dir.path();
    json(&["run", shown(root)]);
    std::fs::remove_file(root.join("data/shop-1.csv")).expect("removed");
    let report = json(&["run", shown(root)]);
    assert_eq!(state(&report, "shop")["vanished"], serde_json::json!(["data/shop-1.csv"]));
    assert!(succeed(&["run", shown(root)]).contains("warning[TL137]: `data/shop-1.csv` of source `shop`"));
    check_purchases(root, &["a=10.0", "b=20.0"]);

    write(root, "sources/shop.yaml", SHOP.replace("failure_limit", "vanished: drop\nfailure_limit"));
    let report = json(&["run", shown(root)]);
    assert_eq!(state(&report, "shop")["vanished"], serde_json::json!([]));
    check_purchases(root, &["b=20.0"]);
    assert_eq!(ran(&json(&["run", shown(root)])), Vec::<String>::new());
    // It may come back.
    write(root, "data/shop-1.csv", day("01", &[("a", "10")]));
    json(&["run", shown(root)]);
    check_purchases(root, &["a=10.0", "b=20.0"]);
}

#[test]
fn columns_that_change_are_said_with_what_to_do_and_one_that_is_needed_stops_the_source() {
    let old = day("01", &[("a", "10")]).replace("email,channel", "email,channel,note").replace("search,", "search,x,");
    let dir = project(&[("sources/shop.yaml", SHOP), ("data/shop-1.csv", &old)]);
    let root = dir.path();
    json(&["run", shown(root)]);
    // A note less, a shop more, and a value that is no number.
    let new = "id,kind,at,email,channel,value,shop\nb,purchase,2026-03-02T10:00:00Z,b@a.example,search,none,berlin\n\
               c,purchase,2026-03-02T10:00:00Z,c@a.example,search,4,berlin\n";
    write(root, "data/shop-2.csv", new);
    let expect = [
        "warning[TL136]: column `value` of `data/shop-2.csv` holds text, before it held whole numbers, which the mapping reads",
        "check a few rows",
        "`data/shop-2.csv` lacks the column `note`, which the mapping does not read",
        "`data/shop-2.csv` has the new column `shop` (text)",
    ];
    let check = succeed(&["check", shown(root)]);
    for text in expect {
        assert!(check.contains(text), "`{text}` is missing in:\n{check}");
    }
    let run = succeed(&["run", shown(root)]);
    for text in expect {
        assert!(run.contains(text), "`{text}` is missing in:\n{run}");
    }
    let again = json(&["run", shown(root)]);
    assert_eq!(state(&again, "shop")["drift"].as_array().map(Vec::len), Some(3), "still said: {again}");
    assert!(!succeed(&["check", shown(root)]).contains("TL136"), "what was read is no news");
    // A column that the mapping needs.
    write(root, "data/shop-3.csv", new.replace("email", "e_mail"));
    refused(
        &["check", shown(root)],
        &["error[TL107]", "`data/shop-3.csv` lacks the column `email`", "is it `e_mail` there?"],
    );
    refused(&["run", shown(root)], &["error[TL107]", "email", "did you mean `e_mail`?"]);
    check_purchases(root, &["a=10.0", "c=4.0"]);
}

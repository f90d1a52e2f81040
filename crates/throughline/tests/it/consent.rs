//! Consent from raw signals to what each stage left out, and what the report on it says.

use std::path::Path;

use serde_json::{Value, json as value};

use crate::support::{json, refused, shown, succeed, write};

const WEB: &str = "apiVersion: throughline/v1
kind: Source
name: web
connector: csv
location: data/web.csv
consent: \"consent_all(consent_gcs(gcs), 'linking=granted')\"
emits:
  - id: id
    kind: kind
    occurred_at: at
    subjects: { email: email, cookie: cookie }
    channel: channel
    value: value
    currency: \"'EUR'\"
";

const CENTRE: &str = "apiVersion: throughline/v1
kind: Source
name: centre
connector: csv
location: data/centre.csv
consent: consent
emits:
  - { id: id, kind: \"'custom'\", name: \"'consent'\", occurred_at: at, subjects: { email: email } }
";

const PROJECT: &str = "apiVersion: throughline/v1
kind: Project
name: shop
currency: EUR
as_of: 2026-04-01T00:00:00Z
conversions:
  - { name: purchase, kind: purchase }
";

/// Ann withdraws measurement on the 5th, and her browser goes on granting it. Ben refuses linking on the 9th. Cem denied, and
/// Dan's signal cannot be read.
fn files(root: &Path, project: &str) {
    write(root, "throughline.yaml", project);
    write(root, "attribution.yaml", "apiVersion: throughline/v1\nkind: Attribution\nmodels: [last]\n");
    write(root, "sources/web.yaml", WEB);
    write(root, "sources/centre.yaml", CENTRE);
    let web = "id,at,email,cookie,kind,channel,value,gcs
1,2026-03-01,ann@example.org,ka,click,search,,G111
2,2026-03-07,ann@example.org,ka,click,social,,G111
3,2026-03-08,ann@example.org,ka,purchase,,10,G111
4,2026-03-01,ben@example.org,kb,click,search,,G111
5,2026-03-02,ben@example.org,kb,purchase,,20,G111
6,2026-03-10,ben@example.org,kb2,click,search,,G111
7,2026-03-01,cem@example.org,kc,click,search,,G100
8,2026-03-02,cem@example.org,kc,purchase,,30,G100
9,2026-03-01,dan@example.org,kd,click,search,,GX
10,2026-03-02,dan@example.org,kd,purchase,,40,GX
";
    write(root, "data/web.csv", web);
    let centre = "id,at,email,consent\n1,2026-03-05,ann@example.org,measurement=denied\n\
                  2,2026-03-09,ben@example.org,linking=denied\n";
    write(root, "data/centre.csv", centre);
}

fn metrics<'r>(report: &'r Value, stage: &str, unit: usize) -> &'r Value {
    let stages = report["stages"].as_array().expect("stages");
    &stages.iter().find(|s| s["name"] == stage).expect("the stage")["units"][unit]["metrics"]
}

/// (what, considered, unknown, denied, withdrawn) of a stage.
#[track_caller]
fn check_removed(report: &Value, stage: &str, expect: &[(&str, [u64; 4])]) {
    let rows = metrics(report, stage, 0)["removed_by_consent"].as_array().expect("counts");
    let got: Vec<(&str, [u64; 4])> = rows
        .iter()
        .map(|r| {
            let counts = ["considered", "unknown", "denied", "withdrawn"].map(|k| r[k].as_u64().expect("a count"));
            (r["what"].as_str().expect("a name"), counts)
        })
        .collect();
    assert_eq!(got, expect, "{stage}");
}

#[test]
fn withdrawals_work_forward_or_recompute_and_every_stage_counts_them() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = shown(dir.path());
    files(dir.path(), PROJECT);
    let forward = json(&["run", root]);
    let read = metrics(&forward, "ingest", 1);
    assert_eq!((&read["source"], &read["consent_unreadable"]), (&value!("web"), &value!(2)));
    assert_eq!(read["warnings"][0]["code"], "TL135");
    check_removed(&forward, "link", &[("events with several identifiers", [10, 2, 0, 1])]);
    check_removed(&forward, "journeys", &[("touches", [6, 1, 1, 1]), ("conversions", [4, 1, 1, 1])]);
    let journeys = metrics(&forward, "journeys", 0);
    assert_eq!((&journeys["converting"], &journeys["touches"]["no_consent"]), (&value!(1), &value!(1)));

    write(dir.path(), "throughline.yaml", format!("{PROJECT}privacy: {{ withdrawal: recompute }}\n"));
    let recompute = json(&["run", root]);
    check_removed(&recompute, "link", &[("events with several identifiers", [10, 2, 0, 3])]);
    check_removed(&recompute, "journeys", &[("touches", [6, 1, 1, 2]), ("conversions", [4, 1, 1, 1])]);
    let page = std::fs::read_to_string(dir.path().join(".throughline/runs/2/report.html")).expect("a page");
    assert!(page.contains("events with several identifiers") && page.contains("Nothing said"));

    write(dir.path(), "throughline.yaml", format!("{PROJECT}privacy: {{ withdrawal: sideways }}\n"));
    refused(&["check", root], &["throughline.yaml", "sideways", "recompute"]);
}

#[test]
fn the_report_says_what_stands_and_where_sources_contradict() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = shown(dir.path());
    files(dir.path(), PROJECT);
    assert_eq!(json(&["consent", "report", root])["people"], 0, "nothing was run yet");
    succeed(&["run", root]);
    let report = json(&["consent", "report", root]);
    assert_eq!((&report["people"], &report["events"]), (&value!(4), &value!(12)));
    let of = |purpose: &str| {
        let all = report["purposes"].as_array().expect("purposes");
        all.iter().find(|p| p["purpose"] == purpose).expect("the purpose").clone()
    };
    let measurement = of("measurement");
    assert_eq!(measurement["people"], value!({ "granted": 1, "denied": 2, "unknown": 1 }));
    assert_eq!((&measurement["conflicts"], &measurement["withdrawn"]), (&value!(1), &value!(1)));
    assert_eq!(of("linking")["people"], value!({ "granted": 2, "denied": 1, "unknown": 1 }));
    let conflict = &report["conflicts"][0];
    let expect = value!({ "purpose": "measurement", "granted_by": "web", "denied_by": "centre", "people": 1,
                          "grant_is_later": 1 });
    assert_eq!(*conflict, expect);
    let days: Vec<String> = report["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|c| format!("{} {} {}", c["day"], c["purpose"], c["withdrawn"]).replace('"', ""))
        .collect();
    assert_eq!(days, ["2026-03-05 measurement 1", "2026-03-09 linking 1"]);
    let centre = &report["sources"][0];
    assert_eq!((&centre["source"], &centre["people"]), (&value!("centre"), &value!(2)));
    assert_eq!(centre["purposes"][0]["coverage"]["value"], 0.5);
    assert_eq!(report["activation"], value!([]));
    assert!(report["removed"].as_array().is_some_and(|r| r.iter().any(|r| r["stage"] == "journeys")));
    let text = succeed(&["consent", "report", root]);
    for part in ["4 people, 12 events; withdrawals work forward", "denied by (wins)", "no destinations", "2026-03-05"] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

/// In the demo: whoever may be activated is whom the decisions and deliveries treat so.
#[test]
fn the_demo_activates_only_whom_the_report_permits() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("demo");
    let root = shown(&root);
    succeed(&["init", root, "--example", "demo", "--people", "800"]);
    std::fs::remove_dir_all(dir.path().join("demo/approvals")).expect("the rule");
    let run = json(&["run", root]);
    let report = json(&["consent", "report", root]);
    let gate = &report["activation"][0];
    let count = |value: &Value| value.as_u64().expect("a count");
    let people = &gate["people"];
    let (granted, denied, unknown) = (count(&people["granted"]), count(&people["denied"]), count(&people["unknown"]));
    assert_eq!(granted + denied + unknown, count(&report["people"]));
    assert!(granted > 0 && denied > 0 && unknown > 0 && count(&gate["reachable"]) <= granted, "{gate}");
    let decided = metrics(&run, "decide", 0);
    let excluded = &decided["removed_by_consent"][0];
    assert_eq!(excluded["considered"], decided["people"]);
    assert_eq!((count(&excluded["denied"]), count(&excluded["unknown"])), (denied, unknown));
    let sent = count(&metrics(&run, "activate", 0)["fates"]["to_send"]);
    assert!(sent > 0 && sent <= count(&gate["reachable"]), "{sent} sent, {gate}");
    let labels = &metrics(&run, "prove", 0)["removed_by_consent"];
    assert_eq!(labels[0]["what"], "assignments");
    assert!(count(&labels[0]["denied"]) + count(&labels[0]["withdrawn"]) > 0, "{labels}");
}

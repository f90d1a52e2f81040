//! A project of vendors' exports, a source of five lines each.

use serde_json::Value;

use crate::support::{json, shown, succeed};

/// The ingest unit of a source.
fn unit<'r>(report: &'r Value, source: &str) -> &'r Value {
    let stages = report["stages"].as_array().expect("stages");
    let ingest = stages.iter().find(|s| s["name"] == "ingest").expect("the stage");
    let units = ingest["units"].as_array().expect("units");
    units.iter().find(|u| u["metrics"]["source"] == source).expect("a unit of the source")
}

#[test]
fn exports_of_six_vendors_become_events_and_a_rule_of_channels_recomputes_who_asks() {
    let dir = tempfile::tempdir().expect("a folder");
    let folder = dir.path().join("shop");
    let root = shown(&folder);
    succeed(&["init", root, "--example", "vendors", "--people", "400"]);
    let report = json(&["run", root]);
    let facts = ["web", "mail", "stores", "calls"].map(|source| (source, "events"));
    for (source, table) in facts.into_iter().chain([("google", "spend_rows"), ("meta", "spend_rows")]) {
        let metrics = &unit(&report, source)["metrics"];
        let count = |name: &str| metrics[name].as_u64().expect("a count");
        assert!(count(table) > 0 && count("events") + count("spend_rows") == count(table), "{source}: {metrics}");
    }
    let rules =
        "apiVersion: throughline/v1\nkind: Channels\nrules:\n  - { channel: retargeting, medium: retargeting }\n";
    std::fs::write(folder.join("channels.yaml"), rules).expect("written");
    let again = json(&["run", root]);
    for (source, asks) in
        [("web", true), ("calls", true), ("mail", false), ("stores", false), ("google", false), ("meta", false)]
    {
        assert_eq!(unit(&again, source)["status"] == "ran", asks, "{source}");
    }
    let text = |report: &Value| report.to_string();
    assert!(!text(&report).contains("\"retargeting\"") && text(&again).contains("\"retargeting\""));
}

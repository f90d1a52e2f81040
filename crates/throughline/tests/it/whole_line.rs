//! The examples from raw rows to receipts, and what a second run leaves alone.

use serde_json::Value;

use crate::support::{json, reference, shown, succeed};

fn metrics<'r>(report: &'r Value, stage: &str) -> &'r Value {
    let stages = report["stages"].as_array().expect("stages");
    let stage = stages.iter().find(|s| s["name"] == stage).expect("the stage");
    &stage["units"][0]["metrics"]
}

#[test]
fn demo_runs_delivers_and_explains() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("demo");
    let root = shown(&root);
    succeed(&["init", root, "--example", "demo", "--people", "700"]);
    let waiting = json(&["run", root]);
    assert_eq!(metrics(&waiting, "activate")["gate"]["state"], "waiting", "nothing leaves before people agree");
    std::fs::remove_dir_all(dir.path().join("demo/approvals")).expect("the rule");
    let report = json(&["run", root]);
    let sent = &metrics(&report, "activate")["fates"];
    assert!(sent["to_send"].as_u64().is_some_and(|n| n > 0), "{sent}");
    assert!(report["truth"]["policy"]["oracle_profit"].as_f64().is_some_and(|p| p > 0.0));
    let shown_channels = report["truth"]["channels"].as_array().map(Vec::len);
    assert!(shown_channels.is_some_and(|n| n >= 5));

    // A second run has nothing to do but to watch.
    let again = json(&["run", root]);
    for stage in again["stages"].as_array().expect("stages") {
        for unit in stage["units"].as_array().expect("units") {
            let ran = unit["status"] == "ran";
            assert_eq!(ran, stage["name"] == "observe", "{} {unit}", stage["name"]);
        }
    }

    let decision = json(&["explain", "decision", "--project", root]);
    let entity = decision["decision"]["entity_id"].as_str().expect("an entity").to_owned();
    assert!(decision["scores"].as_array().is_some_and(|s| !s.is_empty()));
    assert!(decision["evidence"].as_array().is_some_and(|s| !s.is_empty()));
    assert!(decision["deliveries"].as_array().is_some_and(|s| !s.is_empty()));
    let same = json(&["explain", "decision", &entity, "--project", root]);
    assert_eq!(same["decision"], decision["decision"]);
    let conversion = json(&["explain", "conversion", "--project", root]);
    for split in conversion["credit"].as_object().expect("models").values() {
        let total: f64 = split.as_object().expect("channels").values().filter_map(Value::as_f64).sum();
        assert!((total - 1.0).abs() < 1e-9, "{split}");
    }
    let page = std::fs::read_to_string(dir.path().join("demo/.throughline/runs/2/report.html")).expect("a page");
    assert!(page.contains("<svg") && !page.contains("NaN"));
}

#[test]
fn hillstrom_gives_the_published_effects_and_an_honest_policy_value() {
    let Some(_) = reference() else { return };
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("hillstrom");
    succeed(&["init", shown(&root), "--example", "hillstrom"]);
    let report = json(&["run", shown(&root)]);
    let reading = &metrics(&report, "prove")["experiments"][0]["reading"];
    let effect = reading["comparisons"]
        .as_array()
        .expect("comparisons")
        .iter()
        .find(|c| c["arm"] == "Mens E-Mail" && c["metric"] == "visit")
        .and_then(|c| c["estimate"]["value"].as_f64());
    assert!(effect.is_some_and(|e| (e - 0.076_590).abs() < 1e-5), "{effect:?}");
    let decided = metrics(&report, "decide");
    assert_eq!(decided["people"], Value::from(64_000));
    let constants = decided["value"]["constant_policies"].as_array().expect("policies");
    assert_eq!(constants.len(), 3);
    for policy in constants {
        let set = &policy["ips"]["set"][0];
        let value = policy["ips"]["value"].as_f64().expect("a value");
        assert!(set[0].as_f64().expect("low") < value && value < set[1].as_f64().expect("high"));
    }
    let fates = &metrics(&report, "activate")["fates"];
    assert!(fates["to_send"].as_u64().is_some_and(|n| n > 1000), "{fates}");
}

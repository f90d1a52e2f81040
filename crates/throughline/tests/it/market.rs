//! Simulated markets from the command line.

use serde_json::Value;

use crate::support::{refused, shown, succeed};

#[test]
fn a_market_is_written_in_every_shape_and_equal_seeds_give_equal_bytes() {
    let dir = tempfile::tempdir().expect("a folder");
    let make = |name: &str, threads: &str| {
        let out = dir.path().join(name);
        let shapes = "project,vendors,events";
        let arguments =
            ["market", "generate", "tiny", "--people", "120", "--as", shapes, "--json", "--threads", threads];
        let told: Value =
            serde_json::from_str(&succeed(&[&arguments[..], &["--out", shown(&out)]].concat())).expect("JSON");
        (out, told)
    };
    let (one, told) = make("one", "1");
    let (two, _) = make("two", "2");
    for file in [
        "data/web_orders.jsonl",
        "truth/channel_effects.csv",
        "vendors/google_ads/report.csv",
        "vendors/snowplow/events.tsv",
        "events/part-00000.parquet",
    ] {
        let bytes = |root: &std::path::Path| std::fs::read(root.join(file)).expect("a file");
        assert!(!bytes(&one).is_empty() && bytes(&one) == bytes(&two), "{file}");
    }
    let events = told["written"].as_array().and_then(|w| w.iter().find(|p| p["what"] == "events")).expect("events");
    assert!(events["events"].as_u64().is_some_and(|n| n > 1_000) && events["people"] == 120, "{told}");
}

#[test]
fn bad_scenarios_are_refused_with_line_and_reason() {
    let dir = tempfile::tempdir().expect("a folder");
    let retail = succeed(&["market", "presets", "retail"]);
    let check = |text: &str, by: &str, expect: &[&str]| {
        assert!(retail.contains(text), "{text}");
        let file = dir.path().join("mine.yaml");
        std::fs::write(&file, retail.replacen(text, by, 1)).expect("a file");
        let line = 1 + retail[..retail.find(text).expect("in the text")].lines().count();
        let place = format!("mine.yaml:{line}");
        let expect = [&[place.as_str()], expect].concat();
        refused(&["market", "generate", shown(&file), "--out", shown(&dir.path().join("out"))], &expect);
    };
    check("    price_elasticity: 0.4\n", "    daily_budget: -3\n", &["TL952", "daily_budget of -3"]);
    check("    click_rate: 0.005\n", "    click_rate: 1.5\n", &["TL951", "click_rate of 1.5"]);
    check("  affiliates:\n", "  fax:\n", &["TL953", "unknown channel `fax`"]);
    check(
        "  - { first: tv, second: paid_search, effect: 0.3 }\n",
        "  - { first: tv, second: tv, effect: 0.3 }\n",
        &["TL957", "cannot act on itself"],
    );
    assert!(!dir.path().join("out").exists(), "nothing is half-written");
    let out = dir.path().join("out");
    refused(&["market", "generate", "retial", "--out", shown(&out)], &["TL052", "did you mean `retail`"]);
    refused(&["market", "generate", "large", "--out", shown(&out)], &["stream it"]);
}

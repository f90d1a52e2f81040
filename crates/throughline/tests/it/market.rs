//! Simulated markets from the command line.

use serde_json::Value;

use crate::support::{json, refused, shown, succeed};

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
    check(
        "  - { from_day: 33, days: 2, fault: { kind: double_firing, share: 0.3 } }\n",
        "  - { from_day: 33, days: 2, fault: { kind: double_firing, share: 1.3 } }\n",
        &["TL951", "incidents[1].fault.share of 1.3"],
    );
    check("  household_share: 0.35\n", "  household_share: -0.1\n", &["TL951", "household_share of -0.1"]);
    assert!(!dir.path().join("out").exists(), "nothing is half-written");
    let out = dir.path().join("out");
    refused(&["market", "generate", "retial", "--out", shown(&out)], &["TL052", "did you mean `retail`"]);
    refused(&["market", "generate", "large", "--out", shown(&out)], &["stream it"]);
}

/// The parts that every scored project has, in order.
const PARTS: [&str; 8] = ["identity", "attribution", "roi", "evidence", "uplift", "policy", "loop", "watch"];
/// Those that need a market which went on.
const LATER: [&str; 2] = ["loop", "watch"];

#[test]
fn a_run_is_held_against_the_truth_of_its_market() {
    let dir = tempfile::tempdir().expect("a folder");
    let root = dir.path().join("demo");
    let score = ["market", "score", shown(&root)];
    succeed(&["init", shown(&root), "--example", "demo", "--people", "600"]);
    refused(&score, &["TL054", "no finished run"]);
    assert!(!root.join(".throughline").exists(), "looking makes nothing");
    let report = json(&["run", shown(&root)]);

    let scored = json(&score);
    let parts = scored["parts"].as_array().expect("parts");
    assert_eq!(parts, report["truth"]["scores"].as_array().expect("scores in the report"));
    assert_eq!(parts.iter().map(|p| p["part"].as_str().expect("a name")).collect::<Vec<_>>(), PARTS);
    for part in parts {
        let later = LATER.iter().any(|name| part["part"] == *name);
        assert_eq!(part["absent"].is_string(), later, "{part}");
        for row in part["rows"].as_array().expect("rows") {
            let said = row["value"].as_f64().is_some_and(f64::is_finite) || row["note"].is_string();
            assert!(said && row["part"] == part["part"], "{row}");
        }
    }
    let value = |part: &str, name: &str, measure: &str| {
        let rows = parts.iter().find(|p| p["part"] == part).and_then(|p| p["rows"].as_array()).expect("rows");
        let row = rows.iter().find(|r| r["name"] == name && r["measure"] == measure);
        row.and_then(|r| r["value"].as_f64()).unwrap_or_else(|| panic!("no {part} {name} {measure}"))
    };
    assert!((0.5..=1.0).contains(&value("identity", "linked records", "precision")));
    assert!((0.0..=1.0).contains(&value("attribution", "markov:1", "share_error")));
    assert!(value("attribution", "last", "bias") > 0.0, "last click credits what would have come anyway");
    assert!((-1.0..=1.0).contains(&value("uplift", "email_offer", "qini")));
    assert_eq!(value("evidence", "email_offer purchase", "coverage").fract(), 0.0);
    let (profit, oracle) = (value("policy", "spring_mail", "profit"), value("policy", "spring_mail", "oracle_profit"));
    assert!((value("policy", "spring_mail", "regret") - (oracle - profit)).abs() < 1e-6);

    for form in [&[][..], &["--json"], &["--markdown"]] {
        let arguments = [&score[..], form].concat();
        let text = succeed(&arguments);
        assert_eq!(text, succeed(&arguments), "{form:?}");
        assert!(!text.contains("NaN") && PARTS.iter().all(|p| text.to_lowercase().contains(p)), "{text}");
    }
    let page = std::fs::read_to_string(root.join(".throughline/runs/1/report.html")).expect("a page");
    assert!(page.contains("<section id=\"truth\"") && !page.contains("NaN"));

    std::fs::remove_dir_all(root.join("truth")).expect("the truth");
    refused(&score, &["TL053", "it was not simulated"]);
}

#[test]
fn markets_of_several_seeds_are_scored_together_and_give_the_same_bytes() {
    let arguments = ["market", "score", "--seeds", "1", "--people", "500", "--markdown"];
    let page = succeed(&arguments);
    assert!(page.starts_with("# ") && page.contains("throughline market score --seeds 1 --people 500"), "{page}");
    for part in PARTS {
        assert!(page.to_lowercase().contains(&format!("\n## {part}\n")), "no {part} in\n{page}");
    }
    assert!(!page.contains("NaN") && page.contains("intervals hold the truth"), "{page}");
    assert_eq!(page, succeed(&arguments), "equal seeds, equal bytes");
    refused(&["market", "score", "--seeds", "0"], &["TL055", "--seeds of 0 lies outside 1 to 10000"]);
    refused(&["market", "score", "--seeds", "1", "--people", "0"], &["TL055"]);
}

#[test]
fn a_market_goes_on_with_what_was_delivered_to_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let shop = dir.path().join("shop");
    succeed(&["init", shown(&shop), "--example", "demo", "--people", "600"]);
    let told = json(&["market", "step", shown(&shop), "--days", "2", "--run", "--approve"]);
    let step = |index: usize, field: &str| told["steps"][index]["step"][field].clone();
    assert_eq!((step(0, "date"), step(1, "date")), ("2026-04-05".into(), "2026-04-06".into()));
    let sent = [0, 1].map(|i| step(i, "sent").as_u64().expect("a number"));
    assert!(sent[0] > 0 && sent[1] > 0, "approved decisions are sent on both days: {told}");
    assert_eq!(told["worth"]["sent"].as_u64(), Some(sent[0] + sent[1]));
    assert!(told["worth"]["profit"].as_f64().is_some_and(f64::is_finite));
    let project = std::fs::read_to_string(shop.join("throughline.yaml")).expect("a file");
    assert!(project.contains("as_of: 2026-04-07T00:00:00Z\n") && !project.contains("2026-04-05"), "{project}");
    // The line has seen the mails that it caused.
    let log = std::fs::read_to_string(shop.join("data/email_log-2026-04-05.csv")).expect("a day's file");
    let mails = log.lines().filter(|l| l.contains("email_sent") && l.contains(",email_")).count();
    assert!(mails as u64 >= sent[0], "{mails}");
    let audit = succeed(&["audit", "verify", shown(&shop)]);
    assert!(!audit.is_empty());
    let scores = json(&["market", "score", shown(&shop)]);
    let parts = scores["parts"].as_array().expect("parts");
    let part = |name: &str| parts.iter().find(|p| p["part"] == name).cloned().expect("a part");
    let days = part("loop")["rows"].as_array().and_then(|r| r.iter().find(|r| r["measure"] == "days").cloned());
    assert_eq!(days.expect("a row")["value"], 2.0);
    assert!(part("watch")["absent"].as_str().is_some_and(|w| w.contains("fewer than 7")), "{}", part("watch"));
    refused(&["market", "step", shown(dir.path())], &["TL056", "holds no market"]);
}

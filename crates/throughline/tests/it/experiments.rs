//! Experiments of a project: every kind of metric, adjustment and look, held against the command on a plain file.

use serde_json::Value;

use crate::sources::project;
use crate::support::{json as answered, refused, shown, succeed, write};

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop.csv
consent: \"'granted'\"
emits:
  - id: \"id\"
    kind: \"kind\"
    name: \"'mail'\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    geo: \"geo\"
    value: \"value\"
    currency: \"'EUR'\"
    properties: { arm: \"arm\" }
";

const EXPERIMENT: &str = "apiVersion: throughline/v1
kind: Experiment
name: mail
assignment: { event_name: mail, arm: \"properties['arm']\" }
arms: { letter: 1, none: 1 }
control: none
window_days: 14
metrics:
  - { name: bought, type: proportion, agg: any, where: \"kind = 'purchase'\" }
  - { name: early, type: proportion, agg: any, where: \"kind = 'purchase'\", window_days: 3 }
  - { name: spend, type: mean, agg: sum, value: value, where: \"kind = 'purchase'\", baseline_days: 28, winsorise: { value: 60 } }
  - { name: order_value, type: ratio, agg: sum, value: value, where: \"kind = 'purchase'\", per: { agg: count, where: \"kind = 'purchase'\" } }
  - { name: p75, type: quantile, quantile: 0.75, agg: sum, value: value, where: \"kind = 'purchase'\" }
  - { name: visits, type: mean, agg: count, where: \"kind = 'visit'\", lower_is_better: true, margin: { absolute: 0.5 } }
";

const SEGMENTS: &str = "segments: [{ name: region, agg: last, value: geo }]\ncorrection: holm\n";

struct Person {
    arm: &'static str,
    region: &'static str,
    before: u32,
    purchases: Vec<(u32, u32)>,
    visits: u32,
}

fn person(i: u32) -> Person {
    let hash = |k: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(k.wrapping_mul(40_503_001)) >> 13) % 100;
    let treated = i.is_multiple_of(2);
    let before = hash(1) / 3;
    let more = if treated { 12 } else { 0 };
    let mut purchases = Vec::new();
    if hash(2) < 45 + more {
        purchases.push((1 + hash(3) % 10, 10 + before + hash(4) / 4 + more));
    }
    if hash(5) < 20 {
        purchases.push((2 + hash(6) % 11, 15 + hash(7) / 3));
    }
    let region = if hash(8) < 40 { "north" } else { "south" };
    Person { arm: if treated { "letter" } else { "none" }, region, before, purchases, visits: hash(9) % 4 }
}

/// The people as events of a shop, and as one row each.
fn files(people: u32) -> (String, String) {
    let mut events = "id,kind,at,email,geo,value,arm\n".to_owned();
    let mut rows = "arm,region,bought,early,spend,before,orders,total,visits\n".to_owned();
    for i in 0..people {
        let Person { arm, region, before, purchases, visits } = person(i);
        let mut event = |what: &str, kind: &str, at: &str, value: &str, arm: &str| {
            events.push_str(&format!("{what}{i},{kind},{at},p{i}@a.example,{region},{value},{arm}\n"));
        };
        event("a", "assignment", "2026-02-01T00:00:00Z", "", arm);
        event("old", "purchase", "2025-12-01T00:00:00Z", "99", "");
        event("b", "purchase", "2026-01-20T00:00:00Z", &before.to_string(), "");
        for (k, (day, value)) in purchases.iter().enumerate() {
            event(&format!("p{k}-"), "purchase", &format!("2026-02-{:02}T12:00:00Z", day + 1), &value.to_string(), "");
        }
        for k in 0..visits {
            event(&format!("v{k}-"), "visit", &format!("2026-02-{:02}T09:00:00Z", 3 + k), "", "");
        }
        let total: u32 = purchases.iter().map(|(_, v)| v).sum();
        let early = purchases.iter().any(|(day, _)| *day < 3);
        let bought = u32::from(!purchases.is_empty());
        let (early, spend) = (u32::from(early), total.min(60));
        rows.push_str(&format!(
            "{arm},{region},{bought},{early},{spend},{before},{},{total},{visits}\n",
            purchases.len()
        ));
    }
    (events, rows)
}

fn reading(root: &str, run: u32) -> Value {
    let report = std::fs::read_to_string(format!("{root}/.throughline/runs/{run}/report.json")).expect("a report");
    let report: Value = serde_json::from_str(&report).expect("JSON");
    let stages = report["stages"].as_array().expect("stages");
    let prove = stages.iter().find(|s| s["name"] == "prove" || s["stage"] == "prove").expect("prove");
    prove["units"][0]["metrics"]["experiments"][0]["reading"].clone()
}

fn estimate(of: &Value) -> [f64; 4] {
    let e = &of["estimate"];
    let ends = e["interval"].as_array().or(e["set"][0].as_array()).unwrap_or_else(|| panic!("{e}"));
    let number = |v: &Value| v.as_f64().unwrap_or_else(|| panic!("{e}"));
    [number(&e["value"]), number(&ends[0]), number(&ends[1]), number(&e["p_value"])]
}

#[test]
fn a_project_reads_what_the_command_reads() {
    let (events, rows) = files(600);
    let experiment = [EXPERIMENT, SEGMENTS].concat();
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", &events),
        ("experiments/mail.yaml", &experiment),
        ("rows.csv", &rows),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let told = reading(root, 1);
    let file = dir.path().join("rows.csv");
    let flags = [
        "--metric",
        "bought",
        "--metric",
        "early",
        "--metric",
        "spend",
        "--cuped",
        "spend=before",
        "--ratio",
        "order_value=total/orders",
        "--quantile",
        "total@0.75",
        "--metric",
        "visits",
        "--lower-is-better",
        "visits",
        "--margin",
        "visits=0.5",
        "--segment",
        "region",
        "--correction",
        "holm",
    ];
    let base = ["experiment", "read", shown(&file), "--assignment", "arm", "--control", "none"];
    let asked = answered(&[&base[..], &flags].concat());
    for (metric, column) in [
        ("bought", "bought"),
        ("early", "early"),
        ("spend", "spend"),
        ("order_value", "order_value"),
        ("p75", "total@0.75"),
        ("visits", "visits"),
    ] {
        let of = |answer: &Value, name: &str| {
            let all = answer["comparisons"].as_array().expect("comparisons");
            all.iter().find(|c| c["metric"] == name).unwrap_or_else(|| panic!("{name}: {answer}")).clone()
        };
        let (project, command) = (of(&told, metric), of(&asked, column));
        let (a, b) = (estimate(&project), estimate(&command));
        assert!(
            a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-9),
            "{metric}: {a:?} in the project, {b:?} by the command"
        );
        assert_eq!(project["variance_reduction"].is_null(), metric != "spend", "{project}");
        assert_eq!(project["non_inferiority"]["shown"], command["non_inferiority"]["shown"], "{metric}");
    }
    assert_eq!(told["segments"].as_array().map(Vec::len), Some(6), "{}", told["segments"]);
    assert_eq!(told["segments"][0]["effects"].as_array().map(Vec::len), Some(2));
    let list = answered(&["evidence", "list", root]);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(6), "one record a metric");
}

#[test]
fn looks_are_those_of_the_plan() {
    let (events, _) = files(300);
    let planned = "sequential: { method: group_sequential, planned_units: 400, fractions: [0.5, 1.0], spending: obrien-fleming }\n";
    let experiment = [EXPERIMENT, planned].concat();
    let dir =
        project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &events), ("experiments/mail.yaml", &experiment)]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let first = reading(root, 1);
    let people =
        |r: &Value| r["arms"].as_array().expect("arms").iter().filter_map(|a| a["units"].as_u64()).sum::<u64>();
    assert_eq!(people(&first), 200, "the first look reads the first 200 people, whoever came since");
    assert!(
        first["comparisons"][0]["estimate"]["method"].as_str().is_some_and(|m| m.ends_with("_repeated")),
        "{first}"
    );
    write(dir.path(), "experiments/mail.yaml", experiment.replace("400", "4000"));
    succeed(&["run", root, "--quiet"]);
    let early = reading(root, 2);
    let why = early["comparisons"][0]["estimate_absent"].as_str().expect("a reason");
    assert!(
        why.contains("the first look is due at 2000 people") && early["comparisons"][0]["estimate"].is_null(),
        "{early}"
    );
    assert!(early["arms"][0]["metrics"][0]["mean"].is_null(), "nothing may be seen before its look: {early}");
}

#[test]
fn people_with_two_arms_stay_in_their_first_and_are_counted() {
    let (mut events, _) = files(200);
    for i in 0..20 {
        events.push_str(&format!("again{i},assignment,2026-02-02T00:00:00Z,p{i}@a.example,north,,none\n"));
    }
    let dir =
        project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &events), ("experiments/mail.yaml", EXPERIMENT)]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let told = reading(root, 1);
    assert_eq!(
        (&told["checks"]["crossover"]["crossed"], &told["checks"]["crossover"]["units"]),
        (&10.into(), &200.into())
    );
    assert_eq!(told["health"], "suspect");
    assert!(told["diagnostics"].to_string().contains("TL322"), "{}", told["diagnostics"]);
}

#[test]
fn settings_that_contradict_each_other_are_refused_where_they_stand() {
    let dir =
        project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &files(4).0), ("experiments/mail.yaml", EXPERIMENT)]);
    let root = shown(dir.path());
    for (from, to, said) in [
        ("quantile: 0.75, ", "", "`type: quantile` and `quantile` go together"),
        ("quantile: 0.75", "quantile: 75", "`type: quantile` and `quantile` go together"),
        (", per: { agg: count, where: \"kind = 'purchase'\" }", "", "`type: ratio` and `per` go together"),
        ("window_days: 3", "window_days: 30", "its window is not within the experiment's 14 days"),
        ("margin: { absolute: 0.5 }", "margin: { absolute: -1 }", "non-inferiority margin"),
        ("control: none", "control: none\nsequential: { method: msprt, expected_effect: 0 }", "expected effect"),
        (
            "control: none",
            "control: none\nsequential: { method: group_sequential, planned_units: 9, fractions: [1], spending: pokok }",
            "did you mean `pocock`?",
        ),
        (
            "control: none",
            "control: none\ncovariates: [{ name: region, agg: last, value: geo }]",
            "covariates are numbers",
        ),
        (
            "control: none",
            "control: none\nstrata: { name: spend, agg: last, value: geo }",
            "the name `spend` is used twice",
        ),
        (
            "control: none",
            "control: none\ncovariates: [{ name: visits_before, agg: count }]",
            "CUPED and regression adjustment cannot be combined",
        ),
    ] {
        assert!(EXPERIMENT.contains(from), "{from}");
        write(dir.path(), "experiments/mail.yaml", EXPERIMENT.replacen(from, to, 1));
        refused(&["check", root], &["experiments/mail.yaml", said]);
    }
}

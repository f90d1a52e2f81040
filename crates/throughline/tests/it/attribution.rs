//! Credit in a project: drawn over persons, broken down, scaled to evidence, compared and reconciled.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::identity::{person, source};
use crate::sources::project;
use crate::support::{json as answered, refused, shown, succeed, write};

const SHOP: &str = "apiVersion: throughline/v1
kind: Source
name: shop
connector: csv
location: data/shop.csv
consent: \"consent\"
emits:
  - id: \"id\"
    kind: \"kind\"
    occurred_at: \"at\"
    subjects: { email: \"email\" }
    channel: \"channel\"
    campaign: \"campaign\"
    geo: \"geo\"
    value: \"value\"
    currency: \"'EUR'\"
    properties: { order: \"order\", tier: \"case when geo = 'north' then 'gold' end\" }
";

const ADS: &str = "apiVersion: throughline/v1
kind: Source
name: ads
connector: csv
location: data/ads.csv
emits:
  - table: spend
    id: \"day || '/' || campaign\"
    date: \"day\"
    channel: \"'search'\"
    campaign: \"campaign\"
    cost: \"cost\"
    currency: \"'EUR'\"
    reported_conversions: \"reported\"
    reported_value: \"worth\"
";

const ATTRIBUTION: &str = "apiVersion: throughline/v1
kind: Attribution
models: [linear, last, \"path:markov:1\", \"markov:1\", \"time_decay:7d\"]
journeys: { lookback_days: 30, unit: touch, touch_kinds: [click, impression] }
bootstrap: { draws: 50 }
segments:
  - { name: tier, value: \"properties['tier']\" }
";

const HEAD: &str = "id,kind,at,email,channel,campaign,geo,value,order,consent\n";
const GRANTED: &str = "measurement=granted;linking=granted";

/// Rows of a shop: `person kind day channel campaign value order consent`, `-` for nothing.
fn rows(lines: &str) -> String {
    let mut out = HEAD.to_owned();
    for (i, line) in lines.lines().map(str::trim).filter(|l| !l.is_empty()).enumerate() {
        let words: Vec<&str> = line.split_whitespace().map(|w| if w == "-" { "" } else { w }).collect();
        let [person, kind, day, channel, campaign, value, order, consent] = words[..] else { panic!("{line}") };
        let geo = if person.ends_with(['1', '2']) { "north" } else { "south" };
        let consent = if consent.is_empty() { GRANTED } else { consent };
        out.push_str(&format!("e{i},{kind},2026-02-{day}T10:00:00Z,{person}@a.example,{channel},{campaign},{geo},{value},{order},{consent}\n"));
    }
    out
}

fn many() -> String {
    let mut lines = String::new();
    for i in 1..=60 {
        let (channel, other) = if i % 3 == 0 { ("social", "search") } else { ("search", "email") };
        lines.push_str(&format!("p{i} click 02 {channel} c{} - - -\n", i % 4));
        lines.push_str(&format!("p{i} click 05 {other} d{} - - -\n", i % 2));
        if i % 4 != 0 {
            lines.push_str(&format!("p{i} purchase 07 - - {} o{i} -\n", 10 + i));
        }
        if i % 10 == 1 {
            lines.push_str(&format!("p{i} refund 09 - - 5 o{i} -\n"));
        }
    }
    rows(&lines)
}

fn asked(root: &str, sql: &str) -> Vec<Value> {
    let told = succeed(&["query", root, sql, "--format", "json"]);
    serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {told}"))
}

#[test]
fn cells_tie_out_by_model_day_and_dimension() {
    let dir = project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &many()), ("attribution.yaml", ATTRIBUTION)]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let total = &asked(root, "SELECT count(*) AS n, sum(value_micros) AS v FROM journeys WHERE converted")[0];
    let (n, v) = (total["n"].as_f64().expect("a count"), total["v"].as_f64().expect("a sum") / 1e6);
    assert_eq!(n, 45.0);
    // 45 orders of 10 + i, less 5 for each of the refunded ones that were bought.
    let cells = asked(
        root,
        "SELECT model, dimension, item, channel, conversions, value, conversions_low, conversions_high FROM credit_cells",
    );
    for model in ["linear", "last", "path:markov:1", "time_decay:7d"] {
        for dimension in ["campaign", "geo", "device", "cohort", "day", "month", "segment:tier"] {
            let of: Vec<&Value> = cells.iter().filter(|c| c["model"] == model && c["dimension"] == dimension).collect();
            let sum = |name: &str| of.iter().filter_map(|c| c[name].as_f64()).sum::<f64>();
            assert!(
                (sum("conversions") - n).abs() < 1e-6 && (sum("value") - v).abs() < 1e-6,
                "{model} {dimension}: {of:?}"
            );
            assert!(of.iter().all(|c| c["conversions_low"].as_f64() <= c["conversions"].as_f64()));
        }
    }
    assert!(cells.iter().all(|c| c["model"] != "markov:1"), "a model of totals does not split paths");
    let method = asked(root, "SELECT DISTINCT interval_method FROM credits");
    assert_eq!(method[0]["interval_method"], "poisson bootstrap over persons, 50 draws");
    let outcomes = asked(
        root,
        "SELECT value_micros FROM journeys WHERE conversion_event_id IS NOT NULL ORDER BY value_micros LIMIT 1",
    );
    assert_eq!(outcomes[0]["value_micros"], 6_000_000, "the order of 11 of which 5 were given back");
    let told = answered(&["explain", "conversion", "--project", root]);
    assert!(told["identity"]["links"].is_array() && told["credit"]["linear"].is_object(), "{told}");
}

/// `attribution show` with more options.
fn part(root: &str, options: &[&str]) -> Value {
    let told = answered(&[&["attribution", "show", root], options].concat());
    told["parts"][0].clone()
}

/// Credit by model and channel of a part.
fn credit_of(part: &Value) -> BTreeMap<(String, String), f64> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list(&part["models"])
        .iter()
        .flat_map(|m| list(&m["channels"]).into_iter().map(|c| (name(&m["model"]), c)).collect::<Vec<_>>())
        .map(|(model, c)| ((model, name(&c["channel"])), c["conversions"]["value"].as_f64().expect("a number")))
        .collect()
}

#[test]
fn parts_of_credit_add_up_to_the_whole() {
    let dir = project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &many()), ("attribution.yaml", ATTRIBUTION)]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let whole = part(root, &[]);
    let all = credit_of(&whole);
    assert_eq!(all.len(), 4 * 3, "four models split paths over three channels: {all:?}");
    assert_eq!(whole["without_parts"][0], "markov:1");
    assert_eq!(whole["conversions"], 45.0);
    assert_eq!(whole["filters"]["segments"][0], "tier=gold");
    // Whoever ends in 1 or 2 lives in the north, and is gold; the others have no tier.
    let (north, south) = (part(root, &["--geo", "north"]), part(root, &["--geo", "south"]));
    assert!(north["conversions"].as_f64() > Some(5.0) && south["conversions"].as_f64() > Some(5.0));
    let (n, s) = (credit_of(&north), credit_of(&south));
    for (of, credit) in &all {
        assert!((n[of] + s[of] - credit).abs() < 1e-9, "{of:?}: {} and {} are not {credit}", n[of], s[of]);
    }
    assert_eq!(credit_of(&part(root, &["--segment", "tier=gold"])), n);
    let month = part(root, &["--from", "2026-02-01", "--to", "2026-02-28"]);
    assert_eq!(credit_of(&month), all);
    let none = part(root, &["--device", "sundial"]);
    assert_eq!((none["journeys"].clone(), none["conversions"].clone()), (0.into(), 0.0.into()));
    assert!(credit_of(&none).values().all(|c| *c == 0.0));
    refused(&["attribution", "show", root, "--from", "soon"], &["TL458", "2026-03-01"]);
    let text = succeed(&["attribution", "show", root, "--geo", "north"]);
    assert!(text.contains("credit of totals has no parts: markov:1"), "{text}");
    write(dir.path(), "attribution.yaml", ATTRIBUTION.replace("properties['tier']", "nowhere"));
    refused(&["check", root], &["TL457", "nowhere"]);
}

#[test]
fn one_more_unit_of_spend_is_read_from_days() {
    // 60 days: the shop spends 10 or 20, and each 10 brings two clicks that buy.
    let (mut shop, mut ads) = (HEAD.to_owned(), "day,campaign,cost,reported,worth\n".to_owned());
    let mut number = 0;
    for day in 0..60 {
        let date = format!("2026-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
        let tens = if (day * day + day / 3) % 2 == 0 { 1 } else { 2 };
        ads.push_str(&format!("{date},brand,{},0,0\n", 10 * tens));
        for _ in 0..2 * tens {
            number += 1;
            for (kind, hour, channel, value) in [("click", "10", "search", ""), ("purchase", "11", "", "30")] {
                let at = format!("{date}T{hour}:00:00Z");
                shop.push_str(&format!(
                    "{kind}{number},{kind},{at},q{number}@a.example,{channel},,north,{value},,{GRANTED}\n"
                ));
            }
        }
    }
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("sources/ads.yaml", ADS),
        ("data/shop.csv", &shop),
        ("data/ads.csv", &ads),
        ("attribution.yaml", ATTRIBUTION),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let told = asked(
        root,
        "SELECT model, marginal_conversions AS c, marginal_value AS v, marginal_absent AS why FROM credits WHERE channel = 'search'",
    );
    for row in &told {
        if row["model"] == "markov:1" {
            assert!(row["c"].is_null() && row["why"].as_str().is_some_and(|w| w.contains("path:MODEL")), "{row}");
            continue;
        }
        assert!((row["c"].as_f64().expect("a slope") - 0.2).abs() < 1e-9, "{row}");
        assert!((row["v"].as_f64().expect("a slope") - 6.0).abs() < 1e-7, "{row}");
    }
    let shown = part(root, &[]);
    let linear = &shown["models"][0]["channels"][0]["marginal"];
    let cost = linear["cost_per_conversion"]["number"]["value"].as_f64();
    assert!(cost.is_some_and(|c| (c - 5.0).abs() < 1e-6), "{linear}");
}

const STUDY: &str = "apiVersion: throughline/v1
kind: Study
name: pause
command: panel
file: data/regions.csv
options: { unit: region, time: week, outcome: sales, treatment: search, method: did }
evidence: { action: search, metric: orders, from: 2026-02-01, to: 2026-02-27 }
";

const INCREMENTAL: &str = "incremental:
  model: linear
  evidence:
    - { source: pause, metric: orders, channel: search, conversions_per_unit: 4 }
";

fn regions() -> String {
    let mut text = String::from("region,week,sales,search\n");
    for region in 0..20_u32 {
        for week in 1..=8_u32 {
            let search = u32::from(region < 10 && week >= 5);
            let wobble = f64::from((region * 7 + week * 13) % 11) / 10.0;
            text.push_str(&format!("r{region},{week},{},{search}\n", 50.0 + wobble + 3.0 * f64::from(search)));
        }
    }
    text
}

#[test]
fn credit_is_scaled_to_evidence_that_somebody_answers_for() {
    let attribution = [ATTRIBUTION, INCREMENTAL].concat();
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", &many()),
        ("attribution.yaml", &attribution),
        ("studies/pause.yaml", STUDY),
        ("data/regions.csv", &regions()),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let scaled = "SELECT channel, conversions, support, evidence_tier FROM credits WHERE model = 'incremental:linear'";
    let before = asked(root, scaled);
    assert!(
        !before.is_empty() && before.iter().all(|r| r["conversions"].is_null()),
        "no evidence, no number: {before:?}"
    );
    let report = std::fs::read_to_string(dir.path().join(".throughline/runs/1/report.json")).expect("a report");
    assert!(report.contains("TL009"), "and the report says so");
    let list = answered(&["evidence", "list", root]);
    let id = list["items"][0]["record"]["id"].as_str().expect("an id").to_owned();
    succeed(&["evidence", "approve", &id, root, "--by", "ada", "--reason", "nothing else happened"]);
    succeed(&["run", root, "--quiet"]);
    let after = asked(root, scaled);
    let of = |channel: &str| {
        after.iter().find(|r| r["channel"] == channel).unwrap_or_else(|| panic!("{channel}: {after:?}"))
    };
    // Three more orders a unit, four of which the whole experiment has: near 12, drawn a little to what is usual.
    let search = of("search")["conversions"].as_f64().expect("a number");
    assert!((search - 12.0).abs() < 1.0, "{search}");
    assert!(of("search")["support"].as_str().is_some_and(|s| s.starts_with("own")));
    assert_eq!(of("email")["support"], "population");
    let sum: f64 = after.iter().filter_map(|r| r["conversions"].as_f64()).sum();
    assert!((sum - 45.0).abs() < 1e-6, "with the baseline all conversions are there: {sum}");
    let shown_record = succeed(&["evidence", "show", &id, root]);
    assert!(shown_record.contains("credits of purchase are scaled to it"), "{shown_record}");
    for (from, to, said) in [
        ("model: linear", "model: \"markov:1\"", "write it as `path:MODEL`"),
        ("conversions_per_unit: 4", "conversions_per_unit: 0", "conversions_per_unit is 0"),
    ] {
        write(dir.path(), "attribution.yaml", attribution.replace(from, to));
        refused(&["check", root], &["TL006", said]);
    }
}

const PLATFORMS: &str = "platforms:
  - { name: ads, sources: [ads], channels: [search], conversion: purchase, click_days: 7, view_days: 0, dated_by: conversion, counts: one }
";

#[test]
fn what_a_platform_reports_is_explained_line_by_line() {
    let shop = rows(
        "a click 01 search s - - -
         a click 02 email e - - -
         a purchase 03 - - 100 o1 -
         b click 01 search s - - -
         b purchase 20 - - 50 o2 -
         c impression 04 search s - - -
         c purchase 05 - - 10 o3 -
         d click 06 search s - - measurement=denied;linking=granted
         d purchase 07 - - 20 o4 -",
    );
    let ads = "day,campaign,cost,reported,worth\n2026-02-01,s,10,1,100\n2026-02-25,s,10,2.5,300\n";
    let attribution = [ATTRIBUTION, PLATFORMS].concat();
    let dir = project(&[
        ("sources/shop.yaml", SHOP),
        ("data/shop.csv", &shop),
        ("sources/ads.yaml", ADS),
        ("data/ads.csv", ads),
        ("attribution.yaml", &attribution),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let told = answered(&["attribution", "reconcile", root]);
    let bridge = &told[0];
    let lines: Vec<(String, f64)> = bridge["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .map(|l| {
            (
                l["cause"].as_str().expect("a cause").to_owned(),
                l["difference"]["conversions_micros"].as_f64().expect("a number") / 1e6,
            )
        })
        .collect();
    let of = |cause: &str| lines.iter().find(|l| l.0 == cause).map(|l| l.1).expect("the line");
    assert_eq!(bridge["ours"]["conversions_micros"], 2_500_000, "half of a, all of b and c: {bridge}");
    assert_eq!(of("credit"), 0.5, "the platform claims all of a");
    assert_eq!(of("window"), -1.0, "b clicked nineteen days before");
    assert_eq!(of("view_through"), -1.0, "c only saw it");
    assert_eq!(of("consent"), 1.0, "d did not permit us to measure");
    assert_eq!(of("identity"), 1.5, "{lines:?}");
    assert_eq!(bridge["reported"]["conversions_micros"], 3_500_000);
    let text = succeed(&["attribution", "reconcile", root, "--model", "last"]);
    assert!(text.contains("view_through") && text.contains("reported"), "{text}");
    refused(&["attribution", "reconcile", root, "--model", "markov:1"], &["TL008", "path:MODEL"]);
    write(dir.path(), "attribution.yaml", attribution.replace("click_days: 7", "click_days: -1"));
    refused(&["check", root], &["TL006", "click_days"]);
}

#[test]
fn two_configurations_are_compared_on_the_same_people() {
    let dir = project(&[("sources/shop.yaml", SHOP), ("data/shop.csv", &many()), ("attribution.yaml", ATTRIBUTION)]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    write(dir.path(), "short.yaml", ATTRIBUTION.replace("lookback_days: 30", "lookback_days: 3"));
    let (first, second) = (dir.path().join("attribution.yaml"), dir.path().join("short.yaml"));
    let told = answered(&["attribution", "compare", shown(&first), shown(&second), root]);
    let rule = |side: &str, rule: &str| told[side]["journeys"]["touches"][rule].as_u64().unwrap_or(0);
    assert_eq!((rule("left", "outside_lookback"), rule("right", "outside_lookback")), (0, 45), "{told}");
    let ids = |side: &str| told[side]["journeys"]["config_ids"]["purchase"].clone();
    assert_ne!(ids("left"), ids("right"));
    let credits = told["credits"].as_array().expect("credits");
    let social = credits.iter().find(|c| c["model"] == "linear" && c["channel"] == "social").expect("social");
    assert!(social["left"].as_f64() > Some(5.0) && social["right"] == 0.0, "{social}");
    assert!(social["difference"]["set"][0][1].as_f64() < Some(0.0), "{social}");
    let last = credits.iter().filter(|c| c["model"] == "last");
    assert!(last.into_iter().all(|c| c["difference"]["value"] == 0.0), "the last touch is within three days");
    let versions = asked(root, "SELECT count(*) AS n FROM journeys");
    assert_eq!(versions.len(), 1, "nothing of it is published");
    refused(&["attribution", "compare", shown(&first), "nowhere.yaml", root], &["nowhere.yaml"]);
}

#[test]
fn not_knowing_who_is_whom_widens_intervals_and_is_told() {
    let head = "number,value,first,last,born,street,city,channel\n";
    let row = |number: String, i: usize, mistyped: bool| {
        // Some people moved and married between the two sources: whether they are one is uncertain.
        let mut told = person(i, mistyped);
        if mistyped && i.is_multiple_of(4) {
            let mut parts: Vec<&str> = told.split(',').collect();
            (parts[1], parts[3]) = ("newname", "1 elsewhere");
            told = parts.join(",");
        }
        format!("{number},{},{told},{}\n", 10 + i, ["search", "social", "email"][i % 3])
    };
    let site: String = (0..240).map(|i| row(format!("c{i}"), i, false)).collect();
    let till: String = (0..300).filter(|i| i % 2 == 0 || *i >= 240).map(|i| row(format!("l{i}"), i, true)).collect();
    let clicks =
        source("site", "crm", "click", "'granted'", "").replace("    value:", "    channel: channel\n    value:");
    let clicks = clicks.replace("2026-03-01T10", "2026-03-01T09");
    let dir = project(&[
        ("sources/site.yaml", &clicks),
        ("sources/till.yaml", &source("till", "loyalty", "purchase", "'granted'", "")),
        ("data/site.csv", &format!("{head}{site}")),
        ("data/till.csv", &format!("{head}{till}")),
        (
            "identity.yaml",
            "apiVersion: throughline/v1\nkind: Identity\nmatching: { one_record_per_person: [site, till] }\n",
        ),
        ("attribution.yaml", "apiVersion: throughline/v1\nkind: Attribution\nmodels: [linear]\n"),
    ]);
    let root = shown(dir.path());
    succeed(&["run", root, "--quiet"]);
    let credits = "SELECT channel, conversions, conversions_low, conversions_high, identity_share, identity_share_low, interval_method FROM credits";
    let with = asked(root, credits);
    assert_eq!(with.len(), 3, "{with:?}");
    assert!(
        with[0]["interval_method"].as_str().is_some_and(|m| m.ends_with("200 draws, 20 identity graphs")),
        "{with:?}"
    );
    assert!(with.iter().any(|r| r["identity_share"].as_f64() > Some(0.0)), "{with:?}");
    assert!(with.iter().all(|r| r["identity_share_low"].as_f64() <= r["identity_share"].as_f64()));
    let plain = "apiVersion: throughline/v1\nkind: Attribution\nmodels: [linear]\nbootstrap: { identity_graphs: 0 }\n";
    write(dir.path(), "attribution.yaml", plain);
    succeed(&["run", root, "--quiet"]);
    let without = asked(root, credits);
    let width = |rows: &[Value]| -> f64 {
        rows.iter()
            .map(|r| r["conversions_high"].as_f64().expect("an end") - r["conversions_low"].as_f64().expect("an end"))
            .sum()
    };
    assert!(width(&with) > width(&without), "{} against {}", width(&with), width(&without));
    assert!(without.iter().all(|r| r["identity_share"].is_null()), "{without:?}");
    let value = |rows: &[Value]| rows.iter().map(|r| r["conversions"].clone()).collect::<Vec<_>>();
    assert_eq!(value(&with), value(&without), "the graph in use stays the estimate");
}

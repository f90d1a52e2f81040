//! scikit-uplift's numbers on the Hillstrom test (64,000 customers), women's e-mail against none, outcome visit.

use std::path::PathBuf;

use serde_json::Value;
use throughline_core::Level;
use throughline_uplift::{RankingVerdict, Scored, evaluate};

struct Hillstrom {
    visit: Vec<f64>,
    treated: Vec<bool>,
    history: Vec<f64>,
    recency: Vec<f64>,
    womens: Vec<f64>,
    oracle: Value,
}

fn folder() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    PathBuf::from(std::env::var("THROUGHLINE_REFERENCE").unwrap_or_else(|_| default.to_owned())).join("hillstrom")
}

/// The two arms of the comparison, or `None` (said in the output) where the reference data is absent.
#[expect(clippy::print_stderr, reason = "a test that has nothing to read says so")]
fn load() -> Option<Hillstrom> {
    let folder = folder();
    let Ok(text) = std::fs::read_to_string(folder.join("qini_oracle.json")) else {
        eprintln!("reference data absent: {} (set THROUGHLINE_REFERENCE)", folder.display());
        return None;
    };
    let mut data = Hillstrom {
        visit: Vec::new(),
        treated: Vec::new(),
        history: Vec::new(),
        recency: Vec::new(),
        womens: Vec::new(),
        oracle: serde_json::from_str(&text).expect("JSON"),
    };
    let mut reader = csv::Reader::from_path(folder.join("hillstrom.csv")).expect("the data file");
    for record in reader.records() {
        let record = record.expect("a row");
        let segment = &record[8];
        if segment == "Mens E-Mail" {
            continue;
        }
        let number = |i: usize| record[i].parse::<f64>().expect("a number");
        data.recency.push(number(0));
        data.history.push(number(2));
        data.womens.push(number(4));
        data.visit.push(number(9));
        data.treated.push(segment == "Womens E-Mail");
    }
    Some(data)
}

#[track_caller]
fn check(data: &Hillstrom, name: &str, score: &[f64], keys: &[&str]) {
    let scored = Scored::new(score, &data.treated, &data.visit).expect("scored");
    let scores = throughline_uplift::qini_scores(&scored);
    let oracle = &data.oracle[format!("Womens E-Mail|{name}")];
    assert_eq!(oracle["n"].as_f64(), Some(scored.n() as f64));
    for key in keys {
        let got = match *key {
            "qini_auc" => scores.qini_auc,
            "qini_auc_noneg" => scores.qini_auc_no_negative,
            "uplift_auc" => scores.uplift_auc,
            "at30_overall" => scores.uplift_at_30_overall,
            _ => scores.uplift_at_30_by_group,
        };
        let (got, expect) = (got.expect("defined"), oracle[*key].as_f64().expect("a number"));
        assert!((got - expect).abs() < 1e-9, "{name} {key}: {got} is not {expect}");
    }
}

#[test]
fn named_scores_equal_the_published_ones() {
    let Some(data) = load() else { return };
    let order_free = ["qini_auc", "qini_auc_noneg", "uplift_auc"];
    check(&data, "history", &data.history, &order_free);
    check(&data, "neg_recency", &data.recency.iter().map(|r| -r).collect::<Vec<_>>(), &order_free);
    check(&data, "womens", &data.womens, &order_free);
    // No two scores tie here, so that the cut at 30 % does not depend on the order of rows either.
    let row: Vec<f64> = (0..data.visit.len()).map(|i| -(i as f64)).collect();
    let all = ["qini_auc", "qini_auc_noneg", "uplift_auc", "at30_overall", "at30_bygroup"];
    check(&data, "row_index_desc", &row, &all);
}

#[test]
fn verdicts_on_the_published_rankings() {
    let Some(data) = load() else { return };
    let run = |score: &[f64]| {
        let scored = Scored::new(score, &data.treated, &data.visit).expect("scored");
        evaluate(&scored, Level::P95).expect("evaluated")
    };
    let womens = run(&data.womens);
    assert_eq!(womens.verdict, RankingVerdict::BetterThanRandom);
    let overall = womens.overall.expect("an effect");
    assert!((overall.value - 0.045_233).abs() < 1e-6 && (overall.std_error.unwrap_or(0.0) - 0.003_234).abs() < 1e-6);
    let row: Vec<f64> = (0..data.visit.len()).map(|i| -(i as f64)).collect();
    let by_row = run(&row);
    assert_eq!((by_row.verdict, by_row.tenths.len()), (RankingVerdict::InsideNoise, 10));
}

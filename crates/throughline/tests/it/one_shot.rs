//! `attribute`, `experiment read` and `verify` on plain files.

use serde_json::Value;

use crate::support::{json, reference, refused, shown, throughline, write};

#[test]
fn attribute_prints_credits_with_intervals_that_contain_them() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "p.csv", "path;conv;value;null\na > b;3;30;1\nb;1;5;4\na > c > a;2;20;0\n");
    let file = dir.path().join("p.csv");
    let answer = json(&[
        "attribute",
        shown(&file),
        "--delimiter",
        ";",
        "--path",
        "path",
        "--separator",
        " > ",
        "--conversions",
        "conv",
        "--value",
        "value",
        "--nulls",
        "null",
        "--model",
        "linear",
        "--model",
        "markov:1",
        "--model",
        "last",
    ]);
    assert_eq!(answer["totals"]["conversions"], Value::from(6.0));
    assert_eq!(answer["models"][0]["model"], Value::from("linear"));
    for model in answer["models"].as_array().expect("models") {
        let mut total = 0.0_f64;
        for credit in model["credits"].as_array().expect("credits") {
            for what in ["conversions", "value"] {
                let value = credit[what].as_f64().expect("a number");
                let interval = &credit[format!("{what}_interval")];
                let (low, high) = (interval[0].as_f64().expect("low"), interval[1].as_f64().expect("high"));
                assert!(low <= value && value <= high, "{credit}");
            }
            total += credit["conversions"].as_f64().expect("a number");
        }
        assert!((total - 6.0).abs() < 1e-9, "{model}");
        assert!(model["interval_method"].as_str().is_some_and(|m| !m.is_empty()));
    }
}

#[test]
fn attribute_refuses_with_a_way_out() {
    let dir = tempfile::tempdir().expect("a folder");
    write(dir.path(), "p.csv", "path;conv\na > b;3\n");
    write(dir.path(), "empty.csv", "");
    let file = dir.path().join("p.csv");
    let empty = dir.path().join("empty.csv");
    refused(&["attribute", shown(&file), "--model", "linear"], &["TL033", "delimiter"]);
    refused(&["attribute", shown(&file), "--delimiter", ";", "--model", "liner"], &["liner", "linear"]);
    let wrong = ["attribute", shown(&file), "--delimiter", ";", "--conversions", "con", "--model", "last"];
    refused(&wrong, &["did you mean `conv`?"]);
    refused(&["attribute", shown(&empty), "--model", "linear"], &["TL032", "empty"]);
    refused(&["attribute", "no-such.csv", "--model", "linear"], &["no-such.csv"]);
}

#[test]
fn experiment_read_prints_the_contract() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut rows = String::from("arm,bought,spend\n");
    for i in 0..400 {
        let arm = if i % 2 == 0 { "a" } else { "b" };
        let bought = u8::from(i % 10 < if i % 2 == 0 { 2 } else { 5 });
        rows.push_str(&format!("{arm},{bought},{}\n", f64::from(bought) * f64::from(i % 7)));
    }
    write(dir.path(), "units.csv", rows);
    let file = dir.path().join("units.csv");
    let base = ["experiment", "read", shown(&file), "--assignment", "arm", "--control"];
    let answer = json(&[&base[..], &["a", "--metric", "bought", "--metric", "spend"]].concat());
    assert_eq!(answer["srm"]["p_value"], Value::from(1.0));
    assert_eq!(answer["comparisons"].as_array().map(Vec::len), Some(2));
    for comparison in answer["comparisons"].as_array().expect("comparisons") {
        let e = &comparison["estimate"];
        let (low, high) = (e["interval"][0].as_f64().expect("low"), e["interval"][1].as_f64().expect("high"));
        let value = e["value"].as_f64().expect("value");
        assert!(low < value && value < high);
        let excludes_zero = low > 0.0 || high < 0.0;
        assert_eq!(excludes_zero, e["p_value"].as_f64().expect("p") < 0.05, "{e}");
    }
    refused(&[&base[..], &["none", "--metric", "bought"]].concat(), &["TL048", "arms found: a, b"]);
}

#[test]
fn verify_passes_with_at_least_twenty_checks() {
    if reference().is_none() {
        return;
    }
    let answer = json(&["verify"]);
    let checks = answer["checks"].as_array().expect("checks");
    assert!(checks.len() >= 20, "{} checks", checks.len());
    for key in ["name", "passed", "expected", "got", "difference", "source"] {
        assert!(!checks[0][key].is_null(), "{key}");
    }
    refused(&["verify", "hilstrom"], &["did you mean `hillstrom`?"]);
}

#[test]
fn verify_says_when_the_reference_is_absent() {
    let output = std::process::Command::new(crate::support::binary())
        .args(["verify", "hillstrom"])
        .env("THROUGHLINE_REFERENCE", "nowhere")
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("reference data is absent"));
    assert!(throughline(&["--version"]).status.success());
}

//! `throughline panel --method its`, `throughline coverage` and the reference group `causalimpact`.

use std::fs;
use std::path::PathBuf;

use clap::Parser;
use serde_json::Value;
use throughline_oneshot::coverage::CoverageArgs;
use throughline_oneshot::panel::PanelArgs;
use throughline_oneshot::verify::GROUPS;
use throughline_oneshot::{Answer, OneShotError};

#[derive(Debug, Parser)]
struct Panel {
    #[command(flatten)]
    args: PanelArgs,
}

#[derive(Debug, Parser)]
struct Coverage {
    #[command(flatten)]
    args: CoverageArgs,
}

fn run(file: &str, given: &str) -> Result<Answer, OneShotError> {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("series.csv");
    fs::write(&path, file).expect("a file");
    let mut words = vec!["panel".to_owned(), path.display().to_string()];
    words.extend(given.split_whitespace().map(str::to_owned));
    Panel::parse_from(words).args.run()
}

const COMMON: &str = "--time day --outcome y --method its --its-draws 300 --its-placebos 1";

/// Day, outcome, control and treatment; a jump of 30 from day 70 on. `skip` leaves days out.
fn wide(skip: impl Fn(usize) -> bool) -> String {
    let mut out = "day,y,x,on\n".to_owned();
    for t in (0..90).filter(|t| !skip(*t)) {
        let x = 10.0 + ((t * 37 % 19) as f64) / 4.0;
        let noise = ((t * 53 % 23) as f64 - 11.0) / 8.0;
        let on = u8::from(t >= 70);
        let y = 50.0 + 2.0 * x + noise + 30.0 * f64::from(on);
        out.push_str(&format!("{},{y},{x},{on}\n", 1000 + t));
    }
    out
}

fn codes(answer: &Answer) -> Vec<String> {
    let found = answer.json["diagnostics"].as_array().expect("diagnostics");
    found.iter().map(|d| d["code"].as_str().expect("a code").to_owned()).collect()
}

#[track_caller]
fn effect(answer: &Answer) -> f64 {
    let e = &answer.json["estimate"];
    let end = |i: usize| e["interval"][i].as_f64().expect("an end");
    assert!(end(0) < 30.0 && 30.0 < end(1) && e["p_value"].as_f64().expect("p") < 0.05, "{e}");
    assert!(e["std_error"].as_f64().is_some() && e["n"].as_u64().is_some(), "{e}");
    e["value"].as_f64().expect("a value")
}

#[test]
fn a_series_is_read_with_its_controls() {
    let file = wide(|_| false);
    let marked = run(&file, &format!("{COMMON} --treatment on --covariates x")).expect("an answer");
    let named = run(&file, &format!("{COMMON} --intervention 1070 --covariates x")).expect("an answer");
    assert_eq!(effect(&marked), effect(&named));
    assert!(marked.text.contains("caused an increase"), "{}", marked.text);
    let window = &marked.json["details"]["windows"][0];
    assert_eq!(window["after"]["time"].as_array().map(Vec::len), Some(20));
    assert_eq!(window["before"]["level"].as_array().map(Vec::len), Some(70));
    assert!(window["controls"][0]["inclusion"].as_f64().is_some_and(|i| i > 0.99), "{}", window["controls"]);
    let later = run(&file, &format!("{COMMON} --intervention 1070..1085 --measure-from 1075 --covariates x"));
    let design = later.expect("an answer").json["details"]["windows"][0]["design"].clone();
    assert_eq!((&design["measured_from"], &design["measured_to"]), (&"1075".into(), &"1085".into()));
    let segmented = run(&file, &format!("{COMMON} --intervention 1070 --covariates x --its-model segmented"));
    effect(&segmented.expect("an answer"));
}

#[test]
fn units_become_series_and_controls() {
    let mut file = "geo,day,y,on\n".to_owned();
    for line in wide(|_| false).lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        file.push_str(&format!("a,{},{},{}\nb,{},{},0\n", f[0], f[1], f[3], f[0], f[2]));
    }
    let long = run(&file, &format!("{COMMON} --unit geo --treatment on")).expect("an answer");
    let wide = run(&wide(|_| false), &format!("{COMMON} --treatment on --covariates x")).expect("an answer");
    assert_eq!(effect(&long), effect(&wide));
}

#[test]
fn gaps_are_named_and_not_filled() {
    let answer = run(&wide(|t| t == 30 || t == 31), &format!("{COMMON} --intervention 1070 --covariates x"));
    let answer = answer.expect("an answer");
    effect(&answer);
    assert!(codes(&answer).contains(&"TL311".to_owned()) && answer.text.contains("1030, 1031"), "{}", answer.text);
    let nulls = |v: &Value| v.as_array().map_or(0, |v| v.iter().filter(|x| x.is_null()).count());
    assert_eq!(nulls(&answer.json["details"]["windows"][0]["before"]["actual"]), 2);
}

#[test]
fn bad_input_is_named() {
    let fails = |file: &str, given: &str, code: &str| {
        let error = run(file, &format!("{COMMON} {given}")).expect_err("a fault").to_string();
        assert!(error.contains(code), "{error}");
    };
    let file = wide(|_| false);
    let twice = format!("{file}1000,1,1,0\n");
    fails(&twice, "--intervention 1070", "TL318");
    fails(&file, "--intervention 2070", "TL310");
    fails(&file, "--intervention 1001", "TL310");
    fails(&file, "--intervention soon", "TL318");
    fails(&file, "", "no intervention is given");
    fails(&file, "--intervention 1070 --season week", "is not a season");
    fails(&file, "--treatment x", "neither 0 nor 1");
    fails(&file, "--intervention 1070 --covariates z", "TL033");
    fails("day,y\n1,5\n2,5\n3,5\n4,5\n5,5\n6,5\n", "--intervention 5", "TL319");
    fails("day,y\n1,5\nsoon,5\n3,5\n", "--intervention 5", "TL318");
    fails(&file, "--intervention 1050..1070 --intervention 1060", "overlap");
}

#[test]
fn coverage_is_measured_by_name() {
    let of = |given: &[&str]| {
        let words = ["coverage", "--replications", "40", "--threads", "2"].iter().chain(given);
        Coverage::parse_from(words).args.run()
    };
    let answer = of(&["series/segmented", "--markdown"]).expect("an answer");
    assert!(answer.text.contains("| series/segmented | 40 |"), "{}", answer.text);
    assert_eq!(answer.json["estimators"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer.json["estimators"][0]["failures"], 0);
    let unknown = of(&["series/segmentd"]).expect_err("no such estimator").to_string();
    assert!(unknown.contains("did you mean `series/segmented`"), "{unknown}");
}

#[test]
fn causal_impact_is_matched() {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let dir = std::env::var_os("THROUGHLINE_REFERENCE").map_or(default, PathBuf::from);
    let group = GROUPS.iter().find(|g| g.name == "causalimpact").expect("the group");
    match (group.run)(&dir) {
        Ok(checks) => checks.iter().for_each(|c| assert!(c.passed, "{c:?}")),
        Err(error) => {
            let message = error.to_string();
            assert!(message.contains("reference data is absent"), "{message}");
            #[expect(clippy::print_stderr, reason = "a skipped check must be seen")]
            {
                eprintln!("skipped: {message}");
            }
        }
    }
}

//! `throughline effect`: from the command line to the answer.

use std::fmt::Write as _;
use std::io::Write as _;

use clap::Parser;
use serde_json::Value;
use tempfile::NamedTempFile;
use throughline_oneshot::OneShotError;
use throughline_oneshot::effect::EffectArgs;
use throughline_stats::stream::Stream;

#[derive(Debug, Parser)]
struct Shell {
    #[command(flatten)]
    args: EffectArgs,
}

fn file(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn run(text: &str, options: &str) -> Result<Value, OneShotError> {
    let file = file(text);
    let path = file.path().display().to_string();
    let words = ["effect", &path, "--treatment", "mail", "--outcome", "spend"];
    let words = words.into_iter().chain(options.split_whitespace());
    Shell::try_parse_from(words).expect("options").args.run().map(|a| a.json)
}

/// 600 customers; mail goes to recent ones, who spend more anyway; it adds 2.
fn customers() -> String {
    let stream = Stream::new(5, 1);
    let mut text = String::from("id,mail,spend,recency,region,empty,twice,shop\n");
    for i in 0..600_u64 {
        let u = |k: u64| stream.uniform_at(10 * i + k);
        let recency = (u(0) * 10.0).floor();
        let mail = u(1) < 0.2 + 0.06 * recency;
        let region = ["north", "south", "west"][usize::try_from(i % 3).expect("small")];
        let spend =
            10.0 + recency + if region == "west" { 3.0 } else { 0.0 } + if mail { 2.0 } else { 0.0 } + 2.0 * u(2);
        writeln!(text, "c{i},{},{spend},{recency},{region},7,{},s{}", u8::from(mail), 2.0 * recency, i % 40)
            .expect("text");
    }
    text
}

fn codes(answer: &Value) -> Vec<&str> {
    answer["diagnostics"].as_array().expect("a list").iter().map(|d| d["code"].as_str().expect("a code")).collect()
}

fn no_nan(value: &Value) {
    // JSON has no NaN: serde_json writes null, which stands only where absence is meant.
    for path in ["/estimate/value", "/estimate/std_error", "/estimate/p_value"] {
        assert!(value.pointer(path).is_some_and(Value::is_number), "{path}: {value}");
    }
}

#[test]
fn every_method_finds_the_effect() {
    for (options, method) in [
        ("--method aipw", "aipw_ate"),
        ("--method aipw --estimand att --learner boosted_trees --folds 3", "aipw_att"),
        ("--method aipw --repetitions 4", "aipw_ate"),
        ("--method plr", "plr_partialling_out"),
        ("--method plr --score iv-type", "plr_iv_type"),
        ("--method ipw", "ipw_ate"),
        ("--method entropy", "entropy_balancing_att"),
        ("--method match", "matching_ate"),
        ("--method match --estimand att --metric propensity --neighbours 2", "matching_att"),
        ("--method match --metric scaled", "matching_ate"),
    ] {
        let answer = run(&customers(), options).expect("an answer");
        no_nan(&answer);
        let (value, error) = (&answer["estimate"]["value"], &answer["estimate"]["std_error"]);
        let off = (value.as_f64().expect("a number") - 2.0) / error.as_f64().expect("a number");
        assert!(off.abs() < 4.0, "{options}: {value} ± {error}");
        assert_eq!((&answer["method"], &answer["tier"]), (&Value::from(method), &Value::from(1)), "{options}");
        // The identifier is a text of too many levels, one column is constant, one a multiple of another.
        assert_eq!(codes(&answer)[..3], ["TL391", "TL389", "TL390"], "{options}");
        assert!(answer["details"]["sensitivity"]["ols"]["robustness_value"].as_f64().expect("a number") > 0.1);
        assert_eq!(answer["estimate"]["n"], 600);
    }
}

#[test]
fn segments_clusters_and_benchmarks_are_told() {
    let options = "--method aipw --covariates recency,region --segment region --cluster shop --benchmark recency";
    let answer = run(&customers(), options).expect("an answer");
    let names: Vec<&str> =
        answer["comparisons"].as_array().expect("a list").iter().map(|c| c["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["E[Y(1)]", "E[Y(0)]", "unadjusted difference", "region=north", "region=south", "region=west"]);
    let details = &answer["details"];
    assert_eq!(details["units"]["clusters"], 40);
    assert_eq!(details["segments"]["band"].as_array().expect("a list").len(), 3);
    assert_eq!(details["segments"]["equal"]["df"], 2);
    let benchmarks = details["sensitivity"]["ols"]["benchmarks"].as_array().expect("a list");
    assert!(!benchmarks.is_empty() && benchmarks.iter().all(|b| b["covariate"] == "recency"));
    assert_eq!(details["overlap"]["edges"].as_array().expect("a list").len(), 21);
    let row = &details["balance"]["rows"][0];
    let smd = |key: &str| row[key].as_f64().expect("a number").abs();
    assert!(row["covariate"] == "recency" && smd("smd_before") > 0.3 && smd("smd_after") < 0.05, "{row}");
}

/// The code of a refusal, or the codes of the findings beside an answer.
fn outcome(text: &str, options: &str) -> String {
    match run(text, options) {
        Ok(answer) => {
            no_nan(&answer);
            codes(&answer).join(",")
        }
        Err(OneShotError::Findings(found)) => {
            assert!(found.iter().all(|d| !d.message.contains("NaN")), "{found:?}");
            found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>().join(",")
        }
        Err(other) => panic!("{other}"),
    }
}

/// Rows `mail,spend,x` from three formulas.
fn rows(n: u32, mail: impl Fn(u32) -> String, spend: impl Fn(u32) -> String, x: impl Fn(u32) -> String) -> String {
    let mut text = String::from("mail,spend,x\n");
    (0..n).for_each(|i| writeln!(text, "{},{},{}", mail(i), spend(i), x(i)).expect("text"));
    text
}

#[track_caller]
fn check(text: &str, options: &str, expect: &str) {
    assert_eq!(outcome(text, options), expect, "{options}");
}

#[test]
fn bad_input_is_named() {
    let half = |i: u32| (i % 2).to_string();
    let spend = |i: u32| ((i * 7919) % 13).to_string();
    let x = |i: u32| ((i * 104_729) % 17).to_string();
    for method in ["aipw", "ipw", "entropy", "match"] {
        let options = format!("--method {method}");
        check(&rows(200, |i| (i % 3).to_string(), spend, x), &options, "TL385");
        check(&rows(200, |_| "0".into(), spend, x), &options, "TL386");
        check(&rows(200, half, |_| "5".into(), x), &options, "TL387");
        check(&rows(200, half, spend, |_| "1".into()), &options, "TL389");
    }
    let aipw = "--method aipw";
    check(&rows(200, |i| ["yes", "no"][i as usize % 2].into(), spend, x), aipw, "TL385");
    check(&rows(200, |i| ["yes", "no"][i as usize % 2].into(), spend, x), "--method aipw --treated yes", "");
    check(&rows(200, |i| ["yes", "no"][i as usize % 2].into(), spend, x), "--method aipw --treated ja", "TL385");
    check(&rows(200, half, spend, |i| if i % 7 == 0 { String::new() } else { x(i) }), aipw, "TL388");
    check(
        &rows(200, half, spend, |i| if i % 7 == 0 { String::new() } else { x(i) }),
        "--method aipw --missing indicator",
        "",
    );
    check(&rows(200, half, spend, |_| String::new()), aipw, "TL388");
    check(&rows(200, half, spend, |i| format!("t{i}")), "--method aipw --covariates x", "TL391");
    // The covariate is the treatment: no overlap; for an amount, nothing is left.
    check(&rows(200, half, spend, half), aipw, "TL392");
    check(&rows(200, half, spend, half), "--method ipw", "TL392");
    check(&rows(200, half, spend, half), "--method entropy", "TL392");
    check(&rows(200, half, spend, half), "--method plr", "TL396");
    check(&rows(200, |i| i.to_string(), spend, |i| (2 * i).to_string()), "--method plr", "TL396");
    check(&rows(200, |i| u8::from(i < 6).to_string(), spend, x), "--method aipw --folds 100 --trim 0", "");
    check(&rows(200, half, spend, x), "--method aipw --folds 1", "TL065");
    check(&rows(200, half, spend, x), "--method aipw --trim 0.7", "TL065");
    check(&rows(200, half, spend, x), "--method match --neighbours 0", "TL065");
    check(&rows(200, half, spend, x), "--method match --cluster x --covariates spend2", "TL033");
    check(&rows(200, half, spend, x), "--method aipw --learner forest", "TL399");
    check(&rows(200, half, spend, x), "--method aipw --outcome-learner logistic", "TL399");
    check(&rows(200, half, spend, x), "--method entropy --estimand ate", "TL065");
    check(&rows(200, half, spend, x), "--method aipw --benchmark y", "TL065");
    check(&rows(200, half, spend, x), "--method aipw --level 2", "TL045");
    check(&rows(9, half, spend, x), aipw, "TL386");
}

#[test]
fn threads_change_no_bit() {
    for options in ["--method aipw --learner boosted_trees --folds 4", "--method match", "--method aipw"] {
        let answer = |threads: &str| run(&customers(), &format!("{options} --threads {threads}")).expect("an answer");
        assert_eq!(answer("1"), answer("3"), "{options}");
        assert_eq!(answer("2"), run(&customers(), options).expect("an answer"), "{options}");
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "says that reference data is absent")]
fn published_answers_are_met() {
    let dir = std::env::var_os("THROUGHLINE_REFERENCE")
        .map_or_else(|| "../../../shared/data".into(), std::path::PathBuf::from);
    if !dir.join("nsw-lalonde").exists() {
        eprintln!("reference data is absent: {}", dir.display());
        return;
    }
    for group in throughline_oneshot::verify::GROUPS.iter().filter(|g| ["nsw-lalonde", "ihdp"].contains(&g.name)) {
        for check in (group.run)(&dir).expect("checks") {
            assert!(check.passed, "{check:?}");
        }
    }
}

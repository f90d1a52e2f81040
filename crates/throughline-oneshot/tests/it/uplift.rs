//! `throughline uplift fit` and `evaluate`: from the command line to the answer.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use tempfile::NamedTempFile;
use throughline_oneshot::{OneShotCommand, OneShotError};
use throughline_stats::stream::Stream;

#[derive(Debug, Parser)]
struct Shell {
    #[command(subcommand)]
    command: OneShotCommand,
}

fn file(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    file.write_all(text.as_bytes()).expect("written");
    file
}

fn asked(what: &str, path: &Path, options: &str) -> Result<Value, OneShotError> {
    let path = path.display().to_string();
    let words = ["throughline", "uplift", what, &path].into_iter().chain(options.split_whitespace());
    Shell::try_parse_from(words).expect("options").command.run().map(|a| a.json)
}

/// Customers of whom the mail moves those in the north by 2, and nobody else; `seat` says nothing.
fn customers(rows: u64) -> String {
    let stream = Stream::new(6, 1);
    let mut text = String::from("id,arm,spend,region,recency,seat\n");
    for i in 0..rows {
        let u = |k: u64| stream.uniform_at(10 * i + k);
        let region = ["north", "south", "west"][usize::try_from(stream.index_at(10 * i + 9, 3)).expect("small")];
        let mail = u(1) < 0.5;
        let effect = if region == "north" && mail { 2.0 } else { 0.0 };
        let spend = 5.0 + 3.0 * u(2) + 2.0 * u(3) + effect;
        writeln!(
            text,
            "c{i},{},{spend},{region},{},{}",
            if mail { "mail" } else { "none" },
            (u(2) * 10.0).floor(),
            u(4)
        )
        .expect("text");
    }
    text
}

const FIT: &str = "--treatment arm --outcome spend --without id --json";

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path} in {value:#}"))
}

#[test]
fn every_learner_finds_who_is_moved_and_is_judged_on_rows_it_has_not_seen() {
    let data = file(&customers(6_000));
    for learner in ["s", "t", "x", "r", "dr"] {
        let told = asked("fit", data.path(), &format!("{FIT} --learner {learner}")).expect(learner);
        let mail = &told["arms"]["mail"];
        assert_eq!(mail["verdict"], "better_than_random", "{learner}: {mail:#}");
        assert!((number(mail, "/estimate/value") - 0.67).abs() < 0.25, "{learner}");
        assert!(number(mail, "/tenths/0/effect/value") > 1.5, "{learner}");
        let tested = number(&told, "/tested_rows");
        assert!((1_050.0..1_350.0).contains(&tested) && number(mail, "/n") == tested, "{learner}: {tested}");
        assert_eq!(told["control"], "none");
    }
}

#[test]
fn scores_of_a_model_are_what_evaluate_reads() {
    let (data, folder) = (file(&customers(4_000)), tempfile::tempdir().expect("a folder"));
    let (model, scores) = (folder.path().join("model.json"), folder.path().join("scores.csv"));
    let options = format!("{FIT} --learner x --save {} --scores {}", model.display(), scores.display());
    let told = asked("fit", data.path(), &options).expect("a fit");
    let bytes = std::fs::read(&model).expect("a model");
    assert_eq!(told["model"], throughline_uplift::content_hash(&bytes));
    assert!(throughline_uplift::Artefact::from_bytes(&bytes).is_ok());
    let scored = std::fs::read_to_string(&scores).expect("scores");
    let mut joined = String::new();
    for (row, score) in customers(4_000).lines().zip(scored.lines()) {
        writeln!(joined, "{row},{}", score.rsplit(',').next().expect("a score")).expect("text");
    }
    let joined = file(&joined);
    let options = "--score effect_mail --treatment arm --outcome spend --segment region --json";
    let told = asked("evaluate", joined.path(), options).expect("an evaluation");
    assert_eq!(told["verdict"], "better_than_random");
    let north = told["segments"].as_array().expect("segments").iter().find(|s| s["segment"] == "north");
    assert!((number(north.expect("north"), "/effect/value") - 2.0).abs() < 0.4, "{north:?}");
    let slope = told.pointer("/calibration/slope/interval").expect("a slope");
    assert!(number(slope, "/0") < 1.2 && number(slope, "/1") > 0.8, "{slope}");
    assert!(number(&told, "/qini/area/value") > 0.0 && number(&told, "/autoc/value") > 0.0);
    let ranked = asked("evaluate", joined.path(), &format!("{options} --rank-only")).expect("an evaluation");
    assert!(ranked["calibration"].is_null() && ranked["losses"].is_null());
}

fn hillstrom() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var("THROUGHLINE_REFERENCE").unwrap_or_else(|_| default.to_owned());
    Some(PathBuf::from(root).join("hillstrom/hillstrom.csv")).filter(|path| path.is_file())
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that has nothing to read says so")]
fn published_scores_come_out_of_the_file() {
    let Some(path) = hillstrom() else {
        eprintln!("reference data absent: hillstrom (set THROUGHLINE_REFERENCE)");
        return;
    };
    let control = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    let text = std::fs::read_to_string(&path).expect("the data").replace("No E-Mail", "No");
    std::fs::write(control.path(), text).expect("written");
    let options = "--score womens --treatment segment --outcome visit --rank-only --draws 40 --json";
    let refused = asked("evaluate", control.path(), options).expect_err("three arms").to_string();
    assert!(refused.contains("--arm") && refused.contains("Womens E-Mail"), "{refused}");
    let words = ["throughline", "uplift", "evaluate", &control.path().display().to_string(), "--arm", "Womens E-Mail"]
        .map(str::to_owned)
        .into_iter()
        .chain(options.split_whitespace().map(str::to_owned));
    let told = Shell::try_parse_from(words).expect("options").command.run().expect("an evaluation").json;
    // SOURCE.txt of the data: scikit-uplift 0.5.1.
    for (name, expect) in [
        ("qini_auc", 0.064_015_508_475_340_95),
        ("qini_auc_no_negative", 0.348_197_298_574_428_5),
        ("uplift_auc", 0.029_431_161_118_097_317),
    ] {
        let got = number(&told, &format!("/scores/scikit_uplift/{name}"));
        assert!((got - expect).abs() < 1e-9, "{name}: {got} against {expect}");
    }
    let qini = number(&told, "/scores/causalml/qini_normalised");
    assert!((0.140..0.205).contains(&qini), "{qini}");
}

#[test]
fn what_cannot_be_fitted_or_judged_says_why() {
    #[track_caller]
    fn check(what: &str, text: &str, options: &str, expect: &str) {
        let error = asked(what, file(text).path(), options).expect_err("refused").to_string();
        assert!(error.contains(expect), "{error}");
    }
    let data = customers(400);
    let fit = |options: &str| format!("--treatment arm --outcome spend --without id {options}");
    check("fit", &data, "--treatment arms --outcome spend", "`arm`");
    check("fit", &data, &fit("--control nobody"), "no row of `arm` is `nobody` (known: ");
    check("fit", &data.replace(",none,", ",mail,"), &fit(""), "one arm only (mail)");
    check("fit", &data.replace(",none,", ",post,"), &fit(""), "--control");
    check("fit", &data, &fit("--params {"), "not JSON");
    check("fit", &data, &fit("--test-share 0.95"), "outside 0 to 0.9");
    check("fit", &data, &fit("--level 2"), "TL045");
    check("fit", &customers(60), &fit(""), "fewer than the 50 needed");
    check("evaluate", &data, "--score region --treatment arm --outcome spend", "region");
    check("evaluate", &data, "--score seat --treatment arm --outcome spend --draws 3", "draws");
    let blank = data.replace("north", "");
    let told = asked("fit", file(&blank).path(), &fit("--learner t --json")).expect("a fit");
    assert!(told["arms"]["mail"]["n"].is_number());
    let some = data.lines().enumerate().fold(String::new(), |mut text, (i, line)| {
        let kept =
            if i % 10 == 1 { line.replacen(",mail,", ",,", 1).replacen(",none,", ",,", 1) } else { line.to_owned() };
        writeln!(text, "{kept}").expect("text");
        text
    });
    let told =
        asked("evaluate", file(&some).path(), "--score seat --treatment arm --outcome spend --json").expect("told");
    let found: Vec<&str> =
        told["diagnostics"].as_array().expect("a list").iter().filter_map(|d| d["code"].as_str()).collect();
    assert!(found.contains(&"TL034") && found.contains(&"TL709"), "{found:?}");
    assert_eq!(told["verdict"], "inside_noise");
}

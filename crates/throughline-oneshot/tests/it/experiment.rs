//! `throughline experiment read` on plain files.

use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use throughline_oneshot::Answer;
use throughline_oneshot::experiment::ExperimentCommand;
use throughline_oneshot::verify::GROUPS;
use throughline_stats::stream::Stream;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: ExperimentCommand,
}

/// Units with everything the flags may name. The treatment adds 10 points of conversion and 1.5 of spend.
fn units(dir: &Path) -> PathBuf {
    let mut text = String::from("id,arm,bought,spend,orders,before,age,region,shop,day,exposed,converted\n");
    let hash = |i: u64, k: u64| Stream::new(7, k).index_at(i, 1000);
    for i in 0..3000_u64 {
        let treated = u64::from(hash(i, 1) < 500);
        let bought = u64::from(hash(i, 2) < 300 + 100 * treated);
        let before = hash(i, 3) as f64 / 50.0;
        let orders = 1 + hash(i, 4) % 4;
        let spend = before + orders as f64 + 1.5 * treated as f64 + hash(i, 5) as f64 / 200.0;
        let arm = if treated == 1 { "mail" } else { "none" };
        let region = match hash(i, 6) % 3 {
            0 => "north",
            1 => "south",
            _ => "west",
        };
        let before = if i % 50 == 0 { String::new() } else { before.to_string() };
        let converted = if bought == 1 { format!("2026-03-{:02}", 2 + hash(i, 7) % 20) } else { String::new() };
        let (age, shop, day) = (20 + hash(i, 8) % 50, i / 10, 1 + hash(i, 9) % 7);
        text.push_str(&format!(
            "u{i},{arm},{bought},{spend},{orders},{before},{age},{region},{shop},{day},2026-03-01,{converted}\n"
        ));
    }
    let file = dir.join("units.csv");
    std::fs::write(&file, text).expect("a file");
    file
}

fn run(file: &Path, flags: &[&str]) -> Result<Answer, String> {
    let base = ["experiment", "read", file.to_str().expect("a path"), "--assignment", "arm", "--control", "none"];
    let cli = Cli::try_parse_from(base.iter().chain(flags)).map_err(|e| e.to_string())?;
    cli.command.run().map_err(|e| e.to_string())
}

fn json(file: &Path, flags: &[&str]) -> Value {
    run(file, flags).unwrap_or_else(|e| panic!("{flags:?}: {e}")).json
}

/// Value, ends and p-value of an estimate, which must agree.
fn estimate(e: &Value) -> (f64, f64, f64) {
    let of = |v: &Value| v.as_f64().unwrap_or_else(|| panic!("{e}"));
    let (value, low, high, p) = (of(&e["value"]), of(&e["interval"][0]), of(&e["interval"][1]), of(&e["p_value"]));
    assert_eq!(low > 0.0 || high < 0.0, p < 0.05, "{e}");
    (value, low, high)
}

#[test]
fn every_flag_gives_an_estimate_that_agrees_with_itself() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = units(dir.path());
    let window = ["--conversion", "converted", "--exposed", "exposed", "--within", "30d"];
    for (flags, truth) in [
        (vec!["--metric", "bought"], 0.1),
        (vec!["--metric", "spend"], 1.5),
        (vec!["--ratio", "spend/orders"], 0.6),
        (vec!["--quantile", "spend@0.5"], 1.5),
        (window.to_vec(), 0.1),
        (vec!["--metric", "spend", "--winsorise", "spend@0.99"], 1.5),
        (vec!["--metric", "spend", "--cuped", "before"], 1.5),
        (vec!["--metric", "spend", "--covariate", "before", "--covariate", "age"], 1.5),
        (vec!["--metric", "spend", "--strata", "region"], 1.5),
        (vec!["--metric", "spend", "--cluster", "shop", "--covariate", "before"], 1.5),
        (vec!["--metric", "bought", "--sequential", "2000"], 0.1),
        (vec!["--metric", "bought", "--sequential", "msprt:0.1"], 0.1),
        (vec!["--metric", "bought", "--sequential", "pocock", "--looks", "0.3,0.6,1", "--look", "2"], 0.1),
        (vec!["--metric", "spend", "--metric", "bought", "--correction", "bands"], 1.5),
    ] {
        let answer = json(&file, &flags);
        let (_, low, high) = estimate(&answer["estimate"]);
        assert!(low < truth && truth < high, "{flags:?}: {}", answer["estimate"]);
        assert_eq!(answer["estimate"], answer["comparisons"][0]["estimate"]);
        assert_eq!(answer["health"], "healthy", "{flags:?}: {}", answer["diagnostics"]);
        assert!(answer["comparisons"][0]["verdict"].as_str().is_some_and(|v| v.contains("mail")), "{flags:?}");
        estimate(&answer["comparisons"][0]["relative"]);
    }
}

#[test]
fn adjustment_narrows_and_says_by_how_much() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = units(dir.path());
    let width = |flags: &[&str]| {
        let answer = json(&file, &[&["--metric", "spend"], flags].concat());
        let (_, low, high) = estimate(&answer["estimate"]);
        (high - low, answer)
    };
    let (plain, _) = width(&[]);
    for flags in [&["--cuped", "before"][..], &["--covariate", "before"]] {
        let (narrow, answer) = width(flags);
        assert!(narrow < 0.5 * plain, "{flags:?}: {narrow} against {plain}");
        assert!(answer["comparisons"][0]["variance_reduction"].as_f64().is_some_and(|r| r > 0.75));
        assert!(answer["diagnostics"].to_string().contains("TL324"), "60 units have no value before");
    }
}

#[test]
fn sides_margins_and_checks_are_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = units(dir.path());
    let flags = ["--metric", "bought", "--alternative", "greater", "--margin", "bought=10%", "--unit", "id"];
    let answer = json(&file, &[&flags[..], &["--segment", "region", "--time", "day"]].concat());
    let first = &answer["comparisons"][0];
    assert!(first["estimate"]["interval"][1].is_null() && first["estimate"]["interval"][0].as_f64() > Some(0.0));
    assert_eq!(first["non_inferiority"]["shown"], true, "{first}");
    assert!(first["verdict"].as_str().is_some_and(|v| v.contains("raises bought by at least")), "{first}");
    assert_eq!(answer["checks"]["crossover"]["crossed"], 0);
    assert_eq!(answer["checks"]["trends"][0]["periods"].as_array().map(Vec::len), Some(7));
    assert_eq!(answer["segments"][0]["effects"].as_array().map(Vec::len), Some(3));
    assert!(first["posterior"]["chance_to_win"].as_f64().is_some_and(|c| c > 0.99));
    let text = run(&file, &["--metric", "bought", "--segment", "region"]).expect("an answer").text;
    assert!(text.contains("sample ratio") && text.contains("same effect everywhere"), "{text}");
}

#[test]
fn what_cannot_be_read_is_refused_with_advice() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = units(dir.path());
    for (flags, said) in [
        (vec!["--metric", "bougt"], "did you mean `bought`?"),
        (vec!["--metric", "region"], "TL037"),
        (vec!["--metric", "bought", "--margin", "bought"], "METRIC=0.01"),
        (vec!["--metric", "bought", "--margin", "spend=0.1"], "metrics: bought"),
        (vec!["--quantile", "spend@2"], "quantile of 2 is outside"),
        (vec!["--ratio", "spend"], "NUMERATOR/DENOMINATOR"),
        (vec!["--metric", "bought", "--correction", "bands", "--sequential", "10"], "TL320"),
        (vec!["--metric", "bought", "--sequential", "pocock"], "add --look"),
        (vec!["--metric", "bought", "--sequential", "pocock", "--look", "6"], "number of the look"),
        (vec!["--metric", "bought", "--sequential", "pokock", "--look", "1"], "did you mean `pocock`?"),
        (vec!["--metric", "bought", "--sequential", "msprt:0"], "expected effect"),
        (vec!["--metric", "bought", "--weight", "post=1"], "TL049"),
        (vec!["--metric", "bought", "--level", "1.5"], "TL045"),
        (vec!["--conversion", "converted", "--exposed", "exposed", "--within", "7y"], "7d, 12h"),
        (vec!["--conversion", "converted", "--exposed", "exposed", "--within", "7"], "unit"),
        (vec!["--conversion", "converted", "--exposed", "region", "--within", "7d"], "no instant"),
        (vec![], "--metric"),
    ] {
        let error = run(&file, &flags).expect_err("refused");
        assert!(error.contains(said), "{flags:?}: {error}");
    }
}

/// Published figures, where the reference data is there.
#[test]
#[expect(clippy::print_stdout, reason = "absent data must be said, not failed on")]
fn published_figures_are_met() {
    let root = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    for group in GROUPS.iter().filter(|g| ["growthbook", "hillstrom"].contains(&g.name)) {
        match (group.run)(Path::new(&root)) {
            Ok(checks) => {
                for check in &checks {
                    assert!(check.passed, "{check:?}");
                }
                println!("{}: {} checks", group.name, checks.len());
            }
            Err(e) => println!("reference data absent, nothing checked: {e}"),
        }
    }
}

#[test]
fn a_plan_decides_how_it_is_read_and_departures_are_said() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = units(dir.path());
    let words = |words: &[&str]| {
        let cli = Cli::try_parse_from([&["experiment"], words].concat()).map_err(|e| e.to_string())?;
        cli.command.run().map_err(|e| e.to_string())
    };
    let plan = dir.path().join("plan.yaml");
    let shown = plan.to_str().expect("a path");
    let question = ["--metric", "proportion", "--metric-name", "bought", "--baseline", "0.2", "--effect", "0.1"];
    let looks = ["--sequential", "obrien-fleming", "--looks", "2", "--level", "0.9"];
    let design = [&["design", "--name", "test", "--arm", "none", "--arm", "mail"], &question[..], &looks].concat();
    std::fs::write(&plan, words(&design).expect("a plan").text).expect("written");
    let read = |metric, more: &[&str]| {
        let file = file.to_str().expect("a path");
        words(&[&["read", file, "--assignment", "arm", "--metric", metric, "--plan", shown], more].concat())
    };
    let answer = read("bought", &["--look", "1"]).expect("a reading").json;
    let of = |key: &str| answer["estimate"][key].as_f64().expect("a number");
    let low = answer["estimate"]["interval"][0].as_f64().expect("an end");
    // O'Brien–Fleming, the first of two looks at 90 %: 2.538 (ldbounds), where one look has 1.645.
    let critical = (of("value") - low) / of("std_error");
    assert!((critical - 2.538).abs() < 2e-3, "{critical}");
    assert!(!answer["diagnostics"].to_string().contains("TL349"), "{}", answer["diagnostics"]);
    let missing = read("bought", &[]).expect_err("which look");
    assert!(missing.contains("this one has no number"), "{missing}");
    let other = read("spend", &["--look", "2"]).expect("a reading").json;
    assert!(other["diagnostics"].to_string().contains("was not planned"), "{}", other["diagnostics"]);
    std::fs::write(&plan, "arms: 3").expect("written");
    assert!(read("bought", &[]).expect_err("no plan").contains("TL065"));
}

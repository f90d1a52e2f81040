//! `power`, `experiment design`, `assign`, `switchback` and `factorial` from the command line on.

use std::collections::BTreeMap;
use std::path::Path;

use clap::Parser;
use serde_json::Value;
use throughline_oneshot::experiment::ExperimentCommand;
use throughline_oneshot::power::PowerArgs;
use throughline_oneshot::{Answer, OneShotError};

#[expect(clippy::large_enum_variant, reason = "parsed once")]
#[derive(Debug, Parser)]
enum Cli {
    Power(Box<PowerArgs>),
    #[command(subcommand)]
    Experiment(ExperimentCommand),
}

fn run(line: &str) -> Result<Answer, OneShotError> {
    let words = line.split_whitespace().map(|w| w.replace('~', " "));
    let answer =
        match Cli::try_parse_from(std::iter::once("throughline".to_owned()).chain(words)).expect("a command line") {
            Cli::Power(args) => args.run(),
            Cli::Experiment(command) => command.run(),
        };
    if let Ok(answer) = &answer {
        finite(&answer.json);
        assert!(!answer.text.is_empty() && !answer.text.contains("NaN"), "{}", answer.text);
    }
    answer
}

/// JSON has no NaN; a number lost to null is told by name.
fn finite(value: &Value) {
    for name in ["n_per_arm", "minimum_detectable"] {
        if let Some(v) = value.get(name) {
            assert!(v.is_number(), "{name} of {value}");
        }
    }
}

fn refused(line: &str, code: &str) {
    let error = run(line).expect_err(line).to_string();
    assert!(error.contains(code), "{line}: {error}");
}

/// Lines of a file, one for each number below `n`.
fn lines(n: u32, line: impl Fn(u32) -> String) -> String {
    (0..n).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

fn file(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

#[test]
fn power_answers_in_the_agreed_shape() {
    let json = run("power --metric mean --baseline 10 --sd 1 --effect 0.2 --json").expect("an answer").json;
    assert_eq!((json["n_per_arm"].as_u64(), json["n_total"].as_u64()), (Some(394), Some(788)));
    assert!((json["minimum_detectable"].as_f64().expect("a number") - 0.2).abs() < 1e-3);
    for key in ["value", "std_error", "interval", "p_value", "n"] {
        assert!(!json["estimate"][key].is_null(), "{key}");
    }
    let json = run("power --metric proportion --baseline 0.1 --relative 0.2 --arms 3 --allocation sqrt --power 0.9")
        .expect("an answer")
        .json;
    assert!((json["power"]["alpha"].as_f64().expect("a number") - 0.025).abs() < 1e-12);
    assert_eq!(json["arms"].as_array().map(Vec::len), Some(3));
    assert!(json["power"]["value"].as_f64().expect("a number") >= 0.9);
    let group = run("power --sd 5 --effect 0.2 --sequential obrien-fleming --looks 4").expect("an answer").json;
    let bounds = group["details"]["boundaries"]["critical"].as_array().expect("boundaries");
    assert!((bounds[0].as_f64().expect("a number") - 4.332_634).abs() < 1e-5);
    let given = run("power --sd 5 --effect 0.2 --n 1000").expect("an answer").json;
    assert!(given["minimum_detectable"].as_f64().expect("a number") > 0.6);
    run("power --metric ratio --baseline 0.4 --sd 2 --effect -0.1 --icc 0.02 --cluster-size 30 --cuped-correlation -0.3").expect("an answer");
    run("power --metric proportion --baseline 0.5 --margin 0.02 --sequential confidence-sequence --tuned-for 9000")
        .expect("an answer");
}

#[test]
fn power_from_a_history() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = lines(3000, |i| format!("{},{},{}", (i * 7919) % 101, (i * 7919) % 101 / 2, i / 6));
    let path = file(dir.path(), "h.csv", &format!("spend,before,shop\n{rows},1,2\n"));
    let json =
        run(&format!("power --effect 6 --history {path} --value spend --simulations 200")).expect("an answer").json;
    let (power, formula) = (json["power"]["simulated"]["power"].as_f64(), json["power"]["value"].as_f64());
    assert!((power.expect("simulated") - formula.expect("by formula")).abs() < 0.1, "{json}");
    assert!(json["diagnostics"].to_string().contains("TL344"));
    let with = run(&format!("power --effect 6 --history {path} --value spend --covariate before --simulations 50"))
        .expect("an answer")
        .json;
    assert!(with["n_per_arm"].as_u64() < json["n_per_arm"].as_u64());
    let shops = run(&format!("power --effect 6 --history {path} --value spend --cluster shop --simulations 50"))
        .expect("an answer")
        .json;
    assert_eq!(shops["unit"], "cluster");
    refused(&format!("power --effect 6 --history {path} --value spent"), "TL033");
}

#[test]
fn impossible_questions_are_named() {
    refused("power --sd 1", "TL339");
    refused("power --effect 1", "TL339");
    refused("power --metric proportion --baseline 0.9 --effect 0.2", "TL340");
    refused("power --sd 1 --effect 0.1 --level 1.5", "TL045");
    refused("power --sd 1 --effect 0.1 --sequential pocok", "TL335");
    refused("power --sd 1 --effect 0.1 --sequential pocock --looks 0.5,0.2", "TL335");
    refused("power --sd 1 --effect 0.1 --sequential pocock --looks 0", "TL335");
    refused("power --sd 1 --effect 0.1 --allocation a,b", "TL339");
    refused("power --sd 1 --effect 0.1 --n 5,5,5", "TL339");
    refused("power --sd 1 --effect 0.1 --arms 1", "TL339");
    refused("power --sd 1 --effect 0.1 --correction x", "TL339");
}

#[test]
fn a_design_is_a_document() {
    let answer = run("experiment design --name summer --sd 5 --effect 0.5 --daily-units 400 --metric-name spend --action treatment=policy~v2 --layer mail=0-0.5 --holdout 0.05 --sequential pocock --looks 3").expect("a plan");
    let plan = &answer.json["plan"];
    assert_eq!((plan["design"].as_str(), plan["arms"][1]["action"].as_str()), (Some("ab"), Some("policy v2")));
    assert!(plan["stop"]["expected_days"].as_u64() < plan["stop"]["days"].as_u64());
    assert!(answer.text.starts_with("name: summer\ndesign: ab\n"), "{}", answer.text);
    let plan: throughline_evidence::design::Plan = serde_json::from_value(plan.clone()).expect("a plan");
    assert_eq!((plan.salt.as_str(), plan.layer.expect("a layer").to), ("summer", 0.5));

    let factorial =
        run("experiment design --name f --kind factorial --factor a=0,1 --factor b=x,y --sd 5 --effect 0.5")
            .expect("a plan")
            .json;
    let needs = factorial["plan"]["details"]["units_for_each_effect"].as_array().expect("effects");
    assert_eq!((needs.len(), factorial["plan"]["arms"].as_array().map(Vec::len)), (3, Some(4)));
    assert_eq!(needs[2]["n_total"].as_f64(), needs[0]["n_total"].as_f64().map(|n| 4.0 * n));

    let switchback = run("experiment design --name s --kind switchback --block-sd 1 --effect 0.5 --stretch 3 --washout 1 --markets berlin,hamburg").expect("a plan").json;
    assert_eq!(switchback["plan"]["details"]["question"]["blocks"], 34);
    assert_eq!(switchback["plan"]["details"]["schedule"]["berlin"].as_array().map(Vec::len), Some(17 * 6));

    let holdout = run(
        "experiment design --name h --kind holdout --holdout 0.05 --metric proportion --baseline 0.1 --effect 0.01",
    )
    .expect("a plan")
    .json;
    assert!((holdout["plan"]["arms"][0]["weight"].as_f64().expect("a weight") - 0.05).abs() < 1e-9);
    refused("experiment design --name s --kind switchback --effect 0.5", "TL339");
    refused("experiment design --name h --kind holdout --sd 1 --effect 0.5", "TL343");
    refused("experiment design --name h --kind factorial --factor a --sd 1 --effect 0.5", "TL342");
    refused("experiment design --name h --sd 1 --effect 0.5 --action x=y", "TL342");
}

fn assigned(path: &str) -> BTreeMap<String, (String, String)> {
    let mut reader = csv::Reader::from_path(path).expect("a file");
    let header = reader.headers().expect("a header").clone();
    let at = |name: &str| header.iter().position(|h| h == name).expect(name);
    let (status, arm) = (at("status"), at("arm"));
    let rows = reader.records().map(|r| r.expect("a row"));
    rows.map(|r| (r[0].to_owned(), (r[status].to_owned(), r[arm].to_owned()))).collect()
}

#[test]
fn assignment_by_salt_strata_and_cluster() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = lines(4000, |i| format!("u{i},{},c{}", ["de", "fr", "it"][(i / 8 % 3) as usize], i / 8));
    let path = file(dir.path(), "units.csv", &format!("id,country,shop\n{rows}u1,de,c0\n,de,c1\n"));
    let out = |name: &str| dir.path().join(name).display().to_string();
    let base = format!("experiment assign {path} --unit id --arm control=1 --arm treatment=1");
    let json = run(&format!("{base} --salt s --out {}", out("a.csv"))).expect("an answer").json;
    assert!(
        json["diagnostics"].to_string().contains("TL344") && json["diagnostics"].to_string().contains("TL345"),
        "{json}"
    );
    assert!(json["sample_ratio"]["p_value"].as_f64().expect("a p-value") > 1e-3);
    run(&format!("{base} --salt s --out {}", out("b.csv"))).expect("an answer");
    assert_eq!(assigned(&out("a.csv")), assigned(&out("b.csv")));

    let json = run(&format!("{base} --salt s --strata country --out {}", out("s.csv"))).expect("an answer").json;
    for counts in json["strata"].as_object().expect("strata").values() {
        let n: Vec<i64> = counts.as_array().expect("arms").iter().filter_map(Value::as_i64).collect();
        assert!((n[0] - n[1]).abs() <= 1, "{json}");
    }
    run(&format!("{base} --salt s --cluster shop --out {}", out("c.csv"))).expect("an answer");
    let clustered = assigned(&out("c.csv"));
    assert!((0..4000).all(|i| clustered[&format!("u{i}")] == clustered[&format!("u{}", i / 8 * 8)]));

    let held = |salt: &str, layer: &str, name: &str| {
        run(&format!("{base} --salt {salt} --layer {layer} --holdout 0.1 --out {}", out(name))).expect("an answer");
        assigned(&out(name))
    };
    let (first, second) = (held("x", "mail=0-0.4", "x.csv"), held("y", "mail=0.4-1", "y.csv"));
    for (unit, (status, _)) in &first {
        assert!(status != "assigned" || second[unit].0 != "assigned");
        assert_eq!(status == "holdout", second[unit].0 == "holdout");
    }
    refused(&format!("{base} --salt z --layer mail=0-0.5 --taken mail=0.4-1 --out {}", out("z.csv")), "TL343");
    refused(&format!("experiment assign {path} --unit id --salt s --arm a --arm b=1 --out {}", out("z.csv")), "TL342");
    refused(&format!("{base} --salt s --cluster country --strata shop --out {}", out("z.csv")), "TL346");
}

#[test]
fn switchback_and_factorial_files_are_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let rows = lines(200, |t| {
        let on = (t / 2).is_multiple_of(2) == (t / 4 * 7919).is_multiple_of(3);
        let (arm, lift) = if on { ("on", 3.0) } else { ("off", 0.0) };
        format!("{t},{arm},{},{}", f64::from(t * 37 % 11) + lift, t / 4)
    });
    let path = file(dir.path(), "s.csv", &format!("hour,arm,orders,block\n{rows}"));
    let base = format!("experiment switchback {path} --time hour --assignment arm --metric orders --control");
    let json = run(&format!("{base} off --block block")).expect("an answer").json;
    assert!((json["estimate"]["value"].as_f64().expect("a value") - 3.0).abs() < 1.5, "{json}");
    run(&format!("{base} off --newey-west --lags 3")).expect("an answer");
    refused(&format!("{base} nobody"), "TL347");
    refused(&format!("{base} off --washout 50"), "TL347");

    let rows = lines(400, |i| format!("{},{},{}", i % 2, i / 2 % 2, i % 7 + i % 2 * 2));
    let path = file(dir.path(), "f.csv", &format!("a,b,y\n{rows}"));
    let json =
        run(&format!("experiment factorial {path} --factor a=0 --factor b=0 --metric y")).expect("an answer").json;
    assert_eq!(json["comparisons"].as_array().map(Vec::len), Some(3));
    assert!((json["estimate"]["value"].as_f64().expect("a value") - 2.0).abs() < 0.1, "{json}");
    refused(&format!("experiment factorial {path} --factor a=7 --factor b --metric y"), "TL342");
}

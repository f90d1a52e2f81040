//! `throughline panel --method did` and `cs`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use throughline_oneshot::panel::PanelArgs;
use throughline_oneshot::{Answer, OneShotError, verify};

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    panel: PanelArgs,
}

fn run(file: &Path, words: &str) -> Result<Answer, OneShotError> {
    let file = file.to_str().expect("a path");
    Command::parse_from(["panel", file].into_iter().chain(words.split_whitespace())).panel.run()
}

#[expect(clippy::print_stdout, reason = "absent data must be said, not failed on")]
fn data() -> Option<PathBuf> {
    let root = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let there = Path::new(&root).join("mpdta").exists();
    if !there {
        println!("reference data absent, nothing checked: {root}/mpdta");
    }
    there.then(|| root.into())
}

#[test]
fn mpdta_is_as_published() -> Outcome {
    let Some(dir) = data() else { return Ok(()) };
    let group = verify::GROUPS.iter().find(|g| g.name == "mpdta").ok_or("no group mpdta")?;
    let checks = (group.run)(&dir)?;
    let failed: Vec<_> = checks.iter().filter(|c| !c.passed).collect();
    assert!(failed.is_empty() && checks.len() == 62, "{} checks, failed: {failed:#?}", checks.len());
    Ok(())
}

const MPDTA: &str = "--unit countyreal --time year --outcome lemp --treatment first.treat";

#[test]
fn staggered_adoption_by_the_command() -> Outcome {
    let Some(dir) = data() else { return Ok(()) };
    let file = dir.join("mpdta/mpdta.csv");
    let answer = run(&file, &format!("{MPDTA} --method cs --estimator reg --aggregate dynamic --json"))?;
    let number = |v: &Value| v.as_f64().expect("a number");
    assert!((number(&answer.json["estimate"]["value"]) + 0.077_239_8).abs() < 1e-6);
    assert!((number(&answer.json["details"]["pre_test"]["p_value"]) - 0.168_122_5).abs() < 1e-6);
    assert_eq!(answer.json["details"]["group_time"]["points"].as_array().map(Vec::len), Some(12));
    assert_eq!(answer.json["details"]["event_study"]["points"].as_array().map(Vec::len), Some(7));
    // README of did: with its bootstrap the overall dynamic effect has the error 0.0219 and by group 0.0126.
    assert!((number(&answer.json["estimate"]["std_error"]) - 0.0219).abs() < 0.002, "{}", answer.json["estimate"]);
    let answer = run(&file, &format!("{MPDTA} --method did"))?;
    assert!(answer.text.contains("TL359") && answer.text.contains("twfe"), "{}", answer.text);
    assert!((number(&answer.json["details"]["spread"]["twfe"]) + 0.036_548_9).abs() < 1e-6);
    Ok(())
}

/// Eight units over five periods, the last four treated from `2024-04` on by about 2.
fn small(change: impl Fn(usize, usize, &mut String)) -> Result<tempfile::NamedTempFile, Box<dyn Error>> {
    let mut text = String::from("shop,month,sales,on\n");
    for unit in 0..8 {
        for t in 0..5 {
            let on = u8::from(unit >= 4 && t >= 3);
            let sales = unit as f64 + t as f64 * 0.5 + 2.0 * f64::from(on) + 0.1 * ((unit * 5 + t * 3) % 7) as f64;
            let mut line = String::new();
            write!(line, "s{unit},2024-0{},{sales},{on}", t + 1)?;
            change(unit, t, &mut line);
            if !line.is_empty() {
                writeln!(text, "{line}")?;
            }
        }
    }
    let file = tempfile::Builder::new().suffix(".csv").tempfile()?;
    std::fs::write(file.path(), text)?;
    Ok(file)
}

const SMALL: &str = "--unit shop --time month --outcome sales --treatment on";

#[test]
fn two_by_two_by_the_command() -> Outcome {
    let file = small(|_, _, _| {})?;
    let answer = run(file.path(), &format!("{SMALL} --method did"))?;
    let e = &answer.json["estimate"];
    assert!((e["value"].as_f64().expect("a number") - 2.0).abs() < 0.3 && e["n"] == 8, "{e}");
    let event = &answer.json["details"]["event_study"];
    let base: Vec<bool> = event["points"].as_array().expect("points").iter().map(|p| p["base"] == true).collect();
    assert_eq!(base, [false, false, true, false, false]);
    assert!(answer.json["details"]["honest"]["relative_magnitudes"].is_array());
    // The same by a mark and a date.
    let marked = small(|unit, _, line| {
        let end = line.rfind(',').unwrap_or(0);
        line.replace_range(end.., if unit >= 4 { ",1" } else { ",0" });
    })?;
    let again = run(marked.path(), &format!("{SMALL} --method did --treated-from 2024-04"))?;
    assert_eq!(again.json["estimate"], *e);
    let window = run(file.path(), &format!("{SMALL} --method did --pre 2024-02 --post 2024-04"))?;
    assert_eq!(window.json["details"]["event_study"]["points"].as_array().map(Vec::len), Some(3));
    Ok(())
}

#[track_caller]
fn fails(file: &tempfile::NamedTempFile, words: &str, code: &str, says: &str) {
    match run(file.path(), words) {
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(code) && text.contains(says), "{text}");
        }
        Ok(answer) => panic!("{}", answer.text),
    }
}

#[test]
fn faults_of_the_file_are_named() -> Outcome {
    let did = format!("{SMALL} --method did");
    let twice = small(|unit, t, line| {
        if (unit, t) == (2, 1) {
            let again = line.clone();
            line.push('\n');
            line.push_str(&again);
        }
    })?;
    fails(&twice, &did, "TL350", "`s2` in period 2024-02");
    let off = small(|unit, t, line| {
        if (unit, t) == (6, 4) {
            line.replace_range(line.len() - 1.., "0");
        }
    })?;
    fails(&off, &did, "TL352", "`s6`");
    let one = small(|unit, _, line| {
        if unit > 4 {
            line.clear();
        }
    })?;
    fails(&one, &did, "TL356", "--method sc");
    let all = small(|unit, _, line| {
        if unit < 4 {
            line.clear();
        }
    })?;
    fails(&all, &did, "TL354", "nothing to compare with");
    let late = small(|_, t, line| {
        if t < 3 {
            line.clear();
        }
    })?;
    fails(&late, &did, "TL354", "before its treatment");
    let fine = small(|_, _, _| {})?;
    fails(&fine, &format!("{did} --covariates sales"), "TL357", "--method cs");
    fails(&fine, &format!("{did} --level 1.5"), "TL045", "1.5");
    let hole = small(|unit, t, line| {
        if (unit, t) == (5, 2) {
            line.clear();
        }
    })?;
    let answer = run(hole.path(), &did)?;
    assert!(answer.text.contains("TL351") && answer.text.contains("`s5` in 2024-03"), "{}", answer.text);
    assert_eq!(answer.json["estimate"]["n"], 7);
    Ok(())
}

//! `throughline iv`.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Parser;
use throughline_oneshot::iv::IvArgs;
use throughline_oneshot::verify::GROUPS;

type Outcome = Result<(), Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Command {
    #[command(flatten)]
    args: IvArgs,
}

fn run(file: &Path, arguments: &[&str]) -> Result<throughline_oneshot::Answer, Box<dyn Error>> {
    let file = file.display().to_string();
    let all = ["iv", file.as_str()].into_iter().chain(arguments.iter().copied());
    Ok(Command::try_parse_from(all)?.args.run()?)
}

fn reference() -> PathBuf {
    let root = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    PathBuf::from(root)
}

#[expect(clippy::print_stdout, reason = "absent data must be said, not failed on")]
fn card() -> Option<PathBuf> {
    let file = reference().join("card/card.csv");
    if !file.exists() {
        println!("reference data absent, nothing checked: {}", file.display());
    }
    file.exists().then_some(file)
}

const CARD: [&str; 8] = [
    "--outcome",
    "lwage",
    "--endogenous",
    "educ",
    "--instruments",
    "nearc4",
    "--controls",
    "exper,expersq,black,smsa,south,smsa66,reg662,reg663,reg664,reg665,reg666,reg667,reg668,reg669",
];

#[test]
fn cards_estimate_and_its_json() -> Outcome {
    let Some(file) = card() else { return Ok(()) };
    let answer = run(&file, &CARD)?;
    let estimate = &answer.json["estimate"];
    assert!((estimate["value"].as_f64().ok_or("no value")? - 0.131_503_775_5).abs() < 1e-9);
    assert!((estimate["std_error"].as_f64().ok_or("no error")? - 0.053_999_521_4).abs() < 1e-9);
    assert_eq!((&estimate["n"], &answer.json["tier"]), (&3010.into(), &1.into()));
    let names: Vec<&str> =
        answer.json["comparisons"].as_array().ok_or("none")?.iter().filter_map(|c| c["name"].as_str()).collect();
    assert_eq!(names, ["Anderson–Rubin set", "OLS", "LIML", "reduced form: nearc4"]);
    assert_eq!(answer.json["details"]["anderson_rubin"]["shape"], "interval");
    assert!(answer.text.contains("weak instruments") && answer.text.contains("first stage of educ: F 13.3"));
    Ok(())
}

#[test]
fn every_published_answer_of_card_is_met() -> Outcome {
    if card().is_none() {
        return Ok(());
    }
    let group = GROUPS.iter().find(|g| g.name == "card").ok_or("no group")?;
    let checks = (group.run)(&reference())?;
    assert!(checks.len() >= 18);
    for check in checks {
        assert!(check.passed, "{check:?}");
    }
    Ok(())
}

fn file(text: &str) -> Result<tempfile::NamedTempFile, Box<dyn Error>> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

#[test]
fn texts_and_gaps_are_said_and_bad_inputs_refused() -> Outcome {
    let mut text = String::from("y,d,z,group,constant\n");
    for i in 0..120_u32 {
        let (z, noise) = (i % 7, (i * 37 % 11) * 3 % 8);
        let y = if i == 4 { "NA".to_owned() } else { (2 * (z + noise) + i * 13 % 5).to_string() };
        text.push_str(&format!("{y},{},{z},{},1\n", z + noise, ["a", "b", "c"][i as usize % 3]));
    }
    let file = file(&text)?;
    let base = ["--outcome", "y", "--endogenous", "d"];
    let with = |more: &[&str]| run(file.path(), &[&base, more].concat());
    let answer = with(&["--instruments", "z", "--controls", "group", "--cluster", "group", "--json"])?;
    let codes: Vec<&str> =
        answer.json["diagnostics"].as_array().ok_or("none")?.iter().filter_map(|d| d["code"].as_str()).collect();
    assert!(["TL375", "TL378", "TL379"].iter().all(|c| codes.contains(c)), "{codes:?}");
    assert_eq!(answer.json["details"]["controls"], serde_json::json!(["group=b", "group=c"]));
    for (arguments, code) in [
        (vec!["--instruments", "constant"], "TL372"),
        (vec!["--instruments", "z", "--controls", "constant"], "TL371"),
        (vec!["--instruments", "z", "--covariance", "cluster"], "TL065"),
        (vec!["--instruments", "zz"], "TL033"),
        (vec!["--instruments", "z", "--level", "2"], "TL045"),
    ] {
        let error = with(&arguments).err().ok_or("accepted")?.to_string();
        assert!(error.contains(code), "{arguments:?}: {error}");
    }
    Ok(())
}

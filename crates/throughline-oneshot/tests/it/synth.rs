//! Synthetic controls and geo experiments as commands, and against published figures.

use std::path::{Path, PathBuf};

use clap::Parser;
use serde_json::Value;
use throughline_oneshot::geo::GeoCommand;
use throughline_oneshot::panel::PanelArgs;
use throughline_oneshot::verify::GROUPS;

#[derive(Debug, Parser)]
struct Panel {
    #[command(flatten)]
    args: PanelArgs,
}

#[derive(Debug, Parser)]
struct Geo {
    #[command(subcommand)]
    command: GeoCommand,
}

fn reference() -> PathBuf {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    std::env::var_os("THROUGHLINE_REFERENCE").map_or(default, PathBuf::from)
}

#[test]
#[expect(clippy::print_stderr, reason = "absent data must be said")]
fn published_figures_are_met() {
    for group in GROUPS.iter().filter(|g| ["prop99", "geolift", "basque"].contains(&g.name)) {
        match (group.run)(&reference()) {
            Ok(checks) => {
                assert!(checks.len() > 4);
                let failed: Vec<_> = checks.iter().filter(|c| !c.passed).collect();
                assert!(failed.is_empty(), "{failed:#?}");
            }
            Err(e) if e.to_string().contains("TL051") => eprintln!("{}: skipped, {e}", group.name),
            Err(e) => panic!("{}: {e}", group.name),
        }
    }
}

/// A small file: 12 units, 24 periods, unit `u3` treated from 20 on with an effect of 5.
fn file(dir: &Path) -> PathBuf {
    let mut text = String::from("unit,time,y,d,x,spend\n");
    for i in 0..12_u32 {
        for t in 0..24_u32 {
            let wave = f64::from((t * 7 + i * 3) % 5) + f64::from(t) * (1.0 + f64::from(i) / 20.0);
            let d = u32::from(i == 3 && t >= 20);
            let y = 30.0 + f64::from(i) + wave + 5.0 * f64::from(d);
            text.push_str(&format!("u{i},{t},{y},{d},{},{}\n", i * i, 10 + i));
        }
    }
    let path = dir.join("panel.csv");
    std::fs::write(&path, text).expect("written");
    path
}

fn panel(file: &Path, more: &[&str]) -> Value {
    let file = file.display().to_string();
    let base =
        ["panel", &file, "--unit", "unit", "--time", "time", "--outcome", "y", "--treatment", "d", "--level", "0.8"];
    let args = Panel::try_parse_from(base.iter().chain(more)).expect("arguments").args;
    let answer = args.run().expect("an answer");
    assert!(!answer.text.contains("NaN") && !answer.json.to_string().contains("NaN"));
    answer.json
}

#[test]
fn the_panel_methods_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = file(dir.path());
    let settings: [&[&str]; 9] = [
        &["--method", "sc"],
        &["--method", "sc", "--solver", "exact", "--inference", "conformal", "--permutations", "iid"],
        &["--method", "sc", "--ridge", "--intercept", "--inference", "rank"],
        &["--method", "sc", "--predictor", "x@3", "--predictor", "y@10:19", "--fit-periods", "5:19"],
        &["--method", "sdid"],
        &["--method", "sdid", "--solver", "exact", "--pre", "4"],
        &["--method", "geo", "--spend", "-100"],
        &["--method", "geo", "--ridge-penalty", "3.5"],
        &["--method", "geo", "--permutations", "block", "--post", "22"],
    ];
    for more in settings {
        let json = panel(&file, more);
        let e = &json["estimate"];
        let value = e["value"].as_f64().expect("a value");
        assert!((value - 5.0).abs() < 3.0, "{more:?}: {value}");
        assert!(e["p_value"].as_f64().is_some_and(|p| p > 0.0 && p <= 1.0), "{more:?}");
        let cohort = &json["details"]["cohorts"][0];
        assert!(
            cohort["treated"]
                .as_array()
                .is_some_and(|t| t.len() == json["details"]["times"].as_array().map_or(0, Vec::len))
        );
        assert!(cohort["weights"].as_array().is_some_and(|w| !w.is_empty()));
    }
    let args = [
        "panel",
        &file.display().to_string(),
        "--unit",
        "unit",
        "--time",
        "time",
        "--outcome",
        "y",
        "--treatment",
        "d",
    ];
    let run = |more: &[&str]| Panel::try_parse_from(args.iter().chain(more)).expect("arguments").args.run();
    for (more, code) in [
        (["--method", "sc", "--predictor", "x@99"], "TL363"),
        (["--method", "sdid", "--variance", "jackknife"], "TL360"),
        (["--method", "sc", "--predictor", "nothing"], "TL033"),
    ] {
        let error = run(&more).expect_err(code);
        assert!(format!("{error:?}").contains(code), "{code}: {error:?}");
    }
}

#[test]
fn the_geo_commands_answer() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = file(dir.path()).display().to_string();
    let columns = ["--unit", "unit", "--time", "time", "--outcome", "y"];
    let run = |what: &str, more: &[&str]| {
        let args = ["geo", what, &file].into_iter().chain(columns).chain(more.iter().copied());
        Geo::try_parse_from(args).expect("arguments").command.run()
    };
    let read = run("read", &["--markets", "U3", "--from", "20", "--level", "0.8"]).expect("a reading");
    assert!(read.json["estimate"]["value"].as_f64().is_some_and(|v| (v - 5.0).abs() < 3.0));
    let design =
        ["--durations", "4", "--markets", "1,2", "--effects", "-0.2,-0.5", "--spend", "spend", "--spend-change", "-1"];
    let designs = run("design", &design).expect("designs");
    let first = &designs.json["designs"][0];
    assert!(first["minimum_detectable_effect"].as_f64().is_some_and(|e| e < 0.0), "{}", designs.text);
    assert!(first["spend_change"].as_f64().is_some_and(|s| s < 0.0));
    let error = run("read", &["--markets", "u33", "--from", "20"]).expect_err("unknown");
    assert!(format!("{error:?}").contains("TL362"), "{error:?}");
}

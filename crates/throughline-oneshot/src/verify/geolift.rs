//! The walkthrough of a geo experiment: reading, power and market selection.

use std::path::Path;

use serde_json::Value;
use throughline_core::Estimate;
use throughline_evidence::Report;
use throughline_evidence::geo::Design;

use super::{Check, reference};
use crate::OneShotError;
use crate::geo::{GeoDesignArgs, GeoFileArgs, GeoReadArgs};

const SOURCE: &str = "GeoLift walkthrough (facebookincubator/GeoLift)";
const REDONE: &str = "simplex least squares on demeaned data, by another method (FISTA)";

const WEIGHTS: [(&str, f64); 13] = [
    ("cincinnati", 0.2272),
    ("miami", 0.2028),
    ("baton rouge", 0.1335),
    ("minneapolis", 0.0900),
    ("dallas", 0.0739),
    ("nashville", 0.0685),
    ("honolulu", 0.0673),
    ("austin", 0.0465),
    ("san diego", 0.0451),
    ("reno", 0.0306),
    ("san antonio", 0.0054),
    ("houston", 0.0046),
    ("new york", 0.0046),
];

/// Rank, markets, periods, effect, scaled imbalance, investment, mean effect.
type Row = (usize, &'static str, usize, f64, Option<f64>, f64, Option<f64>);

/// Designs share a rank where the mean of their three ranks is the same.
const SELECTION: [Row; 5] = [
    (1, "chicago, cincinnati, houston, portland", 15, 0.05, Some(0.197_186_4), 74_118.38, Some(159.3627)),
    (1, "chicago, portland", 15, 0.10, Some(0.173_877_8), 64_563.75, Some(290.0071)),
    (3, "chicago, cincinnati, houston, portland", 10, 0.10, Some(0.196_699_6), 99_027.75, Some(316.6204)),
    (3, "chicago, portland", 10, 0.10, Some(0.168_231_0), 43_646.25, Some(300.9401)),
    (5, "chicago, houston, portland", 10, 0.10, None, 75_389.25, None),
];

fn file(dir: &Path, name: &str) -> Result<GeoFileArgs, OneShotError> {
    Ok(GeoFileArgs {
        file: reference(dir, name)?,
        delimiter: ",".into(),
        unit: "location".into(),
        time: "date".into(),
        outcome: "Y".into(),
    })
}

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let mut out = Vec::new();
    read(dir, &mut out)?;
    select(dir, &mut out)?;
    Ok(out)
}

fn read(dir: &Path, out: &mut Vec<Check>) -> Result<(), OneShotError> {
    let args = GeoReadArgs {
        data: file(dir, "geolift/GeoLift_Test.csv")?,
        markets: vec!["chicago".into(), "portland".into()],
        from: "2021-04-01".into(),
        to: None,
        spend: None,
        ridge: false,
        block: false,
        draws: 9_999,
        level: 0.9,
        seed: 1,
        json: true,
    };
    let report: Report = args.report()?.0;
    let find = |name: &str| report.comparisons.iter().find(|c| c.name == name).map(|c| &c.estimate);
    let value = |e: Option<&Estimate>| e.map_or(f64::NAN, |e| e.value);
    let cohort = &report.details["cohorts"][0];
    let number = |v: &Value| v.as_f64().unwrap_or(f64::NAN);
    for (name, expected, got, tolerance) in [
        ("ATT", 155.555_686_877_7, report.estimate.value, 1e-6),
        ("incremental", 4_666.670_606_391_4, value(find("incremental")), 1e-6),
        ("lift", 0.054_231_873_9, value(find("lift")), 1e-6),
        ("L2 imbalance", 909.488_539_310_4, number(&cohort["fit"]["l2"]), 1e-6),
        ("scaled L2 imbalance", 0.163_639_421_7, number(&cohort["fit"]["scaled_l2"]), 1e-6),
    ] {
        out.push(Check::relative(format!("geolift {name}"), expected, got, tolerance, REDONE));
    }
    // Published from 1,000 random orders. All orders give 0.012, from which 1,000 have a standard error of 0.0034.
    out.push(Check::absolute("geolift p-value", 0.006, report.estimate.p_value, 0.0075, SOURCE));
    // And the interval says the same as the p-value, which theirs does not.
    let excluded = f64::from(u8::from(!report.estimate.set.contains(0.0)));
    out.push(Check::absolute("geolift 90 % interval excludes 0", 1.0, excluded, 0.0, SOURCE));
    let rows = cohort["weights"].as_array().cloned().unwrap_or_default();
    for (market, weight) in WEIGHTS {
        let got = rows.iter().find(|r| r["unit"] == market).map_or(f64::NAN, |r| number(&r["weight"]));
        out.push(Check::absolute(format!("geolift weight, {market}"), weight, got, 6e-5, SOURCE));
    }
    Ok(())
}

fn select(dir: &Path, out: &mut Vec<Check>) -> Result<(), OneShotError> {
    let args = GeoDesignArgs {
        data: file(dir, "geolift/GeoLift_PreTest.csv")?,
        durations: vec![10, 15],
        markets: vec![2, 3, 4, 5],
        effects: (0..11).map(|i| f64::from(i) / 20.0).collect(),
        lookback: 1,
        include: vec!["chicago".into()],
        exclude: vec!["honolulu".into()],
        cpic: Some(7.5),
        spend: None,
        spend_change: None,
        budget: Some(100_000.0),
        holdout: None,
        level: 0.9,
        power: 0.8,
        draws: 999,
        seed: 1,
        top: 10,
        json: true,
    };
    let (found, _) = args.designs()?;
    for (rank, markets, periods, effect, scaled, investment, att) in SELECTION {
        let row = found.designs.iter().find(|d| d.markets.join(", ") == markets && d.duration == periods);
        let get = |f: &dyn Fn(&Design) -> f64| row.map_or(f64::NAN, f);
        let name = |what: &str| format!("geolift selection, {markets}, {periods} days: {what}");
        out.push(Check::absolute(name("rank"), rank as f64, get(&|d| d.rank as f64), 0.0, SOURCE));
        out.push(Check::absolute(name("effect"), effect, get(&|d| d.minimum_detectable_effect), 1e-12, SOURCE));
        if let Some(scaled) = scaled {
            out.push(Check::absolute(name("scaled L2"), scaled, get(&|d| d.scaled_l2), 2e-5, SOURCE));
        }
        out.push(Check::absolute(
            name("investment"),
            investment,
            get(&|d| d.at.investment.unwrap_or(f64::NAN)),
            0.006,
            SOURCE,
        ));
        if let Some(att) = att {
            out.push(Check::relative(name("mean effect"), att, get(&|d| d.at.att), 1e-4, SOURCE));
        }
    }
    Ok(())
}

//! County teen employment and minimum wages: Callaway and Sant'Anna's effects by group and period, with their errors.

use std::path::Path;

use throughline_evidence::did::{Adjustment, Aggregate, CsOptions, GroupTime, twfe};
use throughline_evidence::{Panel, PanelSpec};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const SOURCE: &str =
    "did 2.5.1 README (reg, never-treated, varying base), to 4 digits; full digits by influence functions";
const ADJUSTED: &str = "did with ~ lpop (doubly robust), printed in ddml's article on did";

/// (group, period, ATT, analytic standard error).
const EFFECTS: [(&str, &str, f64, f64); 12] = [
    ("2004", "2004", -0.010_503_2, 0.023_251_0),
    ("2004", "2005", -0.070_423_2, 0.030_984_8),
    ("2004", "2006", -0.137_258_7, 0.036_435_7),
    ("2004", "2007", -0.100_811_4, 0.034_359_2),
    ("2006", "2004", 0.006_520_1, 0.023_326_8),
    ("2006", "2005", -0.002_750_8, 0.019_558_6),
    ("2006", "2006", -0.004_594_6, 0.017_755_2),
    ("2006", "2007", -0.041_224_5, 0.020_229_2),
    ("2007", "2004", 0.030_506_7, 0.015_033_6),
    ("2007", "2005", -0.002_725_9, 0.016_395_8),
    ("2007", "2006", -0.031_087_1, 0.017_877_5),
    ("2007", "2007", -0.026_054_4, 0.016_655_4),
];

const OVERALL: [(Aggregate, f64); 4] = [
    (Aggregate::Simple, -0.039_951_275_155_177),
    (Aggregate::Group, -0.031_018_282_228_749),
    (Aggregate::Dynamic, -0.077_239_821_457_316),
    (Aggregate::Calendar, -0.041_700_432_131_283),
];

/// (event time, effect) as printed.
const EVENTS: [(f64, f64); 7] =
    [(-3.0, 0.0305), (-2.0, -0.0006), (-1.0, -0.0245), (0.0, -0.0199), (1.0, -0.0510), (2.0, -0.1373), (3.0, -0.1008)];

/// (group, effect) as printed.
const GROUPS: [(&str, f64); 3] = [("2004", -0.0797), ("2006", -0.0229), ("2007", -0.0261)];

/// Half a unit of the fourth printed digit.
const PRINTED: f64 = 5.001e-5;

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let panel = panel(dir, &[])?;
    let options = CsOptions { adjustment: Adjustment::Regression, ..CsOptions::default() };
    let found = GroupTime::of(&panel, &options)?;
    let mut out = Vec::new();
    for (group, period, effect, std_error) in EFFECTS {
        let (value, error) = cell(&found, group, period);
        out.push(Check::absolute(format!("mpdta ATT({group}, {period})"), effect, value, 1e-6, SOURCE));
        out.push(Check::absolute(format!("mpdta ATT({group}, {period}), std. error"), std_error, error, 1e-5, SOURCE));
    }
    for (kind, expected) in OVERALL {
        let a = found.aggregate(kind)?;
        let value = a.joint.values()[a.overall()];
        out.push(Check::absolute(format!("mpdta overall, {}", kind.words()), expected, value, 1e-6, SOURCE));
    }
    printed(&found, &mut out)?;
    let (statistic, p) = found.pre_test().map_or((f64::NAN, f64::NAN), |t| (t.statistic, t.p_value));
    out.push(Check::absolute("mpdta pre-test, Wald", 7.791_236_627_200_005, statistic, 1e-6, SOURCE));
    out.push(Check::absolute("mpdta pre-test, p", 0.168_122_494_923_897_08, p, 1e-6, SOURCE));
    let regression = twfe(&panel)?.joint.values()[0];
    out.push(Check::absolute("mpdta two-way fixed effects", -0.036_548_936_674_067, regression, 1e-6, SOURCE));
    out.extend(adjusted(dir)?);
    Ok(out)
}

fn panel(dir: &Path, covariates: &[&str]) -> Result<Panel, OneShotError> {
    let columns: Vec<&str> = ["year", "countyreal", "lemp", "first.treat"].iter().chain(covariates).copied().collect();
    let (table, _) = read_table(&reference(dir, "mpdta/mpdta.csv")?, ",", &columns)?;
    let spec = PanelSpec {
        unit: "countyreal",
        time: "year",
        outcome: "lemp",
        treatment: "first.treat",
        covariates,
        ..PanelSpec::default()
    };
    Ok(Panel::of(&table, &spec)?)
}

fn cell(found: &GroupTime, group: &str, period: &str) -> (f64, f64) {
    let position = found.position(group, period);
    position.map_or((f64::NAN, f64::NAN), |p| (found.joint.values()[p], found.joint.std_error(p)))
}

/// Figures that are known as they were printed.
fn printed(found: &GroupTime, out: &mut Vec<Check>) -> Result<(), OneShotError> {
    let dynamic = found.aggregate(Aggregate::Dynamic)?;
    for (event, expected) in EVENTS {
        let position = dynamic.events.iter().position(|e| *e == event);
        let value = position.map_or(f64::NAN, |p| dynamic.joint.values()[p]);
        out.push(Check::absolute(format!("mpdta event time {event}"), expected, value, PRINTED, SOURCE));
    }
    let groups = found.aggregate(Aggregate::Group)?;
    for (group, expected) in GROUPS {
        let position = groups.labels.iter().position(|l| l == group);
        let value = position.map_or(f64::NAN, |p| groups.joint.values()[p]);
        out.push(Check::absolute(format!("mpdta group {group}"), expected, value, PRINTED, SOURCE));
    }
    Ok(())
}

/// (group, period, ATT) given log population, doubly robust.
const GIVEN_POPULATION: [(&str, &str, f64); 12] = [
    ("2004", "2004", -0.0145),
    ("2004", "2005", -0.0764),
    ("2004", "2006", -0.1404),
    ("2004", "2007", -0.1069),
    ("2006", "2004", -0.0005),
    ("2006", "2005", -0.0062),
    ("2006", "2006", 0.0010),
    ("2006", "2007", -0.0413),
    ("2007", "2004", 0.0267),
    ("2007", "2005", -0.0046),
    ("2007", "2006", -0.0284),
    ("2007", "2007", -0.0288),
];

/// (event time, effect) given log population.
const EVENTS_GIVEN_POPULATION: [(f64, f64); 7] =
    [(-3.0, 0.0267), (-2.0, -0.0036), (-1.0, -0.0232), (0.0, -0.0211), (1.0, -0.0530), (2.0, -0.1404), (3.0, -0.1069)];

fn adjusted(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let found = GroupTime::of(&panel(dir, &["lpop"])?, &CsOptions::default())?;
    let check = |(group, period, expected): (&str, &str, f64)| {
        let name = format!("mpdta ATT({group}, {period}) given population");
        Check::absolute(name, expected, cell(&found, group, period).0, PRINTED, ADJUSTED)
    };
    let mut out = GIVEN_POPULATION.map(check).to_vec();
    let dynamic = found.aggregate(Aggregate::Dynamic)?;
    let value = |position: Option<usize>| position.map_or(f64::NAN, |p| dynamic.joint.values()[p]);
    for (event, expected) in EVENTS_GIVEN_POPULATION {
        let got = value(dynamic.events.iter().position(|e| *e == event));
        let name = format!("mpdta event time {event} given population");
        out.push(Check::absolute(name, expected, got, PRINTED, ADJUSTED));
    }
    let overall = value(Some(dynamic.overall()));
    out.push(Check::absolute("mpdta overall, dynamic, given population", -0.0804, overall, PRINTED, ADJUSTED));
    let p = found.pre_test().map_or(f64::NAN, |t| t.p_value);
    out.push(Check::absolute("mpdta pre-test given population, p", 0.232_67, p, 5.001e-6, ADJUSTED));
    Ok(out)
}

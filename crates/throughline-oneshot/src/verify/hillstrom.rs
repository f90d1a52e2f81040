//! The MineThatData e-mail test: rates, and Welch effects of both e-mails on visit, conversion and spend.

use std::path::Path;

use throughline_evidence::experiment::{Metric, Plan, read};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const SOURCE: &str = "Hillstrom 2008; rates also in scikit-uplift's notebook";

/// (arm, metric, mean) as published.
const MEANS: [(&str, &str, f64); 6] = [
    ("Womens E-Mail", "visit", 0.151_400),
    ("Mens E-Mail", "visit", 0.182_757),
    ("No E-Mail", "visit", 0.106_167),
    ("Womens E-Mail", "spend", 1.077_202),
    ("Mens E-Mail", "spend", 1.422_617),
    ("No E-Mail", "spend", 0.652_789),
];

/// (arm, metric, effect, standard error).
const EFFECTS: [(&str, &str, f64, f64); 6] = [
    ("Mens E-Mail", "visit", 0.076_590, 0.003_386),
    ("Mens E-Mail", "conversion", 0.006_805, 0.000_921),
    ("Mens E-Mail", "spend", 0.769_827, 0.145_247),
    ("Womens E-Mail", "visit", 0.045_233, 0.003_234),
    ("Womens E-Mail", "conversion", 0.003_111, 0.000_823),
    ("Womens E-Mail", "spend", 0.424_412, 0.130_333),
];

/// Conversions by arm.
const CONVERSIONS: [(&str, f64); 3] = [("Womens E-Mail", 189.0), ("Mens E-Mail", 267.0), ("No E-Mail", 122.0)];

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let file = reference(dir, "hillstrom/hillstrom.csv")?;
    let (table, _) = read_table(&file, ",", &["segment", "visit", "conversion", "spend"])?;
    let plan = ["visit", "conversion", "spend"]
        .into_iter()
        .map(Metric::column)
        .fold(Plan::new("segment", "No E-Mail"), Plan::metric);
    let reading = read(&table, &plan)?;
    let mean = |arm: &str, metric: &str| {
        let arm = reading.arms.iter().find(|a| a.arm == arm);
        let found = arm.and_then(|a| a.metrics.iter().find(|m| m.metric == metric));
        found.map_or((f64::NAN, f64::NAN), |m| (m.mean.unwrap_or(f64::NAN), m.n as f64))
    };
    let mut out = Vec::new();
    for (arm, metric, expected) in MEANS {
        out.push(Check::absolute(
            format!("hillstrom mean {metric}, {arm}"),
            expected,
            mean(arm, metric).0,
            1e-5,
            SOURCE,
        ));
    }
    for (arm, expected) in CONVERSIONS {
        let (rate, n) = mean(arm, "conversion");
        out.push(Check::absolute(format!("hillstrom conversions, {arm}"), expected, rate * n, 1e-6, SOURCE));
    }
    for (arm, metric, effect, std_error) in EFFECTS {
        let estimate = reading.comparison(arm, metric).and_then(|c| c.estimate.as_ref());
        let (value, se) = estimate.map_or((f64::NAN, f64::NAN), |e| (e.value, e.std_error.unwrap_or(f64::NAN)));
        out.push(Check::absolute(format!("hillstrom effect on {metric}, {arm}"), effect, value, 1e-5, SOURCE));
        out.push(Check::absolute(format!("hillstrom standard error on {metric}, {arm}"), std_error, se, 1e-5, SOURCE));
    }
    Ok(out)
}

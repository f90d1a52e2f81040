//! The infant health programme with simulated outcomes: the true average effect is known.

use std::path::Path;

use throughline_core::Level;
use throughline_evidence::adjust::{AdjustSettings, Estimand, MatchSettings, Method, Study, effect};

use super::{Check, read_text};
use crate::OneShotError;

const SOURCE: &str = "Hill 2011, as simulated by NPCI; truth from the columns mu0 and mu1";

/// (file, true ATE, difference of means).
const FILES: [(u8, f64, f64); 3] = [
    (1, 4.016_066_896_118_338, 4.021_121_012_430_829),
    (2, 4.050_838_760_043_126, 4.081_421_330_852_072),
    (3, 4.099_163_647_971_287, 4.194_156_800_295_257),
];

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let mut out = Vec::new();
    for (file, truth, naive) in FILES {
        let study = study(&read_text(dir, &format!("ihdp/ihdp_npci_{file}.csv"))?)?;
        let settings = AdjustSettings { repetitions: 5, ..AdjustSettings::default() };
        let matching = MatchSettings { neighbours: 4, ..MatchSettings::default() };
        for (name, method) in
            [("AIPW with linear models", Method::Aipw), ("bias-corrected matching", Method::Match(matching))]
        {
            let report = effect(&study, method, Estimand::Ate, &settings, &[], Level::P95)?;
            if method == Method::Aipw {
                let unadjusted = report.comparisons.iter().find(|f| f.name == "unadjusted difference");
                let got = unadjusted.map_or(f64::NAN, |f| f.estimate.value);
                out.push(Check::absolute(format!("IHDP {file}, difference of means"), naive, got, 1e-9, SOURCE));
            }
            let error = report.estimate.std_error.unwrap_or(0.0);
            let name = format!("IHDP {file}, ATE by {name}, within three standard errors");
            out.push(Check::absolute(name, truth, report.estimate.value, 3.0 * error, SOURCE));
        }
    }
    Ok(out)
}

/// Columns without a header: treatment, outcome, counterfactual outcome, mu0, mu1, 25 covariates.
fn study(text: &str) -> Result<Study, OneShotError> {
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); 30];
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        for (column, field) in columns.iter_mut().zip(line.split(',')) {
            column.push(field.trim().parse().unwrap_or(f64::NAN));
        }
    }
    let covariates = columns.split_off(5).into_iter().enumerate().map(|(i, c)| (format!("x{}", i + 1), c)).collect();
    let outcome = columns.swap_remove(1);
    Ok(Study::new(outcome, columns.swap_remove(0), covariates)?)
}

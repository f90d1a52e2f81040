//! LaLonde's job training: the experiment's effect, what a naive comparison with survey controls makes of it, and how close
//! adjustment comes.

use std::path::Path;

use throughline_core::Level;
use throughline_evidence::adjust::{AdjustSettings, Estimand, LearnerSpec, MatchSettings, Method, Study, effect};
use throughline_evidence::{Report, Table};
use throughline_stats::moments::Moments;
use throughline_stats::two_sample::{Summary, welch};

use super::{Check, reference};
use crate::OneShotError;
use crate::files::read_table;

const COVARIATES: [&str; 8] = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"];
const SOURCE: &str = "LaLonde 1986; Dehejia, Wahba 1999";
/// The experiment's effect on earnings of 1978 and its standard error.
const EFFECT: f64 = 1794.3433;
const ERROR: f64 = 670.9966;

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let read = |file: &str| {
        let columns: Vec<&str> = COVARIATES.iter().copied().chain(["treat", "re78"]).collect();
        read_table(&reference(dir, file)?, ",", &columns).map(|(table, _)| table)
    };
    let (experiment, survey) = (read("nsw-lalonde/nsw_mixtape.csv")?, read("nsw-lalonde/cps_mixtape.csv")?);
    let [treated, control] = [1.0, 0.0].map(|arm| of_arm(&experiment, "re78", arm));
    let (treated, control, others) = (treated?, control?, survey.numbers("re78")?.to_vec());
    let difference =
        |a: &[f64], b: &[f64]| welch(&summary(b), &summary(a)).map_or((f64::NAN, f64::NAN), |d| (d.value, d.std_error));
    let (value, error) = difference(&treated, &control);
    let mut out = vec![
        Check::absolute("NSW experiment, effect", EFFECT, value, 1e-3, SOURCE),
        Check::absolute("NSW experiment, standard error", ERROR, error, 1e-3, SOURCE),
        Check::absolute(
            "NSW treated against CPS, unadjusted",
            -8497.516,
            difference(&treated, &others).0,
            1e-2,
            SOURCE,
        ),
    ];
    let study = combined(&experiment, &survey)?;
    for (name, method, settings) in methods() {
        let report = effect(&study, method, Estimand::Att, &settings, &[], Level::P95)?;
        out.push(close(name, &report));
    }
    Ok(out)
}

/// An observational estimate is not expected to be the experiment's; without bias it would be within two of its errors.
fn close(name: &str, report: &Report) -> Check {
    let source = "the experiment, within two of its standard errors";
    Check::absolute(
        format!("NSW treated against CPS, ATT by {name}"),
        EFFECT,
        report.estimate.value,
        2.0 * ERROR,
        source,
    )
}

fn methods() -> Vec<(&'static str, Method, AdjustSettings)> {
    let linear = AdjustSettings { repetitions: 5, ..AdjustSettings::default() };
    let trees = LearnerSpec::named("boosted_trees");
    let trees = AdjustSettings { outcome: trees.clone(), treatment: trees, ..linear.clone() };
    let plain = AdjustSettings::default();
    vec![
        ("AIPW with linear models", Method::Aipw, linear),
        ("AIPW with boosted trees", Method::Aipw, trees),
        ("propensity weighting", Method::Ipw, plain.clone()),
        ("entropy balancing", Method::Entropy, plain.clone()),
        ("bias-corrected matching", Method::Match(MatchSettings::default()), plain),
    ]
}

fn summary(values: &[f64]) -> Summary {
    let n = values.len() as u64;
    Moments::from_sums(n, values.iter().sum(), values.iter().map(|v| v * v).sum()).summary()
}

fn of_arm(table: &Table, column: &str, arm: f64) -> Result<Vec<f64>, OneShotError> {
    let rows = table.numbers(column)?.iter().zip(table.numbers("treat")?);
    Ok(rows.filter(|(_, d)| **d == arm).map(|(v, _)| *v).collect())
}

/// The experiment's treated and the survey, with the terms Dehejia and Wahba added: squares of age and schooling, no earnings.
fn combined(experiment: &Table, survey: &Table) -> Result<Study, OneShotError> {
    let column = |name: &str| -> Result<Vec<f64>, OneShotError> {
        let mut values = of_arm(experiment, name, 1.0)?;
        values.extend_from_slice(survey.numbers(name)?);
        Ok(values)
    };
    let mut covariates = Vec::new();
    for name in COVARIATES {
        covariates.push((name.to_owned(), column(name)?));
    }
    for name in ["age", "educ"] {
        covariates.push((format!("{name}²"), column(name)?.iter().map(|v| v * v).collect()));
    }
    for name in ["re74", "re75"] {
        covariates
            .push((format!("{name} = 0"), column(name)?.iter().map(|v| f64::from(u8::from(*v == 0.0))).collect()));
    }
    Ok(Study::new(column("re78")?, column("treat")?, covariates)?)
}

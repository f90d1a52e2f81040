//! Card's returns to schooling: OLS, the first stage, 2SLS with three kinds of errors, LIML, GMM and tests, beside linearmodels.

use std::path::Path;

use serde_json::Value;
use throughline_evidence::Report;

use super::{Check, reference};
use crate::OneShotError;
use crate::iv::{CovarianceKind, IvArgs, Method};

const SOURCE: &str = "Card (1995), linearmodels 7.1";

const CONTROLS: [&str; 14] = [
    "exper", "expersq", "black", "smsa", "south", "smsa66", "reg662", "reg663", "reg664", "reg665", "reg666", "reg667",
    "reg668", "reg669",
];

pub(super) fn checks(dir: &Path) -> Result<Vec<Check>, OneShotError> {
    let base = IvArgs {
        file: reference(dir, "card/card.csv")?,
        delimiter: ",".into(),
        outcome: "lwage".into(),
        endogenous: vec!["educ".into()],
        instruments: vec!["nearc4".into()],
        controls: CONTROLS.map(str::to_owned).to_vec(),
        method: Method::Tsls,
        covariance: Some(CovarianceKind::Robust),
        cluster: None,
        small_sample: false,
        level: 0.95,
        json: false,
    };
    let with = |two: bool, method: Method, covariance: CovarianceKind, small_sample: bool| {
        let mut args = IvArgs { method, covariance: Some(covariance), small_sample, ..base.clone() };
        if two {
            args.instruments.insert(0, "nearc2".into());
        }
        args.report().map(|(report, _)| report)
    };
    let (classical, robust) = (CovarianceKind::Classical, CovarianceKind::Robust);
    let mut out = Vec::new();
    let mut add = |name: &str, expected: f64, got: f64| {
        out.push(Check::relative(format!("card {name}"), expected, got, 1e-7, SOURCE));
    };
    let small = with(false, Method::Tsls, classical, true)?;
    let large = with(false, Method::Tsls, classical, false)?;
    let white = with(false, Method::Tsls, robust, false)?;
    let ols = small.comparisons.iter().find(|f| f.name == "OLS").map(|f| &f.estimate);
    add("OLS of education", 0.074_693_250_773_655_96, ols.map_or(f64::NAN, |e| e.value));
    add("OLS standard error", 0.003_498_345_634_101_157, ols.and_then(|e| e.std_error).unwrap_or(f64::NAN));
    add("first stage F", 13.255_785_330_6, stage(&small, "f"));
    add("2SLS of education", 0.131_503_775_461_169_43, white.estimate.value);
    add("2SLS standard error, small sample", 0.054_963_667_866_349_06, error(&small));
    add("2SLS standard error, asymptotic", 0.054_817_390_380_403_96, error(&large));
    add("2SLS standard error, robust", 0.053_999_521_432_304_52, error(&white));
    let over = with(true, Method::Tsls, robust, false)?;
    add("2SLS with two instruments", 0.157_059_327_277_238_48, over.estimate.value);
    add("2SLS with two instruments, robust error", 0.052_412_689_281_456_78, error(&over));
    add("Sargan", 1.248_155_389_617_135, test(&over, "sargan"));
    add("Hansen J", 1.268_912_945_430_359_6, test(&over, "hansen_j"));
    add("Wu–Hausman F", 2.925_642_258_137_064_5, test(&over, "wu_hausman"));
    for (name, method, covariance, value, std_error) in [
        ("LIML", Method::Liml, classical, 0.164_027_721_897_582_52, 0.055_347_378_532_066_63),
        ("Fuller", Method::Fuller, classical, 0.158_258_799_311_624_9, 0.052_937_657_829_949_95),
        ("two-step GMM", Method::Gmm, robust, 0.155_210_105_735_022_8, 0.052_202_278_027_159_02),
    ] {
        let report = with(true, method, covariance, false)?;
        add(name, value, report.estimate.value);
        add(&format!("{name} standard error"), std_error, error(&report));
    }
    // Printed to four digits.
    for (name, expected, got) in
        [("HC0", 14.2142, stage(&white, "robust_f_hc0")), ("HC1", 14.1387, stage(&white, "robust_f_hc1"))]
    {
        out.push(Check::absolute(format!("card first stage robust F, {name}"), expected, got, 1e-4, SOURCE));
    }
    Ok(out)
}

fn error(report: &Report) -> f64 {
    report.estimate.std_error.unwrap_or(f64::NAN)
}

fn stage(report: &Report, what: &str) -> f64 {
    report.details.get("first_stage").and_then(|s| s[0][what].as_f64()).unwrap_or(f64::NAN)
}

fn test(report: &Report, what: &str) -> f64 {
    let statistic = |t: &Value| t[what]["statistic"].as_f64();
    report.details.get("tests").and_then(statistic).unwrap_or(f64::NAN)
}

//! The answer: an estimate, others beside it, tests of what it rests on, and what a reader must know.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, EvidenceTier};

use super::anderson_rubin::{self, ArTest, reduced_form, shape};
use super::checks::{self, Test};
use super::data::IvData;
use super::first_stage::{Strength, first_stages, strength};
use super::gmm::{GmmFit, gmm, hansen_j};
use super::kclass::{self, Fit};
use super::reduced::Reduced;
use super::{IvCovariance, IvMethod, IvSettings};
use crate::{EvidenceError, Joint, Report};

/// Fewer clusters than this make clustered errors unreliable.
const FEW_CLUSTERS: usize = 30;

/// p-value below which a specification test is reported as failed.
const FAILS: f64 = 0.01;

/// Estimates the coefficient of the first endogenous variable.
///
/// Comparisons: the Anderson–Rubin set (one endogenous variable), OLS, 2SLS and LIML where they are not the estimate itself, further
/// endogenous coefficients, and the reduced form of a single instrument. Errors: TL370–TL374, TL376 (see the family's page).
pub fn analyse(data: &IvData<'_>, settings: &IvSettings) -> Result<Report, EvidenceError> {
    let reduced = Reduced::new(data)?;
    if settings.covariance == IvCovariance::Cluster {
        let groups = reduced.clusters().map_or(0, |(_, groups)| groups);
        if groups < 2 {
            return Err(EvidenceError::TooFew { what: "clusters", got: groups, needed: 2 });
        }
    }
    let fits = Fits::new(&reduced, settings)?;
    let (joint, name) = fits.chosen(&reduced, settings)?;
    let form = reduced_form(&reduced, settings.covariance)?;
    let classical = reduced_form(&reduced, IvCovariance::Classical)?;
    let robust = if settings.covariance == IvCovariance::Robust {
        form.clone()
    } else {
        reduced_form(&reduced, IvCovariance::Robust)?
    };
    let strength = strength(&reduced, &form, settings.covariance)?;
    let tier = if strength.weak() { EvidenceTier::Modelled } else { EvidenceTier::QuasiExperiment };
    let mut report = Report::new(name, tier, joint.estimate(0, settings.level)?);
    compare(&mut report, &reduced, &fits, &joint, &form, settings)?;
    report.detail("first_stage", first_stages(&reduced, &form, &robust, &classical));
    report.detail("weak_instruments", strength.details.clone());
    specification(&mut report, &reduced, &fits, settings);
    describe(&mut report, &reduced, &fits, &joint, settings);
    assumptions(&mut report, data);
    warn(&mut report, &reduced, &strength, settings);
    Ok(report)
}

/// Everything that is estimated.
struct Fits {
    ols: Fit,
    tsls: Fit,
    liml: Option<Fit>,
    chosen: Option<Fit>,
    gmm: Option<GmmFit>,
}

impl Fits {
    fn new(reduced: &Reduced<'_>, settings: &IvSettings) -> Result<Self, EvidenceError> {
        let tsls = kclass::fit(reduced, 1.0)?;
        let liml = kclass::liml_kappa(reduced).map(|k| kclass::fit(reduced, k)).transpose()?;
        let kappa = || liml.as_ref().map(|l| l.kappa).ok_or_else(|| kclass::unidentified(reduced));
        let chosen = match settings.method {
            IvMethod::Liml => Some(kclass::fit(reduced, kappa()?)?),
            IvMethod::Fuller => Some(kclass::fit(reduced, kappa()? - 1.0 / reduced.first_stage_df())?),
            _ => None,
        };
        let iterate = settings.method == IvMethod::GmmIterated;
        // Two-step GMM also gives the overidentification test under robust errors.
        let wanted = iterate
            || settings.method == IvMethod::Gmm
            || (reduced.q > reduced.p && settings.covariance != IvCovariance::Classical);
        let gmm =
            if wanted { Some(gmm(reduced, &tsls, settings.covariance, iterate, settings.small_sample)?) } else { None };
        Ok(Self { ols: kclass::fit(reduced, 0.0)?, tsls, liml, chosen, gmm })
    }

    fn chosen(&self, reduced: &Reduced<'_>, settings: &IvSettings) -> Result<(Joint, &'static str), EvidenceError> {
        let name = settings.method.name();
        if let (IvMethod::Gmm | IvMethod::GmmIterated, Some(gmm)) = (settings.method, &self.gmm) {
            return Ok((gmm.joint.clone(), name));
        }
        let fit = self.chosen.as_ref().unwrap_or(&self.tsls);
        Ok((fit.joint(reduced, settings.covariance, settings.small_sample, name)?, name))
    }
}

fn compare(
    report: &mut Report,
    reduced: &Reduced<'_>,
    fits: &Fits,
    joint: &Joint,
    form: &Joint,
    settings: &IvSettings,
) -> Result<(), EvidenceError> {
    let level = settings.level;
    let test = anderson_rubin::test_of_zero(form, reduced.q);
    let mut outline = test.as_ref().map(test_json);
    if reduced.p == 1 {
        let value = fits.liml.as_ref().unwrap_or(&fits.tsls).beta[0];
        if let Some(estimate) = anderson_rubin::estimate(reduced, form, settings.covariance, value, level)? {
            if let Some(map) = outline.as_mut().and_then(Value::as_object_mut) {
                map.insert("shape".into(), json!(shape(&estimate.set)));
            }
            report.find("Anderson–Rubin set", estimate);
        }
    }
    report.detail("anderson_rubin", outline);
    for j in 1..reduced.p {
        report.find(joint.names()[j].clone(), joint.estimate(j, level)?);
    }
    let mut beside = |name: &str, method: &str, fit: &Fit| -> Result<(), EvidenceError> {
        let joint = fit.beside(reduced, settings.covariance, settings.small_sample, method)?;
        report.find(name, joint.estimate(0, level)?);
        Ok(())
    };
    beside("OLS", "ols", &fits.ols)?;
    if settings.method != IvMethod::Tsls {
        beside("2SLS", "2sls", &fits.tsls)?;
    }
    if let Some(liml) = fits.liml.as_ref().filter(|_| settings.method != IvMethod::Liml) {
        beside("LIML", "liml", liml)?;
    }
    for (i, z) in reduced.data.instruments.iter().enumerate() {
        report.find(format!("reduced form: {}", z.name), form.estimate(i, level)?);
    }
    Ok(())
}

fn test_json(test: &ArTest) -> Value {
    json!({ "statistic": test.f, "df": [test.df.0, if test.df.1.is_finite() { json!(test.df.1) } else { Value::Null }],
        "p_value": test.p_value })
}

/// Tests of the assumptions, as details and findings.
fn specification(report: &mut Report, reduced: &Reduced<'_>, fits: &Fits, settings: &IvSettings) {
    let mut tests = serde_json::Map::new();
    let mut deciding: Option<(&str, Test)> = None;
    if let Some((sargan, basmann)) = checks::overidentification(reduced, &fits.tsls) {
        tests.insert("sargan".into(), sargan.json());
        tests.insert("basmann".into(), basmann.json());
        deciding = Some(("Sargan", sargan));
        let own = fits.gmm.as_ref().map(|g| g.j);
        let robust = settings.covariance != IvCovariance::Classical;
        if let Some(statistic) = own.or_else(|| robust.then(|| hansen_j(reduced, &fits.tsls, settings.covariance))?) {
            let j = Test { statistic, df: (reduced.q - reduced.p) as f64, df_denominator: None };
            tests.insert("hansen_j".into(), j.json());
            deciding = Some(("Hansen J", j));
        }
    }
    if let Some((hausman, robust)) = checks::endogeneity(reduced, settings.covariance) {
        tests.insert("wu_hausman".into(), hausman.json());
        tests.insert("wooldridge".into(), robust.json());
    }
    report.detail("tests", tests);
    if let Some((name, test)) = deciding.filter(|(_, t)| t.p_value() < FAILS) {
        let message = format!(
            "the instruments contradict each other: {name} {:.2} on {} degrees of freedom, p = {:.4}",
            test.statistic,
            test.df,
            test.p_value()
        );
        report.diagnose(
            Diagnostic::warning("TL377", message)
                .help("at least one touches the outcome on its own, or effects differ between those the instruments move; read each instrument alone"),
        );
    }
}

fn describe(report: &mut Report, reduced: &Reduced<'_>, fits: &Fits, joint: &Joint, settings: &IvSettings) {
    let data = reduced.data;
    let names = |columns: &[super::Named<'_>]| columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    report.detail("outcome", data.outcome.name.as_str());
    report.detail("endogenous", names(&data.endogenous));
    report.detail("instruments", names(&data.instruments));
    report.detail("controls", names(&data.controls));
    report.detail("covariance", json!(settings.covariance));
    report.detail("small_sample", settings.small_sample);
    report.detail("left_out", data.left_out);
    report.detail("clusters", json!(reduced.clusters().map(|(_, groups)| groups)));
    report.detail("kappa", json!(fits.liml.as_ref().map(|l| l.kappa)));
    if let Some(gmm) = fits.gmm.as_ref().filter(|_| matches!(settings.method, IvMethod::Gmm | IvMethod::GmmIterated)) {
        report.detail("gmm_steps", gmm.steps);
    }
    // Coefficients of the controls given the estimate: those of y less β times those of D. Under efficient GMM weights the
    // controls move a little; those of the moments' exact solution are given.
    let parts = &reduced.parts;
    let of = |c: usize| {
        let d: f64 = joint.values().iter().enumerate().map(|(j, b)| b * parts.coefficients[1 + j][c]).sum();
        parts.coefficients[0][c] - d
    };
    let constant: f64 = joint.values().iter().enumerate().map(|(j, b)| b * parts.intercepts[1 + j]).sum();
    let mut coefficients: Vec<Value> =
        joint.names().iter().zip(joint.values()).map(|(n, v)| json!({ "name": n, "value": v })).collect();
    coefficients.push(json!({ "name": "constant", "value": parts.intercepts[0] - constant }));
    coefficients.extend(data.controls.iter().enumerate().map(|(c, x)| json!({ "name": x.name, "value": of(c) })));
    report.detail("coefficients", coefficients);
}

fn assumptions(report: &mut Report, data: &IvData<'_>) {
    let list = |columns: &[super::Named<'_>]| columns.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ");
    let (z, d, y) = (list(&data.instruments), list(&data.endogenous), data.outcome.name.as_str());
    report
        .assume(&format!("Given the controls, {z} came about as if by chance: nothing that moves it also moves {y}."));
    report.assume(&format!("{z} touches {y} only through {d}."));
    report.assume(&format!("{z} moves {d} for some, and for nobody against the direction it moves it for the others."));
    report.assume("Where effects differ, the estimate is the average over those whom the instruments move.");
}

fn warn(report: &mut Report, reduced: &Reduced<'_>, strength: &Strength, settings: &IvSettings) {
    if strength.weak() {
        let message = format!(
            "weak instruments: {} of {:.2}, more than {:.2} is needed for a bias below 10 %",
            strength.statistic_name, strength.statistic, strength.critical
        );
        let help = if reduced.p == 1 {
            "read the Anderson–Rubin set, which is right however weak they are; the interval of the estimate is not"
        } else {
            "read the Anderson–Rubin test; intervals of the estimates are not right with weak instruments"
        };
        report.diagnose(Diagnostic::warning("TL370", message).help(help));
    }
    if let Some((_, groups)) = reduced.clusters().filter(|_| settings.covariance == IvCovariance::Cluster)
        && groups < FEW_CLUSTERS
    {
        let message = format!("{groups} clusters: clustered errors need about {FEW_CLUSTERS} to be right");
        report
            .diagnose(Diagnostic::warning("TL378", message).help("use a finer cluster if units in it are independent"));
    }
}

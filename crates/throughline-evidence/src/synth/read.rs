//! From a panel to the report of a synthetic control.

use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate, EvidenceTier, Level};

use super::conformal::{ConformalSpec, Permutations, constant_effect, per_period};
use super::control::{ControlFit, ControlSpec, Solver, fit};
use super::details;
use super::placebo::{Placebo, assignments, in_space, ranked, ratio_ranked};
use super::predictors::{Matched, Predictor, PredictorWeights, matched};
use super::sdid::pooled;
use super::study::{Block, Study, mean_series};
use crate::{EvidenceError, Panel, Report};

/// Which inference the main estimate has; the others stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Inference {
    /// Rank of the ratio of the gaps after and before among placebos.
    #[default]
    Ratio,
    /// Rank of the effect among placebos.
    Rank,
    /// Conformal: permutations over time.
    Conformal,
}

/// A predictor over periods: the mean of a column where it has values.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictorSpec {
    /// Its name.
    pub name: String,
    /// Unit-major values, NaN where there is none.
    pub values: Vec<f64>,
    /// Indices of the periods it is the mean of.
    pub periods: Vec<usize>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadSpec {
    /// Which synthetic control of outcomes.
    pub control: ControlSpec,
    /// Predictors to match instead of all outcomes.
    pub predictors: Vec<PredictorSpec>,
    /// How they are weighted.
    pub importance: PredictorWeights,
    /// Indices of the periods whose outcome the nested search fits; all before the treatment without.
    pub fitted: Option<Vec<usize>>,
    /// Which inference is the main one.
    pub inference: Inference,
    /// Orders of the conformal test.
    pub permutations: Permutations,
    /// Confidence level.
    pub level: Level,
    /// Placebo assignments at most.
    pub placebos: usize,
    /// Seed of the random ones.
    pub seed: u64,
}

impl ReadSpec {
    /// Outcomes only, exact weights, all placebos up to 500.
    pub const fn new(level: Level) -> Self {
        Self {
            control: ControlSpec { solver: Solver::Exact, intercept: false, ridge: None },
            predictors: Vec::new(),
            importance: PredictorWeights::Nested,
            fitted: None,
            inference: Inference::Ratio,
            permutations: Permutations::Block,
            level,
            placebos: super::placebo::MOST,
            seed: 1,
        }
    }
}

/// Estimates the effect on the treated by synthetic control: of their mean, cohort by cohort where treatment is staggered.
///
/// The report has the main estimate, the other inferences, and one effect per period (or per cohort). Errors: those of
/// [`Study::of`], [`fit`] and [`matched`].
pub fn read_control(panel: &Panel, spec: &ReadSpec) -> Result<Report, EvidenceError> {
    let study = Study::of(panel)?;
    let mut report = if let [cohort] = study.cohorts.as_slice() {
        let block = study.block(cohort);
        Reading { study: &study, spec, block: &block, units: &cohort.units }.one()?
    } else {
        staggered(&study, spec)?
    };
    report.diagnostics.extend(study.found.iter().cloned());
    report.detail("times", details::times(&study));
    // Predictors are always matched at the optimum.
    let exact = spec.control.solver == Solver::Exact || !spec.predictors.is_empty();
    let solver = if exact { "exact" } else { "frank_wolfe" };
    report.detail("solver", solver);
    each_unit(&study, spec, &mut report)?;
    Ok(report)
}

/// One cohort of a study as it is read.
struct Reading<'a> {
    study: &'a Study<'a>,
    spec: &'a ReadSpec,
    block: &'a Block<'a>,
    units: &'a [usize],
}

impl Reading<'_> {
    fn one(&self) -> Result<Report, EvidenceError> {
        let (spec, block, level) = (self.spec, self.block, self.spec.level);
        let (fit, chosen) = self.fit(self.units, &block.donors, &block.treated, None)?;
        let placebos = self.placebos()?;
        let n = self.study.panel.units() as u64;
        let conformal =
            ConformalSpec { intercept: spec.control.intercept, lambda: fit.lambda, permutations: spec.permutations };
        let effects = constant_effect(&block.donors, &block.treated, block.pre, fit.att(), &conformal, level)?;
        let mut named = vec![("ATT, conformal", effects, Inference::Conformal)];
        if !placebos.is_empty() {
            named.push(("ATT, placebo ratio", ratio_ranked(&fit, &placebos, n, level)?, Inference::Ratio));
            named.push(("ATT, placebo rank", ranked(&fit, &placebos, n, level)?, Inference::Rank));
        }
        let main = named.iter().position(|e| e.2 == spec.inference).unwrap_or(0);
        let method = match (spec.control.ridge, spec.predictors.is_empty()) {
            (Some(_), _) => "augmented_synthetic_control",
            _ => "synthetic_control",
        };
        let mut report = Report::new(method, EvidenceTier::QuasiExperiment, named[main].1.clone());
        for (i, (name, estimate, _)) in named.into_iter().enumerate().filter(|(i, _)| *i != main) {
            report.find(if i == 0 { "ATT, conformal" } else { name }, estimate);
        }
        let each = per_period(&block.donors, &block.treated, block.pre, &fit.gaps, &conformal, level)?;
        for (t, estimate) in (block.pre..).zip(each) {
            report.find(format!("t={}", self.study.panel.time_name(t)), estimate);
        }
        self.explain(&mut report, &fit, chosen.as_ref(), &placebos);
        Ok(report)
    }

    fn explain(&self, report: &mut Report, fit: &ControlFit, chosen: Option<&Matched>, placebos: &[Placebo]) {
        let (spec, block) = (self.spec, self.block);
        assume(report, spec.inference);
        report.diagnostics.extend(details::doubts(block, fit, spec.control.intercept));
        if placebos.is_empty() {
            let message = format!("no placebos: {} donors for {} treated units", block.donors.len(), block.units);
            report.diagnose(
                Diagnostic::warning("TL360", message).help("inference over time (conformal) is used instead"),
            );
        }
        let found = if spec.inference == Inference::Conformal || placebos.is_empty() {
            details::reach(block.treated.len(), spec.level, "periods")
        } else {
            details::reach(placebos.len() + 1, spec.level, "placebos, the treated unit among them,")
        };
        report.diagnostics.extend(found);
        let cohort = &self.study.cohorts[0];
        report.detail("cohorts", vec![details::cohort(self.study, cohort, block, fit, placebos)]);
        if let Some(lambda) = fit.lambda {
            report.detail("lambda", lambda);
        }
        if let Some(matched) = chosen {
            let rows = spec.predictors.iter().zip(&matched.importance);
            let rows = rows.map(|(p, v)| json!({ "predictor": p.name, "weight": v })).collect::<Vec<Value>>();
            report.detail("predictors", rows);
            report.detail("fit_loss", matched.loss);
        }
        if spec.control.solver == Solver::FrankWolfe && spec.predictors.is_empty() {
            let exact = ControlSpec { solver: Solver::Exact, ..spec.control };
            if let Ok(exact) = super::control::fit(&block.donors, &block.treated, block.pre, &exact) {
                report.detail("exact", json!({ "value": exact.att(), "rmspe_pre": exact.rmspe_pre() }));
            }
        }
    }

    /// The fit of some units (rows of the panel, whose mean is `treated`) by donors; `kept` are their positions.
    fn fit(
        &self,
        units: &[usize],
        donors: &[&[f64]],
        treated: &[f64],
        kept: Option<&[usize]>,
    ) -> Result<(ControlFit, Option<Matched>), EvidenceError> {
        let (spec, pre) = (self.spec, self.block.pre);
        if spec.predictors.is_empty() {
            return Ok((fit(donors, treated, pre, &spec.control)?, None));
        }
        let rows: Vec<usize> = match kept {
            Some(kept) => kept.iter().map(|j| self.study.donors[*j]).collect(),
            None => self.study.donors.clone(),
        };
        let predictors: Vec<Predictor> = spec.predictors.iter().map(|p| self.predictor(p, units, &rows)).collect();
        let default: Vec<usize> = (0..pre).collect();
        let periods = spec.fitted.as_ref().unwrap_or(&default);
        let over = |s: &[f64]| -> Vec<f64> { periods.iter().map(|t| s[*t]).collect() };
        let outcomes: Vec<Vec<f64>> = donors.iter().map(|d| over(d)).collect();
        let outcomes: Vec<&[f64]> = outcomes.iter().map(Vec::as_slice).collect();
        let matched = matched(&predictors, &spec.importance, &outcomes, &over(treated))?;
        let fit = ControlFit::of_weights(donors, treated, pre, matched.weights.clone(), spec.control.intercept);
        Ok((fit, Some(matched)))
    }

    fn predictor(&self, p: &PredictorSpec, units: &[usize], donors: &[usize]) -> Predictor {
        let periods = self.study.panel.periods();
        let of = |unit: usize| {
            let row = &p.values[unit * periods..(unit + 1) * periods];
            let known: Vec<f64> = p.periods.iter().map(|t| row[*t]).filter(|x| !x.is_nan()).collect();
            if known.is_empty() { f64::NAN } else { known.iter().sum::<f64>() / known.len() as f64 }
        };
        let treated = units.iter().map(|u| of(*u)).sum::<f64>() / units.len() as f64;
        Predictor { name: p.name.clone(), treated, donors: donors.iter().map(|u| of(*u)).collect() }
    }

    /// None where there are too few donors.
    fn placebos(&self) -> Result<Vec<Placebo>, EvidenceError> {
        if self.block.units + 1 > self.block.donors.len() {
            return Ok(Vec::new());
        }
        // The penalty of the treated unit's fit would be chosen anew by every placebo: it is part of the method.
        in_space(self.block, self.spec.placebos, self.spec.seed, &|picked, donors, treated| {
            let kept: Vec<usize> = (0..self.block.donors.len()).filter(|j| !picked.contains(j)).collect();
            let units: Vec<usize> = picked.iter().map(|j| self.study.donors[*j]).collect();
            Ok(self.fit(&units, donors, treated, Some(&kept))?.0)
        })
    }
}

fn assume(report: &mut Report, inference: Inference) {
    report.assume("without the treatment, the treated unit would have gone on as the same mix of donors does");
    report.assume("the treatment did not reach the donors, and nothing else happened to the treated unit alone");
    report.assume(match inference {
        Inference::Conformal => {
            "without the treatment, the gaps after it would be as likely in any order with those before; the effect is the \
             same in all treated periods"
        }
        _ => "the treated unit could as well have been any of the donors: their gaps are as likely as its own",
    });
}

/// Cohorts with their own controls, weighted by treated cells; placebos assign all cohorts to donors at once.
fn staggered(study: &Study<'_>, spec: &ReadSpec) -> Result<Report, EvidenceError> {
    if !spec.predictors.is_empty() {
        let message = format!("predictors are matched for one treatment period, and there are {}", study.cohorts.len());
        return Err(super::study::data(
            "TL363",
            message,
            "leave --predictor away, or keep one cohort of treated units",
        ));
    }
    let periods = study.panel.periods();
    let sizes: Vec<(usize, usize)> = study.cohorts.iter().map(|c| (c.units.len(), c.start)).collect();
    let mut fits = Vec::new();
    for cohort in &study.cohorts {
        let block = study.block(cohort);
        fits.push((fit(&block.donors, &block.treated, block.pre, &spec.control)?, block));
    }
    let value = pooled(&sizes, periods, fits.iter().map(|(f, _)| f.att()));
    let series: Vec<&[f64]> = study.donors.iter().map(|i| study.panel.outcomes_of(*i)).collect();
    let counts: Vec<usize> = sizes.iter().map(|s| s.0).collect();
    let mut placebos = Vec::new();
    for picked in assignments(series.len(), &counts, spec.placebos, spec.seed)? {
        let donors: Vec<&[f64]> = (0..series.len()).filter(|j| !picked.contains(j)).map(|j| series[j]).collect();
        let (mut from, mut effects) = (0, Vec::new());
        for (units, start) in &sizes {
            let stand_in: Vec<&[f64]> = picked[from..from + units].iter().map(|j| series[*j]).collect();
            from += units;
            effects.push(fit(&donors, &mean_series(&stand_in), *start, &spec.control)?.att());
        }
        placebos.push(pooled(&sizes, periods, effects.into_iter()));
    }
    let n = study.panel.units() as u64;
    let estimate = Estimate::ranked(value, &placebos, n, spec.level, "placebo_rank")?;
    let mut report = Report::new("synthetic_control_staggered", EvidenceTier::QuasiExperiment, estimate);
    assume(&mut report, Inference::Rank);
    report.diagnostics.extend(details::reach(placebos.len() + 1, spec.level, "placebo assignments"));
    let mut rows = Vec::new();
    for ((fit, block), cohort) in fits.iter().zip(&study.cohorts) {
        let conformal =
            ConformalSpec { intercept: spec.control.intercept, lambda: fit.lambda, permutations: spec.permutations };
        let e = constant_effect(&block.donors, &block.treated, block.pre, fit.att(), &conformal, spec.level)?;
        report.find(format!("start={}", study.panel.time_name(cohort.start)), e);
        report.diagnostics.extend(details::doubts(block, fit, spec.control.intercept));
        rows.push(details::cohort(study, cohort, block, fit, &[]));
    }
    report.detail("cohorts", rows);
    report.detail("placebo_effects", placebos);
    Ok(report)
}

/// Treated units shown one by one at most.
const MOST_UNITS: usize = 100;

/// Every treated unit with its own synthetic control.
fn each_unit(study: &Study<'_>, spec: &ReadSpec, report: &mut Report) -> Result<(), EvidenceError> {
    if !(2..=MOST_UNITS).contains(&study.treated_units()) || !spec.predictors.is_empty() {
        return Ok(());
    }
    for cohort in &study.cohorts {
        for unit in &cohort.units {
            let treated = study.panel.outcomes_of(*unit);
            let donors: Vec<&[f64]> = study.donors.iter().map(|i| study.panel.outcomes_of(*i)).collect();
            let own = fit(&donors, treated, cohort.start, &spec.control)?;
            let conformal = ConformalSpec {
                intercept: spec.control.intercept,
                lambda: own.lambda,
                permutations: spec.permutations,
            };
            let e = constant_effect(&donors, treated, cohort.start, own.att(), &conformal, spec.level)?;
            report.find(format!("unit={}", study.panel.unit_name(*unit)), e);
        }
    }
    Ok(())
}

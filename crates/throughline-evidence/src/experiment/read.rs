//! Reading a table of units by a plan.

use throughline_core::Diagnostic;

use super::adjust::Adjustment;
use super::arm::Arm;
use super::bayes::Posterior;
use super::effect::{Arms, Effect, arm_of, too_few};
use super::groups::Question;
use super::judge::{self, Judge};
use super::outcome::{Outcome, Summing};
use super::plan::Plan;
use super::rows::Rows;
use super::setup::{adjustments, count, setup, with_metrics};
use super::welch::{adjust, split};
use super::{HealthChecks, checks, health, segments, verdict};
use crate::{Comparison, Correction, EvidenceError, ExperimentSpec, Health, Reading, Srm, Table};

/// Reads an experiment from a table with one row a unit (or several rows a cluster).
///
/// Work grows with rows × arms × metrics, and with the square of the covariates; nothing but quantiles and caps is sorted.
/// Errors: columns that are not there or hold texts, settings that contradict each other, fewer than two arms. Bad values
/// are no errors: they are counted, left out and said.
pub fn read(table: &Table, plan: &Plan) -> Result<Reading, EvidenceError> {
    plan.validate()?;
    let mut found = Vec::new();
    let (spec, control, rows, checks) = setup(table, plan, &mut found)?;
    let outcomes = plan.metrics.iter().map(|m| Outcome::of(table, m, &mut found)).collect::<Result<Vec<_>, _>>()?;
    let spec = with_metrics(spec, plan, &outcomes);
    let clusters = rows.clusters.as_ref();
    let mut reading = count(&spec, &rows, &outcomes)?.frame(clusters.and_then(|c| c.by_arm.clone()));
    let adjustments = adjustments(table, plan, &rows, &mut found)?;
    let mut session = Session { table, plan, spec: &spec, control, rows: &rows, outcomes: &outcomes, found };
    let mut suspect = reading.health == Health::Suspect || checks.crossover.is_some_and(|c| c.alarm);
    suspect |= session.uneven_missing();
    let per_metric: Vec<Vec<Compared>> =
        (0..plan.metrics.len()).map(|m| session.metric(m, &adjustments[m], &mut reading)).collect();
    let mut checks = checks;
    let effects = session.collect(per_metric, &mut reading, &mut checks);
    if plan.correction == Correction::Bands {
        let length = clusters.map_or(table.rows(), |c| c.count);
        judge::bands(&mut reading.comparisons, &effects, length, plan)?;
    } else {
        adjust(&mut reading.comparisons, plan.correction, plan.level);
    }
    session.grouped(&adjustments, &mut reading, &mut checks)?;
    (reading.tier, reading.health) = checks::trust(suspect);
    for comparison in &mut reading.comparisons {
        comparison.verdict = verdict::of(comparison, reading.health, plan.level);
    }
    reading.checks = Some(checks);
    reading.diagnostics.append(&mut session.found);
    Ok(reading)
}

/// Share of units at a quantile's very value from which its error is said to be rough.
const MANY_TIES: f64 = 0.05;

/// A comparison with the effect behind it.
type Compared = (Comparison, Option<Effect>);

/// What a reading works on.
struct Session<'a> {
    table: &'a Table,
    plan: &'a Plan,
    spec: &'a ExperimentSpec,
    control: usize,
    rows: &'a Rows,
    outcomes: &'a [Outcome<'a>],
    found: Vec<Diagnostic>,
}

impl Session<'_> {
    fn treated(&self) -> impl Iterator<Item = usize> + use<> {
        let control = self.control;
        (0..self.spec.arms.len()).filter(move |arm| *arm != control)
    }

    /// Every treated arm on one metric.
    fn metric(&mut self, m: usize, adjustment: &Adjustment<'_>, reading: &mut Reading) -> Vec<Compared> {
        let outcome = &self.outcomes[m];
        let clustered = self.rows.clusters.is_some();
        let arms: Vec<Result<Arm, String>> =
            self.rows.by_arm.iter().map(|rows| arm_of(outcome, rows.iter().copied(), clustered)).collect();
        if matches!(outcome.summing, Summing::Ratio | Summing::Quantile(_)) {
            for (shown, arm) in reading.arms.iter_mut().zip(&arms) {
                shown.metrics[m].mean = arm.as_ref().ok().map(|a| a.value);
                shown.metrics[m].std_error = arm.as_ref().ok().and_then(Arm::std_error);
            }
        }
        let tied = arms.iter().filter_map(|a| a.as_ref().ok()).map(|a| a.tied).fold(0.0, f64::max);
        if tied > MANY_TIES {
            let name = &self.plan.metrics[m].name;
            let message = format!("quantile `{name}`: {:.0} % of an arm's units have exactly its value", tied * 100.0);
            let help = "the error of a quantile among ties is rough; compare a share above a threshold instead";
            self.found.push(Diagnostic::warning("TL332", message).help(help));
        }
        let treated: Vec<usize> = self.treated().collect();
        treated.into_iter().map(|t| self.compare(m, t, &arms, adjustment)).collect()
    }

    fn compare(&mut self, m: usize, t: usize, arms: &[Result<Arm, String>], adjustment: &Adjustment<'_>) -> Compared {
        let (metric, summing) = (&self.plan.metrics[m], self.outcomes[m].summing);
        let (clusters, judge) = (self.rows.clusters.as_ref(), Judge::of(self.plan));
        let effect = match (&arms[self.control], &arms[t]) {
            (Ok(control), Ok(treated)) => {
                Effect::of(summing, adjustment, Arms { control, treated }, clusters).map(|e| (e, control, treated))
            }
            (Err(why), _) | (_, Err(why)) if matches!(summing, Summing::Ratio | Summing::Quantile(_)) => {
                Err(why.clone())
            }
            (control, treated) => {
                let n = |a: &Result<Arm, String>| a.as_ref().map_or(0, |a| a.rows.len());
                Err(too_few(n(control), n(treated)))
            }
        };
        let mut comparison = Comparison {
            arm: self.spec.arms[t].name.clone(),
            control: self.spec.control.clone(),
            metric: metric.name.clone(),
            lower_is_better: metric.lower_is_better,
            ..Comparison::default()
        };
        let label = format!("`{}` against `{}` on `{}`", comparison.arm, comparison.control, comparison.metric);
        let both = effect.as_ref().map_err(Clone::clone);
        let absolute = both.clone().and_then(|(e, _, _)| judge.absolute(e));
        let relative = both.and_then(|(e, _, _)| judge.relative(e));
        match (&absolute, &effect) {
            (Err(why), _) => self.found.push(Diagnostic::warning("TL306", format!("{label} has no estimate: {why}"))),
            (Ok(_), Ok((_, a, b))) if [a, b].iter().any(|arm| arm.units.iter().all(|u| *u == 0.0)) => {
                let message = format!("{label}: one arm does not vary, so the interval understates the uncertainty");
                self.found.push(Diagnostic::warning("TL307", message).help("wait for more units"));
            }
            _ => {}
        }
        (comparison.estimate, comparison.estimate_absent) = split(absolute);
        (comparison.relative, comparison.relative_absent) = split(relative);
        let Ok((effect, control, treated)) = effect else { return (comparison, None) };
        if !adjustment.is_none() {
            let plain = Effect::of(summing, &Adjustment::None, Arms { control, treated }, clusters).ok();
            comparison.variance_reduction =
                plain.map(|p| 1.0 - effect.variance() / p.variance()).filter(|r| r.is_finite());
        }
        comparison.non_inferiority = judge.non_inferiority(metric, &effect);
        let prior = self.plan.prior;
        comparison.posterior = match (&comparison.relative, &comparison.estimate) {
            (Some(e), _) => Posterior::of(e, prior, true, metric.lower_is_better),
            (None, Some(e)) => Posterior::of(e, prior, false, metric.lower_is_better),
            (None, None) => None,
        };
        (comparison, Some(effect))
    }

    /// Puts comparisons in their order, arm by arm, and checks what single units do to each.
    fn collect(
        &mut self,
        per_metric: Vec<Vec<Compared>>,
        reading: &mut Reading,
        checks: &mut HealthChecks,
    ) -> Vec<Option<Effect>> {
        let mut columns: Vec<_> = per_metric.into_iter().map(Vec::into_iter).collect();
        let mut effects = Vec::new();
        for t in self.treated() {
            for (m, column) in columns.iter_mut().enumerate() {
                let Some((comparison, effect)) = column.next() else { continue };
                if let Some(effect) = effect.as_ref().filter(|_| comparison.estimate.is_some()) {
                    let outcome = &self.outcomes[m];
                    let rows = self.rows.by_arm[self.control].iter().chain(&self.rows.by_arm[t]);
                    let values = rows.filter(|r| outcome.has(**r as usize)).map(|r| outcome.values[*r as usize]);
                    let clustered = self.rows.clusters.is_some();
                    let found = &mut self.found;
                    checks.outliers.push(health::outliers(
                        &comparison,
                        effect,
                        outcome.summing,
                        values,
                        clustered,
                        found,
                    ));
                    checks.implausible.extend(health::implausible(&comparison, found));
                }
                reading.comparisons.push(comparison);
                effects.push(effect.filter(|_| self.plan.correction == Correction::Bands));
            }
        }
        effects
    }

    /// Segments, and effects over time.
    fn grouped(
        &mut self,
        adjustments: &[Adjustment<'_>],
        reading: &mut Reading,
        checks: &mut HealthChecks,
    ) -> Result<(), EvidenceError> {
        let time = self.plan.time.as_ref().map(|t| health::periods(self.table, t)).transpose()?;
        let columns = self.plan.segments.iter().map(|s| Ok((s, segments::column(self.table, s)?)));
        let columns = columns.collect::<Result<Vec<_>, EvidenceError>>()?;
        let judge = Judge::of(self.plan);
        let metrics = self.outcomes.len();
        let treated: Vec<usize> = self.treated().collect();
        for (i, comparison) in reading.comparisons.iter().enumerate() {
            let (t, m) = (treated[i / metrics], i % metrics);
            let none = Adjustment::None;
            let mut question = Question {
                outcome: &self.outcomes[m],
                adjustment: &adjustments[m],
                rows: self.rows,
                control: self.control,
                treated: t,
            };
            for (column, codes) in &columns {
                let label = (column.as_str(), comparison.arm.as_str(), comparison.metric.as_str());
                let correction = self.plan.correction;
                let segmentation = segments::read(&question, label, codes, &judge, correction, &mut self.found);
                reading.segments.extend(segmentation);
            }
            question.adjustment = &none;
            if let Some(periods) = &time {
                checks.trends.extend(health::trend(&question, comparison, periods, &mut self.found));
            }
        }
        Ok(())
    }

    /// Whether values are missing more often in some arms, where units come in clusters: the clustered difference of the
    /// shares of missing values.
    fn uneven_missing(&mut self) -> bool {
        let Some(clusters) = &self.rows.clusters else { return false };
        let mut uneven = false;
        for (metric, outcome) in self.plan.metrics.iter().zip(self.outcomes) {
            let absent: Vec<f64> = (0..self.table.rows()).map(|r| f64::from(u8::from(!outcome.has(r)))).collect();
            let missing = Outcome { summing: Summing::Proportion, values: absent.into(), below: None };
            let arm = |a: usize| arm_of(&missing, self.rows.by_arm[a].iter().copied(), true);
            for t in self.treated() {
                let (Ok(control), Ok(treated)) = (arm(self.control), arm(t)) else { continue };
                let arms = Arms { control: &control, treated: &treated };
                let Ok(effect) = Effect::of(missing.summing, &Adjustment::None, arms, Some(clusters)) else { continue };
                let judge = Judge { level: self.plan.level, side: None, sequential: None };
                let Some(p) = judge.absolute(&effect).ok().map(|e| e.p_value).filter(|p| *p < Srm::ALARM) else {
                    continue;
                };
                uneven = true;
                let name = &metric.name;
                let message = format!("missing values of `{name}` differ between arms: p {p:.2e} (clustered)");
                let help =
                    "a treatment that changes who is measured biases the difference; find out why values are missing";
                self.found.push(Diagnostic::warning("TL305", message).help(help));
            }
        }
        uneven
    }
}

//! What a reading needs before the first comparison: arms and their rows, counts, and what metrics are adjusted by.

use std::rc::Rc;

use throughline_core::Diagnostic;

use super::adjust::Adjustment;
use super::outcome::{Outcome, Summing};
use super::plan::{Kind, Metric, Plan};
use super::rows::Rows;
use super::{HealthChecks, crossover, regression, strata};
use crate::{Accumulator, EvidenceError, ExperimentSpec, MetricKind, Table};

pub(super) type Setup = (ExperimentSpec, usize, Rows, HealthChecks);

/// Arms, their rows, clusters, and units that are left out.
pub(super) fn setup(table: &Table, plan: &Plan, found: &mut Vec<Diagnostic>) -> Result<Setup, EvidenceError> {
    let (mut arm, names) = table.codes(&plan.assignment)?;
    let mut spec = ExperimentSpec::new(names, &plan.control);
    (spec.level, spec.correction) = (plan.level, plan.correction);
    for (name, weight) in &plan.weights {
        let index = spec.arm_index(name).ok_or_else(|| EvidenceError::UnknownArm {
            arm: name.clone(),
            arms: spec.arms.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", "),
        })?;
        spec.arms[index].weight = *weight;
    }
    let control = spec.validate()?;
    let nameless = arm.iter().filter(|a| **a == u32::MAX).count();
    if nameless > 0 {
        let message = format!("{nameless} units name no arm of the experiment and take no part");
        found.push(Diagnostic::warning("TL308", message).help("give every unit its arm, or filter units beforehand"));
    }
    let mut checks = HealthChecks::default();
    if let Some(unit) = &plan.unit {
        let keep = plan.cluster.is_some();
        checks.crossover = Some(crossover::exclude(table, unit, &mut arm, keep, found)?);
    }
    let mut rows = Rows::new(arm, spec.arms.len());
    if let Some(column) = &plan.cluster {
        rows.cluster(table, column, &spec.arms, found)?;
    }
    Ok((spec, control, rows, checks))
}

/// The specification with the metrics of a plan.
pub(super) fn with_metrics(mut spec: ExperimentSpec, plan: &Plan, outcomes: &[Outcome<'_>]) -> ExperimentSpec {
    for (metric, outcome) in plan.metrics.iter().zip(outcomes) {
        let proportion = outcome.summing == Summing::Proportion;
        spec = spec.metric(&metric.name, if proportion { MetricKind::Proportion } else { MetricKind::Mean });
    }
    spec
}

/// Counts and moments of every arm.
pub(super) fn count(
    spec: &ExperimentSpec,
    rows: &Rows,
    outcomes: &[Outcome<'_>],
) -> Result<Accumulator, EvidenceError> {
    let mut seen = Accumulator::new(spec)?;
    let mut values = vec![None; outcomes.len()];
    for (row, arm) in rows.arm.iter().enumerate().filter(|(_, arm)| **arm != u32::MAX) {
        for (value, outcome) in values.iter_mut().zip(outcomes) {
            *value = outcome.has(row).then(|| outcome.values[row]);
        }
        seen.observe(*arm as usize, &values)?;
    }
    Ok(seen)
}

/// What each metric is adjusted by.
pub(super) fn adjustments<'a>(
    table: &'a Table,
    plan: &Plan,
    rows: &Rows,
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<Adjustment<'a>>, EvidenceError> {
    let strata = plan.strata.as_ref().map(|s| table.codes(s)).transpose()?;
    if !plan.covariates.is_empty() {
        let mut columns = regression::columns(table, &plan.covariates, found)?;
        if let Some((codes, names)) = &strata {
            regression::dummies(codes, names.len(), &mut columns)?;
        }
        let columns = Rc::new(columns);
        return Ok(plan.metrics.iter().map(|_| Adjustment::Regression(Rc::clone(&columns))).collect());
    }
    if let (Some((codes, _)), Some(name)) = (strata, &plan.strata) {
        strata::report(name, &codes, &rows.arm, rows.by_arm.len(), found);
        let codes = Rc::new(codes);
        return Ok(plan.metrics.iter().map(|_| Adjustment::Strata(Rc::clone(&codes))).collect());
    }
    plan.metrics.iter().map(|metric| cuped(table, metric, found)).collect()
}

fn cuped<'a>(table: &'a Table, metric: &Metric, found: &mut Vec<Diagnostic>) -> Result<Adjustment<'a>, EvidenceError> {
    let Some(name) = &metric.cuped else { return Ok(Adjustment::None) };
    let as_column = table.names().iter().any(|n| n == name);
    let kind = match name.split_once('/') {
        Some((numerator, denominator)) if !as_column => {
            Kind::Ratio { numerator: numerator.into(), denominator: denominator.into() }
        }
        _ => Kind::Column { column: name.clone(), kind: Some(MetricKind::Mean) },
    };
    let before = Outcome::of(table, &Metric::new(name, kind), found)?;
    let usable: Vec<usize> = (0..table.rows()).filter(|r| before.has(*r)).collect();
    let at = |r: &usize| (before.values[*r], before.below.map_or(1.0, |b| b[*r]));
    if usable.iter().all(|r| at(r) == at(&usable[0])) {
        found.push(regression::left_out(name, "it does not vary, so θ is 0"));
        return Ok(Adjustment::None);
    }
    let missing = table.rows() - usable.len();
    if missing > 0 {
        found.push(regression::absent(name, missing, "they keep their outcome, unadjusted"));
    }
    Ok(Adjustment::Cuped(before))
}

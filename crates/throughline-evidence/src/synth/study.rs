//! A panel as synthetic controls need it: treated cohorts and complete donors.

use throughline_core::Diagnostic;

use crate::{EvidenceError, Panel};

/// Units that are treated from the same period on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Index of the first treated period: the number of periods before.
    pub start: usize,
    /// Rows of the treated units in the panel.
    pub units: Vec<usize>,
}

/// Treated cohorts and donors of one panel.
#[derive(Debug, Clone)]
pub struct Study<'a> {
    /// The panel.
    pub panel: &'a Panel,
    /// Rows of the never-treated units that have every cell.
    pub donors: Vec<usize>,
    /// In the order of their first treated period.
    pub cohorts: Vec<Cohort>,
    /// What was left out.
    pub found: Vec<Diagnostic>,
}

/// One average treated series beside its donors.
#[derive(Debug, Clone)]
pub struct Block<'a> {
    /// Series of the donors, of equal length.
    pub donors: Vec<&'a [f64]>,
    /// Mean series of the treated units.
    pub treated: Vec<f64>,
    /// Periods before the treatment, the first ones.
    pub pre: usize,
    /// Treated units behind the mean.
    pub units: usize,
}

pub(crate) fn data(code: &'static str, message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code, message, help: help.to_owned() }
}

impl<'a> Study<'a> {
    /// Errors: TL354 nobody is treated, everybody is, or somebody already in the first period; TL360 fewer than two donors;
    /// TL361 fewer than two periods before; TL351 treated units with missing cells. Donors with missing cells are left out
    /// and named (TL366).
    pub fn of(panel: &'a Panel) -> Result<Self, EvidenceError> {
        let complete = |i: &usize| panel.outcomes_of(*i).iter().all(|y| !y.is_nan());
        let (donors, gappy): (Vec<usize>, Vec<usize>) = panel.never_treated().into_iter().partition(complete);
        let mut found = Vec::new();
        if !gappy.is_empty() {
            let names: Vec<String> = gappy.iter().take(5).map(|i| panel.unit_name(*i)).collect();
            let message = format!("{} donors with missing cells are left out: {}", gappy.len(), names.join(", "));
            found.push(Diagnostic::warning("TL366", message).help("fill their cells to use them as donors"));
        }
        let cohorts: Vec<Cohort> = panel
            .groups()
            .into_iter()
            .map(|(start, _)| Cohort {
                start,
                units: panel.treated().into_iter().filter(|i| panel.start(*i) == Some(start)).collect(),
            })
            .collect();
        let study = Self { panel, donors, cohorts, found };
        study.check()?;
        Ok(study)
    }

    fn check(&self) -> Result<(), EvidenceError> {
        let panel = self.panel;
        within_range(panel)?;
        if self.cohorts.is_empty() {
            let help = "mark the treated units in the treatment column, from their first treated period on";
            return Err(data("TL354", "no unit is ever treated".to_owned(), help));
        }
        if panel.never_treated().is_empty() {
            let message = format!("all {} units are treated at some time", panel.units());
            return Err(data("TL354", message, "synthetic controls need units that are never treated as donors"));
        }
        if self.donors.len() < 2 {
            let message = format!("{} complete donors, at least 2 are needed", self.donors.len());
            let help = "with one untreated unit there are no weights to choose and no placebo: use more units, or --method did \
                        or its";
            return Err(data("TL360", message, help));
        }
        if let Some(first) = self.cohorts.iter().find(|c| c.start < 2) {
            let message = format!(
                "`{}` is treated from {} on, after {} periods; at least 2 are needed before",
                panel.unit_name(first.units[0]),
                panel.time_name(first.start),
                first.start
            );
            return Err(data("TL361", message, "add earlier periods, or leave these units out"));
        }
        let gappy =
            self.cohorts.iter().flat_map(|c| &c.units).find(|i| panel.outcomes_of(**i).iter().any(|y| y.is_nan()));
        if let Some(unit) = gappy {
            let t = panel.outcomes_of(*unit).iter().position(|y| y.is_nan()).unwrap_or_default();
            let message = format!("treated unit `{}` has no outcome in {}", panel.unit_name(*unit), panel.time_name(t));
            return Err(data("TL351", message, "fill the cell, or leave this period or unit out"));
        }
        Ok(())
    }

    /// The cohort's mean series beside the donors.
    pub fn block(&self, cohort: &Cohort) -> Block<'a> {
        Block {
            donors: self.donors.iter().map(|i| self.panel.outcomes_of(*i)).collect(),
            treated: self.mean_of(&cohort.units),
            pre: cohort.start,
            units: cohort.units.len(),
        }
    }

    /// The mean series of some units.
    pub fn mean_of(&self, units: &[usize]) -> Vec<f64> {
        let series: Vec<&[f64]> = units.iter().map(|i| self.panel.outcomes_of(*i)).collect();
        mean_series(&series)
    }

    /// Treated units and periods.
    pub fn treated_cells(&self) -> usize {
        let periods = self.panel.periods();
        self.cohorts.iter().map(|c| c.units.len() * (periods - c.start)).sum()
    }

    /// Treated units.
    pub fn treated_units(&self) -> usize {
        self.cohorts.iter().map(|c| c.units.len()).sum()
    }
}

/// Squares of outcomes must be numbers. Errors: outcomes whose largest is above 10¹⁰⁰ or below 10⁻¹⁰⁰.
pub(crate) fn within_range(panel: &Panel) -> Result<(), EvidenceError> {
    let value = panel.outcomes().iter().filter(|y| !y.is_nan()).map(|y| y.abs()).fold(0.0, f64::max);
    if value == 0.0 || (1e-100..=1e100).contains(&value) {
        return Ok(());
    }
    let bounds = "1e-100 to 1e100 (write the outcome in another unit)";
    Err(EvidenceError::Setting { what: "largest outcome", value, bounds })
}

/// The mean of some series of equal length.
pub fn mean_series(series: &[&[f64]]) -> Vec<f64> {
    let mut mean = vec![0.0; series.first().map_or(0, |s| s.len())];
    for s in series {
        mean.iter_mut().zip(*s).for_each(|(m, y)| *m += y);
    }
    for m in &mut mean {
        *m /= series.len() as f64;
    }
    mean
}

/// The mean of numbers.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

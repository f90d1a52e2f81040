//! Units that were seen in more than one arm, or in several rows.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Level, Severity};
use throughline_stats::goodness::{Alternative, binomial_test};

use super::{HealthChecks, checks, verdict};
use crate::{Comparison, EvidenceError, Health, Reading, Srm, Table};

/// The check of exposure to more than one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Crossover {
    /// Units seen.
    pub units: u64,
    /// Of them, in more than one arm; they are left out.
    pub crossed: u64,
    /// Rows that left with them.
    pub rows: u64,
    /// Rows of a unit after its first in the same arm; left out unless clusters are given.
    pub repeated: u64,
    /// Probability of at least so many under a rate of 1 %, the most that is put up with.
    pub p_value: f64,
    /// Whether that is below [`Srm::ALARM`].
    pub alarm: bool,
}

impl Crossover {
    /// The share of units in more than one arm that is put up with.
    pub const TOLERATED: f64 = 0.01;

    /// The check of so many units of which so many were seen in more than one arm, with no row left out.
    pub fn counted(units: u64, crossed: u64) -> Self {
        let p_value = if crossed == 0 {
            1.0
        } else {
            binomial_test(crossed, units, Self::TOLERATED, Alternative::Greater).unwrap_or(0.0)
        };
        Self { units, crossed, rows: 0, repeated: 0, p_value, alarm: p_value < Srm::ALARM }
    }

    fn finding(&self, message: String, help: &str) -> Diagnostic {
        let severity = if self.alarm { Severity::Warning } else { Severity::Info };
        Diagnostic::new(severity, "TL322", message).help(help)
    }
}

impl Reading {
    /// Takes in how many units a later assignment gave another arm, although all are read in their first. More of them than
    /// is put up with make the reading suspect.
    pub fn crossed(&mut self, units: u64, crossed: u64, level: Level) {
        let check = Crossover::counted(units, crossed);
        if crossed > 0 {
            let message =
                format!("{crossed} of {units} units were later assigned to another arm; all are read in their first");
            let help = "what they got is not what they were drawn into, so effects are drawn towards 0: find the second assignment";
            self.diagnostics.push(check.finding(message, help));
        }
        if check.alarm && self.health == Health::Healthy {
            (self.tier, self.health) = checks::trust(true);
            for comparison in &mut self.comparisons {
                comparison.verdict = verdict::of(comparison, self.health, level);
            }
        }
        self.checks.get_or_insert_default().crossover = Some(check);
    }

    /// Takes back every effect, because none may be looked at yet: what stays are counts and the checks of assignment.
    pub fn withheld(&mut self, why: &str, level: Level) {
        for comparison in &mut self.comparisons {
            *comparison = Comparison {
                arm: std::mem::take(&mut comparison.arm),
                control: std::mem::take(&mut comparison.control),
                metric: std::mem::take(&mut comparison.metric),
                lower_is_better: comparison.lower_is_better,
                estimate_absent: Some(why.to_owned()),
                relative_absent: Some(why.to_owned()),
                ..Comparison::default()
            };
            comparison.verdict = verdict::of(comparison, self.health, level);
        }
        for metric in self.arms.iter_mut().flat_map(|a| &mut a.metrics) {
            (metric.mean, metric.std_error) = (None, None);
        }
        self.segments.clear();
        if let Some(checks) = &mut self.checks {
            *checks = HealthChecks { crossover: checks.crossover, ..HealthChecks::default() };
        }
    }
}

/// Finds crossed and repeated units by the column `unit` and takes their rows out of `arm` (sets them to `u32::MAX`).
pub(crate) fn exclude(
    table: &Table,
    unit: &str,
    arm: &mut [u32],
    keep_repeated: bool,
    found: &mut Vec<Diagnostic>,
) -> Result<Crossover, EvidenceError> {
    const CROSSED: u32 = u32::MAX - 1;
    let (codes, names) = table.codes(unit)?;
    let mut home = vec![u32::MAX; names.len()];
    for (code, arm) in codes.iter().zip(arm.iter()).filter(|(c, a)| **c != u32::MAX && **a != u32::MAX) {
        let home = &mut home[*code as usize];
        *home = if *home == u32::MAX || *home == *arm { *arm } else { CROSSED };
    }
    let units = home.iter().filter(|h| **h != u32::MAX).count() as u64;
    let crossed = home.iter().filter(|h| **h == CROSSED).count() as u64;
    let (mut rows, mut repeated) = (0, 0);
    let mut seen = vec![false; names.len()];
    for (code, arm) in codes.iter().zip(arm.iter_mut()).filter(|(c, a)| **c != u32::MAX && **a != u32::MAX) {
        let code = *code as usize;
        if home[code] == CROSSED {
            *arm = u32::MAX;
            rows += 1;
        } else if std::mem::replace(&mut seen[code], true) {
            repeated += 1;
            if !keep_repeated {
                *arm = u32::MAX;
            }
        }
    }
    let crossover = Crossover { rows, repeated, ..Crossover::counted(units, crossed) };
    if crossed > 0 {
        let message = format!("{crossed} of {units} units are in more than one arm; their {rows} rows are left out");
        let help =
            "look for shared devices, changed identifiers or a second assignment; leaving units out can bias arms";
        found.push(crossover.finding(message, help));
    }
    if repeated > 0 && !keep_repeated {
        let message = format!("{repeated} rows repeat a unit in its arm and are left out");
        let help = "give one row a unit, or name the unit as the cluster to keep all rows";
        found.push(Diagnostic::warning("TL323", message).help(help));
    }
    Ok(crossover)
}

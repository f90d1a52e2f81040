//! From columns to one outcome per unit: windows, caps and what is said about them.

use std::borrow::Cow;

use throughline_core::{Diagnostic, Severity};
use throughline_stats::quantile;

use super::plan::{Cap, Kind, Metric};
use crate::{EvidenceError, MetricKind, Table};

/// How the values of an arm become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Summing {
    Mean,
    Proportion,
    Ratio,
    Quantile(f64),
}

/// One metric, unit by unit; NaN where there is no value.
#[derive(Debug, Clone)]
pub(crate) struct Outcome<'a> {
    pub(crate) summing: Summing,
    pub(crate) values: Cow<'a, [f64]>,
    /// Denominators of a ratio.
    pub(crate) below: Option<&'a [f64]>,
}

impl<'a> Outcome<'a> {
    /// The outcome of a metric; what was capped or left out goes to `found`.
    pub(crate) fn of(table: &'a Table, metric: &Metric, found: &mut Vec<Diagnostic>) -> Result<Self, EvidenceError> {
        let mut outcome = match &metric.kind {
            Kind::Column { column, kind } => {
                let values = table.numbers(column)?;
                let binary = || values.iter().all(|v| v.is_nan() || *v == 0.0 || *v == 1.0);
                let proportion = kind.map_or_else(binary, |kind| kind == MetricKind::Proportion);
                let summing = if proportion { Summing::Proportion } else { Summing::Mean };
                Self { summing, values: Cow::Borrowed(values), below: None }
            }
            Kind::Quantile { column, at } => {
                Self { summing: Summing::Quantile(*at), values: Cow::Borrowed(table.numbers(column)?), below: None }
            }
            Kind::Ratio { numerator, denominator } => {
                let (above, below) = (table.numbers(numerator)?, table.numbers(denominator)?);
                negative_denominators(&metric.name, below, found);
                Self { summing: Summing::Ratio, values: Cow::Borrowed(above), below: Some(below) }
            }
            Kind::Conversion { time, exposed, within, until } => {
                let window = Window { within: *within, until: *until };
                let values = window.conversions(&metric.name, table.numbers(time)?, table.numbers(exposed)?, found);
                Self { summing: Summing::Proportion, values: Cow::Owned(values), below: None }
            }
        };
        if let Some(cap) = metric.cap {
            outcome.cap(&metric.name, cap, found);
        }
        Ok(outcome)
    }

    /// Whether unit `row` has a value.
    pub(crate) fn has(&self, row: usize) -> bool {
        self.values[row].is_finite() && self.below.is_none_or(|b| b[row].is_finite())
    }

    fn cap(&mut self, name: &str, cap: Cap, found: &mut Vec<Diagnostic>) {
        let (bound, said) = match cap {
            Cap::Value(bound) => (bound, format!("at {bound}")),
            Cap::Quantile(q) => {
                let sorted = quantile::sorted(self.values.iter().copied().filter(|v| v.is_finite()));
                let Some(bound) = quantile::quantile(&sorted, q) else { return };
                (bound, format!("at {bound}, the {q} quantile of all arms together"))
            }
        };
        let above = self.values.iter().filter(|v| v.is_finite() && **v > bound).count();
        if above > 0 {
            let cut = |v: &f64| if v.is_finite() { v.min(bound) } else { *v };
            self.values = Cow::Owned(self.values.iter().map(cut).collect());
            // What were 0s and 1s need not be any longer.
            if self.summing == Summing::Proportion {
                self.summing = Summing::Mean;
            }
        }
        let units = self.values.iter().filter(|v| v.is_finite()).count();
        let message = format!("`{name}` is capped {said}: {above} of {units} values were above");
        let finding = Diagnostic::new(Severity::Info, "TL321", message);
        found.push(finding.help("the effect is that on capped values; it leaves out what lies above the cap"));
    }
}

fn negative_denominators(name: &str, below: &[f64], found: &mut Vec<Diagnostic>) {
    let negative = below.iter().filter(|d| **d < 0.0).count();
    if negative > 0 {
        let message = format!("ratio `{name}`: the denominator is negative for {negative} units");
        let help = "a ratio of sums needs denominators of one sign; check refunds and corrections";
        found.push(Diagnostic::warning("TL331", message).help(help));
    }
}

/// A window after the exposure.
struct Window {
    within: f64,
    until: Option<f64>,
}

impl Window {
    fn conversions(&self, name: &str, time: &[f64], exposed: &[f64], found: &mut Vec<Diagnostic>) -> Vec<f64> {
        let (mut before, mut open) = (0_u64, 0_u64);
        let values = time.iter().zip(exposed).map(|(time, exposed)| {
            if !exposed.is_finite() {
                return f64::NAN;
            }
            if self.until.is_some_and(|until| exposed + self.within > until) {
                open += 1;
                return f64::NAN;
            }
            let after = time - exposed;
            before += u64::from(after < 0.0);
            f64::from(u8::from((0.0..=self.within).contains(&after)))
        });
        let values = values.collect();
        if before > 0 {
            let message = format!("`{name}`: {before} units converted before they were exposed and count as 0");
            let help = "check both times; conversions before the exposure cannot be its effect";
            found.push(Diagnostic::warning("TL330", message).help(help));
        }
        if open > 0 {
            let message = format!("`{name}`: the window of {open} units is not over, so they have no value");
            let help = "they count as missing; read again when their window is over";
            found.push(Diagnostic::new(Severity::Info, "TL330", message).help(help));
        }
        values
    }
}

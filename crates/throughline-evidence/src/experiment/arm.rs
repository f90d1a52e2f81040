//! One arm's number and how each of its units moves it.

use throughline_stats::quantile;

use super::outcome::{Outcome, Summing};

/// The number of an arm, linearised: θ̂ − θ ≈ Σ uᵢ / n over its units with a value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Arm {
    /// Mean, share, ratio of sums or quantile.
    pub(crate) value: f64,
    /// Rows of the units with a value.
    pub(crate) rows: Vec<u32>,
    /// One per row, with mean 0: y − ȳ for a mean, (N − R·D) / D̄ for a ratio, (p − 1{y ≤ q}) / f(q) for a quantile.
    pub(crate) units: Vec<f64>,
    /// What the variance Σ u² / n² must be multiplied by to be the usual one: n / (n − 1), for a proportion 1.
    pub(crate) correction: f64,
    /// Share of units with exactly the value of a quantile; 0 for other numbers.
    pub(crate) tied: f64,
}

/// The quantile of the normal distribution at which the spread around a quantile is taken.
const SPREAD_AT: f64 = 1.959_963_984_540_054;

impl Arm {
    /// The number of an outcome over some rows. Errors, in words: no unit with a value; a ratio of nothing; a quantile with
    /// too little around it.
    pub(crate) fn of(outcome: &Outcome<'_>, rows: impl Iterator<Item = u32>) -> Result<Self, String> {
        let wanted = |v: f64| outcome.summing != Summing::Proportion || v == 0.0 || v == 1.0;
        let rows: Vec<u32> = rows.filter(|r| outcome.has(*r as usize) && wanted(outcome.values[*r as usize])).collect();
        let n = rows.len() as f64;
        if rows.is_empty() {
            return Err("no unit has a value".into());
        }
        let values = || rows.iter().map(|r| outcome.values[*r as usize]);
        let sample = n / (n - 1.0).max(1.0);
        let mut tied = 0.0;
        let (value, units, correction): (f64, Vec<f64>, f64) = match outcome.summing {
            Summing::Mean | Summing::Proportion => {
                let mean = values().sum::<f64>() / n;
                let one = outcome.summing == Summing::Proportion;
                (mean, values().map(|v| v - mean).collect(), if one { 1.0 } else { sample })
            }
            Summing::Ratio => {
                let below = |r: &u32| outcome.below.map_or(1.0, |b| b[*r as usize]);
                let (above, sum) = (values().sum::<f64>(), rows.iter().map(below).sum::<f64>());
                if sum == 0.0 {
                    return Err("the denominators of the ratio sum to 0".into());
                }
                let (ratio, mean) = (above / sum, sum / n);
                (ratio, values().zip(&rows).map(|(v, r)| (v - ratio * below(r)) / mean).collect(), sample)
            }
            Summing::Quantile(p) => {
                let at = Quantile::of(values(), p)?;
                tied = at.tied;
                let unit = |v: f64| at.per_density * (p - f64::from(u8::from(v <= at.value)));
                let units: Vec<f64> = values().map(unit).collect();
                // The share at or below the sample quantile is p but for one unit or ties.
                let mean = units.iter().sum::<f64>() / n;
                (at.value, units.into_iter().map(|u| u - mean).collect(), 1.0)
            }
        };
        if !value.is_finite() {
            return Err("values are too large to compute with".into());
        }
        Ok(Self { value, rows, units, correction, tied })
    }

    /// Units with a value.
    pub(crate) fn n(&self) -> f64 {
        self.rows.len() as f64
    }

    /// The standard error of the number, for independent units; `None` below two.
    pub(crate) fn std_error(&self) -> Option<f64> {
        let n = self.n();
        let squares = self.units.iter().map(|u| u * u).sum::<f64>();
        let error = (squares * self.correction).sqrt() / n;
        (n > 1.0 && error.is_finite()).then_some(error)
    }
}

/// A sample quantile with 1 / f(q), the spread of values around it per share of units.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Quantile {
    value: f64,
    per_density: f64,
    tied: f64,
}

impl Quantile {
    /// The quantile and its spread: with the order-statistic interval [x(p − z √(p (1 − p) / n)), x(p + …)] of width W at
    /// z = 1.96, 1 / f(q) is W / (2 z √(p (1 − p) / n)), so that the variance of the quantile is (W / 2z)². Errors, in words:
    /// fewer units than the interval needs, or no spread. Source: Bloch, Gastwirth (1968), Annals of Mathematical
    /// Statistics 39(3); in experiments: Liu, Sun, Varshney, Xu (2019), "Large-scale online experimentation with quantile
    /// metrics", which is also what GrowthBook computes.
    fn of(values: impl Iterator<Item = f64>, p: f64) -> Result<Self, String> {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let step = (p * (1.0 - p) / n).sqrt();
        let (low, high) = (p - SPREAD_AT * step, p + SPREAD_AT * step);
        let needed = (SPREAD_AT.powi(2) * (p / (1.0 - p)).max((1.0 - p) / p)).ceil();
        if low <= 0.0 || high >= 1.0 {
            return Err(format!("{n} units are too few for the {p} quantile (more than {needed} are needed)"));
        }
        let at = |p| quantile::quantile(&sorted, p).unwrap_or(f64::NAN);
        let (value, width) = (at(p), at(high) - at(low));
        if width <= 0.0 {
            return Err(format!("all values around the {p} quantile are {value}, which leaves no measure of chance"));
        }
        let tied = sorted.partition_point(|v| *v <= value) - sorted.partition_point(|v| *v < value);
        // (n − 1) / n as GrowthBook has it, so that figures agree.
        let per_density = width / (2.0 * SPREAD_AT * step) * ((n - 1.0) / n).sqrt();
        Ok(Self { value, per_density, tied: tied as f64 / n })
    }
}

//! The difference between two arms with what each unit, or cluster, contributes to its error.

use throughline_stats::ols::sums_within;

use super::adjust::{Adjustment, Pair, own, pair};
use super::arm::Arm;
use super::outcome::{Outcome, Summing};
use super::rows::Clusters;

/// The effect of an arm against the control.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Effect {
    /// Treated minus control, adjusted.
    pub(crate) value: f64,
    /// The control's number before adjustment, which lifts are relative to.
    pub(crate) base: f64,
    /// Units behind it.
    pub(crate) n: u64,
    /// Independent units behind it: clusters, where there are.
    pub(crate) independent: u64,
    /// Degrees of freedom of the difference.
    pub(crate) df: f64,
    /// Rows, or clusters, of the influence values.
    pub(crate) index: Vec<u32>,
    /// Influence values of the difference: its variance is their sum of squares.
    pub(crate) absolute: Vec<f64>,
    /// Influence values of the relative lift (delta method); empty where the base is 0.
    pub(crate) relative: Vec<f64>,
    /// The method in words.
    pub(crate) method: String,
}

/// The arms of one comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arms<'a> {
    pub(crate) control: &'a Arm,
    pub(crate) treated: &'a Arm,
}

impl Effect {
    /// The effect of two arms. Errors, in words: too few units or clusters, no variation.
    pub(crate) fn of(
        summing: Summing,
        adjustment: &Adjustment<'_>,
        arms: Arms<'_>,
        clusters: Option<&Clusters>,
    ) -> Result<Self, String> {
        let Arms { control, treated } = arms;
        if control.n() < 2.0 || treated.n() < 2.0 {
            return Err(too_few(control.rows.len(), treated.rows.len()));
        }
        let mut adjusted = pair(adjustment, control, treated)?;
        let (value, base) = (adjusted.treated.value - adjusted.control.value, control.value);
        let absolute = Self::contributions(&mut adjusted);
        // ∂(d / |m|): d's own influence over |m|, less d / (m |m|) times that of the control's number.
        let relative = if base == 0.0 {
            Vec::new()
        } else {
            let mut out: Vec<f64> = absolute.iter().map(|a| a / base.abs()).collect();
            let slope = value / base / base.abs();
            out.iter_mut().zip(own(control, &control.units)).for_each(|(o, b)| *o -= slope * b);
            out
        };
        let n = (control.rows.len() + treated.rows.len()) as u64;
        let method = method(summing, adjustment, clusters.is_some());
        let index = Vec::new();
        let mut effect = Self { value, base, n, independent: n, df: 0.0, index, absolute, relative, method };
        let split = control.rows.len();
        match clusters {
            None => {
                effect.index = control.rows.iter().chain(&treated.rows).copied().collect();
                let df = (adjusted.control.df, adjusted.treated.df);
                effect.df = satterthwaite(squares(&effect.absolute[..split]), squares(&effect.absolute[split..]), df);
            }
            Some(clusters) => effect.cluster(clusters, arms)?,
        }
        if squares(&effect.absolute) == 0.0 {
            let (a, b) = (control.value, treated.value);
            return Err(format!("neither sample varies: every baseline unit is {a} and every treated unit {b}"));
        }
        Ok(effect)
    }

    /// Of control units, then treated units, to the difference.
    fn contributions(pair: &mut Pair) -> Vec<f64> {
        let mut out = std::mem::take(&mut pair.control.influence);
        for c in &mut out {
            *c = -*c;
        }
        out.append(&mut pair.treated.influence);
        let shared = pair.shared.0.iter().chain(&pair.shared.1);
        out.iter_mut().zip(shared).for_each(|(o, s)| *o += s);
        out
    }

    /// Sums within clusters.
    ///
    /// Where no cluster is in both arms, cluster g of an arm is scaled by 1 / √(1 − n_g / n), what a mean needs to be free of
    /// bias (CR2; G / (G − 1) for clusters of one size), and each arm has (Σ n_g²)² / Σ n_g⁴ − 1 degrees of freedom, those of
    /// units that are alike within clusters: unequal clusters count for fewer. Otherwise G / (G − 1), with the degrees of
    /// freedom over all clusters. Source: Bell, McCaffrey (2002), Survey Methodology 28(2); Imbens, Kolesár (2016), Review
    /// of Economics and Statistics 98(4).
    fn cluster(&mut self, clusters: &Clusters, arms: Arms<'_>) -> Result<(), String> {
        let code = |row: &u32| clusters.codes[*row as usize];
        let codes: Vec<u32> = arms.control.rows.iter().chain(&arms.treated.rows).map(code).collect();
        let sizes = |arm: &Arm| {
            let mut out = vec![0.0; clusters.count];
            arm.rows.iter().for_each(|r| out[code(r) as usize] += 1.0);
            out
        };
        let (first, second) = (sizes(arms.control), sizes(arms.treated));
        let number = |sizes: &[f64]| sizes.iter().filter(|n| **n > 0.0).count() as f64;
        let both: Vec<f64> = first.iter().zip(&second).map(|(a, b)| a + b).collect();
        let (all, g0, g1) = (number(&both), number(&first), number(&second));
        let nested = first.iter().zip(&second).all(|(a, b)| *a == 0.0 || *b == 0.0);
        if nested && (g0 < 2.0 || g1 < 2.0) || all < 2.0 {
            return Err(format!("{g0} baseline and {g1} treated clusters are too few (at least 2 of each are needed)"));
        }
        let (n0, n1) = (arms.control.n(), arms.treated.n());
        let correction = |c: usize| {
            let nested_by = if first[c] > 0.0 { first[c] / n0 } else { second[c] / n1 };
            if nested { 1.0 / (1.0 - nested_by) } else { all / (all - 1.0) }
        };
        let index: Vec<u32> = (0_u32..).zip(&both).filter(|(_, n)| **n > 0.0).map(|(c, _)| c).collect();
        let summed = |column: &[f64]| -> Vec<f64> {
            let sums = sums_within(column, &codes, clusters.count);
            index.iter().map(|c| sums[*c as usize] * correction(*c as usize).sqrt()).collect()
        };
        self.absolute = summed(&self.absolute);
        self.relative = if self.relative.is_empty() { Vec::new() } else { summed(&self.relative) };
        self.df = if nested {
            let of = |sizes: &[f64]| -> f64 {
                let own = index.iter().zip(&self.absolute).filter(|(c, _)| sizes[**c as usize] > 0.0);
                own.map(|(_, a)| a * a).sum()
            };
            satterthwaite(of(&first), of(&second), (freedom(&first), freedom(&second)))
        } else {
            freedom(&both)
        };
        self.independent = index.len() as u64;
        self.index = index;
        Ok(())
    }

    /// The relative lift, where the base is not 0.
    pub(crate) fn lift(&self) -> Option<f64> {
        (!self.relative.is_empty()).then(|| self.value / self.base.abs())
    }

    pub(crate) fn variance(&self) -> f64 {
        squares(&self.absolute)
    }

    /// Influence values over all rows (or clusters).
    pub(crate) fn dense(&self, length: usize) -> Vec<f64> {
        let mut out = vec![0.0; length];
        self.index.iter().zip(&self.absolute).for_each(|(i, a)| out[*i as usize] = *a);
        out
    }
}

/// The number of each arm, for a comparison of some rows. With clusters, their own correction takes the place of the
/// units'.
pub(crate) fn arm_of(outcome: &Outcome<'_>, rows: impl Iterator<Item = u32>, clustered: bool) -> Result<Arm, String> {
    let arm = Arm::of(outcome, rows)?;
    Ok(if clustered { Arm { correction: 1.0, ..arm } } else { arm })
}

pub(crate) fn too_few(baseline: usize, treated: usize) -> String {
    format!("{baseline} baseline and {treated} treated units are too few (at least 2 of each are needed)")
}

fn squares(values: &[f64]) -> f64 {
    values.iter().map(|v| v * v).sum()
}

/// (Σ n²)² / Σ n⁴ − 1, at least 1.
fn freedom(sizes: &[f64]) -> f64 {
    let (two, four) = sizes.iter().fold((0.0, 0.0), |(a, b), n| (a + n * n, b + n.powi(4)));
    (two * two / four - 1.0).max(1.0)
}

/// (a + b)² / (a² / df₀ + b² / df₁), the Welch–Satterthwaite degrees of freedom.
fn satterthwaite(a: f64, b: f64, (first, second): (f64, f64)) -> f64 {
    let total = a + b;
    if !(total > 0.0 && first >= 1.0 && second >= 1.0) {
        return first.min(second).max(1.0);
    }
    let (a, b) = (a / total, b / total);
    1.0 / (a * a / first + b * b / second)
}

fn method(summing: Summing, adjustment: &Adjustment<'_>, clustered: bool) -> String {
    let base = match summing {
        Summing::Mean | Summing::Proportion if adjustment.is_none() && !clustered => "welch",
        Summing::Mean => "mean",
        Summing::Proportion => "proportion",
        Summing::Ratio => "ratio",
        Summing::Quantile(_) => "quantile",
    };
    format!("{base}{}{}", adjustment.name(), if clustered { "_clustered" } else { "" })
}

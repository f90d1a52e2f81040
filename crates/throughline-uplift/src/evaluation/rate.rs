//! Rank-weighted average treatment effects: does a ranking put those first whom the treatment helps most?

use throughline_core::{Estimate, Level};

use super::scores::EffectScores;
use crate::UpliftError;
use crate::training::same_length;

/// How the targeting curve is averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateTarget {
    /// ∫ TOC(q) dq: every share counts alike, that is, the gain q · TOC(q) with weight 1 / q. Sees effects that are
    /// concentrated in few people.
    Autoc,
    /// ∫ q TOC(q) dq: shares count by their size. Sees effects that are spread over many.
    Qini,
}

impl RateTarget {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Autoc => "autoc",
            Self::Qini => "rate_qini",
        }
    }

    /// The weight of the effect at the share q from the top: ∫ of α(u) / u from q to 1 less ∫ of α, for 0 < q ≤ 1.
    fn weight(self, q: f64) -> f64 {
        match self {
            Self::Autoc => -q.ln() - 1.0,
            Self::Qini => 0.5 - q,
        }
    }
}

/// A rank-weighted average treatment effect.
#[derive(Debug, Clone, PartialEq)]
pub struct Rate {
    /// How the curve was averaged.
    pub target: RateTarget,
    /// Its value and interval, in the unit of the outcome. 0 for a ranking no better than chance.
    pub estimate: Estimate,
    /// Influence value of each row, in the order of the rows: value − truth ≈ Σ influence.
    pub influence: Vec<f64>,
}

/// The rank-weighted average treatment effect of a ranking by falling `priority`.
///
/// TOC(q) = mean Γ among the best share q less mean Γ of all. AUTOC = (1/n) Σⱼ TOC(j/n), Qini = (1/n) Σⱼ (j/n) TOC(j/n)
/// (Yadlowsky, Fleming, Shah, Brunskill and Wager, "Evaluating treatment prioritization rules via rank-weighted average
/// treatment effects", JASA 2025), with tied rows sharing their mean Γ: the expectation over all orders of ties, as in grf.
///
/// The interval is Wald's from influence values that count both the noise of Γ and that of the ranks: with w the weight of a
/// share, blocks b of tied rows at shares Q_b, means τ_b and mean weights w̄_b,
/// φᵢ = [w̄_b(Γᵢ − τ_b) + τ_b w(Q_b) + Σ_{b' worse than b} τ_b' (w(Q_b') − w(Q_b'₋₁)) − mean] / n. It does not depend on
/// draws. Assumes that `priority` comes from data other than these rows, and what the scores assume.
///
/// # Errors
/// A `priority` of another length or that is not finite. Constant priorities give exactly 0 with a standard error of 0.
pub fn rate(scores: &EffectScores, priority: &[f64], target: RateTarget, level: Level) -> Result<Rate, UpliftError> {
    scores.check("priority", priority)?;
    let order = scores.order_by(priority);
    let n = order.len() as f64;
    let blocks = blocks(scores, &order, priority);
    let mean = blocks.iter().map(|b| b.total).sum::<f64>() / n;
    // The same sum with Γ − mean: constant effects then give 0 exactly.
    let value = blocks.iter().map(|b| (b.total - mean * b.len()) * b.row_weight(target, n)).sum::<f64>() / n;
    let influence = influence(scores, &order, &blocks, target, mean);
    // In the order of the ranking, which the order of rows cannot change.
    let squares: f64 = order.iter().map(|&i| influence[i].powi(2)).sum();
    let constant = blocks.len() < 2;
    let std_error = if constant { 0.0 } else { (squares * n / (n - 1.0)).sqrt() };
    let estimate = wald(scores, if constant { 0.0 } else { value }, std_error, level, target.name())?;
    Ok(Rate { target, estimate, influence })
}

/// How much better ranking `a` is than ranking `b` on the same rows: the difference of their rates, with the interval of
/// the paired influence values.
///
/// # Errors
/// Rates of different rows or targets.
pub fn rate_between(scores: &EffectScores, a: &Rate, b: &Rate, level: Level) -> Result<Estimate, UpliftError> {
    same_length("influence", a.influence.len(), scores.n())?;
    same_length("influence", b.influence.len(), scores.n())?;
    if a.target != b.target {
        return Err(UpliftError::Params { name: "rate_between", message: "the rates have different targets".into() });
    }
    let mut squares: Vec<f64> = a.influence.iter().zip(&b.influence).map(|(a, b)| (a - b).powi(2)).collect();
    squares.sort_unstable_by(f64::total_cmp);
    let n = scores.n() as f64;
    let std_error = (squares.iter().sum::<f64>() * n / (n - 1.0)).sqrt();
    wald(scores, a.estimate.value - b.estimate.value, std_error, level, a.target.name())
}

/// TOC(q) for each of `shares` (in 0 to 1): mean Γ of the best share q less mean Γ of all, tied rows counting in
/// proportion. A share of 0 (or NaN) has the value of the best block.
///
/// # Errors
/// A `priority` of another length or that is not finite.
pub fn toc(scores: &EffectScores, priority: &[f64], shares: &[f64]) -> Result<Vec<f64>, UpliftError> {
    scores.check("priority", priority)?;
    let order = scores.order_by(priority);
    let n = order.len() as f64;
    let blocks = blocks(scores, &order, priority);
    let mean = blocks.iter().map(|b| b.total).sum::<f64>() / n;
    let (mut ends, mut gains) = (vec![0.0], vec![0.0]);
    for block in &blocks {
        ends.push(block.end as f64);
        gains.push(gains.last().copied().unwrap_or(0.0) + block.total);
    }
    let at = |share: f64| {
        let rows = if share > 0.0 { share.min(1.0) * n } else { 0.0 };
        if rows <= 0.0 {
            return blocks[0].mean() - mean;
        }
        let next = ends.partition_point(|end| *end < rows).clamp(1, blocks.len());
        let block = &blocks[next - 1];
        (gains[next - 1] + (rows - ends[next - 1]) * block.mean()) / rows - mean
    };
    Ok(shares.iter().map(|s| at(*s)).collect())
}

/// Rows of one priority, from `start` to `end` in the order of the ranking.
#[derive(Debug, Clone, Copy)]
struct Tied {
    start: usize,
    end: usize,
    total: f64,
}

impl Tied {
    fn len(&self) -> f64 {
        (self.end - self.start) as f64
    }

    fn mean(&self) -> f64 {
        self.total / self.len()
    }

    /// The weight of Γ − mean in the mean of the curve, averaged over the block's positions i: H_n − H_{i−1} for AUTOC,
    /// (n − i + 1) / n for Qini.
    fn row_weight(&self, target: RateTarget, n: f64) -> f64 {
        match target {
            RateTarget::Qini => (n - f64::midpoint((self.start + 1) as f64, self.end as f64) + 1.0) / n,
            RateTarget::Autoc => {
                let first = harmonic_from((self.start + 1) as f64, n);
                if self.end - self.start == 1 {
                    return first;
                }
                // Σ of (H_n − H_{i−1}) over i = s + 1 … e, divided by e − s: each 1 / j counts min(j, e) − s times.
                let (s, e) = (self.start as f64, self.end as f64);
                let within = (e - s) - s * harmonic_from(s + 1.0, e);
                (within + (e - s) * harmonic_from(e + 1.0, n)) / (e - s)
            }
        }
    }
}

/// 1/a + 1/(a + 1) + … + 1/b, 0 where a > b, by the difference of digamma's asymptotic series beyond small numbers.
fn harmonic_from(a: f64, b: f64) -> f64 {
    if a > b {
        return 0.0;
    }
    let (mut sum, mut a) = (0.0, a);
    while a < SERIES && a <= b {
        sum += 1.0 / a;
        a += 1.0;
    }
    if a > b {
        return sum;
    }
    // ψ(x + 1) = ln x + 1/(2x) − 1/(12x²) + 1/(120x⁴) − …; H_b − H_{a−1} = ψ(b + 1) − ψ(a).
    let psi = |x: f64| 0.5 / x - 1.0 / (12.0 * x * x) + 1.0 / (120.0 * x.powi(4)) - 1.0 / (252.0 * x.powi(6));
    let below = a - 1.0;
    sum + (b / below).ln() + psi(b) - psi(below)
}

/// From here on the series of digamma to four terms is exact to rounding.
const SERIES: f64 = 64.0;

fn blocks(scores: &EffectScores, order: &[usize], priority: &[f64]) -> Vec<Tied> {
    let mut start = 0;
    let tied = order.chunk_by(|&a, &b| priority[a] == priority[b]);
    let block = |rows: &[usize]| {
        let total = rows.iter().map(|&i| scores.values[i]).sum();
        start += rows.len();
        Tied { start: start - rows.len(), end: start, total }
    };
    tied.map(block).collect()
}

fn influence(scores: &EffectScores, order: &[usize], blocks: &[Tied], target: RateTarget, mean: f64) -> Vec<f64> {
    let n = order.len() as f64;
    // Effects are taken around their mean, which changes no influence value and keeps rounding small.
    let weight_at = |rows: usize| target.weight(rows as f64 / n);
    let mut of_block = vec![0.0; blocks.len()];
    let mut worse = 0.0;
    for (slot, block) in of_block.iter_mut().zip(blocks).rev() {
        let effect = block.mean() - mean;
        *slot = effect * weight_at(block.end) + worse;
        if block.start > 0 {
            worse += effect * (weight_at(block.end) - weight_at(block.start));
        }
    }
    let mut phi = vec![0.0; order.len()];
    for (common, block) in of_block.iter().zip(blocks) {
        // The weights of rows, less what the mean of all takes off.
        let share = block.row_weight(target, n) - if target == RateTarget::Qini { 0.5 } else { 1.0 };
        for &i in &order[block.start..block.end] {
            phi[i] = share * (scores.values[i] - block.mean()) + common;
        }
    }
    let centre = order.iter().map(|&i| phi[i]).sum::<f64>() / n;
    phi.into_iter().map(|p| (p - centre) / n).collect()
}

fn wald(scores: &EffectScores, value: f64, std_error: f64, level: Level, name: &str) -> Result<Estimate, UpliftError> {
    let method = format!("{name}_{}", scores.method);
    let estimate = Estimate::wald(value, std_error, None, scores.n() as u64, level, method)?;
    Ok(scores.assumed(estimate))
}

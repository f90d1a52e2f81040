//! What remains of an effect when trends were not parallel: Rambachan, Roth (2023), Review of Economic Studies 90(5).
//!
//! With δ the difference of trends in event time (0 in the base period), the coefficients before the treatment are β = δ and
//! those after it β = τ + δ. Two bounds on δ after the treatment:
//!
//! - relative magnitudes M̄: no period-to-period change of δ after the base exceeds M̄ times the largest one before it;
//! - smoothness M: the slope of δ changes by at most M from one period to the next (M = 0: a straight line).
//!
//! **Relative magnitudes.** For θ = l·τ the largest value that β allows is max over s, ± of l·β_post ± M̄ c Δ_s, with Δ_s the
//! changes before the base and c = Σ_j |Σ_{s≥j} l_s|. The upper end of the set is the largest of the upper ends of the one-sided
//! intervals of these linear functions at level 1 − α/2. It is too low only if the interval of the function that is the largest
//! at the true β is, whose chance is α/2; the same holds below. So the set holds θ with probability at least 1 − α whatever
//! δ the bound allows, and more often than that where several functions compete: it is conservative. M̄ = 0 gives the
//! usual interval.
//!
//! **Smoothness.** The fixed-length interval of the paper (after Donoho; Armstrong, Kolesár): an affine estimate whose bias over
//! all δ of the bound is at most b, ± the 1 − α quantile of |N(b/σ, 1)| · σ, with the weights that make it shortest.

use throughline_core::{ConfidenceSet, Estimate, Level};
use throughline_stats::dist;

use super::honest_weights::{Smooth, frontier};
use crate::{EvidenceError, Joint};

/// Beyond this breakdown values are not searched, relative to what is seen before the treatment.
const MOST: f64 = 100.0;

/// The coefficients of an event study in order of time, the base period left out.
#[derive(Debug, Clone)]
pub struct EventStudy {
    /// Coefficients before the base, then those after it.
    joint: Joint,
    before: usize,
    /// Weights of the effects after the base in θ.
    target: Vec<f64>,
}

impl EventStudy {
    /// `before` coefficients stand before the base period and the others after it; θ is the weighted sum of the effects after
    /// it. Errors: no coefficient on a side, weights of another number.
    pub fn new(joint: Joint, before: usize, target: Vec<f64>) -> Result<Self, EvidenceError> {
        if before == 0 {
            return Err(EvidenceError::TooFew { what: "coefficients before the base period", got: 0, needed: 1 });
        }
        if target.is_empty() || before + target.len() != joint.len() {
            return Err(EvidenceError::Shape { what: "weights of the effects after the treatment" });
        }
        Ok(Self { joint, before, target })
    }

    /// θ with parallel trends.
    pub fn under_parallel_trends(&self, level: Level) -> Result<Estimate, EvidenceError> {
        let mut weights = vec![0.0; self.before];
        weights.extend(&self.target);
        self.joint.combine(&[("theta".into(), weights)])?.estimate(0, level)
    }

    /// The set of θ under relative magnitudes. Errors: a negative bound.
    pub fn relative_magnitudes(&self, bound: f64, level: Level) -> Result<Estimate, EvidenceError> {
        check(bound)?;
        let functions = self.extremes(bound)?;
        let values = |k: usize| (functions.values()[k], functions.std_error(k));
        let critical = dist::critical_value(level.get(), functions.df());
        let all = || (0..functions.len()).map(values);
        let hi = all().map(|(v, s)| v + critical * s).fold(f64::NEG_INFINITY, f64::max);
        let lo = all().map(|(v, s)| v - critical * s).fold(f64::INFINITY, f64::min);
        // 0 is below the set while it is below every one-sided end: the least of the statistics decides.
        let t = |v: f64, s: f64| match (s > 0.0, v == 0.0) {
            (true, _) => v / s,
            (false, true) => 0.0,
            (false, false) => f64::INFINITY.copysign(v),
        };
        let above = all().map(|(v, s)| t(v, s)).fold(f64::INFINITY, f64::min);
        let below = all().map(|(v, s)| -t(v, s)).fold(f64::INFINITY, f64::min);
        let statistic = above.max(below);
        let p = if statistic <= 0.0 { 1.0 } else { dist::two_sided_p(statistic, functions.df()) };
        let theta = self.under_parallel_trends(level)?;
        let set = ConfidenceSet(vec![(lo, hi)]);
        let method = "honest_relative_magnitudes";
        Ok(Estimate::inverted(theta.value, theta.std_error, set, p, theta.n, level, method)?)
    }

    /// The largest and smallest values of θ that the coefficients allow, without their uncertainty.
    pub fn identified(&self, bound: f64) -> Result<(f64, f64), EvidenceError> {
        let functions = self.extremes(bound)?;
        let fold = |of: fn(f64, f64) -> f64, from| functions.values().iter().copied().fold(from, of);
        Ok((fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY)))
    }

    /// l·β_post ± M̄ c Δ_s for every change s before the base.
    fn extremes(&self, bound: f64) -> Result<Joint, EvidenceError> {
        let reach: f64 = (0..self.target.len()).map(|j| self.target[j..].iter().sum::<f64>().abs()).sum();
        let mut combinations = Vec::new();
        for s in 0..self.before {
            for sign in [-1.0, 1.0] {
                let mut weights = vec![0.0; self.before];
                weights.extend(&self.target);
                // Δ_s = δ_{s+1} − δ_s, where the base has δ = 0.
                weights[s] -= sign * bound * reach;
                if s + 1 < self.before {
                    weights[s + 1] += sign * bound * reach;
                }
                combinations.push((format!("{s} {sign}"), weights));
            }
        }
        self.joint.combine(&combinations)
    }

    /// The set of θ under smoothness. Errors: a negative bound.
    pub fn smoothness(&self, bound: f64, level: Level) -> Result<Estimate, EvidenceError> {
        check(bound)?;
        let smooth = self.smooth();
        // Few degrees of freedom make the normal quantiles too short by about this factor.
        let stretch = dist::critical_value(level.get(), self.joint.df()) / dist::critical_value(level.get(), None);
        let half = |weights: &[f64]| {
            let (sigma, bias) = (stretch * smooth.std_error(weights), bound * smooth.bias(weights));
            folded_quantile(level.get(), bias, sigma)
        };
        let mut best: Option<(f64, Vec<f64>)> = None;
        for weights in frontier(&smooth, bound > 0.0) {
            let half = half(&weights);
            if best.as_ref().is_none_or(|(b, _)| half < *b) {
                best = Some((half, weights));
            }
        }
        let (half, weights) = best.ok_or_else(|| EvidenceError::NotFinite { what: "honest interval".into() })?;
        let all = smooth.all(&weights);
        let theta = self.joint.combine(&[("theta".into(), all)])?;
        let (value, sigma, bias) = (theta.values()[0], stretch * theta.std_error(0), bound * smooth.bias(&weights));
        let p = folded_tail(value.abs(), bias, sigma);
        let set = ConfidenceSet(vec![(value - half, value + half)]);
        let method = "honest_smoothness";
        Ok(Estimate::inverted(value, Some(theta.std_error(0)), set, p, theta.n(), level, method)?)
    }

    fn smooth(&self) -> Smooth<'_> {
        Smooth::new(&self.joint, self.before, &self.target)
    }

    /// The largest change, and the largest change of slope, of the coefficients up to the base: scales for the bounds.
    pub fn scales(&self) -> (f64, f64) {
        let path: Vec<f64> = self.joint.values()[..self.before].iter().copied().chain([0.0]).collect();
        let change = path.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f64::max);
        let slope = path.windows(3).map(|w| (w[2] - 2.0 * w[1] + w[0]).abs()).fold(0.0, f64::max);
        (change, slope)
    }

    /// The largest M̄ at which the set still excludes 0; none when it holds 0 already with parallel trends. Sets grow with
    /// the bound, so the search is by halving, up to 100.
    pub fn breakdown_relative(&self, level: Level) -> Result<Option<f64>, EvidenceError> {
        let excludes = |m: f64| Ok(!self.relative_magnitudes(m, level)?.set.contains(0.0));
        last_true(MOST, excludes)
    }

    /// The largest M up to which the set excludes 0 under smoothness, searched up to 100 standard errors of θ.
    pub fn breakdown_smooth(&self, level: Level) -> Result<Option<f64>, EvidenceError> {
        let most = MOST * self.under_parallel_trends(level)?.std_error.unwrap_or(1.0);
        last_true(most, |m| Ok(!self.smoothness(m, level)?.set.contains(0.0)))
    }
}

fn check(bound: f64) -> Result<(), EvidenceError> {
    if bound >= 0.0 && bound.is_finite() {
        return Ok(());
    }
    Err(EvidenceError::Setting { what: "bound on the trends", value: bound, bounds: "0 and up" })
}

/// The end of the first stretch from 0 on in which `holds` does: doubling steps, then halving.
fn last_true(most: f64, holds: impl Fn(f64) -> Result<bool, EvidenceError>) -> Result<Option<f64>, EvidenceError> {
    if !holds(0.0)? {
        return Ok(None);
    }
    let (mut lo, mut hi) = (0.0, most / 1024.0);
    while holds(hi)? {
        lo = hi;
        hi *= 2.0;
        if hi > most {
            return Ok(Some(most));
        }
    }
    for _ in 0..40 {
        let middle = f64::midpoint(lo, hi);
        if holds(middle)? { lo = middle } else { hi = middle }
    }
    Ok(Some(lo))
}

/// P(|N(bias, σ)| > x).
fn folded_tail(x: f64, bias: f64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        return f64::from(u8::from(bias >= x));
    }
    (dist::normal_sf((x - bias) / sigma) + dist::normal_sf((x + bias) / sigma)).min(1.0)
}

/// The x with P(|N(bias, σ)| ≤ x) = level.
pub(super) fn folded_quantile(level: f64, bias: f64, sigma: f64) -> f64 {
    if sigma == 0.0 {
        return bias;
    }
    let (mut lo, mut hi) = (0.0, bias + sigma * dist::critical_value(level, None));
    for _ in 0..60 {
        let middle = f64::midpoint(lo, hi);
        if folded_tail(middle, bias, sigma) > 1.0 - level { lo = middle } else { hi = middle }
    }
    hi
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study(values: &[f64], se: f64, before: usize) -> EventStudy {
        let k = values.len();
        let names = (0..k).map(|i| i.to_string()).collect();
        // Coefficients share the base period: equal covariances.
        let covariance = (0..k * k).map(|c| if c / k == c % k { se * se } else { se * se / 2.0 }).collect();
        let joint = Joint::from_covariance(names, values.to_vec(), covariance, 500, "event_study").expect("finite");
        let after = k - before;
        EventStudy::new(joint, before, vec![1.0 / after as f64; after]).expect("a study")
    }

    #[test]
    fn no_deviation_gives_the_usual_interval() {
        let study = study(&[0.1, -0.2, 0.9, 1.2], 0.2, 2);
        let (usual, honest) = (
            study.under_parallel_trends(Level::P95).expect("one"),
            study.relative_magnitudes(0.0, Level::P95).expect("one"),
        );
        assert!(
            (usual.interval().0 - honest.interval().0).abs() < 1e-12 && (usual.p_value - honest.p_value).abs() < 1e-12
        );
    }

    /// By hand: changes before are −0.3 (from 0.1 to −0.2) and 0.2; θ = (0.9 + 1.2) / 2; c = 1 + 1/2; M̄ = 1.
    #[test]
    fn relative_magnitudes_by_hand() {
        let study = study(&[0.1, -0.2, 0.9, 1.2], 1e-9, 2);
        let (lo, hi) = study.relative_magnitudes(1.0, Level::P95).expect("one").interval();
        assert!((lo - (1.05 - 0.45)).abs() < 1e-7 && (hi - (1.05 + 0.45)).abs() < 1e-7, "{lo} {hi}");
        assert_eq!(study.identified(1.0).map(|(lo, _)| (lo * 1e9).round()), Ok(6e8));
        let breakdown = study.breakdown_relative(Level::P95).expect("one").expect("significant");
        assert!((breakdown - 1.05 / 0.45).abs() < 1e-6, "{breakdown}");
    }

    /// A straight line before the treatment is taken away: −0.2, −0.1, (base), then 0.1 and 0.2 would follow.
    #[test]
    fn smoothness_takes_a_line_away() {
        let study = study(&[-0.2, -0.1, 1.1, 1.2], 1e-9, 2);
        let sure = study.smoothness(0.0, Level::P95).expect("one");
        assert!((sure.value - 1.0).abs() < 1e-7, "{sure:?}");
        // With one period after and only the last slope used: δ_1 = δ_0 − (δ_{−1} − δ_0) ± M.
        let one = EventStudy::new(
            study
                .joint
                .combine(&[("b".into(), vec![0.0, 1.0, 0.0, 0.0]), ("a".into(), vec![0.0, 0.0, 1.0, 0.0])])
                .expect("two"),
            1,
            vec![1.0],
        )
        .expect("a study");
        let (lo, hi) = one.smoothness(0.3, Level::P95).expect("one").interval();
        assert!((lo - 0.7).abs() < 1e-6 && (hi - 1.3).abs() < 1e-6, "{lo} {hi}");
    }

    #[test]
    fn set_and_p_value_agree_and_sets_grow() {
        for k in 0..40 {
            let study = study(&[0.05, -0.03, 0.04, 0.1 * f64::from(k - 20), 0.4], 0.1, 3);
            let mut last = 0.0;
            for bound in [0.0, 0.01, 0.1, 1.0] {
                for e in [
                    study.relative_magnitudes(bound, Level::P95).expect("one"),
                    study.smoothness(bound, Level::P95).expect("one"),
                ] {
                    assert_eq!(e.set.contains(0.0), e.p_value >= Level::P95.alpha(), "{e:?}");
                }
                let (lo, hi) = study.relative_magnitudes(bound, Level::P95).expect("one").interval();
                assert!(hi - lo >= last);
                last = hi - lo;
            }
        }
        assert!(study(&[0.1, 1.0], 0.1, 1).relative_magnitudes(-1.0, Level::P95).is_err());
    }
}

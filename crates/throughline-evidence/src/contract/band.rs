//! Statements about several estimates at once.

use serde::{Deserialize, Serialize};
use throughline_core::Level;
use throughline_stats::dist;
use throughline_stats::linalg::{Cholesky, symmetric_eigen};
use throughline_stats::stream::Stream;

use super::Joint;
use crate::EvidenceError;

/// Intervals that hold all their truths at once with the stated probability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// Probability that all are held.
    pub level: Level,
    /// The critical value in place of the pointwise one.
    pub critical_value: f64,
    /// One interval per estimate: value ± critical value × standard error.
    pub intervals: Vec<(f64, f64)>,
    /// One p-value per estimate, corrected for the others by the same distribution: the interval excludes 0 exactly when
    /// it is below 1 − level.
    pub p_values: Vec<f64>,
}

/// A test that several estimates are all 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WaldTest {
    /// θ̂ᵀ V⁻ θ̂.
    pub statistic: f64,
    /// Rank of V.
    pub df: usize,
    /// Upper tail of χ².
    pub p_value: f64,
}

/// Draws of the maximum; the critical value at 95 % is then known to about ± 0.01.
const DRAWS: u64 = 20_000;

/// Eigenvalues of a correlation matrix below this share of the largest count as 0.
const RANK: f64 = 1e-10;

impl Joint {
    /// A simultaneous band: the critical value is the quantile of max |Z| with Z normal and correlated as the estimates
    /// are (the Gaussian multiplier bootstrap in its limit), from 20,000 draws of the stream of `seed`; never narrower than the
    /// pointwise intervals, nor wider than Šidák's. Source: Montiel Olea, Plagborg-Møller (2019), J. Applied
    /// Econometrics 34(1). Estimates without uncertainty take no part.
    pub fn band(&self, level: Level, seed: u64) -> Result<Band, EvidenceError> {
        let active: Vec<usize> = (0..self.len()).filter(|j| self.std_error(*j) > 0.0).collect();
        let maxima = self.maxima(&active, seed)?;
        let k = active.len().max(1) as f64;
        let pointwise = dist::critical_value(level.get(), self.df());
        let sidak = dist::critical_value(level.get().powf(1.0 / k), self.df());
        let tail = |t: f64| 1.0 - maxima.partition_point(|m| *m < t) as f64 / (maxima.len() as f64 + 1.0);
        // The p-value of one estimate, kept between the pointwise and Šidák's.
        let p_of = |t: f64| {
            let alone = dist::two_sided_p(t, self.df());
            tail(t).clamp(alone, 1.0 - (1.0 - alone).powf(k))
        };
        // The least t whose p-value is below α, so that both say the same.
        let (mut lo, mut hi) = (pointwise * (1.0 - 1e-9), sidak * (1.0 + 1e-9));
        for _ in 0..100 {
            let middle = f64::midpoint(lo, hi);
            if p_of(middle) < level.alpha() { hi = middle } else { lo = middle }
        }
        let of = |j: usize| {
            let (value, se) = (self.values()[j], self.std_error(j));
            let p = match (se > 0.0, value == 0.0) {
                (true, _) => p_of((value / se).abs()),
                (false, zero) => f64::from(u8::from(zero)),
            };
            ((value - lo * se, value + lo * se), p)
        };
        let (intervals, p_values) = (0..self.len()).map(of).unzip();
        Ok(Band { level, critical_value: lo, intervals, p_values })
    }

    /// Sorted draws of max |Z| over some estimates.
    fn maxima(&self, active: &[usize], seed: u64) -> Result<Vec<f64>, EvidenceError> {
        let k = active.len();
        let correlation = self.correlation(active);
        let eigen =
            symmetric_eigen(&correlation, k).ok_or_else(|| EvidenceError::NotFinite { what: "correlation".into() })?;
        let roots: Vec<f64> = eigen.values.iter().map(|v| v.max(0.0).sqrt()).collect();
        let stream = Stream::new(seed, 0x6261_6e64);
        let (mut z, mut maxima) = (vec![0.0; k], Vec::new());
        for draw in 0..DRAWS {
            z.fill(0.0);
            for (c, (root, vector)) in roots.iter().zip(&eigen.vectors).enumerate() {
                let g = root * stream.normal_at(draw * k as u64 + c as u64);
                z.iter_mut().zip(vector).for_each(|(z, v)| *z += g * v);
            }
            maxima.push(z.iter().fold(0.0, |m: f64, z| m.max(z.abs())));
        }
        maxima.sort_by(f64::total_cmp);
        Ok(maxima)
    }

    fn correlation(&self, of: &[usize]) -> Vec<f64> {
        let cell = |i: usize, j: usize| self.covariance(i, j) / (self.std_error(i) * self.std_error(j));
        of.iter().flat_map(|&i| of.iter().map(move |&j| if i == j { 1.0 } else { cell(i, j) })).collect()
    }

    /// The Wald test that the named estimates are all 0: θ̂ᵀ V⁻¹ θ̂ against χ². Where V is singular, its pseudo-inverse and
    /// rank. Errors: no estimate named, or none with uncertainty.
    pub fn wald_test(&self, of: &[usize]) -> Result<WaldTest, EvidenceError> {
        let of: Vec<usize> = of.iter().copied().filter(|j| self.std_error(*j) > 0.0).collect();
        if of.is_empty() {
            return Err(EvidenceError::TooFew { what: "estimates with uncertainty", got: 0, needed: 1 });
        }
        let k = of.len();
        let correlation = self.correlation(&of);
        let t: Vec<f64> = of.iter().map(|&j| self.values()[j] / self.std_error(j)).collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let (statistic, df) = if let Some(factor) = Cholesky::new(&correlation, k, RANK) {
            (dot(&t, &factor.solve(&t)), k)
        } else {
            let eigen = symmetric_eigen(&correlation, k)
                .ok_or_else(|| EvidenceError::NotFinite { what: "correlation".into() })?;
            let least = RANK * eigen.values.last().copied().unwrap_or(0.0);
            let kept = eigen.values.iter().zip(&eigen.vectors).filter(|(v, _)| **v > least);
            kept.fold((0.0, 0), |(s, r), (v, x)| (s + dot(&t, x).powi(2) / v, r + 1))
        };
        Ok(WaldTest { statistic, df, p_value: dist::chi_squared_sf(statistic, df as f64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(values: &[f64], covariance: &[f64]) -> Joint {
        let names = (0..values.len()).map(|i| format!("e{i}")).collect();
        Joint::from_covariance(names, values.to_vec(), covariance.to_vec(), 100, "test").expect("finite")
    }

    #[test]
    fn one_estimate_and_equal_estimates_need_no_correction() {
        let band = joint(&[1.0], &[4.0]).band(Level::P95, 1).expect("a band");
        assert!((band.critical_value - 1.959_964).abs() < 1e-4, "{band:?}");
        let band = joint(&[1.0, 1.0], &[4.0, 4.0, 4.0, 4.0]).band(Level::P95, 1).expect("a band");
        assert!((band.critical_value - 1.96).abs() < 0.03, "{band:?}");
    }

    #[test]
    fn independent_estimates_need_sidaks() {
        let n = 10;
        let mut identity = vec![0.0; n * n];
        (0..n).for_each(|i| identity[i * n + i] = 1.0);
        let values: Vec<f64> = (0..10).map(|i| f64::from(i) / 2.0).collect();
        let band = joint(&values, &identity).band(Level::P95, 3).expect("a band");
        assert!((band.critical_value - 2.799_8).abs() < 0.04, "{}", band.critical_value);
        for ((lo, hi), p) in band.intervals.iter().zip(&band.p_values) {
            assert_eq!(*p < 0.05, !(*lo..=*hi).contains(&0.0));
        }
    }

    #[test]
    fn a_wald_test_counts_what_is_independent() {
        let test = joint(&[2.0, 3.0], &[1.0, 0.0, 0.0, 1.0]).wald_test(&[0, 1]).expect("a test");
        assert_eq!((test.statistic, test.df), (13.0, 2));
        let test = joint(&[2.0, 2.0], &[1.0, 1.0, 1.0, 1.0]).wald_test(&[0, 1]).expect("a test");
        assert!((test.statistic - 4.0).abs() < 1e-9 && test.df == 1, "{test:?}");
    }

    #[test]
    fn clusters_and_combinations_carry_the_influence() {
        let phi = vec![vec![0.1, -0.2, 0.3, -0.1], vec![0.0, 0.1, -0.1, 0.2]];
        let joint = Joint::from_influence(vec!["a".into(), "b".into()], vec![1.0, 2.0], phi, 4, "t").expect("finite");
        let difference = joint.combine(&[("b − a".into(), vec![-1.0, 1.0])]).expect("weights");
        let expect = joint.covariance(0, 0) + joint.covariance(1, 1) - 2.0 * joint.covariance(0, 1);
        assert!((difference.std_error(0).powi(2) - expect).abs() < 1e-15);
        let clustered = joint.clone().clustered(&[0, 0, 1, 1]).expect("two clusters");
        assert!((clustered.covariance(0, 0) - 2.0 * (0.01 + 0.04)).abs() < 1e-15);
        assert_eq!(clustered.df(), Some(1.0));
        assert!(joint.clustered(&[0, 0, 0, 0]).is_err());
    }
}

//! Differences between two independent samples from their sufficient statistics: Welch's absolute difference and the
//! relative lift by the delta method.
//!
//! B. L. Welch, "The generalization of Student's problem when several different population variances are involved",
//! Biometrika 34 (1947), with the Welch–Satterthwaite degrees of freedom. The results are a value, a standard error and
//! degrees of freedom; p-values and intervals follow from [`crate::dist`].

/// What a comparison needs to know of one sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Units.
    pub n: u64,
    /// Mean over units.
    pub mean: f64,
    /// Variance of one unit (not of the mean).
    pub variance: f64,
}

impl Summary {
    /// A share of successes p with variance p (1 − p), its maximum-likelihood form; all 0 without units.
    pub fn proportion(successes: u64, failures: u64) -> Self {
        let n = successes + failures;
        if n == 0 {
            return Self { n, mean: 0.0, variance: 0.0 };
        }
        let (p, q) = (successes as f64 / n as f64, failures as f64 / n as f64);
        Self { n, mean: p, variance: p * q }
    }

    /// Variance of the mean.
    fn of_mean(&self) -> f64 {
        self.variance / self.n as f64
    }
}

/// A difference with the uncertainty of its sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Treated against baseline, absolute or relative.
    pub value: f64,
    /// Standard error of the value; above 0.
    pub std_error: f64,
    /// Welch–Satterthwaite degrees of freedom.
    pub df: f64,
}

/// Why two samples say nothing about their difference.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Uninformative {
    /// Below two units in a sample there is no variance.
    #[error("{baseline} baseline and {treated} treated units are too few (at least 2 of each are needed)")]
    TooFewUnits {
        /// Units of the baseline.
        baseline: u64,
        /// Units of the treated sample.
        treated: u64,
    },
    /// Neither sample varies, so there is no measure of chance.
    #[error("neither sample varies: every baseline unit is {baseline} and every treated unit {treated}")]
    NoVariation {
        /// The value of every baseline unit.
        baseline: f64,
        /// The value of every treated unit.
        treated: f64,
    },
    /// A lift relative to nothing.
    #[error("the baseline mean is 0, so a relative lift is undefined")]
    ZeroBaseline,
    /// Inputs that are not finite, or so large or small that the result is not.
    #[error("means and variances are not finite, or too large or too small to compute with")]
    OutOfRange,
}

/// Absolute difference m₁ − m₀ with variance v₁/n₁ + v₀/n₀. One sample without variation is accepted: its mean is then
/// taken as exact, which understates the error for rare events, and the caller should say so.
pub fn welch(baseline: &Summary, treated: &Summary) -> Result<Difference, Uninformative> {
    let df = degrees_of_freedom(baseline, treated)?;
    checked(treated.mean - baseline.mean, baseline.of_mean() + treated.of_mean(), df)
}

/// Relative lift (m₁ − m₀) / |m₀| with the delta-method variance v₁/n₁ / m₀² + m₁² v₀/n₀ / m₀⁴, and the degrees of
/// freedom of the absolute difference. The baseline mean must be well away from 0 for the approximation to hold.
pub fn welch_relative(baseline: &Summary, treated: &Summary) -> Result<Difference, Uninformative> {
    let df = degrees_of_freedom(baseline, treated)?;
    if baseline.mean == 0.0 {
        return Err(Uninformative::ZeroBaseline);
    }
    let ratio = treated.mean / baseline.mean;
    let variance = treated.of_mean() / baseline.mean / baseline.mean
        + ratio * ratio * (baseline.of_mean() / baseline.mean / baseline.mean);
    checked((treated.mean - baseline.mean) / baseline.mean.abs(), variance, df)
}

/// (a + b)² / (a²/(n₀ − 1) + b²/(n₁ − 1)) with a, b the variances of the means, scaled so that squares cannot vanish.
fn degrees_of_freedom(baseline: &Summary, treated: &Summary) -> Result<f64, Uninformative> {
    if baseline.n < 2 || treated.n < 2 {
        return Err(Uninformative::TooFewUnits { baseline: baseline.n, treated: treated.n });
    }
    let (a, b) = (baseline.of_mean(), treated.of_mean());
    let total = a + b;
    if total == 0.0 {
        return Err(Uninformative::NoVariation { baseline: baseline.mean, treated: treated.mean });
    }
    let (a, b) = (a / total, b / total);
    Ok(1.0 / (a * a / (baseline.n as f64 - 1.0) + b * b / (treated.n as f64 - 1.0)))
}

fn checked(value: f64, variance: f64, df: f64) -> Result<Difference, Uninformative> {
    let std_error = variance.sqrt();
    if value.is_finite() && std_error.is_finite() && std_error > 0.0 && df.is_finite() {
        Ok(Difference { value, std_error, df })
    } else {
        Err(Uninformative::OutOfRange)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist;
    use crate::moments::Moments;

    /// The samples of GrowthBook's tests S1; S2 is the same with 3,000 baseline units.
    fn growthbook(baseline_n: u64) -> (Summary, Summary) {
        (
            Moments::from_sums(baseline_n, 1396.87, 52_377.976_7).summary(),
            Moments::from_sums(3461, 2422.7, 134_698.29).summary(),
        )
    }

    /// Value, standard error, 95 % interval and two-sided p, to the five digits their tests print.
    #[track_caller]
    fn check(got: Result<Difference, Uninformative>, expect: [f64; 5]) {
        let d = got.expect("informative");
        let half = dist::critical_value(0.95, Some(d.df)) * d.std_error;
        let p = dist::two_sided_p(d.value / d.std_error, Some(d.df));
        for (got, expect) in [d.value, d.std_error, d.value - half, d.value + half, p].into_iter().zip(expect) {
            assert!((got - expect).abs() <= 0.500_001e-5, "{got} for {expect}");
        }
    }

    /// Value, lower end of the one-sided 95 % interval, p of "not greater".
    #[track_caller]
    fn check_greater(got: Result<Difference, Uninformative>, expect: [f64; 3]) {
        let d = got.expect("informative");
        let lower = d.value - dist::t_quantile(0.95, d.df) * d.std_error;
        for (got, expect) in [d.value, lower, dist::t_sf(d.value / d.std_error, d.df)].into_iter().zip(expect) {
            assert!((got - expect).abs() <= 0.500_001e-5, "{got} for {expect}");
        }
    }

    #[test]
    fn growthbook_figures() {
        let (a, b) = growthbook(3407);
        check(welch_relative(&a, &b), [0.70732, 0.37879, -0.03526, 1.44989, 0.06191]);
        check(welch(&a, &b), [0.29, 0.12478, 0.04538, 0.53462, 0.02016]);
        let (a, b) = growthbook(3000);
        check_greater(welch_relative(&a, &b), [0.50336, -0.04514, 0.06558]);
        check_greater(welch(&a, &b), [0.23438, 0.02079, 0.03554]);
        let (a, b) = (Summary::proportion(14, 14), Summary::proportion(16, 14));
        check(welch_relative(&a, &b), [0.06667, 0.2717, -0.47767, 0.61101, 0.80707]);
    }

    #[test]
    fn lift_keeps_its_sign_under_a_negative_baseline() {
        let (a, b) = growthbook(3407);
        let mirror = |s: Summary| Summary { mean: -s.mean, ..s };
        let (up, down) = (welch_relative(&a, &b).unwrap(), welch_relative(&mirror(a), &mirror(b)).unwrap());
        assert_eq!((up.value, up.std_error), (-down.value, down.std_error));
    }

    #[test]
    fn degenerate_samples_are_named() {
        let of = |n, mean, variance| Summary { n, mean, variance };
        let usual = of(10, 1.0, 2.0);
        let cases = [
            (of(1, 1.0, 0.0), usual, Uninformative::TooFewUnits { baseline: 1, treated: 10 }),
            (usual, Summary::proportion(0, 0), Uninformative::TooFewUnits { baseline: 10, treated: 0 }),
            (of(9, 0.0, 0.0), of(9, 1.0, 0.0), Uninformative::NoVariation { baseline: 0.0, treated: 1.0 }),
            (usual, of(10, f64::NAN, 2.0), Uninformative::OutOfRange),
            (usual, of(10, 1.0, f64::INFINITY), Uninformative::OutOfRange),
        ];
        for (a, b, expect) in cases {
            assert_eq!(welch(&a, &b), Err(expect));
            assert_eq!(welch_relative(&a, &b), Err(expect));
        }
        assert_eq!(welch_relative(&of(10, 0.0, 2.0), &usual), Err(Uninformative::ZeroBaseline));
    }

    #[test]
    fn one_constant_sample_leaves_the_freedom_of_the_other() {
        let d = welch(&Summary { n: 50, mean: 1.0, variance: 0.0 }, &Summary { n: 10, mean: 3.0, variance: 2.5 })
            .expect("informative");
        assert_eq!((d.value, d.std_error), (2.0, 0.5));
        assert!((d.df - 9.0).abs() < 1e-12);
    }
}

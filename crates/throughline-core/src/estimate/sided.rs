//! Estimates against a one-sided alternative.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

use super::wald::check;
use super::{ConfidenceSet, Estimate, EstimateError, InferenceKind};
use crate::Level;

/// Which way an effect is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The null is value ≤ 0; the set is bounded below.
    Greater,
    /// The null is value ≥ 0; the set is bounded above.
    Less,
}

impl Side {
    /// Turns a one-sided question about `Less` into the same about `Greater`.
    const fn sign(self) -> f64 {
        match self {
            Self::Greater => 1.0,
            Self::Less => -1.0,
        }
    }

    /// All values above (or below) `bound`, which is given for [`Side::Greater`].
    fn set(self, bound: f64) -> ConfidenceSet {
        ConfidenceSet(vec![match self {
            Self::Greater => (bound, f64::INFINITY),
            Self::Less => (f64::NEG_INFINITY, -bound),
        }])
    }
}

impl Estimate {
    /// A Wald estimate against one side: set = [value − c · se, ∞) with c the `level` quantile of the normal
    /// distribution, or of Student's t when `df` is given, and p = P(T > value / se); mirrored for [`Side::Less`].
    /// A standard error of zero gives p of 0 on the side looked for, and 1 otherwise. `p_value` belongs to the one-sided
    /// null; the set holds 0 exactly when p ≥ 1 − level, as for any inverted test.
    pub fn wald_one_sided(
        value: f64,
        std_error: f64,
        df: Option<f64>,
        n: u64,
        level: Level,
        method: impl Into<String>,
        side: Side,
    ) -> Result<Self, EstimateError> {
        check(value, std_error)?;
        let (critical, tail): (f64, &dyn Fn(f64) -> f64) = match df {
            Some(df) => (dist::t_quantile(level.get(), df), &move |t| dist::t_sf(t, df)),
            None => (dist::normal_quantile(level.get()), &dist::normal_sf),
        };
        let towards = side.sign() * value;
        let (bound, p_value) = if std_error == 0.0 {
            (towards, f64::from(u8::from(towards <= 0.0)))
        } else {
            (towards - critical * std_error, tail(towards / std_error))
        };
        Self::inverted(value, Some(std_error), side.set(bound), p_value, n, level, method)
    }

    /// This estimate as one look of a one-sided asymptotic confidence sequence, valid at every look at once.
    ///
    /// half-width = se · √N · √(2 (N ρ² + 1) / (N² ρ²) · ln(1 + √(N ρ² + 1) / (2 α))), with N = n and
    /// ρ = √((−2 ln 2α + ln(−2 ln 2α + 1)) / N*), N* = `tuned_for`. p is the least α whose set, with this ρ, excludes 0:
    /// √(N ρ² + 1) / (2 (exp(N ρ² t² / (2 (N ρ² + 1))) − 1)), 1 where that is above one half.
    /// Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Annals of Statistics 52(6), eq. 134. Errors: an
    /// estimate without Wald inference, or a level of one half or less, for which the sequence does not exist.
    pub fn sequential_one_sided(&self, tuned_for: f64, side: Side) -> Result<Self, EstimateError> {
        let std_error = self.wald_error("confidence sequence")?;
        let alpha = self.level.alpha();
        if alpha >= 0.5 {
            return Err(EstimateError::NotOfThisKind {
                inference: "a level of one half or less",
                wanted: "one-sided confidence sequence",
            });
        }
        let n = (self.n as f64).max(1.0);
        let log = -2.0 * (2.0 * alpha).ln();
        let n_rho = n * (log + log.ln_1p()) / tuned_for.max(1.0);
        let spread = n_rho + 1.0;
        let towards = side.sign() * self.value;
        let (bound, p_value) = if std_error == 0.0 {
            (towards, f64::from(u8::from(towards <= 0.0)))
        } else {
            let half = std_error * (2.0 * spread / n_rho * (spread.sqrt() / (2.0 * alpha)).ln_1p()).sqrt();
            let t = (towards / std_error).max(0.0);
            let p = spread.sqrt() / 2.0 / (n_rho * t * t / (2.0 * spread)).exp_m1();
            (towards - half, if p <= 0.5 { p } else { 1.0 })
        };
        let method = format!("{}_sequential", self.method);
        let look = Self::inverted(self.value, self.std_error, side.set(bound), p_value, self.n, self.level, method)?;
        Ok(Self { inference: InferenceKind::Sequential, assumptions: self.assumptions.clone(), ..look })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_has_one_bound_and_half_the_p_value() {
        let two = Estimate::wald(2.0, 1.0, Some(30.0), 32, Level::P90, "t").expect("finite");
        let up = Estimate::wald_one_sided(2.0, 1.0, Some(30.0), 32, Level::P95, "t", Side::Greater).expect("finite");
        assert!((up.p_value - two.p_value / 2.0).abs() < 1e-15);
        assert!((up.interval().0 - two.interval().0).abs() < 1e-12 && up.interval().1 == f64::INFINITY);
        let down = Estimate::wald_one_sided(-2.0, 1.0, Some(30.0), 32, Level::P95, "t", Side::Less).expect("finite");
        assert_eq!((down.interval().1, down.p_value), (-up.interval().0, up.p_value));
        let wrong = Estimate::wald_one_sided(-2.0, 1.0, None, 32, Level::P95, "t", Side::Greater).expect("finite");
        assert!(wrong.p_value > 0.97 && wrong.set.contains(0.0));
        let sure = |v| Estimate::wald_one_sided(v, 0.0, None, 1, Level::P95, "t", Side::Greater).expect("defined");
        assert_eq!((sure(0.0).p_value, sure(1.0).p_value, sure(1.0).set.contains(0.0)), (1.0, 0.0, false));
    }

    #[test]
    fn the_one_sided_sequence_is_that_of_the_literature() {
        // GrowthBook's tests: absolute difference with 3,000 baseline units, tuned for 5,000.
        let (value, std_error) = (0.234_376_666_666_666_68, 0.129_842_5);
        let wald = Estimate::wald(value, std_error, None, 6461, Level::P95, "welch").expect("finite");
        let look = wald.sequential_one_sided(5000.0, Side::Greater).expect("wald");
        assert!((look.interval().0 + 0.126_57).abs() < 1e-4, "{look:?}");
        assert!((look.p_value - 0.463_16).abs() < 1e-3, "{look:?}");
        for i in -40_i32..=80 {
            let wald = Estimate::wald(f64::from(i) / 10.0, 1.0, None, 6461, Level::P95, "t").expect("finite");
            for side in [Side::Greater, Side::Less] {
                let look = wald.sequential_one_sided(5000.0, side).expect("wald");
                assert_eq!(!look.set.contains(0.0), look.p_value < 0.05, "{look:?}");
            }
        }
        assert!(
            Estimate::wald(1.0, 1.0, None, 9, Level::HALF, "t")
                .expect("finite")
                .sequential_one_sided(9.0, Side::Less)
                .is_err()
        );
    }

    #[test]
    fn sets_without_an_end_survive_json() {
        let e = Estimate::wald_one_sided(2.0, 1.0, None, 9, Level::P95, "t", Side::Less).expect("finite");
        let text = serde_json::to_string(&e).expect("json");
        assert!(text.contains("[[null,"), "{text}");
        let back: Estimate = serde_json::from_str(&text).expect("the same");
        assert_eq!(back.set.0[0].0, f64::NEG_INFINITY);
    }
}

//! The mixture sequential probability ratio test.

use throughline_core::{ConfidenceSet, Estimate, InferenceKind, Level};

use super::unusable;
use crate::EvidenceError;

/// A mixture sequential probability ratio test of the effect 0 with the normal mixture N(0, τ²) over effects.
///
/// With d the estimate and V its squared standard error at a look, Λ = √(V / (V + τ²)) · exp(τ² d² / (2 V (V + τ²))). The
/// always-valid p-value is the least 1 / Λ of all looks so far, at most 1. The interval of one look is
/// d ± √(V (V + τ²) / τ² · (2 ln(1 / α) + ln((V + τ²) / V))), the effects for which Λ < 1 / α; the always-valid set is what all
/// looks so far have in common, and may be empty. τ should be near the size of effects one expects: a wrong τ costs
/// power, never validity. Source: Johari, Koomen, Pekelis, Walsh (2022), "Always valid inference", Operations Research 70(3).
#[derive(Debug, Clone, PartialEq)]
pub struct Msprt {
    mixture_variance: f64,
    level: Option<Level>,
    p_value: f64,
    low: f64,
    high: f64,
}

impl Msprt {
    /// A test before its first look; `mixture_variance` is τ², in squared units of the effect. Errors: τ² that is not above 0 (TL337).
    pub fn new(mixture_variance: f64) -> Result<Self, EvidenceError> {
        if !(mixture_variance > 0.0 && mixture_variance.is_finite()) {
            let message = format!("a mixture variance of {mixture_variance} is not above 0");
            return Err(unusable(
                "TL337",
                message,
                "give the square of the effect you expect, such as the minimum detectable",
            ));
        }
        Ok(Self { mixture_variance, level: None, p_value: 1.0, low: f64::NEG_INFINITY, high: f64::INFINITY })
    }

    /// Takes in the estimate of a look, on all units so far, and says what all looks together say. Errors: an estimate without
    /// standard error, or of another level than the looks before (TL337).
    pub fn look(&mut self, estimate: &Estimate) -> Result<Estimate, EvidenceError> {
        let (InferenceKind::Wald, Some(std_error)) = (estimate.inference, estimate.std_error) else {
            let message =
                format!("`{}` rests on {}, not on a standard error", estimate.method, estimate.inference.words());
            return Err(unusable("TL337", message, "take a look with a Wald estimate"));
        };
        let level = *self.level.get_or_insert(estimate.level);
        if level != estimate.level {
            let message = format!("a look at level {} after looks at {}", estimate.level.get(), level.get());
            return Err(unusable("TL337", message, "read all looks at one level"));
        }
        let (p, half) = one_look(estimate.value, std_error.powi(2), self.mixture_variance, level.alpha());
        self.p_value = self.p_value.min(p);
        self.low = self.low.max(estimate.value - half);
        self.high = self.high.min(estimate.value + half);
        let parts = if self.low <= self.high { vec![(self.low, self.high)] } else { Vec::new() };
        Ok(estimate.at_look(ConfidenceSet(parts), self.p_value, format!("{}_msprt", estimate.method))?)
    }
}

/// 1 / Λ, at most 1, and half the width of the interval.
fn one_look(d: f64, v: f64, tau: f64, alpha: f64) -> (f64, f64) {
    if v == 0.0 {
        return (f64::from(u8::from(d == 0.0)), 0.0);
    }
    let log_odds = ((v + tau) / v).ln();
    let log_lambda = tau * d * d / (2.0 * v * (v + tau)) - log_odds / 2.0;
    ((-log_lambda).exp().min(1.0), (v * (v + tau) / tau * (log_odds - 2.0 * alpha.ln())).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::stream::Stream;

    fn wald(value: f64, se: f64, level: Level) -> Estimate {
        Estimate::wald(value, se, None, 1000, level, "welch").expect("finite")
    }

    #[test]
    fn lambda_is_the_textbooks() {
        // Λ = √(2σ² / (2σ² + nτ²)) exp(n²τ²d² / (4σ²(2σ² + nτ²))) for n units an arm of variance σ².
        let (n, sigma2, tau, d) = (250.0_f64, 3.0_f64, 0.04_f64, 0.4_f64);
        let below = 2.0 * sigma2 + n * tau;
        let lambda = (2.0 * sigma2 / below).sqrt() * (n * n * tau * d * d / (4.0 * sigma2 * below)).exp();
        let (p, _) = one_look(d, 2.0 * sigma2 / n, tau, 0.05);
        assert!((p - 1.0 / lambda).abs() < 1e-12, "{p} {lambda}");
    }

    #[test]
    fn set_and_p_agree_and_never_grow() {
        let mut empty = 0;
        for seed in 0..300 {
            let (stream, mut sum) = (Stream::new(seed, 1), 0.0);
            for level in [Level::HALF, Level::P95] {
                let mut test = Msprt::new(0.05).expect("above 0");
                let mut before: Option<Estimate> = None;
                for look in 1..30_u64 {
                    sum += stream.normal_at(look) + if seed % 2 == 0 { 0.7 } else { 0.0 };
                    let n = look as f64;
                    let e = test.look(&wald(sum / n, 1.0 / n.sqrt(), level)).expect("a look");
                    assert_eq!(!e.set.contains(0.0), e.p_value < level.alpha(), "{e:?}");
                    empty += usize::from(e.set.0.is_empty());
                    if let Some(b) = before {
                        assert!(e.p_value <= b.p_value);
                        assert!(e.set.0.first().is_none_or(|(lo, hi)| *lo >= b.set.0[0].0 && *hi <= b.set.0[0].1));
                    }
                    before = Some(e).filter(|e| !e.set.0.is_empty());
                }
                sum = 0.0;
            }
        }
        assert!(empty < 300 * 29, "{empty}");
    }

    #[test]
    fn impossible_settings_are_refused() {
        assert!(Msprt::new(0.0).is_err() && Msprt::new(f64::NAN).is_err());
        let mut test = Msprt::new(1.0).expect("above 0");
        test.look(&wald(1.0, 1.0, Level::P95)).expect("a look");
        assert!(test.look(&wald(1.0, 1.0, Level::P90)).is_err());
    }
}

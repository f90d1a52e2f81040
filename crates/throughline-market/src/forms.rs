//! How a touch lasts and how touches wear off: forms of carry-over and saturation.
//!
//! Several forms are ones that estimators assume; `mixture`, `window`, `wearout` and `steps` are deliberately ones that
//! no estimator of ours assumes, so that a score against such a market does not flatter.

use std::f64::consts::LN_2;

use serde::{Deserialize, Serialize};

use crate::check::Faults;

/// The longest memory of a kernel, in days.
const LONGEST: u32 = 180;

/// What is left of a touch after some days. All forms start from weight 1 on the day of the touch, except `delayed` and
/// `weibull`, which reach 1 at their peak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Carryover {
    /// `2^(−l / half_life)` after `l` days. Source: Broadbent (1979), the common adstock.
    Geometric {
        /// Days in which it halves.
        half_life_days: f64,
    },
    /// `retention^((l − peak)²)`. Source: Jin, Wang, Sun, Chan, Koehler (2017), equation 3.
    Delayed {
        /// Share left one day from the peak.
        retention: f64,
        /// Day of the peak.
        peak_days: f64,
    },
    /// The Weibull density over days, scaled to a peak of 1. Source: Robyn's `weibull_pdf`.
    Weibull {
        /// Shape; above 1 the peak lies after the touch.
        shape: f64,
        /// Scale in days.
        scale_days: f64,
    },
    /// A fast and a slow memory: `(1 − slow_share) 2^(−l / fast) + slow_share 2^(−l / slow)`.
    Mixture {
        /// Days in which the fast part halves.
        fast_half_life_days: f64,
        /// Days in which the slow part halves.
        slow_half_life_days: f64,
        /// Share of the slow part.
        slow_share: f64,
    },
    /// All of it for some days, then nothing.
    Window {
        /// How many days.
        days: u32,
    },
}

/// What a stock of touches does, from 0; at full effect 1 (`root` grows on).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Saturation {
    /// `1 − exp(−A / scale)`.
    Exponential {
        /// Stock at which 63 % is reached.
        scale: f64,
    },
    /// `A^slope / (A^slope + half^slope)`. Source: Hill (1910).
    Hill {
        /// Stock at which half is reached.
        half: f64,
        /// Steepness; above 1 the curve is an S.
        slope: f64,
    },
    /// `(1 − e^(−A / scale)) / (1 + e^(−A / scale))`. Source: the logistic saturation of PyMC-Marketing.
    Logistic {
        /// Stock that sets the scale.
        scale: f64,
    },
    /// `√(A / scale)`.
    Root {
        /// Stock at which 1 is reached.
        scale: f64,
    },
    /// `(A / best) · exp(1 − A / best)`: too much does harm.
    Wearout {
        /// Stock at which the effect is largest.
        best: f64,
    },
    /// The share of thresholds that are reached: nothing below the first.
    Steps {
        /// Thresholds, rising.
        at: Vec<f64>,
    },
}

/// A carry-over ready to be applied: sums of geometric memories run on, others are kernels.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Memory {
    Running(Vec<(f64, f64)>),
    Kernel(Vec<f64>),
}

impl Carryover {
    pub(crate) fn check(&self, faults: &mut Faults, path: &str) {
        let field = |name: &str| format!("{path}.{name}");
        let half_life = |faults: &mut Faults, name: &str, days: f64| faults.within(&field(name), days, 0.05..=365.0);
        match self {
            Self::Geometric { half_life_days } => half_life(faults, "half_life_days", *half_life_days),
            Self::Delayed { retention, peak_days } => {
                faults.within(&field("retention"), *retention, 0.001..=0.999);
                faults.within(&field("peak_days"), *peak_days, 0.0..=60.0);
            }
            Self::Weibull { shape, scale_days } => {
                faults.within(&field("shape"), *shape, 0.1..=20.0);
                faults.within(&field("scale_days"), *scale_days, 0.1..=120.0);
            }
            Self::Mixture { fast_half_life_days, slow_half_life_days, slow_share } => {
                half_life(faults, "fast_half_life_days", *fast_half_life_days);
                half_life(faults, "slow_half_life_days", *slow_half_life_days);
                faults.share(&field("slow_share"), *slow_share);
            }
            Self::Window { days } => faults.within(&field("days"), f64::from(*days), 1.0..=f64::from(LONGEST)),
        }
    }

    pub(crate) fn memory(&self) -> Memory {
        let carry = |days: f64| (-LN_2 / days).exp();
        match self {
            Self::Geometric { half_life_days } => Memory::Running(vec![(1.0, carry(*half_life_days))]),
            Self::Mixture { fast_half_life_days, slow_half_life_days, slow_share } => Memory::Running(vec![
                (1.0 - slow_share, carry(*fast_half_life_days)),
                (*slow_share, carry(*slow_half_life_days)),
            ]),
            Self::Delayed { retention, peak_days } => kernel(|lag| retention.powf((lag - peak_days).powi(2))),
            Self::Weibull { shape, scale_days } => {
                // A day counts at its middle, where the density is finite for every shape.
                let density = |lag: f64| {
                    let x = (lag + 0.5) / scale_days;
                    x.powf(shape - 1.0) * (-x.powf(*shape)).exp()
                };
                let peak = (0..LONGEST).map(|lag| density(f64::from(lag))).fold(f64::MIN_POSITIVE, f64::max);
                kernel(|lag| density(lag) / peak)
            }
            Self::Window { days } => Memory::Kernel(vec![1.0; *days as usize]),
        }
    }
}

/// Weights until they stay below a ten-thousandth.
fn kernel(weight: impl Fn(f64) -> f64) -> Memory {
    let mut weights: Vec<f64> = (0..LONGEST).map(|lag| weight(f64::from(lag))).collect();
    let kept = weights.iter().rposition(|w| *w >= 1e-4).map_or(1, |last| last + 1);
    weights.truncate(kept);
    Memory::Kernel(weights)
}

impl Memory {
    /// Turns what arrives by day into the stock by day.
    pub(crate) fn apply(&self, arriving: &mut [f64]) {
        match self {
            Self::Running(parts) => {
                // One part is by far the most frequent, and two are all there are.
                let mut stocks = [0.0; 2];
                for day in arriving.iter_mut() {
                    let new = *day;
                    *day = 0.0;
                    for (stock, (share, carry)) in stocks.iter_mut().zip(parts) {
                        *stock = carry * *stock + new;
                        *day += share * *stock;
                    }
                }
            }
            Self::Kernel(weights) => {
                for day in (0..arriving.len()).rev() {
                    let lags = weights.iter().zip(arriving[..=day].iter().rev());
                    arriving[day] = lags.map(|(w, a)| w * a).sum();
                }
            }
        }
    }
}

impl Saturation {
    pub(crate) fn check(&self, faults: &mut Faults, path: &str) {
        let field = |name: &str| format!("{path}.{name}");
        let stock = |faults: &mut Faults, name: &str, value: f64| faults.within(&field(name), value, 0.01..=1e6);
        match self {
            Self::Exponential { scale } | Self::Logistic { scale } | Self::Root { scale } => {
                stock(faults, "scale", *scale);
            }
            Self::Hill { half, slope } => {
                stock(faults, "half", *half);
                faults.within(&field("slope"), *slope, 0.1..=10.0);
            }
            Self::Wearout { best } => stock(faults, "best", *best),
            Self::Steps { at } => {
                at.iter().enumerate().for_each(|(i, a)| stock(faults, &format!("at[{i}]"), *a));
                if at.is_empty() || at.windows(2).any(|pair| pair[0] >= pair[1]) {
                    faults.push("TL954", format!("{path}.at must be one or more rising thresholds"));
                }
            }
        }
    }

    /// The effect of a stock.
    #[inline]
    pub(crate) fn of(&self, stock: f64) -> f64 {
        match self {
            Self::Exponential { scale } => 1.0 - (-stock / scale).exp(),
            Self::Hill { half, slope } => {
                let x = (stock / half).powf(*slope);
                if x.is_finite() { x / (x + 1.0) } else { 1.0 }
            }
            Self::Logistic { scale } => (0.5 * stock / scale).tanh(),
            Self::Root { scale } => (stock / scale).sqrt(),
            Self::Wearout { best } => stock / best * (1.0 - stock / best).exp(),
            Self::Steps { at } => at.iter().filter(|a| stock >= **a).count() as f64 / at.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn stock(form: &Carryover, expect: &[f64]) {
        let mut days = vec![0.0; expect.len()];
        days[0] = 1.0;
        form.memory().apply(&mut days);
        for (day, (got, want)) in days.iter().zip(expect).enumerate() {
            assert!((got - want).abs() < 1e-12, "{form:?} on day {day}: {got} instead of {want}");
        }
    }

    #[test]
    fn a_touch_is_carried_over_as_each_form_says() {
        stock(&Carryover::Geometric { half_life_days: 1.0 }, &[1.0, 0.5, 0.25, 0.125]);
        stock(&Carryover::Delayed { retention: 0.5, peak_days: 1.0 }, &[0.5, 1.0, 0.5, 0.0625]);
        let mixture = Carryover::Mixture { fast_half_life_days: 1.0, slow_half_life_days: 2.0, slow_share: 0.5 };
        stock(&mixture, &[1.0, 0.25 + 0.5 * 0.5_f64.sqrt(), 0.125 + 0.25, 0.0625 + 0.25 * 0.5_f64.sqrt()]);
        stock(&Carryover::Window { days: 2 }, &[1.0, 1.0, 0.0, 0.0]);
        // Rayleigh: density ∝ x e^(−x²), largest at x = 1/√2, here the middle of day 0 for a scale of √2 / 2 days.
        let rayleigh = Carryover::Weibull { shape: 2.0, scale_days: 0.5 * 2.0_f64.sqrt() };
        let x = |lag: f64| (lag + 0.5) / (0.5 * 2.0_f64.sqrt());
        let density = |lag: f64| x(lag) * (-x(lag).powi(2)).exp() / (x(0.0) * (-x(0.0).powi(2)).exp());
        stock(&rayleigh, &[1.0, density(1.0), if density(2.0) < 1e-4 { 0.0 } else { density(2.0) }]);
    }

    #[test]
    fn touches_add_up_before_they_saturate() {
        let mut days = [1.0, 0.0, 2.0];
        Carryover::Delayed { retention: 0.5, peak_days: 1.0 }.memory().apply(&mut days);
        assert_eq!(days, [0.5, 1.0, 0.5 + 1.0]);
    }

    #[test]
    fn stocks_saturate_as_each_form_says() {
        let check = |form: &Saturation, stock: f64, expect: f64| {
            assert!((form.of(stock) - expect).abs() < 1e-12, "{form:?}({stock}) = {}", form.of(stock));
        };
        check(&Saturation::Exponential { scale: 2.0 }, 2.0, 1.0 - (-1.0_f64).exp());
        check(&Saturation::Hill { half: 3.0, slope: 2.0 }, 3.0, 0.5);
        check(&Saturation::Hill { half: 1e-2, slope: 10.0 }, 1e300, 1.0);
        check(&Saturation::Logistic { scale: 1.0 }, 1.0, (1.0 - (-1.0_f64).exp()) / (1.0 + (-1.0_f64).exp()));
        check(&Saturation::Root { scale: 4.0 }, 1.0, 0.5);
        check(&Saturation::Wearout { best: 2.0 }, 2.0, 1.0);
        assert!(Saturation::Wearout { best: 2.0 }.of(8.0) < 0.5);
        let steps = Saturation::Steps { at: vec![1.0, 3.0] };
        check(&steps, 0.9, 0.0);
        check(&steps, 1.0, 0.5);
        check(&steps, 9.0, 1.0);
        for form in [Saturation::Exponential { scale: 1.0 }, Saturation::Wearout { best: 1.0 }, steps] {
            check(&form, 0.0, 0.0);
        }
    }
}

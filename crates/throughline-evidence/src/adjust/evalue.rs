//! E-values: how strongly a hidden confounder must go with both treatment and outcome, as a risk ratio.

use serde::{Deserialize, Serialize};

/// Source: VanderWeele, Ding (2017), Annals of Internal Medicine 167.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EValue {
    /// The risk ratio it is of (approximate for a difference).
    pub risk_ratio: f64,
    /// To explain the estimate away.
    pub point: f64,
    /// To move the nearer end of the interval to no effect; 1 where it holds no effect already.
    pub limit: f64,
}

/// RR + √(RR (RR − 1)), for a ratio below 1 of its inverse; `None` unless the ratio is finite and positive.
fn of(ratio: f64) -> Option<f64> {
    let ratio = if ratio < 1.0 { 1.0 / ratio } else { ratio };
    (ratio.is_finite() && ratio >= 1.0).then(|| ratio + (ratio * (ratio - 1.0)).sqrt())
}

/// Of a risk ratio with its interval; `None` unless all are positive and finite.
pub fn e_value_of_ratio(ratio: f64, interval: (f64, f64)) -> Option<EValue> {
    let near = if ratio >= 1.0 { interval.0.max(1.0) } else { interval.1.min(1.0) };
    if !(ratio > 0.0 && near > 0.0) {
        return None;
    }
    Some(EValue { risk_ratio: ratio, point: of(ratio)?, limit: of(near)? })
}

/// Of a difference of means divided by the outcome's standard deviation, d, with its standard error: RR ≈ exp(0.91 d), interval
/// exp(0.91 d ± 1.78 se) (95 %).
pub fn e_value_of_difference(d: f64, std_error: f64) -> Option<EValue> {
    let end = |sign: f64| (0.91 * d + sign * 1.78 * std_error).exp();
    e_value_of_ratio((0.91 * d).exp(), (end(-1.0), end(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples() {
        // VanderWeele and Ding's example: RR 3.9 (1.8, 8.7) has E-values 7.26 and 3.0; RR 0.8 (0.71, 0.91) has 1.81 and 1.43.
        let e = e_value_of_ratio(3.9, (1.8, 8.7)).expect("defined");
        assert!((e.point - 7.26).abs() < 0.005 && (e.limit - 3.0).abs() < 0.005, "{e:?}");
        let e = e_value_of_ratio(0.8, (0.71, 0.91)).expect("defined");
        assert!((e.point - 1.81).abs() < 0.005 && (e.limit - 1.43).abs() < 0.005, "{e:?}");
        assert_eq!(e_value_of_ratio(1.2, (0.9, 1.5)).expect("defined").limit, 1.0);
        assert_eq!(e_value_of_ratio(-1.0, (0.9, 1.5)), None);
        assert_eq!(e_value_of_difference(1e6, 1.0), None);
    }
}

//! How much of the error rate may be used up by when.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use throughline_core::diagnostic::closest;
use throughline_stats::dist;

use super::unusable;
use crate::EvidenceError;

/// A spending function: the share of the error rate α that may be spent once a fraction t of the information is in, 0 at
/// t = 0 and α at t = 1. Source: Lan, DeMets (1983), Biometrika 70(3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Spending {
    /// α t^ρ (Kim, DeMets 1987); ρ = 1 spends evenly, ρ = 3 resembles O'Brien–Fleming.
    Power {
        /// ρ > 0.
        rho: f64,
    },
    /// 2 − 2 Φ(z₁₋α⁄₂ / √t): hardly anything early, like O'Brien and Fleming's boundaries.
    ObrienFleming,
    /// α ln(1 + (e − 1) t): nearly equal boundaries, like Pocock's.
    Pocock,
    /// α (1 − e^(−γ t)) / (1 − e^(−γ)), α t for γ = 0 (Hwang, Shih, DeCani 1990); γ = −4 resembles O'Brien–Fleming, γ = 1 Pocock.
    HwangShihDecani {
        /// γ from −40 to 40.
        gamma: f64,
    },
}

/// The names a text may hold.
const NAMES: [&str; 4] = ["power", "obrien-fleming", "pocock", "hwang-shih-decani"];

impl Spending {
    /// What may be spent of `alpha` at information fraction `t`; `alpha` from t = 1 on.
    pub fn spent(self, alpha: f64, t: f64) -> f64 {
        if t >= 1.0 {
            return alpha;
        }
        if t <= 0.0 {
            return 0.0;
        }
        let share = match self {
            Self::Power { rho } => alpha * t.powf(rho),
            Self::ObrienFleming => 2.0 * dist::normal_sf(-dist::normal_quantile(alpha / 2.0) / t.sqrt()),
            Self::Pocock => alpha * (1.0 + (std::f64::consts::E - 1.0) * t).ln(),
            Self::HwangShihDecani { gamma: 0.0 } => alpha * t,
            Self::HwangShihDecani { gamma } => alpha * (-gamma * t).exp_m1() / (-gamma).exp_m1(),
        };
        share.clamp(0.0, alpha)
    }

    /// Errors: a parameter outside its range (TL335).
    pub fn validate(self) -> Result<(), EvidenceError> {
        let bad = |what: &str, value: f64, bounds: &str| {
            Err(unusable("TL335", format!("{what} of {value} is outside {bounds}"), "give a parameter in that range"))
        };
        match self {
            Self::Power { rho } if !(rho > 0.0 && rho <= 20.0) => {
                bad("the power ρ of the spending", rho, "0 to 20, 0 excluded")
            }
            Self::HwangShihDecani { gamma } if !(-40.0..=40.0).contains(&gamma) => {
                bad("the γ of the spending", gamma, "−40 to 40")
            }
            _ => Ok(()),
        }
    }
}

impl FromStr for Spending {
    type Err = EvidenceError;

    /// `obrien-fleming`, `pocock`, `power` or `power:RHO` (2 without), `hwang-shih-decani:GAMMA` (−4 without).
    fn from_str(text: &str) -> Result<Self, EvidenceError> {
        let (name, parameter) = text.split_once(':').map_or((text, None), |(n, p)| (n, Some(p)));
        let number = |default: f64| match parameter.map(str::parse::<f64>) {
            None => Ok(default),
            Some(Ok(value)) => Ok(value),
            Some(Err(_)) => {
                Err(unusable("TL335", format!("`{text}` has no number after the colon"), "write for example power:2"))
            }
        };
        let spending = match name {
            "power" => Self::Power { rho: number(2.0)? },
            "obrien-fleming" => Self::ObrienFleming,
            "pocock" => Self::Pocock,
            "hwang-shih-decani" => Self::HwangShihDecani { gamma: number(-4.0)? },
            _ => {
                let close = closest(name, NAMES.iter().copied()).map(|c| format!("did you mean `{c}`?"));
                let help = close.unwrap_or_else(|| format!("known are {}", NAMES.join(", ")));
                return Err(unusable("TL335", format!("no spending function `{name}`"), &help));
            }
        };
        spending.validate()?;
        Ok(spending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spending_rises_from_nothing_to_all() {
        for text in [
            "power:0.5",
            "power",
            "obrien-fleming",
            "pocock",
            "hwang-shih-decani",
            "hwang-shih-decani:0",
            "hwang-shih-decani:3",
        ] {
            let spending: Spending = text.parse().expect("known");
            let spent: Vec<f64> = (0..=50).map(|i| spending.spent(0.05, f64::from(i) / 50.0)).collect();
            assert_eq!((spent[0], spent[50]), (0.0, 0.05), "{text}");
            assert!(spent.windows(2).all(|pair| pair[0] <= pair[1]), "{text}: {spent:?}");
            let near = spending.spent(0.05, 1.0 - 1e-9);
            assert!((near - 0.05).abs() < 1e-8, "{text}: {near}");
        }
    }

    #[test]
    fn unknown_names_and_parameters_say_what_to_do() {
        for (text, help) in
            [("pocok", "pocock"), ("power:x", "power:2"), ("power:-1", "range"), ("hwang-shih-decani:99", "range")]
        {
            let shown = format!("{:?}", text.parse::<Spending>().expect_err("unusable").diagnostic("TL065"));
            assert!(shown.contains(help) && shown.contains("TL335"), "{shown}");
        }
    }
}

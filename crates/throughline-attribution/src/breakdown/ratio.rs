//! Ratios of a breakdown: cost per conversion, return on spend, shares.

use serde::Serialize;
use throughline_core::Estimate;

use super::Breakdown;
use crate::{AttributionError, Quantity};

/// A ratio, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ratio {
    /// A number with its interval.
    Number(Estimate),
    /// No number.
    Undefined {
        /// Why, in words.
        because: String,
    },
}

impl Ratio {
    /// The number, where there is one.
    pub const fn number(&self) -> Option<&Estimate> {
        match self {
            Self::Number(estimate) => Some(estimate),
            Self::Undefined { .. } => None,
        }
    }
}

impl Breakdown {
    /// Cost per conversion (CPA): spend / conversions. Spend is known, not drawn; in the currency of the caller.
    ///
    /// Draws in which the cell has no conversions cost more than any number. Where they are few enough to lie outside an
    /// interval of the level, they do, and there is no standard error; where they are more, there is no number.
    pub fn cost_per_conversion(&self, cell: usize, spend: f64) -> Result<Ratio, AttributionError> {
        let (conversions, draws) = self.of(cell, Quantity::Conversions)?;
        if let Some(none) = no_spend(spend) {
            return Ok(none);
        }
        let tops = vec![spend; draws.len()];
        self.ratio((spend, &tops), (conversions, draws), "conversions are")
    }

    /// Return on spend (ROAS): value / spend.
    pub fn return_on_spend(&self, cell: usize, spend: f64) -> Result<Ratio, AttributionError> {
        let (value, draws) = self.of(cell, Quantity::Value)?;
        if let Some(none) = no_spend(spend) {
            return Ok(none);
        }
        let bottoms = vec![spend; draws.len()];
        self.ratio((value, draws), (spend, &bottoms), "spend is")
    }

    /// The cell's share of the credit of all cells, draw by draw.
    pub fn share(&self, cell: usize, what: Quantity) -> Result<Ratio, AttributionError> {
        let (value, draws) = self.of(cell, what)?;
        let (total, totals) = self.sums.all(what);
        let name = match what {
            Quantity::Conversions => "conversions of all cells are",
            Quantity::Value => "value of all cells is",
        };
        self.ratio((value, draws), (total, &totals), name)
    }

    fn ratio(
        &self,
        (top, tops): (f64, &[f64]),
        (bottom, bottoms): (f64, &[f64]),
        below: &str,
    ) -> Result<Ratio, AttributionError> {
        if bottom == 0.0 {
            return Ok(undefined(format!("the {below} 0")));
        }
        let turned = bottoms.iter().filter(|b| **b * bottom < 0.0).count();
        if turned > 0 {
            let draws = bottoms.len();
            return Ok(undefined(format!("the {below} of another sign in {turned} of {draws} draws")));
        }
        let mut ratios: Vec<f64> = tops.iter().zip(bottoms).filter(|(_, b)| **b != 0.0).map(|(t, b)| t / b).collect();
        let without = bottoms.len() - ratios.len();
        if without == 0 {
            return finished(self.estimate(top / bottom, &ratios)?);
        }
        let draws = bottoms.len();
        // An end of the interval leaves out fewer draws than this.
        let beyond = (self.draws.level.alpha() * (draws as f64 + 1.0) / 2.0).ceil() - 1.0;
        let constant = tops.windows(2).all(|pair| pair[0] == pair[1]);
        if !constant || without as f64 >= beyond {
            return Ok(undefined(format!("the {below} 0 in {without} of {draws} draws")));
        }
        // Draws beyond every number stand at the end beyond the set; the farthest number holds their place.
        let farthest = ratios.iter().copied().fold(top / bottom, |a, b| if b.abs() > a.abs() { b } else { a });
        ratios.resize(draws, farthest);
        let mut estimate = self.estimate(top / bottom, &ratios)?;
        estimate.std_error = None;
        finished(estimate)
    }
}

fn no_spend(spend: f64) -> Option<Ratio> {
    if !spend.is_finite() || spend < 0.0 {
        return Some(undefined("the spend is not a number of at least 0".to_owned()));
    }
    (spend == 0.0).then(|| undefined("nothing was spent".to_owned()))
}

fn undefined(because: String) -> Ratio {
    Ratio::Undefined { because }
}

#[expect(clippy::unnecessary_wraps, reason = "it ends functions that fail")]
fn finished(estimate: Estimate) -> Result<Ratio, AttributionError> {
    Ok(Ratio::Number(estimate))
}

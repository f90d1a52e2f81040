//! Standardised columns of the rows to learn from, shared by the linear learners.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{FeatureMatrix, LearnError, LearnerInput};

/// Columns (x − mean) / scale over the rows of an input, missing values at the mean; scale is the root mean square around
/// the mean, and 0 columns stand where nothing varies.
pub(crate) struct Design {
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) means: Vec<f64>,
    pub(crate) scales: Vec<f64>,
    /// Weights of the rows, where given.
    pub(crate) weights: Option<Vec<f64>>,
    /// Σ weights.
    pub(crate) total: f64,
}

impl Design {
    pub(crate) fn new(input: &LearnerInput<'_>) -> Result<Self, LearnError> {
        if input.rows.is_empty() {
            return Err(LearnError::Empty { what: "rows for a learner" });
        }
        let weights: Option<Vec<f64>> = input.weights.map(|w| input.rows.iter().map(|&r| w[r]).collect());
        let total = weights.as_ref().map_or(input.rows.len() as f64, |w| w.iter().sum());
        if total.is_nan() || total <= 0.0 {
            return Err(LearnError::Empty { what: "rows of positive weight for a learner" });
        }
        let width = input.features.names().len();
        let mut design = Self { columns: Vec::new(), means: Vec::new(), scales: Vec::new(), weights, total };
        for index in 0..width {
            let mut column = input.features.doubles(index, input.rows);
            let (mean, scale) = design.standardise(&mut column);
            design.columns.push(column);
            design.means.push(mean);
            design.scales.push(scale);
        }
        Ok(design)
    }

    /// Σ w x over the values present, and Σ w of them.
    fn sums(&self, column: &[f64], f: impl Fn(f64) -> f64) -> (f64, f64) {
        let weight = |i: usize| self.weights.as_ref().map_or(1.0, |w| w[i]);
        let present = column.iter().enumerate().filter(|(_, x)| !x.is_nan());
        present.fold((0.0, 0.0), |(sum, total), (i, x)| (sum + weight(i) * f(*x), total + weight(i)))
    }

    fn standardise(&self, column: &mut [f64]) -> (f64, f64) {
        let (sum, present) = self.sums(column, |x| x);
        let mean = if present > 0.0 { sum / present } else { 0.0 };
        let (squares, _) = self.sums(column, |x| (x - mean).powi(2));
        let scale = (squares / self.total).sqrt();
        let largest = column.iter().filter(|x| !x.is_nan()).fold(0.0_f64, |m, x| m.max(x.abs()));
        // A column without variation beyond rounding is constant.
        let scale = if scale > largest * 1e-13 { scale } else { 0.0 };
        for x in column.iter_mut() {
            *x = if x.is_nan() || scale == 0.0 { 0.0 } else { (*x - mean) / scale };
        }
        (mean, scale)
    }

    /// The weighted mean of values of the rows.
    pub(crate) fn mean(&self, values: &[f64]) -> f64 {
        match &self.weights {
            None => values.iter().sum::<f64>() / self.total,
            Some(w) => values.iter().zip(w).map(|(v, w)| v * w).sum::<f64>() / self.total,
        }
    }
}

/// base + Σ slopeⱼ (xⱼ − meanⱼ), a missing x counting as its mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Score {
    pub(crate) base: f64,
    pub(crate) means: Vec<f64>,
    pub(crate) slopes: Vec<f64>,
}

/// Numbers as the hexadecimal of their bits: decimal text does not promise the same bits.
#[derive(Serialize, Deserialize)]
struct Saved {
    bits: String,
}

impl Score {
    pub(crate) fn of_rows(&self, features: &FeatureMatrix, rows: &[usize]) -> Vec<f64> {
        let mut out = vec![self.base; rows.len()];
        for (index, (slope, mean)) in self.slopes.iter().zip(&self.means).enumerate().filter(|(_, (s, _))| **s != 0.0) {
            let column = features.doubles(index, rows);
            out.iter_mut().zip(&column).filter(|(_, x)| !x.is_nan()).for_each(|(o, x)| *o += slope * (x - mean));
        }
        out
    }

    pub(crate) fn state(&self) -> Result<Value, LearnError> {
        let numbers = [self.base].into_iter().chain(self.means.iter().copied()).chain(self.slopes.iter().copied());
        let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
        serde_json::to_value(Saved { bits: hex::encode(bytes) }).map_err(|e| damaged(e.to_string()))
    }

    pub(crate) fn load(state: &Value) -> Result<Self, LearnError> {
        let saved: Saved = serde_json::from_value(state.clone()).map_err(|e| damaged(e.to_string()))?;
        let bytes = hex::decode(&saved.bits).map_err(|e| damaged(e.to_string()))?;
        let (chunks, rest) = bytes.as_chunks::<8>();
        let numbers: Vec<f64> = chunks.iter().map(|c| f64::from_le_bytes(*c)).collect();
        if !rest.is_empty() || numbers.len().is_multiple_of(2) || numbers.iter().any(|x| !x.is_finite()) {
            return Err(damaged("its numbers are not those of a linear learner".to_owned()));
        }
        let width = numbers.len() / 2;
        Ok(Self { base: numbers[0], means: numbers[1..=width].to_vec(), slopes: numbers[width + 1..].to_vec() })
    }
}

fn damaged(message: String) -> LearnError {
    LearnError::State { message }
}

/// Parameters from JSON, `null` for the defaults.
pub(crate) fn parameters<P: Default + serde::de::DeserializeOwned>(
    name: &'static str,
    params: &Value,
) -> Result<P, LearnError> {
    match params {
        Value::Null => Ok(P::default()),
        given => serde_json::from_value(given.clone()).map_err(|e| LearnError::Params { name, message: e.to_string() }),
    }
}

/// A penalty that is a finite number of at least 0.
pub(crate) fn check_ridge(name: &'static str, ridge: f64) -> Result<(), LearnError> {
    if (0.0..=1e100).contains(&ridge) {
        return Ok(());
    }
    Err(LearnError::Params { name, message: format!("ridge of {ridge} is outside 0 to 1e100") })
}

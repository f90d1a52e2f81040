//! Several estimates with their influence values.

use throughline_core::{Estimate, Level};
use throughline_stats::linalg::gram;
use throughline_stats::ols::sums_within;

use crate::EvidenceError;

/// Estimates θ̂ with influence values: θ̂ⱼ − θⱼ ≈ Σᵢ φᵢⱼ over independent units (or clusters) i. Note that φ carries the
/// 1/n: the covariance of θ̂ is Σᵢ φᵢ φᵢᵀ times `factor`, a finite-sample correction such as n / (n − k).
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    names: Vec<String>,
    values: Vec<f64>,
    /// One column per estimate, one row per independent unit; empty where only the covariance is known.
    influence: Vec<Vec<f64>>,
    covariance: Vec<f64>,
    factor: f64,
    df: Option<f64>,
    n: u64,
    method: String,
}

impl Joint {
    /// From influence values: one name, value and column of equal length per estimate; `n` is the units behind them.
    /// Errors: lengths that differ, values that are not finite.
    pub fn from_influence(
        names: Vec<String>,
        values: Vec<f64>,
        influence: Vec<Vec<f64>>,
        n: u64,
        method: impl Into<String>,
    ) -> Result<Self, EvidenceError> {
        let rows = influence.first().map_or(0, Vec::len);
        if influence.len() != values.len() || influence.iter().any(|c| c.len() != rows) {
            return Err(EvidenceError::Shape { what: "influence values" });
        }
        let columns: Vec<&[f64]> = influence.iter().map(Vec::as_slice).collect();
        let covariance = gram(&columns);
        Self { names, values, influence, covariance, factor: 1.0, df: None, n, method: method.into() }.checked()
    }

    /// From a covariance, row-major, where influence values would not fit in memory or do not exist.
    pub fn from_covariance(
        names: Vec<String>,
        values: Vec<f64>,
        covariance: Vec<f64>,
        n: u64,
        method: impl Into<String>,
    ) -> Result<Self, EvidenceError> {
        if covariance.len() != values.len() * values.len() {
            return Err(EvidenceError::Shape { what: "covariance" });
        }
        Self { names, values, influence: Vec::new(), covariance, factor: 1.0, df: None, n, method: method.into() }
            .checked()
    }

    fn checked(self) -> Result<Self, EvidenceError> {
        if self.names.len() != self.values.len() {
            return Err(EvidenceError::Shape { what: "names" });
        }
        if !self.values.iter().chain(&self.covariance).all(|x| x.is_finite()) {
            return Err(EvidenceError::NotFinite { what: self.method });
        }
        Ok(self)
    }

    /// Student's t with so many degrees of freedom instead of the normal distribution.
    #[must_use]
    pub const fn with_df(mut self, df: f64) -> Self {
        self.df = Some(df);
        self
    }

    /// Multiplies the covariance, for example by n / (n − k).
    #[must_use]
    pub fn with_factor(mut self, factor: f64) -> Self {
        self.factor *= factor;
        self
    }

    /// The same estimates with units that belong together: influence values are summed within clusters (codes from 0),
    /// the covariance is corrected by G / (G − 1) and t has G − 1 degrees of freedom. Errors: no influence values, a code
    /// count that is not the units', fewer than two clusters.
    pub fn clustered(self, codes: &[u32]) -> Result<Self, EvidenceError> {
        let rows = self.influence.first().map_or(0, Vec::len);
        if codes.len() != rows || rows == 0 {
            return Err(EvidenceError::Shape { what: "clusters" });
        }
        let groups = codes.iter().max().map_or(0, |m| *m as usize + 1);
        if groups < 2 {
            return Err(EvidenceError::TooFew { what: "clusters", got: groups, needed: 2 });
        }
        let influence: Vec<Vec<f64>> = self.influence.iter().map(|c| sums_within(c, codes, groups)).collect();
        let g = groups as f64;
        let joint = Self::from_influence(self.names, self.values, influence, self.n, self.method)?;
        Ok(joint.with_factor(g / (g - 1.0)).with_df(g - 1.0))
    }

    /// Linear combinations: one name and one weight per estimate for each. Estimated weights must bring their own
    /// influence values, see [`Joint::with_influence_of_weights`].
    pub fn combine(&self, combinations: &[(String, Vec<f64>)]) -> Result<Self, EvidenceError> {
        let k = self.values.len();
        if combinations.iter().any(|(_, w)| w.len() != k) {
            return Err(EvidenceError::Shape { what: "weights of a combination" });
        }
        let names = combinations.iter().map(|(name, _)| name.clone()).collect();
        let sum = |w: &[f64], v: &[f64]| w.iter().zip(v).map(|(w, v)| w * v).sum::<f64>();
        let values: Vec<f64> = combinations.iter().map(|(_, w)| sum(w, &self.values)).collect();
        let joint = if self.influence.is_empty() {
            let half: Vec<Vec<f64>> = combinations
                .iter()
                .map(|(_, w)| (0..k).map(|i| sum(w, &self.covariance[i * k..(i + 1) * k])).collect())
                .collect();
            let covariance = half.iter().flat_map(|h| combinations.iter().map(move |(_, w)| sum(w, h))).collect();
            Self::from_covariance(names, values, covariance, self.n, self.method.clone())?
        } else {
            let rows = self.influence[0].len();
            let column = |w: &Vec<f64>| {
                let mut out = vec![0.0; rows];
                for (w, c) in w.iter().zip(&self.influence).filter(|(w, _)| **w != 0.0) {
                    out.iter_mut().zip(c).for_each(|(o, v)| *o += w * v);
                }
                out
            };
            let influence = combinations.iter().map(|(_, w)| column(w)).collect();
            Self::from_influence(names, values, influence, self.n, self.method.clone())?
        };
        Ok(Self { factor: self.factor, df: self.df, ..joint })
    }

    /// Adds to the influence values of estimate `j` what the estimation of its weights contributes.
    pub fn with_influence_of_weights(mut self, j: usize, extra: &[f64]) -> Result<Self, EvidenceError> {
        match self.influence.get_mut(j).filter(|c| c.len() == extra.len()) {
            Some(column) => column.iter_mut().zip(extra).for_each(|(c, e)| *c += e),
            None => return Err(EvidenceError::Shape { what: "influence values of weights" }),
        }
        let (factor, df) = (self.factor, self.df);
        let joint = Self::from_influence(self.names, self.values, self.influence, self.n, self.method)?;
        Ok(Self { factor, df, ..joint })
    }

    /// How many estimates.
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The names.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The point estimates.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Influence values of estimate `j`; empty where only the covariance is known.
    pub fn influence(&self, j: usize) -> &[f64] {
        self.influence.get(j).map_or(&[], Vec::as_slice)
    }

    /// The covariance of estimates `i` and `j`.
    pub fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance[i * self.values.len() + j] * self.factor
    }

    /// The standard error of estimate `j`.
    pub fn std_error(&self, j: usize) -> f64 {
        self.covariance(j, j).max(0.0).sqrt()
    }

    /// Degrees of freedom of t; the normal distribution without.
    pub const fn df(&self) -> Option<f64> {
        self.df
    }

    /// Units behind the estimates.
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// Estimate `j` as a Wald estimate.
    pub fn estimate(&self, j: usize, level: Level) -> Result<Estimate, EvidenceError> {
        Ok(Estimate::wald(self.values[j], self.std_error(j), self.df, self.n, level, self.method.as_str())?)
    }
}

//! Treated against untreated units over two periods, with covariates.
//!
//! With ΔY the change of the outcome, D the group, X the covariates with a constant: the estimators of Sant'Anna and Zhao
//! (2020), Journal of Econometrics 219(1), and their influence functions (its appendix and Callaway, Sant'Anna 2021).

use throughline_stats::linalg::{Cholesky, gram};
use throughline_stats::logistic::{Finding, LogisticRegression, Rows, sigmoid};
use throughline_stats::ols::{OlsError, ols};

use super::options::Adjustment;

/// Estimated odds may not exceed this share of treated: beyond it single controls carry the comparison.
const MOST_PROPENSITY: f64 = 0.999;

/// One comparison.
#[derive(Debug)]
pub(super) struct Comparison {
    /// Change of each unit.
    pub(super) change: Vec<f64>,
    /// Whether the unit is treated.
    pub(super) treated: Vec<bool>,
    /// Covariates, one column each, without the constant.
    pub(super) covariates: Vec<Vec<f64>>,
}

/// Why a comparison has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Refused {
    /// Fewer than two units on a side, or fewer controls than coefficients.
    TooFew,
    /// Covariates that are constant or combinations of others, by position.
    Collinear(Vec<usize>),
    /// The covariates tell treated and untreated apart.
    NoOverlap,
    /// Numbers out of range.
    NotFinite,
}

/// An effect with influence values φ (they carry the 1/n): effect − truth ≈ Σ φ.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) value: f64,
    pub(super) influence: Vec<f64>,
}

impl Comparison {
    /// The effect on the treated.
    pub(super) fn effect(mut self, adjustment: Adjustment, last: &mut LastPropensity) -> Result<Effect, Refused> {
        let treated = self.treated.iter().filter(|d| **d).count();
        if treated < 2 || self.treated.len() - treated < 2 {
            return Err(Refused::TooFew);
        }
        let effect = if self.covariates.is_empty() {
            self.difference()
        } else {
            self.standardise()?;
            match adjustment {
                Adjustment::Regression => self.regression()?,
                Adjustment::Weighting => self.weighting(last)?,
                Adjustment::DoublyRobust => self.doubly_robust(last)?,
            }
        };
        let finite = effect.value.is_finite() && effect.influence.iter().all(|v| v.is_finite());
        if finite { Ok(effect) } else { Err(Refused::NotFinite) }
    }

    /// Mean change of the treated minus that of the others.
    fn difference(&self) -> Effect {
        let (mut sums, mut counts) = ([0.0; 2], [0.0_f64; 2]);
        for (c, d) in self.change.iter().zip(&self.treated) {
            sums[usize::from(*d)] += c;
            counts[usize::from(*d)] += 1.0;
        }
        let means = [sums[0] / counts[0], sums[1] / counts[1]];
        let phi = |(c, d): (&f64, &bool)| if *d { (c - means[1]) / counts[1] } else { (means[0] - c) / counts[0] };
        Effect { value: means[1] - means[0], influence: self.change.iter().zip(&self.treated).map(phi).collect() }
    }

    /// Centred covariates of unit variance: the effects do not change, the arithmetic gets better.
    fn standardise(&mut self) -> Result<(), Refused> {
        let n = self.change.len() as f64;
        let mut constant = Vec::new();
        for (j, column) in self.covariates.iter_mut().enumerate() {
            let mean = column.iter().sum::<f64>() / n;
            for x in column.iter_mut() {
                *x -= mean;
            }
            let sd = (column.iter().map(|x| x * x).sum::<f64>() / n).sqrt();
            // What rounding leaves of a constant column is no variation.
            if sd <= 1e-12 * mean.abs() || sd == 0.0 {
                constant.push(j);
            } else {
                for x in column.iter_mut() {
                    *x /= sd;
                }
            }
        }
        if constant.is_empty() { Ok(()) } else { Err(Refused::Collinear(constant)) }
    }

    fn with_constant(&self) -> Vec<Vec<f64>> {
        let mut x = vec![vec![1.0; self.change.len()]];
        x.extend(self.covariates.iter().cloned());
        x
    }

    fn mean_of_treated(&self, x: &[Vec<f64>]) -> Vec<f64> {
        let n = self.treated.iter().filter(|d| **d).count() as f64;
        let mean = |c: &Vec<f64>| c.iter().zip(&self.treated).filter(|(_, d)| **d).map(|(v, _)| v).sum::<f64>() / n;
        x.iter().map(mean).collect()
    }

    /// ATT = mean over the treated of ΔY − Xβ, β from the controls.
    fn regression(&self) -> Result<Effect, Refused> {
        let x = self.with_constant();
        let fit = self.outcome_model(&x)?;
        let moments = self.mean_of_treated(&x);
        let n = self.treated.iter().filter(|d| **d).count() as f64;
        let value = fit.residuals.iter().zip(&self.treated).filter(|(_, d)| **d).map(|(r, _)| r).sum::<f64>() / n;
        let through = fit.through(&moments, &x, &self.treated);
        let own = |(r, d): (&f64, &bool)| if *d { (r - value) / n } else { 0.0 };
        let influence = fit.residuals.iter().zip(&self.treated).map(own).zip(through).map(|(a, b)| a - b).collect();
        Ok(Effect { value, influence })
    }

    /// Hájek: the controls' mean change weighted by the odds p / (1 − p).
    fn weighting(&self, last: &mut LastPropensity) -> Result<Effect, Refused> {
        let x = self.with_constant();
        let model = last.of(self, &x)?;
        Ok(self.weighted(&self.change, &x, model).0)
    }

    /// Weighting of what the regression leaves unexplained.
    fn doubly_robust(&self, last: &mut LastPropensity) -> Result<Effect, Refused> {
        let x = self.with_constant();
        let fit = self.outcome_model(&x)?;
        let model = last.of(self, &x)?;
        let (mut effect, weighted_means) = self.weighted(&fit.residuals, &x, model);
        // The regression's own uncertainty enters through what the weights leave unbalanced.
        let gap: Vec<f64> = self.mean_of_treated(&x).iter().zip(&weighted_means).map(|(a, b)| a - b).collect();
        let through = fit.through(&gap, &x, &self.treated);
        effect.influence.iter_mut().zip(through).for_each(|(phi, t)| *phi -= t);
        Ok(effect)
    }

    /// Mean of the treated minus the weighted mean of the others, with the weighted means of the covariates.
    fn weighted(&self, y: &[f64], x: &[Vec<f64>], model: &Propensity) -> (Effect, Vec<f64>) {
        let (mut treated, mut sum, mut total, mut n) = (0.0, 0.0, 0.0, 0.0);
        for ((y, d), w) in y.iter().zip(&self.treated).zip(&model.odds) {
            if *d {
                treated += y;
                n += 1.0;
            } else {
                sum += w * y;
                total += w;
            }
        }
        let (one, zero) = (treated / n, sum / total);
        // Centred weighted residuals of the controls, 0 for the treated.
        let residual = |i: usize| if self.treated[i] { 0.0 } else { model.odds[i] * (y[i] - zero) / total };
        let residuals: Vec<f64> = (0..y.len()).map(residual).collect();
        let moments: Vec<f64> = x.iter().map(|c| c.iter().zip(&residuals).map(|(x, r)| x * r).sum()).collect();
        let solved = model.information.solve(&moments);
        let phi = |i: usize| {
            let own = if self.treated[i] { (y[i] - one) / n } else { 0.0 };
            let score: f64 = x.iter().zip(&solved).map(|(c, s)| c[i] * s).sum();
            own - residuals[i] - score * (f64::from(u8::from(self.treated[i])) - model.chance[i])
        };
        let influence = (0..y.len()).map(phi).collect();
        let weight = |i: usize| if self.treated[i] { 0.0 } else { model.odds[i] / total };
        let means = x.iter().map(|c| c.iter().enumerate().map(|(i, v)| v * weight(i)).sum()).collect();
        (Effect { value: one - zero, influence }, means)
    }

    /// Least squares of the change on the covariates among the controls.
    fn outcome_model(&self, x: &[Vec<f64>]) -> Result<OutcomeModel, Refused> {
        let of_controls = |column: &[f64]| -> Vec<f64> {
            column.iter().zip(&self.treated).filter(|(_, d)| !**d).map(|(v, _)| *v).collect()
        };
        let columns: Vec<Vec<f64>> = x.iter().map(|c| of_controls(c)).collect();
        let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let fit = ols(&refs, &of_controls(&self.change), None).map_err(|e| match e {
            OlsError::Collinear { columns } => {
                Refused::Collinear(columns.iter().map(|c| c.saturating_sub(1)).collect())
            }
            OlsError::TooFewRows { .. } => Refused::TooFew,
            _ => Refused::NotFinite,
        })?;
        let mut residuals = self.change.clone();
        for (b, column) in fit.coefficients.iter().zip(x) {
            residuals.iter_mut().zip(column).for_each(|(r, x)| *r -= b * x);
        }
        Ok(OutcomeModel { residuals, inverse: fit.inverse })
    }

    /// Logistic regression of the group on the covariates.
    fn propensity(&self, x: &[Vec<f64>]) -> Result<Propensity, Refused> {
        let (n, k) = (self.change.len(), self.covariates.len());
        let rows: Vec<f64> = (0..n).flat_map(|i| self.covariates.iter().map(move |c| c[i])).collect();
        let y: Vec<f64> = self.treated.iter().map(|d| f64::from(u8::from(*d))).collect();
        let fit = LogisticRegression::default()
            .fit(&Rows { x: &rows, columns: k, y: &y, weights: None })
            .map_err(|_| Refused::NotFinite)?;
        match fit.findings.first() {
            None => {}
            Some(Finding::Collinear { coefficients }) => {
                return Err(Refused::Collinear(coefficients.iter().map(|c| c.saturating_sub(1)).collect()));
            }
            Some(_) => return Err(Refused::NoOverlap),
        }
        let log_odds = |i: usize| x.iter().zip(&fit.coefficients).map(|(c, b)| c[i] * b).sum::<f64>();
        let propensity: Vec<f64> = (0..n).map(|i| sigmoid(log_odds(i))).collect();
        if propensity.iter().any(|p| *p >= MOST_PROPENSITY) {
            return Err(Refused::NoOverlap);
        }
        let roots: Vec<f64> = propensity.iter().map(|p| (p * (1.0 - p)).sqrt()).collect();
        let scaled: Vec<Vec<f64>> = x.iter().map(|c| c.iter().zip(&roots).map(|(x, r)| x * r).collect()).collect();
        let refs: Vec<&[f64]> = scaled.iter().map(Vec::as_slice).collect();
        let information = Cholesky::new(&gram(&refs), k + 1, 1e-12).ok_or(Refused::NoOverlap)?;
        let odds = propensity.iter().map(|p| p / (1.0 - p)).collect();
        Ok(Propensity { chance: propensity, odds, information })
    }
}

struct OutcomeModel {
    /// ΔY − Xβ of all units.
    residuals: Vec<f64>,
    /// (X'X)⁻¹ of the controls.
    inverse: Vec<f64>,
}

impl OutcomeModel {
    /// What the estimation of β contributes to mᵀβ: mᵀ (X'X)⁻¹ x e of each control.
    fn through(&self, moments: &[f64], x: &[Vec<f64>], treated: &[bool]) -> Vec<f64> {
        let k = x.len();
        let solved: Vec<f64> = (0..k).map(|a| (0..k).map(|b| self.inverse[a * k + b] * moments[b]).sum()).collect();
        let of = |i: usize| {
            if treated[i] { 0.0 } else { x.iter().zip(&solved).map(|(c, s)| c[i] * s).sum::<f64>() * self.residuals[i] }
        };
        (0..treated.len()).map(of).collect()
    }
}

struct Propensity {
    chance: Vec<f64>,
    odds: Vec<f64>,
    information: Cholesky,
}

/// The last model of the group. Periods of one group compare the same units, and covariates that do not change over time then
/// give the same model: it is fitted once.
#[derive(Default)]
pub(super) struct LastPropensity {
    treated: Vec<bool>,
    covariates: Vec<Vec<f64>>,
    model: Option<Propensity>,
}

impl LastPropensity {
    fn of(&mut self, comparison: &Comparison, x: &[Vec<f64>]) -> Result<&Propensity, Refused> {
        let same = self.treated == comparison.treated && self.covariates == comparison.covariates;
        let model = match self.model.take() {
            Some(model) if same => model,
            _ => comparison.propensity(x)?,
        };
        if !same {
            self.treated.clone_from(&comparison.treated);
            self.covariates.clone_from(&comparison.covariates);
        }
        Ok(self.model.insert(model))
    }
}

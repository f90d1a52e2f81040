//! The synthetic control of outcomes: fit, gaps and how good the fit is.

use super::frank_wolfe::frank_wolfe;
use super::ridge::{self, Ridge};
use super::simplex::{gram_of, nearest};
use super::study::mean;
use crate::EvidenceError;

/// How weights are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Solver {
    /// The optimum.
    #[default]
    Exact,
    /// The steps of the published implementation, see [`super::frank_wolfe`].
    FrankWolfe,
}

/// Which synthetic control.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ControlSpec {
    /// How weights are found.
    pub solver: Solver,
    /// Whether units are compared after their own mean before the treatment is taken off (unit fixed effects).
    pub intercept: bool,
    /// Ridge augmentation, if any.
    pub ridge: Option<Ridge>,
}

/// A fitted synthetic control.
#[derive(Debug, Clone, PartialEq)]
pub struct ControlFit {
    /// One weight per donor; they sum to 1, and only augmented ones may be negative.
    pub weights: Vec<f64>,
    /// The counterfactual over all periods.
    pub synthetic: Vec<f64>,
    /// Treated less counterfactual over all periods.
    pub gaps: Vec<f64>,
    /// Periods before the treatment.
    pub pre: usize,
    /// The penalty of the ridge.
    pub lambda: Option<f64>,
    /// √Σ gap² before the treatment.
    pub l2: f64,
    /// `l2` over that of equal weights; `None` when equal weights fit without error.
    pub scaled_l2: Option<f64>,
}

impl ControlFit {
    /// Mean gap after the treatment.
    pub fn att(&self) -> f64 {
        mean(&self.gaps[self.pre..])
    }

    /// Root mean square gap before the treatment.
    pub fn rmspe_pre(&self) -> f64 {
        self.l2 / (self.pre as f64).sqrt()
    }

    /// Root mean square gap after it.
    pub fn rmspe_post(&self) -> f64 {
        let post = &self.gaps[self.pre..];
        (post.iter().map(|g| g * g).sum::<f64>() / post.len() as f64).sqrt()
    }

    /// The fit of given weights. `shift` is added to the counterfactual.
    pub fn of_weights(donors: &[&[f64]], treated: &[f64], pre: usize, weights: Vec<f64>, intercept: bool) -> Self {
        let combine = |w: &dyn Fn(usize) -> f64| -> Vec<f64> {
            let mut out = vec![0.0; treated.len()];
            for (j, donor) in donors.iter().enumerate() {
                let w = w(j);
                if w != 0.0 {
                    out.iter_mut().zip(*donor).for_each(|(o, y)| *o += w * y);
                }
            }
            let shift = if intercept { mean(&treated[..pre]) - mean(&out[..pre]) } else { 0.0 };
            for o in &mut out {
                *o += shift;
            }
            out
        };
        let norm = |s: &[f64]| s[..pre].iter().zip(treated).map(|(s, y)| (y - s).powi(2)).sum::<f64>().sqrt();
        let synthetic = combine(&|j| weights[j]);
        let equal = norm(&combine(&|_| 1.0 / donors.len() as f64));
        let gaps: Vec<f64> = treated.iter().zip(&synthetic).map(|(y, s)| y - s).collect();
        let l2 = norm(&synthetic);
        let scaled_l2 = (equal > 0.0).then(|| l2 / equal);
        Self { weights, synthetic, gaps, pre, lambda: None, l2, scaled_l2 }
    }
}

/// Fits a synthetic control to the periods before the treatment: min ‖y₁ − Y₀ w‖² over weights that are not negative and sum
/// to 1. Source: Abadie, Diamond, Hainmueller (2010), JASA 105(490); with `intercept`: Doudchenko, Imbens (2016) and Ferman,
/// Pinto (2021); with `ridge`: Ben-Michael, Feller, Rothstein (2021), JASA 116(536).
///
/// Errors: no donor, lengths that differ, fewer than 2 periods before or none after.
pub fn fit(donors: &[&[f64]], treated: &[f64], pre: usize, spec: &ControlSpec) -> Result<ControlFit, EvidenceError> {
    if donors.is_empty() || donors.iter().any(|d| d.len() != treated.len()) || pre < 2 || pre >= treated.len() {
        return Err(EvidenceError::Shape { what: "donors, treated unit and periods" });
    }
    let centred = |series: &[f64]| -> Vec<f64> {
        let shift = if spec.intercept { mean(&series[..pre]) } else { 0.0 };
        series[..pre].iter().map(|y| y - shift).collect()
    };
    let columns: Vec<Vec<f64>> = donors.iter().map(|d| centred(d)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let target = centred(treated);
    let gram = gram_of(&columns, &target, 0.0);
    let simplex = match spec.solver {
        Solver::Exact => nearest(&gram, columns.len(), None).weights,
        Solver::FrankWolfe => {
            let noise = noise_level(donors, pre);
            frank_wolfe(&gram, columns.len(), pre, (1e-6 * noise).powi(2), 1e-5 * noise)
        }
    };
    let Some(ridge) = spec.ridge else {
        return Ok(ControlFit::of_weights(donors, treated, pre, simplex, spec.intercept));
    };
    let (weights, lambda) = ridge::augment(&columns, &target, &simplex, ridge)?;
    let fit = ControlFit::of_weights(donors, treated, pre, weights, spec.intercept);
    Ok(ControlFit { lambda: Some(lambda), ..fit })
}

/// The standard deviation of the donors' first differences before the treatment. Source: Arkhangelsky et al. (2021), eq. 2.2.
pub fn noise_level(donors: &[&[f64]], pre: usize) -> f64 {
    let differences: Vec<f64> = donors.iter().flat_map(|d| d[..pre].windows(2).map(|w| w[1] - w[0])).collect();
    let centre = mean(&differences);
    let squares: f64 = differences.iter().map(|d| (d - centre).powi(2)).sum();
    let df = differences.len().saturating_sub(1).max(1) as f64;
    (squares / df).sqrt()
}

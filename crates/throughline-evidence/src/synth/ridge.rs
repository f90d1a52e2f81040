//! Ridge augmentation: what the synthetic control leaves unexplained before the treatment is corrected by a ridge regression.

use throughline_stats::linalg::{Cholesky, dot, gram};

use super::simplex::{gram_of, nearest};
use super::study::mean_series;
use crate::EvidenceError;

/// How strong the penalty is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ridge {
    /// The penalty λ; chosen by cross-validation without.
    pub lambda: Option<f64>,
}

/// Penalties tried, from the largest squared singular value of the donors down to a 10⁻⁸ of it.
const PENALTIES: u32 = 20;

/// w + Bᵀ(B Bᵀ + λ I)⁻¹ (a − B w) with B the donors and a the treated unit less the donors' mean in every period.
///
/// λ without a given value: each period before the treatment is left out once, the error at it is measured, and the largest λ
/// whose mean error is within one standard error of the least is taken. Source: Ben-Michael, Feller, Rothstein (2021), JASA
/// 116(536), eq. 14 and §5.3. Errors: a penalty that is not above 0.
pub fn augment(
    columns: &[&[f64]],
    target: &[f64],
    simplex: &[f64],
    ridge: Ridge,
) -> Result<(Vec<f64>, f64), EvidenceError> {
    let lambda = match ridge.lambda {
        Some(lambda) if lambda > 0.0 && lambda.is_finite() => lambda,
        Some(value) => {
            return Err(EvidenceError::Setting { what: "ridge penalty", value, bounds: "numbers above 0" });
        }
        None => choose(columns, target)?,
    };
    let centred = Centred::of(columns, target);
    let factor = centred.factor(&centred.gram(), lambda)?;
    Ok((centred.corrected(&factor, simplex), lambda))
}

/// Donors and treated unit less the donors' mean in every period.
struct Centred {
    donors: Vec<Vec<f64>>,
    target: Vec<f64>,
}

impl Centred {
    fn of(columns: &[&[f64]], target: &[f64]) -> Self {
        let centre = mean_series(columns);
        let less = |s: &[f64]| s.iter().zip(&centre).map(|(y, m)| y - m).collect();
        Self { donors: columns.iter().map(|c| less(c)).collect(), target: less(target) }
    }

    fn gram(&self) -> Vec<f64> {
        let views: Vec<&[f64]> = self.donors.iter().map(Vec::as_slice).collect();
        gram(&views)
    }

    /// Of BᵀB + λ I, donors × donors: Bᵀ(B Bᵀ + λ I)⁻¹ = (BᵀB + λ I)⁻¹ Bᵀ.
    fn factor(&self, gram: &[f64], lambda: f64) -> Result<Cholesky, EvidenceError> {
        let n = self.donors.len();
        let mut m = gram.to_vec();
        (0..n).for_each(|j| m[j * n + j] += lambda);
        Cholesky::new(&m, n, 0.0).ok_or_else(|| EvidenceError::NotFinite { what: "ridge regression".to_owned() })
    }

    fn corrected(&self, factor: &Cholesky, simplex: &[f64]) -> Vec<f64> {
        let mut rest = self.target.clone();
        for (donor, w) in self.donors.iter().zip(simplex).filter(|(_, w)| **w != 0.0) {
            rest.iter_mut().zip(donor).for_each(|(r, y)| *r -= w * y);
        }
        let right: Vec<f64> = self.donors.iter().map(|d| dot(d, &rest)).collect();
        simplex.iter().zip(factor.solve(&right)).map(|(w, c)| w + c).collect()
    }
}

/// The penalty by leaving out one period at a time.
fn choose(columns: &[&[f64]], target: &[f64]) -> Result<f64, EvidenceError> {
    let all = Centred::of(columns, target);
    let n = columns.len();
    let largest = largest_eigenvalue(&all.gram(), n);
    if largest <= 0.0 {
        // Donors that do not differ leave nothing to correct.
        return Ok(1.0);
    }
    let penalties: Vec<f64> =
        (0..=PENALTIES).map(|k| largest * 1e-8_f64.powf(f64::from(k) / f64::from(PENALTIES))).collect();
    let mut errors: Vec<Vec<f64>> = vec![Vec::with_capacity(target.len()); penalties.len()];
    let mut warm: Option<Vec<f64>> = None;
    for out in 0..target.len() {
        let without =
            |s: &[f64]| -> Vec<f64> { s.iter().enumerate().filter(|(t, _)| *t != out).map(|(_, y)| *y).collect() };
        let kept: Vec<Vec<f64>> = all.donors.iter().map(|d| without(d)).collect();
        let fold = Centred { target: without(&all.target), donors: kept };
        let views: Vec<&[f64]> = fold.donors.iter().map(Vec::as_slice).collect();
        let simplex = nearest(&gram_of(&views, &fold.target, 0.0), n, warm.as_deref()).weights;
        let gram = gram(&views);
        for (penalty, errors) in penalties.iter().zip(&mut errors) {
            let weights = fold.corrected(&fold.factor(&gram, *penalty)?, &simplex);
            let predicted: f64 = all.donors.iter().zip(&weights).map(|(d, w)| w * d[out]).sum();
            errors.push((all.target[out] - predicted).powi(2));
        }
        warm = Some(simplex);
    }
    Ok(within_one_error(&penalties, &errors))
}

/// The largest penalty whose mean error is within a standard error of the least.
fn within_one_error(penalties: &[f64], errors: &[Vec<f64>]) -> f64 {
    let k = errors[0].len() as f64;
    let summary = |e: &Vec<f64>| {
        let mean = e.iter().sum::<f64>() / k;
        let variance = e.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (k - 1.0).max(1.0);
        (mean, (variance / k).sqrt())
    };
    let summaries: Vec<(f64, f64)> = errors.iter().map(summary).collect();
    let least = summaries.iter().copied().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, 0.0));
    // Penalties fall, so the first that qualifies is the largest.
    let first = summaries.iter().position(|(mean, _)| *mean <= least.0 + least.1).unwrap_or(0);
    penalties[first]
}

/// By power iteration: the donors' matrices are small and only the scale matters.
fn largest_eigenvalue(gram: &[f64], n: usize) -> f64 {
    let mut v: Vec<f64> = (0..n).map(|i| 1.0 + i as f64 / n as f64).collect();
    let mut value = 0.0;
    for _ in 0..500 {
        let next: Vec<f64> = gram.chunks_exact(n).map(|row| dot(row, &v)).collect();
        let norm = dot(&next, &next).sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        let before = value;
        value = norm / dot(&v, &v).sqrt();
        v = next.into_iter().map(|x| x / norm).collect();
        if (value - before).abs() <= 1e-12 * value {
            break;
        }
    }
    value
}

/// u ↦ u − B (BᵀB + λ I)⁻¹ Bᵀ u: what an augmented control leaves of a residual.
pub(super) struct Leaving {
    donors: Vec<Vec<f64>>,
    factor: Cholesky,
}

impl Leaving {
    pub(super) fn of(columns: &[&[f64]], lambda: f64) -> Result<Self, EvidenceError> {
        let zero = vec![0.0; columns.first().map_or(0, |c| c.len())];
        let centred = Centred::of(columns, &zero);
        let factor = centred.factor(&centred.gram(), lambda)?;
        Ok(Self { donors: centred.donors, factor })
    }

    pub(super) fn apply(&self, u: &mut [f64]) {
        let right: Vec<f64> = self.donors.iter().map(|d| dot(d, u)).collect();
        for (donor, c) in self.donors.iter().zip(self.factor.solve(&right)) {
            u.iter_mut().zip(donor).for_each(|(u, y)| *u -= c * y);
        }
    }
}

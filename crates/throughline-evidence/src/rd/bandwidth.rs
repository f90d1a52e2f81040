//! The bandwidth that minimises the mean squared error of the jump, and that of its bias estimate.
//!
//! Three rounds, each with the one before as pilot: d for the curvature's bias, b for the bias of the estimate, h for the estimate;
//! each is ((V₋ + V₊) / ((B₊ − B₋)² + R₋ + R₊))^(1/(2o+3)) with R a regularisation by the variance of the estimated bias.
//! Sources: Calonico, Cattaneo, Titiunik (2014), Econometrica 82(6); Calonico, Cattaneo, Farrell, Titiunik (2017, 2019).

use throughline_stats::quantile::sorted;

use super::estimate::combination;
use super::side::{LocalFit, Side};
use super::{Kernel, RdSettings};

/// Both bandwidths.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bandwidths {
    /// Of the estimate.
    pub(super) h: f64,
    /// Of its bias.
    pub(super) b: f64,
}

/// What one side contributes to a bandwidth.
struct Terms {
    variance: f64,
    bias: f64,
    regularisation: f64,
}

/// Share of a side's units that share their score with another, from which on a window must hold ten distinct scores.
const MASS: f64 = 0.2;

const DISTINCT: usize = 10;

/// Common bandwidths of both sides for a local polynomial of order `settings.order`; `None` where the data do not allow a pilot.
pub(super) fn select(sides: [&Side; 2], settings: &RdSettings, fuzzy: bool) -> Option<Bandwidths> {
    let p = settings.order;
    let all = sorted(sides.iter().flat_map(|s| s.x.iter().copied()));
    let distances = sides.map(Side::distances);
    let distinct: usize = distances.iter().map(Vec::len).sum();
    let farthest = sides[0].reach().max(sides[1].reach());
    let mut pilot = settings.kernel.pilot_constant() * spread(&all)? * (distinct as f64).powf(-0.2);
    pilot = pilot.min(farthest);
    let padded = 1.0 + f64::EPSILON.sqrt();
    let heaped = sides.iter().zip(&distances).any(|(s, d)| 1.0 - d.len() as f64 / s.x.len() as f64 >= MASS);
    let least =
        if heaped { distances.iter().map(|d| d[DISTINCT.min(d.len()) - 1] * padded).fold(0.0, f64::max) } else { 0.0 };
    pilot = pilot.max(least);
    let round = |order: usize, derivative: usize, of: [f64; 2], scale: f64| -> Option<f64> {
        let [l, r] = [0, 1].map(|s| terms(sides[s], settings, fuzzy, order, derivative, pilot, of[s], scale));
        let (l, r) = (l?, r?);
        let bias = (r.bias - l.bias).powi(2) + scale * (r.regularisation + l.regularisation);
        Some(((l.variance + r.variance) / bias).powf(1.0 / (2 * order + 3) as f64).min(farthest))
    };
    let reach = sides.map(|s| s.reach() * padded);
    let d = round(p + 2, p + 2, reach, 0.0)?.max(least);
    let b = round(p + 1, p + 1, [d, d], 1.0)?;
    let h = round(p, 0, [b, b], 1.0)?;
    (h.is_finite() && b.is_finite() && h > 0.0 && b > 0.0).then_some(Bandwidths { h, b })
}

/// The smaller of standard deviation and interquartile range over 1.349.
fn spread(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / n;
    let sd = (sorted.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let iqr = (quantile(sorted, 0.75)? - quantile(sorted, 0.25)?) / 1.349;
    let out = if iqr > 0.0 { sd.min(iqr) } else { sd };
    (out > 0.0).then_some(out)
}

/// The averaged inverse of the distribution function (type 2 of Hyndman and Fan), which the reference software uses.
fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let h = sorted.len() as f64 * p;
    let below = (1..=sorted.len()).take_while(|j| *j as f64 <= h).count();
    let next = *sorted.get(below)?;
    Some(if below as f64 == h && below > 0 { f64::midpoint(sorted[below - 1], next) } else { next })
}

/// V, B and R of derivative ν of a polynomial of order o on one side: variance with bandwidth `h_v`, the next coefficient with `h_b`.
#[expect(clippy::too_many_arguments, reason = "the formula has them")]
fn terms(
    side: &Side,
    settings: &RdSettings,
    fuzzy: bool,
    o: usize,
    nu: usize,
    h_v: f64,
    h_b: f64,
    scale: f64,
) -> Option<Terms> {
    let power = |h: f64, k: usize| h.powi(i32::try_from(k).unwrap_or(i32::MAX));
    let fit = LocalFit::new(side, h_v, settings.kernel, o)?;
    let weights = combination(&[(&fit, side, 1.0)], nu, fuzzy)?.weights;
    let squared = |fit: &LocalFit, j: usize| -> f64 {
        let residuals = fit.residuals(side, &weights, settings.variance, &fit.range);
        fit.loading(j).iter().zip(&residuals).map(|(l, e)| (l * e).powi(2)).sum()
    };
    // In powers of u = x / h: variances of coefficient j are h^(2j) times those in powers of x.
    let variance = (2 * nu + 1) as f64 * power(h_v, 2 * nu + 1) * squared(&fit, nu) / power(h_v, 2 * nu);
    let constant = fit.leaning(nu);
    let next = LocalFit::new(side, h_b, settings.kernel, o + 1)?;
    let coefficient: f64 = side
        .columns
        .iter()
        .zip(&weights)
        .filter(|(_, w)| **w != 0.0)
        .map(|(column, w)| w * next.beta(column)[o + 1] / power(h_b, o + 1))
        .sum();
    let lean = 2.0 * (o + 1 - nu) as f64;
    let regularisation =
        if scale > 0.0 { lean * 3.0 * constant.powi(2) * squared(&next, o + 1) / power(h_b, 2 * (o + 1)) } else { 0.0 };
    Some(Terms { variance, bias: lean.sqrt() * constant * coefficient, regularisation })
}

impl Kernel {
    /// Factor of the rule of thumb for the pilot bandwidth.
    const fn pilot_constant(self) -> f64 {
        match self {
            Self::Triangular => 2.576,
            Self::Epanechnikov => 2.34,
            Self::Uniform => 1.843,
        }
    }
}

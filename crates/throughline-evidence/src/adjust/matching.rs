//! Nearest-neighbour matching with replacement, bias-corrected, with the variance of Abadie and Imbens.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;
use throughline_stats::linalg::dot;
use throughline_stats::ols::ols;

use super::aipw::unadjusted;
use super::crossfit::in_parallel;
use super::ipw::{Propensity, separation};
use super::nearest::{Found, Nearest};
use super::settings::{Estimand, data};
use super::study::Study;
use crate::{EvidenceError, Joint};

/// Units searched for as one piece of work.
const CHUNK: usize = 512;

/// What "near" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchMetric {
    /// Mahalanobis distance of the covariates, with their covariance over all units.
    #[default]
    Mahalanobis,
    /// Euclidean distance of covariates divided by their standard deviations.
    Scaled,
    /// Distance of the log-odds of a logistic propensity.
    Propensity,
}

/// Settings of matching.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MatchSettings {
    /// Neighbours per unit, 1 to 100; all that tie with the last one count too.
    pub neighbours: usize,
    /// The distance.
    pub metric: MatchMetric,
    /// Whether outcomes are corrected for what still differs between matched units.
    pub bias_correction: bool,
    /// Searches at a time; the results do not depend on it.
    pub threads: Option<NonZeroUsize>,
}

impl Default for MatchSettings {
    fn default() -> Self {
        Self { neighbours: 1, metric: MatchMetric::default(), bias_correction: true, threads: None }
    }
}

/// A fit. The first estimate of `joint` is the estimand.
#[derive(Debug, Clone)]
pub struct MatchFit {
    /// The estimand and the unadjusted difference (its own variance; no covariance with the estimand is known).
    pub joint: Joint,
    /// Weight of each unit: 1 where it is matched for, plus how often it is used.
    pub weights: Vec<f64>,
    /// Units used as matches.
    pub used: usize,
    /// Most often used unit: how often.
    pub most_used: f64,
    /// The propensity, where it is the metric.
    pub propensity: Option<Vec<f64>>,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
}

/// Matches every unit (ATT: every treated unit) with its nearest units of the other arm, with replacement. Ties share one
/// weight, so that the order of rows does not matter. With K the times a unit is used (K′ with squared weights):
///
/// - τᵢ = ±(Yᵢ − Σ w (Yⱼ + μ̂(Xᵢ) − μ̂(Xⱼ))), μ̂ the regression of the other arm's outcome on covariates over the units used,
///   weighted by K; ATE = mean τ, ATT = mean over the treated;
/// - Var ATE = n⁻² Σ [(τᵢ − τ)² + (K² + 2K − K′) σ²(Xᵢ)], Var ATT = n₁⁻² Σ [D (τᵢ − τ)² + (1 − D)(K² − K′) σ²(Xᵢ)], σ² from
///   the nearest unit(s) of the own arm.
///
/// Source: Abadie, Imbens (2006), Econometrica 74; (2011), J. Business & Economic Statistics 29. For
/// [`MatchMetric::Propensity`] the propensity counts as known; its estimation is not in the variance (Abadie, Imbens
/// 2016), which mostly overstates it for the ATE.
///
/// # Errors
/// A treatment that is not 0/1 (TL385), clusters (TL399: the variance has no clustered form here), neighbours out of bounds.
pub fn matching(study: &Study, estimand: Estimand, settings: &MatchSettings) -> Result<MatchFit, EvidenceError> {
    study.require_binary()?;
    if study.clusters.is_some() {
        return Err(data(
            "TL399",
            "matching has no clustered standard error".into(),
            "use --method aipw or ipw with --cluster, or leave the clusters out",
        ));
    }
    let smaller = study.treated().min(study.n() - study.treated());
    if !(1..=100.min(smaller - 1)).contains(&settings.neighbours) {
        return Err(EvidenceError::Setting {
            what: "number of neighbours",
            value: settings.neighbours as f64,
            bounds: "1 to 100, and below the units of the smaller arm",
        });
    }
    let mut diagnostics = Vec::new();
    let (coordinates, width, propensity) = coordinates(study, settings.metric, &mut diagnostics)?;
    let arms = Arms::new(study, &coordinates, width);
    let targets: Vec<usize> =
        (0..study.n()).filter(|i| estimand == Estimand::Ate || study.treatment[*i] == 1.0).collect();
    let found = arms.search(&targets, settings.neighbours, true, settings.threads);
    let used = Used::count(study.n(), &arms, &targets, &found);
    let predicted = if settings.bias_correction { corrections(study, &used.k, estimand) } else { None };
    let effects = arms.effects(&targets, &found, predicted.as_ref());
    let value = effects.iter().sum::<f64>() / targets.len() as f64;
    // σ² is needed where it has a weight: everywhere for the ATE, at used controls for the ATT.
    let noisy: Vec<usize> = (0..study.n()).filter(|i| estimand == Estimand::Ate || used.k[*i] > 0.0).collect();
    let neighbours = arms.search(&noisy, settings.neighbours, false, settings.threads);
    let mut variance: f64 = effects.iter().map(|e| (e - value).powi(2)).sum();
    for (i, noise) in noisy.iter().zip(arms.noise(&noisy, &neighbours)) {
        let (k, squares) = (used.k[*i], used.squares[*i]);
        let weight = if estimand == Estimand::Ate { k * k + 2.0 * k - squares } else { k * k - squares };
        variance += weight.max(0.0) * noise;
    }
    variance /= (targets.len() as f64).powi(2);
    let naive = unadjusted(study)?;
    let naive_variance: f64 = naive.influence.iter().map(|v| v * v).sum();
    let joint = Joint::from_covariance(
        vec![estimand.name().into(), naive.name],
        vec![value, naive.value],
        vec![variance, 0.0, 0.0, naive_variance],
        study.n() as u64,
        "matching",
    )?;
    let mut weights = used.k.clone();
    for i in &targets {
        weights[*i] += 1.0;
    }
    let most_used = used.k.iter().copied().fold(0.0, f64::max);
    let count = used.k.iter().filter(|k| **k > 0.0).count();
    Ok(MatchFit { joint, weights, used: count, most_used, propensity, diagnostics })
}

type Coordinates = (Vec<f64>, usize, Option<Vec<f64>>);

/// Coordinates in which the Euclidean distance is that of the metric, unit by unit.
fn coordinates(
    study: &Study,
    metric: MatchMetric,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Coordinates, EvidenceError> {
    let n = study.n();
    if metric == MatchMetric::Propensity {
        let propensity = Propensity::fit(study)?;
        diagnostics.extend(separation(&propensity));
        // Rounding would tell units with equal covariates apart.
        let log_odds = propensity.values.iter().map(|m| ((m / (1.0 - m)).ln() * 1e10).round() / 1e10);
        let log_odds: Vec<f64> = log_odds.map(|l| l.clamp(-40.0, 40.0)).collect();
        return Ok((log_odds, 1, Some(propensity.values)));
    }
    let mut z: Vec<Vec<f64>> = study.columns().iter().map(|c| standardised(c)).collect();
    if metric == MatchMetric::Mahalanobis {
        // Gram–Schmidt: orthogonal columns of variance 1 that span the same space have the Mahalanobis distance.
        let k = z.len();
        for j in 0..k {
            let (done, rest) = z.split_at_mut(j);
            for earlier in done.iter() {
                let share = dot(earlier, &rest[0]) / dot(earlier, earlier);
                rest[0].iter_mut().zip(earlier).for_each(|(x, e)| *x -= share * e);
            }
            rest[0] = standardised(&rest[0]);
        }
    }
    let width = z.len();
    let mut out = vec![0.0; n * width];
    for (j, column) in z.iter().enumerate() {
        out.iter_mut().skip(j).step_by(width).zip(column).for_each(|(slot, v)| *slot = *v);
    }
    Ok((out, width, None))
}

fn standardised(column: &[f64]) -> Vec<f64> {
    let n = column.len() as f64;
    let mean = column.iter().sum::<f64>() / n;
    let scale = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    column.iter().map(|x| (x - mean) / scale).collect()
}

/// Both arms, searchable.
struct Arms<'a> {
    study: &'a Study,
    coordinates: &'a [f64],
    width: usize,
    /// Controls, treated.
    trees: [Nearest; 2],
}

impl<'a> Arms<'a> {
    fn new(study: &'a Study, coordinates: &'a [f64], width: usize) -> Self {
        let tree = |arm: f64| {
            let members: Vec<usize> = (0..study.n()).filter(|i| study.treatment[*i] == arm).collect();
            Nearest::new(coordinates, width, &members)
        };
        Self { study, coordinates, width, trees: [tree(0.0), tree(1.0)] }
    }

    fn arm(&self, i: usize) -> usize {
        usize::from(self.study.treatment[i] == 1.0)
    }

    /// Nearest units of the other arm, or of the own one without the unit itself.
    fn search(&self, units: &[usize], wanted: usize, other: bool, threads: Option<NonZeroUsize>) -> Vec<Found> {
        let one = |i: usize| {
            let at = &self.coordinates[i * self.width..(i + 1) * self.width];
            let tree = &self.trees[if other { 1 - self.arm(i) } else { self.arm(i) }];
            tree.find(at, wanted, (!other).then_some(i))
        };
        let chunks: Vec<&[usize]> = units.chunks(CHUNK).collect();
        let found = in_parallel(&chunks, threads, |chunk| chunk.iter().map(|i| one(*i)).collect::<Vec<_>>());
        found.into_iter().flatten().collect()
    }

    /// Sums of a column over the units at each point of an arm.
    fn sums(&self, arm: usize, column: &[f64]) -> Vec<f64> {
        let tree = &self.trees[arm];
        (0..tree.len()).map(|p| tree.units(p).iter().map(|u| column[*u]).sum()).collect()
    }

    /// τ of every target.
    fn effects(&self, targets: &[usize], found: &[Found], predicted: Option<&[Vec<f64>; 2]>) -> Vec<f64> {
        let outcomes = [0, 1].map(|arm| self.sums(arm, &self.study.outcome));
        let means = [0, 1].map(|arm| predicted.map(|mu| self.sums(arm, &mu[arm])));
        let of = |(i, found): (&usize, &Found)| {
            let other = 1 - self.arm(*i);
            let (mut sum, mut count) = (0.0, 0.0);
            for (_, p) in &found.points {
                sum += outcomes[other][*p] - means[other].as_ref().map_or(0.0, |m| m[*p]);
                count += self.trees[other].units(*p).len() as f64;
            }
            let own = predicted.map_or(0.0, |mu| mu[other][*i]);
            let difference = self.study.outcome[*i] - sum / count - own;
            if other == 0 { difference } else { -difference }
        };
        targets.iter().zip(found).map(of).collect()
    }

    /// σ²(Xᵢ) from the nearest units of the own arm: J/(J + 1) (Yᵢ − mean)².
    fn noise(&self, units: &[usize], found: &[Found]) -> Vec<f64> {
        let outcomes = [0, 1].map(|arm| self.sums(arm, &self.study.outcome));
        let of = |(i, found): (&usize, &Found)| {
            let (arm, y) = (self.arm(*i), self.study.outcome[*i]);
            let (mut sum, mut count) = (0.0, 0);
            for (_, p) in &found.points {
                let others = self.trees[arm].count(*p, Some(*i));
                sum += outcomes[arm][*p] - if others < self.trees[arm].units(*p).len() { y } else { 0.0 };
                count += others;
            }
            let count = count as f64;
            if count == 0.0 { 0.0 } else { count / (count + 1.0) * (y - sum / count).powi(2) }
        };
        units.iter().zip(found).map(of).collect()
    }
}

/// How often each unit is used, and with which squared weights.
struct Used {
    k: Vec<f64>,
    squares: Vec<f64>,
}

impl Used {
    fn count(n: usize, arms: &Arms<'_>, targets: &[usize], found: &[Found]) -> Self {
        // Per distinct point first: all its units are used alike.
        let mut sums = [0, 1].map(|arm| vec![(0.0, 0.0); arms.trees[arm].len()]);
        for (i, found) in targets.iter().zip(found) {
            let other = 1 - arms.arm(*i);
            let count: usize = found.points.iter().map(|(_, p)| arms.trees[other].units(*p).len()).sum();
            let weight = 1.0 / count as f64;
            for (_, p) in &found.points {
                sums[other][*p].0 += weight;
                sums[other][*p].1 += weight * weight;
            }
        }
        let (mut k, mut squares) = (vec![0.0; n], vec![0.0; n]);
        for (tree, sums) in arms.trees.iter().zip(&sums) {
            for (p, (sum, square)) in sums.iter().enumerate() {
                tree.units(p).iter().for_each(|u| (k[*u], squares[*u]) = (*sum, *square));
            }
        }
        Self { k, squares }
    }
}

/// μ̂ of both arms for every unit, from the units used, weighted by how often; `None` where a regression has no answer.
fn corrections(study: &Study, k: &[f64], estimand: Estimand) -> Option<[Vec<f64>; 2]> {
    let z: Vec<Vec<f64>> = study.columns().iter().map(|c| standardised(c)).collect();
    let of = |arm: f64| -> Option<Vec<f64>> {
        let rows: Vec<usize> = (0..study.n()).filter(|i| study.treatment[*i] == arm && k[*i] > 0.0).collect();
        let mut columns = vec![vec![1.0; rows.len()]];
        columns.extend(z.iter().map(|c| rows.iter().map(|i| c[*i]).collect::<Vec<f64>>()));
        let y: Vec<f64> = rows.iter().map(|i| study.outcome[*i]).collect();
        let w: Vec<f64> = rows.iter().map(|i| k[*i]).collect();
        let slopes = least_squares(&columns, &y, &w)?;
        Some((0..study.n()).map(|i| z.iter().zip(&slopes[1..]).map(|(c, b)| c[i] * b).sum()).collect())
    };
    let none = || vec![0.0; study.n()];
    match estimand {
        Estimand::Att => Some([of(0.0)?, none()]),
        Estimand::Ate => Some([of(0.0)?, of(1.0)?]),
    }
}

/// Coefficients, 0 for columns that the used units do not tell apart.
fn least_squares(columns: &[Vec<f64>], y: &[f64], w: &[f64]) -> Option<Vec<f64>> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    loop {
        let refs: Vec<&[f64]> = kept.iter().map(|j| columns[*j].as_slice()).collect();
        match ols(&refs, y, Some(w)) {
            Ok(fit) => {
                let mut out = vec![0.0; columns.len()];
                kept.iter().zip(&fit.coefficients).for_each(|(j, b)| out[*j] = *b);
                return Some(out);
            }
            Err(throughline_stats::ols::OlsError::Collinear { columns: bad }) => {
                kept = kept.iter().enumerate().filter(|(k, _)| !bad.contains(k)).map(|(_, j)| *j).collect();
            }
            Err(_) => return None,
        }
    }
}

//! Synthetic controls that match predictors, with the weights of the predictors chosen too.

use super::nelder_mead::nelder_mead;
use super::simplex::nearest;
use super::study::{data, mean};
use crate::EvidenceError;

/// One predictor of the treated unit and of every donor.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictor {
    /// Its name.
    pub name: String,
    /// Of the treated unit.
    pub treated: f64,
    /// Of the donors.
    pub donors: Vec<f64>,
}

/// How predictors are weighted.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictorWeights {
    /// All alike.
    Equal,
    /// As given, one per predictor.
    Given(Vec<f64>),
    /// Those with the best fit of the outcome, by nested search.
    Nested,
}

/// Weights of donors and of predictors.
#[derive(Debug, Clone, PartialEq)]
pub struct Matched {
    /// One per donor.
    pub weights: Vec<f64>,
    /// One per predictor, summing to 1.
    pub importance: Vec<f64>,
    /// Mean squared gap of the outcome over the periods of the search.
    pub loss: f64,
}

/// Steps of one search.
const STEPS: usize = 1000;

/// Searches from the last best point that are tried while they help.
const RESTARTS: usize = 12;

/// A gain that is worth another search.
const GAIN: f64 = 1e-6;

/// Weights that bring the donors' predictors, each over its standard deviation over all units, nearest to the treated unit's:
/// min Σₖ vₖ (x₁ₖ − Σⱼ wⱼ xⱼₖ)². With [`PredictorWeights::Nested`] v minimises the mean squared gap of the outcome over the
/// periods given (`outcome` of the treated unit, `outcomes` of the donors): Nelder–Mead from equal weights, begun again at its
/// end while that helps. Source: Abadie, Gardeazabal (2003), AER 93(1), appendix B.
///
/// Errors: TL363 no predictor that varies, or one without a value; lengths that differ; weights that are negative or all 0.
pub fn matched(
    predictors: &[Predictor],
    importance: &PredictorWeights,
    outcomes: &[&[f64]],
    outcome: &[f64],
) -> Result<Matched, EvidenceError> {
    let n = outcomes.len();
    if n == 0 || predictors.iter().any(|p| p.donors.len() != n) || outcomes.iter().any(|o| o.len() != outcome.len()) {
        return Err(EvidenceError::Shape { what: "predictors and outcomes" });
    }
    if let Some(p) = predictors.iter().find(|p| !p.treated.is_finite() || p.donors.iter().any(|x| !x.is_finite())) {
        let message = format!("predictor `{}` has no value for some unit", p.name);
        return Err(data(
            "TL363",
            message,
            "choose periods in which every unit has a value, or leave the predictor out",
        ));
    }
    let distances: Vec<Vec<f64>> = predictors.iter().map(scaled).collect();
    if distances.iter().all(|d| d.iter().all(|x| *x == 0.0)) {
        return Err(data("TL363", "no predictor varies between units".to_owned(), "name predictors that do"));
    }
    let k = predictors.len();
    let problem = Problem { products: products(&distances, n), n, k, outcomes, outcome };
    let start = match importance {
        PredictorWeights::Given(v)
            if v.len() != k || v.iter().any(|x| x.is_nan() || *x < 0.0) || v.iter().sum::<f64>() <= 0.0 =>
        {
            return Err(EvidenceError::Shape { what: "weights of the predictors" });
        }
        PredictorWeights::Given(v) => v.clone(),
        _ => vec![1.0 / k as f64; k],
    };
    if *importance != PredictorWeights::Nested || k == 1 {
        return Ok(problem.solve(&start));
    }
    let mut warm: Option<Vec<f64>> = None;
    let mut best = (start, f64::INFINITY);
    for _ in 0..RESTARTS {
        let mut value = |x: &[f64]| {
            let (weights, loss) = problem.loss(x, warm.as_deref());
            warm = Some(weights);
            loss
        };
        let (x, loss) = nelder_mead(&best.0, STEPS, 1e-6, 1e-9, &mut value);
        let done = loss > best.1 * (1.0 - GAIN);
        if loss < best.1 {
            let total: f64 = x.iter().map(|x| x.abs()).sum();
            best = (x.iter().map(|x| x.abs() / total).collect(), loss);
        }
        if done {
            break;
        }
    }
    Ok(problem.solve(&best.0))
}

/// Donors less the treated unit, over the standard deviation of all.
fn scaled(predictor: &Predictor) -> Vec<f64> {
    let all: Vec<f64> = predictor.donors.iter().copied().chain([predictor.treated]).collect();
    let centre = mean(&all);
    let variance = all.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / (all.len() - 1) as f64;
    let scale = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    predictor.donors.iter().map(|x| (x - predictor.treated) / scale).collect()
}

/// dₖᵢ dₖⱼ for every pair, predictor by predictor: the matrix of a v is a weighted sum of them.
fn products(distances: &[Vec<f64>], n: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(distances.len() * n * n);
    for d in distances {
        for a in d {
            out.extend(d.iter().map(|b| a * b));
        }
    }
    out
}

struct Problem<'a> {
    products: Vec<f64>,
    n: usize,
    k: usize,
    outcomes: &'a [&'a [f64]],
    outcome: &'a [f64],
}

impl Problem<'_> {
    fn weights(&self, x: &[f64], warm: Option<&[f64]>) -> Vec<f64> {
        let total: f64 = x.iter().map(|x| x.abs()).sum();
        let mut gram = vec![0.0; self.n * self.n];
        for (v, product) in x.iter().zip(self.products.chunks_exact(self.n * self.n)) {
            let v = v.abs() / total;
            gram.iter_mut().zip(product).for_each(|(g, p)| *g += v * p);
        }
        nearest(&gram, self.n, warm).weights
    }

    fn loss(&self, x: &[f64], warm: Option<&[f64]>) -> (Vec<f64>, f64) {
        let weights = self.weights(x, warm);
        let mut rest = self.outcome.to_vec();
        for (w, o) in weights.iter().zip(self.outcomes).filter(|(w, _)| **w > 0.0) {
            rest.iter_mut().zip(*o).for_each(|(r, y)| *r -= w * y);
        }
        let loss = rest.iter().map(|r| r * r).sum::<f64>() / rest.len() as f64;
        (weights, loss)
    }

    fn solve(&self, x: &[f64]) -> Matched {
        // From a cold start, so that the answer does not depend on the way of the search.
        let (weights, loss) = self.loss(x, None);
        let total: f64 = x.iter().take(self.k).map(|x| x.abs()).sum();
        Matched { weights, importance: x.iter().map(|x| x.abs() / total).collect(), loss }
    }
}

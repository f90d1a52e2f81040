//! Errors of one-step predictions and the parts of a series at the posterior mean of the parameters.
//!
//! The fixed-interval smoother is J. Durbin and S. J. Koopman (2012), §4.4. Parameters and starting states are those learnt
//! from all times before the intervention, so the errors are a little smaller than those of real forecasts.

use super::filter::Filter;
use super::model::{Fit, Series};

/// The times before an intervention as the model sees them, in the outcome's units. NaN where a time is not learnt from.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// Prediction of each time from those before it.
    pub predicted: Vec<f64>,
    /// Its standard deviation.
    pub sd: Vec<f64>,
    /// Error over standard deviation, without the first times, which the starting states are learnt from.
    pub errors: Vec<f64>,
    /// The level given all times.
    pub level: Vec<f64>,
    /// The sum of seasons given all times.
    pub season: Vec<f64>,
    /// What the controls contribute, around its mean.
    pub regression: Vec<f64>,
}

/// Means over draws of log ratios, σ and coefficients.
pub(super) fn means(fit: &Fit) -> (Vec<f64>, f64, Vec<f64>) {
    let count = fit.draws.len() as f64;
    let k = fit.structure.variances();
    let ratio = |i: usize| (fit.draws.iter().map(|d| d.ratios[i].ln()).sum::<f64>() / count).exp();
    let sigma = (fit.draws.iter().map(|d| d.sigma * d.sigma).sum::<f64>() / count).sqrt();
    let beta = |j: usize| fit.draws.iter().map(|d| d.beta_mean[j]).sum::<f64>() / count;
    ((0..k).map(ratio).collect(), sigma, (0..fit.controls.len()).map(beta).collect())
}

/// Predictions and parts. `None` when the times do not determine the starting states.
pub fn history(fit: &Fit, series: &Series) -> Option<History> {
    let (ratios, sigma, beta) = means(fit);
    let (n, m) = (fit.rows.seen.len(), fit.structure.dim());
    let regression: Vec<f64> = (0..n)
        .map(|t| fit.row(series, t).map_or(f64::NAN, |x| x.iter().zip(&beta).map(|(x, b)| x * b).sum::<f64>()))
        .collect();
    let net = |t: usize| fit.rows.values[t * fit.rows.width] - regression[t];
    // The starting states by least squares: a first pass with the outcome net of the controls as the only column.
    let only = super::filter::Rows {
        values: (0..n).map(|t| if fit.rows.seen[t] { net(t) } else { 0.0 }).collect(),
        width: 1,
        seen: fit.rows.seen.clone(),
    };
    let start = super::filter::starting_states(&fit.structure, &ratios, &only)?;
    let mut filter = Filter::new(&fit.structure, &ratios, 1);
    let mut steps: Vec<Step> = Vec::with_capacity(n);
    for t in 0..n {
        let f = filter.predict(only.values[t..=t].iter().copied());
        // Columns of starting states enter with their estimates: state − Σ column × start.
        let blend = |line: &[f64]| line[m] - line[..m].iter().zip(&start).map(|(a, s)| a * s).sum::<f64>();
        let state: Vec<f64> = filter.state.chunks_exact(m + 1).map(blend).collect();
        let step = Step { state, covariance: filter.covariance.clone(), gain: filter.gain.clone(), f };
        steps.push(step);
        if fit.rows.seen[t] {
            filter.update(f);
        }
        filter.advance();
    }
    Some(parts(fit, &only.values, &regression, sigma, &steps))
}

struct Step {
    state: Vec<f64>,
    covariance: Vec<f64>,
    gain: Vec<f64>,
    f: f64,
}

fn parts(fit: &Fit, net: &[f64], regression: &[f64], sigma: f64, steps: &[Step]) -> History {
    let (n, m) = (steps.len(), fit.structure.dim());
    let (unit, seen) = (fit.outcome, &fit.rows.seen);
    let sum = |state: &[f64]| fit.structure.seen().iter().map(|i| state[*i]).sum::<f64>();
    let mut h = History {
        predicted: vec![f64::NAN; n],
        sd: vec![f64::NAN; n],
        errors: Vec::new(),
        level: vec![f64::NAN; n],
        season: vec![f64::NAN; n],
        regression: regression.iter().map(|r| r * unit.sd).collect(),
    };
    let mut r = vec![0.0; m];
    for t in (0..n).rev() {
        let s = &steps[t];
        // r_{t−1} = Z' v / F + (I − Z' K') T' r_t.
        fit.structure.retreat(&mut r);
        if seen[t] {
            let through: f64 = s.gain.iter().zip(&r).map(|(g, r)| g / s.f * r).sum();
            let own = (net[t] - sum(&s.state)) / s.f - through;
            fit.structure.seen().iter().for_each(|i| r[*i] += own);
        }
        let smooth: Vec<f64> = (0..m)
            .map(|i| s.state[i] + s.covariance[i * m..(i + 1) * m].iter().zip(&r).map(|(p, r)| p * r).sum::<f64>())
            .collect();
        h.level[t] = unit.mean + unit.sd * smooth[0];
        h.season[t] = unit.sd * (sum(&smooth) - smooth[0]);
    }
    let mut learnt = 0;
    for t in (0..n).filter(|t| seen[*t]) {
        let s = &steps[t];
        let sd = sigma * s.f.sqrt();
        h.predicted[t] = unit.mean + unit.sd * (sum(&s.state) + regression[t]);
        h.sd[t] = unit.sd * sd;
        learnt += 1;
        if learnt > m {
            h.errors.push((net[t] - sum(&s.state)) / sd);
        }
    }
    h
}

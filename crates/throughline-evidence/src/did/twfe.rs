//! The two-way fixed effects regression Y = unit + period + β · treated, and what it weights.

use super::two_by_two::codes_of;
use crate::{EvidenceError, Joint, Panel};

/// Passes of demeaning over an unbalanced panel.
const MOST_PASSES: usize = 10_000;

/// β with influence values, and the weights it gives to treated cells.
#[derive(Debug, Clone)]
pub struct Twfe {
    /// β, one estimate.
    pub joint: Joint,
    /// Sum of the negative weights among treated cells, whose weights sum to 1: how far β is from a mean of their effects.
    /// Source: de Chaisemartin, D'Haultfœuille (2020), American Economic Review 110(9).
    pub negative_weight: f64,
    /// Share of treated cells with a negative weight.
    pub negative_cells: f64,
}

/// The regression over all cells that have an outcome; errors are clustered by unit, or by the panel's clusters. Balanced
/// panels take three passes; unbalanced ones are demeaned in turn until nothing moves.
///
/// Errors: TL354 when treatment does not vary within units and periods, demeaning that does not converge.
pub fn twfe(panel: &Panel) -> Result<Twfe, EvidenceError> {
    let (n, t) = (panel.units(), panel.periods());
    let seen: Vec<bool> = panel.outcomes().iter().map(|y| !y.is_nan()).collect();
    let on = |cell: usize| f64::from(u8::from(panel.start(cell / t).is_some_and(|s| cell % t >= s)));
    let mut d: Vec<f64> = (0..n * t).map(|c| if seen[c] { on(c) } else { 0.0 }).collect();
    let treated = d.iter().sum::<f64>();
    demean(&mut d, &seen, t)?;
    let denominator: f64 = d.iter().map(|x| x * x).sum();
    if denominator <= 1e-12 * treated.max(1.0) {
        return Err(EvidenceError::Data {
            code: "TL354",
            message: "the treatment does not vary within units and periods".into(),
            help: "there must be treated and untreated units, and periods before and after".into(),
        });
    }
    let mut y: Vec<f64> = panel.outcomes().iter().map(|v| if v.is_nan() { 0.0 } else { *v }).collect();
    demean(&mut y, &seen, t)?;
    let beta = d.iter().zip(&y).map(|(d, y)| d * y).sum::<f64>() / denominator;
    let of_unit = |i: usize| -> f64 {
        let cells = i * t..(i + 1) * t;
        cells.map(|c| d[c] * (y[c] - beta * d[c])).sum::<f64>() / denominator
    };
    let influence = (0..n).map(of_unit).collect();
    let method = "twfe";
    let joint = Joint::from_influence(vec![method.into()], vec![beta], vec![influence], n as u64, method)?;
    let joint = joint.clustered(&codes_of(panel))?;
    let weights: Vec<f64> = (0..n * t).filter(|c| seen[*c] && on(*c) > 0.0).map(|c| d[c] / denominator).collect();
    let negative = weights.iter().filter(|w| **w < 0.0);
    Ok(Twfe {
        joint,
        negative_weight: -negative.clone().sum::<f64>() + 0.0,
        negative_cells: negative.count() as f64 / weights.len().max(1) as f64,
    })
}

/// Takes out unit and period means over the cells that are seen; the others stay 0.
fn demean(values: &mut [f64], seen: &[bool], t: usize) -> Result<(), EvidenceError> {
    let balanced = seen.iter().all(|s| *s);
    let scale = values.iter().fold(0.0, |m: f64, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    let mut counts = vec![0.0; t];
    seen.chunks(t).for_each(|row| counts.iter_mut().zip(row).for_each(|(c, s)| *c += f64::from(u8::from(*s))));
    for pass in 0..MOST_PASSES {
        let mut moved = 0.0_f64;
        let mut sums = vec![0.0; t];
        for (row, seen) in values.chunks_mut(t).zip(seen.chunks(t)) {
            let k = seen.iter().filter(|s| **s).count();
            let mean = row.iter().sum::<f64>() / k.max(1) as f64;
            moved = moved.max(mean.abs());
            for ((v, s), sum) in row.iter_mut().zip(seen).zip(&mut sums) {
                *v -= if *s { mean } else { 0.0 };
                *sum += *v;
            }
        }
        let means: Vec<f64> = sums.iter().zip(&counts).map(|(s, c)| if *c > 0.0 { s / c } else { 0.0 }).collect();
        moved = means.iter().fold(moved, |m, v| m.max(v.abs()));
        for (row, seen) in values.chunks_mut(t).zip(seen.chunks(t)) {
            row.iter_mut().zip(seen).zip(&means).filter(|((_, s), _)| **s).for_each(|((v, _), m)| *v -= m);
        }
        // In a balanced panel one pass is exact.
        if balanced || (pass > 0 && moved <= 1e-13 * scale) {
            return Ok(());
        }
    }
    Err(EvidenceError::NotFinite { what: "demeaning the unbalanced panel did not end; its two-way means".into() })
}

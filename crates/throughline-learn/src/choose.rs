//! The calibrator that does best on rows it has not seen.

use throughline_core::{Diagnostic, Estimate, Level};

use crate::checks::finite;
use crate::metrics::{brier_of, log_loss_of};
use crate::{CalibrationInput, CalibratorEntry, FittedCalibrator, LearnError};

/// Rows a choice needs for every fold.
const LEAST_PER_FOLD: usize = 2;

/// By which proper score calibrators are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProperScore {
    /// −ln p of what happened, bounded at 34.5: punishes certainty that fails.
    LogLoss,
    /// (p − y)²: forgives it.
    Brier,
}

impl ProperScore {
    fn of(self, probability: f64, event: bool) -> f64 {
        match self {
            Self::LogLoss => log_loss_of(probability, event),
            Self::Brier => brier_of(probability, event),
        }
    }
}

/// How one candidate did.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateLoss {
    /// Its name.
    pub name: &'static str,
    /// Weighted mean loss on rows it was not fitted on.
    pub loss: f64,
    /// Its loss less that of the chosen one, paired over rows; 0 for the chosen one.
    pub excess: Estimate,
}

/// A chosen calibrator.
#[derive(Debug)]
pub struct CalibratorChoice {
    /// The calibrator, fitted on all rows.
    pub fitted: Box<dyn FittedCalibrator>,
    /// Every candidate that could be fitted, in the order given.
    pub candidates: Vec<CandidateLoss>,
    /// The chosen calibrator's probability of each row from a fit without the row: what to judge the calibration by.
    pub out_of_fold: Vec<f64>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Chooses among `candidates` (all of [`CALIBRATORS`](crate::CALIBRATORS), say, with their default parameters) by
/// cross-validation: each is fitted on the scores of all folds but one and judged on that one; the least mean loss wins, the
/// earlier candidate where they are equal, and is fitted again on all rows.
///
/// The fold of a row is its rank by score modulo `folds` (2 to 100), so that folds are alike and nothing is random; equal rows
/// may change folds with each other when rows are reordered, which changes no loss. The scores themselves must be out of
/// fold. Candidates that refuse the scores (`identity` and `beta` outside 0 to 1) are left out.
///
/// With fewer than 2 rows a fold, or events of one class, nothing can be compared: the first candidate that can be fitted
/// and is not `identity` is taken and said (`TL755`, `TL750`).
///
/// # Errors
/// As for fitting; no candidates, or none that takes the scores.
pub fn choose_calibrator(
    candidates: &[CalibratorEntry],
    input: &CalibrationInput<'_>,
    folds: usize,
    score: ProperScore,
    level: Level,
) -> Result<CalibratorChoice, LearnError> {
    input.check()?;
    if !(2..=100).contains(&folds) {
        return Err(LearnError::Params {
            name: "choose_calibrator",
            message: format!("folds of {folds} is outside 2 to 100"),
        });
    }
    let one_class = input.event.iter().all(|e| *e == input.event[0]);
    if one_class || input.score.len() < LEAST_PER_FOLD * folds {
        return without_comparison(candidates, input, folds, one_class, level);
    }
    let order = input.order();
    let (mut tried, mut refused) = (Vec::new(), None);
    for entry in candidates {
        match out_of_fold(entry, input, &order, folds) {
            Ok(predicted) => tried.push((entry, predicted)),
            Err(error @ (LearnError::BadValues { .. } | LearnError::Empty { .. })) => refused = Some(error),
            Err(error) => return Err(error),
        }
    }
    let losses: Vec<Vec<f64>> =
        tried.iter().map(|(_, p)| order.iter().map(|&row| score.of(p[row], input.event[row])).collect()).collect();
    let weights: Vec<f64> = order.iter().map(|&row| input.weight(row)).collect();
    let total: f64 = weights.iter().sum();
    let mean = |values: &[f64]| values.iter().zip(&weights).map(|(v, w)| v * w).sum::<f64>() / total;
    let means: Vec<f64> = losses.iter().map(|l| mean(l)).collect();
    let best = (0..means.len()).reduce(|best, next| if means[next] < means[best] { next } else { best });
    let Some(best) = best else {
        return Err(refused.unwrap_or(LearnError::Empty { what: "calibrators to choose from" }));
    };
    let mut found = Vec::with_capacity(tried.len());
    for (index, (entry, _)) in tried.iter().enumerate() {
        let each: Vec<f64> = losses[index].iter().zip(&losses[best]).map(|(a, b)| a - b).collect();
        let excess = mean(&each);
        let squares: f64 = each.iter().zip(&weights).map(|(v, w)| (w * (v - excess)).powi(2)).sum();
        let error = squares.sqrt() / total;
        let excess = Estimate::wald(excess, error, None, order.len() as u64, level, "paired_loss")?;
        found.push(CandidateLoss { name: entry.name, loss: means[index], excess });
    }
    let (entry, predicted) = tried.swap_remove(best);
    let (fitted, diagnostics) = (entry.build)(&serde_json::Value::Null)?.fit(input)?;
    Ok(CalibratorChoice { fitted, candidates: found, out_of_fold: predicted, diagnostics })
}

/// The candidate's probability of each row from a fit on the other folds.
fn out_of_fold(
    entry: &CalibratorEntry,
    input: &CalibrationInput<'_>,
    order: &[usize],
    folds: usize,
) -> Result<Vec<f64>, LearnError> {
    let mut out = vec![0.0; order.len()];
    for fold in 0..folds {
        let part = |inside: bool| -> Vec<usize> {
            let ranks = order.iter().enumerate().filter(|(rank, _)| (rank % folds == fold) == inside);
            ranks.map(|(_, &row)| row).collect()
        };
        let (train, held) = (part(false), part(true));
        let pick = |rows: &[usize], from: &[f64]| -> Vec<f64> { rows.iter().map(|&row| from[row]).collect() };
        let (scores, weights) = (pick(&train, input.score), input.weights.map(|w| pick(&train, w)));
        let events: Vec<bool> = train.iter().map(|&row| input.event[row]).collect();
        let other = CalibrationInput { score: &scores, event: &events, weights: weights.as_deref() };
        let (fitted, _) = (entry.build)(&serde_json::Value::Null)?.fit(&other)?;
        let predicted = fitted.calibrate(&pick(&held, input.score))?;
        finite("calibrated probability", &predicted)?;
        held.iter().zip(predicted).for_each(|(&row, p)| out[row] = p);
    }
    Ok(out)
}

fn without_comparison(
    candidates: &[CalibratorEntry],
    input: &CalibrationInput<'_>,
    folds: usize,
    one_class: bool,
    level: Level,
) -> Result<CalibratorChoice, LearnError> {
    let mut refused = LearnError::Empty { what: "calibrators to choose from" };
    let plain = candidates.iter().filter(|e| e.name == crate::calibrators::identity::NAME);
    for entry in candidates.iter().filter(|e| e.name != crate::calibrators::identity::NAME).chain(plain) {
        match (entry.build)(&serde_json::Value::Null)?.fit(input) {
            Ok((fitted, mut diagnostics)) => {
                if !one_class {
                    let message = format!(
                        "{} rows are too few to compare calibrators in {folds} folds: `{}` was taken",
                        input.score.len(),
                        entry.name
                    );
                    diagnostics.push(Diagnostic::warning("TL755", message));
                }
                let out_of_fold = fitted.calibrate(input.score)?;
                let excess = Estimate::wald(0.0, 0.0, None, input.score.len() as u64, level, "paired_loss")?;
                let loss = out_of_fold.iter().zip(input.event).map(|(p, e)| log_loss_of(*p, *e)).sum::<f64>();
                let candidates =
                    vec![CandidateLoss { name: entry.name, loss: loss / out_of_fold.len() as f64, excess }];
                return Ok(CalibratorChoice { fitted, candidates, out_of_fold, diagnostics });
            }
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

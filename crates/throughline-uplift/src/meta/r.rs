//! R-learner: what is left of the outcome, on what is left of the treatment.

use throughline_core::Diagnostic;

use super::Pair;
use super::fitted::Fitted;
use crate::{Task, UpliftError};

pub(super) fn fit(pair: &Pair<'_>, found: &mut Vec<Diagnostic>) -> Result<Fitted, UpliftError> {
    let (outcome, arm) = (pair.training.outcome, pair.indicator());
    let folds = pair.folds();
    let mean = pair.outcome_out_of_fold(&pair.both, &folds)?;
    let propensity = pair.propensity(&folds, found)?;
    let (mut target, mut weights) = (vec![0.0; outcome.len()], vec![0.0; outcome.len()]);
    for &row in &pair.both {
        let left = arm[row] - propensity[row];
        target[row] = (outcome[row] - mean[row]) / left;
        weights[row] = left * left * pair.training.weights.map_or(1.0, |w| w[row]);
    }
    let effect = pair.fit(pair.meta.effect.as_ref(), &pair.both, &target, Some(&weights), Task::Mean)?;
    Ok(Fitted::Direct { effect })
}

//! DR-learner: a regression of doubly robust scores.

use throughline_core::Diagnostic;

use super::Pair;
use super::fitted::Fitted;
use crate::{Task, UpliftError};

pub(super) fn fit(pair: &Pair<'_>, found: &mut Vec<Diagnostic>) -> Result<Fitted, UpliftError> {
    let outcome = pair.training.outcome;
    let folds = pair.folds();
    let without = pair.outcome_out_of_fold(pair.control, &folds)?;
    let with = pair.outcome_out_of_fold(pair.treated, &folds)?;
    let propensity = pair.propensity(&folds, found)?;
    let mut score = vec![0.0; outcome.len()];
    for &row in &pair.both {
        let correction = if pair.is_treated(row) {
            (outcome[row] - with[row]) / propensity[row]
        } else {
            -(outcome[row] - without[row]) / (1.0 - propensity[row])
        };
        score[row] = with[row] - without[row] + correction;
    }
    let effect = pair.fit(pair.meta.effect.as_ref(), &pair.both, &score, None, Task::Mean)?;
    Ok(Fitted::Direct { effect })
}

//! X-learner: effects imputed within each arm from the outcome model of the other.

use super::fitted::{Fitted, Weight};
use super::{Pair, PropensitySource};
use crate::{FittedLearner, Task, UpliftError};

pub(super) fn fit(pair: &Pair<'_>, control: &dyn FittedLearner) -> Result<Fitted, UpliftError> {
    let (features, outcome) = (pair.training.features, pair.training.outcome);
    let treated = pair.outcome(pair.treated)?;
    let mut imputed = vec![0.0; outcome.len()];
    for (&row, without) in pair.treated.iter().zip(control.predict_rows(features, pair.treated)?) {
        imputed[row] = outcome[row] - without;
    }
    for (&row, with) in pair.control.iter().zip(treated.predict_rows(features, pair.control)?) {
        imputed[row] = with - outcome[row];
    }
    let effect = |rows: &[usize]| pair.fit(pair.meta.effect.as_ref(), rows, &imputed, None, Task::Mean);
    let weight = match pair.meta.params.propensity {
        PropensitySource::Shares => Weight::Share(pair.share()),
        PropensitySource::Estimated => {
            let learner = pair.meta.outcome.as_ref();
            let learnt = pair.fit(learner, &pair.both, &pair.indicator(), None, Task::Probability)?;
            Weight::Learnt { propensity: learnt, trim: pair.meta.params.trim }
        }
    };
    Ok(Fitted::Crossed { of_treated: effect(pair.treated)?, of_control: effect(pair.control)?, weight })
}

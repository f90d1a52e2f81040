//! S-learner: the arm is one more feature of one model.

use super::Pair;
use super::fitted::Fitted;
use crate::{FeatureMatrix, LearnerInput, UpliftError};

/// The name of the arm among the features.
const ARM: &str = "(arm)";

pub(super) fn fit(pair: &Pair<'_>) -> Result<Fitted, UpliftError> {
    let training = pair.training;
    #[expect(clippy::cast_possible_truncation, reason = "0 and 1")]
    let arm: Vec<f32> = pair.indicator().iter().map(|w| *w as f32).collect();
    let features = with_arm(training.features, arm)?;
    let input = LearnerInput {
        features: &features,
        rows: &pair.both,
        target: training.outcome,
        weights: training.weights,
        task: pair.task,
        threads: training.threads,
    };
    Ok(Fitted::Single { outcome: pair.meta.outcome.fit(&input)? })
}

/// Features with the arm of each row beside them.
pub(super) fn with_arm(features: &FeatureMatrix, arm: Vec<f32>) -> Result<FeatureMatrix, UpliftError> {
    let named = features.names().iter().enumerate();
    let mut columns: Vec<(String, Vec<f32>)> =
        named.filter_map(|(i, name)| Some((name.clone(), features.column(i)?.to_vec()))).collect();
    columns.push((ARM.to_owned(), arm));
    Ok(FeatureMatrix::from_columns(columns)?)
}

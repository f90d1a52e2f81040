//! What does not belong to the effect: expected outcome and chance of treatment of every row, out of fold.

use std::num::NonZeroUsize;

use super::bag::{Purpose, stream};
use super::params::{CLIP, ForestParams};
use crate::{Learner, LearnerInput, PropensitySource, Task, Training, UpliftError, learner};

/// Ŷ and Ŵ of the rows of one arm and the control, in their order.
#[derive(Debug)]
pub(crate) struct Nuisance {
    /// E[Y | x] over both arms.
    pub(crate) outcome: Vec<f64>,
    /// P(arm | x, arm or control), not yet clipped.
    pub(crate) propensity: Vec<f64>,
}

/// The base learners of a forest.
#[derive(Debug)]
pub(crate) struct Learners {
    pub(crate) outcome: Box<dyn Learner>,
    propensity: Box<dyn Learner>,
}

impl Learners {
    pub(crate) fn new(params: &ForestParams) -> Result<Self, UpliftError> {
        Ok(Self {
            outcome: (learner(&params.outcome_learner)?.build)(&params.outcome_params)?,
            propensity: (learner(&params.propensity_learner)?.build)(&params.propensity_params)?,
        })
    }
}

impl Nuisance {
    /// For the rows of an arm and the control. The chance of treatment is the one the data carries, or else as the
    /// parameters say.
    pub(crate) fn of_rows(
        training: &Training<'_>,
        rows: &[usize],
        arm: usize,
        params: &ForestParams,
        learners: &Learners,
    ) -> Result<Self, UpliftError> {
        let folds = Folds::draw(rows, arm, params);
        let outcome = folds.cross_fit(&*learners.outcome, training, training.outcome)?;
        let weight = |row: usize| training.weights.map_or(1.0, |w| w[row]);
        let treated = |row: usize| training.arm[row] as usize == arm;
        let propensity = match (training.propensity, params.propensity) {
            (Some(known), _) => rows.iter().map(|&r| known[arm][r] / (known[arm][r] + known[0][r])).collect(),
            (None, PropensitySource::Shares) => {
                let all: f64 = rows.iter().map(|&r| weight(r)).sum();
                let share: f64 = rows.iter().filter(|&&r| treated(r)).map(|&r| weight(r)).sum();
                vec![share / all; rows.len()]
            }
            (None, PropensitySource::Estimated) => {
                let target: Vec<f64> = (0..training.arm.len()).map(|r| f64::from(treated(r))).collect();
                folds.cross_fit(&*learners.propensity, training, &target)?
            }
        };
        Ok(Self { outcome, propensity })
    }

    /// The chance of treatment held away from 0 and 1, so that no residual treatment is 0.
    pub(crate) fn clipped(&self, position: usize) -> f64 {
        self.propensity[position].clamp(CLIP, 1.0 - CLIP)
    }
}

/// Rows in parts: each part is predicted from the others.
struct Folds<'a> {
    rows: &'a [usize],
    /// Part of each row.
    part: Vec<u64>,
    parts: u64,
}

impl<'a> Folds<'a> {
    fn draw(rows: &'a [usize], arm: usize, params: &ForestParams) -> Self {
        let draws = stream(params.seed, arm, Purpose::Folds, 0);
        let parts = params.folds as u64;
        Self { rows, part: (0..rows.len() as u64).map(|i| draws.index_at(i, parts)).collect(), parts }
    }

    fn split(&self, part: u64) -> (Vec<usize>, Vec<usize>) {
        let (mut positions, mut others) = (Vec::new(), Vec::new());
        for (position, row) in self.rows.iter().enumerate() {
            if self.part[position] == part {
                positions.push(position);
            } else {
                others.push(*row);
            }
        }
        (positions, others)
    }

    fn cross_fit(
        &self,
        learner: &dyn Learner,
        training: &Training<'_>,
        target: &[f64],
    ) -> Result<Vec<f64>, UpliftError> {
        let mut predicted = vec![0.0; self.rows.len()];
        for part in 0..self.parts {
            let (positions, others) = self.split(part);
            let input = LearnerInput {
                features: training.features,
                rows: &others,
                target,
                weights: training.weights,
                task: Task::of(target),
                threads: training.threads,
            };
            let fitted = learner.fit(&input)?;
            let asked: Vec<usize> = positions.iter().map(|&p| self.rows[p]).collect();
            let values = fitted.predict_rows(training.features, &asked)?;
            positions.into_iter().zip(values).for_each(|(p, v)| predicted[p] = v);
        }
        Ok(predicted)
    }
}

/// Threads of a fit.
pub(crate) fn threads_of(training: &Training<'_>, parts: usize) -> usize {
    training.threads.map_or_else(|| throughline_stats::parallel::threads_for(parts), NonZeroUsize::get)
}

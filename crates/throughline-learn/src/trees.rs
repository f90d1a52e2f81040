//! Gradient-boosted trees. The library behind it is named in this file only.

use hessboost::config::{TrainingParams, TreeMethod};
use hessboost::data::DMatrix;
use hessboost::error::HessboostError;
use hessboost::model::{BoostedModel, Iterations, ModelFormat};
use hessboost::objective::{Objective, RegLoss};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::design::parameters;
use crate::linear::finite;
use crate::{FeatureMatrix, FittedLearner, LearnError, Learner, LearnerInput, Task};

pub(crate) const NAME: &str = "boosted_trees";

/// Rows copied into row order at a time when predicting, so that memory does not grow with the rows.
const PREDICT_ROWS: usize = 8192;

/// Parameters of the boosted trees. The defaults are small, slow trees: effects are small beside the noise of outcomes,
/// and a deep tree in each arm would rank people by that noise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnerParams {
    /// Trees, 1 to 10,000.
    pub rounds: usize,
    /// Step size, in (0, 1].
    pub learning_rate: f64,
    /// Depth of each tree, 1 to 16.
    pub max_depth: usize,
    /// Least sum of second derivatives in a leaf: rows for a mean, rows × p(1 − p) for a probability.
    pub min_child_weight: f64,
    /// Ridge penalty on leaf values.
    pub lambda: f64,
    /// Share of rows drawn for each tree, in (0, 1].
    pub subsample: f64,
    /// Histogram bins of a feature.
    pub max_bins: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for LearnerParams {
    fn default() -> Self {
        Self {
            rounds: 100,
            learning_rate: 0.05,
            max_depth: 4,
            min_child_weight: 10.0,
            lambda: 1.0,
            subsample: 1.0,
            max_bins: 256,
            seed: 0,
        }
    }
}

impl LearnerParams {
    fn check(&self) -> Result<(), LearnError> {
        let fault = |message: String| Err(LearnError::Params { name: NAME, message });
        if !(1..=10_000).contains(&self.rounds) {
            return fault(format!("rounds of {} is outside 1 to 10000", self.rounds));
        }
        if !(1..=16).contains(&self.max_depth) {
            return fault(format!("max_depth of {} is outside 1 to 16", self.max_depth));
        }
        // The other bounds are those of the library, which checks them in the same words.
        self.library(Task::Mean, None).map(|_| ())
    }

    fn library(&self, task: Task, threads: Option<usize>) -> Result<TrainingParams, LearnError> {
        let objective = match task {
            Task::Mean => Objective::SquaredError(RegLoss::default()),
            Task::Probability => Objective::BinaryLogistic(RegLoss::default()),
        };
        let mut builder = TrainingParams::builder()
            .objective(objective)
            .tree_method(TreeMethod::Hist)
            .eta(self.learning_rate)
            .max_depth(self.max_depth)
            .min_child_weight(self.min_child_weight)
            .lambda(self.lambda)
            .subsample(self.subsample)
            .max_bin(self.max_bins)
            .seed(self.seed);
        if let Some(threads) = threads {
            builder = builder.nthread(threads);
        }
        builder.build().map_err(|e| LearnError::Params { name: NAME, message: e.to_string() })
    }
}

/// Gradient-boosted regression or classification trees on histograms.
///
/// Mean: squared error. Probability: log loss on the logit. A target that is the same in every row gives that constant.
#[derive(Debug, Clone)]
pub struct BoostedTrees {
    params: LearnerParams,
}

impl BoostedTrees {
    /// Checks the parameters.
    pub fn new(params: LearnerParams) -> Result<Self, LearnError> {
        params.check()?;
        Ok(Self { params })
    }
}

impl Learner for BoostedTrees {
    fn name(&self) -> &'static str {
        NAME
    }

    #[expect(clippy::cast_possible_truncation, reason = "the library learns in single precision")]
    fn fit(&self, input: &LearnerInput<'_>) -> Result<Box<dyn FittedLearner>, LearnError> {
        let Some(&first) = input.rows.first() else {
            return Err(LearnError::Empty { what: "rows for a learner" });
        };
        let constant = input.target[first];
        if input.rows.iter().all(|&row| input.target[row] == constant) {
            return Ok(Box::new(FittedTrees::Constant(constant)));
        }
        let labels: Vec<f32> = input.rows.iter().map(|&row| input.target[row] as f32).collect();
        let values = input.features.gather(&input.rows.iter().copied());
        let params = self.params.library(input.task, input.threads.map(std::num::NonZeroUsize::get))?;
        let mut data = DMatrix::from_dense_vec(values, input.rows.len(), input.features.names().len())
            .and_then(|d| d.with_labels(&labels))
            .map_err(refused)?;
        if let Some(weights) = input.weights {
            let weights: Vec<f32> = input.rows.iter().map(|&row| weights[row] as f32).collect();
            data = data.with_weights(&weights).map_err(refused)?;
        }
        let model = hessboost::training::train(&params, &data, self.params.rounds).map_err(refused)?;
        Ok(Box::new(FittedTrees::Trees(Box::new(model))))
    }
}

#[derive(Debug)]
enum FittedTrees {
    Constant(f64),
    Trees(Box<BoostedModel>),
}

impl FittedLearner for FittedTrees {
    fn name(&self) -> &'static str {
        NAME
    }

    fn predict_rows(&self, features: &FeatureMatrix, rows: &[usize]) -> Result<Vec<f64>, LearnError> {
        let model = match self {
            Self::Constant(value) => return Ok(vec![*value; rows.len()]),
            Self::Trees(model) => model,
        };
        let mut out = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(PREDICT_ROWS) {
            let values = features.gather(&chunk.iter().copied());
            let predicted = model.predict_rows(&values, Iterations::Best).map_err(refused)?;
            out.extend(predicted.as_slice().iter().map(|p| f64::from(*p)));
        }
        finite(NAME, out)
    }

    fn state(&self) -> Result<Value, LearnError> {
        match self {
            Self::Constant(value) => Ok(json!({ "constant": value })),
            Self::Trees(model) => {
                let bytes = model.encode(ModelFormat::Binary).map_err(refused)?;
                Ok(json!({ "trees": hex::encode(bytes) }))
            }
        }
    }
}

fn refused(error: HessboostError) -> LearnError {
    LearnError::Learner { name: NAME, source: Box::new(error) }
}

pub(crate) fn build(params: &Value) -> Result<Box<dyn Learner>, LearnError> {
    let params: LearnerParams = parameters(NAME, params)?;
    Ok(Box::new(BoostedTrees::new(params)?))
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedLearner>, LearnError> {
    let damaged = |message: String| LearnError::State { message };
    if let Some(value) = state.get("constant").and_then(Value::as_f64) {
        return Ok(Box::new(FittedTrees::Constant(value)));
    }
    let text =
        state.get("trees").and_then(Value::as_str).ok_or_else(|| damaged("a learner without trees".to_owned()))?;
    let bytes = hex::decode(text).map_err(|e| damaged(e.to_string()))?;
    let model = BoostedModel::decode(bytes, ModelFormat::Binary).map_err(|e| damaged(e.to_string()))?;
    Ok(Box::new(FittedTrees::Trees(Box::new(model))))
}

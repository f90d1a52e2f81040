//! What a forest can be told, and the bounds of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{PropensitySource, UpliftError};

/// The name in the registry.
pub(crate) const NAME: &str = "forest";

/// Trees that share one half-sample: the "little bag" from whose spread standard errors come.
pub(crate) const GROUP: usize = 2;

/// The chance of an arm against control is held this far from 0 and 1 before residuals are taken.
pub(crate) const CLIP: f64 = 1e-3;

/// The learner of outcomes and propensities where none is named.
const DEFAULT_LEARNER: &str = "boosted_trees";

/// Parameters of the honest forest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForestParams {
    /// Trees of each arm, an even number from 2 to 100,000. More trees steady the standard errors first of all.
    pub trees: usize,
    /// Share of the rows drawn for each little bag of two trees, in (0, 0.5]. Half of it places the splits, the other half
    /// fills the leaves.
    pub sample_fraction: f64,
    /// Features tried at a node, on average; `null` for min(⌈√p⌉ + 20, p).
    pub mtry: Option<usize>,
    /// Rows of either arm that each side of a split keeps, at least 1.
    pub min_node_size: u32,
    /// Share of a node's treatment information n₁ n₀ / n that each side of a split keeps, in [0, 0.25].
    pub alpha: f64,
    /// Charge λ (1 / information left + 1 / information right) against the gain of a split, at least 0.
    pub imbalance_penalty: f64,
    /// Quantile bins of a feature, 2 to 255.
    pub max_bins: usize,
    /// Parts of the cross-fit of outcomes and propensities, 2 to 20.
    pub folds: usize,
    /// Name of the base learner of outcomes.
    pub outcome_learner: String,
    /// Its parameters; `null` for the defaults.
    pub outcome_params: Value,
    /// Where the chance of treatment comes from.
    pub propensity: PropensitySource,
    /// Name of the base learner of propensities.
    pub propensity_learner: String,
    /// Its parameters; `null` for the defaults.
    pub propensity_params: Value,
    /// Rows whose chance of treatment is outside [trim, 1 − trim] are left out of average effects, in [0, 0.5).
    pub trim: f64,
    /// Seed of every draw.
    pub seed: u64,
}

impl Default for ForestParams {
    fn default() -> Self {
        Self {
            trees: 500,
            sample_fraction: 0.5,
            mtry: None,
            min_node_size: 5,
            alpha: 0.05,
            imbalance_penalty: 0.0,
            max_bins: 255,
            folds: 2,
            outcome_learner: DEFAULT_LEARNER.to_owned(),
            outcome_params: Value::Null,
            propensity: PropensitySource::Estimated,
            propensity_learner: DEFAULT_LEARNER.to_owned(),
            propensity_params: Value::Null,
            trim: 0.01,
            seed: 0,
        }
    }
}

impl ForestParams {
    pub(crate) fn check(&self) -> Result<(), UpliftError> {
        let fault = |message: String| Err(UpliftError::Params { name: NAME, message });
        if !(GROUP..=100_000).contains(&self.trees) || !self.trees.is_multiple_of(GROUP) {
            return fault(format!("trees of {} is not an even number from 2 to 100000", self.trees));
        }
        if !(self.sample_fraction > 0.0 && self.sample_fraction <= 0.5) {
            return fault(format!("sample_fraction of {} is outside 0 (excluded) to 0.5", self.sample_fraction));
        }
        if self.mtry == Some(0) {
            return fault("mtry of 0 tries no feature".to_owned());
        }
        if self.min_node_size == 0 {
            return fault("min_node_size of 0 is below 1".to_owned());
        }
        if !(0.0..=0.25).contains(&self.alpha) {
            return fault(format!("alpha of {} is outside 0 to 0.25", self.alpha));
        }
        if !(0.0..=1e100).contains(&self.imbalance_penalty) {
            return fault(format!("imbalance_penalty of {} is outside 0 to 1e100", self.imbalance_penalty));
        }
        if !(2..=255).contains(&self.max_bins) {
            return fault(format!("max_bins of {} is outside 2 to 255", self.max_bins));
        }
        if !(2..=20).contains(&self.folds) {
            return fault(format!("folds of {} is outside 2 to 20", self.folds));
        }
        if !(0.0..0.5).contains(&self.trim) {
            return fault(format!("trim of {} is outside 0 to 0.5 (excluded)", self.trim));
        }
        Ok(())
    }

    /// Features tried at a node, on average: never more than there are.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a root of at most 65,534")]
    pub(crate) fn tried(&self, features: usize) -> usize {
        self.mtry.unwrap_or_else(|| (features as f64).sqrt().ceil() as usize + 20).min(features)
    }
}

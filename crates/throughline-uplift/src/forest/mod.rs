//! Honest causal forest: effects that differ between people, with standard errors.
//!
//! For one arm W ∈ {0, 1} against the control the effect at x solves the local moment condition
//! Σ αᵢ(x) (Ỹᵢ − μ − W̃ᵢ τ(x)) (1, W̃ᵢ) = 0 with residuals Ỹ = Y − E[Y | x] and W̃ = W − P(W = 1 | x); αᵢ(x) says how often row i
//! shares a leaf with x. Source: S. Athey, J. Tibshirani, S. Wager, "Generalized random forests", Annals of Statistics 47
//! (2019); residuals after Robinson (1988). The defaults are those of the R package grf, except for the number of trees.
//!
//! - Residuals are taken out of fold, by base learners ([`ForestParams`]).
//! - Features become one byte each: at most 255 quantile bins and a code for missing. Missing values go to whichever
//!   side of a split gains more.
//! - Two trees share a half-sample. Each places its splits by one half of it and fills its leaves by the other
//!   ("honesty"), so that a split that chased noise does not inflate effects. Empty leaves are pruned.
//! - Splits maximise the spread of pseudo-outcomes, the first-order influence of rows on the effect of their node.
//! - Standard errors compare little bags of trees. They are for one person's effect: the mean of a group needs
//!   [`OutOfBag::average_effect`].
//!
//! Several arms: one forest each, on its rows and the control's. Assumes that arms were assigned at random, or at random
//! given the features. Rows of the training data get effects from trees that saw them; [`Grown::out_of_bag`] has the others.
//!
//! The same seed gives the same bits on any number of threads: draws are functions of tree, node and row, sums of labels
//! are whole numbers, other sums have a fixed order. Per-row weight lists are never formed.

mod params;

mod bins;

mod bag;

mod label;

mod split;

mod tree;

mod grow;

mod moments;

mod nuisance;

mod average;

mod importance;

mod fit;

mod fitted;

mod state;

use serde_json::Value;

pub use average::{AverageEffect, OutOfBag};
pub use fit::{Forest, Grown};
pub use fitted::FittedForest;
pub use importance::FeatureImportance;
pub use params::ForestParams;
pub(crate) use params::NAME;
pub(crate) use state::load;

use crate::{UpliftError, UpliftModel};

pub(crate) fn build(params: &Value) -> Result<Box<dyn UpliftModel>, UpliftError> {
    let params: ForestParams = match params {
        Value::Null => ForestParams::default(),
        given => serde_json::from_value(given.clone())
            .map_err(|e| UpliftError::Params { name: NAME, message: e.to_string() })?,
    };
    Ok(Box::new(Forest::new(params)?))
}

//! Uplift models: they predict, per row, how much each arm changes the outcome against the control.

use std::fmt;

use serde_json::Value;
use throughline_core::Diagnostic;

use crate::{AverageEffect, FeatureImportance, FeatureMatrix, Training, UpliftError, forest, meta, two_model};

/// The effect of one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct ArmEffect {
    /// Name of the arm.
    pub arm: String,
    /// E[outcome | arm, x] − E[outcome | control, x], one finite value per row, in the unit of the outcome.
    pub effect: Vec<f64>,
    /// Standard error of each effect, where the model knows one: not negative, infinite for a row of which the model knows
    /// nothing.
    pub std_error: Option<Vec<f64>>,
}

/// Predicted effects. Standard errors per person stand beside them where the model has any; none is made up. Judge
/// effects by groups (`evaluate`).
#[derive(Debug, Clone, PartialEq)]
pub struct Effects {
    /// Predicted outcome without treatment, one value per row.
    pub mu_control: Vec<f64>,
    /// The arms that have a model, in the order of training. An arm that was too small is absent.
    pub arms: Vec<ArmEffect>,
}

impl Effects {
    /// The effects of an arm, when it has a model.
    pub fn of(&self, arm: &str) -> Option<&[f64]> {
        self.arms.iter().find(|a| a.arm == arm).map(|a| a.effect.as_slice())
    }
}

/// An unfitted uplift model with its parameters.
pub trait UpliftModel: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Learns the effects of every arm with enough rows; the same bits for any number of threads.
    fn fit(&self, training: &Training<'_>) -> Result<(Box<dyn FittedUplift>, Vec<Diagnostic>), UpliftError>;
}

/// A fitted uplift model.
pub trait FittedUplift: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Features it expects, in order.
    fn features(&self) -> &[String];

    /// Arms it has effects for, in order, the control not among them.
    fn arms(&self) -> Vec<&str>;

    /// Effects of every arm for every row.
    fn effects(&self, features: &FeatureMatrix) -> Result<Effects, UpliftError>;

    /// Average effect of every arm over the training data, for models that estimate one.
    fn average_effects(&self) -> &[AverageEffect] {
        &[]
    }

    /// Which features the effects of an arm were searched along, for models that know; the most important first.
    fn importance(&self, arm: &str) -> Option<Vec<FeatureImportance>> {
        let _ = arm;
        None
    }

    /// All it knows, as JSON from which [`UpliftEntry::load`] makes the same model, bit for bit.
    fn state(&self) -> Result<Value, UpliftError>;
}

/// One model of the registry.
#[derive(Debug, Clone, Copy)]
pub struct UpliftEntry {
    /// Name in configuration and artefacts.
    pub name: &'static str,
    /// Builds it from parameters (`null` for the defaults).
    pub build: fn(&Value) -> Result<Box<dyn UpliftModel>, UpliftError>,
    /// Restores a fitted one from its state.
    pub load: fn(&Value) -> Result<Box<dyn FittedUplift>, UpliftError>,
}

/// Every uplift model.
pub const UPLIFT_MODELS: &[UpliftEntry] = &[
    UpliftEntry { name: two_model::NAME, build: two_model::build, load: two_model::load },
    UpliftEntry { name: meta::NAMES[0], build: meta::build_s, load: meta::load },
    UpliftEntry { name: meta::NAMES[1], build: meta::build_x, load: meta::load },
    UpliftEntry { name: meta::NAMES[2], build: meta::build_r, load: meta::load },
    UpliftEntry { name: meta::NAMES[3], build: meta::build_dr, load: meta::load },
    UpliftEntry { name: forest::NAME, build: forest::build, load: forest::load },
];

/// The entry of a name; an unknown name answers with the known ones.
pub fn uplift_model(name: &str) -> Result<&'static UpliftEntry, UpliftError> {
    UPLIFT_MODELS.iter().find(|entry| entry.name == name).ok_or_else(|| UpliftError::UnknownName {
        what: "uplift model",
        name: name.to_owned(),
        known: UPLIFT_MODELS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}

//! Designing experiments: how many units, who gets what, and what the plan promises before anything is read.
//!
//! - [`PowerPlan`]: sample size, power and minimum detectable effect with the estimator that will read the experiment, by
//!   formula; [`simulate`] does the same on a file of historic units;
//! - [`Assigner`]: deterministic salted assignment, with layers that exclude each other, a global holdout, strata and clusters;
//! - [`factorial`] and [`switchback`]: designs with their readings;
//! - [`Plan`]: the design as one document that a reading can be held against.

mod power;

mod answer;

pub mod simulate;

mod assign;

mod strata;

pub mod factorial;

pub mod switchback;

mod plan;

mod entries;

#[cfg(test)]
mod tests;

pub use answer::{ArmSize, PowerAnswer};
pub use assign::{Arm, Assigner, Holdout, Layer, Placed};
pub use entries::ESTIMATORS;
pub use plan::{Plan, PlanArm, StopRule};
pub use power::{Allocation, Clusters, Effect, Looks, MetricPlan, PowerPlan};
pub use strata::{Stratified, stratified};

use crate::EvidenceError;

fn unusable(code: &'static str, message: String, help: &str) -> EvidenceError {
    EvidenceError::Data { code, message, help: help.to_owned() }
}

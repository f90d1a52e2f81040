#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod features;

mod learner;

mod design;

mod linear;

mod logistic;

mod trees;

pub use error::LearnError;
pub use features::{FeatureMatrix, narrow};
pub use learner::{FittedLearner, LEARNERS, Learner, LearnerEntry, LearnerInput, Task, learner};
pub use linear::{Linear, LinearParams};
pub use logistic::{Logistic, LogisticParams};
pub use trees::{BoostedTrees, LearnerParams};

#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod features;

mod encoder;

mod training;

mod learner;

mod trees;

mod model;

mod two_model;

mod artefact;

mod ranking;

mod evaluate;

mod qini;

pub use artefact::{ARTEFACT_VERSION, Artefact, content_hash};
pub use encoder::{Encoder, Encoding, MAX_LEVELS, Raw, RawColumn};
pub use error::UpliftError;
pub use evaluate::{Evaluation, GroupEffect, RankingVerdict, evaluate};
pub use features::FeatureMatrix;
pub use learner::{FittedLearner, LEARNERS, Learner, LearnerEntry, LearnerInput, Task, learner};
pub use model::{ArmEffect, Effects, FittedUplift, UPLIFT_MODELS, UpliftEntry, UpliftModel, uplift_model};
pub use qini::{Curve, QiniScores, qini_curve, qini_scores, uplift_curve};
pub use ranking::Scored;
pub use training::{MIN_ARM_ROWS, Training};
pub use trees::{BoostedTrees, LearnerParams};
pub use two_model::{TwoModel, TwoModelParams};

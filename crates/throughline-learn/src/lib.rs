#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod features;

mod learner;

mod design;

mod linear;

mod logistic;

mod trees;

mod checks;

mod metrics;

mod calibrator;

mod calibrators;

mod choose;

mod conformal;

pub use calibrator::{
    CALIBRATORS, CalibrationInput, Calibrator, CalibratorEntry, FittedCalibrator, calibrator, load_calibrator,
};
pub use calibrators::{Beta, Identity, Isotonic, Platt, PlattParams, ScoreScale};
pub use choose::{CalibratorChoice, CandidateLoss, ProperScore, choose_calibrator};
pub use conformal::{ConformalInterval, SplitConformal};
pub use error::LearnError;
pub use features::{FeatureMatrix, narrow};
pub use learner::{FittedLearner, LEARNERS, Learner, LearnerEntry, LearnerInput, Task, learner};
pub use linear::{Linear, LinearParams};
pub use logistic::{Logistic, LogisticParams};
pub use metrics::{
    Auc, BrierParts, CalibrationError, LiftRow, LogLoss, Predicted, ReliabilityBin, auc, auc_between, brier,
    calibration_error, lift_table, log_loss,
};
pub use trees::{BoostedTrees, LearnerParams};

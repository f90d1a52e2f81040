#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod encoder;

mod training;

mod model;

mod two_model;

mod meta;

mod forest;

mod artefact;

mod ranking;

mod evaluate;

mod qini;

mod evaluation;

pub use artefact::{ARTEFACT_VERSION, Artefact, content_hash};
pub use encoder::{Encoder, Encoding, MAX_LEVELS, Raw, RawColumn};
pub use error::UpliftError;
pub use evaluate::{Evaluation, GroupEffect, RankingVerdict, evaluate};
pub use evaluation::{
    CausalMlScores, EffectCalibration, EffectGroup, EffectGroups, EffectLosses, EffectScores, GAIN_GRID, GainBand,
    GainCurve, MIN_PROPENSITY, Observed, PercentileRow, PercentileStrategy, PoissonBootstrap, Propensity, Rate,
    RateTarget, calibrate_effects, causalml_scores, effect_losses, effect_losses_between, effects_by_period,
    effects_by_quantile, effects_by_segment, gain_bands, paired_difference, rate, rate_between, toc, uplift_at,
    uplift_by_percentile, weighted_average_uplift,
};
pub use forest::{AverageEffect, FeatureImportance, FittedForest, Forest, ForestParams, Grown, OutOfBag};
pub use meta::{Meta, MetaParams, PropensitySource};
pub use model::{ArmEffect, Effects, FittedUplift, UPLIFT_MODELS, UpliftEntry, UpliftModel, uplift_model};
pub use qini::{Curve, QiniScores, qini_curve, qini_scores, uplift_curve};
pub use ranking::Scored;
pub use throughline_learn::{
    BoostedTrees, FeatureMatrix, FittedLearner, LEARNERS, LearnError, Learner, LearnerEntry, LearnerInput,
    LearnerParams, Task, learner,
};
pub use training::{MIN_ARM_ROWS, Training};
pub use two_model::{TwoModel, TwoModelParams};

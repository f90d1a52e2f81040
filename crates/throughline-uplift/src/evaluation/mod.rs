//! Evaluation of rankings and of predicted effects: the named scores of other tools, doubly robust measures with
//! intervals, calibration by group and losses.
//!
//! Invariant: nothing here depends on the order of rows. Tied scores count by their expectation over all orders of the
//! tied rows; sums are taken in an order that the values themselves give.

mod hypergeometric;

mod causalml;

mod part;

mod percentile;

mod scores;

mod rate;

mod band;

mod calibration;

mod groups;

mod loss;

pub use band::{GAIN_GRID, GainBand, GainCurve, PoissonBootstrap, gain_bands, paired_difference};
pub use calibration::{EffectCalibration, calibrate_effects};
pub use causalml::{CausalMlScores, causalml_scores};
pub use groups::{EffectGroup, EffectGroups, effects_by_period, effects_by_quantile, effects_by_segment};
pub use loss::{EffectLosses, effect_losses, effect_losses_between};
pub use percentile::{PercentileRow, PercentileStrategy, uplift_at, uplift_by_percentile, weighted_average_uplift};
pub use rate::{Rate, RateTarget, rate, rate_between, toc};
pub use scores::{EffectScores, MIN_PROPENSITY, Observed, Propensity};

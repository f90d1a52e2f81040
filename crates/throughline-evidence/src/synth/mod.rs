//! Synthetic controls and synthetic difference-in-differences. See `docs/methods/synthetic-control.md`.
//!
//! Weights come from one exact solver ([`simplex`]); what is estimated is in [`control`], [`predictors`], [`ridge`] and
//! [`sdid`]; how sure it is in [`placebo`], [`conformal`] and [`variance`]; what a panel answers in [`read_control`] and
//! [`read_sdid`].

pub mod conformal;
pub mod control;
pub mod details;
pub mod frank_wolfe;
pub mod nelder_mead;
pub mod path;
pub mod placebo;
pub mod predictors;
mod read;
mod read_sdid;
pub mod ridge;
pub mod sdid;
pub mod simplex;
mod simulate;
pub mod study;
pub mod variance;

pub use read::{Inference, PredictorSpec, ReadSpec, read_control};
pub use read_sdid::read_sdid;
pub use simulate::ESTIMATORS;
pub(crate) use simulate::factor_model;

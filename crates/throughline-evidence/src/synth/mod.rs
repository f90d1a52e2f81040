//! Synthetic controls.

pub mod conformal;
pub mod control;
pub mod frank_wolfe;
pub mod nelder_mead;
pub mod path;
pub mod placebo;
pub mod predictors;
pub mod ridge;
pub mod sdid;
pub mod simplex;
pub mod study;
pub mod variance;

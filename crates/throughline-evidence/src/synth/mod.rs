//! Synthetic controls.

pub mod conformal;
pub mod control;
pub mod frank_wolfe;
pub mod path;
pub mod ridge;
pub mod simplex;
pub mod study;

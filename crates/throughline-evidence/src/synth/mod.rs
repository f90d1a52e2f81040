//! Synthetic controls.

pub mod frank_wolfe;
pub mod path;
pub mod simplex;

//! The one inference contract: what every estimator returns, and what every reader of it may ask.
//!
//! An estimator returns a [`Joint`] (values with their influence values), or an [`Estimate`](throughline_core::Estimate)
//! made by `Estimate::inverted`, `from_draws` or `ranked` where its inference is of that kind. p-values, sets, bands,
//! clustered errors, power and confidence sequences all derive from that one object; nothing computes them beside it.

mod band;

mod joint;

mod table;

mod report;

pub use band::{Band, WaldTest};
pub use joint::Joint;
pub use report::{Finding, Report};
pub use table::{Column, Table};

//! One series before and after an intervention: what would it have been without?
//!
//! [`structural`] learns a Bayesian structural time-series model before the intervention and predicts the path that the
//! outcome would have taken (CausalImpact's question); [`segmented`] is the frequentist sibling, a regression with a
//! change of level and slope. [`Grid`] lays a regular grid on the times of a file, so that gaps are known as gaps.

mod calendar;

mod grid;

mod components;

mod small;

mod random;

mod filter;

mod posterior;

mod model;

mod effects;

mod smooth;

mod checks;

mod words;

pub mod structural;

pub mod segmented;

mod simulate;

pub use checks::{Test, ljung_box};
pub use components::{Season, Structure, Trend};
pub use effects::Effects;
pub use filter::{Collapsed, Rows, collapse};
pub use grid::Grid;
pub use model::{Fit, Forecast, Series, Settings, Window};
pub use posterior::{Draw, Posterior, Priors, VariancePrior, g_prior};
pub use simulate::ESTIMATORS;
pub use smooth::{History, history};
pub use words::in_words;

#[cfg(test)]
mod tests;

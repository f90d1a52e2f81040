//! Reading experiments.
//!
//! Two ways lead to a [`Reading`]. An [`Accumulator`] takes in units as they stream by, in constant memory, for means and
//! proportions. [`read`] takes a [`Table`](crate::Table) with one row a unit and a [`Plan`], and adds what needs single
//! units: ratios, quantiles, windows, capping, adjustment by covariates and strata, clusters, simultaneous bands, health
//! checks and segments. Both give the same figures for the same question.

mod spec;

mod plan;

mod accumulator;

mod reading;

mod checks;

mod welch;

mod outcome;

mod arm;

mod adjust;

mod regression;

mod strata;

mod effect;

mod rows;

mod judge;

mod looks;

mod verdict;

mod health;

mod crossover;

mod groups;

mod segments;

mod bayes;

pub mod sums;

mod setup;

mod read;

mod simulate;

pub use accumulator::Accumulator;
pub use bayes::{Posterior, Prior};
pub use crossover::Crossover;
pub use health::{HealthChecks, Implausible, Outliers, Trend};
pub use judge::NonInferiority;
pub use looks::Looks;
pub use plan::{Alternative, Cap, Kind, Margin, Metric, Plan};
pub use read::read;
pub use reading::{ArmReading, Comparison, Health, MetricReading, Reading, Srm};
pub use segments::{SegmentEffect, Segmentation};
pub use simulate::ESTIMATORS;
pub use spec::{ArmSpec, Correction, ExperimentSpec, MetricKind, MetricSpec};

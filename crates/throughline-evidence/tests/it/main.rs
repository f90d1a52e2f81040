//! Tests of the crate as its users see it.

mod experiment;
mod experiment_checks;
mod experiment_units;
mod registry;

//! Tests of the crate as its users see it.

mod adjust;
mod experiment;
mod iv;
mod ledger;
mod rd;
mod experiment_checks;
mod experiment_units;
mod registry;
mod synth;

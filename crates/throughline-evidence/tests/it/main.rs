//! Tests of the crate as its users see it.

mod adjust;
mod experiment;
mod experiment_checks;
mod experiment_units;
mod iv;
mod ledger;
mod rd;
mod registry;
mod synth;

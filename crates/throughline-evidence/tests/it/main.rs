//! Tests of the crate as its users see it.

mod experiment;
mod ledger;
mod registry;
mod synth;

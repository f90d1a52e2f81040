//! Tests of the crate as its users see it.

mod experiment;
mod iv;
mod ledger;
mod rd;
mod registry;
mod synth;

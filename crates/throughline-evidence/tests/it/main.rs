//! Tests of the crate as its users see it.

mod experiment;
mod ledger;
mod iv;
mod rd;
mod registry;
mod synth;

//! Tests of the crate as its users see it.

mod experiment;
mod iv;
mod rd;
mod registry;

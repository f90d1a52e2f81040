//! Tests of the crate as its users see it.

mod adjust;
mod experiment;
mod registry;

//! Reference values, laws that hold for every model, and bad input.

mod clusters;
mod laws;
mod reference;
mod support;

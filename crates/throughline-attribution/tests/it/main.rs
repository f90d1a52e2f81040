//! Reference values, laws that hold for every model, and bad input.

mod laws;
mod reference;
mod support;

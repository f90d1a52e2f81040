//! Typed expressions.

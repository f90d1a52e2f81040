//! A simulated market whose causal truth is known.

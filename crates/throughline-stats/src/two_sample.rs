//! two_sample.

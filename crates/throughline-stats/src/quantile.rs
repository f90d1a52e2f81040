//! quantile.

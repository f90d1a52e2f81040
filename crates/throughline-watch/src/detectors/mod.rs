//! One file per detector; each is named in `registry.rs`.

pub(crate) mod median_mad;

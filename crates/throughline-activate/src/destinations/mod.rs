//! One file or folder per adapter; each is named in `registry.rs`.

pub(crate) mod file;

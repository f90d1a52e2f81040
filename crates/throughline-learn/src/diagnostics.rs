//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL701", "infinite values count as missing"),
    ("TL702", "a column has no values"),
    ("TL703", "a column has one value only"),
];

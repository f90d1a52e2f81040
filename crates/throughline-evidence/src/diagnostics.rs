//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL301", "the arms do not have the sizes the plan promised (sample ratio mismatch)"),
    ("TL302", "units are in an arm that should have none"),
    ("TL303", "values of a metric are missing"),
    ("TL304", "a proportion is neither 0 nor 1"),
    ("TL305", "unusable values differ between arms"),
    ("TL306", "a comparison has no estimate"),
    ("TL307", "one arm of a comparison does not vary"),
    ("TL308", "units name an arm that is not declared"),
    ("TL309", "fewer than 5 units are expected in an arm"),
];

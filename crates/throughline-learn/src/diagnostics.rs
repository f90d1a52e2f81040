//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL701", "infinite values count as missing"),
    ("TL702", "a column has no values"),
    ("TL703", "a column has one value only"),
    ("TL750", "the events of a calibration or metric are all of one class"),
    ("TL751", "a probability of 0 or 1 is contradicted by the event"),
    ("TL752", "scores do not vary, or separate the classes"),
    ("TL753", "a calibrator turns scores round: higher scores go with fewer events"),
    ("TL754", "too few rows for the level of a conformal interval"),
    ("TL755", "too few rows for the bins or folds asked for"),
];

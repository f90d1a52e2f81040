//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL704", "a category has more levels than are kept"),
    ("TL705", "levels were not seen in training and count as missing"),
    ("TL706", "the outcome has one value only"),
    ("TL707", "an arm is too small for a model of its own"),
    ("TL708", "the outcome of an arm has one value only"),
    ("TL709", "the ranking is inside the noise"),
    ("TL740", "propensities were moved away from 0 and 1"),
    ("TL741", "predicted effects do not vary, or are too few for a calibration"),
    ("TL742", "a group has too few rows of an arm for an effect of its own"),
    ("TL710", "some people could only be in one of two arms"),
    ("TL711", "a forest has no tree to estimate from"),
];

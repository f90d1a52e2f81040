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
    ("TL370", "instruments are weak, or do not identify the effect"),
    ("TL371", "controls are combinations of others"),
    ("TL372", "instruments are constant or combinations of controls and other instruments"),
    ("TL373", "fewer instruments than endogenous variables"),
    ("TL374", "a column does not vary once the controls are held fixed"),
    ("TL375", "rows with missing values are left out"),
    ("TL376", "too few rows for the model"),
    ("TL377", "instruments contradict each other (overidentification)"),
    ("TL378", "few clusters for clustered errors"),
    ("TL379", "a column of texts becomes 0/1 columns"),
    ("TL380", "too few units on a side of the cut-off"),
    ("TL381", "the score has few distinct values"),
    ("TL382", "the density of the score jumps at the cut-off (manipulation)"),
    ("TL383", "something jumps that should not: a covariate at the cut-off, or the outcome at a placebo cut-off"),
    ("TL384", "treatment does not jump clearly at the cut-off"),
];

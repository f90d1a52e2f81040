//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL451", "an expression of a feature or metric cannot be used"),
    ("TL452", "an aggregate needs a value expression, or has one too many"),
    ("TL453", "two features or metrics have one name"),
    ("TL454", "an experiment names a control that is none of its arms"),
    ("TL455", "settings of a metric or covariate of an experiment do not go together"),
];

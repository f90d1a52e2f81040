//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL470", "two lookback overrides are about the same channel and interaction"),
    ("TL471", "the path transform `frequency` is not the last of its list"),
    ("TL472", "a time zone is not known"),
    ("TL473", "a setting of journeys contradicts another or is out of range"),
    ("TL474", "refunds name an order that no counted conversion of the person has"),
    ("TL475", "conversions have no order id, so that repeats cannot be told"),
    ("TL476", "rows have no person or no time and are left out"),
    ("TL477", "rows have a time outside the accepted years and are left out"),
    ("TL478", "a value is no finite number; the row counts without value"),
    ("TL479", "refunds have no order id and reduce nothing"),
    ("TL480", "signals do not fit together or are out of order"),
    ("TL481", "a column has a type that its use cannot read"),
    ("TL482", "a field is no instant or no truth value; the row is left out"),
];

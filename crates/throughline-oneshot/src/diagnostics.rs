//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL030", "the delimiter is not one character"),
    ("TL031", "the header of a file cannot be read"),
    ("TL032", "the file is empty"),
    ("TL033", "a column is not in the file"),
    ("TL034", "a row has another number of fields than the header"),
    ("TL035", "a file cannot be read to its end"),
    ("TL036", "a row is not UTF-8"),
    ("TL037", "a field is not a number"),
    ("TL045", "the confidence level is out of range"),
    ("TL046", "the file has no usable row"),
    ("TL051", "reference data is absent"),
    ("TL057", "a file is not readable as Parquet"),
    ("TL065", "an analysis is not possible with these data or settings"),
    ("TL066", "a study's command or options are not known"),
    ("TL067", "a file holds no answer that could be recorded as evidence"),
    ("TL460", "a row of a person is not one journey"),
];

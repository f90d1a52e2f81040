//! Stable codes of the command line.

/// Code and meaning.
#[expect(dead_code, reason = "read by `cargo xtask codegen`, which lists every code in docs/diagnostics.md")]
pub(crate) const CODES: &[(&str, &str)] = &[
    ("TL030", "the delimiter is not one character"),
    ("TL031", "the header of a file cannot be read"),
    ("TL032", "the file is empty"),
    ("TL033", "a column is not in the file"),
    ("TL034", "a row has another number of fields than the header"),
    ("TL035", "a file cannot be read to its end"),
    ("TL036", "a row is not UTF-8"),
    ("TL037", "a field is not a number"),
    ("TL040", "the folder holds a project already"),
    ("TL041", "the example is not known"),
    ("TL042", "an instant cannot be read"),
    ("TL043", "a person needs an id"),
    ("TL044", "there is no such thing to explain"),
    ("TL045", "the confidence level is out of range"),
    ("TL046", "the file has no usable row"),
    ("TL047", "a unit has no arm"),
    ("TL048", "no unit has the control"),
    ("TL049", "a weight is not ARM=WEIGHT"),
    ("TL050", "the group of checks is not known"),
    ("TL051", "reference data is absent"),
    ("TL052", "the market scenario is neither a preset nor a file"),
    ("TL053", "the project has no truth to be held against"),
    ("TL054", "the project has no finished run"),
    ("TL055", "the number of markets or of their people is out of range"),
    ("TL056", "the folder holds no market that could go on"),
    ("TL057", "a file is not readable as Parquet"),
    ("TL058", "an outcome of matching is not known"),
    ("TL059", "a text is not the token of an identifier"),
];

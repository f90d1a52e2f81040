//! The stable codes of this crate.

/// Codes of `destinations/*.yaml`, with what they mean.
pub const CODES: &[(&str, &str)] = &[
    (
        codes::YAML,
        "the file is not a destination: YAML syntax, an unknown key, a missing key or a value of the wrong type",
    ),
    (codes::VERSION, "`apiVersion` or `kind` is not the expected one of a destination"),
    (codes::NAME, "the destination's name is not a plain word, or is used twice"),
    (codes::ADAPTER, "unknown adapter"),
    (codes::OPTIONS, "the adapter does not accept its options"),
    (codes::PURPOSE, "unknown consent purpose"),
    (codes::IDENTIFIER, "unknown kind of identifier"),
    (codes::FILTER, "the filter of a destination is refused"),
    (codes::FIELD, "the expression of an output column is refused"),
    (codes::COLUMN, "no output columns, or an output column whose name is not a plain word"),
];

/// The codes by name.
pub(crate) mod codes {
    pub(crate) const YAML: &str = "TL801";
    pub(crate) const VERSION: &str = "TL802";
    pub(crate) const NAME: &str = "TL803";
    pub(crate) const ADAPTER: &str = "TL804";
    pub(crate) const OPTIONS: &str = "TL805";
    pub(crate) const PURPOSE: &str = "TL806";
    pub(crate) const IDENTIFIER: &str = "TL807";
    pub(crate) const FILTER: &str = "TL808";
    pub(crate) const FIELD: &str = "TL809";
    pub(crate) const COLUMN: &str = "TL810";
}

//! The stable codes of this crate.

/// Codes of `approvals/*.yaml`, with what they mean.
pub const CODES: &[(&str, &str)] = &[
    (
        codes::YAML,
        "the file is not an approval rule: YAML syntax, an unknown key, a missing key or a value of the wrong type",
    ),
    (codes::VERSION, "`apiVersion` or `kind` is not the expected one of an approval rule"),
    (codes::NAME, "the approval rule's name is not a plain word, or is used twice"),
    (codes::WHAT, "an approval rule is about something unknown"),
    (codes::CONDITION, "the condition of an approval rule is refused"),
    (codes::BOUND, "a number or text of an approval rule lies outside its bounds"),
    (codes::VOTER, "an approval rule names an unknown role or sign-off, or nobody at all"),
];

/// The codes by name.
pub(crate) mod codes {
    pub(crate) const YAML: &str = "TL961";
    pub(crate) const VERSION: &str = "TL962";
    pub(crate) const NAME: &str = "TL963";
    pub(crate) const WHAT: &str = "TL964";
    pub(crate) const CONDITION: &str = "TL965";
    pub(crate) const BOUND: &str = "TL966";
    pub(crate) const VOTER: &str = "TL967";
}

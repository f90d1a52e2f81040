//! Stable codes of the command line.

/// Code and meaning.
#[expect(dead_code, reason = "read by `cargo xtask codegen`, which lists every code in docs/diagnostics.md")]
pub(crate) const CODES: &[(&str, &str)] = &[
    ("TL040", "the folder holds a project already"),
    ("TL041", "the example is not known"),
    ("TL042", "an instant cannot be read"),
    ("TL043", "a person needs an id"),
    ("TL044", "there is no such thing to explain"),
    ("TL047", "a unit has no arm"),
    ("TL048", "no unit has the control"),
    ("TL049", "a weight is not ARM=WEIGHT"),
    ("TL050", "the group of checks is not known"),
    ("TL052", "the market scenario is neither a preset nor a file"),
    ("TL053", "the project has no truth to be held against"),
    ("TL054", "the project has no finished run"),
    ("TL055", "the number of markets or of their people is out of range"),
    ("TL056", "the folder holds no market that could go on"),
    ("TL058", "an outcome of matching is not known"),
    ("TL059", "a text is not the token of an identifier"),
    ("TL061", "a text names nobody who could be erased"),
    ("TL062", "a file cannot be read as JSON"),
];

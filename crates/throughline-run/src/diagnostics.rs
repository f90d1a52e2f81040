//! Stable codes of a project and its run.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL001", "a file is not valid YAML of its kind"),
    ("TL002", "the folder holds no project"),
    ("TL003", "the project has no sources"),
    ("TL004", "the apiVersion is not known"),
    ("TL005", "a file is of another kind than its place says"),
    ("TL006", "an attribution model cannot be used"),
    ("TL007", "two files have one name"),
    ("TL010", "a policy names an unknown experiment"),
    ("TL011", "a policy names an unknown metric"),
    ("TL012", "a policy names an unknown uplift model"),
    ("TL013", "an eligibility rule cannot be used"),
    ("TL014", "the name of a policy is not a plain word"),
    ("TL015", "a schedule cannot be kept"),
    ("TL016", "the ledger's address cannot be used"),
    ("TL017", "a rule of matching names an unknown source"),
    ("TL018", "a permission to link cannot be used"),
    ("TL020", "a conversion is in another currency than the project"),
    ("TL021", "the files of a source cannot be found"),
];

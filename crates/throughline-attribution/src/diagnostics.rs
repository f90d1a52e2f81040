//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL401", "a path has no steps; the row is refused"),
    ("TL402", "blank steps were skipped"),
    ("TL403", "a count is negative or no number; the row is refused"),
    ("TL404", "a value is no finite number; the row is refused"),
    ("TL405", "ages of touches do not fit the path; the row is refused"),
    ("TL406", "only some rows have ages of touches, so none are used"),
    ("TL407", "a step names a channel by a number that is not known; the row is refused"),
    ("TL411", "a last state has negative value, so value follows conversions"),
    ("TL412", "every removal effect is 0, so the last touch takes the credit"),
    ("TL490", "there is no evidence on some or all channels, so they have no causal number"),
    ("TL491", "a credit cannot be calibrated"),
    ("TL492", "evidence is not used, and why"),
    ("TL493", "evidence of one experiment is there more than once and counts once"),
    ("TL494", "pieces of evidence on one channel are in conflict"),
    ("TL495", "an experiment found an effect of a channel that has no credit there"),
    ("TL496", "few channels have evidence, so the prior says how much channels differ"),
    ("TL497", "channels differ in what they cause for each credited conversion"),
];

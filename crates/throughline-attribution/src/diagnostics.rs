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
    ("TL430", "the additive hazard still improved at the limit of passes"),
    ("TL431", "the decay of a channel's hazard stands at its bound"),
    ("TL432", "all journeys have the same outcome, so a logistic regression splits paths evenly"),
    ("TL433", "no channel of a path adds to its probability of conversion, so it is split evenly"),
    ("TL435", "which order of a markov chain predicts held-out journeys best, with the scores"),
];

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
    ("TL450", "journeys name no person (or other cluster); each counts as one alone"),
    ("TL451", "there are more journeys or paths than can be numbered; the row is refused"),
    ("TL413", "some channels have negative Shapley values: journeys with them convert less than without"),
    ("TL414", "some sets of channels were sampled for the Shapley value, with the standard error and bound given"),
    ("TL415", "conversions without a touch so close, which go to their last touch"),
    ("TL416", "channels with negative raw credit of Shao and Li's model, counted as 0"),
    ("TL417", "no channel has raw credit in Shao and Li's model, so paths split evenly"),
    ("TL430", "the additive hazard still improved at the limit of passes"),
    ("TL431", "the decay of a channel's hazard stands at its bound"),
    ("TL432", "all journeys have the same outcome, so a logistic regression splits paths evenly"),
    ("TL433", "no channel of a path adds to its probability of conversion, so it is split evenly"),
];

//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL901", "the set of actions is not usable: none, or not exactly one of kind none"),
    ("TL902", "a name or arm is missing, repeated or unknown"),
    ("TL903", "a cost or cool-down is negative or no number"),
    ("TL904", "the margin is no usable number"),
    ("TL905", "a limit lies outside its range"),
    ("TL906", "an action can never be chosen, or always is"),
    ("TL907", "the budget allows less exploration than asked for"),
    ("TL911", "the log gives little support to the policy: few effective rows"),
    ("TL912", "some logged probabilities are vanishing"),
    ("TL913", "the weights do not average to one"),
];

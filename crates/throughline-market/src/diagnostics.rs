//! The diagnostic codes of this crate.

/// Code and summary, in order.
pub const DIAGNOSTICS: &[(&str, &str)] = &[
    ("TL951", "a share or probability of the market scenario lies outside 0 to 1"),
    ("TL952", "a budget, cost or amount of the market scenario is negative or not finite"),
    ("TL953", "the market scenario names an unknown channel"),
    ("TL954", "a size, duration or effect of the market scenario lies outside its bounds"),
    ("TL955", "shares of the market scenario that must sum to one do not"),
    ("TL956", "the market scenario's currency, start or region is not usable"),
    ("TL957", "the market scenario is of another kind, or effects of its channels refer to themselves or to nothing"),
];

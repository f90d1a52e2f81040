//! Stable codes of this crate.

/// Code and meaning.
pub const CODES: &[(&str, &str)] = &[
    ("TL301", "the arms do not have the sizes the plan promised (sample ratio mismatch)"),
    ("TL302", "units are in an arm that should have none"),
    ("TL303", "values of a metric are missing"),
    ("TL304", "a proportion is neither 0 nor 1"),
    ("TL305", "unusable values differ between arms"),
    ("TL306", "a comparison has no estimate"),
    ("TL307", "one arm of a comparison does not vary"),
    ("TL308", "units name an arm that is not declared"),
    ("TL309", "fewer than 5 units are expected in an arm"),
    ("TL320", "settings of an experiment's reading do not go together"),
    ("TL321", "values were capped (winsorised)"),
    ("TL322", "units are in more than one arm"),
    ("TL323", "units stand in several rows"),
    ("TL324", "covariates are missing for some units"),
    ("TL325", "a covariate was left out of the adjustment"),
    ("TL326", "strata were merged"),
    ("TL327", "few units carry an effect"),
    ("TL328", "the effect changes with time"),
    ("TL329", "an effect is implausibly large"),
    ("TL330", "conversions lie outside the window, or windows are not over"),
    ("TL331", "denominators of a ratio are negative"),
    ("TL332", "a quantile has too little around it"),
    ("TL333", "clusters are few or in more than one arm"),
    ("TL334", "segments were left out"),
];

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
    ("TL350", "a unit has several rows for one period"),
    ("TL351", "cells of a panel are missing"),
    ("TL352", "a treatment switches off"),
    ("TL353", "a treatment, period or cluster cannot be read as one"),
    ("TL354", "a panel has nothing to compare: no treated unit, no untreated one, or no period before the treatment"),
    ("TL355", "the trends before the treatment differ"),
    ("TL356", "a treated group has too few units"),
    ("TL357", "covariates are missing or combinations of one another"),
    ("TL358", "treated and untreated units do not overlap in their covariates"),
    ("TL359", "one coefficient mixes effects of groups that were treated at different times"),
];

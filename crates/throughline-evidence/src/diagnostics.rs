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
    ("TL385", "the treatment is not 0 or 1, or no treated value is named"),
    ("TL386", "an arm has too few units, or the treatment does not vary"),
    ("TL387", "the outcome does not vary"),
    ("TL388", "rows with missing values are left out"),
    ("TL389", "a covariate is the same for every unit, or there is none that varies"),
    ("TL390", "a covariate is a combination of others and is left out"),
    ("TL391", "a column of texts has too many levels"),
    ("TL392", "the arms do not overlap"),
    ("TL393", "the arms hardly overlap: propensities were moved to a bound"),
    ("TL394", "covariates are still out of balance"),
    ("TL395", "covariates tell some treated and control units apart perfectly"),
    ("TL396", "covariates determine the treatment"),
    ("TL397", "too few units or clusters for the folds or covariates"),
    ("TL398", "a hidden confounder as strong as one that was seen would overturn the effect"),
    ("TL399", "a learner or method cannot do what is asked"),
];

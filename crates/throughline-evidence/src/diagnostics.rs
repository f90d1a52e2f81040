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
    ("TL335", "a plan of looks or its spending of the error rate is not possible"),
    ("TL336", "a look does not fit its group sequential plan"),
    ("TL337", "a mixture test cannot be set up or read"),
    ("TL338", "arms differ from the promised sizes at some look, or their counts are no counts"),
    ("TL339", "a setting of a power question or a design is out of range"),
    ("TL340", "the effect of a power question cannot be found"),
    ("TL341", "a history is not usable for simulation"),
    ("TL342", "the arms, factors or salt of an assignment are not usable"),
    ("TL343", "a part of a layer or a holdout is not possible, or parts overlap"),
    ("TL344", "units have no identifier, level or value"),
    ("TL345", "a unit is in a file more than once"),
    ("TL346", "a cluster is in several strata"),
    ("TL347", "a switchback has too few blocks or periods, or two rows of one period"),
    ("TL348", "the stretches of a switchback do not fit its washout"),
    ("TL349", "an experiment departs from its plan"),
];

//! What a difference-in-differences may be asked for.

use throughline_core::Level;

/// Which units a treated group is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// Units that are never treated within the panel.
    Never,
    /// Those, and units whose treatment has not begun yet in either period of the comparison.
    NotYet,
}

/// Which period the others are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    /// The period before, as long as the treatment has not begun; the last period before the treatment after that.
    Varying,
    /// The last period before the treatment throughout, as an event study has it.
    Universal,
}

/// How covariates come in. Without covariates all three are the difference of mean changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Regression of the controls' change on the covariates (Heckman, Ichimura, Todd 1997).
    Regression,
    /// Controls weighted by the odds of being treated, weights that sum to 1 (Abadie 2005, Hájek form).
    Weighting,
    /// Both: right if either model is (Sant'Anna, Zhao 2020).
    DoublyRobust,
}

impl Adjustment {
    /// The name in the field's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Regression => "reg",
            Self::Weighting => "ipw",
            Self::DoublyRobust => "dr",
        }
    }
}

/// How effects of groups and periods become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregate {
    /// All treated cells, weighted by the size of their group.
    Simple,
    /// The mean effect of each group, weighted by its size.
    Group,
    /// The mean over times since the treatment began.
    Dynamic,
    /// The mean over periods.
    Calendar,
}

impl Aggregate {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Self; 4] = [Self::Simple, Self::Group, Self::Dynamic, Self::Calendar];

    /// The name in the field's words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Group => "group",
            Self::Dynamic => "dynamic",
            Self::Calendar => "calendar",
        }
    }
}

/// Settings of Callaway and Sant'Anna's estimator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CsOptions {
    /// Which units are controls.
    pub controls: Controls,
    /// Which period is the base.
    pub base: Base,
    /// How long before its beginning the treatment may have an effect, in the units of the periods.
    pub anticipation: f64,
    /// How covariates come in.
    pub adjustment: Adjustment,
    /// Which aggregation is the answer.
    pub aggregate: Aggregate,
    /// Confidence level.
    pub level: Level,
    /// Seed of the simultaneous bands.
    pub seed: u64,
}

impl Default for CsOptions {
    /// Never-treated controls, varying base, no anticipation, doubly robust, by group, 95 %.
    fn default() -> Self {
        Self {
            controls: Controls::Never,
            base: Base::Varying,
            anticipation: 0.0,
            adjustment: Adjustment::DoublyRobust,
            aggregate: Aggregate::Group,
            level: Level::P95,
            seed: 1,
        }
    }
}

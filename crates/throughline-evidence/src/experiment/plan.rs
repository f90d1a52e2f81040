//! How a table of units is read: which columns mean what, and how each metric is judged.

use serde::{Deserialize, Serialize};
use throughline_core::{Level, Side};

use super::{Looks, Prior};
use crate::{Correction, EvidenceError, MetricKind};

/// What is measured of each unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A column of numbers; a proportion where all are 0 or 1, unless the kind is given.
    Column {
        /// The column.
        column: String,
        /// Mean or proportion; found out without.
        kind: Option<MetricKind>,
    },
    /// Sum of one column over the sum of another, as revenue per order: Σ numerator / Σ denominator.
    Ratio {
        /// Column summed above.
        numerator: String,
        /// Column summed below.
        denominator: String,
    },
    /// A quantile of a column.
    Quantile {
        /// The column.
        column: String,
        /// Which, between 0 and 1.
        at: f64,
    },
    /// Whether the time of conversion lies within a window after the exposure: 0 ≤ time − exposure ≤ window. A unit
    /// without a time of conversion has not converted.
    Conversion {
        /// Column of the time of conversion.
        time: String,
        /// Column of the time of exposure.
        exposed: String,
        /// Length of the window, in the columns' unit.
        within: f64,
        /// When the data end, in the columns' unit: units whose window is not over by then have no value.
        until: Option<f64>,
    },
}

/// Where values are capped (winsorised).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cap {
    /// At this value.
    Value(f64),
    /// At this quantile of the values of all arms together, so that every arm has the same cap.
    Quantile(f64),
}

/// How much worse than the control an arm may be, above 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Margin {
    /// In the metric's unit.
    Absolute(f64),
    /// As a share of the control's mean.
    Relative(f64),
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Name in the reading.
    pub name: String,
    /// What is measured.
    pub kind: Kind,
    /// Where values are capped; a ratio's numerator is.
    pub cap: Option<Cap>,
    /// Column of the same metric before the experiment, for CUPED; for a ratio `NUMERATOR/DENOMINATOR` may be given.
    pub cuped: Option<String>,
    /// Margin of non-inferiority.
    pub margin: Option<Margin>,
    /// Whether less is better, which decides the direction of margins and verdicts.
    pub lower_is_better: bool,
}

impl Metric {
    /// A metric of one column with its name.
    pub fn column(name: impl Into<String>) -> Self {
        let column = name.into();
        Self::new(column.clone(), Kind::Column { column, kind: None })
    }

    /// A metric without cap, covariate and margin, of which more is better.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self { name: name.into(), kind, cap: None, cuped: None, margin: None, lower_is_better: false }
    }
}

/// What is held against the hypothesis of no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// An effect in either direction.
    #[default]
    TwoSided,
    /// The arm is above the control.
    Greater,
    /// The arm is below the control.
    Less,
}

impl Alternative {
    /// The side, where there is one.
    pub const fn side(self) -> Option<Side> {
        match self {
            Self::TwoSided => None,
            Self::Greater => Some(Side::Greater),
            Self::Less => Some(Side::Less),
        }
    }
}

/// How an experiment is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Column of the arm.
    pub assignment: String,
    /// The arm the others are compared with.
    pub control: String,
    /// Planned share by arm; arms not named have 1.
    pub weights: Vec<(String, f64)>,
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// Columns of covariates from before the assignment, for regression adjustment of every metric.
    pub covariates: Vec<String>,
    /// Column of strata from before the assignment, for post-stratification of every metric.
    pub strata: Option<String>,
    /// Column of clusters, where units are not independent.
    pub cluster: Option<String>,
    /// Column that identifies the unit, to find those in several rows or arms.
    pub unit: Option<String>,
    /// Columns of segments whose effects are asked for.
    pub segments: Vec<String>,
    /// Column of a time, for the check of a changing effect.
    pub time: Option<String>,
    /// One or two sides.
    pub alternative: Alternative,
    /// Correction for several comparisons.
    pub correction: Correction,
    /// How it is looked at more than once; once, at its end, without.
    pub sequential: Option<Looks>,
    /// Prior of the relative lift for the posterior; flat without.
    pub prior: Option<Prior>,
    /// Confidence level.
    pub level: Level,
    /// Seed of the draws behind simultaneous bands.
    pub seed: u64,
}

impl Plan {
    /// A plan with the usual settings: two-sided at 95 % for one look, no adjustment, no correction.
    pub fn new(assignment: impl Into<String>, control: impl Into<String>) -> Self {
        Self {
            assignment: assignment.into(),
            control: control.into(),
            weights: Vec::new(),
            metrics: Vec::new(),
            covariates: Vec::new(),
            strata: None,
            cluster: None,
            unit: None,
            segments: Vec::new(),
            time: None,
            alternative: Alternative::TwoSided,
            correction: Correction::None,
            sequential: None,
            prior: None,
            level: Level::P95,
            seed: 1,
        }
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, metric: Metric) -> Self {
        self.metrics.push(metric);
        self
    }

    /// Refuses settings that contradict each other or are outside what is possible.
    pub fn validate(&self) -> Result<(), EvidenceError> {
        let setting = |what, value, bounds| Err(EvidenceError::Setting { what, value, bounds });
        for metric in &self.metrics {
            match metric.kind {
                Kind::Quantile { at, .. } if !(at > 0.0 && at < 1.0) => {
                    return setting("quantile", at, "0 to 1, both excluded");
                }
                Kind::Conversion { within, .. } if !(within > 0.0 && within.is_finite()) => {
                    return setting("window", within, "the lengths above 0");
                }
                _ => {}
            }
            match metric.cap {
                Some(Cap::Quantile(q)) if !(q > 0.0 && q < 1.0) => {
                    return setting("winsorising quantile", q, "0 to 1, both excluded");
                }
                Some(Cap::Value(v)) if !v.is_finite() => return setting("winsorising value", v, "the finite numbers"),
                _ => {}
            }
            if let Some(Margin::Absolute(m) | Margin::Relative(m)) = metric.margin
                && !(m > 0.0 && m.is_finite())
            {
                return setting("non-inferiority margin", m, "the numbers above 0");
            }
            if metric.cuped.is_some() && !(self.covariates.is_empty() && self.strata.is_none()) {
                return Err(together("CUPED and regression adjustment", "name the covariate of CUPED as a covariate"));
            }
        }
        self.sequential.as_ref().map_or(Ok(()), Looks::validate)?;
        if self.level.alpha() <= 0.0 {
            return setting("confidence level", self.level.get(), "the shares below 1");
        }
        let plain = self.alternative == Alternative::TwoSided && self.sequential.is_none();
        if self.correction == Correction::Bands && !plain {
            let help = "bands are two-sided and for one look; use holm or bh with one side or a sequence";
            return Err(together("simultaneous bands and a one-sided or sequential reading", help));
        }
        if self.alternative != Alternative::TwoSided && self.sequential.is_some() && self.level.alpha() >= 0.5 {
            return setting("level of a one-sided confidence sequence", self.level.get(), "0.5 to 1, 0.5 excluded");
        }
        Ok(())
    }
}

fn together(what: &str, help: &str) -> EvidenceError {
    EvidenceError::Data { code: "TL320", message: format!("{what} cannot be combined"), help: help.into() }
}

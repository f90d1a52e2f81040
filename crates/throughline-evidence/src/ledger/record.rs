//! Evidence as it is kept: a causal effect with what it is about, how it was learned and until when it may be used.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use throughline_core::{Diagnostic, Estimate, EvidenceTier, Severity, Timestamp};

use crate::{Comparison, EvidenceError, Finding, Health, Reading, Report};

/// How the two arms are set against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contrast {
    /// Difference of means per unit.
    Absolute,
    /// Difference of means over the control's mean.
    Relative,
}

/// The quantity an estimate is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimand {
    /// The metric.
    pub metric: String,
    /// The treated arm.
    pub treatment: String,
    /// The arm it is compared with.
    pub control: String,
    /// How they are set against each other.
    pub contrast: Contrast,
}

/// Where and when the effect was observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The action whose effect it is.
    pub action: String,
    /// The segment, when not everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// The region, when not everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<String>,
    /// First instant observed.
    pub period_start: Timestamp,
    /// Last instant observed.
    pub period_end: Timestamp,
}

/// How the effect was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Design {
    /// Units assigned to arms at random.
    RandomisedExperiment,
    /// Regions compared with a weighted mean of other regions.
    GeoExperiment,
    /// One unit switched between arms at random over time.
    Switchback,
    /// Change over time of treated units against that of untreated ones.
    DifferenceInDifferences,
    /// A treated unit against a weighted mean of untreated ones.
    SyntheticControl,
    /// Both at once.
    SyntheticDifferenceInDifferences,
    /// One series against what it would have been.
    InterruptedTimeSeries,
    /// A cause moved by something that moves nothing else.
    InstrumentalVariable,
    /// Either side of a threshold of a score.
    RegressionDiscontinuity,
    /// Comparison adjusted for what was observed.
    Adjustment,
}

impl Design {
    /// The best tier that evidence of this design can have.
    pub const fn tier(self) -> EvidenceTier {
        match self {
            Self::RandomisedExperiment | Self::Switchback => EvidenceTier::Randomised,
            Self::GeoExperiment
            | Self::DifferenceInDifferences
            | Self::SyntheticControl
            | Self::SyntheticDifferenceInDifferences
            | Self::InterruptedTimeSeries
            | Self::InstrumentalVariable
            | Self::RegressionDiscontinuity => EvidenceTier::QuasiExperiment,
            Self::Adjustment => EvidenceTier::Modelled,
        }
    }

    /// Whether its assumptions are kept by how units were assigned, so that checks suffice. Those of other designs
    /// somebody has to answer for.
    pub const fn is_randomised(self) -> bool {
        matches!(self, Self::RandomisedExperiment | Self::Switchback)
    }
}

/// Where evidence comes from. Everything of one source rests on the same data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// The experiment or study by name.
    pub name: String,
    /// Fingerprint of the data, where known: another one means more data of the same source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// One piece of evidence for the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// Identifier, unique in its ledger.
    pub id: String,
    /// Where it comes from; in records without one the id tells, up to its first `/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What is estimated.
    pub estimand: Estimand,
    /// Where and when.
    pub scope: Scope,
    /// How.
    pub design: Design,
    /// What it may be used as; below the design's own tier when a check failed.
    pub tier: EvidenceTier,
    /// Whether the design's checks passed.
    pub health: Health,
    /// The effect.
    pub estimate: Estimate,
    /// What must hold for the estimate to mean what it says.
    pub assumptions: Vec<String>,
    /// What its reader must know.
    pub diagnostics: Vec<Diagnostic>,
    /// When it is too old to use; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// What belongs to the method: paths, weights, placebos.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// What evidence is about and where it comes from: all but the numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Identifier, unique in its ledger.
    pub id: String,
    /// Where it comes from.
    pub source: Source,
    /// What is estimated.
    pub estimand: Estimand,
    /// Where and when.
    pub scope: Scope,
    /// How.
    pub design: Design,
    /// When it is too old to use; never when absent.
    pub expires_at: Option<Timestamp>,
}

impl EvidenceRecord {
    /// The record of a comparison's absolute or relative effect, with the health and diagnostics of its reading.
    pub fn from_comparison(
        about: About,
        reading: &Reading,
        comparison: &Comparison,
        contrast: Contrast,
    ) -> Result<Self, EvidenceError> {
        let (estimate, absent) = match contrast {
            Contrast::Absolute => (&comparison.estimate, &comparison.estimate_absent),
            Contrast::Relative => (&comparison.relative, &comparison.relative_absent),
        };
        let estimate = estimate.clone().ok_or_else(|| EvidenceError::NoEstimate {
            arm: comparison.arm.clone(),
            metric: comparison.metric.clone(),
            reason: absent.clone().unwrap_or_default(),
        })?;
        let mut report = Report::new(estimate.method.clone(), reading.tier, estimate);
        report.diagnostics.clone_from(&reading.diagnostics);
        Ok(Self { health: reading.health, tier: reading.tier, ..Self::from_report(about, report)? })
    }

    /// The record of a report's main estimate. Its tier is the lower of the report's and the design's; a report with an
    /// error among its diagnostics is suspect and of tier 0. Errors: a period that ends before it starts.
    pub fn from_report(about: About, report: Report) -> Result<Self, EvidenceError> {
        let About { id, source, estimand, scope, design, expires_at } = about;
        let mut details = report.details;
        if !report.comparisons.is_empty() {
            details.insert("comparisons".to_owned(), report.comparisons.iter().map(flat).collect());
        }
        if scope.period_end < scope.period_start {
            return Err(EvidenceError::BadPeriod { start: scope.period_start, end: scope.period_end });
        }
        let suspect = report.diagnostics.iter().any(|d| d.severity == Severity::Error);
        let (tier, health) = if suspect {
            (EvidenceTier::Associational, Health::Suspect)
        } else {
            (report.tier.min(design.tier()), Health::Healthy)
        };
        Ok(Self {
            id,
            source: Some(source),
            estimand,
            scope,
            design,
            tier,
            health,
            estimate: report.estimate,
            assumptions: report.assumptions,
            diagnostics: report.diagnostics,
            expires_at,
            details: if details.is_empty() { Value::Null } else { Value::Object(details) },
        })
    }

    /// Whether it may still be used at an instant.
    pub fn is_current(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| at < end)
    }

    /// The name of its source.
    pub fn source_name(&self) -> &str {
        match &self.source {
            Some(source) => &source.name,
            None => self.id.split('/').next().unwrap_or(&self.id),
        }
    }

    /// Whether the other record answers the same question from the same source, so that only the later one counts.
    pub fn same_question(&self, other: &Self) -> bool {
        let scope = |r: &Self| (r.scope.action.clone(), r.scope.segment.clone(), r.scope.geo.clone());
        self.source_name() == other.source_name()
            && self.design == other.design
            && self.estimand == other.estimand
            && scope(self) == scope(other)
    }
}

/// What stands beside the main estimate, as a row of a table; an open end is null.
fn flat(finding: &Finding) -> Value {
    let e = &finding.estimate;
    let (low, high) = e.interval();
    let end = |x: f64| x.is_finite().then_some(x);
    json!({ "name": finding.name, "value": e.value, "std_error": e.std_error, "low": end(low), "high": end(high),
            "p_value": e.p_value, "n": e.n })
}

//! Evidence as it is kept: a causal effect with what it is about, how it was learned and until when it may be used.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Estimate, EvidenceTier, Timestamp};

use crate::{Comparison, EvidenceError, Health, Reading};

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
}

/// One piece of evidence for the ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// Identifier, unique in its ledger.
    pub id: String,
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
}

impl EvidenceRecord {
    /// The record of a comparison's absolute or relative effect, with the health and diagnostics of its reading.
    pub fn from_comparison(
        id: impl Into<String>,
        reading: &Reading,
        comparison: &Comparison,
        contrast: Contrast,
        scope: Scope,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, EvidenceError> {
        if scope.period_end < scope.period_start {
            return Err(EvidenceError::BadPeriod { start: scope.period_start, end: scope.period_end });
        }
        let (estimate, absent) = match contrast {
            Contrast::Absolute => (&comparison.estimate, &comparison.estimate_absent),
            Contrast::Relative => (&comparison.relative, &comparison.relative_absent),
        };
        let estimate = estimate.clone().ok_or_else(|| EvidenceError::NoEstimate {
            arm: comparison.arm.clone(),
            metric: comparison.metric.clone(),
            reason: absent.clone().unwrap_or_default(),
        })?;
        Ok(Self {
            id: id.into(),
            estimand: Estimand {
                metric: comparison.metric.clone(),
                treatment: comparison.arm.clone(),
                control: comparison.control.clone(),
                contrast,
            },
            scope,
            design: Design::RandomisedExperiment,
            tier: reading.tier,
            health: reading.health,
            assumptions: estimate.assumptions.clone(),
            estimate,
            diagnostics: reading.diagnostics.clone(),
            expires_at,
        })
    }

    /// Whether it may still be used at an instant.
    pub fn is_current(&self, at: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| at < end)
    }
}

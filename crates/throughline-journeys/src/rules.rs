//! The rules by which a timeline becomes journeys.

use serde::{Deserialize, Serialize};
use throughline_core::consent::Withdrawal;
use throughline_paths::{ConversionConfig, JourneyConfig};

use crate::segments::SegmentConfig;

/// Everything that decides what the journeys of a timeline are. It travels with a plan, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JourneyRules {
    /// Windows, sessions, direct traffic, transforms.
    pub config: JourneyConfig,
    /// The declared conversions.
    pub conversions: Vec<ConversionConfig>,
    /// What a withdrawal does to earlier events.
    pub withdrawal: Withdrawal,
    /// Which groups people are in.
    #[serde(default)]
    pub segments: Vec<SegmentConfig>,
}

//! The `journeys` section of `attribution.yaml` and the `conversions` of `throughline.yaml`.

use serde::{Deserialize, Serialize};
use throughline_core::{EventKind, EventRole, Lookback};

/// A business outcome the project declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversionConfig {
    /// Name in tables and reports.
    pub name: String,
    /// Event kind that is the conversion.
    pub kind: EventKind,
    /// For custom kinds: the event's `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
}

/// What one step of a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum TouchUnit {
    /// Touches of one channel within a session count once.
    #[default]
    Session,
    /// Every touch counts.
    Touch,
}

/// Transforms of the path, as Snowplow's `fractribution` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// The path as it is.
    #[default]
    None,
    /// Consecutive repeats of a channel count once.
    Exposure,
    /// Only the first occurrence of each channel counts.
    First,
}

/// Which journeys without conversion are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum NullJourneys {
    /// What a person did after the last conversion, or all of it without one.
    #[default]
    Remainder,
    /// Only of people who never converted.
    NeverConverted,
    /// None.
    None,
}

/// How touches become journeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JourneyConfig {
    /// Touches older than this before the conversion are dropped.
    pub lookback_days: Lookback,
    /// A pause longer than this starts a session.
    pub session_minutes: u32,
    /// Event kinds that are touches; empty means every kind that a person took part in.
    pub touch_kinds: Vec<EventKind>,
    /// What one step of a path is.
    pub unit: TouchUnit,
    /// Transform of the path.
    pub transform: Transform,
    /// Channel that means direct traffic.
    pub direct_channel: String,
    /// Drop direct touches when another channel is in the window.
    pub ignore_direct: bool,
    /// Which journeys without conversion are kept.
    pub null_journeys: NullJourneys,
    /// Most touches of a journey; the latest are kept.
    pub max_touches: usize,
}

impl Default for JourneyConfig {
    fn default() -> Self {
        Self {
            lookback_days: Lookback::MONTH,
            session_minutes: 30,
            touch_kinds: Vec::new(),
            unit: TouchUnit::default(),
            transform: Transform::default(),
            direct_channel: "direct".into(),
            ignore_direct: false,
            null_journeys: NullJourneys::default(),
            max_touches: 5000,
        }
    }
}

impl JourneyConfig {
    /// Whether events of a kind are touches. Without a list: clicks, visits, calls, opened and clicked e-mails and
    /// store visits; not mere exposure (impressions, sent e-mails) and not page views inside a visit.
    pub fn is_touch(&self, kind: EventKind) -> bool {
        if !self.touch_kinds.is_empty() {
            return self.touch_kinds.contains(&kind);
        }
        kind.role() == EventRole::Touch
            && !matches!(kind, EventKind::Impression | EventKind::EmailSent | EventKind::PageView)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_touches_are_what_a_person_took_part_in() {
        let config = JourneyConfig::default();
        let touches: Vec<&str> =
            EventKind::ALL.into_iter().filter(|k| config.is_touch(*k)).map(EventKind::name).collect();
        assert_eq!(touches, ["click", "visit", "call", "email_opened", "email_clicked", "store_visit"]);
    }
}

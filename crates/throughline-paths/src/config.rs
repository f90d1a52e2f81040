//! The `journeys` section of `attribution.yaml` and the `conversions` of `throughline.yaml`.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use throughline_core::{EventKind, EventRole, Lookback};

use crate::transform::one_or_many;
use crate::{Interaction, PathsError, Transform};

/// Raised when the meaning of a setting changes, so that equal settings never stand for different journeys.
const RULES_VERSION: u32 = 1;

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
    /// Which of a person's conversions count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count: Counting,
    /// A conversion that comes sooner than this after the last one counted does not count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub min_gap_minutes: u32,
    /// What a refund does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refunds: Refunds,
}

impl ConversionConfig {
    /// A conversion by its kind, each one counted.
    pub fn new(name: impl Into<String>, kind: EventKind) -> Self {
        Self {
            name: name.into(),
            kind,
            event_name: None,
            count: Counting::default(),
            min_gap_minutes: 0,
            refunds: Refunds::default(),
        }
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Which of a person's conversions count; always the first of those that are equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// Each one.
    #[default]
    Every,
    /// One a person.
    OncePerPerson,
    /// One a session.
    OncePerSession,
    /// One an order id; conversions without an order id count each.
    OncePerOrder,
}

/// What a refund does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Refunds {
    /// Its amount, whatever its sign, is taken from the value of the first counted conversion of its order, below zero
    /// where the refund is larger.
    #[default]
    Reduce,
    /// Nothing.
    Ignore,
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

/// What direct traffic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum DirectRule {
    /// A touch as any other.
    #[default]
    AsTouch,
    /// A touch only where no other channel is in the window.
    UnlessAlone,
    /// Never a touch.
    Never,
}

/// Whether a click in the window outranks views. An engaged view stands between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ViewThrough {
    /// Views count beside clicks.
    #[default]
    Counted,
    /// Views count only where nothing of a higher rank is in the window.
    UnlessClicked,
    /// Views of a channel count only where nothing of a higher rank of the same channel is in the window.
    UnlessChannelClicked,
}

/// A window for a channel, an interaction, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookbackOverride {
    /// The channel; every channel without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The interaction; every interaction without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<Interaction>,
    /// The window.
    pub days: Lookback,
}

/// Where sessions split besides a pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// At local midnight.
    pub at_midnight: bool,
    /// At a touch that names a campaign other than the session's.
    pub at_campaign_change: bool,
    /// A session lasts at most this long; without end if absent.
    pub max_minutes: Option<u32>,
    /// IANA name of the zone of `at_midnight`.
    pub time_zone: String,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self { at_midnight: false, at_campaign_change: false, max_minutes: None, time_zone: "UTC".into() }
    }
}

/// How touches become journeys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JourneyConfig {
    /// Touches older than this before the conversion are dropped.
    pub lookback_days: Lookback,
    /// Other windows; one for channel and interaction goes before one for a channel, that before one for an interaction.
    pub lookback: Vec<LookbackOverride>,
    /// A pause longer than this starts a session.
    pub session_minutes: u32,
    /// Where else sessions split.
    pub sessions: SessionConfig,
    /// Event kinds that are touches; empty means every kind that a person took part in.
    pub touch_kinds: Vec<EventKind>,
    /// What one step of a path is.
    pub unit: TouchUnit,
    /// Transforms of the path, in order: one, or a list.
    #[serde(with = "one_or_many")]
    pub transform: Vec<Transform>,
    /// Channel that means direct traffic.
    pub direct_channel: String,
    /// Older name of `direct: unless_alone`; `direct` goes before it.
    pub ignore_direct: bool,
    /// What direct traffic is.
    pub direct: Option<DirectRule>,
    /// Whether clicks outrank views.
    pub view_through: ViewThrough,
    /// Which journeys without conversion are kept.
    pub null_journeys: NullJourneys,
    /// Whether a touch may serve later conversions too; a journey starts anew after each conversion otherwise.
    pub reuse_touches: bool,
    /// Most conversions that one touch may serve.
    pub reuse_limit: u32,
    /// Whether a conversion's own channel is a touch of its journey, the last one.
    pub conversion_is_touch: bool,
    /// Most touches of a journey; the latest are kept.
    pub max_touches: usize,
}

impl Default for JourneyConfig {
    fn default() -> Self {
        Self {
            lookback_days: Lookback::MONTH,
            lookback: Vec::new(),
            session_minutes: 30,
            sessions: SessionConfig::default(),
            touch_kinds: Vec::new(),
            unit: TouchUnit::default(),
            transform: Vec::new(),
            direct_channel: "direct".into(),
            ignore_direct: false,
            direct: None,
            view_through: ViewThrough::default(),
            null_journeys: NullJourneys::default(),
            reuse_touches: false,
            reuse_limit: 100,
            conversion_is_touch: false,
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

    /// What direct traffic is, by either setting.
    pub fn direct_rule(&self) -> DirectRule {
        let older = if self.ignore_direct { DirectRule::UnlessAlone } else { DirectRule::AsTouch };
        self.direct.unwrap_or(older)
    }

    /// Errors: two windows for one thing; a transform behind `frequency`; a limit of 0.
    pub fn check(&self) -> Result<(), PathsError> {
        for (place, one) in self.lookback.iter().enumerate() {
            if self.lookback.iter().take(place).any(|o| (&o.channel, o.interaction) == (&one.channel, one.interaction))
            {
                let channel = one.channel.as_ref().map_or("every channel".to_owned(), |c| format!("`{c}`"));
                let interaction = one.interaction.map_or("every interaction", Interaction::name);
                return Err(PathsError::DoubleLookback { what: format!("{channel} and {interaction}") });
            }
        }
        let named = self.transform.iter().position(|t| *t == Transform::Frequency);
        let behind = named.and_then(|place| self.transform.iter().skip(place + 1).find(|t| **t != Transform::Unique));
        if let Some(after) = behind {
            return Err(PathsError::FrequencyNotLast { after: after.to_string() });
        }
        if self.reuse_limit == 0 {
            let bounds = "1 and more";
            return Err(PathsError::OutOfBounds { what: "reuse_limit", value: 0, bounds });
        }
        Ok(())
    }

    /// The same meaning in one way of writing.
    fn normal(&self) -> Self {
        let mut normal = self.clone();
        normal.direct = Some(self.direct_rule()).filter(|d| *d != DirectRule::AsTouch);
        normal.ignore_direct = false;
        if normal.direct.is_none() {
            normal.direct_channel = Self::default().direct_channel;
        }
        normal.transform.retain(|t| *t != Transform::Unique);
        normal.touch_kinds = EventKind::ALL.into_iter().filter(|k| self.is_touch(*k)).collect();
        if normal.touch_kinds == Self::default().touch_kinds_in_full() {
            normal.touch_kinds.clear();
        }
        normal.lookback.sort_by(|a, b| (&a.channel, a.interaction).cmp(&(&b.channel, b.interaction)));
        if !normal.sessions.at_midnight {
            normal.sessions.time_zone = SessionConfig::default().time_zone;
        }
        if !normal.reuse_touches {
            normal.reuse_limit = Self::default().reuse_limit;
        }
        normal
    }

    fn touch_kinds_in_full(&self) -> Vec<EventKind> {
        EventKind::ALL.into_iter().filter(|k| self.is_touch(*k)).collect()
    }
}

/// A fingerprint of what the settings mean: equal for two ways of writing the same rules, and the same in every release
/// in which they give the same journeys. 64 bits of SHA-256 over the settings that are not the default, behind the
/// version of the rules: `j1-0123456789abcdef`. The name of the conversion is not in it.
pub fn config_id(journeys: &JourneyConfig, conversion: &ConversionConfig) -> String {
    let mut hash = Sha256::new();
    let unnamed = ConversionConfig { name: String::new(), ..conversion.clone() };
    let plain = ConversionConfig::new("", EventKind::Custom);
    let sections = [
        (serde_json::to_value(journeys.normal()), serde_json::to_value(JourneyConfig::default())),
        (serde_json::to_value(unnamed), serde_json::to_value(plain)),
    ];
    for (set, default) in sections {
        let (set, default) = (set.unwrap_or_default(), default.unwrap_or_default());
        let Value::Object(set) = set else { continue };
        let mut lines: Vec<String> = set
            .iter()
            .filter(|(key, value)| default.get(key) != Some(value))
            .map(|(key, value)| format!("{key}={value}\n"))
            .collect();
        lines.sort();
        hash.update(lines.concat());
        hash.update(b"\n");
    }
    format!("j{RULES_VERSION}-{}", hex::encode(&hash.finalize()[..8]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> JourneyConfig {
        serde_saphyr::from_str(text).expect("a section")
    }

    fn id(text: &str) -> String {
        config_id(&read(text), &ConversionConfig::new("sale", EventKind::Purchase))
    }

    #[test]
    fn default_touches_are_what_a_person_took_part_in() {
        let touches: Vec<&str> =
            JourneyConfig::default().touch_kinds_in_full().into_iter().map(EventKind::name).collect();
        assert_eq!(touches, ["click", "visit", "call", "email_opened", "email_clicked", "store_visit"]);
    }

    #[test]
    fn every_older_file_still_reads() {
        let old = "lookback_days: 30\nsession_minutes: 30\nunit: touch\ntransform: exposure\ndirect_channel: direct\n\
                   ignore_direct: true\nnull_journeys: never_converted\nmax_touches: 500\ntouch_kinds: [click, visit]\n";
        let config = read(old);
        assert_eq!(config.transform, [Transform::Exposure]);
        assert_eq!((config.direct_rule(), config.unit), (DirectRule::UnlessAlone, TouchUnit::Touch));
        assert_eq!(read("transform: none").transform, [Transform::Unique]);
        assert_eq!(read("{}"), JourneyConfig::default());
        let conversion: ConversionConfig =
            serde_saphyr::from_str("{ name: purchase, kind: purchase }").expect("a conversion");
        assert_eq!(conversion, ConversionConfig::new("purchase", EventKind::Purchase));
        assert!(serde_saphyr::from_str::<JourneyConfig>("lookback_dayz: 3").is_err());
    }

    #[test]
    fn new_settings_read_and_are_checked() {
        let config = read(
            "lookback:\n  - { interaction: view_through, days: 1 }\n  - { channel: display, days: 7 }\n\
             sessions: { at_midnight: true, max_minutes: 475, time_zone: Europe/Berlin }\n\
             transform: [\"remove_if_not_all:direct\", frequency]\ndirect: never\nview_through: unless_clicked\n",
        );
        assert!(config.check().is_ok());
        assert_eq!(config.lookback[0].interaction, Some(Interaction::View));
        let broken = read("lookback: [{ channel: a, days: 1 }, { channel: a, days: 2 }]").check();
        assert_eq!(broken, Err(PathsError::DoubleLookback { what: "`a` and every interaction".into() }));
        assert!(read("transform: [frequency, first]").check().is_err());
        assert!(read("transform: [frequency, none]").check().is_ok());
        assert!(read("reuse_limit: 0").check().is_err());
        assert!(serde_saphyr::from_str::<JourneyConfig>("lookback: [{ days: 400 }]").is_err());
    }

    #[test]
    fn the_fingerprint_is_of_the_meaning() {
        let plain = id("{}");
        assert_eq!(plain, "j1-0dd9b41aeaa00621", "a release that changes this forgets what was computed");
        assert_eq!(id("transform: none"), plain);
        assert_eq!(id("lookback_days: 30.0\nsessions: { time_zone: Asia/Tokyo }\nreuse_limit: 5"), plain);
        assert_eq!(id("touch_kinds: [visit, click, call, email_opened, email_clicked, store_visit]"), plain);
        assert_eq!(id("ignore_direct: true"), id("direct: unless_alone"));
        let (ab, ba) =
            ("lookback: [{ channel: a, days: 1 }, { days: 2 }]", "lookback: [{ days: 2 }, { channel: a, days: 1 }]");
        assert_eq!(id(ab), id(ba));
        let others = ["lookback_days: 7", "unit: touch", "direct: never", ab, "reuse_touches: true", "max_touches: 3"];
        let mut ids: Vec<String> = others.into_iter().map(id).chain([plain.clone()]).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), others.len() + 1);
        let mut sale = ConversionConfig::new("other name", EventKind::Purchase);
        assert_eq!(config_id(&JourneyConfig::default(), &sale), plain);
        sale.count = Counting::OncePerOrder;
        assert_ne!(config_id(&JourneyConfig::default(), &sale), plain);
    }
}

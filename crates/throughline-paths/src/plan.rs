//! A configuration made ready: names are numbers, windows are a table.

use throughline_core::time::DAY_US;

use crate::config::{
    ConversionConfig, Counting, DirectRule, JourneyConfig, NullJourneys, Refunds, TouchUnit, ViewThrough,
};
use crate::zone::Zone;
use crate::{Interaction, NONE, PathsError, Transform, config_id};

const MINUTE_US: i64 = DAY_US / 1440;

/// The rules for one declared conversion over known channels.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(crate) channels: usize,
    pub(crate) windows: Windows,
    pub(crate) pause: i64,
    pub(crate) longest_session: i64,
    pub(crate) zone: Option<Zone>,
    pub(crate) at_campaign_change: bool,
    pub(crate) per_session: bool,
    pub(crate) direct: u32,
    pub(crate) direct_rule: DirectRule,
    pub(crate) view_through: ViewThrough,
    pub(crate) transforms: Vec<Step>,
    pub(crate) null_journeys: NullJourneys,
    pub(crate) reuse: Option<usize>,
    pub(crate) conversion_is_touch: bool,
    pub(crate) max_touches: usize,
    pub(crate) count: Counting,
    pub(crate) gap: i64,
    pub(crate) refunds: Refunds,
    id: String,
}

/// A transform over channel numbers. A channel that does not occur is [`NONE`], which no touch has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Exposure,
    First,
    Frequency,
    RemoveIfNotAll(u32),
    RemoveIfLastAndNotAll(u32),
}

impl Plan {
    /// The rules over channels whose numbers are their places in `channels`; names are different from each other.
    /// Errors: see [`JourneyConfig::check`]; a time zone that is not known.
    pub fn new<S: AsRef<str>>(
        journeys: &JourneyConfig,
        conversion: &ConversionConfig,
        channels: &[S],
    ) -> Result<Self, PathsError> {
        journeys.check()?;
        let number = |name: &str| channels.iter().position(|c| c.as_ref() == name);
        let code = |name: &str| number(name).and_then(|place| u32::try_from(place).ok()).unwrap_or(NONE);
        let steps = journeys.transform.iter().filter_map(|t| match t {
            Transform::Unique => None,
            Transform::Exposure => Some(Step::Exposure),
            Transform::First => Some(Step::First),
            Transform::Frequency => Some(Step::Frequency),
            Transform::RemoveIfNotAll(channel) => Some(Step::RemoveIfNotAll(code(channel))),
            Transform::RemoveIfLastAndNotAll(channel) => Some(Step::RemoveIfLastAndNotAll(code(channel))),
        });
        let sessions = &journeys.sessions;
        let zone = Zone::named(&sessions.time_zone)?;
        Ok(Self {
            channels: channels.len(),
            windows: Windows::new(journeys, channels.len(), number),
            pause: i64::from(journeys.session_minutes) * MINUTE_US,
            longest_session: sessions.max_minutes.map_or(i64::MAX, |m| i64::from(m) * MINUTE_US),
            zone: sessions.at_midnight.then_some(zone),
            at_campaign_change: sessions.at_campaign_change,
            per_session: journeys.unit == TouchUnit::Session,
            direct: code(&journeys.direct_channel),
            direct_rule: journeys.direct_rule(),
            view_through: journeys.view_through,
            transforms: steps.collect(),
            null_journeys: journeys.null_journeys,
            reuse: journeys.reuse_touches.then_some(journeys.reuse_limit as usize),
            conversion_is_touch: journeys.conversion_is_touch,
            max_touches: journeys.max_touches,
            count: conversion.count,
            gap: i64::from(conversion.min_gap_minutes) * MINUTE_US,
            refunds: conversion.refunds,
            id: config_id(journeys, conversion),
        })
    }

    /// The fingerprint of the rules, see [`config_id`].
    pub fn config_id(&self) -> &str {
        &self.id
    }

    /// Number of channels.
    pub const fn channels(&self) -> usize {
        self.channels
    }

    /// Whether steps say how often their channel stood in the path.
    pub fn has_repeats(&self) -> bool {
        self.transforms.contains(&Step::Frequency)
    }
}

/// Windows in µs.
#[derive(Debug, Clone)]
pub(crate) struct Windows {
    plain: i64,
    /// A row of windows by interaction for each channel; empty when all are equal.
    table: Vec<[i64; Interaction::ALL.len()]>,
    pub(crate) longest: i64,
}

impl Windows {
    fn new(config: &JourneyConfig, channels: usize, number: impl Fn(&str) -> Option<usize>) -> Self {
        let plain = config.lookback_days.micros();
        let mut table = Vec::new();
        if !config.lookback.is_empty() {
            table = vec![[plain; Interaction::ALL.len()]; channels];
        }
        // From the least to the most particular, so that the last one that is written stands.
        let specificity = |channel: bool, interaction: bool| usize::from(channel) * 2 + usize::from(interaction);
        for level in 0..=3 {
            for one in &config.lookback {
                if specificity(one.channel.is_some(), one.interaction.is_some()) != level {
                    continue;
                }
                let rows = match &one.channel {
                    None => 0..channels,
                    Some(name) => number(name).map_or(0..0, |place| place..place + 1),
                };
                for row in &mut table[rows] {
                    let cells = match one.interaction {
                        None => &mut row[..],
                        Some(i) => &mut row[usize::from(i.code())..=usize::from(i.code())],
                    };
                    cells.fill(one.days.micros());
                }
            }
        }
        let longest = table.iter().flatten().copied().max().unwrap_or(plain);
        Self { plain, table, longest }
    }

    /// The window of a channel and an interaction.
    #[inline]
    pub(crate) fn of(&self, channel: u32, interaction: u8) -> i64 {
        match self.table.get(channel as usize) {
            None => self.plain,
            Some(row) => row.get(usize::from(interaction)).copied().unwrap_or(row[row.len() - 1]),
        }
    }
}

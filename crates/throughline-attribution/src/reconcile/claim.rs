//! What a platform would report of our conversions under some of its settings and the rest of ours.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::{Amount, Cause, Counting, DatedBy, Platform};

/// How somebody met an advertisement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interaction {
    /// It was shown.
    View,
    /// It was clicked, or what comes after a click.
    Click,
}

/// A touch that was considered for a conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimedTouch<'a> {
    /// Names the touch among all touches, so that it is not claimed twice.
    pub id: &'a str,
    /// Its channel.
    pub channel: &'a str,
    /// How it was met.
    pub interaction: Interaction,
    /// When, in µs.
    pub at: i64,
    /// Its day since 1970 in the platform's account.
    pub platform_day: i64,
    /// Whether our rules kept it.
    pub kept: bool,
    /// Whether it was left out because measurement was not permitted.
    pub without_consent: bool,
}

/// A conversion of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurConversion<'a> {
    /// When, in µs.
    pub at: i64,
    /// Its day since 1970 in the project.
    pub day: i64,
    /// Its day in the platform's account.
    pub platform_day: i64,
    /// Its value in millionths.
    pub value_micros: i64,
    /// What of it we credit to the platform's channels.
    pub credited: Amount,
    /// Every touch considered, in time order.
    pub touches: Vec<ClaimedTouch<'a>>,
}

/// How far settings are the platform's by now: those of all causes up to one, in the order of [`Cause::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings(pub(super) Cause);

impl Settings {
    fn are_theirs_for(self, cause: Cause) -> bool {
        cause <= self.0
    }
}

pub(super) struct Claim<'a> {
    pub(super) platform: &'a Platform,
    pub(super) settings: Settings,
    pub(super) days: RangeInclusive<i64>,
}

impl Claim<'_> {
    pub(super) fn total(&self, conversions: &[OurConversion<'_>]) -> Amount {
        let mut claimed: BTreeSet<&str> = BTreeSet::new();
        let mut total = Amount::default();
        for conversion in conversions {
            let Some(touch) = self.credited(conversion) else { continue };
            let counted = self.settings.are_theirs_for(Cause::Duplicate);
            let once = counted && self.platform.counting == Counting::One;
            if once && !claimed.insert(touch.id) {
                continue;
            }
            if self.days.contains(&self.day(conversion, touch)) {
                total = total.plus(Amount { conversions_micros: 1_000_000, value_micros: conversion.value_micros });
            }
        }
        total
    }

    fn day(&self, conversion: &OurConversion<'_>, touch: &ClaimedTouch<'_>) -> i64 {
        match (self.settings.are_theirs_for(Cause::TimeZone), self.platform.dated_by) {
            (false, _) => conversion.day,
            (true, DatedBy::Conversion) => conversion.platform_day,
            (true, DatedBy::Touch) => touch.platform_day,
        }
    }

    /// The touch that the platform credits: its last click that counts, else its last impression.
    fn credited<'t, 'a>(&self, conversion: &'t OurConversion<'a>) -> Option<&'t ClaimedTouch<'a>> {
        let counts = |t: &&ClaimedTouch<'_>| self.counts(conversion, t);
        conversion.touches.iter().filter(counts).max_by_key(|t| (t.interaction, t.at))
    }

    fn counts(&self, conversion: &OurConversion<'_>, touch: &ClaimedTouch<'_>) -> bool {
        let theirs = |cause| self.settings.are_theirs_for(cause);
        let platform = self.platform;
        if !platform.channels.iter().any(|c| c == touch.channel) {
            return false;
        }
        if touch.without_consent && !(theirs(Cause::Consent) && platform.sees_without_consent) {
            return false;
        }
        let age = conversion.at.saturating_sub(touch.at);
        match touch.interaction {
            // Without its windows, a touch counts if our rules kept it. With them, also one that we dropped as a repetition
            // or as too old: the platform does not know of our rules.
            Interaction::Click if !theirs(Cause::Window) => touch.kept,
            Interaction::Click => (0..=platform.click_window).contains(&age),
            Interaction::View if !theirs(Cause::ViewThrough) => touch.kept,
            Interaction::View => platform.view_window > 0 && (0..=platform.view_window).contains(&age),
        }
    }
}

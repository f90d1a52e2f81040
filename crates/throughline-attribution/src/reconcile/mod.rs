//! Why a platform reports another number of conversions than we credit, line by line.
//!
//! One setting after another is turned from ours to the platform's, and what it would report under the settings so far is
//! counted again on our own conversions. Each line is the difference that one setting makes; the last line is what no setting
//! explains. Lines add up to the reported number exactly, in whole millionths. What a line says depends on those before it,
//! as in every bridge: the order is part of the definition.

mod claim;

mod platform;

pub use claim::{ClaimedTouch, Interaction, OurConversion};
pub use platform::{Counting, DatedBy, Platform};

use serde::Serialize;

use self::claim::{Claim, Settings};

/// Conversions and value in millionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Amount {
    /// Millionths of conversions.
    pub conversions_micros: i64,
    /// Millionths of value.
    pub value_micros: i64,
}

impl Amount {
    const fn minus(self, other: Self) -> Self {
        Self {
            conversions_micros: self.conversions_micros.saturating_sub(other.conversions_micros),
            value_micros: self.value_micros.saturating_sub(other.value_micros),
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self {
            conversions_micros: self.conversions_micros.saturating_add(other.conversions_micros),
            value_micros: self.value_micros.saturating_add(other.value_micros),
        }
    }
}

/// What makes a difference, in the order in which settings are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// We share a conversion among channels; the platform claims all of it.
    Credit,
    /// Touches are credited for another time after they happened.
    Window,
    /// Impressions count, or do not.
    ViewThrough,
    /// Touches without permission to measure, which we leave out and a platform under its own consent does not.
    Consent,
    /// Repeated conversions after one touch count once, or each time.
    Duplicate,
    /// The platform reports under another day: its own time zone, or the day of the touch.
    TimeZone,
    /// What is left: people and devices that could not be linked, conversions that the platform models, and what only one
    /// side saw.
    Identity,
}

impl Cause {
    /// Every cause, in order.
    pub const ALL: [Self; 7] =
        [Self::Credit, Self::Window, Self::ViewThrough, Self::Consent, Self::Duplicate, Self::TimeZone, Self::Identity];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Window => "window",
            Self::ViewThrough => "view_through",
            Self::Consent => "consent",
            Self::Duplicate => "duplicate",
            Self::TimeZone => "time_zone",
            Self::Identity => "identity",
        }
    }
}

/// One line of the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What makes the difference.
    pub cause: Cause,
    /// Reported more (or less) because of it.
    pub difference: Amount,
    /// What the platform would report so far.
    pub so_far: Amount,
}

/// From our credit to what a platform reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// The platform.
    pub platform: String,
    /// What we credit to its channels.
    pub ours: Amount,
    /// The lines, in the order of [`Cause::ALL`].
    pub lines: Vec<Line>,
    /// What the platform reports.
    pub reported: Amount,
}

/// The bridge from our credit to what a platform reports for days `from..=until` (days since 1970).
///
/// `conversions` are ours, with every touch that was considered, kept or not, and the credit that the platform's channels got
/// of each under the model that is compared; conversions outside the days must be among them where the platform may report
/// them inside. Work is linear in touches. Assumes what our journeys considered is what the platform could have seen: touches
/// before an earlier conversion are not looked at again.
pub fn reconcile(
    platform: &Platform,
    conversions: &[OurConversion<'_>],
    (from, until): (i64, i64),
    reported: Amount,
) -> Reconciliation {
    let ours_in = |c: &&OurConversion<'_>| (from..=until).contains(&c.day);
    let ours = conversions.iter().filter(ours_in).fold(Amount::default(), |sum, c| sum.plus(c.credited));
    let mut so_far = ours;
    let mut lines = Vec::with_capacity(Cause::ALL.len());
    for cause in Cause::ALL {
        let next = if cause == Cause::Identity {
            reported
        } else {
            Claim { platform, settings: Settings(cause), days: from..=until }.total(conversions)
        };
        lines.push(Line { cause, difference: next.minus(so_far), so_far: next });
        so_far = next;
    }
    Reconciliation { platform: platform.name.clone(), ours, lines, reported }
}

#[cfg(test)]
mod tests;

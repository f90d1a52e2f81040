//! Instants: UTC microseconds, parsed strictly.

use std::fmt;
use std::str::FromStr;

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

/// One day in microseconds.
pub const DAY_US: i64 = 86_400_000_000;

/// An instant as microseconds since the Unix epoch, UTC.
///
/// The three times of an event are of this type: `occurred_at`, `available_at` (when it could have been known) and
/// `ingested_at`. "As of t" always means `available_at ≤ t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

/// Why a text is not an instant we accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeError {
    /// The text has no known form.
    #[error("`{text}` is not a timestamp (expected for example 2026-03-01T12:00:00Z or 2026-03-01 12:00:00)")]
    Unparsable {
        /// What was given.
        text: String,
    },
    /// The instant lies outside the years 1990 to 2100, which in practice means a broken clock or unit.
    #[error("timestamp {text} is outside the accepted years 1990 to 2100")]
    OutOfRange {
        /// What was given.
        text: String,
    },
}

impl Timestamp {
    /// 1990-01-01, the earliest instant accepted from data.
    pub const MIN: Self = Self(631_152_000_000_000);
    /// 2100-01-01, the first instant no longer accepted from data.
    pub const MAX: Self = Self(4_102_444_800_000_000);

    /// From microseconds since the epoch, unchecked for range (for computed instants).
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From data: microseconds since the epoch within the accepted years.
    pub fn checked(micros: i64) -> Result<Self, TimeError> {
        let t = Self(micros);
        if t < Self::MIN || t >= Self::MAX {
            return Err(TimeError::OutOfRange { text: t.to_string() });
        }
        Ok(t)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This instant moved by whole days; saturates.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_US)))
    }

    /// This instant moved by microseconds; saturates.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The UTC date as `YYYY-MM-DD`.
    pub fn date(self) -> String {
        self.zoned().map_or_else(|| "invalid".to_owned(), |z| z.strftime("%Y-%m-%d").to_string())
    }

    /// Days since the epoch, rounded towards the past.
    pub const fn day_number(self) -> i64 {
        self.0.div_euclid(DAY_US)
    }

    fn zoned(self) -> Option<jiff::Zoned> {
        jiff::Timestamp::from_microsecond(self.0).ok().map(|t| t.to_zoned(jiff::tz::TimeZone::UTC))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Accepts RFC 3339 with an offset, and `YYYY-MM-DD[ T]HH:MM[:SS[.f]]` or a plain date, both read as UTC.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let trimmed = text.trim();
        let unparsable = || TimeError::Unparsable { text: text.chars().take(60).collect() };
        if let Ok(t) = trimmed.parse::<jiff::Timestamp>() {
            return Self::checked(t.as_microsecond());
        }
        let civil = trimmed
            .parse::<DateTime>()
            .or_else(|_| trimmed.parse::<jiff::civil::Date>().map(|d| d.at(0, 0, 0, 0)))
            .map_err(|_| unparsable())?;
        let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| unparsable())?;
        Self::checked(instant.timestamp().as_microsecond())
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        text.parse()
    }
}

impl From<Timestamp> for String {
    fn from(t: Timestamp) -> Self {
        t.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let got = text.parse::<Timestamp>().map_or_else(|e| e.to_string(), |t| t.to_string());
        assert_eq!(got, expect);
    }

    #[test]
    fn accepted_forms() {
        check("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z");
        check("2026-03-01T12:00:00+02:00", "2026-03-01T10:00:00Z");
        check("2026-03-01 12:00:00.25", "2026-03-01T12:00:00.25Z");
        check(" 2026-03-01 ", "2026-03-01T00:00:00Z");
    }

    #[test]
    fn refused_forms() {
        check("1970-01-01", "timestamp 1970-01-01T00:00:00Z is outside the accepted years 1990 to 2100");
        check(
            "yesterday",
            "`yesterday` is not a timestamp (expected for example 2026-03-01T12:00:00Z or 2026-03-01 12:00:00)",
        );
        assert!("2026-02-30".parse::<Timestamp>().is_err());
        assert!("".parse::<Timestamp>().is_err());
    }

    #[test]
    fn dates_before_the_epoch_round_down() {
        assert_eq!(Timestamp::from_micros(-1).day_number(), -1);
    }
}

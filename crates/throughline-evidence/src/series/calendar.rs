//! Dates as numbers that a regular grid can be laid on.

/// What one step of time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// Numbers as they stand.
    Number,
    /// Days since 1970-01-01.
    Day,
    /// Days of the working week, five a week.
    Weekday,
    /// Months since year 0; dates all stand on the day given, 31 for the last day.
    Month(u32),
    /// Seconds since 1970-01-01.
    Second,
}

/// Year, month and day.
type Date = (i64, u32, u32);

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
pub(super) fn days_of((year, month, day): Date) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (i64::from(month) + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date of a day since 1970-01-01.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months and days are small")]
pub(super) fn date_of(days: i64) -> Date {
    let z = days + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let m = (5 * of_year + 2) / 153;
    let day = of_year - (153 * m + 2) / 5 + 1;
    let month = if m < 10 { m + 3 } else { m - 9 };
    (year + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// 0 for Monday.
pub(super) const fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

/// Whether the next day is the first of a month.
pub(super) fn ends_month(days: i64) -> bool {
    date_of(days + 1).2 == 1
}

/// Days and seconds of the day of an ISO 8601 text: `2024-03-01`, `2024-03`, `2024-W09`, `2024-03-01T12:30[:15]`, a trailing
/// `Z` allowed. The flag says whether there is a time of day.
pub(super) fn parse(text: &str) -> Option<(i64, i64, bool)> {
    let text = text.trim().trim_end_matches('Z');
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|y| y.len() == 4)?.parse::<i64>().ok()?;
    let second = parts.next()?;
    let third = parts.next();
    let days = if let Some(week) = second.strip_prefix('W') {
        let week = week.parse::<i64>().ok().filter(|w| (1..=53).contains(w))?;
        let fourth = days_of((year, 1, 4));
        fourth - weekday(fourth) + 7 * (week - 1)
    } else {
        let month = second.parse::<u32>().ok().filter(|m| (1..=12).contains(m))?;
        let day = third.map_or(Some(1), |d| d.parse::<u32>().ok())?;
        let days = days_of((year, month, day));
        // A day that the month does not have comes back as another date.
        if date_of(days) != (year, month, day) {
            return None;
        }
        days
    };
    let Some(time) = time else { return parts.next().is_none().then_some((days, 0, false)) };
    let mut seconds = 0.0;
    for (part, unit) in time.split(':').zip([3600.0, 60.0, 1.0]) {
        seconds += part.parse::<f64>().ok().filter(|x| (0.0..60.0).contains(x) || unit == 3600.0)? * unit;
    }
    #[expect(clippy::cast_possible_truncation, reason = "less than a day")]
    (0.0..86_400.0).contains(&seconds).then_some((days, seconds as i64, true))
}

/// A date in words of ISO 8601.
pub(super) fn iso((year, month, day): Date) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_days_are_inverse() {
        assert_eq!(days_of((1970, 1, 1)), 0);
        assert_eq!((days_of((2000, 3, 1)), days_of((2024, 2, 29))), (11_017, 19_782));
        for days in -800_000..800_000 {
            if days % 37 == 0 {
                assert_eq!(days_of(date_of(days)), days);
            }
        }
        assert_eq!(weekday(days_of((2024, 3, 4))), 0);
        assert!(ends_month(days_of((2024, 2, 29))) && !ends_month(days_of((2023, 2, 27))));
    }

    #[test]
    fn texts_are_read_or_refused() {
        let day = |t: &str| parse(t).map(|p| p.0);
        assert_eq!(day("2024-03-01"), Some(days_of((2024, 3, 1))));
        assert_eq!(day("2024-03"), day("2024-03-01"));
        assert_eq!(day("2024-W09"), day("2024-02-26"));
        assert_eq!(parse("2024-03-01 12:30:15Z"), Some((days_of((2024, 3, 1)), 45_015, true)));
        for bad in ["2023-02-29", "2024-13-01", "24-01-01", "2024-01-01-01", "2024-01-01T25:00", "x", "2024-W60", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

//! Dates and times as vendors write them.

use std::borrow::Cow;

use jiff::civil::Date;
use throughline_core::Timestamp;

use super::super::shape::{Given, Row, unreadable};
use crate::diagnostics::RowFault;

/// Forms of dates that are not ISO 8601 and have one reading. `03/04/2026` has two.
const DATE_FORMS: &[&str] = &["%d.%m.%Y", "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%Y%m%d", "%Y/%m/%d"];
/// Counts below are seconds since 1970, above milliseconds: as seconds they would lie in the year 5138.
const MILLIS_FROM: i64 = 100_000_000_000;

/// A date as YYYY-MM-DD.
pub(super) fn date(text: &str) -> Option<Cow<'_, str>> {
    let iso = text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    if iso && text.parse::<Date>().is_ok() {
        return Some(Cow::Borrowed(text));
    }
    let read = DATE_FORMS.iter().find_map(|form| Date::strptime(form, text).ok());
    read.map(|date| date.to_string().into())
}

/// An instant of an accepted year: ISO 8601, or seconds or milliseconds since 1970.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(count) = text.parse::<i64>() {
        let micros = if count < MILLIS_FROM { count.checked_mul(1_000_000) } else { count.checked_mul(1000) };
        return Timestamp::checked(micros?).ok();
    }
    // Offsets without a colon, as Salesforce writes them.
    match text.len().checked_sub(5).and_then(|at| text.split_at_checked(at)) {
        Some((time, offset)) if offset.starts_with(['+', '-']) && time.contains('T') => {
            format!("{time}{}:{}", &offset[..3], &offset[3..]).parse().ok()
        }
        _ => text.parse().ok(),
    }
}

/// The first argument as an instant.
pub(super) fn argument<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0) else { return Ok(None) };
    let at = instant(text).ok_or_else(|| {
        unreadable(
            RowFault::TimeInvalid,
            "a time",
            text,
            "2026-03-01T12:00:00Z or a count of (milli)seconds since 1970",
        )
    })?;
    Ok(Some(at.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_with_one_reading() {
        for text in ["2026-03-01", "01.03.2026", "1.3.2026", "20260301", "1 Mar 2026", "March 1, 2026", "2026/03/01"] {
            assert_eq!(date(text).as_deref(), Some("2026-03-01"), "{text}");
        }
        for text in ["2026-02-30", "01/03/2026", "soon", "", "2026-3-1x"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn instants_in_any_unit() {
        let expect: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let seconds = (expect.micros() / 1_000_000).to_string();
        let texts = ["2026-03-01T12:00:00.000Z", "2026-03-01T14:00:00+0200", "2026-03-01T14:00:00+02:00"];
        for text in texts.into_iter().chain([seconds.as_str(), &format!("{seconds}000")]) {
            assert_eq!(instant(text), Some(expect), "{text}");
        }
        for text in ["", "5", "soon", "99999999999999999", "é+é"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}

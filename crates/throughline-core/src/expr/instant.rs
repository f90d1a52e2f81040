//! Instants in text, strictly: what TIMESTAMP literals, casts and `parse_time` accept.

use std::ops::RangeInclusive;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;

/// Microseconds of 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999Z.
pub(super) const RANGE: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;

// Civil arithmetic throughout: the instants of jiff end on 9999-12-30, before the `9999-12-31` that stands for "no end"
// in many systems.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Directives of `strptime` whose meaning depends on nothing but the text (no zone database, no locale).
const DIRECTIVES: &[&str] = &[
    "Y", "m", "d", "e", "y", "b", "B", "h", "j", "H", "k", "I", "l", "M", "S", "f", ".f", "p", "P", "a", "A", "z",
    ":z", "T", "F", "D", "R", "s", "n", "t", "%",
];

/// The civil time in UTC of an instant; `None` out of range.
pub(super) fn civil(micros: i64) -> Option<DateTime> {
    if !RANGE.contains(&micros) {
        return None;
    }
    EPOCH.checked_add(SignedDuration::from_micros(micros)).ok()
}

/// RFC 3339 in UTC with as many decimals as needed; as microseconds out of range, which no legal value is.
pub(super) fn text(micros: i64) -> String {
    civil(micros).map_or_else(|| format!("{micros} µs"), |t| format!("{t}Z"))
}

/// The instant of a civil time read as UTC.
pub(super) fn from_civil(civil: DateTime) -> Option<i64> {
    i64::try_from(civil.duration_since(EPOCH).as_micros()).ok().filter(|micros| RANGE.contains(micros))
}

/// `YYYY-MM-DD`, optionally followed by `T` or a space, `HH:MM[:SS[.f]]` (1 to 9 digits, cut to microseconds) and
/// optionally `Z` or `±HH:MM`. No offset means UTC. Nothing else, and no spaces around it.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = from_civil(parse_date(date)?.at(0, 0, 0, 0))?;
    if rest.is_empty() {
        return Some(midnight);
    }
    let rest = rest.strip_prefix('T').or_else(|| rest.strip_prefix(' '))?;
    let (clock, offset_minutes) = split_offset(rest)?;
    let in_day = parse_clock(clock)?;
    let micros = midnight.checked_add(in_day)?.checked_sub(offset_minutes * 60_000_000)?;
    RANGE.contains(&micros).then_some(micros)
}

/// Exactly `YYYY-MM-DD`, a day that exists in the years 1 to 9999.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = i16::try_from(number(&text[..4])?).ok().filter(|y| *y >= 1)?;
    Date::new(year, small(&text[5..7])?, small(&text[8..])?).ok()
}

/// Text by a format whose directives [`check_format`] accepted; the offset of the text counts, none means UTC.
pub(super) fn parse_with(format: &str, text: &str) -> Option<i64> {
    let parts = strtime::parse(format, text).ok()?;
    if parts.timestamp().is_some() || parts.offset().is_some() {
        return in_range(parts.to_timestamp().ok()?);
    }
    from_civil(parts.to_datetime().ok()?)
}

/// The first directive of a format that is not accepted, with its percent sign.
pub(super) fn check_format(format: &str) -> Result<(), String> {
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let after = &rest[at + 1..];
        let name_len = if after.starts_with(['.', ':']) { 2 } else { 1 };
        let name: String = after.chars().take(name_len).collect();
        if !DIRECTIVES.contains(&name.as_str()) {
            return Err(format!("%{name}"));
        }
        rest = &after[name.len()..];
    }
    Ok(())
}

fn in_range(t: jiff::Timestamp) -> Option<i64> {
    Some(t.as_microsecond()).filter(|micros| RANGE.contains(micros))
}

fn number(digits: &str) -> Option<i64> {
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn small(digits: &str) -> Option<i8> {
    i8::try_from(number(digits)?).ok()
}

/// Splits `Z` or `±HH:MM` off the end; gives the clock text and the offset in minutes.
fn split_offset(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0)) };
    let (clock, offset) = text.split_at(at);
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset[1..].split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some((clock, sign * (hours * 60 + minutes)))
}

/// `HH:MM[:SS[.f]]` in microseconds.
fn parse_clock(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, digits)) if whole.len() == 8 => (whole, fraction_micros(digits)?),
        Some(_) => return None,
        None => (text, 0),
    };
    let mut parts = whole.split(':');
    let mut next = |bound: i64| {
        let part = parts.next()?;
        number(part).filter(|n| part.len() == 2 && *n < bound)
    };
    let (hours, minutes) = (next(24)?, next(60)?);
    let seconds = if whole.len() == 5 { 0 } else { next(60)? };
    if parts.next().is_some() {
        return None;
    }
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + fraction)
}

fn fraction_micros(digits: &str) -> Option<i64> {
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let nanos = number(digits)? * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?);
    Some(nanos / 1000)
}

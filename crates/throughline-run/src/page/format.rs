//! Numbers, amounts and times as people read them.

/// A narrow space that does not break.
const THIN: char = '\u{202f}';

/// What a number counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whatever the text says.
    Plain,
    /// Money of a currency.
    Money(String),
    /// A share of 1.
    Share,
}

impl Unit {
    /// A number with as many decimals as it deserves.
    pub(super) fn show(&self, x: f64) -> String {
        match self {
            Self::Plain => number(x),
            Self::Money(currency) => money(x, currency),
            Self::Share => percent(x),
        }
    }

    /// A number with given decimals; those of a share are of its percentage.
    pub(super) fn fixed(&self, x: f64, decimals: usize) -> String {
        match self {
            Self::Plain => fixed(x, decimals),
            // Cents come in twos.
            Self::Money(currency) => in_currency(&fixed(x, if decimals == 1 { 2 } else { decimals }), currency),
            Self::Share => format!("{}{THIN}%", fixed(100.0 * x, decimals.saturating_sub(2))),
        }
    }

    /// For an axis.
    pub(super) fn tick(&self, x: f64, step: f64) -> String {
        match self {
            Self::Share => format!("{}{THIN}%", tick(100.0 * x, 100.0 * step)),
            _ => tick(x, step),
        }
    }

    /// What to write beside an axis.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Money(currency) => Some(currency),
            _ => None,
        }
    }
}

/// A number with a comma between groups of three digits, and a true minus sign.
pub(super) fn fixed(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        return infinite(x);
    }
    if x.abs() >= 1e15 {
        return scientific(x);
    }
    let digits = format!("{:.decimals$}", x.abs());
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let zero = digits.chars().all(|c| c == '0' || c == '.');
    let mut out = String::new();
    if x < 0.0 && !zero {
        out.push('−');
    }
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out.push_str(rest);
    out
}

fn infinite(x: f64) -> String {
    let text = if x.is_nan() {
        "undefined"
    } else if x > 0.0 {
        "∞"
    } else {
        "−∞"
    };
    text.to_owned()
}

fn scientific(x: f64) -> String {
    format!("{x:.2e}").replace('-', "−").replace('e', " × 10^")
}

/// A whole number.
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A number with about three significant digits, and never fewer than its whole part has.
pub(super) fn number(x: f64) -> String {
    if x.is_finite() && x == x.round() {
        return fixed(x, 0);
    }
    let decimals = match x.abs() {
        a if a >= 1000.0 => 0,
        a if a >= 100.0 => 1,
        a if a >= 1.0 => 2,
        a => small_decimals(a, 2),
    };
    fixed(x, decimals)
}

/// Decimals that show `more` digits after the first significant one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 9")]
fn small_decimals(size: f64, more: i32) -> usize {
    if size > 0.0 && size.is_finite() { (f64::from(more) - size.log10().floor()).clamp(0.0, 9.0) as usize } else { 0 }
}

/// Decimals that an interval deserves: two significant digits of its half width. `None` without a finite width.
pub(super) fn decimals_of(lo: f64, hi: f64) -> Option<usize> {
    let half = hi / 2.0 - lo / 2.0;
    (half.is_finite() && half > 0.0).then(|| small_decimals(half, 1).min(6))
}

/// An amount of money.
pub(super) fn money(x: f64, currency: &str) -> String {
    let decimals = match x.abs() {
        a if a >= 1000.0 => 0,
        a if a >= 0.1 || a == 0.0 => 2,
        a => small_decimals(a, 1).max(2),
    };
    in_currency(&fixed(x, decimals), currency)
}

fn in_currency(amount: &str, currency: &str) -> String {
    if currency.is_empty() { amount.to_owned() } else { format!("{currency}\u{a0}{amount}") }
}

/// A share as a percentage.
pub(super) fn percent(share: f64) -> String {
    let p = 100.0 * share;
    let decimals = match p.abs() {
        a if (99.95..100.0).contains(&a) => 2,
        a if a == 0.0 || a == 100.0 => 0,
        a if a >= 10.0 => 1,
        a if a >= 0.1 => 1 + usize::from(a < 1.0),
        a => small_decimals(a, 1).min(6),
    };
    format!("{}{THIN}%", fixed(p, decimals))
}

/// A level, of which "95 %" says enough.
pub(super) fn level(level: f64) -> String {
    let p = 100.0 * level;
    let decimals =
        (0..4_i32).find(|d| (p * 10_f64.powi(*d)).fract().abs().min(1.0 - (p * 10_f64.powi(*d)).fract().abs()) < 1e-6);
    format!("{}{THIN}%", fixed(p, decimals.and_then(|d| usize::try_from(d).ok()).unwrap_or(4)))
}

/// A number of conversions, which models split into parts: one decimal is enough.
pub(super) fn conversions(x: f64) -> String {
    fixed(x, usize::from(x.abs() < 100.0 && x != x.round()))
}

/// A p-value with its name.
pub(super) fn p_value(p: f64) -> String {
    match p {
        p if p < 0.001 => "p\u{a0}<\u{a0}0.001".to_owned(),
        p if p < 0.01 => format!("p\u{a0}=\u{a0}{p:.4}"),
        p if p > 0.99 => "p\u{a0}>\u{a0}0.99".to_owned(),
        p => format!("p\u{a0}=\u{a0}{p:.3}"),
    }
}

/// A number on an axis of a step.
fn tick(x: f64, step: f64) -> String {
    let x = if x.abs() < step.abs() / 1e6 { 0.0 } else { x };
    let (factor, suffix) = match x.abs().max(step.abs()) {
        a if a >= 1e15 => return scientific(x),
        a if a >= 1e9 => (1e9, "bn"),
        a if a >= 1e6 => (1e6, "m"),
        a if a >= 1e4 => (1e3, "k"),
        a if a > 0.0 && a < 1e-6 => return scientific(x),
        _ => (1.0, ""),
    };
    if x == 0.0 {
        return "0".to_owned();
    }
    let decimals = small_decimals(step / factor * 1.000_001, 0);
    let digits = fixed(x / factor, decimals);
    // A step of 2.5 has one digit more than its size tells.
    let whole = (step / factor * 10_f64.powi(i32::try_from(decimals).unwrap_or(0))).fract().abs();
    let digits = if (0.01..0.99).contains(&whole) { fixed(x / factor, decimals + 1) } else { digits };
    format!("{digits}{suffix}")
}

/// A duration.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() || s < 0.0 => "unknown".to_owned(),
        0.0 => "0 s".to_owned(),
        s if s < 0.095 => "< 0.1 s".to_owned(),
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 119.5 => format!("{s:.0} s"),
        s if s < 7170.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// A time that has passed.
pub(super) fn age(seconds: f64) -> String {
    match seconds {
        s if s < 0.0 => "in the future".to_owned(),
        s if s < 5400.0 => format!("{:.0} minutes", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} hours", s / 3600.0),
        s => format!("{} days", fixed((s / 86400.0).round(), 0)),
    }
}

/// The first twelve characters of a hash.
pub(super) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

/// A technical name in words: `same_session` is "same session".
pub(super) fn in_words(name: &str) -> String {
    name.replace('_', " ")
}

/// A count with its noun.
pub(super) fn counted(n: u64, one: &str, many: &str) -> String {
    format!("{}\u{a0}{}", count(n), if n == 1 { one } else { many })
}

/// Names as a sentence lists them: "a, b and c".
pub(super) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// Cuts a name that is too long for a chart.
pub(super) fn clipped(name: &str, limit: usize) -> String {
    if name.chars().count() <= limit {
        return name.to_owned();
    }
    let mut out: String = name.chars().take(limit.saturating_sub(1)).collect();
    out.push('…');
    out
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Date and time of `2026-04-05T13:05:00Z` as "5 Apr 2026, 13:05 UTC"; the text itself when it is something else.
pub(super) fn instant(text: &str) -> String {
    let Some((year, month, day, second)) = parts(text) else { return text.to_owned() };
    let name = usize::try_from(month - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("");
    format!("{day} {name} {year}, {:02}:{:02} UTC", second / 3600, second / 60 % 60)
}

/// Seconds from one instant to a later one.
pub(super) fn seconds_between(from: &str, to: &str) -> Option<f64> {
    let seconds = |t: &str| parts(t).map(|(y, m, d, s)| days(y, m, d) * 86400 + s);
    Some((seconds(to)? - seconds(from)?) as f64)
}

/// Year, month, day and second of the day of an RFC 3339 text in UTC.
fn parts(text: &str) -> Option<(i64, i64, i64, i64)> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(str::parse::<i64>);
    let (year, month, day) = (date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let mut time = time.split('.').next()?.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let valid = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    valid.then_some((year, month, day, hour * 3600 + minute * 60 + second))
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_era = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_era - 719_468
}

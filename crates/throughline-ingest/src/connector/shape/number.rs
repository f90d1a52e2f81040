//! Numbers as people's regions write them: `1.234,56`, `1,234.56`, `1 234,56`, `1'234.56`.

use std::borrow::Cow;

/// The option of connectors whose files hold such numbers.
pub(in super::super) const DECIMAL_OPTION: (&str, &str) =
    ("decimal", "the decimal sign, `.` or `,`; found out from the file when absent");

/// What numbers say about the decimal sign.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    /// Numbers in which the point must be the decimal sign.
    pub(super) point: u64,
    /// Numbers in which the comma must be.
    pub(super) comma: u64,
}

impl Evidence {
    /// Takes a number into account; `count` says that it has no decimals.
    pub(super) fn add(&mut self, text: &str, count: bool) {
        match decimal_of(text, count) {
            Some('.') => self.point += 1,
            Some(',') => self.comma += 1,
            _ => {}
        }
    }

    /// The decimal sign. Where nothing tells, it is the point; where numbers disagree, there is none.
    pub(super) const fn decimal(self) -> Option<char> {
        match (self.point, self.comma) {
            (_, 0) => Some('.'),
            (0, _) => Some(','),
            _ => None,
        }
    }
}

const fn other(sign: char) -> char {
    if sign == '.' { ',' } else { '.' }
}

/// The decimal sign that a number proves, if it does.
fn decimal_of(text: &str, count: bool) -> Option<char> {
    let mut signs = text.char_indices().filter(|(_, c)| matches!(c, '.' | ','));
    let (first_at, first) = signs.next()?;
    let (last_at, last) = signs.next_back().unwrap_or((first_at, first));
    if first != last {
        return Some(last);
    }
    // One sign several times groups thousands, and so does any in a count.
    if first_at != last_at || count {
        return Some(other(first));
    }
    let after = text[last_at + 1..].chars().filter(char::is_ascii_digit).count();
    let before = text[..last_at].chars().filter(char::is_ascii_digit).count();
    // Three digits behind one sign may be thousands, unless too many or none stand before it.
    (after != 3 || before > 3 || before == 0 || text.trim_start_matches('-').starts_with('0')).then_some(first)
}

/// The number in the notation of programs; `None` where it is none. Currency signs and percent are none.
pub(super) fn plain(text: &str, decimal: char) -> Option<Cow<'_, str>> {
    let groups = |c: char| c == other(decimal) || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    if decimal == '.' && !text.contains(groups) {
        return Some(Cow::Borrowed(text));
    }
    let (whole, fraction) = text.split_once(decimal).map_or((text, None), |(w, f)| (w, Some(f)));
    let digits = whole.trim_start_matches(['-', '+', '−']);
    let mut parts = digits.split(groups);
    let first = parts.next()?;
    let digits_only = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let grouped = parts.clone().next().is_some();
    let good = digits_only(first)
        && (!grouped || (1..=3).contains(&first.len()))
        && parts.all(|part| part.len() == 3 && digits_only(part))
        && fraction.is_none_or(|f| digits_only(f) && !f.is_empty())
        && !(first.is_empty() && fraction.is_none());
    if !good {
        return None;
    }
    let mut plain: String = if whole.starts_with(['-', '−']) { "-".to_owned() } else { String::new() };
    plain.extend(digits.chars().filter(char::is_ascii_digit));
    if let Some(fraction) = fraction {
        plain.push('.');
        plain.push_str(fraction);
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_kinds() {
        let comma = |text| plain(text, ',').map(Cow::into_owned);
        let point = |text| plain(text, '.').map(Cow::into_owned);
        assert_eq!(comma("1.234,56").as_deref(), Some("1234.56"));
        assert_eq!(comma("-1.234.567,8").as_deref(), Some("-1234567.8"));
        assert_eq!(comma("12,5").as_deref(), Some("12.5"));
        assert_eq!(comma("1\u{a0}234,56").as_deref(), Some("1234.56"));
        assert_eq!(comma("1.234").as_deref(), Some("1234"));
        assert_eq!(point("1,234.56").as_deref(), Some("1234.56"));
        assert_eq!(point("1'234.5").as_deref(), Some("1234.5"));
        assert_eq!(point("1234.5").as_deref(), Some("1234.5"));
        assert_eq!(comma(",5").as_deref(), Some(".5"));
        for bad in ["1.23,4", "1.2345", "12.34.567", "1,2,3", "a", "", "1,", "12 €"] {
            assert_eq!(comma(bad), None, "{bad}");
        }
        assert_eq!(point("1,23"), None, "two digits are no thousands");
    }

    #[test]
    fn what_numbers_prove() {
        #[track_caller]
        fn check(texts: &[(&str, bool)], expect: Option<char>) {
            let mut evidence = Evidence::default();
            for (text, count) in texts {
                evidence.add(text, *count);
            }
            assert_eq!(evidence.decimal(), expect, "{texts:?}");
        }
        check(&[("1.234,56", false)], Some(','));
        check(&[("1,234.56", false)], Some('.'));
        check(&[("12,50", false)], Some(','));
        check(&[("1.234", true)], Some(','));
        check(&[("1,234", true)], Some('.'));
        check(&[("1.234.567", false)], Some(','));
        check(&[("0,125", false), ("-0,125", false)], Some(','));
        check(&[("1.234", false), ("7", true)], Some('.'));
        check(&[("12,50", false), ("12.50", false)], None);
    }
}

//! How two values of a column agree, in a few levels.
//!
//! | Kind | 5 | 4 | 3 | 2 |
//! |---|---|---|---|---|
//! | text | equal | Jaro–Winkler ≥ 0.92 or one edit | ≥ 0.85 | ≥ 0.75 |
//! | address | equal | Jaro–Winkler ≥ 0.92 or two edits | two thirds of the words | ≥ 0.8 |
//! | e-mail | equal | one edit | the part before `@` | two edits |
//! | digits | equal | one edit | two edits, from seven digits on | – |
//! | date | equal | one edit | two edits, or day and month swapped | the same year |
//! | category | equal | – | – | – |
//!
//! Level 1 is none of these, level 0 a missing value on either side.

use crate::column::{Column, Kind};
use crate::distance::{edits, jaro_winkler_from, words_in_common};

/// Levels of a column: 0 (missing) to [`EQUAL`].
pub const LEVELS: usize = 6;
/// The level of equal values.
pub(crate) const EQUAL: u8 = 5;

/// The level of two codes of a column.
pub(crate) fn level(column: &Column, a: u32, b: u32) -> u8 {
    if a == 0 || b == 0 {
        return 0;
    }
    if a == b {
        return EQUAL;
    }
    let (a, b) = (column.text(a), column.text(b));
    match column.kind {
        Kind::Category => 1,
        Kind::Text => text(a, b),
        Kind::Address => address(a, b),
        Kind::Email => email(a, b),
        Kind::Digits => digits(a, b),
        Kind::Date => date(a, b),
    }
}

fn text(a: &[u8], b: &[u8]) -> u8 {
    let one = a.len().min(b.len()) >= 4 && edits(a, b, 1) <= 1;
    let alike = if one { 1.0 } else { jaro_winkler_from(a, b, 0.75) };
    graded(alike, [0.92, 0.85, 0.75])
}

fn address(a: &[u8], b: &[u8]) -> u8 {
    if a.len().min(b.len()) >= 6 && edits(a, b, 2) <= 2 {
        return 4;
    }
    match jaro_winkler_from(a, b, 0.8) {
        alike if alike >= 0.92 => 4,
        _ if words_in_common(a, b) > 0.66 => 3,
        alike if alike >= 0.8 => 2,
        _ => 1,
    }
}

fn email(a: &[u8], b: &[u8]) -> u8 {
    let local = |t: &'_ [u8]| t.iter().position(|c| *c == b'@').unwrap_or(t.len());
    match edits(a, b, 2) {
        0 | 1 => 4,
        _ if a[..local(a)] == b[..local(b)] => 3,
        // Two people of one name often have addresses that differ in two digits.
        2 => 2,
        _ => 1,
    }
}

fn digits(a: &[u8], b: &[u8]) -> u8 {
    let short = a.len().min(b.len());
    match edits(a, b, 2) {
        1 if short >= 2 => 4,
        2 if short >= 7 => 3,
        _ => 1,
    }
}

fn date(a: &[u8], b: &[u8]) -> u8 {
    let swapped = a.len() == 8 && b.len() == 8 && a[..4] == b[..4] && a[4..6] == b[6..] && a[6..] == b[4..6];
    match edits(a, b, 2) {
        0 | 1 => 4,
        _ if swapped => 3,
        2 => 3,
        _ if a.get(..4).is_some() && a.get(..4) == b.get(..4) => 2,
        _ => 1,
    }
}

fn graded(alike: f64, from: [f64; 3]) -> u8 {
    (4..).zip(from).fold(1, |level, (place, least)| if alike >= least { level.max(8 - place) } else { level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raw::RawColumn;

    #[track_caller]
    fn check(kind: Kind, a: &str, b: &str, expect: u8) {
        let mut column = Column::of(&RawColumn::of("c", [a, b]));
        column.kind = kind;
        assert_eq!(level(&column, column.codes[0], column.codes[1]), expect, "{a} {b}");
        assert_eq!(level(&column, column.codes[1], column.codes[0]), expect, "{b} {a}");
    }

    #[test]
    fn levels_grade_what_is_alike() {
        check(Kind::Text, "smith", "smith", 5);
        check(Kind::Text, "smith", "smyth", 4);
        check(Kind::Text, "jonathan", "jonathon", 4);
        check(Kind::Text, "dwayne", "duane", 2);
        check(Kind::Text, "smith", "jones", 1);
        check(Kind::Text, "smith", "", 0);
        check(Kind::Address, "12 high street", "12 hihg street", 4);
        check(Kind::Address, "12 high street", "high street", 3);
        check(Kind::Email, "robert255@smith.net", "robert255@smiht.org", 3);
        check(Kind::Email, "robert255@smith.net", "robert25@smith.net", 4);
        check(Kind::Email, "robert255@smith.net", "robert271@smith.net", 2);
        check(Kind::Email, "robert255@smith.net", "rosa255@smith.net", 1);
        check(Kind::Digits, "4011", "4010", 4);
        check(Kind::Digits, "6988048", "6988408", 4);
        check(Kind::Digits, "6988048", "6988133", 1);
        check(Kind::Digits, "6988048", "6988133".replace("133", "039").as_str(), 3);
        check(Kind::Date, "19710624", "19710524", 4);
        check(Kind::Date, "19710106", "19710601", 3);
        check(Kind::Date, "19710106", "19711231", 2);
        check(Kind::Category, "nsw", "nsv", 1);
    }
}

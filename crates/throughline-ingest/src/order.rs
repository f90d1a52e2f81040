//! The order of exports by their names: numbers in names count as numbers, so that `day 9` comes before `day 10`.

use std::cmp::Ordering;

/// Compares names, runs of digits by their value, what stands behind the last dot last: `export` comes before `export (1)`.
/// Names that differ in nothing but leading zeros compare as texts.
pub fn by_name(a: &str, b: &str) -> Ordering {
    by_numbers(stem(a), stem(b)).then(a.cmp(b))
}

/// A name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').filter(|(_, extension)| !extension.contains('/')).map_or(name, |(stem, _)| stem)
}

fn by_numbers(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        let ((text_x, rest_x), (text_y, rest_y)) = (split(x, false), split(y, false));
        let texts = text_x.cmp(text_y);
        if texts != Ordering::Equal {
            // What is a number in one name and text in the other compares as text.
            return texts;
        }
        let ((digits_x, rest_x), (digits_y, rest_y)) = (split(rest_x, true), split(rest_y, true));
        if digits_x.is_empty() && digits_y.is_empty() {
            return a.cmp(b);
        }
        let (short_x, short_y) = (digits_x.trim_start_matches('0'), digits_y.trim_start_matches('0'));
        let numbers = short_x.len().cmp(&short_y.len()).then(short_x.cmp(short_y));
        if numbers != Ordering::Equal {
            return numbers;
        }
        (x, y) = (rest_x, rest_y);
    }
}

/// The digits, or what is none, that a text begins with, and the rest.
fn split(text: &str, digits: bool) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_count_as_numbers() {
        let mut names = ["d10.csv", "d9.csv", "d09.csv", "d.csv", "2026-03-02.csv", "2026-03-01.csv", "d9a.csv"];
        names.sort_by(|a, b| by_name(a, b));
        assert_eq!(names, ["2026-03-01.csv", "2026-03-02.csv", "d.csv", "d09.csv", "d9.csv", "d9a.csv", "d10.csv"]);
        assert_eq!(by_name("in/export.csv", "in/export (1).csv"), Ordering::Less);
        assert_eq!(by_name("in.1/a", "in.1/b"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn it_is_an_order(mut names in prop::collection::vec("[a0-2.é]{0,6}", 3)) {
            let (a, b) = (names[0].clone(), names[1].clone());
            prop_assert_eq!(by_name(&a, &b), by_name(&b, &a).reverse());
            prop_assert_eq!(by_name(&a, &b) == Ordering::Equal, a == b);
            names.sort_by(|a, b| by_name(a, b));
            prop_assert_ne!(by_name(&names[0], &names[2]), Ordering::Greater);
        }
    }
}

//! Columns as codes into their distinct values, and what kind of thing a column holds.

use serde::Serialize;

use crate::dictionary::Dictionary;
use crate::normal::{date, normal};
use crate::raw::RawColumn;

/// What a column holds, which decides how its values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Names and other short texts.
    Text,
    /// Several words, such as streets.
    Address,
    /// E-mail addresses.
    Email,
    /// Digits: phones, postcodes, numbers of any register.
    Digits,
    /// Dates of a calendar.
    Date,
    /// One of a few values: compared as equal or not.
    Category,
}

/// A column in normal form. Code 0 is a missing value.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// How many records there are.
    pub(crate) records: usize,
    /// Whether every record has a value as it was written that no other has.
    pub(crate) unique: bool,
    /// One code a record.
    pub(crate) codes: Vec<u32>,
    values: Dictionary,
    /// How many records have each code.
    pub(crate) counts: Vec<u32>,
    /// Where a text is brought into its normal form.
    form: Vec<u8>,
}

/// Distinct values up to which texts are a category.
const FEW: usize = 60;
/// Share of records whose values must look like a kind.
const MOSTLY: f64 = 0.8;
/// Records that are looked at to find a kind, about.
const LOOKED_AT: usize = 20_000;

impl Column {
    /// A column without a value for the records before it was met.
    pub(crate) fn new(name: &str, records: usize) -> Self {
        Self {
            name: name.to_owned(),
            kind: Kind::Text,
            records,
            unique: false,
            codes: vec![0; records],
            values: Dictionary::default(),
            counts: vec![u32::try_from(records).unwrap_or(u32::MAX)],
            form: Vec::new(),
        }
    }

    /// Adds the texts of more records.
    pub(crate) fn extend(&mut self, raw: &RawColumn) {
        self.codes.reserve(raw.len());
        for text in raw.texts() {
            normal(text, &mut self.form);
            let code = self.values.code(&self.form);
            self.note(code);
        }
    }

    /// Adds records without a value.
    pub(crate) fn skip(&mut self, records: usize) {
        (0..records).for_each(|_| self.note(0));
    }

    fn note(&mut self, code: u32) {
        self.codes.push(code);
        self.records += 1;
        match self.counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => self.counts.push(1),
        }
    }

    /// Finds the kind and brings dates and digits into one form.
    pub(crate) fn settle(mut self) -> Self {
        self.values.forget_places();
        self.form = Vec::new();
        self.unique = self.distinct() == self.records;
        self.kind = self.find_kind();
        match self.kind {
            Kind::Date => self.rewrite(|text| date(text).unwrap_or_else(|| text.to_vec())),
            Kind::Digits => self.rewrite(|text| text.iter().copied().filter(u8::is_ascii_alphanumeric).collect()),
            _ => {}
        }
        self
    }

    /// Puts every value into another form; values that become equal share a code.
    fn rewrite(&mut self, form: impl Fn(&[u8]) -> Vec<u8>) {
        let mut values = Dictionary::default();
        let mut renamed = vec![0_u32];
        for code in 1..=self.values.len() {
            renamed.push(values.code(&form(self.values.text(code))));
        }
        let mut counts = vec![0_u32; values.len() as usize + 1];
        for code in &mut self.codes {
            *code = renamed[*code as usize];
            counts[*code as usize] += 1;
        }
        values.forget_places();
        (self.values, self.counts) = (values, counts);
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: u32) -> &[u8] {
        self.values.text(code)
    }

    /// How many distinct values there are.
    pub(crate) fn distinct(&self) -> usize {
        self.counts.len() - 1
    }

    /// How many records have a value.
    pub(crate) fn present(&self) -> usize {
        self.records - self.counts[0] as usize
    }

    fn find_kind(&self) -> Kind {
        let step = (self.codes.len() / LOOKED_AT).max(1);
        let share = |is: &dyn Fn(&[u8]) -> bool| {
            let codes = self.codes.iter().step_by(step).filter(|code| **code > 0);
            let (mut yes, mut seen) = (0_u32, 0_u32);
            for code in codes {
                seen += 1;
                yes += u32::from(is(self.text(*code)));
            }
            f64::from(yes) / f64::from(seen.max(1))
        };
        let digits = |t: &[u8]| t.iter().filter(|c| c.is_ascii_digit()).count();
        if share(&|t| t.contains(&b'@')) > MOSTLY {
            Kind::Email
        } else if share(&|t| date(t).is_some()) > MOSTLY {
            Kind::Date
        } else if self.distinct() <= FEW {
            Kind::Category
        } else if share(&|t| 2 * digits(t) >= t.len() && t.iter().filter(|c| c.is_ascii_alphabetic()).count() <= 3)
            > MOSTLY
        {
            Kind::Digits
        } else if share(&|t| t.contains(&b' ')) > 0.5 {
            Kind::Address
        } else {
            Kind::Text
        }
    }

    /// A whole column at once, for tests.
    #[cfg(test)]
    pub(crate) fn of(raw: &RawColumn) -> Self {
        let mut column = Self::new(&raw.name, 0);
        column.extend(raw);
        column.settle()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Column {
        Column::of(&RawColumn::of("c", texts))
    }

    #[test]
    fn values_that_mean_the_same_share_a_code() {
        let c = column(&["  Müller ", "mueller", "MUELLER", "", "NULL", "O'Neil", "oneil"]);
        assert_eq!(c.codes, [1, 1, 1, 0, 0, 2, 2]);
        assert_eq!((c.text(1), c.text(2)), (b"mueller".as_slice(), b"oneil".as_slice()));
        assert_eq!((c.counts.as_slice(), c.distinct(), c.present()), ([2, 3, 2].as_slice(), 2, 5));
    }

    #[test]
    fn a_column_may_begin_late_and_end_early() {
        let mut c = Column::new("c", 2);
        c.extend(&RawColumn::of("c", ["x", "y"]));
        c.skip(1);
        assert_eq!((c.codes.as_slice(), c.counts.as_slice()), ([0, 0, 1, 2, 0].as_slice(), [3, 1, 1].as_slice()));
    }

    #[test]
    fn kinds_are_found_from_values() {
        let many = |of: &dyn Fn(u32) -> String| Column::of(&RawColumn::of("c", (0..200).map(of))).kind;
        assert_eq!(many(&|i| format!("a{i}@b.example")), Kind::Email);
        assert_eq!(many(&|i| format!("{:02}/{:02}/19{:02}", 1 + i % 28, 1 + i % 12, i % 90)), Kind::Date);
        assert_eq!(many(&|i| format!("0{}", 791_000 + i)), Kind::Digits);
        assert_eq!(many(&|i| format!("sw{}a {i}dd", i % 20)), Kind::Address);
        assert_eq!(many(&|i| format!("{i} high street")), Kind::Address);
        assert_eq!(many(&|i| format!("name{}", char::from(97 + u8::try_from(i % 26).unwrap_or(0)))), Kind::Category);
        assert_eq!(many(&|i| "ab".repeat(1 + i as usize % 70)), Kind::Text);
    }

    #[test]
    fn mistyped_values_do_not_outvote_the_records() {
        // Two dates of half of the records each, and as many mistakes as there are further values.
        let of = |i: usize| match i % 10 {
            0 => format!("19x{i}"),
            n => format!("1971-06-{n:02}"),
        };
        assert_eq!(Column::of(&RawColumn::of("c", (0..400).map(of))).kind, Kind::Date);
    }

    #[test]
    fn dates_in_two_forms_are_one_value() {
        let c = column(&["1971-06-24", "24/06/1971", "1980-01-01"]);
        assert_eq!((c.kind, c.codes), (Kind::Date, vec![1, 1, 2]));
    }
}

//! Columns as codes into their distinct values, and what kind of thing a column holds.

use std::collections::HashMap;

use serde::Serialize;

/// A column as it comes: a name and one text a record, empty where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawColumn {
    /// Its name.
    pub name: String,
    /// The texts of all records, one after the other.
    texts: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl RawColumn {
    /// A column without records.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// A column with a text for each record.
    pub fn of(name: impl Into<String>, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut column = Self::new(name);
        texts.into_iter().for_each(|text| column.push(text.as_ref()));
        column
    }

    /// Adds a record's text.
    pub fn push(&mut self, text: &str) {
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
    }

    /// How many records there are.
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no record.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The texts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).map(|(from, to)| self.texts.get(from..*to).unwrap_or_default())
    }
}

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
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// One code a record.
    pub(crate) codes: Vec<u32>,
    /// Where the text of each code begins, and of the one after it.
    starts: Vec<u32>,
    bytes: Vec<u8>,
    /// How many records have each code.
    pub(crate) counts: Vec<u32>,
}

/// Texts that stand for a missing value.
const MISSING: [&str; 6] = ["", "null", "nan", "none", "n/a", "-"];
/// Distinct values up to which texts are a category.
const FEW: usize = 60;
/// Share of values that must look like a kind.
const MOSTLY: f64 = 0.8;

impl Column {
    /// Normalises a column and finds its kind.
    pub fn new(raw: &RawColumn) -> Self {
        let mut column = Self {
            name: raw.name.clone(),
            kind: Kind::Text,
            codes: Vec::with_capacity(raw.len()),
            starts: vec![0, 0],
            bytes: Vec::new(),
            counts: vec![0],
        };
        let mut places: HashMap<Vec<u8>, u32> = HashMap::new();
        let mut raw_places: HashMap<&str, u32> = HashMap::new();
        for text in raw.texts() {
            // Most values repeat as they are written: they are normalised once.
            let code = if let Some(code) = raw_places.get(text) {
                *code
            } else {
                let code = column.place(&mut places, normal(text));
                raw_places.insert(text, code);
                code
            };
            column.codes.push(code);
            column.counts[code as usize] += 1;
        }
        column.kind = column.find_kind();
        if column.kind == Kind::Date {
            column.rewrite(|text| date(text).unwrap_or_else(|| text.to_vec()));
        } else if column.kind == Kind::Digits {
            column.rewrite(|text| text.iter().copied().filter(u8::is_ascii_alphanumeric).collect());
        }
        column
    }

    fn place(&mut self, places: &mut HashMap<Vec<u8>, u32>, text: Vec<u8>) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(code) = places.get(&text) {
            return *code;
        }
        let code = u32::try_from(self.counts.len()).unwrap_or(u32::MAX);
        self.bytes.extend_from_slice(&text);
        self.starts.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        self.counts.push(0);
        places.insert(text, code);
        code
    }

    /// Puts every value into another form; values that become equal share a code.
    fn rewrite(&mut self, form: impl Fn(&[u8]) -> Vec<u8>) {
        let old = std::mem::replace(
            self,
            Self {
                name: self.name.clone(),
                kind: self.kind,
                codes: Vec::new(),
                starts: vec![0, 0],
                bytes: Vec::new(),
                counts: vec![0],
            },
        );
        let mut places = HashMap::new();
        let mut renamed = vec![0_u32];
        for code in 1..old.counts.len() {
            let text = form(old.text(u32::try_from(code).unwrap_or(0)));
            renamed.push(self.place(&mut places, text));
        }
        self.codes = old.codes.iter().map(|code| renamed[*code as usize]).collect();
        for code in &self.codes {
            self.counts[*code as usize] += 1;
        }
    }

    /// The text of a code.
    pub(crate) fn text(&self, code: u32) -> &[u8] {
        &self.bytes[self.starts[code as usize] as usize..self.starts[code as usize + 1] as usize]
    }

    /// How many distinct values there are.
    pub(crate) fn distinct(&self) -> usize {
        self.counts.len() - 1
    }

    /// How many records have a value.
    pub(crate) fn present(&self) -> usize {
        self.codes.len() - self.counts[0] as usize
    }

    fn find_kind(&self) -> Kind {
        let share = |is: &dyn Fn(&[u8]) -> bool| {
            // Every so-manieth value tells.
            let step = (self.distinct() / 2_000).max(1);
            let seen: Vec<bool> =
                (1..self.counts.len()).step_by(step).map(|c| is(self.text(u32::try_from(c).unwrap_or(0)))).collect();
            seen.iter().filter(|yes| **yes).count() as f64 / seen.len().max(1) as f64
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
}

/// Small letters without accents, one space between words, no punctuation beside `@`, `.`, `-` and `/`; empty for texts that
/// stand for a missing value.
fn normal(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.trim().chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_whitespace() || matches!(c, ',' | ';') => {
                if out.last().is_some_and(|l| *l != b' ') {
                    out.push(b' ');
                }
            }
            '\'' | '"' | '`' | '’' | '(' | ')' => {}
            c if c.is_ascii() => out.push(c as u8),
            c => out.extend_from_slice(plain(c, &mut [0; 4])),
        }
    }
    while out.last() == Some(&b' ') {
        out.pop();
    }
    if MISSING.iter().any(|m| m.as_bytes() == out) { Vec::new() } else { out }
}

/// A letter without its accent; itself where it has none.
fn plain(c: char, buffer: &mut [u8; 4]) -> &[u8] {
    match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => b"a",
        'ä' | 'æ' => b"ae",
        'ç' | 'ć' | 'č' => b"c",
        'ď' | 'đ' | 'ð' => b"d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => b"e",
        'ğ' | 'ģ' => b"g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' | 'ı' => b"i",
        'ł' | 'ľ' | 'ļ' => b"l",
        'ñ' | 'ń' | 'ň' | 'ņ' => b"n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ő' => b"o",
        'ö' | 'œ' => b"oe",
        'ř' | 'ŕ' => b"r",
        'ś' | 'š' | 'ş' | 'ș' => b"s",
        'ß' => b"ss",
        'ť' | 'ţ' | 'ț' | 'þ' => b"t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' | 'ų' => b"u",
        'ü' => b"ue",
        'ý' | 'ÿ' => b"y",
        'ź' | 'ż' | 'ž' => b"z",
        c => c.encode_utf8(buffer).as_bytes(),
    }
}

/// The eight digits of a date, year first: `YYYY-MM-DD`, `YYYYMMDD`, `DD/MM/YYYY`, `DD.MM.YYYY`, a time behind it left out.
/// Where both readings are possible the day comes first; days that no calendar has are kept, as people mistype them.
fn date(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.split(|c| matches!(c, b't' | b' ')).next()?;
    let number = |digits: &[u8]| -> Option<u32> { std::str::from_utf8(digits).ok()?.parse().ok() };
    let parts: Vec<&[u8]> = text.split(|c| matches!(c, b'-' | b'/' | b'.')).collect();
    let (year, month, day) = match parts[..] {
        [all] if all.len() == 8 => (number(&all[..4])?, number(&all[4..6])?, number(&all[6..])?),
        [a, m, b] if m.len() <= 2 && a.len().min(b.len()) <= 2 && a.len().max(b.len()) == 4 => {
            let (y, d) = if a.len() == 4 { (a, b) } else { (b, a) };
            (number(y)?, number(m)?, number(d)?)
        }
        _ => return None,
    };
    let (month, day) = if month > 12 && day <= 12 { (day, month) } else { (month, day) };
    let sound = (1800..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    sound.then(|| format!("{year:04}{month:02}{day:02}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(texts: &[&str]) -> Column {
        Column::new(&RawColumn::of("c", texts))
    }

    #[test]
    fn values_that_mean_the_same_share_a_code() {
        let c = column(&["  Müller ", "mueller", "MUELLER", "", "NULL", "O'Neil", "oneil"]);
        assert_eq!(c.codes, [1, 1, 1, 0, 0, 2, 2]);
        assert_eq!((c.text(1), c.text(2)), (b"mueller".as_slice(), b"oneil".as_slice()));
        assert_eq!((c.counts.as_slice(), c.distinct(), c.present()), ([2, 3, 2].as_slice(), 2, 5));
    }

    #[test]
    fn kinds_are_found_from_values() {
        let many = |of: &dyn Fn(u32) -> String| Column::new(&RawColumn::of("c", (0..200).map(of))).kind;
        assert_eq!(many(&|i| format!("a{i}@b.example")), Kind::Email);
        assert_eq!(many(&|i| format!("{:02}/{:02}/19{:02}", 1 + i % 28, 1 + i % 12, i % 90)), Kind::Date);
        assert_eq!(many(&|i| format!("0{}", 791_000 + i)), Kind::Digits);
        assert_eq!(many(&|i| format!("sw{}a {i}dd", i % 20)), Kind::Address);
        assert_eq!(many(&|i| format!("{i} high street")), Kind::Address);
        assert_eq!(many(&|i| format!("name{}", char::from(97 + u8::try_from(i % 26).unwrap_or(0)))), Kind::Category);
        assert_eq!(many(&|i| "ab".repeat(1 + i as usize % 70)), Kind::Text);
    }

    #[test]
    fn dates_are_read_in_their_common_forms() {
        let of = |t: &str| date(t.as_bytes()).map(|d| String::from_utf8(d).expect("digits"));
        for text in ["1971-06-24", "19710624", "24/06/1971", "24.6.1971", "1971-06-24t00:00:00", "1971-24-06"] {
            assert_eq!(of(text).as_deref(), Some("19710624"), "{text}");
        }
        assert_eq!((of("19711324"), of("6988048"), of("12-3")), (None, None, None));
        let c = column(&["1971-06-24", "24/06/1971", "1980-01-01"]);
        assert_eq!((c.kind, c.codes), (Kind::Date, vec![1, 1, 2]));
    }
}

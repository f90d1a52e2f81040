//! How the fields of delimited text are told apart.

use super::super::{BadOption, Options};

/// How fields are told apart, and where the table begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Dialect {
    pub(in super::super) delimiter: u8,
    /// `None`: no byte quotes.
    pub(in super::super) quote: Option<u8>,
    /// Whether a backslash escapes tab, newline and backslash.
    pub(in super::super) escapes: bool,
    /// Lines above the header, or above the first row where the names are given.
    pub(in super::super) skip: usize,
    /// Names of the columns, where the file has no header.
    pub(in super::super) names: Option<Vec<String>>,
    /// What the format is called in messages.
    pub(in super::super) format: &'static str,
}

impl Dialect {
    /// A table with a header in its first line.
    pub(in super::super) const fn plain(delimiter: u8, format: &'static str) -> Self {
        Self { delimiter, quote: Some(b'"'), escapes: false, skip: 0, names: None, format }
    }

    pub(super) fn of(options: &Options) -> Result<Self, BadOption> {
        let delimiter = one_character(options, "delimiter", b',')?;
        let quote = one_character(options, "quote", b'"')?;
        if delimiter == quote {
            return Err(BadOption { name: "quote", message: "delimiter and quote are the same character".to_owned() });
        }
        Ok(Self { quote: Some(quote), ..Self::plain(delimiter, "csv") })
    }
}

fn one_character(options: &Options, name: &'static str, default: u8) -> Result<u8, BadOption> {
    match options.get(name).map(String::as_str) {
        None => Ok(default),
        Some("tab" | "\\t") => Ok(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r') => Ok(*byte),
            _ => Err(BadOption { name, message: format!("{name} `{text}` is not one ASCII character or `tab`") }),
        },
    }
}

//! The stable codes of this crate: `TL1xx` for configuration and files, `TL2xx` for rows.

/// Codes of configuration and file errors, with what they mean.
pub const CONFIG_CODES: &[(&str, &str)] = &[
    (codes::YAML, "the file is not a source: YAML syntax, an unknown key, a missing key or a value of the wrong type"),
    (codes::VERSION, "`apiVersion` or `kind` is not the expected one"),
    (codes::NAME, "the source's name is not a plain word"),
    (codes::CONNECTOR, "unknown connector"),
    (codes::OPTION, "unknown option of a connector, or a value it does not take"),
    (codes::COLUMN_TYPE, "unknown type of a raw column"),
    (codes::COLUMN, "an expression names a column that the files do not have, or a declared column is nowhere"),
    (codes::EXPRESSION, "an expression is refused"),
    (codes::TYPE, "an expression has a type that its field does not take"),
    (codes::FIELD, "a field is missing, or belongs to another table"),
    (codes::CONSTANT, "a constant is not one of the known names"),
    (codes::NUMBER, "a number is outside its bounds"),
    (codes::CHANNELS, "`channels.yaml` is unreadable, or a rule of it says nothing"),
    (codes::VARIABLE, "the location names a variable that is not set"),
    (codes::MISSING_FILE, "no file at the location"),
    (codes::EMPTY_FILE, "the file is empty"),
    (codes::DELIMITER, "the header is one column that holds another delimiter"),
    (codes::UNREADABLE, "the file cannot be read in the stated form"),
    (codes::UNREACHABLE, "the database of a source cannot be reached"),
    (codes::BAD_ROWS, "more rows were refused than `failure_limit` allows"),
    (codes::CONSENT_SIGNAL, "the consent signal of events cannot be read; they are kept, and nothing is granted there"),
    (codes::DRIFT, "the columns of a file differ from those of the file before"),
    (codes::GONE, "a file of a source is gone"),
    (codes::CORRECTION, "a corrected row of the quarantine is not as it was when it was corrected"),
    (codes::ELSEWHERE, "a place in an object store, or a Delta table, cannot be read"),
];

/// The codes by name.
pub(crate) mod codes {
    pub(crate) const YAML: &str = "TL101";
    pub(crate) const VERSION: &str = "TL102";
    pub(crate) const NAME: &str = "TL103";
    pub(crate) const CONNECTOR: &str = "TL104";
    pub(crate) const OPTION: &str = "TL105";
    pub(crate) const COLUMN_TYPE: &str = "TL106";
    pub(crate) const COLUMN: &str = "TL107";
    pub(crate) const EXPRESSION: &str = "TL108";
    pub(crate) const TYPE: &str = "TL109";
    pub(crate) const FIELD: &str = "TL110";
    pub(crate) const CONSTANT: &str = "TL111";
    pub(crate) const NUMBER: &str = "TL112";
    pub(crate) const CHANNELS: &str = "TL113";
    pub(crate) const VARIABLE: &str = "TL120";
    pub(crate) const MISSING_FILE: &str = "TL121";
    pub(crate) const EMPTY_FILE: &str = "TL122";
    pub(crate) const DELIMITER: &str = "TL123";
    pub(crate) const UNREADABLE: &str = "TL124";
    pub(crate) const UNREACHABLE: &str = "TL125";
    pub(crate) const BAD_ROWS: &str = "TL130";
    pub(crate) const CONSENT_SIGNAL: &str = "TL135";
    pub(crate) const DRIFT: &str = "TL136";
    pub(crate) const GONE: &str = "TL137";
    pub(crate) const CORRECTION: &str = "TL138";
    pub(crate) const ELSEWHERE: &str = "TL139";
}

/// Why a row went to quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RowFault {
    /// More or fewer fields than the header.
    FieldCount,
    /// Not UTF-8.
    Encoding,
    /// Not a JSON object.
    Json,
    /// A line or record above 1 MB.
    Oversized,
    /// A value that does not have the type of its column.
    Typed,
    /// No id.
    IdMissing,
    /// The id was seen before in the file.
    Duplicate,
    /// Two emits of the row give one id.
    IdReused,
    /// No time, or a text that is no time.
    TimeInvalid,
    /// A time outside the accepted years.
    TimeOutOfRange,
    /// A time after the start of the run.
    TimeInFuture,
    /// None of the identifiers has a value.
    NoIdentifier,
    /// Unknown kind of event.
    Kind,
    /// Unreadable consent.
    Consent,
    /// An amount that is no number, not finite or too large.
    Amount,
    /// A negative cost, count or purchase.
    Negative,
    /// An amount without currency, or with an unknown one.
    Currency,
    /// A revision or count that is not a whole number.
    WholeNumber,
}

impl RowFault {
    /// Every fault, in the order of the codes.
    pub const ALL: [Self; 18] = [
        Self::FieldCount,
        Self::Encoding,
        Self::Json,
        Self::Oversized,
        Self::Typed,
        Self::IdMissing,
        Self::Duplicate,
        Self::IdReused,
        Self::TimeInvalid,
        Self::TimeOutOfRange,
        Self::TimeInFuture,
        Self::NoIdentifier,
        Self::Kind,
        Self::Consent,
        Self::Amount,
        Self::Negative,
        Self::Currency,
        Self::WholeNumber,
    ];

    /// The stable code.
    pub const fn code(self) -> &'static str {
        self.entry().0
    }

    /// What it means and what to do, in one line.
    pub const fn summary(self) -> &'static str {
        self.entry().1
    }

    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Self::FieldCount => ("TL201", "the row has more or fewer fields than the header"),
            Self::Encoding => ("TL202", "the row is not UTF-8"),
            Self::Json => ("TL203", "the line is not a JSON object"),
            Self::Oversized => ("TL204", "the row exceeds 1 MB, or an identifier 1 KB"),
            Self::Typed => ("TL205", "a value does not have the type of its column"),
            Self::IdMissing => ("TL206", "the row has no id"),
            Self::Duplicate => ("TL207", "the id and revision were seen before in the file; the first is kept"),
            Self::IdReused => ("TL208", "two emits of the row give one id; make them distinct"),
            Self::TimeInvalid => ("TL209", "the time is missing or unreadable"),
            Self::TimeOutOfRange => ("TL210", "the time is outside the years 1990 to 2100"),
            Self::TimeInFuture => ("TL211", "the time is more than 1 day after the start of the run"),
            Self::NoIdentifier => ("TL212", "none of the identifiers has a value"),
            Self::Kind => ("TL213", "unknown kind of event"),
            Self::Consent => ("TL214", "the consent text is unreadable"),
            Self::Amount => ("TL215", "an amount is no number, not finite or too large"),
            Self::Negative => ("TL216", "a purchase, cost or count is negative; money given back has kind refund"),
            Self::Currency => ("TL217", "an amount has no currency, or one that is not three letters"),
            Self::WholeNumber => ("TL218", "a revision or count is not a whole number"),
        }
    }
}

/// A row's fault with the reason in words. The words never quote the row: they are stored in the clear and would
/// outlive an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadRow {
    pub(crate) fault: RowFault,
    pub(crate) reason: String,
}

impl BadRow {
    pub(crate) fn new(fault: RowFault, reason: impl Into<String>) -> Self {
        Self { fault, reason: reason.into() }
    }
}

/// The shape of a text: letters as `a`, digits as `9`, cut at 24 characters. It tells `01.03.2026` from an e-mail
/// address without telling either.
pub(crate) fn shape(text: &str) -> String {
    const SHOWN: usize = 24;
    let mut shape: String = text
        .chars()
        .take(SHOWN)
        .map(|c| match c {
            _ if c.is_ascii_digit() => '9',
            ' ' | '!'..='/' | ':'..='@' | '['..='`' | '{'..='~' => c,
            _ if c.is_control() || c.is_whitespace() => ' ',
            _ => 'a',
        })
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        shape.push('…');
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let rows: Vec<&str> = RowFault::ALL.iter().map(|f| f.code()).collect();
        assert!(rows.is_sorted() && rows.windows(2).all(|w| w[0] != w[1]), "{rows:?}");
        let config: Vec<&str> = CONFIG_CODES.iter().map(|c| c.0).collect();
        assert!(config.is_sorted() && config.windows(2).all(|w| w[0] != w[1]), "{config:?}");
    }

    #[test]
    fn the_readme_lists_every_code_and_connector() {
        let readme = include_str!("../README.md");
        for fault in RowFault::ALL {
            let line = format!("| {} | {} |", fault.code(), fault.summary());
            assert!(readme.contains(&line), "README lacks: {line}");
        }
        for (code, summary) in CONFIG_CODES {
            let line = format!("| {code} | {summary} |");
            assert!(readme.contains(&line), "README lacks: {line}");
        }
        for connector in crate::connector::CONNECTORS {
            assert!(readme.contains(&format!("| `{}` | {} |", connector.name(), connector.summary())));
        }
    }

    #[test]
    fn shapes_tell_the_form_and_nothing_else() {
        assert_eq!(shape("01.03.2026 é"), "99.99.9999 a");
        assert_eq!(shape("Ann@Example.org"), "aaa@aaaaaaa.aaa");
        assert_eq!(shape(&"x".repeat(30)), format!("{}…", "a".repeat(24)));
    }
}

//! What columns a file has and what they hold, and how that differs from the file before.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::DataType;
use serde::{Deserialize, Serialize};
use throughline_core::diagnostic::closest;
use throughline_core::expr::Type;
use throughline_core::{Diagnostic, Timestamp};

use crate::compile::CompiledSource;
use crate::diagnostics::codes;
use crate::error::IngestError;
use crate::location::SourceFile;
use crate::retype::number_of;

/// Rows below which a column without values says nothing.
const FEW_ROWS: usize = 20;

/// What the values of a column look like: its type, or for text what all its values can be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holds {
    /// No value at all.
    Nothing,
    /// `true` and `false`.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers.
    Float,
    /// Instants or dates.
    Time,
    /// Any text.
    Text,
}

impl fmt::Display for Holds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Bool => "true and false",
            Self::Int => "whole numbers",
            Self::Float => "numbers",
            Self::Time => "times",
            Self::Text => "text",
        })
    }
}

/// The columns of a file with what the first rows of it hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileColumns {
    /// By name.
    pub columns: BTreeMap<String, Holds>,
    /// Rows that were looked at.
    pub rows: usize,
}

/// A difference between two files of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// The column.
    pub column: String,
    /// What is different.
    pub change: Change,
    /// What it held before; absent for a new column.
    pub before: Option<Holds>,
    /// What it holds now; absent for a missing one.
    pub now: Option<Holds>,
    /// Whether the mapping reads it.
    pub used: bool,
}

/// What is different about a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is gone.
    Missing,
    /// It has no values any more.
    Emptied,
    /// It holds something else.
    Retyped,
    /// It was not there.
    New,
}

impl CompiledSource {
    /// The columns of a file and what the first batch of its rows holds.
    pub fn columns_of(&self, file: &SourceFile) -> Result<FileColumns, IngestError> {
        file.fetch()?;
        let found = self.connector.columns(file, &self.options)?;
        let names: Vec<String> = found.columns.iter().map(|c| c.name.clone()).collect();
        let mut reader = self.connector.read(file, &self.options, &names)?;
        let first = reader.next_batch()?;
        let held = |i: usize, ty: Type| first.as_ref().map_or(Holds::Nothing, |rows| holds(&rows.columns[i], ty));
        let columns = found.columns.iter().enumerate().map(|(i, c)| (c.name.clone(), held(i, c.ty)));
        Ok(FileColumns { columns: columns.collect(), rows: first.as_ref().map_or(0, |rows| rows.numbers.len()) })
    }

    /// The names of the columns that the mapping reads.
    pub fn columns_used(&self) -> BTreeSet<String> {
        self.used.iter().map(|i| self.columns[*i].name.clone()).collect()
    }
}

fn holds(values: &ArrayRef, ty: Type) -> Holds {
    if values.null_count() == values.len() {
        return Holds::Nothing;
    }
    match (values.data_type(), ty) {
        (DataType::Utf8, Type::Text) => holds_text(values.as_string::<i32>().iter().flatten()),
        (_, Type::Bool) => Holds::Bool,
        (_, Type::Int) => Holds::Int,
        (_, Type::Float) => Holds::Float,
        (_, Type::Time) => Holds::Time,
        (_, Type::Text) => Holds::Text,
    }
}

fn holds_text<'a>(texts: impl Iterator<Item = &'a str>) -> Holds {
    let mut fits = [true; 4];
    let mut any = false;
    for text in texts.map(str::trim).filter(|text| !text.is_empty()) {
        any = true;
        fits[0] &= matches!(text, "true" | "false");
        fits[1] &= text.parse::<i64>().is_ok();
        fits[2] &= number_of(text).is_some();
        fits[3] &= text.len() >= 10 && text.parse::<Timestamp>().is_ok();
        if fits == [false; 4] {
            return Holds::Text;
        }
    }
    let kinds = [Holds::Bool, Holds::Int, Holds::Float, Holds::Time];
    if any {
        kinds.into_iter().zip(fits).find(|(_, fits)| *fits).map_or(Holds::Text, |(kind, _)| kind)
    } else {
        Holds::Nothing
    }
}

/// What is different in `now`, what hurts most first. Whole numbers beside numbers are no difference; nor is text that once looked
/// like numbers where the mapping does not read it.
pub fn drift(before: &FileColumns, now: &FileColumns, used: &BTreeSet<String>) -> Vec<Drift> {
    let mut found = Vec::new();
    let names: BTreeSet<&String> = before.columns.keys().chain(now.columns.keys()).collect();
    for name in names {
        let (was, is) = (before.columns.get(name).copied(), now.columns.get(name).copied());
        let used = used.contains(name);
        let change = match (was, is) {
            (Some(_), None) => Change::Missing,
            (None, Some(_)) => Change::New,
            (Some(was), Some(Holds::Nothing))
                if was != Holds::Nothing && used && now.rows >= FEW_ROWS && before.rows >= FEW_ROWS =>
            {
                Change::Emptied
            }
            (Some(was), Some(is)) if retyped(was, is) => Change::Retyped,
            _ => continue,
        };
        found.push(Drift { column: name.clone(), change, before: was, now: is, used });
    }
    found.sort_by_key(|d| (!d.used, d.change));
    found
}

/// Text may have looked like anything by chance; what was no text and now is, or is of another kind, was changed.
const fn retyped(was: Holds, is: Holds) -> bool {
    !matches!(
        (was, is),
        (Holds::Nothing | Holds::Text, _)
            | (_, Holds::Nothing)
            | (Holds::Int | Holds::Float, Holds::Int | Holds::Float)
            | (Holds::Bool, Holds::Bool)
            | (Holds::Time, Holds::Time)
    )
}

/// A finding for people: what is different in `file`, and what to do.
pub fn drift_finding(drift: &Drift, all: &[Drift], file: &str, source_file: &str) -> Diagnostic {
    let Drift { column, used, .. } = drift;
    let held = |holds: Option<Holds>| holds.map_or_else(String::new, |h| h.to_string());
    let news = || all.iter().filter(|d| d.change == Change::New).map(|d| d.column.as_str());
    let reads = if *used { ", which the mapping reads" } else { ", which the mapping does not read" };
    let (message, help) = match drift.change {
        Change::Missing => {
            let renamed = closest(column, news()).map(|new| format!("it may be called `{new}` now: "));
            (
                format!("`{file}` lacks the column `{column}`{reads}; earlier files have it"),
                match (used, renamed) {
                    (true, Some(new)) => {
                        format!("{new}name the new column in the mapping, or have the export restored")
                    }
                    (true, None) => "have the export restored, or take the column out of the mapping".to_owned(),
                    (false, _) => "nothing hurts; tell whoever makes the export if it was not meant".to_owned(),
                },
            )
        }
        Change::Emptied => (
            format!("column `{column}` of `{file}` has no values any more{reads}"),
            "ask whoever makes the export whether the field moved".to_owned(),
        ),
        Change::Retyped => (
            format!(
                "column `{column}` of `{file}` holds {}, before it held {}{reads}",
                held(drift.now),
                held(drift.before)
            ),
            if *used { "check a few rows: what does not fit refuses its row" } else { "nothing hurts" }.to_owned(),
        ),
        Change::New => (
            format!("`{file}` has the new column `{column}` ({})", held(drift.now)),
            "use it in the mapping if it is of use".to_owned(),
        ),
    };
    let finding = Diagnostic::warning(codes::DRIFT, message).help(help);
    finding.at(source_file, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(columns: &[(&str, Holds)]) -> FileColumns {
        FileColumns { columns: columns.iter().map(|(n, h)| ((*n).to_owned(), *h)).collect(), rows: 100 }
    }

    #[track_caller]
    fn check(before: &[(&str, Holds)], now: &[(&str, Holds)], expect: &[&str]) {
        let used = BTreeSet::from(["amount".to_owned(), "ts".to_owned()]);
        let found = drift(&columns(before), &columns(now), &used);
        let shown: Vec<String> =
            found.iter().map(|d| drift_finding(d, &found, "b.csv", "s.yaml").to_string()).collect();
        assert_eq!(shown.len(), expect.len(), "{shown:#?}");
        for (shown, expect) in shown.iter().zip(expect) {
            assert!(shown.contains(expect), "{shown}");
        }
    }

    #[test]
    fn texts_are_known_by_all_their_values() {
        let of = |texts: &[&str]| holds_text(texts.iter().copied());
        assert_eq!(of(&["1", " 2 ", ""]), Holds::Int);
        assert_eq!(of(&["1", "2.5"]), Holds::Float);
        assert_eq!(of(&["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"]), Holds::Time);
        assert_eq!(of(&["true", "false"]), Holds::Bool);
        assert_eq!(of(&["1", "n/a"]), Holds::Text);
        assert_eq!(of(&["", " "]), Holds::Nothing);
    }

    #[test]
    fn what_hurts_comes_first_and_what_is_harmless_is_not_told() {
        use Holds::{Float, Int, Nothing, Text, Time};
        check(&[("amount", Int)], &[("amount", Float)], &[]);
        check(&[("note", Text)], &[("note", Int)], &[]);
        check(&[("amount", Nothing)], &[("amount", Float)], &[]);
        check(&[("amount", Float)], &[("amount", Nothing)], &["has no values any more, which the mapping reads"]);
        check(&[("note", Text)], &[("note", Nothing)], &[]);
        check(
            &[("amount", Float), ("note", Text), ("ts", Time)],
            &[("amount", Text), ("amount_eur", Float), ("ts", Int)],
            &[
                "holds text, before it held numbers, which the mapping reads",
                "holds whole numbers, before it held times",
                "lacks the column `note`, which the mapping does not read",
                "has the new column `amount_eur` (numbers)",
            ],
        );
        check(&[("amount", Float)], &[("amounts", Float)], &["it may be called `amounts` now", "the new column"]);
    }
}

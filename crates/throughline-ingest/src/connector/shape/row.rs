//! One row of a vendor's file, and what is made of it.

use std::borrow::Cow;

use arrow::array::{Array as _, StringArray};
use jiff::tz::TimeZone;

use super::facts::Facts;
use super::list::Lists;
use super::number;
use crate::diagnostics::{BadRow, RowFault, shape};

/// The value of a made column, or why its row cannot be used.
pub(in super::super) type Given<'a> = Result<Option<Cow<'a, str>>, BadRow>;

/// A documented column and how it is made.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Made {
    /// Its name.
    pub(in super::super) name: &'static str,
    /// What it holds.
    pub(in super::super) doc: &'static str,
    /// For each argument the fields that may hold it: vendors rename, and answers of APIs spell differently.
    pub(in super::super) from: &'static [&'static [&'static str]],
    /// Makes it.
    pub(in super::super) make: Make,
}

/// A way to make a column.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Make {
    /// Of any row.
    Plain(for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>),
    /// Or the row cannot be used.
    Checked(for<'a> fn(&Row<'a>) -> Given<'a>),
}

impl Make {
    pub(super) fn call<'a>(self, row: &Row<'a>) -> Given<'a> {
        match self {
            Self::Plain(make) => Ok(make(row)),
            Self::Checked(make) => make(row),
        }
    }
}

impl Made {
    /// The field itself, under any of its names.
    pub(in super::super) const fn field(
        name: &'static str,
        doc: &'static str,
        from: &'static [&'static [&'static str]],
    ) -> Self {
        Self { name, doc, from, make: Make::Plain(|row| row.get(0).map(Cow::Borrowed)) }
    }

    /// An amount or count in the notation of the file.
    pub(in super::super) const fn number(
        name: &'static str,
        doc: &'static str,
        from: &'static [&'static [&'static str]],
    ) -> Self {
        Self { name, doc, from, make: Make::Checked(|row| row.number(0)) }
    }

    /// A computed column.
    pub(in super::super) const fn of(
        name: &'static str,
        doc: &'static str,
        from: &'static [&'static [&'static str]],
        make: for<'a> fn(&Row<'a>) -> Option<Cow<'a, str>>,
    ) -> Self {
        Self { name, doc, from, make: Make::Plain(make) }
    }

    /// A computed column whose arguments may be unreadable.
    pub(in super::super) const fn checked(
        name: &'static str,
        doc: &'static str,
        from: &'static [&'static [&'static str]],
        make: for<'a> fn(&Row<'a>) -> Given<'a>,
    ) -> Self {
        Self { name, doc, from, make: Make::Checked(make) }
    }
}

/// The arguments of a made column in one row.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Row<'a> {
    pub(super) arrays: &'a [StringArray],
    /// For each argument the positions of its fields.
    pub(super) slots: &'a [Vec<usize>],
    pub(super) at: usize,
    /// The columns of each row's lists, by position of the field.
    pub(super) lists: &'a Lists,
    pub(super) facts: &'a Facts,
}

impl<'a> Row<'a> {
    /// The argument: the first of its fields that has a value and is not a mark for none (`--`, `\N`).
    pub(in super::super) fn get(&self, argument: usize) -> Option<&'a str> {
        let fields = self.slots.get(argument)?.iter().filter_map(|position| self.arrays.get(*position));
        let texts = fields.filter(|array| array.is_valid(self.at)).map(|array| array.value(self.at).trim());
        texts.into_iter().find(|text| !matches!(*text, "" | "--" | "\\N"))
    }

    /// A column of the list that the argument is, by its name without prefix.
    pub(in super::super) fn item(&self, argument: usize, name: &str) -> Option<&'a str> {
        let position = self.slots.get(argument)?.first()?;
        let cells = self.lists.get(position)?.get(self.at)?;
        cells.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The argument as text in the notation of programs.
    pub(in super::super) fn number(&self, argument: usize) -> Given<'a> {
        let Some(text) = self.get(argument) else { return Ok(None) };
        number::plain(text, self.facts.decimal).map(Some).ok_or_else(|| {
            let reason = format!("a number has the form `{}`", shape(text));
            BadRow::new(RowFault::Typed, reason)
        })
    }

    /// What a code means, by the lookup file of a field.
    pub(in super::super) fn lookup(&self, field: &str, code: &str) -> Option<&'a str> {
        self.facts.lookups.get(field)?.get(code).map(String::as_str)
    }

    /// The time zone of a name.
    pub(in super::super) fn zone(&self, name: &str) -> Option<TimeZone> {
        self.facts.zones.find(name)
    }

    /// An option of the source.
    pub(in super::super) fn option(&self, name: &str) -> Option<&'a str> {
        self.facts.options.get(name).map(String::as_str)
    }
}

/// Refuses a row for a value that cannot be read, without quoting it.
pub(in super::super) fn unreadable(fault: RowFault, what: &str, text: &str, expected: &str) -> BadRow {
    BadRow::new(fault, format!("{what} has the form `{}`, expected {expected}", shape(text)))
}

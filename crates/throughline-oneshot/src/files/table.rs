//! Columns of a file as a table of numbers and texts.

use std::collections::HashMap;
use std::path::Path;

use throughline_core::Diagnostic;
use throughline_evidence::{Column, Table};

use super::{Csv, parquet};
use crate::OneShotError;

/// Findings about rows that are shown; the others are counted.
const MOST_FINDINGS: usize = 20;

/// Reads the named columns of a CSV file, or of a Parquet file when its name ends in `.parquet`. A column of a CSV file is
/// numbers when every field that is not blank (blank, `NA`, `NaN` and `null` are) reads as a finite number, and texts otherwise.
/// Rows that cannot be read are left out and found. Errors: no file, no such column, no row.
pub fn read_table(path: &Path, delimiter: &str, columns: &[&str]) -> Result<(Table, Vec<Diagnostic>), OneShotError> {
    let (table, found) = if path.extension().is_some_and(|e| e == "parquet") {
        (parquet::read(path, columns)?, Vec::new())
    } else {
        csv(path, delimiter, columns)?
    };
    if table.rows() == 0 {
        let finding =
            Diagnostic::error("TL032", "the file has no usable row").at(path.display().to_string(), None, None);
        return Err(OneShotError::Findings(found.into_iter().chain([finding]).collect()));
    }
    Ok((table, found))
}

/// The names of the columns of a CSV or Parquet file.
pub fn column_names(path: &Path, delimiter: &str) -> Result<Vec<String>, OneShotError> {
    if path.extension().is_some_and(|e| e == "parquet") {
        return parquet::names(path);
    }
    Ok(Csv::open(path, delimiter)?.header().to_vec())
}

fn csv(path: &Path, delimiter: &str, columns: &[&str]) -> Result<(Table, Vec<Diagnostic>), OneShotError> {
    let mut file = Csv::open(path, delimiter)?;
    let wanted = distinct(columns);
    let positions = wanted.iter().map(|name| file.column(name)).collect::<Result<Vec<_>, _>>()?;
    let mut building: Vec<Building> = wanted.iter().map(|_| Building::default()).collect();
    let mut found = file.rows(|_, record| {
        let text = |index: usize| std::str::from_utf8(record.get(index).unwrap_or_default()).map(str::trim);
        if positions.iter().any(|p| text(*p).is_err()) {
            return Err(Diagnostic::warning("TL036", "the row is not UTF-8 and is left out"));
        }
        for (column, position) in building.iter_mut().zip(&positions) {
            column.push(text(*position).unwrap_or_default());
        }
        Ok(())
    })?;
    if found.len() > MOST_FINDINGS {
        let message = format!("{} rows more could not be read", found.len() - MOST_FINDINGS);
        found.truncate(MOST_FINDINGS);
        found.push(Diagnostic::warning("TL034", message).at(path.display().to_string(), None, None));
    }
    let mut table = Table::new();
    for (name, column) in wanted.iter().zip(building) {
        table.push(*name, column.finish())?;
    }
    Ok((table, found))
}

pub(super) fn distinct<'a>(columns: &[&'a str]) -> Vec<&'a str> {
    let mut out: Vec<&str> = Vec::new();
    for name in columns {
        if !out.contains(name) {
            out.push(name);
        }
    }
    out
}

/// A column as it is read: numbers as long as they are, with the texts they stood as kept only from the first that is none.
#[derive(Default)]
struct Building {
    numbers: Vec<f64>,
    /// Numbers as they were written, while the column may still turn out to be texts: equal texts are one group, so
    /// `007` and `7` must stay apart.
    written: Texts,
    texts: bool,
}

#[derive(Default)]
struct Texts {
    codes: Vec<u32>,
    names: Vec<String>,
    known: HashMap<String, u32>,
    /// Too many different numbers for groups.
    given_up: bool,
}

/// Different numbers that are remembered as they were written.
const MOST_WRITTEN: usize = 100_000;

impl Texts {
    fn push(&mut self, text: &str) {
        if blank(text) {
            return self.codes.push(u32::MAX);
        }
        let code = match self.known.get(text) {
            Some(code) => *code,
            None => {
                let code = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                self.names.push(text.to_owned());
                self.known.insert(text.to_owned(), code);
                code
            }
        };
        self.codes.push(code);
    }
}

fn blank(text: &str) -> bool {
    text.is_empty() || ["NA", "NaN", "nan", "null", "NULL"].contains(&text)
}

impl Building {
    fn push(&mut self, text: &str) {
        if self.texts {
            return self.written.push(text);
        }
        let number = if blank(text) { Some(f64::NAN) } else { text.parse().ok().filter(|v: &f64| v.is_finite()) };
        if let Some(number) = number {
            if !self.written.given_up {
                self.written.push(text);
                if self.written.names.len() > MOST_WRITTEN {
                    self.written = Texts { given_up: true, ..Texts::default() };
                }
            }
            return self.numbers.push(number);
        }
        if self.written.given_up {
            self.written.given_up = false;
            for number in std::mem::take(&mut self.numbers) {
                self.written.push(&if number.is_nan() { String::new() } else { number.to_string() });
            }
        }
        self.texts = true;
        self.numbers = Vec::new();
        self.written.push(text);
    }

    fn finish(self) -> Column {
        if self.texts {
            return Column::Texts { codes: self.written.codes, names: self.written.names };
        }
        Column::Numbers(self.numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(fields: &[&str]) -> Column {
        let mut building = Building::default();
        fields.iter().for_each(|f| building.push(f));
        building.finish()
    }

    #[test]
    fn a_column_is_numbers_until_a_field_is_none() {
        let Column::Numbers(values) = column(&["1", "", "2.5e3", "NA"]) else { panic!("numbers") };
        assert_eq!((values[0], values[2], values[1].is_nan(), values[3].is_nan()), (1.0, 2500.0, true, true));
        let texts =
            Column::Texts { codes: vec![0, 1, u32::MAX, 2, 0], names: vec!["07".into(), "7".into(), "x".into()] };
        assert_eq!(column(&["07", "7", "", "x", "07"]), texts);
    }
}

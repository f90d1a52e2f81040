//! Columns of a file as a table of numbers and texts.

use std::collections::HashMap;
use std::path::Path;

use throughline_core::Diagnostic;
use throughline_evidence::{Column, Table};

use super::{Csv, is_parquet, parquet};
use crate::OneShotError;

/// Findings about rows that are shown; the others are counted.
const MOST_FINDINGS: usize = 20;

/// Reads the named columns of a CSV file, or of a Parquet file when its name ends in `.parquet`. A column of a CSV file is
/// numbers when every field that is not blank (blank, `NA`, `NaN` and `null` are) reads as a finite number, and texts otherwise.
/// Rows that cannot be read are left out and found. Errors: no file, no such column, no row.
pub fn read_table(path: &Path, delimiter: &str, columns: &[&str]) -> Result<(Table, Vec<Diagnostic>), OneShotError> {
    let (table, found) =
        if is_parquet(path) { (parquet::read(path, columns)?, Vec::new()) } else { csv(path, delimiter, columns)? };
    if table.rows() == 0 {
        let finding =
            Diagnostic::error("TL032", "the file has no usable row").at(path.display().to_string(), None, None);
        return Err(OneShotError::Findings(found.into_iter().chain([finding]).collect()));
    }
    Ok((table, found))
}

/// The names of the columns of a CSV or Parquet file.
pub fn column_names(path: &Path, delimiter: &str) -> Result<Vec<String>, OneShotError> {
    if is_parquet(path) {
        return parquet::names(path);
    }
    Ok(Csv::open(path, delimiter)?.header().to_vec())
}

fn csv(path: &Path, delimiter: &str, columns: &[&str]) -> Result<(Table, Vec<Diagnostic>), OneShotError> {
    let wanted = distinct(columns);
    let mut building: Vec<Building> = wanted.iter().map(|_| Building::Blank(0)).collect();
    let mut found = pass(path, delimiter, &wanted, &mut building)?;
    // A text after numbers: `007` and `7` must stay apart, so the texts are needed from the first row on. Nothing is kept of
    // numbers as they were written; the file is read once more for such columns.
    if building.iter().any(|b| matches!(b, Building::Spoiled)) {
        let mut again: Vec<Building> = building
            .iter()
            .map(|b| if matches!(b, Building::Spoiled) { Building::Texts(Texts::default()) } else { Building::Done })
            .collect();
        pass(path, delimiter, &wanted, &mut again)?;
        for (first, second) in building.iter_mut().zip(again) {
            if !matches!(second, Building::Done) {
                *first = second;
            }
        }
    }
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

/// Reads all rows into the columns.
fn pass(
    path: &Path,
    delimiter: &str,
    wanted: &[&str],
    building: &mut [Building],
) -> Result<Vec<Diagnostic>, OneShotError> {
    let mut file = Csv::open(path, delimiter)?;
    let positions = wanted.iter().map(|name| file.column(name)).collect::<Result<Vec<_>, _>>()?;
    file.rows(|_, record| {
        let field = |index: usize| record.get(index).unwrap_or_default();
        if positions.iter().any(|p| !field(*p).is_ascii() && std::str::from_utf8(field(*p)).is_err()) {
            return Err(Diagnostic::warning("TL036", "the row is not UTF-8 and is left out"));
        }
        for (column, position) in building.iter_mut().zip(&positions) {
            column.push(field(*position));
        }
        Ok(())
    })
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

/// A column as it is read.
enum Building {
    /// So many blank fields.
    Blank(usize),
    /// Numbers and blanks.
    Numbers(Vec<f64>),
    Texts(Texts),
    /// A text came after numbers.
    Spoiled,
    /// Not wanted in this pass.
    Done,
}

#[derive(Default)]
struct Texts {
    codes: Vec<u32>,
    names: Vec<String>,
    known: HashMap<String, u32>,
}

impl Texts {
    fn push(&mut self, field: &[u8]) {
        let text = std::str::from_utf8(field).unwrap_or_default().trim();
        if blank(text.as_bytes()) {
            return self.codes.push(u32::MAX);
        }
        let code = if let Some(code) = self.known.get(text) {
            *code
        } else {
            let code = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
            self.names.push(text.to_owned());
            self.known.insert(text.to_owned(), code);
            code
        };
        self.codes.push(code);
    }
}

fn blank(field: &[u8]) -> bool {
    matches!(field, b"" | b"NA" | b"NaN" | b"nan" | b"null" | b"NULL")
}

/// A finite number.
fn parsed(field: &[u8]) -> Option<f64> {
    short_decimal(field)
        .or_else(|| std::str::from_utf8(field).ok()?.trim().parse().ok().filter(|v: &f64| v.is_finite()))
}

/// Digits with at most one point, few enough that whole number and power of ten are exact: their quotient is then the nearest
/// double, as of any correct parser.
fn short_decimal(field: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, digits) = match field {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || digits.len() > 16 {
        return None;
    }
    let (mut whole, mut after, mut seen) = (0_u64, None, 0);
    for byte in digits {
        match (byte, after) {
            (b'0'..=b'9', _) => {
                whole = whole * 10 + u64::from(byte - b'0');
                after = after.map(|a: usize| a + 1);
                seen += 1;
            }
            (b'.', None) => after = Some(0),
            _ => return None,
        }
    }
    if seen == 0 || seen > 15 {
        return None;
    }
    let value = whole as f64 / POWERS[after.unwrap_or(0)];
    Some(if negative { -value } else { value })
}

impl Building {
    fn push(&mut self, field: &[u8]) {
        match self {
            Self::Texts(texts) => return texts.push(field),
            Self::Spoiled | Self::Done => return,
            Self::Blank(_) | Self::Numbers(_) => {}
        }
        let trimmed = field.trim_ascii();
        let number = if blank(trimmed) { Some(f64::NAN) } else { parsed(trimmed) };
        match (&mut *self, number) {
            (Self::Blank(count), Some(number)) if number.is_nan() => *count += 1,
            (Self::Blank(count), Some(number)) => {
                let mut numbers = vec![f64::NAN; *count];
                numbers.push(number);
                *self = Self::Numbers(numbers);
            }
            (Self::Blank(count), None) => {
                let mut texts = Texts { codes: vec![u32::MAX; *count], ..Texts::default() };
                texts.push(field);
                *self = Self::Texts(texts);
            }
            (Self::Numbers(numbers), Some(number)) => numbers.push(number),
            (_, None) => *self = Self::Spoiled,
            _ => {}
        }
    }

    fn finish(self) -> Column {
        match self {
            Self::Texts(texts) => Column::Texts { codes: texts.codes, names: texts.names },
            Self::Numbers(numbers) => Column::Numbers(numbers),
            Self::Blank(count) => Column::Numbers(vec![f64::NAN; count]),
            Self::Spoiled | Self::Done => Column::Numbers(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(fields: &[&str]) -> Column {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(
            &mut file,
            format!("x,y\n{}\n", fields.iter().map(|f| format!("{f},1")).collect::<Vec<_>>().join("\n")).as_bytes(),
        )
        .expect("written");
        let (table, found) = csv(file.path(), ",", &["x"]).expect("a table");
        assert!(found.is_empty());
        table.column("x").expect("a column").clone()
    }

    #[test]
    fn a_column_is_numbers_until_a_field_is_none() {
        let Column::Numbers(values) = column(&["1", "", " 2.5e3 ", "NA"]) else { panic!("numbers") };
        assert_eq!((values[0], values[2], values[1].is_nan(), values[3].is_nan()), (1.0, 2500.0, true, true));
        let texts =
            Column::Texts { codes: vec![0, 1, u32::MAX, 2, 0], names: vec!["07".into(), "7".into(), "x".into()] };
        assert_eq!(column(&["07", "7", "", "x", "07"]), texts);
        assert_eq!(column(&["", "é"]), Column::Texts { codes: vec![u32::MAX, 0], names: vec!["é".into()] });
    }

    #[test]
    fn short_decimals_are_what_the_library_reads() {
        for text in [
            "0",
            "-0",
            "7",
            "-7.25",
            "0.1",
            ".5",
            "5.",
            "123456789012345",
            "1234567.1234567",
            "9999999999999.99",
            "-0.30000000000001",
        ] {
            let expect: f64 = text.parse().expect("a number");
            assert_eq!(short_decimal(text.as_bytes()).map(f64::to_bits), Some(expect.to_bits()), "{text}");
        }
        for text in ["", "-", ".", "1e5", "+1", "1.2.3", "12345678901234567", "nan", "1_000", "1234567890.1234567"] {
            assert_eq!(short_decimal(text.as_bytes()), None, "{text}");
        }
        assert_eq!((parsed(b"+1"), parsed(b"1e400"), parsed(b"inf")), (Some(1.0), None, None));
    }
}

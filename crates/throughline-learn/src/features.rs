//! The matrix every learner reads: named columns of `f32`, NaN for missing.

use throughline_core::Diagnostic;

use crate::LearnError;

/// Named columns of equal length, one value per row; NaN means missing and no value is infinite.
///
/// Missing is NaN only here, at the door of the learners; before it is `Option`, and no answer holds it.
#[derive(Debug, Clone)]
pub struct FeatureMatrix {
    names: Vec<String>,
    columns: Vec<Vec<f32>>,
    /// The same in double precision, or nothing.
    exact: Vec<Vec<f64>>,
    rows: usize,
}

impl FeatureMatrix {
    /// From columns of numbers. NaN means missing; infinite values, and numbers beyond the range of `f32`, become
    /// missing and are counted in a diagnostic (`TL701`).
    pub fn from_numbers(columns: Vec<(String, Vec<f64>)>) -> Result<(Self, Vec<Diagnostic>), LearnError> {
        let mut diagnostics = Vec::new();
        let mut narrowed = Vec::with_capacity(columns.len());
        for (name, values) in columns {
            let (column, infinite) = narrow(&name, values.into_iter().map(Some));
            diagnostics.extend(infinite);
            narrowed.push((name, column));
        }
        Ok((Self::from_columns(narrowed)?, diagnostics))
    }

    /// Like [`from_numbers`](Self::from_numbers), and keeps the numbers in double precision beside, for learners whose
    /// answers should not depend on the 24 bits of single precision. Three times the memory.
    pub fn exact(columns: Vec<(String, Vec<f64>)>) -> Result<(Self, Vec<Diagnostic>), LearnError> {
        let (mut matrix, diagnostics) = Self::from_numbers(columns.clone())?;
        let clean = |(double, single): (f64, &f32)| if single.is_nan() { f64::NAN } else { double };
        let doubles = columns.into_iter().zip(&matrix.columns);
        matrix.exact =
            doubles.map(|((_, double), single)| double.into_iter().zip(single).map(clean).collect()).collect();
        Ok((matrix, diagnostics))
    }

    /// From columns that are already narrowed (see [`narrow`]): finite or NaN.
    pub fn from_columns(columns: Vec<(String, Vec<f32>)>) -> Result<Self, LearnError> {
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        let (mut names, mut kept): (Vec<String>, Vec<Vec<f32>>) = (Vec::new(), Vec::new());
        for (name, values) in columns {
            if values.len() != rows {
                return Err(LearnError::LengthMismatch {
                    what: format!("feature `{name}`"),
                    expected: rows,
                    got: values.len(),
                });
            }
            if names.contains(&name) {
                return Err(LearnError::DuplicateFeature { name });
            }
            names.push(name);
            kept.push(values);
        }
        Ok(Self { names, columns: kept, exact: Vec::new(), rows })
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }

    /// Names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The values of one column.
    pub fn column(&self, index: usize) -> Option<&[f32]> {
        self.columns.get(index).map(Vec::as_slice)
    }

    /// The given rows one after the other, each with all columns: the layout learners want. Row numbers must be within
    /// the matrix.
    pub(crate) fn gather(&self, rows: &(impl ExactSizeIterator<Item = usize> + Clone)) -> Vec<f32> {
        let width = self.columns.len();
        let mut out = vec![0.0; rows.len() * width];
        for (c, column) in self.columns.iter().enumerate() {
            for (slot, row) in out.iter_mut().skip(c).step_by(width).zip(rows.clone()) {
                *slot = column[row];
            }
        }
        out
    }

    /// Rows of one column in double precision; NaN for missing.
    pub(crate) fn doubles(&self, index: usize, rows: &[usize]) -> Vec<f64> {
        match self.exact.get(index) {
            Some(column) => rows.iter().map(|&r| column[r]).collect(),
            None => rows.iter().map(|&r| f64::from(self.columns[index][r])).collect(),
        }
    }

    /// Checks that the columns are `names`, in this order.
    pub fn expect_names(&self, names: &[String]) -> Result<(), LearnError> {
        if self.names == names {
            return Ok(());
        }
        Err(LearnError::FeatureOrder { expected: names.join(", "), got: self.names.join(", ") })
    }

    /// Columns that cannot tell rows apart: `TL702` for all values missing, `TL703` for one value only.
    pub fn column_diagnostics(&self) -> Vec<Diagnostic> {
        let mut out = Vec::new();
        for (name, column) in self.names.iter().zip(&self.columns) {
            let mut present = column.iter().filter(|v| !v.is_nan());
            let Some(first) = present.next() else {
                out.push(Diagnostic::warning(
                    "TL702",
                    format!("feature `{name}` is missing in all {} rows", self.rows),
                ));
                continue;
            };
            let missing = column.iter().any(|v| v.is_nan());
            if !missing && present.all(|v| v == first) {
                out.push(Diagnostic::warning(
                    "TL703",
                    format!("feature `{name}` has the same value in all {} rows", self.rows),
                ));
            }
        }
        out
    }
}

/// Numbers of a feature as `f32` with missing as NaN. Infinite numbers, or beyond the range of `f32`, become missing and are
/// counted in a diagnostic (`TL701`).
#[expect(clippy::cast_possible_truncation, reason = "learners bin features; 24 bits of mantissa are enough")]
pub fn narrow(name: &str, values: impl Iterator<Item = Option<f64>>) -> (Vec<f32>, Option<Diagnostic>) {
    let mut infinite = 0;
    let column = values
        .map(|value| {
            let narrowed = value.map_or(f32::NAN, |v| v as f32);
            if narrowed.is_infinite() {
                infinite += 1;
                return f32::NAN;
            }
            narrowed
        })
        .collect();
    let found = (infinite > 0).then(|| {
        Diagnostic::warning(
            "TL701",
            format!("feature `{name}` holds {infinite} infinite values (or beyond 3.4e38); they are read as missing"),
        )
    });
    (column, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(columns: &[(&str, &[f64])], codes: &[&str]) {
        let columns = columns.iter().map(|(n, v)| ((*n).to_owned(), v.to_vec())).collect();
        let (matrix, mut diagnostics) = FeatureMatrix::from_numbers(columns).expect("a matrix");
        diagnostics.extend(matrix.column_diagnostics());
        assert_eq!(diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), codes);
    }

    #[test]
    fn useless_columns_are_named() {
        check(&[("a", &[1.0, 2.0])], &[]);
        check(&[("a", &[1.0, 1.0])], &["TL703"]);
        check(&[("a", &[1.0, f64::NAN])], &[]);
        check(&[("a", &[f64::NAN, f64::NAN])], &["TL702"]);
        check(&[("a", &[f64::INFINITY, 1e300])], &["TL701", "TL702"]);
    }

    #[test]
    fn shapes_are_checked() {
        let ragged = vec![("a".to_owned(), vec![1.0]), ("b".to_owned(), vec![1.0, 2.0])];
        let error = FeatureMatrix::from_numbers(ragged).expect_err("ragged").to_string();
        assert_eq!(error, "feature `b` has 2 rows, but 1 are expected");
        let twice = vec![("a".to_owned(), vec![1.0]), ("a".to_owned(), vec![1.0])];
        assert_eq!(FeatureMatrix::from_numbers(twice).expect_err("twice").to_string(), "feature `a` appears twice");
    }

    #[test]
    fn rows_are_gathered_row_by_row() {
        let columns = vec![("a".to_owned(), vec![1.0, 2.0, 3.0]), ("b".to_owned(), vec![4.0, 5.0, 6.0])];
        let (matrix, _) = FeatureMatrix::from_numbers(columns).expect("a matrix");
        assert_eq!(matrix.gather(&[2, 0].into_iter()), [3.0, 6.0, 1.0, 4.0]);
    }
}

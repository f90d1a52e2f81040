//! What a model learns from: features, outcome and the arm each row was assigned to.

use std::num::NonZeroUsize;

use throughline_core::Diagnostic;

use crate::{FeatureMatrix, UpliftError};

/// Rows an arm needs before a model of its own is fitted.
pub const MIN_ARM_ROWS: usize = 50;

/// Checked training data. Arm 0 of the list of names is the control.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    pub(crate) features: &'a FeatureMatrix,
    pub(crate) outcome: &'a [f64],
    pub(crate) arm: &'a [u32],
    pub(crate) arms: &'a [String],
    pub(crate) weights: Option<&'a [f64]>,
    pub(crate) propensity: Option<&'a [Vec<f64>]>,
    pub(crate) threads: Option<NonZeroUsize>,
}

impl<'a> Training<'a> {
    /// Checks shapes and values.
    ///
    /// `outcome` and `arm` have one entry per row of `features`; `arms` names the arms, the control first; `weights`,
    /// when given, are finite and not negative. Findings that do not stop the fit are returned: useless columns
    /// (`TL702`, `TL703`), an outcome with one value only (`TL706`), arms too small for a model (`TL707`).
    ///
    /// # Errors
    /// Lengths that differ, no rows or columns, an outcome or weight that is not finite, an arm number without a name,
    /// a control with fewer than [`MIN_ARM_ROWS`] rows, or no other arm with as many.
    pub fn new(
        features: &'a FeatureMatrix,
        outcome: &'a [f64],
        arm: &'a [u32],
        arms: &'a [String],
        weights: Option<&'a [f64]>,
    ) -> Result<(Self, Vec<Diagnostic>), UpliftError> {
        let rows = features.n_rows();
        if rows == 0 || features.names().is_empty() {
            return Err(UpliftError::Empty { what: if rows == 0 { "rows" } else { "features" } });
        }
        same_length("outcome", outcome.len(), rows)?;
        same_length("arm", arm.len(), rows)?;
        finite("outcome", outcome, "finite", f64::is_finite)?;
        if let Some(weights) = weights {
            same_length("weights", weights.len(), rows)?;
            finite("weights", weights, "finite and at least 0", |w| w.is_finite() && w >= 0.0)?;
        }
        let training = Self { features, outcome, arm, arms, weights, propensity: None, threads: None };
        let mut diagnostics = features.column_diagnostics();
        diagnostics.extend(training.check_arms()?);
        if outcome.iter().all(|y| *y == outcome[0]) {
            diagnostics.push(
                Diagnostic::warning(
                    "TL706",
                    format!("the outcome is {} in all {rows} rows: every effect is 0", outcome[0]),
                )
                .help("check the outcome column and its window"),
            );
        }
        Ok((training, diagnostics))
    }

    /// Known chances of assignment: for each arm, the control first, one chance per row. Models that need them then do not
    /// estimate them.
    ///
    /// # Errors
    /// Another number of columns than arms or of values than rows, and chances that are not inside (0, 1) or of which a row
    /// has more than 1 in total.
    pub fn with_propensity(mut self, chances: &'a [Vec<f64>]) -> Result<Self, UpliftError> {
        if chances.len() != self.arms.len() {
            let (expected, got) = (self.arms.len(), chances.len());
            return Err(UpliftError::LengthMismatch { what: "the list of chances per arm".to_owned(), expected, got });
        }
        for (column, arm) in chances.iter().zip(self.arms) {
            same_length(&format!("the chance of arm `{arm}`"), column.len(), self.outcome.len())?;
            finite("the chance of an arm", column, "between 0 and 1", |p| p > 0.0 && p < 1.0)?;
        }
        let totals: Vec<f64> = (0..self.outcome.len()).map(|row| chances.iter().map(|c| c[row]).sum()).collect();
        finite("the sum of chances", &totals, "at most 1", |total| total <= 1.0 + 1e-9)?;
        self.propensity = Some(chances);
        Ok(self)
    }

    /// Limits the threads of a fit. The fitted model does not depend on it, bit for bit.
    #[must_use]
    pub fn with_threads(mut self, threads: NonZeroUsize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// The rows of an arm, in order.
    pub(crate) fn rows_of(&self, arm: usize) -> Vec<usize> {
        (0..self.arm.len()).filter(|&row| self.arm[row] as usize == arm).collect()
    }

    fn check_arms(&self) -> Result<Vec<Diagnostic>, UpliftError> {
        let mut counts = vec![0_usize; self.arms.len()];
        for (row, &arm) in self.arm.iter().enumerate() {
            let unknown = UpliftError::UnknownArm { row, arm, arms: self.arms.len() };
            *counts.get_mut(arm as usize).ok_or(unknown)? += 1;
        }
        let small = |arm: usize| UpliftError::TooFewRows {
            arm: self.arms[arm].clone(),
            rows: counts[arm],
            bound: MIN_ARM_ROWS,
        };
        if self.arms.len() < 2 {
            return Err(UpliftError::Empty { what: "arms beside the control" });
        }
        if counts[0] < MIN_ARM_ROWS {
            return Err(small(0));
        }
        let largest = (1..counts.len()).rev().max_by_key(|&a| counts[a]).unwrap_or(1);
        if counts[largest] < MIN_ARM_ROWS {
            return Err(small(largest));
        }
        let too_small = (1..counts.len()).filter(|&a| counts[a] < MIN_ARM_ROWS);
        Ok(too_small.map(|a| Diagnostic::warning("TL707", format!("{}: it gets no effects", small(a)))).collect())
    }
}

pub(crate) fn same_length(what: &str, got: usize, expected: usize) -> Result<(), UpliftError> {
    if got == expected {
        return Ok(());
    }
    Err(UpliftError::LengthMismatch { what: what.to_owned(), expected, got })
}

pub(crate) fn finite(
    what: &'static str,
    values: &[f64],
    bound: &'static str,
    accept: impl Fn(f64) -> bool,
) -> Result<(), UpliftError> {
    let mut bad = values.iter().enumerate().filter(|(_, v)| !accept(**v));
    let Some((row, _)) = bad.next() else { return Ok(()) };
    Err(UpliftError::BadValues { what, count: 1 + bad.count(), row, bound })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|n| (*n).to_owned()).collect()
    }

    /// Rows per arm, outcome of every row by its number → the error or the codes of the findings.
    fn outcome_of(rows: &[usize], arms: &[&str], outcome: impl Fn(usize) -> f64) -> String {
        let arm: Vec<u32> = (0_u32..).zip(rows).flat_map(|(a, &n)| std::iter::repeat_n(a, n)).collect();
        let x: Vec<f64> = (0..arm.len()).map(|i| i as f64).collect();
        let y: Vec<f64> = (0..arm.len()).map(outcome).collect();
        let (features, _) = FeatureMatrix::from_numbers(vec![("x".to_owned(), x)]).expect("a matrix");
        match Training::new(&features, &y, &arm, &names(arms), None) {
            Ok((_, found)) => found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>().join(","),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn data_is_checked_before_a_fit() {
        #[track_caller]
        fn check(rows: &[usize], arms: &[&str], outcome: impl Fn(usize) -> f64, expect: &str) {
            assert_eq!(outcome_of(rows, arms, outcome), expect);
        }
        let parity = |i: usize| (i % 2) as f64;
        check(&[50, 50], &["none", "mail"], parity, "");
        check(&[], &["none", "mail"], parity, "there are no rows");
        check(&[60], &["none"], parity, "there are no arms beside the control");
        check(&[49, 50], &["none", "mail"], parity, "arm `none` has 49 rows, fewer than the 50 needed");
        check(&[50, 0], &["none", "mail"], parity, "arm `mail` has 0 rows, fewer than the 50 needed");
        check(&[50, 50, 3], &["none", "mail", "call"], parity, "TL707");
        check(&[50, 50], &["none", "mail"], |_| 1.0, "TL706");
        check(&[50, 50], &["none"], parity, "row 50 has arm number 1, but there are only 1 arms");
        check(
            &[50, 50],
            &["none", "mail"],
            |i| if i >= 98 { f64::NAN } else { 0.5 },
            "outcome holds 2 values that are not finite; the first is in row 98",
        );
    }
}

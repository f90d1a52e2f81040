//! Files as rows to learn from or to be judged on.

use std::path::Path;

use throughline_core::Diagnostic;
use throughline_evidence::{Column, Table};
use throughline_uplift::{Raw, RawColumn};

use crate::OneShotError;
use crate::files::read_table;

/// Rows with an arm and an outcome.
#[derive(Debug)]
pub(super) struct Rows {
    table: Table,
    /// Rows of the file that are used.
    pub(super) kept: Vec<usize>,
    /// The arm of each kept row; 0 is the control.
    pub(super) arm: Vec<u32>,
    /// Names of the arms, the control first.
    pub(super) arms: Vec<String>,
    /// Outcomes of the kept rows.
    pub(super) outcome: Vec<f64>,
    pub(super) found: Vec<Diagnostic>,
}

/// Reads arm, outcome and other columns. Rows without an arm or an outcome are left out and counted.
///
/// `control` names the value of the control. Without it `0`, `false`, `control`, `none` or a name with `control` or `no` in
/// front is taken, if exactly one arm is called so. Errors: no control, one arm only.
pub(super) fn read(
    (file, delimiter): (&Path, &str),
    (treatment, control): (&str, Option<&str>),
    outcome: &str,
    others: &[&str],
) -> Result<Rows, OneShotError> {
    let mut columns = vec![treatment, outcome];
    columns.extend(others);
    let (table, mut found) = read_table(file, delimiter, &columns)?;
    let (codes, names) = table.codes(treatment)?;
    let values = table.numbers(outcome)?;
    let kept: Vec<usize> = (0..table.rows()).filter(|&r| codes[r] != u32::MAX && !values[r].is_nan()).collect();
    let without = table.rows() - kept.len();
    if without > 0 {
        let message = format!("{without} rows have no treatment or no outcome and are left out");
        found.push(Diagnostic::warning("TL034", message));
    }
    let control = control_of(&names, control, treatment)?;
    let mut order: Vec<usize> = (0..names.len()).filter(|n| *n != control).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    order.insert(0, control);
    let place = |code: u32| order.iter().position(|n| *n == code as usize).unwrap_or(0);
    let arm = kept.iter().map(|&row| u32::try_from(place(codes[row])).unwrap_or(0)).collect();
    let outcome = kept.iter().map(|&row| values[row]).collect();
    let arms = order.iter().map(|n| names[*n].clone()).collect();
    Ok(Rows { table, kept, arm, arms, outcome, found })
}

/// Which of the arms is the control.
fn control_of(names: &[String], given: Option<&str>, column: &str) -> Result<usize, OneShotError> {
    let known = names.join(", ");
    let refuse =
        |message: String, help: &str| Err(OneShotError::finding(Diagnostic::error("TL065", message).help(help)));
    if names.len() < 2 {
        return refuse(format!("`{column}` holds one arm only ({known})"), "give the column that says who was treated");
    }
    if let Some(given) = given {
        let at = names.iter().position(|n| n == given);
        return at.map_or_else(
            || refuse(format!("no row of `{column}` is `{given}` (known: {known})"), "name the control"),
            Ok,
        );
    }
    let is_control = |name: &str| {
        let name = name.to_lowercase();
        matches!(name.as_str(), "0" | "false" | "none" | "no") || name.starts_with("control") || name.starts_with("no ")
    };
    let mut likely = (0..names.len()).filter(|n| is_control(&names[*n]));
    match (likely.next(), likely.next()) {
        (Some(one), None) => Ok(one),
        _ => refuse(format!("which value of `{column}` is the control? (known: {known})"), "say so with --control"),
    }
}

impl Rows {
    /// Numbers of a column in the kept rows; NaN where there is none.
    pub(super) fn numbers(&self, name: &str) -> Result<Vec<f64>, OneShotError> {
        let all = self.table.numbers(name)?;
        Ok(self.kept.iter().map(|&row| all[row]).collect())
    }

    /// Features of some of the kept rows.
    pub(super) fn features<'t>(&'t self, names: &[String], rows: &[usize]) -> Result<Vec<RawColumn<'t>>, OneShotError> {
        let column = |name: &String| -> Result<RawColumn<'t>, OneShotError> {
            let at = rows.iter().map(|&row| self.kept[row]);
            let values = match self.table.column(name)? {
                Column::Numbers(values) => Raw::Number(at.map(|r| Some(values[r]).filter(|v| !v.is_nan())).collect()),
                Column::Texts { codes, names } => {
                    Raw::Category(at.map(|r| names.get(codes[r] as usize).map(String::as_str)).collect())
                }
            };
            Ok(RawColumn { name: name.clone(), values })
        };
        names.iter().map(column).collect()
    }

    /// A column as groups of some of the kept rows: a code per row, and names. Rows without a group are one of their own.
    pub(super) fn groups(&self, name: &str, rows: &[usize]) -> Result<(Vec<u32>, Vec<String>), OneShotError> {
        let (codes, mut names) = self.table.codes(name)?;
        let unknown = u32::try_from(names.len()).unwrap_or(u32::MAX);
        let of = |row: &usize| if codes[self.kept[*row]] == u32::MAX { unknown } else { codes[self.kept[*row]] };
        let out: Vec<u32> = rows.iter().map(of).collect();
        if out.contains(&unknown) {
            names.push("(unknown)".to_owned());
        }
        Ok((out, names))
    }
}

//! Columns of an instrumental-variables model, complete rows only.

use std::borrow::Cow;
use std::collections::HashMap;

use throughline_core::Diagnostic;

use crate::{Column, EvidenceError, Table};

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Named<'a> {
    /// Its name.
    pub name: String,
    /// Its values, all finite.
    pub values: Cow<'a, [f64]>,
}

impl<'a> Named<'a> {
    /// A named column.
    pub fn new(name: impl Into<String>, values: impl Into<Cow<'a, [f64]>>) -> Self {
        Self { name: name.into(), values: values.into() }
    }
}

/// The columns of a model y = D β + X γ + e with instruments Z; a constant is always among the controls.
#[derive(Debug, Clone, PartialEq)]
pub struct IvData<'a> {
    /// y.
    pub outcome: Named<'a>,
    /// D: what is chosen together with the outcome. The first is the one asked about.
    pub endogenous: Vec<Named<'a>>,
    /// Z: what moves D and touches y through D only.
    pub instruments: Vec<Named<'a>>,
    /// X without the constant.
    pub controls: Vec<Named<'a>>,
    /// Cluster of each row, codes from 0 without gaps.
    pub clusters: Option<Vec<u32>>,
    /// Rows left out because a value was missing.
    pub left_out: u64,
}

/// Names of the columns of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IvColumns<'a> {
    /// The outcome.
    pub outcome: &'a str,
    /// The endogenous variables.
    pub endogenous: &'a [String],
    /// The excluded instruments.
    pub instruments: &'a [String],
    /// The controls.
    pub controls: &'a [String],
    /// The column whose equal values belong together.
    pub cluster: Option<&'a str>,
}

impl<'a> IvData<'a> {
    /// Takes the columns of a table. Rows with a missing value are left out and counted (TL375). Controls and instruments of
    /// texts become one 0/1 column per text but the first (TL379). Errors: an unknown column, an outcome or endogenous
    /// variable of texts, a column in two roles, no complete row.
    pub fn from_table(table: &'a Table, columns: &IvColumns<'_>) -> Result<(Self, Vec<Diagnostic>), EvidenceError> {
        roles(columns)?;
        let rows = table.rows();
        let kept = complete_rows(table, columns)?;
        let left_out = rows - kept.as_ref().map_or(rows, Vec::len);
        let mut found = Vec::new();
        if left_out > 0 {
            let message = format!("{left_out} of {rows} rows have a missing value and are left out");
            found.push(
                Diagnostic::warning("TL375", message).help("check that values are not missing because of the effect"),
            );
        }
        if kept.as_ref().is_some_and(Vec::is_empty) {
            return Err(few(0, 1 + columns.controls.len() + columns.instruments.len()));
        }
        let mut picked = |names: &[String]| -> Result<Vec<Named<'a>>, EvidenceError> {
            let mut out = Vec::new();
            for name in names {
                out.extend(regressors(table, name, kept.as_deref(), &mut found)?);
            }
            Ok(out)
        };
        let (instruments, controls) = (picked(columns.instruments)?, picked(columns.controls)?);
        let number = |name: &str| -> Result<Named<'a>, EvidenceError> {
            Ok(Named::new(name, take(table.numbers(name)?, kept.as_deref())))
        };
        let endogenous = columns.endogenous.iter().map(|n| number(n)).collect::<Result<Vec<_>, _>>()?;
        let clusters = match columns.cluster {
            None => None,
            Some(name) => Some(dense(&pick(&table.codes(name)?.0, kept.as_deref()))),
        };
        let outcome = number(columns.outcome)?;
        Ok((Self { outcome, endogenous, instruments, controls, clusters, left_out: left_out as u64 }, found))
    }
}

pub(super) fn few(rows: usize, needed: usize) -> EvidenceError {
    EvidenceError::Data {
        code: "TL376",
        message: format!("{rows} complete rows are too few for {needed} coefficients"),
        help: "name fewer controls, or bring more rows without missing values".into(),
    }
}

fn roles(columns: &IvColumns<'_>) -> Result<(), EvidenceError> {
    let all = std::iter::once(columns.outcome)
        .chain([columns.endogenous, columns.instruments, columns.controls].into_iter().flatten().map(String::as_str));
    let mut seen = std::collections::HashSet::new();
    for name in all {
        if !seen.insert(name) {
            return Err(EvidenceError::Duplicate { what: "column", name: name.to_owned() });
        }
    }
    Ok(())
}

/// Rows in which every column has a value; `None` where all rows have.
fn complete_rows(table: &Table, columns: &IvColumns<'_>) -> Result<Option<Vec<u32>>, EvidenceError> {
    let lists = [columns.endogenous, columns.instruments, columns.controls];
    let names = std::iter::once(columns.outcome).chain(columns.cluster);
    let mut whole: Option<Vec<bool>> = None;
    for name in names.chain(lists.into_iter().flatten().map(String::as_str)) {
        let missing: Vec<usize> = match table.column(name)? {
            Column::Numbers(values) => (0..values.len()).filter(|i| !values[*i].is_finite()).collect(),
            Column::Texts { codes, .. } => (0..codes.len()).filter(|i| codes[*i] == u32::MAX).collect(),
        };
        if !missing.is_empty() {
            let whole = whole.get_or_insert_with(|| vec![true; table.rows()]);
            for i in missing {
                whole[i] = false;
            }
        }
    }
    let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
    Ok(whole.map(|w| (0..w.len()).filter(|i| w[*i]).map(index).collect()))
}

fn take<'a>(values: &'a [f64], kept: Option<&[u32]>) -> Cow<'a, [f64]> {
    match kept {
        None => Cow::Borrowed(values),
        Some(_) => Cow::Owned(pick(values, kept)),
    }
}

fn pick<T: Copy>(values: &[T], kept: Option<&[u32]>) -> Vec<T> {
    kept.map_or_else(|| values.to_vec(), |kept| kept.iter().map(|i| values[*i as usize]).collect())
}

/// Codes from 0 without gaps, in the order in which they first stand.
pub(crate) fn dense(codes: &[u32]) -> Vec<u32> {
    let mut known: HashMap<u32, u32> = HashMap::new();
    codes
        .iter()
        .map(|code| {
            let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
            *known.entry(*code).or_insert(next)
        })
        .collect()
}

/// A column of numbers as it is; one of texts as 0/1 columns.
fn regressors<'a>(
    table: &'a Table,
    name: &str,
    kept: Option<&[u32]>,
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<Named<'a>>, EvidenceError> {
    let (codes, names) = match table.column(name)? {
        Column::Numbers(values) => return Ok(vec![Named::new(name, take(values, kept))]),
        Column::Texts { codes, names } => (pick(codes, kept), names),
    };
    let mut present: Vec<u32> = codes.clone();
    present.sort_unstable();
    present.dedup();
    // The first text in the order of the alphabet is the level the others are compared with.
    present.sort_by_key(|c| names.get(*c as usize));
    if present.len() > MOST_LEVELS {
        return Err(EvidenceError::Data {
            code: "TL379",
            message: format!(
                "column `{name}` holds {} different texts, at most {MOST_LEVELS} can be controls",
                present.len()
            ),
            help: "name a column with fewer groups, or one of numbers".into(),
        });
    }
    let first = present.first().and_then(|c| names.get(*c as usize)).map_or("", String::as_str);
    let message = format!(
        "`{name}` holds texts: one 0/1 column each for {} of them, against `{first}`",
        present.len().max(1) - 1
    );
    found.push(Diagnostic::new(throughline_core::diagnostic::Severity::Info, "TL379", message));
    let column = |code: &u32| {
        let values: Vec<f64> = codes.iter().map(|c| f64::from(u8::from(c == code))).collect();
        Named::new(format!("{name}={}", names.get(*code as usize).map_or("", String::as_str)), values)
    };
    Ok(present.iter().skip(1).map(column).collect())
}

/// Texts of one column that may become 0/1 columns.
const MOST_LEVELS: usize = 200;

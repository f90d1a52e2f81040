//! From columns of a file to a study: texts become dummies, missing values are left out or marked.

use serde::{Deserialize, Serialize};
use throughline_core::Diagnostic;

use super::Study;
use super::settings::data;
use crate::{Column, EvidenceError, Table};

/// Levels of a text that become dummies.
const MOST_LEVELS: usize = 50;

/// What happens to rows whose covariates are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// They are left out.
    #[default]
    Drop,
    /// Numbers are set to their mean and marked by an indicator of their own; texts get a level of their own.
    Indicator,
}

/// Which columns are what.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StudyColumns {
    /// The treatment.
    pub treatment: String,
    /// Its treated value, where it is not 0 and 1.
    pub treated: Option<String>,
    /// The outcome, numbers.
    pub outcome: String,
    /// Covariates; numbers stay, texts become dummies.
    pub covariates: Vec<String>,
    /// Whether the caller named the covariates; otherwise texts of too many levels are left out instead of refused.
    pub covariates_named: bool,
    /// Units that belong together.
    pub cluster: Option<String>,
    /// Segments whose effects are wanted.
    pub segment: Option<String>,
    /// Missing covariates.
    pub missing: Missing,
}

/// A study of the columns. Rows without treatment, outcome, cluster or segment, and with [`Missing::Drop`] without a
/// covariate, are left out and counted (TL388).
///
/// # Errors
/// Columns that are not there, an outcome of texts, a treatment of several texts without `treated` (TL385), a named text
/// covariate of more than 50 levels (TL391), no row left (TL388), and those of [`Study::new`].
pub fn study_of(table: &Table, columns: &StudyColumns) -> Result<Study, EvidenceError> {
    let outcome = table.numbers(&columns.outcome)?;
    let treatment = treatment(table, columns)?;
    let (mut covariates, mut diagnostics) = covariates(table, columns)?;
    let codes = |name: &Option<String>| name.as_ref().map(|name| table.codes(name)).transpose();
    let (clusters, segments) = (codes(&columns.cluster)?, codes(&columns.segment)?);
    let mut keep: Vec<bool> = outcome.iter().zip(&treatment).map(|(y, d)| y.is_finite() && d.is_finite()).collect();
    for (codes, _) in clusters.iter().chain(&segments) {
        keep.iter_mut().zip(codes).for_each(|(k, c)| *k &= *c != u32::MAX);
    }
    for column in &covariates {
        keep.iter_mut().zip(&column.1).for_each(|(k, x)| *k &= x.is_finite());
    }
    let left = keep.iter().filter(|k| **k).count();
    if left < keep.len() {
        let message = format!("{} of {} rows have missing values and are left out", keep.len() - left, keep.len());
        if left == 0 {
            return Err(data("TL388", message, "name fewer covariates, or keep the rows with --missing indicator"));
        }
        let help = "keep rows whose covariates are missing with --missing indicator";
        diagnostics.push(Diagnostic::warning("TL388", message).help(help));
    }
    let of = |values: &[f64]| values.iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| *v).collect::<Vec<f64>>();
    let codes_of = |codes: &[u32]| codes.iter().zip(&keep).filter(|(_, k)| **k).map(|(v, _)| *v).collect::<Vec<u32>>();
    for (_, values) in &mut covariates {
        *values = of(values);
    }
    let mut study = Study::new(of(outcome), of(&treatment), covariates)?;
    if let Some((codes, _)) = &clusters {
        study = study.with_clusters(&codes_of(codes))?;
    }
    if let (Some((codes, names)), Some(name)) = (&segments, &columns.segment) {
        let few = name_count(&codes_of(codes));
        if few > MOST_LEVELS {
            let message = format!("the segment `{name}` has {few} values, at most {MOST_LEVELS} are compared");
            return Err(data("TL391", message, "group its values, or name another column"));
        }
        study = study.with_segments(name, codes_of(codes), names.clone())?;
    }
    diagnostics.append(&mut study.diagnostics);
    study.diagnostics = diagnostics;
    Ok(study)
}

fn name_count(codes: &[u32]) -> usize {
    let mut seen = codes.to_vec();
    seen.sort_unstable();
    seen.dedup();
    seen.len()
}

/// The treatment as numbers: 1 where it is the treated value, if one is named.
fn treatment(table: &Table, columns: &StudyColumns) -> Result<Vec<f64>, EvidenceError> {
    let name = &columns.treatment;
    let Some(treated) = &columns.treated else {
        return match table.column(name)? {
            Column::Numbers(values) => Ok(values.clone()),
            Column::Texts { names, .. } => {
                let shown: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
                let message = format!("the treatment `{name}` holds texts: {}", shown.join(", "));
                Err(data("TL385", message, "name the treated value with --treated; all others are the control"))
            }
        };
    };
    let (codes, names) = table.codes(name)?;
    let number: Option<f64> = treated.parse().ok();
    let position = names.iter().position(|n| n == treated || (number.is_some() && n.parse().ok() == number));
    let Some(position) = position else {
        let shown: Vec<&str> = names.iter().take(10).map(String::as_str).collect();
        let message = format!("no row has the treatment `{treated}` (there are: {})", shown.join(", "));
        return Err(data("TL385", message, "name one of the values that are there"));
    };
    let value = |code: &u32| if *code == u32::MAX { f64::NAN } else { f64::from(u8::from(*code as usize == position)) };
    Ok(codes.iter().map(value).collect())
}

type Named = (String, Vec<f64>);

fn covariates(table: &Table, columns: &StudyColumns) -> Result<(Vec<Named>, Vec<Diagnostic>), EvidenceError> {
    let (mut out, mut found) = (Vec::new(), Vec::new());
    for name in &columns.covariates {
        if *name == columns.treatment || *name == columns.outcome {
            return Err(EvidenceError::Duplicate { what: "column", name: name.clone() });
        }
        match table.column(name)? {
            Column::Numbers(values) => numbers(name, values, columns.missing, &mut out),
            Column::Texts { codes, names } if names.len() > MOST_LEVELS => {
                let message = format!("`{name}` has {} levels, at most {MOST_LEVELS} become covariates", names.len());
                if columns.covariates_named {
                    return Err(data("TL391", message, "group its levels, or leave it out of --covariates"));
                }
                found.push(Diagnostic::warning("TL391", format!("{message}; it is left out ({} rows)", codes.len())));
            }
            Column::Texts { codes, names } => dummies(name, codes, names, columns.missing, &mut out),
        }
    }
    Ok((out, found))
}

fn numbers(name: &str, values: &[f64], missing: Missing, out: &mut Vec<Named>) {
    let present: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    if missing == Missing::Drop || present.len() == values.len() {
        return out.push((name.to_owned(), values.to_vec()));
    }
    let mean = if present.is_empty() { 0.0 } else { present.iter().sum::<f64>() / present.len() as f64 };
    out.push((name.to_owned(), values.iter().map(|x| if x.is_finite() { *x } else { mean }).collect()));
    out.push((format!("{name} missing"), values.iter().map(|x| f64::from(u8::from(!x.is_finite()))).collect()));
}

/// One indicator per level but the most frequent (the first of them), so that the reference is the common case.
fn dummies(name: &str, codes: &[u32], names: &[String], missing: Missing, out: &mut Vec<Named>) {
    let mut counts = vec![0_usize; names.len()];
    codes.iter().filter(|c| **c != u32::MAX).for_each(|c| counts[*c as usize] += 1);
    let reference = (0..counts.len()).rev().max_by_key(|i| counts[*i]).unwrap_or(0);
    let mut order: Vec<usize> = (0..names.len()).filter(|i| *i != reference).collect();
    order.sort_by(|a, b| names[*a].cmp(&names[*b]));
    for level in order {
        let value = |c: &u32| match (*c == u32::MAX, missing) {
            (true, Missing::Drop) => f64::NAN,
            _ => f64::from(u8::from(*c as usize == level)),
        };
        out.push((format!("{name}={}", names[level]), codes.iter().map(value).collect()));
    }
    if missing == Missing::Indicator && codes.contains(&u32::MAX) {
        out.push((format!("{name} missing"), codes.iter().map(|c| f64::from(u8::from(*c == u32::MAX))).collect()));
    }
}

//! Units around a cut-off.

use throughline_core::Diagnostic;

use crate::iv::Named;
use crate::{Column, EvidenceError, Table};

/// Columns of a regression-discontinuity design; all finite and of equal length.
#[derive(Debug, Clone, PartialEq)]
pub struct RdData<'a> {
    /// The outcome.
    pub outcome: Named<'a>,
    /// The score that decides.
    pub score: Named<'a>,
    /// Who was treated, where the cut-off does not decide alone (fuzzy design).
    pub treatment: Option<Named<'a>>,
    /// Covariates fixed before the treatment.
    pub covariates: Vec<Named<'a>>,
    /// Cluster of each row.
    pub clusters: Option<Vec<u32>>,
    /// Units at or above it are treated, or more often treated.
    pub cutoff: f64,
    /// Rows left out because a value was missing.
    pub left_out: u64,
}

/// Names of the columns of a design.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RdColumns<'a> {
    /// The outcome.
    pub outcome: &'a str,
    /// The score.
    pub score: &'a str,
    /// The treatment of a fuzzy design.
    pub treatment: Option<&'a str>,
    /// Covariates fixed before the treatment.
    pub covariates: &'a [String],
    /// The column whose equal values belong together.
    pub cluster: Option<&'a str>,
    /// The cut-off.
    pub cutoff: f64,
}

impl RdData<'static> {
    /// Takes the columns of a table. Rows with a missing value are left out and counted (TL375). Errors: an unknown column, a
    /// column of texts, a cut-off that is not finite.
    pub fn from_table(table: &Table, columns: &RdColumns<'_>) -> Result<(Self, Vec<Diagnostic>), EvidenceError> {
        if !columns.cutoff.is_finite() {
            return Err(EvidenceError::Setting { what: "cut-off", value: columns.cutoff, bounds: "finite numbers" });
        }
        let mut names = vec![columns.outcome, columns.score];
        names.extend(columns.treatment);
        names.extend(columns.covariates.iter().map(String::as_str));
        let mut whole = vec![true; table.rows()];
        for (i, name) in names.iter().enumerate() {
            if names[..i].contains(name) {
                return Err(EvidenceError::Duplicate { what: "column", name: (*name).to_owned() });
            }
            whole.iter_mut().zip(table.numbers(name)?).for_each(|(w, v)| *w &= v.is_finite());
        }
        let codes = match columns.cluster {
            None => None,
            Some(name) => {
                let codes = table.codes(name)?.0;
                whole.iter_mut().zip(&codes).for_each(|(w, c)| *w &= *c != u32::MAX);
                Some(codes)
            }
        };
        if let Some(Column::Texts { .. }) = columns.treatment.map(|t| table.column(t)).transpose()? {
            return Err(EvidenceError::Shape { what: "treatments" });
        }
        let take = |name: &str| -> Result<Named<'static>, EvidenceError> {
            let values = table.numbers(name)?.iter().zip(&whole).filter(|(_, w)| **w).map(|(v, _)| *v);
            Ok(Named::new(name, values.collect::<Vec<f64>>()))
        };
        let left_out = whole.iter().filter(|w| !**w).count();
        let mut found = Vec::new();
        if left_out > 0 {
            let message = format!("{left_out} of {} rows have a missing value and are left out", table.rows());
            found.push(
                Diagnostic::warning("TL375", message)
                    .help("check that values are not missing because of the treatment"),
            );
        }
        let data = Self {
            outcome: take(columns.outcome)?,
            score: take(columns.score)?,
            treatment: columns.treatment.map(take).transpose()?,
            covariates: columns.covariates.iter().map(|c| take(c)).collect::<Result<_, _>>()?,
            clusters: codes.map(|codes| codes.iter().zip(&whole).filter(|(_, w)| **w).map(|(c, _)| *c).collect()),
            cutoff: columns.cutoff,
            left_out: left_out as u64,
        };
        Ok((data, found))
    }
}

//! The model after the controls: what is left of outcome, endogenous variables and instruments.

use throughline_stats::linalg::{gram, independent_columns};
use throughline_stats::ols::OlsError;
use throughline_stats::partial::{Partialled, partial_out};

use super::data::{IvData, Named, few};
use crate::EvidenceError;
use crate::small;

/// The share of a column that the controls must leave.
const LEFT: f64 = 1e-12;

/// y, D and Z less what a constant and the controls explain, with their cross products.
#[derive(Debug)]
pub(super) struct Reduced<'a> {
    pub(super) data: &'a IvData<'a>,
    pub(super) parts: Partialled,
    /// Cross products of (y, D, Z), row-major.
    pub(super) products: Vec<f64>,
    /// Endogenous variables.
    pub(super) p: usize,
    /// Instruments.
    pub(super) q: usize,
    /// Rows.
    pub(super) n: usize,
    /// (Z̃ᵀZ̃)⁻¹.
    pub(super) zz_inverse: Vec<f64>,
}

impl<'a> Reduced<'a> {
    /// Partials out the controls and checks what an estimate needs.
    pub(super) fn new(data: &'a IvData<'a>) -> Result<Self, EvidenceError> {
        let (p, q, n) = (data.endogenous.len(), data.instruments.len(), data.outcome.values.len());
        if p == 0 {
            return Err(EvidenceError::TooFew { what: "endogenous variables", got: 0, needed: 1 });
        }
        if q < p {
            return Err(EvidenceError::Data {
                code: "TL373",
                message: format!("{q} instruments for {p} endogenous variables; at least as many are needed"),
                help: "name another instrument, or treat a variable as a control".into(),
            });
        }
        if n < data.controls.len() + q + 2 {
            return Err(few(n, 1 + data.controls.len() + q));
        }
        let slices = |columns: &'a [Named<'a>]| columns.iter().map(|c| c.values.as_ref()).collect::<Vec<&[f64]>>();
        let mut targets: Vec<&[f64]> = vec![&data.outcome.values];
        targets.extend(slices(&data.endogenous));
        targets.extend(slices(&data.instruments));
        let parts = partial_out(&slices(&data.controls), &targets).map_err(|e| refused(e, data))?;
        varies(data, &parts)?;
        let columns: Vec<&[f64]> = parts.residuals.iter().map(Vec::as_slice).collect();
        let products = gram(&columns);
        let mut reduced = Self { data, parts, products, p, q, n, zz_inverse: Vec::new() };
        let zz = reduced.block(1 + p, q, 1 + p, q);
        reduced.zz_inverse = small::inverse(&zz, q).ok_or_else(|| {
            let scale: Vec<f64> = (0..q).map(|i| zz[i * q + i].sqrt()).collect();
            let scaled: Vec<f64> = (0..q * q).map(|c| zz[c] / (scale[c / q] * scale[c % q])).collect();
            let kept = independent_columns(&scaled, q, LEFT * 10.0);
            let named = |j: usize| data.instruments[j].name.as_str();
            dependent(&(0..q).filter(|j| !kept.contains(j)).map(named).collect::<Vec<_>>())
        })?;
        Ok(reduced)
    }

    /// A block of the cross products: `rows` rows from `i`, `columns` columns from `j`.
    pub(super) fn block(&self, i: usize, rows: usize, j: usize, columns: usize) -> Vec<f64> {
        let width = 1 + self.p + self.q;
        (i..i + rows).flat_map(|r| self.products[r * width + j..r * width + j + columns].iter().copied()).collect()
    }

    /// Z̃.
    pub(super) fn z(&self) -> &[Vec<f64>] {
        &self.parts.residuals[1 + self.p..]
    }

    /// Coefficients of the full model: constant and controls.
    pub(super) fn controls(&self) -> usize {
        1 + self.data.controls.len()
    }

    /// Rows less the coefficients of a first stage.
    pub(super) fn first_stage_df(&self) -> f64 {
        (self.n - self.controls() - self.q) as f64
    }

    /// Rows less the coefficients of the structural equation.
    pub(super) fn df(&self) -> f64 {
        (self.n - self.controls() - self.p) as f64
    }

    /// Cluster codes and their number.
    pub(super) fn clusters(&self) -> Option<(&[u32], usize)> {
        let codes = self.data.clusters.as_deref()?;
        Some((codes, codes.iter().max().map_or(0, |m| *m as usize + 1)))
    }

    /// Coefficients of Z̃ (q × columns) in regressions of columns `from`…: 0 is y, 1… are D.
    pub(super) fn on_instruments(&self, from: usize, columns: usize) -> Vec<f64> {
        small::mul(&self.zz_inverse, &self.block(1 + self.p, self.q, from, columns), self.q, columns)
    }
}

/// Sum of columns times coefficients, added to a start.
pub(super) fn plus(start: Vec<f64>, columns: &[Vec<f64>], coefficients: &[f64]) -> Vec<f64> {
    let mut out = start;
    for (column, c) in columns.iter().zip(coefficients).filter(|(_, c)| **c != 0.0) {
        out.iter_mut().zip(column).for_each(|(o, v)| *o += c * v);
    }
    out
}

fn refused(error: OlsError, data: &IvData<'_>) -> EvidenceError {
    match error {
        OlsError::Collinear { columns } => {
            let names: Vec<&str> =
                columns.iter().filter_map(|j| data.controls.get(*j)).map(|c| c.name.as_str()).collect();
            EvidenceError::Data {
                code: "TL371",
                message: format!(
                    "controls say nothing that the constant and earlier controls do not: {}",
                    names.join(", ")
                ),
                help: "leave these controls out".into(),
            }
        }
        OlsError::TooFewRows { rows, columns } => few(rows, columns),
        OlsError::NotFinite { .. } => EvidenceError::NotFinite { what: "a column".into() },
        _ => EvidenceError::Shape { what: "columns" },
    }
}

fn dependent(names: &[&str]) -> EvidenceError {
    EvidenceError::Data {
        code: "TL372",
        message: format!("instruments say nothing that controls and earlier instruments do not: {}", names.join(", ")),
        help: "leave these instruments out, or the control that repeats them".into(),
    }
}

fn varies(data: &IvData<'_>, parts: &Partialled) -> Result<(), EvidenceError> {
    let p = data.endogenous.len();
    let idle = |range: std::ops::Range<usize>, columns: &[Named<'_>]| -> Vec<String> {
        let names = columns.iter().map(|c| c.name.clone());
        range.zip(names).filter(|(t, _)| parts.left[*t] <= LEFT).map(|(_, name)| name).collect()
    };
    let instruments = idle(1 + p..1 + p + data.instruments.len(), &data.instruments);
    if !instruments.is_empty() {
        return Err(dependent(&instruments.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    let mut others = idle(0..1, std::slice::from_ref(&data.outcome));
    others.extend(idle(1..1 + p, &data.endogenous));
    if let Some(name) = others.first() {
        return Err(EvidenceError::Data {
            code: "TL374",
            message: format!("`{name}` does not vary once the controls are held fixed"),
            help: "check the column, and that no control repeats it".into(),
        });
    }
    Ok(())
}

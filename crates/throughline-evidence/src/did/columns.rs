//! Any panel: one column of influence values per cell, from the units seen in both of its periods.

use throughline_core::Diagnostic;

use super::design::{Cell, Design, OUT};
use super::options::Adjustment;
use super::two_period::{Comparison, Effect, LastPropensity, Refused};
use crate::{EvidenceError, Joint, Panel};

/// Values of influence that are kept per unit; beyond this many only their covariance is.
const MOST_KEPT: usize = 10_000_000;

/// What was estimated.
pub(super) struct Columns {
    pub(super) joint: Joint,
    /// Positions in the design's cells of those that have an answer.
    pub(super) kept: Vec<usize>,
    /// Treated and control units of each of these.
    pub(super) counts: Vec<(usize, usize)>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Effects of all cells that have an answer, then the shares of all groups. Errors: no cell has one.
pub(super) fn columns(
    panel: &Panel,
    design: &Design,
    adjustment: Adjustment,
    name: impl Fn(&Cell) -> String,
    shares: Vec<String>,
) -> Result<Columns, EvidenceError> {
    let covariates: Vec<(&str, &[f64])> = panel.covariates().collect();
    let (mut names, mut values, mut influence) = (Vec::new(), Vec::new(), Vec::new());
    let (mut kept, mut counts) = (Vec::new(), Vec::new());
    let mut refused: Vec<(usize, Refused)> = Vec::new();
    let mut blank = 0_usize;
    let mut last = LastPropensity::default();
    for (position, cell) in design.cells.iter().enumerate() {
        let (units, comparison, without) = comparison(panel, design, cell, &covariates);
        blank += without;
        let treated = comparison.treated.iter().filter(|d| **d).count();
        let controls = units.len() - treated;
        match comparison.effect(adjustment, &mut last) {
            Ok(Effect { value, influence: of_units }) => {
                let mut column = vec![0.0; panel.units()];
                units.iter().zip(of_units).for_each(|(i, phi)| column[*i] = phi);
                names.push(name(cell));
                values.push(value);
                influence.push(column);
                kept.push(position);
                counts.push((treated, controls));
            }
            Err(why) => refused.push((position, why)),
        }
    }
    if kept.is_empty() {
        return Err(none(&refused, &covariates, design, &name));
    }
    let mut diagnostics = left_out(&refused, &covariates, design, &name);
    if blank > 0 {
        let message = format!("{blank} comparisons of a unit lack a covariate and are left out");
        diagnostics.push(Diagnostic::warning("TL357", message).help("fill the covariates, or leave them out"));
    }
    add_shares(design, &mut values, &mut influence);
    names.extend(shares);
    let joint = Joint::from_influence(names, values, influence, design.units() as u64, "callaway_santanna")?;
    let joint = match panel.clusters() {
        Some(codes) => joint.clustered(&in_use(codes, design))?,
        None => joint,
    };
    Ok(Columns { joint: light(joint)?, kept, counts, diagnostics })
}

/// Shares p of the groups: φ = (1{unit in group} − p) / n.
fn add_shares(design: &Design, values: &mut Vec<f64>, influence: &mut Vec<Vec<f64>>) {
    let n = design.units() as f64;
    for (group, size) in design.sizes.iter().take(design.groups.len()).enumerate() {
        let share = *size as f64 / n;
        values.push(share);
        let phi = |c: &u32| match *c {
            OUT => 0.0,
            c => (f64::from(u8::from(c as usize == group)) - share) / n,
        };
        influence.push(design.codes.iter().map(phi).collect());
    }
}

/// Cluster codes without those in which no unit takes part; units that take no part have influence 0 anywhere.
fn in_use(codes: &[u32], design: &Design) -> Vec<u32> {
    let most = codes.iter().max().map_or(0, |m| *m as usize + 1);
    let mut new = vec![u32::MAX; most];
    let mut next = 0;
    for (code, _) in codes.iter().zip(&design.codes).filter(|(_, c)| **c != OUT) {
        let known = &mut new[*code as usize];
        if *known == u32::MAX {
            *known = next;
            next += 1;
        }
    }
    codes.iter().map(|c| new[*c as usize]).map(|c| if c == u32::MAX { 0 } else { c }).collect()
}

/// Only the covariance, where the influence values of all units would take too much memory.
fn light(joint: Joint) -> Result<Joint, EvidenceError> {
    let k = joint.len();
    if k * joint.influence(0).len() <= MOST_KEPT {
        return Ok(joint);
    }
    let covariance = (0..k * k).map(|c| joint.covariance(c / k, c % k)).collect();
    let (df, names, values, n) = (joint.df(), joint.names().to_vec(), joint.values().to_vec(), joint.n());
    let light = Joint::from_covariance(names, values, covariance, n, "callaway_santanna")?;
    Ok(match df {
        Some(df) => light.with_df(df),
        None => light,
    })
}

/// The units of a cell with an outcome in both periods and all covariates in the earlier one, and how many lack these.
fn comparison(
    panel: &Panel,
    design: &Design,
    cell: &Cell,
    covariates: &[(&str, &[f64])],
) -> (Vec<usize>, Comparison, usize) {
    let controls: Vec<bool> = (0..design.sizes.len()).map(|h| design.is_control(cell, h)).collect();
    let periods = panel.periods();
    let at = cell.time.min(cell.base);
    let (mut units, mut change, mut treated) = (Vec::new(), Vec::new(), Vec::new());
    let mut without = 0;
    let mut x: Vec<Vec<f64>> = vec![Vec::new(); covariates.len()];
    for (i, code) in design.codes.iter().enumerate().filter(|(_, c)| **c != OUT) {
        let own = *code as usize == cell.group;
        if !own && !controls[*code as usize] {
            continue;
        }
        let y = panel.outcomes_of(i);
        let difference = y[cell.time] - y[cell.base];
        if difference.is_nan() {
            continue;
        }
        if covariates.iter().any(|(_, v)| !v[i * periods + at].is_finite()) {
            without += 1;
            continue;
        }
        units.push(i);
        change.push(difference);
        treated.push(own);
        x.iter_mut().zip(covariates).for_each(|(x, (_, v))| x.push(v[i * periods + at]));
    }
    (units, Comparison { change, treated, covariates: x }, without)
}

fn reason(why: &Refused, covariates: &[(&str, &[f64])]) -> (&'static str, String, &'static str) {
    match why {
        Refused::TooFew => (
            "TL356",
            "too few units are seen in both periods".into(),
            "join groups or periods, use fewer covariates, or fill missing cells",
        ),
        Refused::Collinear(which) => {
            let names: Vec<&str> = which.iter().filter_map(|j| covariates.get(*j).map(|c| c.0)).collect();
            let message = format!("{} is constant or a combination of the other covariates", names.join(", "));
            ("TL357", message, "leave these covariates out")
        }
        Refused::NoOverlap => (
            "TL358",
            "the covariates tell treated and untreated units apart (a propensity of 0.999 or more)".into(),
            "use fewer covariates, keep units that have counterparts, or --estimator reg, which extrapolates",
        ),
        Refused::NotFinite => ("TL357", "the numbers are out of range".into(), "scale outcome and covariates"),
    }
}

fn left_out(
    refused: &[(usize, Refused)],
    covariates: &[(&str, &[f64])],
    design: &Design,
    name: &impl Fn(&Cell) -> String,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut codes: Vec<&str> = Vec::new();
    for (_, why) in refused {
        let (code, message, help) = reason(why, covariates);
        if codes.contains(&code) {
            continue;
        }
        codes.push(code);
        let same: Vec<String> = refused
            .iter()
            .filter(|(_, other)| reason(other, covariates).0 == code)
            .map(|(p, _)| name(&design.cells[*p]))
            .collect();
        let shown = same.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
        let more = if same.len() > 4 { format!(" and {} more", same.len() - 4) } else { String::new() };
        found.push(Diagnostic::warning(code, format!("left out: {shown}{more}: {message}")).help(help));
    }
    found
}

fn none(
    refused: &[(usize, Refused)],
    covariates: &[(&str, &[f64])],
    design: &Design,
    name: &impl Fn(&Cell) -> String,
) -> EvidenceError {
    let Some((position, why)) = refused.first() else {
        return EvidenceError::TooFew { what: "groups and periods with controls", got: 0, needed: 1 };
    };
    let (code, message, help) = reason(why, covariates);
    let message = format!("no effect can be estimated; {}: {message}", name(&design.cells[*position]));
    EvidenceError::Data { code, message, help: help.to_owned() }
}

//! The jump at the cut-off, corrected for its bias, with the error of the corrected estimate.

use throughline_stats::ols::OlsError;
use throughline_stats::partial::partial_out;

use super::bandwidth::{Bandwidths, select};
use super::side::{LocalFit, Side};
use super::{RdData, RdSettings};
use crate::{EvidenceError, Joint, small};

/// Which combination of the columns' jumps is the estimate, linearised.
#[derive(Debug, Clone)]
pub(super) struct Combination {
    /// Weights over the columns.
    pub(super) weights: Vec<f64>,
    /// Weights of the treatment's jump alone.
    pub(super) treatment: Vec<f64>,
    /// Jump of the outcome over jump of the treatment, or the outcome's.
    pub(super) value: f64,
    /// Jump of the treatment.
    pub(super) first: f64,
}

/// The combination for coefficient `nu` of fits, each with a sign. Covariates enter with one common coefficient γ; a fuzzy design
/// divides by the jump of the treatment. Source: Calonico, Cattaneo, Farrell, Titiunik (2019), REStat 101(3).
pub(super) fn combination(fits: &[(&LocalFit, &Side, f64)], nu: usize, fuzzy: bool) -> Option<Combination> {
    let columns = fits.first()?.1.columns.len();
    let own = 1 + usize::from(fuzzy);
    let covariates = columns - own;
    let jumps: Vec<f64> = (0..columns)
        .map(|c| fits.iter().map(|(fit, side, sign)| sign * fit.beta(&side.columns[c])[nu]).sum())
        .collect();
    let mut gamma = Vec::new();
    if covariates > 0 {
        let (mut zz, mut zy) = (vec![0.0; covariates * covariates], vec![0.0; covariates * own]);
        for (fit, side, _) in fits {
            let refs: Vec<&Vec<f64>> = side.columns.iter().collect();
            zz.iter_mut().zip(fit.left(&refs[own..], &refs[own..])).for_each(|(a, b)| *a += b);
            zy.iter_mut().zip(fit.left(&refs[own..], &refs[..own])).for_each(|(a, b)| *a += b);
        }
        gamma = small::mul(&small::inverse(&zz, covariates)?, &zy, covariates, own);
    }
    let adjusted = |target: usize| -> Vec<f64> {
        let mut out = vec![0.0; columns];
        out[target] = 1.0;
        (0..covariates).for_each(|c| out[own + c] = -gamma[c * own + target]);
        out
    };
    let apply = |w: &[f64]| w.iter().zip(&jumps).map(|(w, j)| w * j).sum::<f64>();
    let outcome = adjusted(0);
    if !fuzzy {
        let value = apply(&outcome);
        return Some(Combination { weights: outcome, treatment: Vec::new(), value, first: 1.0 });
    }
    let treatment = adjusted(1);
    let (y, t) = (apply(&outcome), apply(&treatment));
    if t == 0.0 {
        return None;
    }
    let weights = outcome.iter().zip(&treatment).map(|(a, b)| a / t - y / (t * t) * b).collect();
    Some(Combination { weights, treatment, value: y / t, first: t })
}

/// An estimated jump.
#[derive(Debug)]
pub(super) struct Jump {
    /// The bias-corrected estimate with its robust error.
    pub(super) robust: Joint,
    /// The estimate before the correction, with its own error.
    pub(super) conventional: Joint,
    /// The jump of the treatment, corrected; of a fuzzy design.
    pub(super) first: Option<Joint>,
    pub(super) bandwidths: Bandwidths,
    /// Units with weight on each side.
    pub(super) inside: [usize; 2],
    /// Units on each side.
    pub(super) n: [usize; 2],
}

/// Splits units into sides sorted by score; units nearer to the cut-off than `donut` are left out.
pub(super) fn sides(data: &RdData<'_>, donut: f64) -> [Side; 2] {
    let x: Vec<f64> = data.score.values.iter().map(|s| s - data.cutoff).collect();
    let columns: Vec<&[f64]> = std::iter::once(&data.outcome)
        .chain(&data.treatment)
        .chain(&data.covariates)
        .map(|c| c.values.as_ref())
        .collect();
    [false, true].map(|right| {
        let mut units: Vec<usize> =
            (0..x.len()).filter(|i| (x[*i] >= 0.0) == right && (donut == 0.0 || x[*i].abs() >= donut)).collect();
        units.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
        Side {
            x: units.iter().map(|i| x[*i]).collect(),
            columns: columns.iter().map(|c| units.iter().map(|i| c[*i]).collect()).collect(),
            units,
        }
    })
}

/// Units of a side at least.
const LEAST: usize = 10;

/// Estimates the jump with the given or selected bandwidths.
pub(super) fn jump(data: &RdData<'_>, settings: &RdSettings, donut: f64) -> Result<Jump, EvidenceError> {
    possible(settings, donut)?;
    let [left, right] = sides(data, donut);
    for (side, name) in [(&left, "below"), (&right, "at or above")] {
        if side.x.len() < LEAST {
            return Err(EvidenceError::Data {
                code: "TL380",
                message: format!(
                    "{} units {name} the cut-off of {}; at least {LEAST} are needed",
                    side.x.len(),
                    data.cutoff
                ),
                help: "check the cut-off and the score's column".into(),
            });
        }
    }
    independent(data)?;
    let fuzzy = data.treatment.is_some();
    if fuzzy {
        moves(&left, &right)?;
    }
    let bandwidths = match (settings.h, settings.b) {
        (Some(h), b) => Bandwidths { h, b: b.unwrap_or(h) },
        (None, _) => selected(&left, &right, settings, fuzzy)?,
    };
    let (kernel, p) = (settings.kernel, settings.order);
    let fit = |side: &Side| -> Result<(LocalFit, LocalFit), EvidenceError> {
        let both = LocalFit::new(side, bandwidths.h, kernel, p).zip(LocalFit::new(side, bandwidths.b, kernel, p + 1));
        both.ok_or_else(|| few_distinct(side, bandwidths.h))
    };
    let (l, r) = (fit(&left)?, fit(&right)?);
    let combined = combination(&[(&l.0, &left, -1.0), (&r.0, &right, 1.0)], 0, fuzzy).ok_or_else(|| dependent(data))?;
    let parts = [part(&left, &l, settings, &combined, bandwidths), part(&right, &r, settings, &combined, bandwidths)];
    let difference = |of: fn(&Part) -> f64| of(&parts[1]) - of(&parts[0]);
    // The correction of the ratio is linearised about the conventional estimate.
    let value = combined.value - difference(|p| p.bias);
    let n = data.score.values.len();
    let joint = |name: &str, value: f64, of: fn(&Part) -> &Vec<f64>| -> Result<Joint, EvidenceError> {
        let mut phi = vec![0.0; n];
        for (part, side, sign) in [(&parts[0], &left, -1.0), (&parts[1], &right, 1.0)] {
            part.places.clone().zip(of(part)).for_each(|(place, v)| phi[side.units[place]] += sign * v);
        }
        let joint = Joint::from_influence(vec![name.into()], vec![value], vec![phi], n as u64, method(fuzzy))?;
        match &data.clusters {
            Some(codes) => joint.clustered(&crate::iv::dense(codes)),
            None => Ok(joint),
        }
    };
    let first = if fuzzy {
        Some(joint("treatment", combined.first - difference(|p| p.first_bias), |p| &p.first)?)
    } else {
        None
    };
    Ok(Jump {
        robust: joint("jump", value, |p| &p.robust)?,
        conventional: joint("conventional", combined.value, |p| &p.conventional)?,
        first,
        bandwidths,
        inside: [l.0.range.len(), r.0.range.len()],
        n: [left.x.len(), right.x.len()],
    })
}

fn possible(settings: &RdSettings, donut: f64) -> Result<(), EvidenceError> {
    for (what, value) in [("bandwidth", settings.h), ("bandwidth of the bias", settings.b)] {
        if let Some(value) = value.filter(|v| !v.is_finite() || *v <= 0.0) {
            return Err(EvidenceError::Setting { what, value, bounds: "numbers above 0" });
        }
    }
    if !donut.is_finite() || donut < 0.0 {
        return Err(EvidenceError::Setting { what: "donut", value: donut, bounds: "numbers from 0" });
    }
    if settings.order > 3 {
        return Err(EvidenceError::Setting { what: "order", value: settings.order as f64, bounds: "0 to 3" });
    }
    Ok(())
}

pub(super) const fn method(fuzzy: bool) -> &'static str {
    if fuzzy { "rd_fuzzy" } else { "rd_sharp" }
}

/// Bandwidths of the fuzzy estimate, or of the sharp one where treatment does not vary on a side.
fn selected(left: &Side, right: &Side, settings: &RdSettings, fuzzy: bool) -> Result<Bandwidths, EvidenceError> {
    let varies = |side: &Side| side.columns[1].iter().any(|t| *t != side.columns[1][0]);
    let chosen = if fuzzy && !(varies(left) && varies(right)) {
        let without = |side: &Side| {
            let mut side = side.clone();
            side.columns.remove(1);
            side
        };
        select([&without(left), &without(right)], settings, false)
    } else {
        select([left, right], settings, fuzzy)
    };
    chosen.ok_or_else(|| few_distinct(left, f64::NAN))
}

fn few_distinct(side: &Side, h: f64) -> EvidenceError {
    let near = if h.is_finite() { format!(" within {h}") } else { String::new() };
    EvidenceError::Data {
        code: "TL381",
        message: format!(
            "too few distinct scores{near} for a local polynomial ({} on the smaller side)",
            side.distances().len()
        ),
        help: "give a wider bandwidth, or compare the scores next to the cut-off directly if there are only a few"
            .into(),
    }
}

fn moves(left: &Side, right: &Side) -> Result<(), EvidenceError> {
    let first = left.columns[1][0];
    if left.columns[1].iter().chain(&right.columns[1]).all(|t| *t == first) {
        return Err(EvidenceError::Data {
            code: "TL384",
            message: "treatment is the same for everybody: the cut-off changes nothing".into(),
            help: "check the column of the treatment".into(),
        });
    }
    Ok(())
}

/// Covariates that vary and are not combinations of each other.
fn independent(data: &RdData<'_>) -> Result<(), EvidenceError> {
    if data.covariates.is_empty() {
        return Ok(());
    }
    let columns: Vec<&[f64]> = data.covariates.iter().map(|c| c.values.as_ref()).collect();
    match partial_out(&columns, &[&data.score.values]) {
        Err(OlsError::Collinear { columns }) => {
            let names: Vec<&str> = columns.iter().map(|j| data.covariates[*j].name.as_str()).collect();
            Err(EvidenceError::Data {
                code: "TL371",
                message: format!("covariates are constant or combinations of earlier ones: {}", names.join(", ")),
                help: "leave these covariates out".into(),
            })
        }
        _ => Ok(()),
    }
}

fn dependent(data: &RdData<'_>) -> EvidenceError {
    let names: Vec<&str> = data.covariates.iter().map(|c| c.name.as_str()).collect();
    if names.is_empty() {
        return EvidenceError::Data {
            code: "TL384",
            message: "treatment does not jump at the cut-off: there is no estimate".into(),
            help: "check the cut-off and the column of the treatment".into(),
        };
    }
    EvidenceError::Data {
        code: "TL371",
        message: format!(
            "covariates near the cut-off are constant or combinations of each other: {}",
            names.join(", ")
        ),
        help: "leave some of them out".into(),
    }
}

/// Influence values of one side, per place with weight in either fit.
struct Part {
    places: std::ops::Range<usize>,
    conventional: Vec<f64>,
    robust: Vec<f64>,
    first: Vec<f64>,
    /// Estimated bias of the estimate, and of the treatment's jump.
    bias: f64,
    first_bias: f64,
}

/// Loadings of the intercept: l of the local fit, and l − h^(p+1) leaning · m of the corrected one, m the loadings of the next
/// coefficient in the wider fit; times residuals.
fn part(
    side: &Side,
    (narrow, wide): &(LocalFit, LocalFit),
    settings: &RdSettings,
    combined: &Combination,
    bandwidths: Bandwidths,
) -> Part {
    let p = settings.order;
    let places = narrow.range.start.min(wide.range.start)..narrow.range.end.max(wide.range.end);
    let spread = |fit: &LocalFit, values: Vec<f64>| {
        let mut out = vec![0.0; places.len()];
        out[fit.range.start - places.start..fit.range.end - places.start].copy_from_slice(&values);
        out
    };
    let lean = narrow.leaning(0);
    let ratio = (bandwidths.h / bandwidths.b).powi(i32::try_from(p + 1).unwrap_or(i32::MAX));
    let own = spread(narrow, narrow.loading(0));
    let next = spread(wide, wide.loading(p + 1));
    let corrected: Vec<f64> = own.iter().zip(&next).map(|(l, m)| l - ratio * lean * m).collect();
    let bias_of = |weights: &[f64]| -> f64 {
        let terms = side.columns.iter().zip(weights).filter(|(_, w)| **w != 0.0);
        terms.map(|(c, w)| w * ratio * lean * wide.beta(c)[p + 1]).sum()
    };
    let product = |loadings: &[f64], fit: &LocalFit, weights: &[f64]| -> Vec<f64> {
        let residuals = fit.residuals(side, weights, settings.variance, &places);
        loadings.iter().zip(&residuals).map(|(l, e)| l * e).collect()
    };
    let treated = &combined.treatment;
    Part {
        conventional: product(&own, narrow, &combined.weights),
        robust: product(&corrected, wide, &combined.weights),
        first: if treated.is_empty() { Vec::new() } else { product(&corrected, wide, treated) },
        bias: bias_of(&combined.weights),
        first_bias: if treated.is_empty() { 0.0 } else { bias_of(treated) },
        places,
    }
}

//! Before and after, treated and not.

use super::options::Controls;
use crate::{EvidenceError, Joint, Panel};

/// The clusters of a panel: the units themselves where none are named.
pub(super) fn codes_of(panel: &Panel) -> Vec<u32> {
    panel
        .clusters()
        .map_or_else(|| (0..panel.units()).map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect(), <[u32]>::to_vec)
}

/// The difference between treated and never treated units in the change of their mean outcome from before to after the one
/// period in which the treatment begins.
///
/// With d the change of a unit, the effect is the difference of the two means of d: independent units, so Welch's standard
/// error and degrees of freedom. With clusters, influence values are summed within them and t has G − 1 degrees of freedom
/// (Bertrand, Duflo, Mullainathan 2004, Quarterly Journal of Economics 119(1): collapsing to two periods is what keeps serial
/// correlation out). Units with a missing cell take no part.
///
/// Errors: TL354 (no treated, no untreated unit, no period before, or several beginnings), TL356 fewer than two complete
/// units on a side.
pub fn two_by_two(panel: &Panel) -> Result<Joint, EvidenceError> {
    let options = super::CsOptions { controls: Controls::Never, ..super::CsOptions::default() };
    // Its errors are those of this design too.
    let design = super::design::Design::of(panel, &options)?;
    let &[start] = design.groups.as_slice() else {
        return Err(EvidenceError::Data {
            code: "TL359",
            message: format!("the treatment begins in {} different periods", design.groups.len()),
            help: "use --method cs for staggered adoption".into(),
        });
    };
    let mean = |y: &[f64]| y.iter().sum::<f64>() / y.len() as f64;
    let complete = |(i, code): (usize, &u32)| {
        let y = panel.outcomes_of(i);
        let change = mean(&y[start..]) - mean(&y[..start]);
        (*code <= 1 && !change.is_nan()).then_some((i, *code == 0, change))
    };
    let changes: Vec<(usize, bool, f64)> = design.codes.iter().enumerate().filter_map(complete).collect();
    let side = |treated: bool| {
        let of = || changes.iter().filter(|c| c.1 == treated).map(|c| c.2);
        let n = of().count() as f64;
        let mean = of().sum::<f64>() / n;
        (n, mean, of().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0))
    };
    let ((n1, m1, v1), (n0, m0, v0)) = (side(true), side(false));
    if n1 < 2.0 || n0 < 2.0 {
        return Err(EvidenceError::Data {
            code: "TL356",
            message: format!("{n1} treated and {n0} untreated units have an outcome in every period"),
            help: "at least 2 are needed on each side: fill missing cells, or use --method sc or sdid for one treated unit"
                .into(),
        });
    }
    let clusters = panel.clusters();
    // Unbiased variances where units are independent; clusters bring their own correction.
    let small = |n: f64| if clusters.is_some() { 1.0 } else { (n / (n - 1.0)).sqrt() };
    let phi = |c: &(usize, bool, f64)| if c.1 { small(n1) * (c.2 - m1) / n1 } else { small(n0) * (m0 - c.2) / n0 };
    let influence = vec![changes.iter().map(phi).collect()];
    let joint = Joint::from_influence(vec!["did".into()], vec![m1 - m0], influence, changes.len() as u64, "did_2x2")?;
    if let Some(codes) = clusters {
        let own: Vec<u32> = changes.iter().map(|c| codes[c.0]).collect();
        return joint.clustered(&crate::panel::without_gaps(&own));
    }
    let (a, b) = (v1 / n1, v0 / n0);
    let df = (a + b).powi(2) / (a * a / (n1 - 1.0) + b * b / (n0 - 1.0));
    Ok(if df.is_finite() { joint.with_df(df) } else { joint })
}

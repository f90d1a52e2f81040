//! Regression adjustment with slopes of each arm (Lin's estimator).

use throughline_core::Diagnostic;
use throughline_stats::ols::{OlsError, OlsFit, ols};

use super::adjust::{Adjusted, Pair};
use super::arm::Arm;
use crate::{EvidenceError, Table};

/// Most strata that become columns of a regression.
const MOST_STRATA: usize = 50;

/// Complete columns for the adjustment: a missing value becomes the column's mean and a column that says so is added
/// (Zhao, Ding 2024, JASA 119(545): valid whatever the reason values are missing before the assignment). Columns that
/// do not vary are left out and said.
pub(crate) fn columns(
    table: &Table,
    names: &[String],
    found: &mut Vec<Diagnostic>,
) -> Result<Vec<Vec<f64>>, EvidenceError> {
    let mut out = Vec::new();
    for name in names {
        let values = table.numbers(name)?;
        let usable: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        let mean = usable.iter().sum::<f64>() / usable.len().max(1) as f64;
        if usable.iter().all(|v| *v == usable[0]) || !mean.is_finite() {
            found.push(left_out(name, "it does not vary"));
            continue;
        }
        out.push(values.iter().map(|v| if v.is_finite() { *v } else { mean }).collect());
        let missing = values.len() - usable.len();
        if missing > 0 {
            found.push(absent(name, missing, "they count as its mean, with a covariate of their own for the absence"));
            out.push(values.iter().map(|v| f64::from(u8::from(!v.is_finite()))).collect());
        }
    }
    Ok(out)
}

/// Says that a covariate takes no part.
pub(crate) fn left_out(name: &str, why: &str) -> Diagnostic {
    let message = format!("covariate `{name}` is left out of the adjustment: {why}");
    Diagnostic::warning("TL325", message).help("choose a column measured before the assignment that varies")
}

/// Says that a covariate is missing for some units.
pub(crate) fn absent(name: &str, missing: usize, how: &str) -> Diagnostic {
    Diagnostic::warning("TL324", format!("covariate `{name}` is missing for {missing} units; {how}"))
        .help("units are kept: leaving them out would change the population")
}

/// Adds a 0/1 column per stratum but the first, for strata beside other covariates.
/// Errors: more strata than a regression should have.
pub(crate) fn dummies(codes: &[u32], strata: usize, out: &mut Vec<Vec<f64>>) -> Result<(), EvidenceError> {
    if strata > MOST_STRATA {
        let message = format!("{strata} strata beside covariates are too many, at most {MOST_STRATA} are read");
        let help = "leave out the covariates, or use fewer strata".into();
        return Err(EvidenceError::Data { code: "TL320", message, help });
    }
    for stratum in 1..strata {
        out.push(codes.iter().map(|c| f64::from(u8::from(*c as usize == stratum))).collect());
    }
    Ok(())
}

/// One arm's regression on centred covariates.
struct Fitted {
    fit: OlsFit,
    /// Positions of the covariates that took part.
    kept: Vec<usize>,
    adjusted: Adjusted,
}

/// W. Lin, "Agnostic notes on regression adjustments to experimental data", Annals of Applied Statistics 7(1) (2013): each
/// arm's outcomes are regressed on the covariates, centred at their mean over both arms; the adjusted number is the
/// intercept, with HC2 errors. The error of the common mean, (β₁ − β₀)ᵀ(xᵢ − x̄) / n, is added, so that the effect is that
/// of the population the units were drawn from. Ratios and quantiles are linearised first. A covariate that the others
/// explain within an arm takes no part in either.
pub(crate) fn pair(columns: &[Vec<f64>], control: &Arm, treated: &Arm) -> Result<Pair, String> {
    let n = control.n() + treated.n();
    let rows = || control.rows.iter().chain(&treated.rows);
    let centres: Vec<f64> = columns.iter().map(|c| rows().map(|r| c[*r as usize]).sum::<f64>() / n).collect();
    let local = |arm: &Arm| -> Vec<Vec<f64>> {
        let centred = |(c, m): (&Vec<f64>, &f64)| arm.rows.iter().map(|r| c[*r as usize] - m).collect();
        columns.iter().zip(&centres).map(centred).collect()
    };
    let (x_control, x_treated) = (local(control), local(treated));
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    // What one arm cannot separate, the other leaves out too.
    loop {
        let first = arm_fit(control, &x_control, &kept)?;
        let second = arm_fit(treated, &x_treated, &first.kept)?;
        if second.kept.len() == kept.len() {
            let shared = |x: &[Vec<f64>], rows: usize| {
                let mut out = vec![0.0; rows];
                for (j, column) in kept.iter().enumerate() {
                    let slope = second.fit.coefficients[j + 1] - first.fit.coefficients[j + 1];
                    out.iter_mut().zip(&x[*column]).for_each(|(o, x)| *o += slope * x / n);
                }
                out
            };
            let shared = (shared(&x_control, control.rows.len()), shared(&x_treated, treated.rows.len()));
            return Ok(Pair { control: first.adjusted, treated: second.adjusted, shared });
        }
        kept = second.kept;
    }
}

fn arm_fit(arm: &Arm, x: &[Vec<f64>], wanted: &[usize]) -> Result<Fitted, String> {
    let one = vec![1.0; arm.rows.len()];
    let y: Vec<f64> = arm.units.iter().map(|u| u + arm.value).collect();
    let mut kept = wanted.to_vec();
    loop {
        let columns: Vec<&[f64]> =
            std::iter::once(one.as_slice()).chain(kept.iter().map(|j| x[*j].as_slice())).collect();
        match ols(&columns, &y, None) {
            Ok(fit) => {
                let leverage = fit.leverage(&columns, None);
                let mut influence = fit.influence(&columns, None, 0);
                influence.iter_mut().zip(&leverage).for_each(|(i, h)| *i /= (1.0 - h).max(f64::EPSILON).sqrt());
                let adjusted = Adjusted { value: fit.coefficients[0], influence, df: fit.df as f64 };
                return Ok(Fitted { fit, kept, adjusted });
            }
            Err(OlsError::Collinear { columns }) => {
                kept = kept.iter().enumerate().filter(|(i, _)| !columns.contains(&(i + 1))).map(|(_, j)| *j).collect();
            }
            Err(OlsError::TooFewRows { rows, columns }) => {
                return Err(format!("{rows} units of an arm are too few for {columns} coefficients of the adjustment"));
            }
            Err(other) => return Err(format!("the adjustment is not possible: {other}")),
        }
    }
}

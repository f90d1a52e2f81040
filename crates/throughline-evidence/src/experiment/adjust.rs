//! Using what was known before the assignment: adjusted numbers of two arms.

use std::rc::Rc;

use throughline_stats::moments::CoMoments;

use super::arm::Arm;
use super::outcome::Outcome;
use super::{regression, strata};

/// What an arm's number is adjusted by.
#[derive(Debug, Clone)]
pub(crate) enum Adjustment<'a> {
    /// Nothing.
    None,
    /// One covariate with one slope for both arms.
    Cuped(Outcome<'a>),
    /// Several covariates with slopes of each arm; complete columns over all rows.
    Regression(Rc<Vec<Vec<f64>>>),
    /// Strata, one code per row.
    Strata(Rc<Vec<u32>>),
}

impl Adjustment<'_> {
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The method in words, after what is adjusted.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::None => "",
            Self::Cuped(_) => "_cuped",
            Self::Regression(_) => "_regression",
            Self::Strata(_) => "_poststratified",
        }
    }
}

/// One arm's adjusted number with what each of its units contributes to its error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Adjusted {
    pub(crate) value: f64,
    /// Per unit of the arm, so that its variance is the sum of squares.
    pub(crate) influence: Vec<f64>,
    /// Degrees of freedom of that variance.
    pub(crate) df: f64,
}

/// Both arms, adjusted together.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pair {
    pub(crate) control: Adjusted,
    pub(crate) treated: Adjusted,
    /// What units of the control and of the treated arm contribute to the difference beside their own arm's number: the
    /// error of the common mean of the covariates. Empty without.
    pub(crate) shared: (Vec<f64>, Vec<f64>),
}

/// The numbers of two arms under an adjustment. Errors, in words: too few units.
pub(crate) fn pair(adjustment: &Adjustment<'_>, control: &Arm, treated: &Arm) -> Result<Pair, String> {
    match adjustment {
        Adjustment::None => Ok(plain(control, treated)),
        Adjustment::Cuped(before) => Ok(cuped(before, control, treated)),
        Adjustment::Regression(columns) => regression::pair(columns, control, treated),
        Adjustment::Strata(codes) => strata::pair(codes, control, treated),
    }
}

fn plain(control: &Arm, treated: &Arm) -> Pair {
    let side = |arm: &Arm| Adjusted { value: arm.value, influence: own(arm, &arm.units), df: arm.n() - 1.0 };
    Pair { control: side(control), treated: side(treated), shared: (Vec::new(), Vec::new()) }
}

/// uᵢ / n, scaled so that the sum of squares is the usual variance.
pub(crate) fn own(arm: &Arm, units: &[f64]) -> Vec<f64> {
    let scale = arm.correction.sqrt() / arm.n();
    units.iter().map(|u| u * scale).collect()
}

/// CUPED: value − θ (x̄ₐ − x̄), with θ = Cov(y, x) / Var(x) over both arms together and x̄ their mean; 0 where x does not
/// vary. A unit without x keeps its outcome (it counts as x̄). For a ratio, y and x are linearised first, which is the delta
/// method over the four sums. Source: Deng, Xu, Kohavi, Walker (2013), WSDM; θ over both arms as in GrowthBook.
fn cuped(before: &Outcome<'_>, control: &Arm, treated: &Arm) -> Pair {
    let (x_control, x_treated) = (covariate(before, control), covariate(before, treated));
    let mut both = CoMoments::default();
    for (arm, x) in [(control, &x_control), (treated, &x_treated)] {
        let pairs = x.iter().zip(&arm.units).filter(|(x, _)| x.is_finite());
        pairs.for_each(|(x, u)| both.push(*x, u + arm.value));
    }
    let theta = both.slope().filter(|t| t.is_finite()).unwrap_or(0.0);
    if theta == 0.0 {
        return plain(control, treated);
    }
    let centre = both.x().mean().unwrap_or(0.0);
    let side = |arm: &Arm, x: &[f64]| {
        let centred: Vec<f64> = x.iter().map(|x| if x.is_finite() { x - centre } else { 0.0 }).collect();
        let mean = centred.iter().sum::<f64>() / arm.n();
        let units: Vec<f64> = arm.units.iter().zip(&centred).map(|(u, x)| u - theta * (x - mean)).collect();
        Adjusted { value: arm.value - theta * mean, influence: own(arm, &units), df: arm.n() - 1.0 }
    };
    Pair { control: side(control, &x_control), treated: side(treated, &x_treated), shared: (Vec::new(), Vec::new()) }
}

/// The covariate of each unit of an arm; NaN where there is none. A ratio's is linearised around the arm's own ratio.
fn covariate(before: &Outcome<'_>, arm: &Arm) -> Vec<f64> {
    if before.below.is_none() {
        return arm.rows.iter().map(|r| before.values[*r as usize]).collect();
    }
    let mut out = vec![f64::NAN; arm.rows.len()];
    let Ok(linear) = Arm::of(before, arm.rows.iter().copied()) else { return out };
    let mut next = linear.rows.iter().zip(&linear.units).peekable();
    for (row, out) in arm.rows.iter().zip(&mut out) {
        if let Some((_, u)) = next.next_if(|(r, _)| *r == row) {
            *out = u + linear.value;
        }
    }
    out
}

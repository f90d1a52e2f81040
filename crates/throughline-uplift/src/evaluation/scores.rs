//! One score per row whose mean is the average effect: the doubly robust scores all measures here are built on.

use throughline_core::Diagnostic;

use crate::UpliftError;
use crate::training::{finite, same_length};

/// Propensities are kept at least this far from 0 and 1.
pub const MIN_PROPENSITY: f64 = 0.01;

/// What was observed of each row.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Whether the row was treated.
    pub treated: &'a [bool],
    /// Its outcome.
    pub outcome: &'a [f64],
}

/// P(treated) of each row, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub enum Propensity<'a> {
    /// Known from the design.
    Known(&'a [f64]),
    /// Estimated, for a row by a model that has not seen it.
    Estimated(&'a [f64]),
}

/// Scores Γ with E[Γ | x] = the effect at x, one per row.
///
/// Γ = μ₁ − μ₀ + (W − e) / (e (1 − e)) · (Y − μ_W) (Robins, Rotnitzky and Zhao 1994, "augmented inverse propensity
/// weighting"), with W the treatment, e its propensity and μ the outcome regressions. Unit: that of the outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectScores {
    pub(super) values: Vec<f64>,
    pub(super) treated: Vec<bool>,
    /// Y (W − e) / (e (1 − e)).
    pub(super) transformed: Vec<f64>,
    pub(super) method: &'static str,
    pub(super) assumptions: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl EffectScores {
    /// Doubly robust scores from propensities and outcome regressions: μ₀ and μ₁ per row, each predicted by a model that has
    /// not seen the row (out of fold). Consistent where either the propensities or the regressions are right.
    ///
    /// Propensities nearer than [`MIN_PROPENSITY`] to 0 or 1 are moved to that bound and counted (`TL740`).
    ///
    /// # Errors
    /// Lengths that differ, values that are not finite, propensities outside 0 to 1, no treated or no control row.
    pub fn doubly_robust(
        observed: Observed<'_>,
        propensity: Propensity<'_>,
        mu_control: &[f64],
        mu_treated: &[f64],
    ) -> Result<Self, UpliftError> {
        let (e, assumption) = match propensity {
            Propensity::Known(e) => (e, "treatment was assigned with the stated probabilities"),
            Propensity::Estimated(e) => (
                e,
                "given the features treatment was assigned at random, and the propensities or the outcome regressions are right",
            ),
        };
        let n = observed.checked()?;
        for (what, values) in [("propensity", e), ("outcome regression of the control", mu_control)] {
            same_length(what, values.len(), n)?;
        }
        same_length("outcome regression of the treated", mu_treated.len(), n)?;
        finite("propensity", e, "between 0 and 1", |e| (0.0..=1.0).contains(&e))?;
        finite("outcome regression", mu_control, "finite", f64::is_finite)?;
        finite("outcome regression", mu_treated, "finite", f64::is_finite)?;
        let mut scores = Self::of(observed, |i| (clipped(e[i]), mu_control[i], mu_treated[i]))?;
        scores.method = "aipw";
        scores.assumptions.push(assumption.to_owned());
        let moved = e.iter().filter(|e| clipped(**e) != **e).count();
        if moved > 0 {
            scores.diagnostics.push(
                Diagnostic::warning(
                    "TL740",
                    format!(
                        "{moved} of {n} propensities lie nearer than {MIN_PROPENSITY} to 0 or 1 and were moved to it"
                    ),
                )
                .help("evaluate among people who could have been in either arm"),
            );
        }
        Ok(scores)
    }

    /// Scores for a randomised treatment without regressions: the outcome regressions are the means of the arms, so that the
    /// mean of Γ is the difference in means, exactly. `probability` is that of the design; the share treated where it is not
    /// given, which can only make intervals a little wide.
    ///
    /// # Errors
    /// Lengths that differ, an outcome that is not finite, a probability outside 0 to 1 or nearer than [`MIN_PROPENSITY`]
    /// to either, no treated or no control row.
    pub fn randomised(observed: Observed<'_>, probability: Option<f64>) -> Result<Self, UpliftError> {
        let n = observed.checked()?;
        let mean = |arm: bool| {
            // Sorted, so that the sum does not depend on the order of rows.
            let own = observed.treated.iter().zip(observed.outcome).filter(|(t, _)| **t == arm).map(|(_, y)| *y);
            let mut y: Vec<f64> = own.collect();
            y.sort_unstable_by(f64::total_cmp);
            (y.iter().sum::<f64>() / y.len() as f64, y.len())
        };
        let ((mu_control, _), (mu_treated, treated)) = (mean(false), mean(true));
        if let Some(p) = probability {
            let bound = "at least 0.01 from 0 and 1";
            finite("probability of treatment", &[p], bound, |p| !p.is_nan() && clipped(p) == p)?;
        }
        let e = probability.unwrap_or(treated as f64 / n as f64);
        let mut scores = Self::of(observed, |_| (e, mu_control, mu_treated))?;
        scores.method = "difference_in_means";
        scores.assumptions.push("treatment was assigned at random with one probability".to_owned());
        Ok(scores)
    }

    fn of(observed: Observed<'_>, nuisance: impl Fn(usize) -> (f64, f64, f64)) -> Result<Self, UpliftError> {
        let one = |i: usize| {
            let (e, mu_control, mu_treated) = nuisance(i);
            let (w, y) = (observed.treated[i], observed.outcome[i]);
            // (W − e) / (e (1 − e)) is 1 / e for the treated and −1 / (1 − e) for the control.
            let weight = if w { 1.0 / e } else { -1.0 / (1.0 - e) };
            let mu = if w { mu_treated } else { mu_control };
            (mu_treated - mu_control + weight * (y - mu), weight * y)
        };
        let (values, transformed): (Vec<f64>, Vec<f64>) = (0..observed.outcome.len()).map(one).unzip();
        finite("effect score", &values, "finite", f64::is_finite)?;
        finite("transformed outcome", &transformed, "finite", f64::is_finite)?;
        Ok(Self {
            values,
            transformed,
            treated: observed.treated.to_vec(),
            method: "",
            assumptions: Vec::new(),
            diagnostics: Vec::new(),
        })
    }

    /// Γ of each row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Rows.
    pub fn n(&self) -> usize {
        self.values.len()
    }

    /// What to know about the scores.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The rows' own order by one column and then by Γ and arm: sums taken in it do not depend on the order of rows.
    pub(super) fn order_by(&self, column: &[f64]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.n()).collect();
        order.sort_unstable_by(|&a, &b| {
            let by = (column[b] + 0.0).total_cmp(&(column[a] + 0.0));
            let by = by.then((self.values[a] + 0.0).total_cmp(&(self.values[b] + 0.0)));
            by.then(self.treated[a].cmp(&self.treated[b])).then(self.transformed[a].total_cmp(&self.transformed[b]))
        });
        order
    }

    /// An estimate with the assumptions of the scores.
    pub(super) fn assumed(&self, estimate: throughline_core::Estimate) -> throughline_core::Estimate {
        self.assumptions.iter().fold(estimate, |e, a| e.assuming(a.as_str()))
    }

    /// Checks a column of predictions or priorities for these rows.
    pub(super) fn check(&self, what: &'static str, column: &[f64]) -> Result<(), UpliftError> {
        same_length(what, column.len(), self.n())?;
        finite(what, column, "finite", f64::is_finite)
    }
}

impl Observed<'_> {
    fn checked(&self) -> Result<usize, UpliftError> {
        let n = self.outcome.len();
        same_length("treatment", self.treated.len(), n)?;
        finite("outcome", self.outcome, "finite", f64::is_finite)?;
        let treated = self.treated.iter().filter(|t| **t).count();
        match (treated, n - treated) {
            (0, _) => Err(UpliftError::Empty { what: "treated rows" }),
            (_, 0) => Err(UpliftError::Empty { what: "control rows" }),
            _ => Ok(n),
        }
    }
}

fn clipped(e: f64) -> f64 {
    e.clamp(MIN_PROPENSITY, 1.0 - MIN_PROPENSITY)
}

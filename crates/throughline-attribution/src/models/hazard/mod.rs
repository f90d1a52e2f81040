//! The additive hazard model: each touch adds a rate of conversion that decays.

mod fit;
mod newton;

use throughline_core::{Diagnostic, Severity};

use self::fit::{Fitted, Touches};
use crate::distinct::Distinct;
use crate::model::ChannelSums;
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit by the share each touch has in the rate of conversion at the moment of conversion.
///
/// A touch of channel c at time t_i adds β_c ω_c e^(−ω_c (t − t_i)) to the rate λ(t) at which its journey converts: β_c is
/// the number of conversions the touch would bring were it watched for ever, 1/ω_c their mean delay. With Δ the ages of
/// touches (to the conversion, or to the end of the window of a journey without), the log-likelihood is
///
/// Σ over conversions ln λ − Σ over all journeys Σ over touches β_c (1 − e^(−ω_c Δ)),
///
/// so that journeys without conversion count by their exposure. A conversion is split by the responsibilities
/// p_i ∝ β_c ω_c e^(−ω_c Δ_i) of its touches; value follows them.
///
/// Source: Y. Zhang, Y. Wei, J. Ren, "Multi-touch attribution in online advertising with survival theory", ICDM 2014.
/// Fitted by Newton's steps in ln(β ω) and ln ω where these do not lower the likelihood (up to 64 channels), else by
/// expectation–maximisation: β = A / E with A the responsibilities of a channel and E its exposures
/// Σ (1 − e^(−ωΔ)), then ω = A / (B + β Σ Δ e^(−ωΔ)), B = Σ p Δ, which maximises a lower bound of what the first step
/// left (−E is convex in ω, so its tangent bounds it), hence never lowers the likelihood. Steps are extrapolated (R.
/// Varadhan, C. Roland, "Simple and globally convergent methods for accelerating the convergence of any EM algorithm",
/// Scandinavian Journal of Statistics 35, 2008, scheme S3) where the likelihood does not fall. They end when one gains less
/// than 10⁻¹⁰ for each conversion, or after 500 passes (TL430).
///
/// Units: days. Ages below one second count as one second. ω lies between 10⁻³ and 10⁶ per longest age: at the lower bound
/// the rate is constant over any window seen, and only β ω is known (TL431).
///
/// Assumptions: touches add up and neither wear out nor help each other; nobody converts without a touch (no base rate);
/// delays are exponential; touches come for reasons that have nothing to do with what the person would have done.
/// Journeys that convert more than once enter once for each conversion.
///
/// Defined answers: without conversions all credits are 0, and value without conversions is split evenly over touches;
/// without journeys that end in nothing the exposures of those that convert are all there is. Needs the age of every
/// touch. Cost: one exponential a touch and pass; a handful of passes, some tens where Newton's steps do not serve; in a
/// bootstrap each draw starts at the fit of what was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hazard;

/// Parameters of one channel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelHazard {
    /// β: conversions a touch brings in the end, at least 0.
    pub conversions_per_touch: f64,
    /// ω: by which the rate decays, per day.
    pub decay_per_day: f64,
    /// Whether ω stands at a bound, so that the data only say "not slower" or "not faster".
    pub at_bound: bool,
}

/// A fitted model.
#[derive(Debug, Clone, PartialEq)]
pub struct HazardFit {
    /// One entry per channel of the table.
    pub channels: Vec<ChannelHazard>,
    /// Log-likelihood after each accepted step; never falls beyond rounding.
    pub log_likelihoods: Vec<f64>,
    /// Passes over the touches.
    pub passes: usize,
    /// Whether steps ended before the limit of passes.
    pub converged: bool,
}

impl Hazard {
    /// Fits the observed outcomes of a table.
    pub fn fit(self, table: &PathTable) -> Result<HazardFit, AttributionError> {
        Ok(self.bind(table)?.observed.public())
    }

    fn bind(self, table: &PathTable) -> Result<Bound, AttributionError> {
        if !table.has_ages() && !table.is_empty() {
            return Err(AttributionError::NeedsAges { model: self.spec() });
        }
        let distinct = Distinct::new(table, |a, b| a.cmp(&b));
        let touches = Touches::new(table, &distinct);
        let observed = touches.fit(&distinct.totals(table.units(), Summation::Exact), None);
        Ok(Bound { distinct, touches, observed, names: table.channels().to_vec() })
    }
}

/// The model bound to a table, with the fit that draws start from.
struct Bound {
    distinct: Distinct,
    touches: Touches,
    observed: Fitted,
    names: Vec<String>,
}

impl Prepared for Bound {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        let totals = self.distinct.totals(units, summation);
        // The exact sums of a table are those that were fitted.
        let redone;
        let fitted = match summation {
            Summation::Exact => &self.observed,
            Summation::InOrder => {
                redone = self.touches.fit(&totals, Some(&self.observed));
                &redone
            }
        };
        let mut sums = ChannelSums::<f64>::new(self.names.len());
        let mut weights = Vec::new();
        for (path, total) in totals.iter().enumerate().filter(|(_, t)| t.conversions != 0.0 || t.value != 0.0) {
            self.touches.weigh(fitted, path, &mut weights);
            for (&channel, weight) in self.touches.channels(path).iter().zip(&weights) {
                sums.add(channel, weight * total.conversions, weight * total.value);
            }
        }
        Ok(Split { diagnostics: self.diagnostics(fitted), ..sums.split() })
    }
}

impl Bound {
    fn diagnostics(&self, fitted: &Fitted) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let fit = fitted.public();
        if !fit.converged {
            let message = format!("the additive hazard still improved after {} passes", fit.passes);
            diagnostics.push(Diagnostic::warning("TL430", message).help("merge channels that hardly differ"));
        }
        let at_bound =
            self.names.iter().zip(&fit.channels).filter(|(_, c)| c.at_bound && c.conversions_per_touch > 0.0);
        let names: Vec<&str> = at_bound.map(|(name, _)| name.as_str()).collect();
        if let Some(first) = names.first() {
            let message = format!("the decay of {} channels stands at its bound (the first: {first})", names.len());
            diagnostics.push(Diagnostic::new(Severity::Info, "TL431", message));
        }
        diagnostics
    }
}

impl Model for Hazard {
    fn name(&self) -> &'static str {
        "hazard"
    }

    fn spec(&self) -> String {
        self.name().to_owned()
    }

    fn breaks_down(&self) -> bool {
        true
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(self.bind(table)?))
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        let bound = self.bind(table)?;
        let mut all = vec![0.0; table.steps.len()];
        let mut weights = Vec::new();
        for path in 0..bound.distinct.len() {
            bound.touches.weigh(&bound.observed, path, &mut weights);
            for &row in bound.distinct.rows(path) {
                all[table.offsets[row]..table.offsets[row + 1]].copy_from_slice(&weights);
            }
        }
        Ok(PathWeights { offsets: table.offsets.clone(), weights: all })
    }
}

#[cfg(test)]
mod tests;

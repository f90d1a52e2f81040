//! Power of a planned experiment, with the estimator that will read it.

use serde::{Deserialize, Serialize};
use throughline_core::Level;
use throughline_stats::dist;
use throughline_stats::noncentral::noncentral_t_sf;

use super::unusable;
use crate::sequential::{Boundaries, GroupSequential, Sides, Spending};
use crate::{Correction, EvidenceError};

/// What is measured, as known before the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum MetricPlan {
    /// A mean over units.
    Mean {
        /// Mean of the control.
        baseline: f64,
        /// Standard deviation of one unit.
        sd: f64,
    },
    /// A share of units.
    Proportion {
        /// Share in the control.
        baseline: f64,
    },
    /// A ratio of two sums, read by the delta method.
    Ratio {
        /// Ratio R in the control.
        baseline: f64,
        /// Standard deviation over units of (numerator − R · denominator) / mean denominator.
        sd: f64,
    },
}

/// The effect to be found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Treated minus control, in units of the metric.
    Absolute(f64),
    /// That over the control's size; the reading is then the relative lift, by the delta method.
    Relative(f64),
}

/// How units are shared between control and treatments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allocation {
    /// The same to every arm.
    Equal,
    /// √k units of control per unit of each of k treatments: the least total (Dunnett 1955).
    SquareRoot,
    /// One weight per arm, the control first.
    Weights(Vec<f64>),
}

/// Units that come in groups, such as shops or households, all of a group in one arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Clusters {
    /// Mean units of a cluster.
    pub size: f64,
    /// Intra-cluster correlation.
    pub icc: f64,
    /// Coefficient of variation of the sizes; 0 for equal sizes.
    #[serde(default)]
    pub size_cv: f64,
}

/// When the experiment is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Looks {
    /// Once, at its planned end.
    Fixed,
    /// At any time, by an asymptotic confidence sequence that is tightest near `tuned_for` units (the planned total without).
    ConfidenceSequence {
        /// N*, in units of both arms of a comparison.
        tuned_for: Option<f64>,
    },
    /// At planned fractions of the information.
    Group {
        /// The fractions.
        looks: Vec<f64>,
        /// How the error rate is spent.
        spending: Spending,
    },
}

/// A question of power.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PowerPlan {
    /// What is measured.
    pub metric: MetricPlan,
    /// What is to be found.
    pub effect: Effect,
    /// Confidence level of the reading, two-sided; one-sided with a margin.
    pub level: Level,
    /// Chance to find the effect.
    pub power: f64,
    /// Treatments beside the control.
    pub treatments: usize,
    /// How units are shared.
    pub allocation: Allocation,
    /// How several comparisons are corrected. For Holm each is planned at α / k, its first step, which is Bonferroni's.
    pub correction: Correction,
    /// Correlation of the outcome with the covariate of CUPED; 0 without.
    pub cuped_correlation: f64,
    /// Clusters, if units are assigned in groups.
    pub clusters: Option<Clusters>,
    /// Non-inferiority: the loss that would still do, above 0, in the unit of the effect. The effect is then what one expects, often 0.
    pub margin: Option<f64>,
    /// When it is read.
    pub looks: Looks,
}

/// The comparison of the least precise treatment with the control at a total size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Precision {
    pub(super) std_error: f64,
    pub(super) df: f64,
    pub(super) n: f64,
}

impl MetricPlan {
    /// The control's value.
    pub const fn baseline(&self) -> f64 {
        match *self {
            Self::Mean { baseline, .. } | Self::Proportion { baseline } | Self::Ratio { baseline, .. } => baseline,
        }
    }

    /// Variance of one unit in control and treatment when they differ by `effect`.
    pub(super) fn variances(&self, effect: f64) -> (f64, f64) {
        match *self {
            Self::Mean { sd, .. } | Self::Ratio { sd, .. } => (sd * sd, sd * sd),
            Self::Proportion { baseline: p } => (p * (1.0 - p), ((p + effect) * (1.0 - p - effect)).max(0.0)),
        }
    }
}

impl PowerPlan {
    /// A two-arm experiment read once at 95 % with a power of 80 %.
    pub const fn new(metric: MetricPlan, effect: Effect) -> Self {
        Self {
            metric,
            effect,
            level: Level::P95,
            power: 0.8,
            treatments: 1,
            allocation: Allocation::Equal,
            correction: Correction::Holm,
            cuped_correlation: 0.0,
            clusters: None,
            margin: None,
            looks: Looks::Fixed,
        }
    }

    /// Errors: a setting outside its range (TL339), an effect that cannot be found (TL340).
    pub fn validate(&self) -> Result<(), EvidenceError> {
        let setting = |what: &str, value: f64, bounds: &str| {
            Err(unusable("TL339", format!("{what} of {value} is outside {bounds}"), "give a number in that range"))
        };
        match self.metric {
            MetricPlan::Proportion { baseline } if !(baseline > 0.0 && baseline < 1.0) => {
                return setting("the baseline", baseline, "0 to 1, both excluded");
            }
            MetricPlan::Mean { sd, baseline } | MetricPlan::Ratio { sd, baseline } => {
                if !(sd > 0.0 && sd.is_finite()) {
                    return setting("the standard deviation", sd, "numbers above 0");
                }
                if !baseline.is_finite() || (baseline == 0.0 && matches!(self.effect, Effect::Relative(_))) {
                    return setting("the baseline", baseline, "finite numbers, other than 0 for a relative effect");
                }
            }
            MetricPlan::Proportion { .. } => {}
        }
        if !(self.power > 0.01 && self.power < 0.9999) {
            return setting("the power", self.power, "0.01 to 0.9999");
        }
        if self.treatments == 0 || self.treatments > 1000 {
            return setting("the number of treatments", self.treatments as f64, "1 to 1,000");
        }
        if !(self.cuped_correlation > -1.0 && self.cuped_correlation < 1.0) {
            return setting("the correlation of the covariate", self.cuped_correlation, "−1 to 1, both excluded");
        }
        if let Some(c) = self.clusters {
            if !(c.size >= 1.0 && c.size.is_finite()) {
                return setting("the cluster size", c.size, "numbers from 1");
            }
            if !(0.0..=1.0).contains(&c.icc) {
                return setting("the intra-cluster correlation", c.icc, "0 to 1");
            }
            if !(0.0..=100.0).contains(&c.size_cv) {
                return setting("the variation of cluster sizes", c.size_cv, "0 to 100");
            }
        }
        if let Some(margin) = self.margin.filter(|m| !(*m > 0.0 && m.is_finite())) {
            return setting("the margin", margin, "numbers above 0");
        }
        if let Looks::ConfidenceSequence { tuned_for: Some(n) } = self.looks
            && !(n >= 1.0 && n.is_finite())
        {
            return setting("the size the sequence is tuned for", n, "numbers from 1");
        }
        self.weights()?;
        self.findable()
    }

    fn findable(&self) -> Result<(), EvidenceError> {
        let effect = self.absolute();
        let gap = self.stated() + self.margin.unwrap_or(0.0);
        if !effect.is_finite() || (self.margin.is_none() && effect == 0.0) {
            let message = format!("an effect of {effect} cannot be found");
            return Err(unusable("TL340", message, "give an effect other than 0, or a margin for non-inferiority"));
        }
        if self.margin.is_some() && gap <= 0.0 {
            let message =
                format!("an effect of {} is already beyond the margin of {}", self.stated(), gap - self.stated());
            return Err(unusable("TL340", message, "expect a smaller loss, or accept a larger margin"));
        }
        if let MetricPlan::Proportion { baseline } = self.metric {
            let scale = if matches!(self.effect, Effect::Relative(_)) { baseline } else { 1.0 };
            let (treated, worst) = (baseline + effect, baseline - self.margin.unwrap_or(0.0) * scale);
            if !(treated > 0.0 && treated < 1.0 && worst > 0.0) {
                let message =
                    format!("an effect of {effect} on a share of {baseline} gives {treated}, and the margin {worst}");
                return Err(unusable("TL340", message, "give an effect that keeps the share between 0 and 1"));
            }
        }
        Ok(())
    }

    /// The effect in units of the metric.
    pub fn absolute(&self) -> f64 {
        match self.effect {
            Effect::Absolute(effect) => effect,
            Effect::Relative(effect) => effect * self.metric.baseline().abs(),
        }
    }

    /// The effect on the scale of the reading.
    pub(super) const fn stated(&self) -> f64 {
        match self.effect {
            Effect::Absolute(effect) | Effect::Relative(effect) => effect,
        }
    }

    /// The same plan for another effect on the same scale.
    pub(super) fn with_effect(&self, effect: f64) -> Self {
        let effect = match self.effect {
            Effect::Absolute(_) => Effect::Absolute(effect),
            Effect::Relative(_) => Effect::Relative(effect),
        };
        Self { effect, ..self.clone() }
    }

    /// Shares of the arms, the control first. Errors: weights that are not one positive number per arm (TL339).
    pub fn weights(&self) -> Result<Vec<f64>, EvidenceError> {
        let k = self.treatments;
        let weights = match &self.allocation {
            Allocation::Equal => vec![1.0; k + 1],
            Allocation::SquareRoot => std::iter::once((k as f64).sqrt()).chain(std::iter::repeat_n(1.0, k)).collect(),
            Allocation::Weights(weights) => weights.clone(),
        };
        if weights.len() != k + 1 || weights.iter().any(|w| !(*w > 0.0 && w.is_finite())) {
            let message = format!("allocation {weights:?} for a control and {k} treatments");
            return Err(unusable("TL339", message, "give one number above 0 per arm, the control first"));
        }
        let total: f64 = weights.iter().sum();
        Ok(weights.iter().map(|w| w / total).collect())
    }

    /// The error rate of one comparison.
    pub fn alpha(&self) -> f64 {
        match self.correction {
            Correction::Holm => self.level.alpha() / self.treatments as f64,
            // A band is never wider than Šidák's, whatever the correlation of the arms.
            Correction::Bands => 1.0 - self.level.get().powf(1.0 / self.treatments as f64),
            Correction::None | Correction::BenjaminiHochberg => self.level.alpha(),
        }
    }

    /// By how much clusters multiply the variance: 1 + ((1 + cv²) m − 1) · icc (Kish 1965; Eldridge et al. 2006).
    pub fn design_effect(&self) -> f64 {
        self.clusters.map_or(1.0, |c| 1.0 + ((1.0 + c.size_cv.powi(2)) * c.size - 1.0) * c.icc)
    }

    /// By how much the covariate multiplies the variance: 1 − ρ².
    pub fn covariate_factor(&self) -> f64 {
        1.0 - self.cuped_correlation.powi(2)
    }

    /// Standard error and degrees of freedom of the reading when `total` units are shared by the weights; of the treatment with
    /// the fewest units.
    pub(super) fn precision(&self, total: f64, weights: &[f64]) -> Precision {
        let least = weights[1..].iter().copied().fold(f64::INFINITY, f64::min);
        let (n0, n1) = (total * weights[0], total * least);
        let factor = self.design_effect() * self.covariate_factor();
        let (v0, v1) = self.metric.variances(self.absolute());
        let (mut a, mut b) = (v0 * factor / n0, v1 * factor / n1);
        let per_cluster = self.clusters.map_or(1.0, |c| c.size);
        // Welch–Satterthwaite on the absolute variances, over what is assigned: units or clusters.
        let free = |n: f64| (n / per_cluster - 1.0).max(1e-9);
        let df = (a + b).powi(2) / (a * a / free(n0) + b * b / free(n1));
        if let Effect::Relative(effect) = self.effect {
            let m = self.metric.baseline();
            let treated = m + effect * m.abs();
            (a, b) = (a * treated.powi(2) / m.powi(4), b / (m * m));
        }
        Precision { std_error: (a + b).sqrt(), df: df.max(1.0), n: n0 + n1 }
    }

    /// How the looks are judged.
    pub(super) fn rule(&self) -> Result<Rule, EvidenceError> {
        let one = self.margin.is_some();
        Ok(match &self.looks {
            Looks::Fixed => Rule::Fixed,
            Looks::ConfidenceSequence { tuned_for } => Rule::Sequence(*tuned_for),
            Looks::Group { looks, spending } => {
                let sides = if one { Sides::One } else { Sides::Two };
                let plan = GroupSequential { looks: looks.clone(), spending: *spending, alpha: self.alpha(), sides };
                let bounds = plan.boundaries()?;
                let drift = bounds.drift(self.power);
                Rule::Group(bounds, drift)
            }
        })
    }

    /// The critical value of |z| (or z, one-sided) at the last look.
    pub(super) fn critical(&self, rule: &Rule, at: Precision) -> f64 {
        let (alpha, one) = (self.alpha(), self.margin.is_some());
        match rule {
            Rule::Fixed => dist::t_quantile(1.0 - if one { alpha } else { alpha / 2.0 }, at.df),
            Rule::Group(bounds, _) => bounds.critical.last().copied().unwrap_or(f64::INFINITY),
            Rule::Sequence(tuned_for) => {
                let log = -2.0 * if one { (2.0 * alpha).min(0.5) } else { alpha }.ln();
                let information = at.n * (log + log.ln_1p()) / tuned_for.unwrap_or(at.n).max(1.0);
                let spread = information + 1.0;
                let bound = if one { (spread.sqrt() / (2.0 * alpha)).ln_1p() } else { (spread.sqrt() / alpha).ln() };
                (2.0 * spread / information * bound).sqrt()
            }
        }
    }

    /// E(Z) at the end when the effect is as stated.
    pub(super) fn drift(&self, at: Precision) -> f64 {
        let drift = (self.stated() + self.margin.unwrap_or(0.0)) / at.std_error;
        if self.margin.is_some() { drift } else { drift.abs() }
    }

    /// Whether `total` units find the effect with the power asked for.
    pub(super) fn enough(&self, total: f64, weights: &[f64], rule: &Rule) -> bool {
        match rule {
            // The drift is all that matters, and walking the looks is dear.
            Rule::Group(_, needed) => self.drift(self.precision(total, weights)) >= *needed,
            _ => self.power_at(total, weights, rule) >= self.power,
        }
    }

    /// The chance to find the effect with `total` units, findings of the wrong sign left out.
    pub(super) fn power_at(&self, total: f64, weights: &[f64], rule: &Rule) -> f64 {
        let at = self.precision(total, weights);
        let drift = self.drift(at);
        match rule {
            Rule::Fixed => noncentral_t_sf(self.critical(rule, at), at.df, drift),
            // Looks before the last can only add to this.
            Rule::Sequence(_) => dist::normal_sf(self.critical(rule, at) - drift),
            Rule::Group(bounds, _) => bounds.crossing(drift).iter().map(|(_, above)| above).sum::<f64>().min(1.0),
        }
    }
}

/// How a finding is declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    Fixed,
    Sequence(Option<f64>),
    /// Boundaries, and the drift that gives the power asked for.
    Group(Boundaries, f64),
}

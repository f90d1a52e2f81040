//! Power by simulation: experiments drawn from a file of historic units and read as the real one will be.

use serde::{Deserialize, Serialize};
use throughline_core::Estimate;
use throughline_stats::moments::{CoMoments, Moments};
use throughline_stats::proportion::wilson;
use throughline_stats::stream::Stream;
use throughline_stats::two_sample::{Summary, welch, welch_relative};

use super::power::{Effect, Looks, MetricPlan, PowerPlan, Rule};
use super::unusable;
use crate::EvidenceError;

/// Units as they were before, one entry each. With clusters, sum them first: see [`History::by_cluster`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The metric, or the numerator of a ratio.
    pub values: Vec<f64>,
    /// The denominator of a ratio; empty for a mean or a share.
    pub denominators: Vec<f64>,
    /// The covariate of CUPED; empty without.
    pub covariates: Vec<f64>,
}

/// What simulated experiments found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulatedPower {
    /// Experiments simulated.
    pub experiments: u64,
    /// Share that found the effect, in its direction.
    pub power: f64,
    /// Wilson interval of that share at 95 %.
    pub power_interval: (f64, f64),
    /// Share of the same experiments without any effect that found one: should be near α.
    pub false_positives: f64,
    /// Wilson interval of that share at 95 %.
    pub false_positives_interval: (f64, f64),
    /// Historic units (clusters, where units come in clusters) that were drawn from.
    pub units: u64,
    /// Units (or clusters) of each arm of a simulated experiment: control, treatment.
    pub n: (u64, u64),
}

/// Fewer units than this say too little about tails.
const FEWEST: usize = 30;

impl History {
    /// Sums within clusters: units of one cluster become one unit with a numerator and a denominator, so that a mean is read
    /// as a ratio of sums, which is what an estimate with clustered errors is.
    #[must_use]
    pub fn by_cluster(&self, codes: &[u32]) -> Self {
        let groups = codes.iter().filter(|c| **c != u32::MAX).max().map_or(0, |m| *m as usize + 1);
        let mut out = Self { values: vec![0.0; groups], denominators: vec![0.0; groups], covariates: Vec::new() };
        for (i, code) in codes.iter().enumerate().filter(|(_, c)| **c != u32::MAX) {
            out.values[*code as usize] += self.values[i];
            out.denominators[*code as usize] += self.denominators.get(i).copied().unwrap_or(1.0);
        }
        out
    }

    /// Errors: too few units, lengths that differ, values that are not finite, no variation (TL341).
    pub fn validate(&self) -> Result<(), EvidenceError> {
        let n = self.values.len();
        let fits = |c: &[f64]| c.is_empty() || c.len() == n;
        if n < FEWEST || !fits(&self.denominators) || !fits(&self.covariates) {
            let message = format!("{n} historic units, at least {FEWEST} are needed");
            return Err(unusable("TL341", message, "give a longer history, one row a unit, or plan by formula"));
        }
        let all = || self.values.iter().chain(&self.denominators).chain(&self.covariates);
        if !all().all(|v| v.is_finite()) {
            let message = "the history holds values that are not finite".to_owned();
            return Err(unusable("TL341", message, "leave those units out, or give 0 where nothing happened"));
        }
        let mut moments = Moments::default();
        self.values.iter().for_each(|v| moments.push(*v));
        if moments.variance().unwrap_or(0.0) <= 0.0 {
            return Err(unusable(
                "TL341",
                "the historic metric does not vary".into(),
                "give a metric that varies between units",
            ));
        }
        Ok(())
    }

    /// The metric as this history shows it: baseline and standard deviation, of a ratio where there are denominators, of a share
    /// where all values are 0 or 1. Errors: see [`History::validate`].
    pub fn metric(&self) -> Result<MetricPlan, EvidenceError> {
        self.validate()?;
        let all: Vec<Unit> = (0..self.values.len()).map(|i| self.unit(i)).collect();
        let summary = self.summary(&all, 0.0, 0.0);
        if !(summary.mean.is_finite() && summary.variance > 0.0) {
            return Err(unusable("TL341", "the historic denominators sum to 0".into(), "give denominators above 0"));
        }
        let sd = summary.variance.sqrt();
        Ok(match (self.is_ratio(), self.is_binary()) {
            (true, _) => MetricPlan::Ratio { baseline: summary.mean, sd },
            (false, true) => MetricPlan::Proportion { baseline: summary.mean },
            _ => MetricPlan::Mean { baseline: summary.mean, sd },
        })
    }

    /// Correlation of the metric with the covariate; 0 without one.
    pub fn correlation(&self) -> f64 {
        let mut both = CoMoments::default();
        self.covariates.iter().zip(&self.values).for_each(|(x, y)| both.push(*x, *y));
        let product = both.x().variance().unwrap_or(0.0) * both.y().variance().unwrap_or(0.0);
        if product > 0.0 { both.covariance().unwrap_or(0.0) / product.sqrt() } else { 0.0 }
    }

    const fn is_ratio(&self) -> bool {
        !self.denominators.is_empty()
    }

    fn is_binary(&self) -> bool {
        !self.is_ratio() && self.values.iter().all(|v| *v == 0.0 || *v == 1.0)
    }

    fn unit(&self, i: usize) -> Unit {
        Unit {
            y: self.values[i],
            d: self.denominators.get(i).copied().unwrap_or(1.0),
            x: self.covariates.get(i).copied().unwrap_or(0.0),
        }
    }

    /// Mean and variance of one unit as the reading sees them: linearised for a ratio, less θ (x − x̄) with a covariate.
    fn summary(&self, units: &[Unit], theta: f64, centre: f64) -> Summary {
        let mut moments = Moments::default();
        if self.is_ratio() {
            let (top, below) = units.iter().fold((0.0, 0.0), |(t, b), u| (t + u.y, b + u.d));
            let (ratio, mean) = (top / below, below / units.len() as f64);
            for u in units {
                moments.push((u.y - ratio * u.d) / mean);
            }
            return Summary { mean: ratio, ..moments.summary() };
        }
        for u in units {
            moments.push(u.y - theta * (u.x - centre));
        }
        moments.summary()
    }
}

#[derive(Debug, Clone, Copy)]
struct Unit {
    y: f64,
    d: f64,
    x: f64,
}

impl Unit {
    /// The unit with the effect: shares flip zeros (or ones) at random, other metrics move by their size.
    fn treated(self, effect: Effect, metric: &MetricPlan, binary: bool, u: f64) -> Self {
        let baseline = metric.baseline();
        let absolute = match effect {
            Effect::Absolute(e) => e,
            Effect::Relative(e) => e * baseline.abs(),
        };
        let y = match (binary, effect) {
            (true, _) if absolute >= 0.0 => {
                if self.y == 0.0 && u < absolute / (1.0 - baseline) {
                    1.0
                } else {
                    self.y
                }
            }
            (true, _) => {
                if self.y == 1.0 && u < -absolute / baseline {
                    0.0
                } else {
                    self.y
                }
            }
            (false, Effect::Relative(e)) if baseline > 0.0 => self.y * (1.0 + e),
            _ => self.y + absolute * self.d,
        };
        Self { y, ..self }
    }
}

/// Simulates `experiments` of `n` units (control, treatment) drawn with replacement from the history, gives the treatment
/// the effect, and reads each as the plan says: Welch, relative by the delta method, a ratio by linearisation, CUPED
/// with θ over both arms, at the plan's looks and error rate. A share flips units at random; other metrics move by an absolute
/// effect or grow by a relative one. The same draws without effect give the share of false positives. Deterministic for a seed.
///
/// Source: the bootstrap design of Efron, Tibshirani (1993), ch. 25. Errors: see [`History::validate`]; covariates beside
/// denominators (TL341).
pub fn simulate_power(
    history: &History,
    plan: &PowerPlan,
    n: (u64, u64),
    experiments: u64,
    seed: u64,
) -> Result<SimulatedPower, EvidenceError> {
    history.validate()?;
    plan.validate()?;
    if history.is_ratio() && !history.covariates.is_empty() {
        let message = "a ratio or clusters together with a covariate cannot be simulated".to_owned();
        return Err(unusable("TL341", message, "leave the covariate out, or plan by formula"));
    }
    if n.0 < 2 || n.1 < 2 || experiments == 0 {
        let message = format!("{experiments} experiments of {} and {} units", n.0, n.1);
        return Err(unusable("TL341", message, "simulate at least one experiment with 2 units in every arm"));
    }
    let rule = plan.rule()?;
    let (mut found, mut falsely) = (0, 0);
    for experiment in 0..experiments {
        let draw = Draw { history, plan, rule: &rule, n, stream: Stream::new(seed, experiment) };
        found += u64::from(draw.finds(plan.effect)?);
        falsely += u64::from(draw.finds(none(plan))?);
    }
    let share =
        |count: u64| (count as f64 / experiments as f64, wilson(count, experiments, 0.95).unwrap_or((0.0, 1.0)));
    let ((power, power_interval), (false_positives, false_positives_interval)) = (share(found), share(falsely));
    Ok(SimulatedPower {
        experiments,
        power,
        power_interval,
        false_positives,
        false_positives_interval,
        units: history.values.len() as u64,
        n,
    })
}

/// The effect at which any finding is false: nothing, or with a margin a loss as large as it.
const fn none(plan: &PowerPlan) -> Effect {
    let null = match plan.margin {
        Some(margin) => -margin,
        None => 0.0,
    };
    match plan.effect {
        Effect::Absolute(_) => Effect::Absolute(null),
        Effect::Relative(_) => Effect::Relative(null),
    }
}

struct Draw<'a> {
    history: &'a History,
    plan: &'a PowerPlan,
    rule: &'a Rule,
    n: (u64, u64),
    stream: Stream,
}

impl Draw<'_> {
    /// Whether the experiment finds the effect (without one: any effect), at any of its looks.
    fn finds(&self, effect: Effect) -> Result<bool, EvidenceError> {
        let (mut control, mut treated) = (Vec::new(), Vec::new());
        let looks: &[f64] = match &self.plan.looks {
            Looks::Group { looks, .. } => looks,
            _ => &[1.0],
        };
        let is_null = effect == none(self.plan);
        for (look, fraction) in looks.iter().enumerate() {
            self.fill(&mut control, self.n.0, *fraction, 0, None);
            self.fill(&mut treated, self.n.1, *fraction, 1, Some(effect));
            let Some(e) = self.estimate(&control, &treated)? else { continue };
            if self.crosses(&e, look, is_null) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fill(&self, arm: &mut Vec<Unit>, n: u64, fraction: f64, which: u64, effect: Option<Effect>) {
        let (units, binary) = (self.history.values.len() as u64, self.history.is_binary());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most n")]
        let until = ((n as f64 * fraction).round() as u64).max(2);
        for i in arm.len() as u64..until {
            let counter = (i * 2 + which) * 2;
            #[expect(clippy::cast_possible_truncation, reason = "an index of a vector")]
            let unit = self.history.unit(self.stream.index_at(counter, units) as usize);
            arm.push(match effect {
                Some(effect) => {
                    let u = if binary { self.stream.uniform_at(counter + 1) } else { 0.0 };
                    unit.treated(effect, &self.plan.metric, binary, u)
                }
                None => unit,
            });
        }
    }

    fn estimate(&self, control: &[Unit], treated: &[Unit]) -> Result<Option<Estimate>, EvidenceError> {
        let (mut theta, mut centre) = (0.0, 0.0);
        if !self.history.covariates.is_empty() {
            let mut both = CoMoments::default();
            control.iter().chain(treated).for_each(|u| both.push(u.x, u.y));
            (theta, centre) = (both.slope().unwrap_or(0.0), both.x().mean().unwrap_or(0.0));
        }
        let summary = |units: &[Unit]| self.history.summary(units, theta, centre);
        let (a, b) = (summary(control), summary(treated));
        let difference = match self.plan.effect {
            Effect::Absolute(_) => welch(&a, &b),
            Effect::Relative(_) => welch_relative(&a, &b),
        };
        // An experiment without any variation finds nothing.
        let Ok(d) = difference else { return Ok(None) };
        let level = self.plan.level;
        Ok(Some(Estimate::wald(d.value, d.std_error, Some(d.df), a.n + b.n, level, "welch")?))
    }

    fn crosses(&self, e: &Estimate, look: usize, either: bool) -> bool {
        let se = e.std_error.unwrap_or(f64::INFINITY);
        let margin = self.plan.margin.unwrap_or(0.0);
        let z = (e.value + margin) / se;
        let critical = match self.rule {
            Rule::Group(bounds, _) => bounds.critical[look],
            Rule::Fixed | Rule::Sequence(_) => {
                let weights = [self.n.0 as f64, self.n.1 as f64];
                let total = weights[0] + weights[1];
                let at = self.plan.precision(total, &[weights[0] / total, weights[1] / total]);
                self.plan.critical(self.rule, at)
            }
        };
        match (self.plan.margin, either) {
            (Some(_), _) => z > critical,
            (None, true) => z.abs() > critical,
            (None, false) => z * self.plan.stated().signum() > critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(seed: u64, f: impl Fn(f64, f64) -> Unit) -> History {
        let stream = Stream::new(seed, 0);
        let units: Vec<Unit> = (0..4000).map(|i| f(stream.normal_at(2 * i), stream.normal_at(2 * i + 1))).collect();
        History { values: units.iter().map(|u| u.y).collect(), ..History::default() }
    }

    fn agrees(history: &History, mut plan: PowerPlan) {
        plan.metric = history.metric().expect("a metric");
        let answer = plan.sample_size().expect("a size");
        let per = |i: usize| answer.arms[i].clusters.unwrap_or(answer.arms[i].n);
        let got = simulate_power(history, &plan, (per(0), per(1)), 400, 3).expect("a simulation");
        assert!((got.power - answer.power).abs() < 0.075, "{got:?} against {}", answer.power);
        assert!((got.false_positives - 0.05).abs() < 0.045, "{got:?}");
        assert!(got.power_interval.0 <= got.power && got.power <= got.power_interval.1);
    }

    #[test]
    fn simulated_power_is_that_of_the_formula() {
        let unit = |y| Unit { y, d: 1.0, x: 0.0 };
        let skewed = history(1, |z, _| unit((0.8 * z).exp()));
        let shares = history(2, |z, _| unit(f64::from(u8::from(z > 1.2))));
        let base = PowerPlan::new(MetricPlan::Proportion { baseline: 0.5 }, Effect::Absolute(0.15));
        agrees(&skewed, base.clone());
        agrees(&skewed, PowerPlan { effect: Effect::Relative(0.1), ..base.clone() });
        agrees(&shares, PowerPlan { effect: Effect::Absolute(-0.04), ..base.clone() });
        agrees(&shares, PowerPlan { effect: Effect::Relative(0.3), ..base.clone() });
        let looks = Looks::Group { looks: vec![0.5, 1.0], spending: crate::sequential::Spending::Pocock };
        agrees(&skewed, PowerPlan { looks, ..base });
    }

    #[test]
    fn covariates_and_clusters_are_read_as_planned() {
        let stream = Stream::new(9, 0);
        let x: Vec<f64> = (0..3000).map(|i| stream.normal_at(i)).collect();
        let y: Vec<f64> = x.iter().enumerate().map(|(i, x)| 3.0 + x + stream.normal_at(90_000 + i as u64)).collect();
        let with = History { values: y.clone(), covariates: x.clone(), ..History::default() };
        let base = PowerPlan::new(with.metric().expect("a metric"), Effect::Absolute(0.2));
        let rho = with.correlation();
        assert!((rho - 0.5_f64.sqrt()).abs() < 0.05, "{rho}");
        agrees(&with, PowerPlan { cuped_correlation: rho, ..base });
        // 600 clusters of 5 units that share half of their variance.
        let codes: Vec<u32> = (0..3000).map(|i| i / 5).collect();
        let y = (0..3000_u64).map(|i| 3.0 + stream.normal_at(i / 5) + stream.normal_at(50_000 + i)).collect();
        let clustered = History { values: y, ..History::default() }.by_cluster(&codes);
        assert_eq!(clustered.values.len(), 600);
        let plan = PowerPlan::new(clustered.metric().expect("a metric"), Effect::Absolute(0.3));
        assert!(matches!(plan.metric, MetricPlan::Ratio { .. }));
        agrees(&clustered, plan);
    }

    #[test]
    fn useless_histories_are_refused() {
        let plan = PowerPlan::new(MetricPlan::Proportion { baseline: 0.5 }, Effect::Absolute(0.1));
        let of = |values: Vec<f64>| simulate_power(&History { values, ..History::default() }, &plan, (50, 50), 10, 1);
        for values in [vec![], vec![1.0; 100], vec![f64::NAN; 100]] {
            assert!(matches!(of(values), Err(EvidenceError::Data { code: "TL341", .. })));
        }
    }
}

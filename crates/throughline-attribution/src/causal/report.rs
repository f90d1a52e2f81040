//! What each channel caused: from credits and evidence to numbers that may be used.

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, EvidenceTier};

use super::heterogeneity::{CONFLICT, Heterogeneity};
use super::input::{Credit, Evidence, Period, Settings};
use super::mixture::{Distribution, Mixture};
use super::posterior::{Node, Target, left_by_own, posterior};
use super::process::Spreads;
use super::select::{Selected, select, variance};
use crate::AttributionError;

/// What stands behind a channel's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// Evidence on this channel in this very period, everywhere.
    Own,
    /// Evidence on this channel at another time or in a part of the market.
    OwnElsewhere,
    /// Evidence on other channels only.
    Population,
    /// None: there is no number.
    NoEvidence,
    /// The channel has no credit in the period: there is nothing to scale, and no number.
    NoCredit,
}

/// A channel's credit in a period, scaled to what the evidence supports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibrated {
    /// The channel.
    pub channel: String,
    /// The position of the period.
    pub period: usize,
    /// Conversions credited.
    pub credited_conversions: f64,
    /// Value credited.
    pub credited_value: f64,
    /// What stands behind the numbers.
    pub support: Support,
    /// What they may be used as: that of the evidence where it is the period's own, modelled where it is carried over,
    /// associational where there are none.
    pub tier: EvidenceTier,
    /// The pieces of evidence on this channel.
    pub evidence: Vec<String>,
    /// Conversions caused for each one credited.
    pub ratio: Option<Distribution>,
    /// Conversions caused.
    pub conversions: Option<Distribution>,
    /// Value caused, where conversions are credited with value.
    pub value: Option<Distribution>,
    /// Value caused over spend, where there is any.
    pub iroas: Option<Distribution>,
    /// Share of what the evidence on other channels leaves uncertain (as variance) that evidence on this one removes: 0 where there
    /// is none, near 1 where it decides alone.
    pub own_share: f64,
}

/// All channels of a period together, or of all periods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PeriodTotal {
    /// The position of the period; all of them when absent.
    pub period: Option<usize>,
    /// All conversions.
    pub conversions: f64,
    /// Their value.
    pub value: f64,
    /// Conversions that the channels with a number caused.
    pub incremental_conversions: Distribution,
    /// Value that they caused.
    pub incremental_value: Distribution,
    /// Conversions that they did not cause: the rest, which may be negative.
    pub baseline_conversions: Distribution,
    /// Value that they did not cause.
    pub baseline_value: Distribution,
    /// Channels that have credit and no number: what they caused is in the baseline.
    pub without_number: Vec<String>,
}

/// What the evidence says about channels at large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Population {
    /// Mean ratio of effect to credit.
    pub mean: Distribution,
    /// Ratio of a channel of mean size without evidence.
    pub new_channel: Distribution,
    /// Standard deviation of the ratio between channels.
    pub between_channels: Distribution,
    /// Standard deviation of a channel's drift.
    pub drift: Distribution,
}

/// Calibrated credits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// In the order of the credits.
    pub cells: Vec<Calibrated>,
    /// Of each period, then of all where there are several; none without evidence.
    pub totals: Vec<PeriodTotal>,
    /// Absent without evidence.
    pub population: Option<Population>,
    /// Per channel with several pieces of evidence, whether they agree.
    pub within_channels: Vec<Heterogeneity>,
    /// Whether channels differ from each other.
    pub between_channels: Option<Heterogeneity>,
    /// The ids of the evidence used, in order.
    pub used: Vec<String>,
    /// What was refused, is in conflict or absent.
    pub diagnostics: Vec<Diagnostic>,
}

impl Calibration {
    /// The cell of a channel and period.
    pub fn cell(&self, channel: &str, period: usize) -> Option<&Calibrated> {
        self.cells.iter().find(|c| c.channel == channel && c.period == period)
    }
}

/// Conversions credited, value of one, and its variance.
struct Worth {
    credit: f64,
    each: f64,
    each_variance: f64,
}

/// Scales credits to the effects that evidence supports.
///
/// With A the credit of a channel in a period, what it caused is I = A r. Ratios r have a common mean μ ~ N(m, s²), spread between
/// channels by τ (size)^(−½) with τ ~ half-Cauchy, drift over time and scope by ω ~ half-normal with correlation exp(−d/ℓ); an experiment observes r
/// with known sampling variance. Given τ and ω everything is normal and exact; over both, sums on a grid of equal prior mass. A
/// credit's own error is an error of its ratio. Value is I times the mean value of a credited conversion.
///
/// Sources: Gelman (2006), Bayesian Analysis 1 (priors of spreads); Higgins, Thompson, Spiegelhalter (2009), JRSS A 172 (predictive
/// distributions); Rasmussen, Williams (2006), chapter 2; Cochran (1977), chapter 6 (spread that grows with the root of the size gives
/// the ratio estimator). Evidence is plain data; equal input gives equal bits for any order of
/// it. Failure modes: `docs/methods/incremental-attribution.md`.
///
/// # Errors
/// Settings out of bounds, a period that is not there, totals that are not finite, evidence that cannot be solved. What is wrong
/// with single credits and pieces of evidence is among the diagnostics (TL490 to TL499).
pub fn calibrate(
    periods: &[Period],
    credits: &[Credit],
    evidence: &[Evidence],
    settings: &Settings,
) -> Result<Calibration, AttributionError> {
    settings.check()?;
    for total in periods.iter().flat_map(|p| [p.conversions, p.value]) {
        if !total.is_finite() {
            return Err(AttributionError::Setting { what: "total of a period", value: total, bounds: "finite" });
        }
    }
    let mut selected = select(periods, credits, evidence)?;
    if selected.items.is_empty() {
        return Ok(without_evidence(credits, selected));
    }
    let numbered: Vec<usize> = (0..credits.len()).filter(|i| selected.has_number(*i)).collect();
    let place = |i: &usize| selected.cells[*i].as_ref();
    let cells: Vec<_> = numbered.iter().filter_map(place).collect();
    let worth: Vec<Worth> = numbered.iter().map(|i| Worth::of(&credits[*i])).collect();
    let groups = groups(periods.len(), &numbered, credits);
    let targets = targets(&worth, &groups);
    let nodes = posterior(&cells, &selected.items, &targets, settings)?;
    let left = left_by_own(&cells, &selected.items, mean_spreads(&nodes), settings)?;
    let mut found: Vec<Calibrated> = credits.iter().enumerate().map(|(i, c)| selected.blank(i, c)).collect();
    for (at, index) in numbered.iter().enumerate() {
        fill(&mut found[*index], &credits[*index], &nodes, at, &worth[at]);
        found[*index].own_share = 1.0 - left[at];
    }
    let totals = totals(periods, &groups, &found, &nodes, &worth);
    selected.say(&found);
    Ok(Calibration {
        cells: found,
        totals,
        population: Some(population(&nodes, targets.len() - 1)),
        used: selected.items.iter().map(|i| i.evidence.id.clone()).collect(),
        within_channels: selected.within,
        between_channels: selected.between,
        diagnostics: selected.diagnostics,
    })
}

/// The positions, among numbered cells, of each period, then of all where there are several.
fn groups(periods: usize, numbered: &[usize], credits: &[Credit]) -> Vec<(Option<usize>, Vec<usize>)> {
    let of = |p: usize| (0..numbered.len()).filter(|at| credits[numbered[*at]].period == p).collect();
    let mut groups: Vec<_> = (0..periods).map(|p| (Some(p), of(p))).collect();
    if periods > 1 {
        groups.push((None, (0..numbered.len()).collect()));
    }
    groups
}

/// Each cell's ratio, conversions and value of each group, last the population's mean.
fn targets(worth: &[Worth], groups: &[(Option<usize>, Vec<usize>)]) -> Vec<Target> {
    let mut targets: Vec<Target> = (0..worth.len()).map(|at| Target { of: vec![(at, 1.0)] }).collect();
    for (_, cells) in groups {
        // A sum over nothing is no population: it has one cell of weight 0, if there is any cell.
        let sum = |weight: &dyn Fn(usize) -> f64| match cells.as_slice() {
            [] => Target { of: vec![(0, 0.0)] },
            cells => Target { of: cells.iter().map(|at| (*at, weight(*at))).collect() },
        };
        targets.push(sum(&|at| worth[at].credit));
        targets.push(sum(&|at| worth[at].credit * worth[at].each));
    }
    targets.push(Target { of: Vec::new() });
    targets
}

fn mean_spreads(nodes: &[Node]) -> Spreads {
    Spreads {
        tau: nodes.iter().map(|n| n.weight * n.spreads.tau).sum(),
        omega: nodes.iter().map(|n| n.weight * n.spreads.omega).sum(),
    }
}

fn mixture(nodes: &[Node], moments: impl Fn(&Node) -> (f64, f64)) -> Mixture {
    Mixture::new(nodes.iter().map(|node| {
        let (mean, variance) = moments(node);
        (node.weight, mean, variance)
    }))
}

impl Worth {
    fn of(credit: &Credit) -> Self {
        let pairs = credit.conversions_draws.iter().zip(&credit.value_draws);
        let each: Vec<f64> = pairs.filter(|(c, _)| **c > 0.0).map(|(c, v)| v / c).collect();
        Self { credit: credit.conversions, each: credit.value / credit.conversions, each_variance: variance(&each) }
    }

    /// Moments of the value, from those of the ratio: of a product of independent variables.
    fn value(&self, (mean, variance): (f64, f64)) -> (f64, f64) {
        let (mean, variance) = (self.credit * mean, self.credit * self.credit * variance);
        (self.each * mean, self.each * self.each * variance + self.more(mean, variance))
    }

    /// The variance that the uncertain value of a conversion adds.
    fn more(&self, mean: f64, variance: f64) -> f64 {
        self.each_variance * (mean * mean + variance)
    }
}

fn fill(cell: &mut Calibrated, credit: &Credit, nodes: &[Node], at: usize, worth: &Worth) {
    let ratio = mixture(nodes, |n| n.moments[at]);
    let value = mixture(nodes, |n| worth.value(n.moments[at]));
    cell.ratio = Some(ratio.distribution());
    cell.conversions = Some(ratio.scaled(worth.credit));
    cell.value = Some(value.distribution());
    cell.iroas = credit.spend.filter(|s| *s > 0.0 && s.is_finite()).map(|spend| value.scaled(1.0 / spend));
}

fn totals(
    periods: &[Period],
    groups: &[(Option<usize>, Vec<usize>)],
    found: &[Calibrated],
    nodes: &[Node],
    worth: &[Worth],
) -> Vec<PeriodTotal> {
    let total = |(g, (period, cells)): (usize, &(Option<usize>, Vec<usize>))| {
        let at = worth.len() + 2 * g;
        let conversions = mixture(nodes, |n| n.moments[at]);
        let value = mixture(nodes, |n| {
            let more = |at: &usize| {
                let (mean, variance) = n.moments[*at];
                let credit = worth[*at].credit;
                worth[*at].more(credit * mean, credit * credit * variance)
            };
            let (mean, variance) = n.moments[at + 1];
            (mean, variance + cells.iter().map(more).sum::<f64>())
        });
        let chosen = || periods.iter().enumerate().filter(|(p, _)| period.is_none_or(|q| q == *p)).map(|(_, p)| p);
        let all = (chosen().map(|p| p.conversions).sum(), chosen().map(|p| p.value).sum());
        let mut without: Vec<String> = found
            .iter()
            .filter(|c| {
                period.is_none_or(|p| p == c.period) && c.conversions.is_none() && c.credited_conversions != 0.0
            })
            .map(|c| c.channel.clone())
            .collect();
        without.sort_unstable();
        without.dedup();
        PeriodTotal {
            period: *period,
            conversions: all.0,
            value: all.1,
            baseline_conversions: conversions.taken_from(all.0).distribution(),
            baseline_value: value.taken_from(all.1).distribution(),
            incremental_conversions: conversions.distribution(),
            incremental_value: value.distribution(),
            without_number: without,
        }
    };
    groups.iter().enumerate().map(total).collect()
}

fn population(nodes: &[Node], at: usize) -> Population {
    let squares = |s: Spreads| s.tau * s.tau + s.omega * s.omega;
    Population {
        mean: mixture(nodes, |n| n.moments[at]).distribution(),
        new_channel: mixture(nodes, |n| (n.moments[at].0, n.moments[at].1 + squares(n.spreads))).distribution(),
        between_channels: mixture(nodes, |n| (n.spreads.tau, 0.0)).distribution(),
        drift: mixture(nodes, |n| (n.spreads.omega, 0.0)).distribution(),
    }
}

fn without_evidence(credits: &[Credit], mut selected: Selected<'_>) -> Calibration {
    let message = "no evidence: no channel has a causal number".to_owned();
    let help = "run an experiment: hold a channel out for some people or regions, and record what it says";
    selected.diagnostics.push(Diagnostic::warning("TL490", message).help(help));
    Calibration {
        cells: credits.iter().enumerate().map(|(i, c)| selected.blank(i, c)).collect(),
        totals: Vec::new(),
        population: None,
        within_channels: selected.within,
        between_channels: selected.between,
        used: Vec::new(),
        diagnostics: selected.diagnostics,
    }
}

impl Selected<'_> {
    fn own(&self, index: usize) -> impl Iterator<Item = &super::select::Item<'_>> {
        let channel = self.cells[index].as_ref().map(|p| p.channel);
        self.items.iter().filter(move |i| Some(i.place.channel) == channel)
    }

    /// Whether the evidence says anything about a credit.
    fn has_number(&self, index: usize) -> bool {
        let pooled = self.cells[index].as_ref().is_some_and(|p| p.exchangeable);
        let population = pooled && self.items.iter().any(|i| i.place.exchangeable);
        population || self.own(index).next().is_some()
    }

    fn support(&self, index: usize) -> Support {
        let Some(place) = self.cells[index].as_ref() else { return Support::NoCredit };
        let here = |i: &super::select::Item<'_>| i.place.scope.is_none() && i.place.span == place.span;
        if !self.has_number(index) {
            Support::NoEvidence
        } else if self.own(index).any(here) {
            Support::Own
        } else if self.own(index).next().is_some() {
            Support::OwnElsewhere
        } else {
            Support::Population
        }
    }

    /// A cell without numbers.
    fn blank(&self, index: usize, credit: &Credit) -> Calibrated {
        let support = self.support(index);
        let span = self.cells[index].as_ref().map(|p| p.span);
        let here = self.own(index).filter(|i| Some(i.place.span) == span && i.place.scope.is_none());
        Calibrated {
            channel: credit.channel.clone(),
            period: credit.period,
            credited_conversions: credit.conversions,
            credited_value: credit.value,
            support,
            tier: match support {
                Support::Own => here.map(|i| i.evidence.tier).max().unwrap_or(EvidenceTier::Modelled),
                Support::OwnElsewhere | Support::Population => EvidenceTier::Modelled,
                Support::NoEvidence | Support::NoCredit => EvidenceTier::Associational,
            },
            evidence: self.own(index).map(|i| i.evidence.id.clone()).collect(),
            ratio: None,
            conversions: None,
            value: None,
            iroas: None,
            own_share: 0.0,
        }
    }

    /// Says what a reader of the numbers must know.
    fn say(&mut self, found: &[Calibrated]) {
        let mut without: Vec<&str> =
            found.iter().filter(|c| c.support == Support::NoEvidence).map(|c| c.channel.as_str()).collect();
        without.sort_unstable();
        without.dedup();
        if !without.is_empty() {
            let message = format!("no evidence on {}: what they caused is in the baseline", without.join(", "));
            self.diagnostics.push(Diagnostic::warning("TL490", message));
        }
        let tested = self.items.iter().map(|i| i.place.channel).collect::<std::collections::BTreeSet<_>>().len();
        if tested < 3 && found.iter().any(|c| c.support == Support::Population) {
            let message = format!(
                "{tested} of the channels {} evidence: how much channels differ is mostly the prior's word",
                if tested == 1 { "has" } else { "have" }
            );
            self.diagnostics.push(Diagnostic::warning("TL496", message).help("test more channels"));
        }
        if let Some(h) = self.between.as_ref().filter(|h| h.p_value < CONFLICT) {
            let message = format!(
                "channels differ in what a credited conversion is worth (Q = {:.1} on {}, p = {:.4}, I² = {:.0} %)",
                h.q,
                h.df,
                h.p_value,
                100.0 * h.i_squared
            );
            self.diagnostics.push(Diagnostic::new(throughline_core::Severity::Info, "TL497", message));
        }
    }
}

//! Which markets to test, for how long, and what could be found.

use serde::Serialize;
use throughline_core::diagnostic::closest;
use throughline_core::{Diagnostic, Level};

use super::candidates::{candidates, similarity};
use super::power::{Cell, Window};
use crate::synth::conformal::Permutations;
use crate::synth::study::{data, within_range};
use crate::{EvidenceError, Panel};

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignSpec {
    /// Lengths of the test in periods.
    pub durations: Vec<usize>,
    /// Numbers of test markets.
    pub sizes: Vec<usize>,
    /// Relative effects to try, all of one sign (0 may be among them): negative ones are spend cuts and holdouts.
    pub effects: Vec<f64>,
    /// How many past windows a test is tried in, the last one ending with the data.
    pub lookback: usize,
    /// Markets that must be tested.
    pub include: Vec<String>,
    /// Markets that must not be tested; they remain controls.
    pub exclude: Vec<String>,
    /// Cost per incremental unit of outcome.
    pub cpic: Option<f64>,
    /// Planned relative change of spend in the test markets: −1 is a blackout.
    pub spend_change: Option<f64>,
    /// What may be spent at most.
    pub budget: Option<f64>,
    /// Share of the total outcome that stays without the treatment, at least and at most.
    pub holdout: Option<(f64, f64)>,
    /// 1 − the significance level of the test.
    pub level: Level,
    /// Share of windows in which an effect must be found to count as detectable; must be exceeded.
    pub power: f64,
    /// Whether markets have an intercept.
    pub intercept: bool,
    /// Orders of the conformal test.
    pub permutations: Permutations,
}

impl DesignSpec {
    /// The usual settings: effects 0, 5, …, 25 %, one window, a test at 10 %, power above 80 %.
    pub fn new(durations: Vec<usize>, sizes: Vec<usize>) -> Self {
        Self {
            durations,
            sizes,
            effects: (0..6).map(|i| f64::from(i) / 20.0).collect(),
            lookback: 1,
            include: Vec::new(),
            exclude: Vec::new(),
            cpic: None,
            spend_change: None,
            budget: None,
            holdout: None,
            level: Level::P90,
            power: 0.8,
            intercept: true,
            permutations: Permutations::Iid { draws: 999, seed: 1 },
        }
    }
}

/// What a test of some markets would find of one effect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PowerPoint {
    /// The relative effect put in.
    pub effect: f64,
    /// Share of windows in which it is found.
    pub power: f64,
    /// Mean estimated effect per market and period.
    pub att: f64,
    /// Mean estimated relative effect.
    pub lift: f64,
    /// Mean incremental outcome put in.
    pub incremental: f64,
    /// What that costs at the cost per incremental unit.
    pub investment: Option<f64>,
}

/// A design.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Design {
    /// 1 is the best; equals share the smaller number.
    pub rank: usize,
    /// Test markets in alphabetical order.
    pub markets: Vec<String>,
    /// Periods.
    pub duration: usize,
    /// Smallest effect tried that is found with the power asked for.
    pub minimum_detectable_effect: f64,
    /// At that effect: power, estimates, investment.
    pub at: PowerPoint,
    /// Mean scaled imbalance before the test: 0 is a perfect fit, 1 that of equal weights.
    pub scaled_l2: f64,
    /// Share of windows in which an effect is found where none was put in.
    pub false_positive_rate: Option<f64>,
    /// The test markets' share of the total outcome.
    pub share: f64,
    /// Share of the total outcome without the treatment: the controls', or the test markets' when spend is cut.
    pub holdout: f64,
    /// Correlation of the test markets' sum with that of the controls.
    pub correlation: f64,
    /// Past spend of the test markets in a window of this length.
    pub past_spend: Option<f64>,
    /// Planned change of it.
    pub spend_change: Option<f64>,
    /// What the change costs per incremental unit at the minimum detectable effect.
    pub cost_per_incremental: Option<f64>,
    /// Power by effect.
    pub curve: Vec<PowerPoint>,
}

/// The designs that meet the constraints, the best first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Designs {
    /// The designs.
    pub designs: Vec<Design>,
    /// Sets of markets looked at.
    pub candidates: usize,
    /// Refits made.
    pub fits: usize,
    /// What to know.
    pub diagnostics: Vec<Diagnostic>,
}

/// Searches test markets by the power of the very test that will read the experiment.
///
/// Candidates are each market with those most correlated with it, by size. For each one, length and past window, a relative
/// effect is put on the test markets in the window, the synthetic control is fitted before it, and the conformal test is made.
/// The minimum detectable effect is the smallest one tried that is found in more than `power` of the windows. Designs are
/// ranked by the mean of three dense ranks: |effect|, power, and |estimated lift − effect| to three digits.
/// Source: the definitions GeoLift documents for its market selection; the test is that of Chernozhukov et al. (2021).
///
/// `spend` is unit-major like the panel's outcomes. Cost: one fit per candidate, length and window and one more per effect,
/// each in time of donors², from inner products shared by all candidates. Errors: TL362 unknown markets, TL351 missing
/// cells, TL361 too few periods, effects of both signs, TL364 nothing meets the constraints.
pub fn design(panel: &Panel, spend: Option<&[f64]>, spec: &DesignSpec) -> Result<Designs, EvidenceError> {
    panel.require_balanced()?;
    within_range(panel)?;
    check(panel, spec)?;
    let include = positions(panel, &spec.include)?;
    let exclude = positions(panel, &spec.exclude)?;
    let ranking = similarity(panel);
    let sets = candidates(&ranking, &spec.sizes, &include, &exclude);
    let mut search = Search { panel, spec, spend, fits: 0, designs: Vec::new() };
    for duration in &spec.durations {
        let windows: Vec<Window> = (0..spec.lookback)
            .map(|back| Window::new(panel, panel.periods() - back, *duration, spec.intercept, spec.permutations))
            .collect();
        for set in &sets {
            search.try_set(set, *duration, &windows);
        }
    }
    let Search { mut designs, fits, .. } = search;
    rank(&mut designs);
    let ranked = designs.len();
    designs.retain(|d| allowed(d, spec));
    rerank(&mut designs);
    if designs.is_empty() {
        let message = format!(
            "none of {} candidate sets has a detectable effect within the constraints ({ranked} before budget and holdout)",
            sets.len()
        );
        let help = "try larger effects, longer tests, more markets, or a larger budget";
        return Err(data("TL364", message, help));
    }
    let mut diagnostics = Vec::new();
    let longest = spec.durations.iter().max().copied().unwrap_or(1);
    if panel.periods() < 4 * longest {
        let message = format!(
            "{} periods are few for a test of {longest}: at least 4 times as many are advised",
            panel.periods()
        );
        diagnostics.push(Diagnostic::warning("TL361", message).help("add earlier periods, or test for a shorter time"));
    }
    if spec.lookback < 5 {
        let message = format!(
            "power is measured in {} past windows only, in steps of {:.0} %",
            spec.lookback,
            100.0 / spec.lookback as f64
        );
        diagnostics.push(
            Diagnostic::new(throughline_core::diagnostic::Severity::Info, "TL369", message)
                .help("raise the lookback for a finer answer"),
        );
    }
    Ok(Designs { designs, candidates: sets.len(), fits, diagnostics })
}

fn check(panel: &Panel, spec: &DesignSpec) -> Result<(), EvidenceError> {
    let bad = |what, value, bounds| Err(EvidenceError::Setting { what, value, bounds });
    let most = spec.effects.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = spec.effects.iter().copied().fold(f64::INFINITY, f64::min);
    if spec.effects.iter().all(|e| *e == 0.0) || !most.is_finite() || !least.is_finite() {
        return bad("largest effect", most, "finite numbers, one of them other than 0");
    }
    if least < 0.0 && most > 0.0 {
        return bad("smallest effect", least, "effects of one sign: run the design twice, for gains and for cuts");
    }
    if !(0.0..1.0).contains(&spec.power) {
        return bad("power", spec.power, "0 to below 1");
    }
    if let Some(size) = spec.sizes.iter().find(|s| **s == 0 || **s + 2 > panel.units()) {
        return bad("number of test markets", *size as f64, "1 to two fewer than there are markets");
    }
    if spec.sizes.is_empty() || spec.durations.is_empty() || spec.lookback == 0 {
        return Err(EvidenceError::TooFew { what: "sizes, lengths or windows", got: 0, needed: 1 });
    }
    let longest = spec.durations.iter().copied().max().unwrap_or(0);
    if spec.durations.contains(&0) || longest + spec.lookback + 1 > panel.periods() {
        let message = format!(
            "{} periods do not hold a test of {longest} periods in {} windows with 2 periods before",
            panel.periods(),
            spec.lookback
        );
        return Err(data("TL361", message, "shorten the test or the lookback, or add earlier periods"));
    }
    Ok(())
}

fn positions(panel: &Panel, names: &[String]) -> Result<Vec<usize>, EvidenceError> {
    let find = |name: &String| {
        panel.unit_position(name).ok_or_else(|| {
            let known: Vec<String> = (0..panel.units()).map(|i| panel.unit_name(i)).collect();
            let near = closest(name, known.iter().map(String::as_str)).map(|n| format!("did you mean `{n}`? "));
            let help = near.unwrap_or_default() + "markets must be written as in the data";
            data("TL362", format!("`{name}` is not a market of the data"), &help)
        })
    };
    names.iter().map(find).collect()
}

struct Search<'a> {
    panel: &'a Panel,
    spec: &'a DesignSpec,
    spend: Option<&'a [f64]>,
    fits: usize,
    designs: Vec<Design>,
}

impl Search<'_> {
    fn try_set(&mut self, set: &[usize], duration: usize, windows: &[Window]) {
        let spec = self.spec;
        let k = windows.len() as f64;
        let cells: Vec<Vec<Cell>> = windows.iter().map(|w| w.cells(self.panel, set, &spec.effects)).collect();
        self.fits += cells.iter().map(|c| c.len() + 1).sum::<usize>();
        let mean = |e: usize, f: &dyn Fn(&Cell) -> f64| cells.iter().map(|c| f(&c[e])).sum::<f64>() / k;
        let alpha = spec.level.alpha();
        let curve: Vec<PowerPoint> = (0..spec.effects.len())
            .map(|e| {
                let incremental = mean(e, &|c| c.incremental);
                PowerPoint {
                    effect: spec.effects[e],
                    power: mean(e, &|c| f64::from(u8::from(c.p_value < alpha))),
                    att: mean(e, &|c| c.att),
                    lift: mean(e, &|c| c.lift),
                    incremental,
                    investment: spec.cpic.map(|c| c * incremental.abs()),
                }
            })
            .collect();
        let found = curve.iter().filter(|p| p.effect != 0.0 && p.power > spec.power);
        let Some(at) = found.min_by(|a, b| a.effect.abs().total_cmp(&b.effect.abs())).copied() else { return };
        let panel = self.panel;
        let total: f64 = panel.outcomes().iter().sum();
        let share = set.iter().flat_map(|i| panel.outcomes_of(*i)).sum::<f64>() / total;
        let past_spend = self.spend.map(|s| {
            let n = panel.periods();
            let of = |w: &Window| set.iter().map(|i| s[i * n + w.pre..i * n + w.end].iter().sum::<f64>()).sum::<f64>();
            windows.iter().map(of).sum::<f64>() / k
        });
        let spend_change = past_spend.zip(spec.spend_change).map(|(s, c)| s * c);
        let mut markets: Vec<String> = set.iter().map(|i| panel.unit_name(*i)).collect();
        markets.sort();
        self.designs.push(Design {
            rank: 0,
            markets,
            duration,
            minimum_detectable_effect: at.effect,
            at,
            scaled_l2: mean(0, &|c| c.scaled_l2),
            false_positive_rate: curve.iter().find(|p| p.effect == 0.0).map(|p| p.power),
            share,
            holdout: if at.effect < 0.0 { share } else { 1.0 - share },
            correlation: super::candidates::correlation_with_rest(panel, set),
            past_spend,
            spend_change,
            cost_per_incremental: spend_change.map(|c| c / at.incremental).filter(|c| c.is_finite()),
            curve,
        });
    }
}

/// Budget and holdout. A cut of spend costs nothing.
fn allowed(d: &Design, spec: &DesignSpec) -> bool {
    let cost = d.at.investment.or_else(|| d.spend_change.map(|c| c.max(0.0)));
    let within = match (spec.budget, cost) {
        (Some(budget), Some(cost)) => cost < budget,
        _ => true,
    };
    within && spec.holdout.is_none_or(|(lo, hi)| lo <= d.holdout && d.holdout <= hi)
}

/// The place of each value among the distinct ones, from 1.
fn dense(values: &[f64]) -> Vec<usize> {
    let mut distinct = values.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    values.iter().map(|v| distinct.partition_point(|d| d < v) + 1).collect()
}

fn rank(designs: &mut [Design]) {
    designs.sort_by(|a, b| a.markets.cmp(&b.markets).then(a.duration.cmp(&b.duration)));
    let of = |f: &dyn Fn(&Design) -> f64| dense(&designs.iter().map(f).collect::<Vec<_>>());
    let effect = of(&|d| d.minimum_detectable_effect.abs());
    let power = of(&|d| d.at.power);
    let bias = of(&|d| ((d.at.lift - d.at.effect).abs() * 1000.0).round_ties_even());
    let sums: Vec<usize> = (0..designs.len()).map(|i| effect[i] + power[i] + bias[i]).collect();
    for (i, d) in designs.iter_mut().enumerate() {
        d.rank = sums.iter().filter(|s| **s < sums[i]).count() + 1;
    }
    designs.sort_by_key(|d| d.rank);
}

fn rerank(designs: &mut [Design]) {
    let ranks: Vec<usize> = designs.iter().map(|d| d.rank).collect();
    for d in designs {
        d.rank = ranks.iter().filter(|r| **r < d.rank).count() + 1;
    }
}

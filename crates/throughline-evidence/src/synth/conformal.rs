//! Conformal inference: a test that refits under the null, inverted exactly.
//!
//! Source: Chernozhukov, Wüthrich, Zhu (2021), "An exact and robust conformal inference method for counterfactual and
//! synthetic controls", JASA 116(536). Under the null of a constant effect θ, the effect is taken off, the synthetic control is
//! fitted to *all* periods, and the mean absolute residual of the treated periods is compared with that of permuted ones:
//! p(θ) = share of permutations with S ≥ S(observed), the observed order among them.

use throughline_core::{ConfidenceSet, Estimate, Level};
use throughline_stats::stream::Stream;

use super::path::{Piece, residual_path};
use super::placebo::pick;
use super::ridge::Leaving;
use super::study::mean;
use crate::EvidenceError;

/// Which orders of the residuals are as likely as the observed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permutations {
    /// All cyclic shifts: residuals may be dependent over time, as long as they are stationary.
    Block,
    /// Random orders: residuals are independent over time, or exchangeable.
    Iid {
        /// How many beside the observed.
        draws: u32,
        /// Seed of their stream.
        seed: u64,
    },
}

/// How the null is refitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConformalSpec {
    /// Whether units have an intercept.
    pub intercept: bool,
    /// The penalty of the ridge, if any: that of the fit, held fixed.
    pub lambda: Option<f64>,
    /// Orders of the residuals.
    pub permutations: Permutations,
}

/// p(θ) as a function: constant between its breakpoints, so kept as a list of stretches.
#[derive(Debug, Clone, PartialEq)]
pub struct Inversion {
    /// All θ with p(θ) ≥ 1 − level.
    pub set: ConfidenceSet,
    /// p(0).
    pub p_value: f64,
}

/// Share of the size of the residuals that counts as a tie.
const TIE: f64 = 1e-9;

/// Inverts the test of "treated = untreated + θ · direction". `direction` is 0 before the treatment; all ones after it is a
/// constant effect. `around` is where the search begins (any number is right).
pub fn invert(
    donors: &[&[f64]],
    treated: &[f64],
    direction: &[f64],
    around: f64,
    spec: &ConformalSpec,
    level: Level,
) -> Result<Inversion, EvidenceError> {
    let centred = |s: &[f64]| -> Vec<f64> {
        let shift = if spec.intercept { mean(s) } else { 0.0 };
        s.iter().map(|y| y - shift).collect()
    };
    let columns: Vec<Vec<f64>> = donors.iter().map(|d| centred(d)).collect();
    let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let (target, g) = (centred(treated), centred(direction));
    let mut pieces = residual_path(&columns, &target, &g, 0.0, around)?;
    if let Some(lambda) = spec.lambda {
        let leaving = Leaving::of(&columns, lambda)?;
        for piece in &mut pieces {
            leaving.apply(&mut piece.constant);
            leaving.apply(&mut piece.slope);
        }
    }
    let post: Vec<usize> = (0..direction.len()).filter(|t| direction[*t] != 0.0).collect();
    let orders = Orders::of(spec.permutations, treated.len(), &post);
    let scale = target.iter().map(|y| y.abs()).fold(0.0, f64::max);
    let mut sweep = Sweep {
        orders: &orders,
        needed: orders.needed(level),
        tie: TIE * scale * post.len() as f64,
        set: Vec::new(),
        at_zero: 0,
        // Events of one stretch, kept to spare their memory.
        events: Vec::new(),
    };
    for piece in &pieces {
        sweep.piece(piece);
    }
    let p_value = sweep.at_zero as f64 / orders.count() as f64;
    Ok(Inversion { set: ConfidenceSet(sweep.set), p_value })
}

/// The estimate of a constant effect after `pre`, with the set and p-value of its inverted conformal test.
pub fn constant_effect(
    donors: &[&[f64]],
    treated: &[f64],
    pre: usize,
    value: f64,
    spec: &ConformalSpec,
    level: Level,
) -> Result<Estimate, EvidenceError> {
    let direction: Vec<f64> = (0..treated.len()).map(|t| f64::from(u8::from(t >= pre))).collect();
    let inversion = invert(donors, treated, &direction, value, spec, level)?;
    let n = treated.len() as u64;
    Ok(Estimate::inverted(value, None, inversion.set, inversion.p_value, n, level, spec.method())?)
}

/// One estimate per treated period: the periods before and that one, and an effect at it. The p-value cannot be below
/// 1 / (pre + 1), so a level above pre / (pre + 1) gives unbounded sets.
pub fn per_period(
    donors: &[&[f64]],
    treated: &[f64],
    pre: usize,
    gaps: &[f64],
    spec: &ConformalSpec,
    level: Level,
) -> Result<Vec<Estimate>, EvidenceError> {
    let window = |s: &[f64], t: usize| -> Vec<f64> { s[..pre].iter().copied().chain([s[t]]).collect() };
    (pre..treated.len())
        .map(|t| {
            let columns: Vec<Vec<f64>> = donors.iter().map(|d| window(d, t)).collect();
            let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
            constant_effect(&columns, &window(treated, t), pre, gaps[t], spec, level)
        })
        .collect()
}

impl ConformalSpec {
    /// The name of the method.
    pub const fn method(&self) -> &'static str {
        match self.permutations {
            Permutations::Block => "conformal_block",
            Permutations::Iid { .. } => "conformal_iid",
        }
    }
}

/// The periods that stand in the place of the treated ones, order by order; the observed ones first.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    slots: Vec<u32>,
    width: usize,
}

impl Orders {
    pub(crate) fn of(permutations: Permutations, periods: usize, post: &[usize]) -> Self {
        let width = post.len();
        let index = |t: usize| u32::try_from(t).unwrap_or(u32::MAX);
        let mut slots: Vec<u32> = post.iter().map(|t| index(*t)).collect();
        match permutations {
            Permutations::Block => {
                for shift in 1..periods {
                    slots.extend(post.iter().map(|t| index((t + shift) % periods)));
                }
            }
            Permutations::Iid { draws, seed } => {
                let stream = Stream::new(seed, 0x636f_6e66);
                let mut order: Vec<u32> = (0..periods).map(index).collect();
                for draw in 0..u64::from(draws) {
                    // The first places of a shuffle: only the treated places matter.
                    for place in 0..width {
                        let pick = pick(&stream, draw * width as u64 + place as u64, periods - place);
                        order.swap(place, place + pick);
                    }
                    slots.extend(&order[..width]);
                }
            }
        }
        Self { slots, width }
    }

    const fn count(&self) -> usize {
        self.slots.len() / self.width
    }

    /// The share of orders whose statistic is at least the observed one: the p-value of residuals under a null.
    pub(crate) fn p_value(&self, residuals: &[f64], scale: f64) -> f64 {
        let sum = |slots: &[u32]| slots.iter().map(|t| residuals[*t as usize].abs()).sum::<f64>();
        let mut orders = self.slots.chunks_exact(self.width);
        let observed = orders.next().map_or(0.0, sum) - TIE * scale * self.width as f64;
        let larger = orders.filter(|slots| sum(slots) >= observed).count() + 1;
        larger as f64 / self.count() as f64
    }

    /// The least count of orders with which a null is kept: count / all ≥ 1 − level.
    fn needed(&self, level: Level) -> usize {
        let all = self.count() as f64;
        (1..=self.count()).find(|k| *k as f64 / all >= level.alpha()).unwrap_or(self.count())
    }
}

struct Sweep<'a> {
    orders: &'a Orders,
    needed: usize,
    tie: f64,
    set: Vec<(f64, f64)>,
    at_zero: usize,
    events: Vec<(f64, bool)>,
}

impl Sweep<'_> {
    /// Residuals are linear here; their absolute values are between the points where one changes its sign.
    fn piece(&mut self, piece: &Piece) {
        let root = |(c, s): (&f64, &f64)| if *s == 0.0 { f64::NAN } else { -c / s };
        let mut cuts: Vec<f64> = piece.constant.iter().zip(&piece.slope).map(root).collect();
        cuts.retain(|x| *x > piece.from && *x < piece.to);
        cuts.sort_by(f64::total_cmp);
        cuts.push(piece.to);
        let mut from = piece.from;
        for to in cuts {
            let inside = inner(from, to);
            let signed = |(c, s): (&f64, &f64)| if c + inside * s < 0.0 { (-c, -s) } else { (*c, *s) };
            let sizes: Vec<(f64, f64)> = piece.constant.iter().zip(&piece.slope).map(signed).collect();
            self.stretch(from, to, &sizes);
            from = to;
        }
    }

    /// Every |u| is c + θ s from `from` to `to`: the statistics are linear and each order turns once at most.
    fn stretch(&mut self, from: f64, to: f64, sizes: &[(f64, f64)]) {
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let sum = |slots: &[u32]| {
            slots.iter().fold((0.0, 0.0), |(c, s), t| {
                let (a, b) = sizes[*t as usize];
                (c + a, s + b)
            })
        };
        let inside = inner(from, to);
        let mut orders = self.orders.slots.chunks_exact(self.orders.width);
        let observed = orders.next().map_or((0.0, 0.0), sum);
        let mut count = 1;
        for slots in orders {
            let (c, s) = sum(slots);
            let (constant, slope) = (c - observed.0 + self.tie, s - observed.1);
            let root = -constant / slope;
            if slope != 0.0 && root > from && root < to {
                count += usize::from(slope < 0.0);
                events.push((root, slope > 0.0));
            } else {
                count += usize::from(constant + inside * slope >= 0.0);
            }
        }
        events.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut at = from;
        for (root, joins) in &events {
            self.emit(at, *root, count);
            count = if *joins { count + 1 } else { count - 1 };
            at = *root;
        }
        self.emit(at, to, count);
        self.events = events;
    }

    fn emit(&mut self, from: f64, to: f64, count: usize) {
        if from <= 0.0 && 0.0 <= to {
            self.at_zero = self.at_zero.max(count);
        }
        if count < self.needed {
            return;
        }
        match self.set.last_mut() {
            Some(last) if last.1 >= from => last.1 = to,
            _ => self.set.push((from, to)),
        }
    }
}

/// A point strictly inside a stretch, which may be unbounded.
fn inner(from: f64, to: f64) -> f64 {
    match (from.is_finite(), to.is_finite()) {
        (true, true) => f64::midpoint(from, to),
        (true, false) => from + from.abs().max(1.0),
        (false, true) => to - to.abs().max(1.0),
        (false, false) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::simplex::{gram_of, nearest};

    /// The definition: refit, sort out, count.
    fn slow(donors: &[&[f64]], treated: &[f64], pre: usize, theta: f64) -> f64 {
        let target: Vec<f64> = treated.iter().enumerate().map(|(t, y)| if t < pre { *y } else { y - theta }).collect();
        let w = nearest(&gram_of(donors, &target, 0.0), donors.len(), None).weights;
        let u: Vec<f64> = (0..target.len())
            .map(|t| (target[t] - donors.iter().zip(&w).map(|(d, w)| w * d[t]).sum::<f64>()).abs())
            .collect();
        let n = u.len();
        let statistic = |shift: usize| (pre..n).map(|t| u[(t + shift) % n]).sum::<f64>();
        (0..n).filter(|s| statistic(*s) >= statistic(0) - 1e-7).count() as f64 / n as f64
    }

    #[test]
    fn the_set_is_all_effects_that_are_not_rejected() {
        for seed in 0..6 {
            let stream = Stream::new(seed, 0);
            let (periods, n, pre) = (24, 5, 20);
            let values: Vec<f64> = (0..periods * (n + 1)).map(|i| stream.normal_at(i as u64)).collect();
            let donors: Vec<&[f64]> = values[periods..].chunks(periods).collect();
            let treated = &values[..periods];
            let spec = ConformalSpec { intercept: false, lambda: None, permutations: Permutations::Block };
            let e = constant_effect(&donors, treated, pre, 0.2, &spec, Level::P90).expect("an estimate");
            for i in -300_i32..=300 {
                let theta = f64::from(i) / 50.0;
                let p = slow(&donors, treated, pre, theta);
                let near = e.set.0.iter().any(|(a, b)| (a - theta).abs() < 1e-4 || (b - theta).abs() < 1e-4);
                assert!(near || e.set.contains(theta) == (p >= 0.1 - 1e-12), "{seed} θ {theta} p {p} {:?}", e.set);
            }
            assert!((e.p_value - slow(&donors, treated, pre, 0.0)).abs() < 1e-12);
        }
    }
}

//! Who gets what: deterministic salted assignment.

use serde::{Deserialize, Serialize};
use throughline_core::Salted;

use super::unusable;
use crate::EvidenceError;

/// An arm and its weight.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Arm {
    /// Name.
    pub name: String,
    /// Weight against the other arms; 0 for nobody.
    pub weight: f64,
}

/// A part of a layer: experiments with parts of one layer that do not overlap never share a unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Name of the layer, shared by all experiments in it.
    pub name: String,
    /// Where the part begins, from 0.
    pub from: f64,
    /// Where it ends, not included; at most 1.
    pub to: f64,
}

/// Units held out of everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Holdout {
    /// Share of all units.
    pub share: f64,
    /// The salt of the holdout; the same for every experiment, so that the same units are held out of all.
    pub salt: String,
}

/// Where a unit goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placed {
    /// Into an arm, by position.
    Arm(usize),
    /// Into the global holdout.
    HeldOut,
    /// Outside the experiment's part of the layer.
    Outside,
}

/// Assigns units to arms by nothing but salts and the unit's identifier.
///
/// - Holdout: held out when u(holdout ‖ 0 ‖ salt, unit) < share. Neither the experiment nor its salt matters.
/// - Layer: in the experiment when from ≤ u(layer ‖ 0 ‖ name, unit) < to.
/// - Arm: the arm with the least −ln u(salt ‖ 0 ‖ arm ‖ 0 ‖ name, unit) / weight (weighted rendezvous hashing: Thaler,
///   Ravishankar 1998; the race of exponentials gives each arm its share). A change of weights moves the fewest units
///   possible: units move only into arms whose share rose against the arm they leave. So raising a treatment moves nobody
///   out of it, and raising two together moves nobody between them.
///
/// u is [`Salted`]: SHA-256 of salt ‖ 0 ‖ unit, its first 53 bits over 2⁵³.
#[derive(Debug, Clone)]
pub struct Assigner {
    arms: Vec<Arm>,
    races: Vec<(usize, Salted)>,
    layer: Option<(Layer, Salted)>,
    holdout: Option<(f64, Salted)>,
    rank: Salted,
}

impl Layer {
    /// Reads `NAME=FROM-TO`, both from 0 to 1. Errors: another form, a part that is empty or outside (TL343).
    pub fn parse(text: &str) -> Result<Self, EvidenceError> {
        let parsed = text.split_once('=').and_then(|(name, range)| {
            let (from, to) = range.split_once('-')?;
            Some(Self { name: name.to_owned(), from: from.trim().parse().ok()?, to: to.trim().parse().ok()? })
        });
        match parsed {
            Some(layer) if layer.valid() => Ok(layer),
            _ => {
                let message = format!("`{text}` is not a part of a layer");
                Err(unusable("TL343", message, "write NAME=FROM-TO with 0 ≤ FROM < TO ≤ 1, for example checkout=0-0.5"))
            }
        }
    }

    fn valid(&self) -> bool {
        !self.name.is_empty() && self.from >= 0.0 && self.from < self.to && self.to <= 1.0
    }

    /// Whether two parts share units.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.name == other.name && self.from < other.to && other.from < self.to
    }

    /// Errors: two parts of one layer that overlap (TL343).
    pub fn exclusive(parts: &[Self]) -> Result<(), EvidenceError> {
        for (i, a) in parts.iter().enumerate() {
            if let Some(b) = parts[..i].iter().find(|b| a.overlaps(b)) {
                let message =
                    format!("parts {}–{} and {}–{} of layer `{}` overlap", b.from, b.to, a.from, a.to, a.name);
                return Err(unusable("TL343", message, "give every experiment of the layer its own part"));
            }
        }
        Ok(())
    }
}

impl Assigner {
    /// An assigner. Errors: an empty salt, fewer than two arms, names that repeat, weights that are none or all 0 (TL342), a
    /// part of a layer or a share of a holdout outside 0 to 1 (TL343).
    pub fn new(
        salt: &str,
        arms: Vec<Arm>,
        layer: Option<Layer>,
        holdout: Option<Holdout>,
    ) -> Result<Self, EvidenceError> {
        check_arms(salt, &arms)?;
        if let Some(layer) = layer.as_ref().filter(|l| !l.valid()) {
            let message = format!("part {}–{} of layer `{}`", layer.from, layer.to, layer.name);
            return Err(unusable("TL343", message, "name the layer and give a part with 0 ≤ FROM < TO ≤ 1"));
        }
        if let Some(holdout) = holdout.as_ref().filter(|h| !(0.0..1.0).contains(&h.share)) {
            let message = format!("a holdout of {} is outside 0 to 1, 1 excluded", holdout.share);
            return Err(unusable("TL343", message, "give a share such as 0.05"));
        }
        let race = |(i, arm): (usize, &Arm)| (i, Salted::new(&format!("{salt}\0arm\0{}", arm.name)));
        Ok(Self {
            races: arms.iter().enumerate().filter(|(_, a)| a.weight > 0.0).map(race).collect(),
            layer: layer.map(|l| (l.clone(), Salted::new(&format!("layer\0{}", l.name)))),
            holdout: holdout.map(|h| (h.share, Salted::new(&format!("holdout\0{}", h.salt)))),
            rank: Salted::new(&format!("{salt}\0rank")),
            arms,
        })
    }

    /// The arms.
    pub fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// The chance of an arm among the units in the experiment.
    pub fn probability(&self, arm: usize) -> f64 {
        self.arms[arm].weight / self.arms.iter().map(|a| a.weight).sum::<f64>()
    }

    /// Where a unit goes. For clusters give the cluster's identifier.
    pub fn place(&self, unit: &[u8]) -> Placed {
        self.excluded(unit).unwrap_or_else(|| Placed::Arm(self.arm(unit)))
    }

    /// Held out or outside the layer's part, if it is either.
    pub(super) fn excluded(&self, unit: &[u8]) -> Option<Placed> {
        if self.holdout.as_ref().is_some_and(|(share, salted)| salted.unit_interval(unit) < *share) {
            return Some(Placed::HeldOut);
        }
        let (layer, salted) = self.layer.as_ref()?;
        let u = salted.unit_interval(unit);
        (!(layer.from <= u && u < layer.to)).then_some(Placed::Outside)
    }

    /// The unit's place in the order within its stratum.
    pub(super) fn rank(&self, unit: &[u8]) -> u64 {
        self.rank.word(unit)
    }

    /// Where the order of a stratum starts, in [0, 1).
    pub(super) fn offset(&self, stratum: &str) -> f64 {
        self.rank.unit_interval(format!("stratum\0{stratum}").as_bytes())
    }

    fn arm(&self, unit: &[u8]) -> usize {
        let time = |(i, salted): &(usize, Salted)| {
            // Half a step up, so that 0 is not drawn.
            let u = salted.unit_interval(unit) + 0.5 / (1_u64 << 53) as f64;
            (-u.ln() / self.arms[*i].weight, *i)
        };
        let first = self.races.iter().map(time).min_by(|a, b| a.0.total_cmp(&b.0));
        first.map_or(0, |(_, arm)| arm)
    }
}

fn check_arms(salt: &str, arms: &[Arm]) -> Result<(), EvidenceError> {
    let refuse = |message: String, help: &str| Err(unusable("TL342", message, help));
    if salt.is_empty() {
        return refuse("the salt is empty".into(), "give every experiment its own salt, for example its name");
    }
    if arms.len() < 2 {
        return refuse(format!("{} arms", arms.len()), "name at least two arms, as NAME=WEIGHT");
    }
    for (i, arm) in arms.iter().enumerate() {
        if arm.name.is_empty() || arms[..i].iter().any(|a| a.name == arm.name) {
            return refuse(format!("arm `{}` is empty or named twice", arm.name), "give every arm its own name");
        }
        if !(arm.weight >= 0.0 && arm.weight.is_finite()) {
            return refuse(format!("arm `{}` has a weight of {}", arm.name, arm.weight), "give a number of at least 0");
        }
    }
    let total: f64 = arms.iter().map(|a| a.weight).sum();
    if !(total > 0.0 && total.is_finite()) {
        return refuse(format!("the weights sum to {total}"), "give at least one arm a weight above 0");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::goodness::chi_squared_fit;

    const UNITS: usize = 100_000;

    fn arms(weights: &[f64]) -> Vec<Arm> {
        let names = ["control", "a", "b", "c"];
        names.iter().zip(weights).map(|(name, weight)| Arm { name: (*name).into(), weight: *weight }).collect()
    }

    fn assign(salt: &str, weights: &[f64], units: usize) -> Vec<usize> {
        let assigner = Assigner::new(salt, arms(weights), None, None).expect("valid");
        (0..units)
            .map(|i| match assigner.place(format!("user-{i}").as_bytes()) {
                Placed::Arm(arm) => arm,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn counts(of: impl Iterator<Item = usize>, k: usize) -> Vec<u64> {
        of.fold(vec![0; k], |mut c, i| {
            c[i] += 1;
            c
        })
    }

    #[test]
    fn assignment_is_deterministic_and_in_proportion() {
        for weights in [vec![1.0, 1.0], vec![3.0, 1.0, 1.0], vec![0.9, 0.05, 0.0, 0.05]] {
            let got = assign("exp", &weights, UNITS);
            assert_eq!(got[..9000], assign("exp", &weights, 9000));
            let counts = counts(got.into_iter(), weights.len());
            let fit = chi_squared_fit(&counts, &weights).expect("weights");
            assert!(fit.p_value > 1e-4, "{counts:?} {fit:?}");
            assert!(weights.iter().zip(&counts).all(|(w, c)| *w > 0.0 || *c == 0));
        }
    }

    #[test]
    fn salts_are_independent_of_each_other() {
        let (a, b) = (assign("one", &[1.0, 2.0], UNITS), assign("two", &[1.0, 2.0], UNITS));
        let cells = counts(a.iter().zip(&b).map(|(a, b)| a * 2 + b), 4);
        let fit = chi_squared_fit(&cells, &[1.0, 2.0, 2.0, 4.0]).expect("weights");
        assert!(fit.p_value > 1e-4, "{cells:?}");
    }

    #[test]
    fn a_ramp_moves_only_into_what_rises() {
        let steps = [[0.98, 0.01, 0.01], [0.8, 0.1, 0.1], [0.5, 0.25, 0.25], [0.0, 0.5, 0.5]];
        for pair in steps.windows(2) {
            let (before, after) = (assign("ramp", &pair[0], 9000), assign("ramp", &pair[1], 9000));
            assert!(before.iter().zip(&after).all(|(b, a)| b == a || *b == 0), "{pair:?}");
        }
        // A new arm takes from all, and moves nobody between the others.
        let (before, after) = (assign("new", &[1.0, 1.0], 9000), assign("new", &[1.0, 1.0, 1.0], 9000));
        assert!(before.iter().zip(&after).all(|(b, a)| b == a || *a == 2));
    }

    #[test]
    fn layers_exclude_and_the_holdout_stays() {
        let layer = |from, to| Some(Layer { name: "checkout".into(), from, to });
        let holdout = |share| Some(Holdout { share, salt: "global".into() });
        let make = |salt: &str, layer, holdout| Assigner::new(salt, arms(&[1.0, 1.0]), layer, holdout).expect("valid");
        let (first, second) = (make("x", layer(0.0, 0.3), holdout(0.05)), make("y", layer(0.3, 1.0), holdout(0.1)));
        let (mut in_first, mut in_second, mut held) = (0, 0, 0);
        for i in 0..UNITS {
            let unit = i.to_string();
            let (a, b) = (first.place(unit.as_bytes()), second.place(unit.as_bytes()));
            let inside = |p| matches!(p, Placed::Arm(_));
            assert!(!(inside(a) && inside(b)), "{unit}");
            assert!(a != Placed::HeldOut || b == Placed::HeldOut, "{unit}");
            (in_first, in_second, held) = (
                in_first + u64::from(inside(a)),
                in_second + u64::from(inside(b)),
                held + u64::from(b == Placed::HeldOut),
            );
        }
        let fit = chi_squared_fit(&[in_second, held], &[0.63, 0.1]).expect("weights");
        assert!(
            fit.p_value > 1e-4 && (in_first as f64 / UNITS as f64 - 0.285).abs() < 0.01,
            "{in_first} {in_second} {held}"
        );
        let parts = [Layer::parse("a=0-0.5").expect("valid"), Layer::parse("a=0.4-1").expect("valid")];
        assert!(Layer::exclusive(&parts).is_err() && Layer::exclusive(&parts[..1]).is_ok());
    }

    #[test]
    fn the_draw_is_the_documented_one() {
        // Python: int(hashlib.sha256(b"s\0arm\0control\0u1").hexdigest()[:16], 16) >> 11, over 2 ** 53.
        let u = Salted::new("s\0arm\0control").unit_interval(b"u1");
        assert!((u - 0.820_004_234_090_571_2).abs() < 1e-15, "{u}");
    }

    #[test]
    fn impossible_settings_are_refused() {
        let of = |salt, weights: &[f64]| Assigner::new(salt, arms(weights), None, None);
        for bad in [
            of("", &[1.0, 1.0]),
            of("s", &[1.0]),
            of("s", &[0.0, 0.0]),
            of("s", &[1.0, -1.0]),
            of("s", &[1.0, f64::NAN]),
        ] {
            assert!(matches!(bad, Err(EvidenceError::Data { code: "TL342", .. })));
        }
        for bad in ["a", "a=1-0", "a=0-2", "=0-1", "a=x-1", "a=0.5-0.5"] {
            assert!(matches!(Layer::parse(bad), Err(EvidenceError::Data { code: "TL343", .. })), "{bad}");
        }
    }
}

//! Profiles that are of one person: compared, weighed, and linked where it is probable enough.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use throughline_linkage::{LEVELS, LinkOptions, Linked, Pair, Records, link};

use crate::config::MatchingConfig;
use crate::decision::{Calibration, Decisions};
use crate::error::IdentityError;
use crate::profiles::{Holder, Profiles};

/// What became of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Linked.
    Linked,
    /// Not linked; a person should look at it.
    Review,
    /// Not linked.
    Apart,
}

impl Outcome {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Review => "review",
            Self::Apart => "apart",
        }
    }
}

/// A pair of profiles that may be of one person.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Match {
    pub(crate) a: Holder,
    pub(crate) b: Holder,
    pub(crate) probability: f64,
    pub(crate) weight_bits: f64,
    /// By how many bits the pair outweighs the next best of either with somebody else; nothing where there is none.
    pub(crate) margin_bits: Option<f64>,
    /// Column → level, as JSON.
    pub(crate) levels: String,
    /// Column → weight in bits, as JSON.
    pub(crate) weights: String,
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'static str,
}

/// Compares profiles. `records` are those of the holders, in order; probabilities are recalibrated where people's decisions
/// tell how.
pub(crate) fn find(
    profiles: &Profiles,
    records: Records,
    config: &MatchingConfig,
    decisions: &Decisions,
    calibration: Option<&Calibration>,
    threads: NonZeroUsize,
) -> Result<Vec<Match>, IdentityError> {
    let holders: Vec<Holder> = profiles.holders.iter().map(|(holder, _)| *holder).collect();
    let mut options = LinkOptions::new(threads);
    options.sources = holders.iter().map(|h| h.source).collect();
    let place = |name: &String| profiles.place(name);
    options.apart.extend(config.one_record_per_person.iter().filter_map(|s| Some((place(s)?, place(s)?))));
    options.apart.extend(config.never_compare.iter().filter_map(|[a, b]| Some((place(a)?, place(b)?))));
    let linked = link(records, &options)?;
    let margins = Margins::new(&linked);
    let matched = |pair: &Pair| {
        let (a, b) = (holders[pair.a as usize], holders[pair.b as usize]);
        let together = linked.persons[pair.a as usize] == linked.persons[pair.b as usize];
        let probability = calibration.map_or(pair.probability, |c| c.probability(pair.weight_bits));
        let (outcome, reason) = match decisions.about(a.token, b.token) {
            Some(true) => (Outcome::Linked, "confirmed"),
            Some(false) => (Outcome::Apart, "kept apart by decision"),
            None => fate(probability, together, config),
        };
        Match {
            a,
            b,
            probability,
            weight_bits: pair.weight_bits,
            margin_bits: margins.of(pair, &linked),
            levels: levels(&linked, pair),
            weights: weights(&linked, pair),
            outcome,
            reason,
        }
    };
    Ok(linked
        .pairs
        .iter()
        .filter(|p| holders[p.a as usize].token != holders[p.b as usize].token)
        .map(matched)
        .collect())
}

fn fate(probability: f64, together: bool, config: &MatchingConfig) -> (Outcome, &'static str) {
    match (together, probability) {
        (true, p) if p >= config.link_at.get() => (Outcome::Linked, "probable enough"),
        (_, p) if p < config.review_at.get() => (Outcome::Apart, "too improbable"),
        (true, _) => (Outcome::Review, "between the thresholds"),
        // All pairs of the two groups together speak against it, or a constraint does.
        (false, _) => (Outcome::Review, "others of the two groups disagree"),
    }
}

/// The levels of a pair, by column.
fn levels(linked: &Linked, pair: &Pair) -> String {
    let level = |(place, (name, _)): (usize, &(String, _))| (name.clone(), pair.level(place).into());
    let levels: serde_json::Map<String, serde_json::Value> = linked.kinds.iter().enumerate().map(level).collect();
    serde_json::Value::Object(levels).to_string()
}

/// What each column adds to the weight of a pair, in bits: how much more often pairs of one person have this level. Where a column
/// says in part what another says, and that one is equal, only what it says besides counts. What rare values add is not in it.
fn weights(linked: &Linked, pair: &Pair) -> String {
    let equal = |name: &String| {
        let place = linked.kinds.iter().position(|(column, _)| column == name);
        place.is_some_and(|place| pair.level(place) + 1 == LEVELS)
    };
    let weight = |(place, (name, _)): (usize, &(String, _))| {
        let level = pair.level(place);
        let of = linked.probabilities.iter().find(|p| p.column == *name).filter(|_| level > 0);
        let bits = of.map_or(0.0, |p| {
            let given = p.u_given_parent.as_ref().filter(|_| p.parent.as_ref().is_some_and(equal));
            (p.m[level] / given.unwrap_or(&p.u)[level]).log2()
        });
        (
            name.clone(),
            if bits.is_finite() { ((bits * 1000.0).round() / 1000.0).into() } else { serde_json::Value::Null },
        )
    };
    let weights: serde_json::Map<String, serde_json::Value> = linked.kinds.iter().enumerate().map(weight).collect();
    serde_json::Value::Object(weights).to_string()
}

/// The strongest pair of each record with each of its two best people.
struct Margins(HashMap<u32, [(u32, f64); 2]>);

impl Margins {
    fn new(linked: &Linked) -> Self {
        let mut best: HashMap<u32, [(u32, f64); 2]> = HashMap::new();
        let nobody = (u32::MAX, f64::NEG_INFINITY);
        for pair in &linked.pairs {
            for (of, other) in [(pair.a, pair.b), (pair.b, pair.a)] {
                let person = linked.persons[other as usize];
                let two = best.entry(of).or_insert([nobody; 2]);
                if person == two[0].0 {
                    two[0].1 = two[0].1.max(pair.weight_bits);
                } else if pair.weight_bits > two[0].1 {
                    *two = [(person, pair.weight_bits), two[0]];
                } else if pair.weight_bits > two[1].1 {
                    two[1] = (person, pair.weight_bits);
                }
            }
        }
        Self(best)
    }

    /// The weight of a pair over the best that either has with somebody else.
    fn of(&self, pair: &Pair, linked: &Linked) -> Option<f64> {
        let rival = |of: u32, other: u32| {
            let person = linked.persons[other as usize];
            let rivals = self.0.get(&of)?.iter().filter(|(p, w)| *p != person && w.is_finite());
            rivals.map(|(_, weight)| *weight).max_by(f64::total_cmp)
        };
        let rivals = [rival(pair.a, pair.b), rival(pair.b, pair.a)];
        rivals.into_iter().flatten().max_by(f64::total_cmp).map(|rival| pair.weight_bits - rival)
    }
}

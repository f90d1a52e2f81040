//! Profiles that are of one person: compared, weighed, and linked where it is probable enough.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use throughline_core::SubjectToken;
use throughline_linkage::{LinkOptions, Linked, Pair, Records, link};

use crate::config::MatchingConfig;
use crate::decision::Decisions;
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
    pub(crate) outcome: Outcome,
    pub(crate) reason: &'static str,
}

/// Compares profiles. `records` are those of the holders, in order.
pub(crate) fn find(
    profiles: &Profiles,
    records: Records,
    config: &MatchingConfig,
    decisions: &Decisions,
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
        let (outcome, reason) = match decisions.about(a.token, b.token) {
            Some(true) => (Outcome::Linked, "confirmed"),
            Some(false) => (Outcome::Apart, "kept apart by decision"),
            None => fate(pair.probability, together, config),
        };
        Match {
            a,
            b,
            probability: pair.probability,
            weight_bits: pair.weight_bits,
            margin_bits: margins.of(pair, &linked),
            levels: levels(&linked, pair),
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

/// The tokens that are linked.
pub(crate) fn linked(matches: &[Match]) -> impl Iterator<Item = (SubjectToken, SubjectToken)> {
    matches
        .iter()
        .filter(|m| m.outcome == Outcome::Linked)
        .map(|m| (m.a.token.min(m.b.token), m.a.token.max(m.b.token)))
}

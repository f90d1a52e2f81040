//! What people decided about pairs of identifiers. The latest decision about a pair counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_core::SubjectToken;

/// A decision about two identifiers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// One identifier's token.
    pub token: SubjectToken,
    /// The other's.
    pub other_token: SubjectToken,
    /// Whether they are of one person; nothing takes earlier decisions back.
    pub same: Option<bool>,
    /// Why.
    pub reason: String,
    /// How the pair was drawn, where it was looked at because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<DrawnFrom>,
}

/// How a pair was drawn for people to look at, and how it stood then.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawnFrom {
    /// The number of the draw.
    pub draw: u32,
    /// The probability with which the pair was drawn.
    pub inclusion: f64,
    /// The probability that it was said to be of one person.
    pub probability: f64,
    /// The weight behind that, in bits, before any recalibration.
    pub weight_bits: f64,
    /// Whether it was linked.
    pub linked: bool,
}

/// A recalibration of probabilities: the model's log-odds are multiplied and moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What log-odds are multiplied by; above 0, so that the order of pairs stays.
    pub slope: f64,
    /// What is added after.
    pub intercept: f64,
}

impl Calibration {
    /// The probability behind a weight in bits.
    pub fn probability(&self, weight_bits: f64) -> f64 {
        let odds = self.slope * weight_bits * std::f64::consts::LN_2 + self.intercept;
        if odds >= 0.0 {
            1.0 / (1.0 + (-odds).exp())
        } else {
            let e = odds.exp();
            e / (1.0 + e)
        }
    }
}

/// Decisions by pair.
#[derive(Debug, Clone, Default)]
pub(crate) struct Decisions(BTreeMap<(SubjectToken, SubjectToken), bool>);

impl Decisions {
    /// Of several about a pair the last counts.
    pub(crate) fn new(decisions: &[Decision]) -> Self {
        let mut latest = BTreeMap::new();
        for decision in decisions {
            let pair = ordered(decision.token, decision.other_token);
            match decision.same {
                Some(same) => latest.insert(pair, same),
                None => latest.remove(&pair),
            };
        }
        Self(latest)
    }

    /// What was decided about a pair.
    pub(crate) fn about(&self, a: SubjectToken, b: SubjectToken) -> Option<bool> {
        self.0.get(&ordered(a, b)).copied()
    }

    /// Pairs decided one way.
    pub(crate) fn decided(&self, same: bool) -> impl Iterator<Item = (SubjectToken, SubjectToken)> {
        self.0.iter().filter(move |(_, s)| **s == same).map(|(pair, _)| *pair)
    }
}

fn ordered(a: SubjectToken, b: SubjectToken) -> (SubjectToken, SubjectToken) {
    (a.min(b), a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_decision_about_a_pair_counts_and_may_take_it_back() {
        let (a, b, c) = (SubjectToken([1; 16]), SubjectToken([2; 16]), SubjectToken([3; 16]));
        let decision =
            |token, other_token, same| Decision { token, other_token, same, reason: "seen".into(), drawn: None };
        let decisions = Decisions::new(&[
            decision(b, a, Some(true)),
            decision(a, b, Some(false)),
            decision(a, c, Some(true)),
            decision(c, a, None),
        ]);
        assert_eq!(
            (decisions.about(a, b), decisions.about(b, a), decisions.about(a, c)),
            (Some(false), Some(false), None)
        );
        assert_eq!(decisions.decided(false).collect::<Vec<_>>(), [(a, b)]);
        assert_eq!(decisions.decided(true).count(), 0);
    }
}

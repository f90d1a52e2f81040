//! What building journeys did, in counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_core::Purpose;
use throughline_core::consent::RemovedByConsent;
use throughline_paths::{Fate, Rule, Tally, config_id};

use crate::rules::JourneyRules;

/// What the stage did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JourneyReport {
    /// People with at least one journey.
    pub persons: u64,
    /// Journeys that ended in a conversion.
    pub converting: u64,
    /// Journeys that ended in none.
    pub not_converting: u64,
    /// Conversions not used because measurement was not granted.
    pub conversions_without_consent: u64,
    /// Touches by rule.
    pub touches: BTreeMap<String, u64>,
    /// Conversions and refunds by what became of them.
    pub outcomes: BTreeMap<String, u64>,
    /// Amount of refunds that reduced nothing because their order is unknown or missing, in millionths.
    pub lost_refunds_micros: i64,
    /// Conversions for which earlier touches had served as often as they may.
    pub reuse_limited: u64,
    /// The configuration behind the journeys of each conversion: equal ids, equal rules.
    pub config_ids: BTreeMap<String, String>,
    /// Events that consent removed: touches and conversions, each once however many conversions are declared.
    pub removed_by_consent: Vec<RemovedByConsent>,
}

impl JourneyReport {
    /// Nothing done yet.
    pub fn new(rules: &JourneyRules) -> Self {
        let ids = rules.conversions.iter().map(|c| (c.name.clone(), config_id(&rules.config, c)));
        let removed = ["touches", "conversions"].map(|what| RemovedByConsent::new(what, Purpose::Measurement));
        Self { config_ids: ids.collect(), removed_by_consent: removed.to_vec(), ..Self::default() }
    }

    /// Adds what was done to other people under the same rules.
    pub fn add(&mut self, other: &Self) {
        self.persons += other.persons;
        self.converting += other.converting;
        self.not_converting += other.not_converting;
        self.conversions_without_consent += other.conversions_without_consent;
        for (mine, theirs) in [(&mut self.touches, &other.touches), (&mut self.outcomes, &other.outcomes)] {
            for (name, count) in theirs {
                *mine.entry(name.clone()).or_default() += count;
            }
        }
        self.lost_refunds_micros = self.lost_refunds_micros.saturating_add(other.lost_refunds_micros);
        self.reuse_limited += other.reuse_limited;
        for (mine, theirs) in self.removed_by_consent.iter_mut().zip(&other.removed_by_consent) {
            mine.add(theirs);
        }
    }

    /// Writes down what the kernel counted.
    pub(crate) fn count(&mut self, tally: &Tally) {
        self.converting = tally.converting;
        self.not_converting = tally.journeys - tally.converting;
        self.conversions_without_consent = tally.outcomes[Fate::NoConsent as usize];
        let named = |counts: &[u64], names: Vec<&str>| -> BTreeMap<String, u64> {
            let pairs = names.into_iter().zip(counts).filter(|(_, n)| **n > 0);
            pairs.map(|(name, n)| (name.to_owned(), *n)).collect()
        };
        self.touches = named(&tally.touches, Rule::ALL.map(Rule::name).to_vec());
        self.outcomes = named(&tally.outcomes, Fate::ALL.map(Fate::name).to_vec());
        self.lost_refunds_micros = i64::try_from(tally.lost_refunds_micros).unwrap_or(i64::MAX);
        self.reuse_limited = tally.reuse_limited;
    }
}

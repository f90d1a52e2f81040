//! What holds of one person after everything they said, in several places and at several times.

use std::collections::BTreeMap;

use super::{Consent, ConsentState, Purpose};
use crate::Timestamp;

/// The latest statement on each purpose, in the order of [`Purpose::ALL`]: when, and what.
type Latest = [Option<(Timestamp, ConsentState)>; Purpose::ALL.len()];

/// Statements of one person, by source. Within a source the later statement supersedes the earlier where it says anything,
/// and of two at one instant the strictest counts. Across sources a denial outranks. The order in which statements are
/// added does not matter.
///
/// Memory: one entry for each source and purpose that was spoken of, however many statements there were.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    sources: BTreeMap<String, Latest>,
}

impl Standing {
    /// Adds what a source said at an instant. What it is silent about stays as it was.
    pub fn say(&mut self, source: &str, at: Timestamp, said: &Consent) {
        let mut stated = said.stated().peekable();
        if stated.peek().is_none() {
            return;
        }
        if !self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), [None; Purpose::ALL.len()]);
        }
        let Some(latest) = self.sources.get_mut(source) else { return };
        for (purpose, state) in stated {
            let known = &mut latest[purpose.index()];
            // Pairs compare by time, then by strictness.
            *known = (*known).max(Some((at, state)));
        }
    }

    /// What stands.
    pub fn consent(&self) -> Consent {
        let mut consent = Consent::default();
        for latest in self.sources.values() {
            for (purpose, (_, state)) in Purpose::ALL.into_iter().zip(latest).filter_map(|(p, s)| Some((p, (*s)?))) {
                consent.set(purpose, consent.state(purpose).max(state));
            }
        }
        consent
    }

    /// What each source last said on a purpose, in the order of their names: (source, when, state).
    pub fn statements(&self, purpose: Purpose) -> impl Iterator<Item = (&str, Timestamp, ConsentState)> {
        self.sources.iter().filter_map(move |(source, latest)| {
            let (at, state) = latest[purpose.index()]?;
            Some((source.as_str(), at, state))
        })
    }

    /// Whether sources contradict each other on a purpose: one last granted, another last denied.
    pub fn is_conflict(&self, purpose: Purpose) -> bool {
        let states = || self.statements(purpose).map(|(_, _, state)| state);
        states().any(|s| s == ConsentState::Granted) && states().any(|s| s == ConsentState::Denied)
    }
}

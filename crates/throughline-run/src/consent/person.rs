//! Counting person by person.

use std::collections::BTreeMap;

use throughline_core::consent::Standing;
use throughline_core::time::DAY_US;
use throughline_core::{Consent, ConsentState, Purpose, Timestamp};

use super::Counts;
use super::report::{Changes, Conflict, PurposeConsent, SourceConsent, SourcePurpose, States};

/// What one person said. Texts are remembered from person to person; sources have few different ones.
#[derive(Debug, Default)]
pub(super) struct PersonSaid {
    texts: BTreeMap<String, Consent>,
    said: Vec<(Timestamp, String, Consent)>,
}

impl PersonSaid {
    pub(super) fn hear(&mut self, source: &str, at: Timestamp, text: &str) {
        let consent = if let Some(known) = self.texts.get(text) {
            known.clone()
        } else {
            let read: Consent = text.parse().unwrap_or_default();
            self.texts.insert(text.to_owned(), read.clone());
            read
        };
        self.said.push((at, source.to_owned(), consent));
    }
}

#[derive(Debug, Default)]
struct OfSource {
    people: u64,
    events: u64,
    by_event: [States; Purpose::ALL.len()],
    by_person: [States; Purpose::ALL.len()],
}

/// Sums over all people.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) people: u64,
    pub(super) events: u64,
    sources: BTreeMap<String, OfSource>,
    standing: [States; Purpose::ALL.len()],
    in_conflict: [u64; Purpose::ALL.len()],
    /// (purpose, granted by, denied by) → people, and those whose grant is later.
    conflicts: BTreeMap<(usize, String, String), (u64, u64)>,
    /// (day, purpose) of withdrawals and of grants after one.
    withdrawn: Counts<(i64, usize)>,
    given_back: Counts<(i64, usize)>,
}

impl Tally {
    /// Counts a person, forgets what they said, and gives what stands.
    pub(super) fn add(&mut self, said: &mut PersonSaid) -> Consent {
        said.said.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        self.people += 1;
        self.events += said.said.len() as u64;
        for (_, source, consent) in &said.said {
            let of = self.of_source(source);
            of.events += 1;
            for (states, purpose) in of.by_event.iter_mut().zip(Purpose::ALL) {
                states.count(consent.state(purpose));
            }
        }
        let standing = self.walk(&said.said);
        self.by_source(&said.said, &standing);
        let stands = standing.consent();
        for (at, purpose) in Purpose::ALL.into_iter().enumerate() {
            self.standing[at].count(stands.state(purpose));
            self.contradict(at, purpose, &standing);
        }
        said.said.clear();
        stands
    }

    fn of_source(&mut self, source: &str) -> &mut OfSource {
        if !self.sources.contains_key(source) {
            self.sources.insert(source.to_owned(), OfSource::default());
        }
        self.sources.entry(source.to_owned()).or_default()
    }

    /// Hears everything in time order, instant by instant, and notes when what stands turns.
    fn walk(&mut self, said: &[(Timestamp, String, Consent)]) -> Standing {
        let mut standing = Standing::default();
        let mut before = Consent::default();
        for instant in said.chunk_by(|a, b| a.0 == b.0) {
            for (at, source, consent) in instant {
                standing.say(source, *at, consent);
            }
            let now = standing.consent();
            if now == before {
                continue;
            }
            let day = instant.first().map_or(0, |(at, ..)| at.micros().div_euclid(DAY_US));
            for (i, purpose) in Purpose::ALL.into_iter().enumerate() {
                match (before.state(purpose), now.state(purpose)) {
                    (ConsentState::Granted, ConsentState::Denied) => *self.withdrawn.entry((day, i)).or_default() += 1,
                    (ConsentState::Denied, ConsentState::Granted) => *self.given_back.entry((day, i)).or_default() += 1,
                    _ => {}
                }
            }
            before = now;
        }
        standing
    }

    /// Counts the person once in each of their sources, by what it last said.
    fn by_source(&mut self, said: &[(Timestamp, String, Consent)], standing: &Standing) {
        let mut names: Vec<&str> = said.iter().map(|(_, source, _)| source.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let last = Purpose::ALL.map(|purpose| {
                let found = standing.statements(purpose).find(|(source, ..)| *source == name);
                found.map_or(ConsentState::Unknown, |(_, _, state)| state)
            });
            let of = self.of_source(name);
            of.people += 1;
            for (states, state) in of.by_person.iter_mut().zip(last) {
                states.count(state);
            }
        }
    }

    fn contradict(&mut self, at: usize, purpose: Purpose, standing: &Standing) {
        if !standing.is_conflict(purpose) {
            return;
        }
        self.in_conflict[at] += 1;
        let of = |wanted| standing.statements(purpose).filter(move |(_, _, state)| *state == wanted);
        for (granted_by, granted_at, _) in of(ConsentState::Granted) {
            for (denied_by, denied_at, _) in of(ConsentState::Denied) {
                let pair = (at, granted_by.to_owned(), denied_by.to_owned());
                let counts = self.conflicts.entry(pair).or_default();
                counts.0 += 1;
                counts.1 += u64::from(granted_at > denied_at);
            }
        }
    }

    pub(super) fn sources(&self) -> Vec<SourceConsent> {
        let of = |(name, of): (&String, &OfSource)| SourceConsent {
            source: name.clone(),
            people: of.people,
            events: of.events,
            purposes: (0..Purpose::ALL.len())
                .map(|i| SourcePurpose::new(Purpose::ALL[i], of.by_event[i], of.by_person[i]))
                .collect(),
        };
        self.sources.iter().map(of).collect()
    }

    pub(super) fn purposes(&self) -> Vec<PurposeConsent> {
        let times = |changes: &Counts<(i64, usize)>, i: usize| {
            changes.iter().filter(|((_, of), _)| *of == i).map(|(_, n)| n).sum()
        };
        let of = |(i, purpose)| {
            let people: States = self.standing[i];
            PurposeConsent {
                purpose,
                people,
                coverage: people.coverage(),
                granted: people.share_granted(),
                conflicts: self.in_conflict[i],
                withdrawn: times(&self.withdrawn, i),
                given_back: times(&self.given_back, i),
            }
        };
        Purpose::ALL.into_iter().enumerate().map(of).collect()
    }

    pub(super) fn conflicts(&self) -> Vec<Conflict> {
        let of = |((i, granted_by, denied_by), (people, later)): (&(usize, String, String), &(u64, u64))| Conflict {
            purpose: Purpose::ALL[*i],
            granted_by: granted_by.clone(),
            denied_by: denied_by.clone(),
            people: *people,
            grant_is_later: *later,
        };
        self.conflicts.iter().map(of).collect()
    }

    pub(super) fn changes(&self) -> Vec<Changes> {
        let mut days: Vec<&(i64, usize)> = self.withdrawn.keys().chain(self.given_back.keys()).collect();
        days.sort_unstable();
        days.dedup();
        let of = |key: &(i64, usize)| Changes {
            day: Timestamp::from_micros(key.0.saturating_mul(DAY_US)).to_string().chars().take(10).collect(),
            purpose: Purpose::ALL[key.1],
            withdrawn: self.withdrawn.get(key).copied().unwrap_or(0),
            given_back: self.given_back.get(key).copied().unwrap_or(0),
        };
        days.into_iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(tally: &mut Tally, said: &[(i64, &str, &str)]) -> String {
        let mut heard = PersonSaid::default();
        for (day, source, text) in said {
            heard.hear(source, Timestamp::from_micros(day * DAY_US), text);
        }
        tally.add(&mut heard).to_string()
    }

    #[test]
    fn people_are_counted_by_source_and_by_what_stands() {
        let mut tally = Tally::default();
        assert_eq!(person(&mut tally, &[(1, "crm", "messaging=granted"), (2, "shop", "")]), "messaging=granted");
        assert_eq!(
            person(&mut tally, &[(1, "crm", "messaging=granted"), (3, "centre", "messaging=denied")]),
            "messaging=denied"
        );
        assert_eq!(
            person(&mut tally, &[(4, "centre", "messaging=denied"), (5, "crm", "messaging=granted")]),
            "messaging=denied"
        );
        let back = [(1, "crm", "messaging=denied"), (6, "crm", "messaging=granted"), (6, "shop", "gone")];
        assert_eq!(person(&mut tally, &back), "messaging=granted");
        assert_eq!((tally.people, tally.events), (4, 9));
        let messaging = tally.purposes().pop().expect("the last purpose");
        assert_eq!(messaging.people, States { granted: 2, denied: 2, unknown: 0 });
        assert_eq!((messaging.conflicts, messaging.withdrawn, messaging.given_back), (2, 1, 1));
        let conflicts = tally.conflicts();
        assert_eq!(conflicts.len(), 1);
        let Conflict { granted_by, denied_by, people, grant_is_later, .. } = &conflicts[0];
        assert_eq!((granted_by.as_str(), denied_by.as_str(), *people, *grant_is_later), ("crm", "centre", 2, 1));
        let days: Vec<_> = tally.changes().into_iter().map(|c| (c.day, c.withdrawn, c.given_back)).collect();
        assert_eq!(days, [("1970-01-04".to_owned(), 1, 0), ("1970-01-07".to_owned(), 0, 1)]);
        let sources = tally.sources();
        let names: Vec<_> = sources.iter().map(|s| (s.source.as_str(), s.people, s.events)).collect();
        assert_eq!(names, [("centre", 2, 2), ("crm", 4, 5), ("shop", 2, 2)]);
        let crm = sources[1].purposes.last().expect("messaging");
        assert_eq!(crm.people, States { granted: 4, denied: 0, unknown: 0 });
        assert_eq!(crm.events, States { granted: 4, denied: 1, unknown: 0 });
        assert_eq!(sources[2].purposes[0].coverage.value, Some(0.0));
    }
}

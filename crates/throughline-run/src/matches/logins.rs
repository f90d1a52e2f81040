//! Accuracy without labels: identifiers that were matched by what is said about them, and that a later event shows to be of
//! one person, or of two.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};
use throughline_core::{SubjectToken, Timestamp};
use throughline_lake::tables;
use throughline_stats::proportion::wilson;

use super::accuracy::LEVEL;
use crate::engine::Stores;
use crate::error::RunError;
use crate::explain::each_row;
use crate::project::Project;

/// What later logins say about linked pairs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logins {
    /// Linked pairs.
    pub linked: u64,
    /// Of them, those that a later event shows to be of one person.
    pub confirmed: u64,
    /// Those that later events show to be of two: each met another record of a source with one record a person.
    pub contradicted: u64,
    /// The share confirmed of those that anything was seen of.
    pub precision: Option<f64>,
    /// Its interval (Wilson).
    pub interval: Option<(f64, f64)>,
    /// What has to be said about it.
    pub note: String,
}

/// When identifiers came together, by events in the order of time. Union by size without shortening, so that the instant at
/// which two meet is the latest on the way between them.
#[derive(Debug, Default)]
struct Meetings {
    place: BTreeMap<SubjectToken, usize>,
    parent: Vec<(usize, i64)>,
    size: Vec<u32>,
}

impl Meetings {
    fn index(&mut self, token: SubjectToken) -> usize {
        let next = self.parent.len();
        let place = *self.place.entry(token).or_insert(next);
        if place == next {
            self.parent.push((next, i64::MIN));
            self.size.push(1);
        }
        place
    }

    fn root(&self, mut i: usize) -> usize {
        while self.parent[i].0 != i {
            i = self.parent[i].0;
        }
        i
    }

    /// Joins two identifiers; to be called in the order of time.
    fn meet(&mut self, a: SubjectToken, b: SubjectToken, at: i64) {
        let (a, b) = (self.index(a), self.index(b));
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            let (child, root) = if self.size[a] < self.size[b] { (a, b) } else { (b, a) };
            self.parent[child] = (root, at);
            self.size[root] += self.size[child];
        }
    }

    /// When two identifiers met, if they did.
    fn met(&self, a: SubjectToken, b: SubjectToken) -> Option<i64> {
        if a == b {
            return Some(i64::MIN);
        }
        let way = |mut i: usize| {
            let mut steps = vec![(i, i64::MIN)];
            while self.parent[i].0 != i {
                let latest = steps.last().map_or(i64::MIN, |s| s.1).max(self.parent[i].1);
                i = self.parent[i].0;
                steps.push((i, latest));
            }
            steps
        };
        let (ours, theirs) = (way(*self.place.get(&a)?), way(*self.place.get(&b)?));
        let theirs: BTreeMap<usize, i64> = theirs.into_iter().collect();
        ours.iter().find_map(|(i, at)| theirs.get(i).map(|other| (*at).max(*other)))
    }

    /// The identifiers that one met, itself among them.
    fn with(&self, token: SubjectToken) -> Option<usize> {
        self.place.get(&token).map(|i| self.root(*i))
    }
}

fn token(row: &Map<String, Value>, name: &str) -> Option<SubjectToken> {
    row.get(name)?.as_str()?.parse().ok()
}

fn instant(row: &Map<String, Value>, name: &str) -> i64 {
    let at = row.get(name).and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    at.map_or(i64::MIN, Timestamp::micros)
}

/// What events after a match say about it.
pub(super) async fn later_logins(project: &Project, stores: &Stores) -> Result<Logins, RunError> {
    let mut events: Vec<(i64, SubjectToken, SubjectToken)> = Vec::new();
    // Since when both identifiers of a matched pair are known: what comes after is later than the match could be.
    let mut matched: Vec<(SubjectToken, SubjectToken, i64)> = Vec::new();
    let columns = ["token", "other_token", "method", "first_seen_at"];
    each_row(stores, &tables::links(), &columns, |row| {
        let (Some(a), Some(b)) = (token(row, "token"), token(row, "other_token")) else { return };
        let at = instant(row, "first_seen_at");
        if row["method"] == "same_event" { events.push((at, a, b)) } else { matched.push((a, b, at)) }
    })
    .await?;
    events.sort_unstable();
    let mut meetings = Meetings::default();
    for (at, a, b) in events {
        meetings.meet(a, b, at);
    }
    let records = records(project, stores, &mut meetings).await?;
    let (mut confirmed, mut contradicted) = (0, 0);
    for (a, b, since) in &matched {
        match meetings.met(*a, *b) {
            Some(at) if at > *since => confirmed += 1,
            // Known before: no test of the match.
            Some(_) => {}
            None => contradicted += u64::from(contradicts(&meetings, &records, (*a, *b), *since)),
        }
    }
    let tested = confirmed + contradicted;
    Ok(Logins {
        linked: matched.len() as u64,
        confirmed,
        contradicted,
        precision: (tested > 0).then(|| confirmed as f64 / tested as f64),
        interval: wilson(confirmed, tested, LEVEL),
        note: note(project, matched.len(), tested),
    })
}

/// Of each group of identifiers that met: the records of sources with one record a person.
type Records = BTreeMap<usize, BTreeMap<String, BTreeSet<SubjectToken>>>;

async fn records(project: &Project, stores: &Stores, meetings: &mut Meetings) -> Result<Records, RunError> {
    let single = &project.identity.value.matching.one_record_per_person;
    let mut records: Records = BTreeMap::new();
    each_row(stores, &tables::profiles(), &["source", "token"], |row| {
        let source = row["source"].as_str().unwrap_or_default();
        if let Some(holder) = token(row, "token").filter(|_| single.iter().any(|s| s == source)) {
            // A record that met nobody is a group of its own.
            let place = meetings.index(holder);
            let group = meetings.root(place);
            records.entry(group).or_default().entry(source.to_owned()).or_default().insert(holder);
        }
    })
    .await?;
    Ok(records)
}

/// Whether each of a pair met another record of one source, one of them later.
fn contradicts(meetings: &Meetings, records: &Records, (a, b): (SubjectToken, SubjectToken), since: i64) -> bool {
    let of = |token| meetings.with(token).and_then(|group| records.get(&group));
    let (Some(ours), Some(theirs)) = (of(a), of(b)) else { return false };
    ours.iter().any(|(source, ours)| {
        let theirs = theirs.get(source).into_iter().flatten();
        let met = |token, record: &SubjectToken| meetings.met(token, *record);
        let latest = ours.iter().filter_map(|r| met(a, r)).chain(theirs.clone().filter_map(|r| met(b, r))).max();
        theirs.count() > 0 && latest.is_some_and(|at| at > since)
    })
}

fn note(project: &Project, linked: usize, tested: u64) -> String {
    let blind = project.identity.value.matching.one_record_per_person.is_empty();
    let blind = if blind { "; without `one_record_per_person` nothing can contradict a match" } else { "" };
    match (linked, tested) {
        (0, _) => "no pair is linked by what is said about people".to_owned(),
        (_, 0) => format!("nothing was seen of any of them since, so it says nothing{blind}"),
        _ => format!(
            "it speaks for the people who were seen again with both identifiers, or with records of two people{blind}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(i: u8) -> SubjectToken {
        SubjectToken([i; 16])
    }

    #[test]
    fn identifiers_met_when_the_last_link_between_them_was_seen() {
        let mut meetings = Meetings::default();
        for (a, b, at) in [(1, 2, 10), (3, 4, 20), (5, 6, 25), (2, 3, 30), (1, 4, 40), (4, 5, 50)] {
            meetings.meet(t(a), t(b), at);
        }
        let met = |a, b| meetings.met(t(a), t(b));
        assert_eq!((met(1, 2), met(1, 3), met(4, 2)), (Some(10), Some(30), Some(30)));
        assert_eq!((met(1, 6), met(5, 6), met(3, 4), met(1, 9)), (Some(50), Some(25), Some(20), None));
        assert_eq!(met(7, 7), Some(i64::MIN));
    }

    #[test]
    fn records_of_two_people_contradict_when_met_later() {
        let mut meetings = Meetings::default();
        meetings.meet(t(1), t(11), 5);
        meetings.meet(t(2), t(12), 20);
        let group = |i| meetings.with(t(i)).expect("a group");
        let of = |i: u8| BTreeMap::from([("crm".to_owned(), BTreeSet::from([t(i)]))]);
        let records: Records = BTreeMap::from([(group(1), of(11)), (group(2), of(12))]);
        assert!(contradicts(&meetings, &records, (t(1), t(2)), 10));
        assert!(!contradicts(&meetings, &records, (t(1), t(2)), 20), "known before");
        assert!(!contradicts(&meetings, &records, (t(1), t(3)), 0));
    }
}

//! Other graphs of identity that the links' probabilities allow, and the timelines of the people they make.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use throughline_core::{PersonId, RunContext, SubjectToken};
use throughline_lake::{Lake, Session, SessionOptions, Snapshot, Staged, Unit, columns, tables};
use throughline_stats::stream::Stream;

use crate::error::IdentityError;
use crate::gather::row_tokens;
use crate::timeline::{PersonIndex, write_timeline};

/// Probabilities outside these are taken as certain.
const UNCERTAIN: std::ops::Range<f64> = 0.005..0.995;

/// People who might be other people: identifiers that certain links join, and the pairs between them that are not certain.
#[derive(Debug, Clone, Default)]
pub struct Uncertain {
    /// Identifiers by place; those of one person under certain links have one atom.
    tokens: Vec<SubjectToken>,
    atoms: Vec<u32>,
    /// Pairs of atoms with the probability that they are one person, in the order of their identifiers.
    pairs: Vec<(u32, u32, f64)>,
    /// The people as they are now.
    people: BTreeSet<PersonId>,
}

/// A union of places.
struct Union(Vec<u32>);

impl Union {
    fn new(n: usize) -> Self {
        Self((0..n).map(|i| u32::try_from(i).unwrap_or(u32::MAX)).collect())
    }

    fn root(&mut self, mut place: u32) -> u32 {
        while self.0[place as usize] != place {
            let above = self.0[self.0[place as usize] as usize];
            self.0[place as usize] = above;
            place = above;
        }
        place
    }

    /// The smaller root stays, so that the order of joins does not matter.
    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        self.0[high as usize] = low;
    }
}

impl Uncertain {
    /// From the tables `persons`, `links` and `matches`. Pairs that somebody decided about are certain.
    pub async fn read(persons: &Snapshot, links: &Snapshot, matches: &Snapshot) -> Result<Self, IdentityError> {
        let mut now: BTreeMap<SubjectToken, PersonId> = BTreeMap::new();
        for batch in persons.read_all(None).await? {
            let (token, person) = (columns::binary(&batch, "token")?, columns::binary(&batch, "person_id")?);
            for row in 0..batch.num_rows() {
                let id = PersonId(columns::id16(person.value(row))?);
                now.insert(SubjectToken(columns::id16(token.value(row))?), id);
            }
        }
        let mut certain: Vec<(SubjectToken, SubjectToken)> = Vec::new();
        let mut open: Vec<(SubjectToken, SubjectToken, f64)> = Vec::new();
        for batch in matches.read_all(None).await? {
            let (a, b) = (columns::binary(&batch, "token")?, columns::binary(&batch, "other_token")?);
            let (probability, outcome) = (columns::float(&batch, "probability")?, columns::text(&batch, "outcome")?);
            let reason = columns::text(&batch, "reason")?;
            for row in 0..batch.num_rows() {
                let pair = (SubjectToken(columns::id16(a.value(row))?), SubjectToken(columns::id16(b.value(row))?));
                let (pair, p) = ((pair.0.min(pair.1), pair.0.max(pair.1)), probability.value(row));
                let decided = matches!(reason.value(row), "confirmed" | "kept apart by decision");
                match outcome.value(row) {
                    _ if !decided && UNCERTAIN.contains(&p) => open.push((pair.0, pair.1, p)),
                    "linked" => certain.push(pair),
                    _ => {}
                }
            }
        }
        for batch in links.read_all(None).await? {
            let (a, b) = (columns::binary(&batch, "token")?, columns::binary(&batch, "other_token")?);
            for row in 0..batch.num_rows() {
                certain.push((SubjectToken(columns::id16(a.value(row))?), SubjectToken(columns::id16(b.value(row))?)));
            }
        }
        Ok(Self::of(&now, &certain, open))
    }

    /// From who is whom now, what is certain and what is not.
    pub fn of(
        now: &BTreeMap<SubjectToken, PersonId>,
        certain: &[(SubjectToken, SubjectToken)],
        mut open: Vec<(SubjectToken, SubjectToken, f64)>,
    ) -> Self {
        open.retain(|(a, b, _)| now.contains_key(a) && now.contains_key(b));
        open.sort_by_key(|pair| (pair.0, pair.1));
        open.dedup_by_key(|pair| (pair.0, pair.1));
        let people: BTreeSet<PersonId> = open.iter().flat_map(|(a, b, _)| [now[a], now[b]]).collect();
        let tokens: Vec<SubjectToken> = now.iter().filter(|(_, p)| people.contains(p)).map(|(t, _)| *t).collect();
        let place = |token: &SubjectToken| tokens.binary_search(token).ok().and_then(|p| u32::try_from(p).ok());
        let mut union = Union::new(tokens.len());
        for (a, b) in certain {
            // A link that the guard against crowds refused joins nobody.
            if let (Some(x), Some(y)) = (place(a), place(b))
                && now[a] == now[b]
            {
                union.join(x, y);
            }
        }
        // What makes one person now and is neither certain nor open stays with the person.
        let touched: BTreeSet<u32> =
            open.iter().flat_map(|(a, b, _)| [a, b]).filter_map(place).map(|p| union.root(p)).collect();
        let mut homes: BTreeMap<PersonId, u32> = BTreeMap::new();
        for (at, token) in (0_u32..).zip(&tokens) {
            let root = union.root(at);
            let home = *homes.entry(now[token]).or_insert(root);
            if !touched.contains(&root) {
                union.join(home, root);
            }
        }
        let atoms: Vec<u32> = (0_u32..).zip(&tokens).map(|(at, _)| union.root(at)).collect();
        let atom = |token: &SubjectToken| place(token).map(|p| atoms[p as usize]);
        let pairs = open.iter().filter_map(|(a, b, p)| Some((atom(a)?, atom(b)?, *p))).filter(|(a, b, _)| a != b);
        let pairs = pairs.collect();
        Self { tokens, atoms, pairs, people }
    }

    /// Whether nobody is uncertain.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Pairs that are not certain.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// The people who might be others.
    pub const fn people(&self) -> &BTreeSet<PersonId> {
        &self.people
    }

    /// One graph: each pair is of one person with its probability. Who each identifier is then, by identifier.
    fn draw(&self, seed: u64, graph: u64) -> PersonIndex {
        let stream = Stream::new(seed, graph);
        let mut union = Union::new(self.tokens.len());
        for (at, (a, b, p)) in (0_u64..).zip(&self.pairs) {
            if stream.uniform_at(at) < *p {
                union.join(*a, *b);
            }
        }
        // A person of a graph is named by its first identifier; the name is used nowhere else.
        let persons = self.atoms.iter().map(|atom| PersonId(self.tokens[union.root(*atom) as usize].0)).collect();
        PersonIndex { tokens: self.tokens.clone(), persons }
    }

    /// The events of these people, into a lake of their own.
    pub async fn events(&self, lake: &Lake, events: &Snapshot, unit: &Unit) -> Result<Vec<Staged>, IdentityError> {
        let mut writer = lake.writer(&tables::events(), unit)?;
        for file in events.files() {
            for batch in events.read_file(file, None).await? {
                let lists = columns::list(&batch, "tokens")?;
                let mut rows = Vec::new();
                for row in 0..batch.num_rows() {
                    let first = row_tokens(lists, row)?.first().copied();
                    if first.is_some_and(|t| self.tokens.binary_search(&t).is_ok()) {
                        rows.push(u32::try_from(row).unwrap_or(u32::MAX));
                    }
                }
                if !rows.is_empty() {
                    let part: RecordBatch = take_record_batch(&batch, &UInt32Array::from(rows))?;
                    writer.write(file.partition.as_deref(), &part).await?;
                }
            }
        }
        Ok(vec![writer.finish().await?])
    }

    /// The timeline of these people under graph number `graph`.
    pub async fn timeline(
        &self,
        lake: &Lake,
        events: Snapshot,
        (seed, graph): (u64, u64),
        context: &RunContext,
        unit: &Unit,
    ) -> Result<Vec<Staged>, IdentityError> {
        let session = Session::new(&SessionOptions::default())?;
        let writer = lake.writer(&tables::timeline(), unit)?;
        let index = self.draw(seed, graph);
        let (staged, _) = write_timeline(&session, events, index, 1, writer, context).await?;
        Ok(vec![staged])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(n: u8) -> SubjectToken {
        SubjectToken([n; 16])
    }

    fn person(n: u8) -> PersonId {
        PersonId([n; 16])
    }

    /// 1–2 are one person by a certain link; 3 is another; 4–5 are one person only because a match says so.
    fn uncertain(p: f64, q: f64) -> Uncertain {
        let now = [(1, 1), (2, 1), (3, 3), (4, 4), (5, 4), (6, 6)];
        let now = now.into_iter().map(|(t, p)| (token(t), person(p))).collect();
        Uncertain::of(&now, &[(token(1), token(2))], vec![(token(2), token(3), p), (token(4), token(5), q)])
    }

    fn together(u: &Uncertain, a: u8, b: u8) -> f64 {
        let drawn = (0..2000).filter(|graph| {
            let index = u.draw(7, *graph);
            let of = |t: u8| index.persons[index.tokens.binary_search(&token(t)).expect("known")];
            of(a) == of(b)
        });
        drawn.count() as f64 / 2000.0
    }

    #[test]
    fn pairs_are_drawn_with_their_probability_and_certain_links_never_part() {
        let u = uncertain(0.3, 0.8);
        assert_eq!((u.pairs(), u.people().len()), (2, 3), "6 is nobody's question");
        assert_eq!(together(&u, 1, 2), 1.0);
        for (a, b, p) in [(1, 3, 0.3), (2, 3, 0.3), (4, 5, 0.8)] {
            // Five standard errors of a share of 2,000.
            assert!((together(&u, a, b) - p).abs() < 5.0 * (p * (1.0 - p) / 2000.0_f64).sqrt(), "{a} {b}");
        }
        assert_eq!(together(&u, 3, 4), 0.0);
    }

    #[test]
    fn what_is_certain_is_no_question() {
        let now = [(token(1), person(1)), (token(2), person(1))].into();
        assert!(Uncertain::of(&now, &[(token(1), token(2))], vec![(token(1), token(2), 0.5)]).is_empty());
        assert!(Uncertain::of(&now, &[], vec![(token(1), token(9), 0.5)]).is_empty(), "9 is not known");
        assert!(Uncertain::of(&BTreeMap::new(), &[], Vec::new()).is_empty());
    }
}

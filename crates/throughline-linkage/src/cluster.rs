//! From pairs to people: the strongest pair first, and two groups become one only when what all their pairs say together is for
//! it. A single bridge between groups that otherwise disagree is cut; connected components would follow it.

use std::collections::HashMap;
use std::num::NonZeroUsize;

use foldhash::fast::RandomState;

use crate::apart::Apart;
use crate::parallel::map;

/// Pairs across two groups that are asked, at most; of larger groups every so-manieth.
const ASKED: usize = 400;
/// Pairs that are asked first.
const FIRST: usize = 16;
/// The mean log-odds of those beyond which no more are asked.
const CLEAR: f64 = 3.0;
/// One pair counts within this, so that none decides alone.
const MOST: f64 = 10.0;

/// A pair of records with the log-odds that they are of one person.
pub(crate) type Edge = (u32, u32, f64);

/// Groups of records. `odds` tells the log-odds of any pair. Returns one label a record: the smallest record of its group.
///
/// What is not connected is worked on apart, on some threads; their number does not change the result.
pub(crate) fn cluster(
    records: usize,
    edges: Vec<Edge>,
    odds: impl Fn(u32, u32) -> f64 + Sync,
    apart: &Apart,
    threads: NonZeroUsize,
) -> Vec<u32> {
    let mut group: Vec<u32> = (0..u32::try_from(records).unwrap_or(u32::MAX)).collect();
    let (roots, edges) = connected(&mut group, edges);
    let pieces: Vec<&[Edge]> = edges.chunk_by(|x, y| roots[x.0 as usize] == roots[y.0 as usize]).collect();
    for (record, label) in
        map(&pieces, threads, |edges| Piece::new(edges).merge(edges, &odds, apart)).into_iter().flatten()
    {
        group[record as usize] = label;
    }
    group
}

/// The smallest record that each is connected with, and the edges of what is connected together, the strongest first.
fn connected(group: &mut [u32], mut edges: Vec<Edge>) -> (Vec<u32>, Vec<Edge>) {
    edges.retain(|(.., strength)| *strength > 0.0);
    let mut roots = group.to_vec();
    for (a, b, _) in &edges {
        let (x, y) = (root(&mut roots, *a), root(&mut roots, *b));
        roots[x.max(y) as usize] = x.min(y);
    }
    for record in 0..u32::try_from(roots.len()).unwrap_or(u32::MAX) {
        roots[record as usize] = root(&mut roots, record);
    }
    edges.sort_unstable_by(|x, y| {
        let of = |e: &Edge| roots[e.0 as usize];
        of(x).cmp(&of(y)).then(y.2.total_cmp(&x.2)).then((x.0, x.1).cmp(&(y.0, y.1)))
    });
    (roots, edges)
}

fn root(roots: &mut [u32], mut record: u32) -> u32 {
    while roots[record as usize] != record {
        let above = roots[roots[record as usize] as usize];
        roots[record as usize] = above;
        record = above;
    }
    record
}

/// Records that are connected.
struct Piece {
    /// The records, in order; below they go by their place.
    records: Vec<u32>,
    group: Vec<u32>,
    members: Vec<Vec<u32>>,
    /// What is known of pairs of places, so that growing groups do not ask again.
    known: HashMap<(u32, u32), f64, RandomState>,
}

impl Piece {
    fn new(edges: &[Edge]) -> Self {
        let mut records: Vec<u32> = edges.iter().flat_map(|(a, b, _)| [*a, *b]).collect();
        records.sort_unstable();
        records.dedup();
        let group: Vec<u32> = (0..u32::try_from(records.len()).unwrap_or(u32::MAX)).collect();
        let members = group.iter().map(|g| vec![*g]).collect();
        let mut piece = Self { records, group, members, known: HashMap::default() };
        if piece.records.len() > 2 {
            piece.known = edges.iter().map(|(a, b, odds)| ((piece.place(*a), piece.place(*b)), *odds)).collect();
        }
        piece
    }

    fn place(&self, record: u32) -> u32 {
        self.records.binary_search(&record).ok().and_then(|p| u32::try_from(p).ok()).unwrap_or(0)
    }

    /// Takes the edges in order; each record with the smallest of its group.
    fn merge(mut self, edges: &[Edge], odds: &impl Fn(u32, u32) -> f64, apart: &Apart) -> Vec<(u32, u32)> {
        for (a, b, _) in edges {
            let (x, y) = (self.group[self.place(*a) as usize], self.group[self.place(*b) as usize]);
            if x == y {
                continue;
            }
            let (x, y) = (x.min(y), x.max(y));
            if self.apart(x, y, apart) || !self.together(x, y, odds) {
                continue;
            }
            let theirs = std::mem::take(&mut self.members[y as usize]);
            for place in &theirs {
                self.group[*place as usize] = x;
            }
            self.members[x as usize].extend(theirs);
        }
        let label = |group: &u32| self.records[*group as usize];
        self.records.iter().copied().zip(self.group.iter().map(label)).collect()
    }

    /// Whether some record of a group may not be of one person with one of the other.
    fn apart(&self, x: u32, y: u32, apart: &Apart) -> bool {
        let record = |place: &u32| self.records[*place as usize];
        let (ours, theirs) = (&self.members[x as usize], &self.members[y as usize]);
        !apart.is_empty() && ours.iter().any(|a| theirs.iter().any(|b| apart.holds(record(a), record(b))))
    }

    /// Whether all pairs across two groups together are for one person: few of them where those are clear.
    fn together(&mut self, x: u32, y: u32, odds: &impl Fn(u32, u32) -> f64) -> bool {
        let (ours, theirs) = (&self.members[x as usize], &self.members[y as usize]);
        let all = ours.len() * theirs.len();
        if all == 1 {
            return true;
        }
        let (records, known) = (&self.records, &mut self.known);
        let mut mean = |asked: usize| {
            let step = all.div_ceil(asked).max(1);
            let places = (0..all).step_by(step);
            let count = places.len().max(1);
            let pair = |place: usize| {
                let (a, b) = (ours[place / theirs.len()], theirs[place % theirs.len()]);
                let ask = || odds(records[a as usize], records[b as usize]);
                known.entry((a.min(b), a.max(b))).or_insert_with(ask).clamp(-MOST, MOST)
            };
            places.map(pair).sum::<f64>() / count as f64
        };
        let first = mean(FIRST);
        if all <= FIRST || first.abs() > CLEAR { first > 0.0 } else { mean(ASKED) > 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_bridge_between_groups_is_cut_and_a_missing_pair_is_not_missed() {
        let strong = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7), (7, 8)];
        let odds = |a: u32, b: u32| match (a.min(b), a.max(b)) {
            (2, 3) => 3.0,
            (6, 8) => -2.0,
            pair if strong.contains(&pair) => 6.0,
            _ => -8.0,
        };
        let mut edges: Vec<(u32, u32, f64)> = strong.iter().map(|(a, b)| (*a, *b, 6.0)).collect();
        edges.push((2, 3, 3.0));
        assert_eq!(cluster(9, edges, odds, &Apart::default(), NonZeroUsize::MIN), [0, 0, 0, 3, 3, 3, 6, 6, 6]);
    }

    #[test]
    fn sources_that_are_kept_apart_are_not_joined_by_a_third() {
        let edges = vec![(0, 1, 6.0), (1, 2, 5.0), (0, 3, 4.0)];
        // Records 0 and 2 are of sources that may not be linked, 0 and 3 of one that has one record a person.
        let apart = Apart::new(vec![0, 1, 2, 0], &[(2, 0), (0, 0)]);
        assert_eq!(cluster(4, edges, |_, _| 6.0, &apart, NonZeroUsize::MIN), [0, 0, 2, 3]);
    }

    #[test]
    fn without_pairs_everybody_is_alone() {
        assert_eq!(cluster(3, vec![(0, 1, -1.0)], |_, _| 0.0, &Apart::default(), NonZeroUsize::MIN), [0, 1, 2]);
        assert!(cluster(0, Vec::new(), |_, _| 0.0, &Apart::default(), NonZeroUsize::MIN).is_empty());
    }
}

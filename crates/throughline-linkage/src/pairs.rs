//! The pairs that keys give.

use std::num::NonZeroUsize;
use std::ops::Range;

use crate::block::{Key, LARGEST};
use crate::groups::Groups;
use crate::parallel::map;
use crate::table::Table;

/// Groups of a piece.
const PIECE: usize = 8_192;

/// Where a pair comes that agrees on several keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comes {
    /// With the first of them.
    Once,
    /// With each.
    WithEachKey,
}

/// What is made of the pairs of all keys: one part for each key and piece of its groups, in order, so that the result does not
/// depend on the number of threads. Memory: 20 bytes a record and thread.
pub(crate) fn each<T: Send>(
    table: &Table,
    keys: &[Key],
    comes: Comes,
    threads: NonZeroUsize,
    make: impl Fn(usize) -> T + Sync,
    visit: impl Fn(&mut T, u32, u32) + Sync,
) -> Vec<T> {
    each_within(table, keys, comes, (LARGEST, threads), make, visit)
}

/// The same with groups of at most `largest` records.
fn each_within<T: Send>(
    table: &Table,
    keys: &[Key],
    comes: Comes,
    (largest, threads): (usize, NonZeroUsize),
    make: impl Fn(usize) -> T + Sync,
    visit: impl Fn(&mut T, u32, u32) + Sync,
) -> Vec<T> {
    let places: Vec<usize> = (0..keys.len()).collect();
    let mut parts = Vec::new();
    let mut left_out: Vec<LeftOut> = Vec::with_capacity(keys.len());
    for some in places.chunks(threads.get()) {
        let groups = map(some, threads, |place| (*place, Groups::new(table, &keys[*place], 1, largest)));
        left_out.extend(groups.iter().map(|(_, groups)| LeftOut::of(table.records(), groups.left_out())));
        let pieces: Vec<(usize, &Groups, Range<usize>)> = groups
            .iter()
            .flat_map(|(place, groups)| cut(groups.len()).map(move |piece| (*place, groups, piece)))
            .collect();
        parts.extend(map(&pieces, threads, |(place, groups, piece)| {
            let mut part = make(*place);
            for group in piece.clone() {
                let before: Vec<(&Key, &LeftOut)> = match comes {
                    Comes::Once => keys[..*place].iter().zip(&left_out).collect(),
                    Comes::WithEachKey => Vec::new(),
                };
                walk(table, &keys[*place], &before, groups.get(group), |a, b| visit(&mut part, a, b));
            }
            part
        }));
    }
    parts
}

fn cut(groups: usize) -> impl Iterator<Item = Range<usize>> {
    (0..groups.div_ceil(PIECE)).map(move |piece| piece * PIECE..((piece + 1) * PIECE).min(groups))
}

/// Records whose groups under a key were left out for their size: their pairs do not come with that key. One bit a record, none
/// where no group was.
struct LeftOut(Vec<u64>);

impl LeftOut {
    fn of(records: usize, left_out: &[u32]) -> Self {
        let mut bits = vec![0; if left_out.is_empty() { 0 } else { records.div_ceil(64) }];
        for record in left_out {
            bits[*record as usize / 64] |= 1 << (record % 64);
        }
        Self(bits)
    }

    fn holds(&self, record: u32) -> bool {
        self.0.get(record as usize / 64).is_some_and(|bits| bits >> (record % 64) & 1 == 1)
    }
}

/// The pairs of a group that agree on its key and came with none of those before it.
fn walk(table: &Table, key: &Key, before: &[(&Key, &LeftOut)], group: &[(u64, u32)], mut visit: impl FnMut(u32, u32)) {
    for (i, (_, a)) in group.iter().enumerate() {
        for (_, b) in &group[i + 1..] {
            if table.apart.holds(*a, *b) {
                continue;
            }
            let agreement = table.agreement(*a, *b);
            let came = |(key, left_out): &(&Key, &LeftOut)| key.holds(agreement) && !left_out.holds(*a);
            if key.holds(agreement) && !before.iter().any(came) {
                visit(*a, *b);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apart::Apart;
    use crate::column::Column;
    use crate::raw::RawColumn;

    proptest::proptest! {
        #[test]
        fn every_pair_that_agrees_on_a_key_comes_once(
            rows in proptest::collection::vec(("[abc]?", "[ab]?", "[abcd]?"), 0..60),
            threads in 1_usize..4,
        ) {
            let of = |name: &str, f: &dyn Fn(&(String, String, String)) -> String| {
                Column::of(&RawColumn::of(name, rows.iter().map(f)))
            };
            let columns = vec![of("a", &|r| r.0.clone()), of("b", &|r| r.1.clone()), of("c", &|r| r.2.clone())];
            let threads = NonZeroUsize::new(threads).expect("some");
            let table = Table::new(columns, Apart::default(), threads);
            let keys = [Key::new(vec![0, 1]), Key::new(vec![2])];
            let found = each(&table, &keys, Comes::Once, threads, |_| Vec::new(), |part, a, b| part.push((a.min(b), a.max(b))));
            let mut found: Vec<(u32, u32)> = found.into_iter().flatten().collect();
            found.sort_unstable();
            let records = u32::try_from(rows.len()).expect("few");
            let all = (0..records).flat_map(|a| (a + 1..records).map(move |b| (a, b)));
            let expect: Vec<(u32, u32)> = all.filter(|(a, b)| keys.iter().any(|k| k.holds(table.agreement(*a, *b)))).collect();
            proptest::prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn a_pair_of_a_group_that_was_left_out_comes_with_a_later_key() {
        let of = |name: &str, f: &dyn Fn(usize) -> String| Column::of(&RawColumn::of(name, (0..12).map(f)));
        let columns = vec![of("city", &|_| "x".to_owned()), of("email", &|i| format!("p{}", i / 2))];
        let threads = NonZeroUsize::new(2).expect("some");
        let table = Table::new(columns, Apart::default(), threads);
        let keys = [Key::new(vec![0]), Key::new(vec![1])];
        for (largest, expect) in [(11, 6), (12, 66)] {
            let limits = (largest, threads);
            let found = each_within(&table, &keys, Comes::Once, limits, |_| 0, |part, _, _| *part += 1);
            assert_eq!(found.into_iter().sum::<usize>(), expect, "groups of at most {largest}");
        }
    }
}

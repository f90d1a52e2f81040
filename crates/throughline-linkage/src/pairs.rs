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
    let places: Vec<usize> = (0..keys.len()).collect();
    let mut parts = Vec::new();
    for some in places.chunks(threads.get()) {
        let groups = map(some, threads, |place| (*place, Groups::new(table, &keys[*place], 1, LARGEST)));
        let pieces: Vec<(usize, &Groups, Range<usize>)> = groups
            .iter()
            .flat_map(|(place, groups)| cut(groups.len()).map(move |piece| (*place, groups, piece)))
            .collect();
        parts.extend(map(&pieces, threads, |(place, groups, piece)| {
            let mut part = make(*place);
            for group in piece.clone() {
                let before = if comes == Comes::Once { &keys[..*place] } else { &[] };
                walk(table, &keys[*place], before, groups.get(group), |a, b| visit(&mut part, a, b));
            }
            part
        }));
    }
    parts
}

fn cut(groups: usize) -> impl Iterator<Item = Range<usize>> {
    (0..groups.div_ceil(PIECE)).map(move |piece| piece * PIECE..((piece + 1) * PIECE).min(groups))
}

/// The pairs of a group that agree on its key and on none of those before it.
fn walk(table: &Table, key: &Key, before: &[Key], group: &[(u64, u32)], mut visit: impl FnMut(u32, u32)) {
    for (i, (_, a)) in group.iter().enumerate() {
        for (_, b) in &group[i + 1..] {
            if table.apart.holds(*a, *b) {
                continue;
            }
            let agreement = table.agreement(*a, *b);
            if key.holds(agreement) && !before.iter().any(|k| k.holds(agreement)) {
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
}

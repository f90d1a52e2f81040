//! The pairs that keys give, each once: with the first key on which it agrees.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

use crate::block::{self, Key, LARGEST};
use crate::column::Column;

/// Records in the order of a key's groups.
struct Groups {
    /// Key number and record, sorted.
    sorted: Vec<(u64, u32)>,
    /// Where each group of two or more begins and ends.
    bounds: Vec<(u32, u32)>,
}

impl Groups {
    fn new(columns: &[Column], prefixes: &[Vec<u32>], key: &Key) -> Self {
        let rows = columns.first().map_or(0, |c| c.codes.len());
        let numbered =
            (0..rows).filter_map(|r| Some((block::number(columns, prefixes, key, r)?, u32::try_from(r).ok()?)));
        let mut sorted: Vec<(u64, u32)> = numbered.collect();
        sorted.sort_unstable();
        let mut bounds = Vec::new();
        let mut from = 0_usize;
        for group in sorted.chunk_by(|a, b| a.0 == b.0) {
            let to = from + group.len();
            if (2..=LARGEST).contains(&group.len()) {
                bounds.push((u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(u32::MAX)));
            }
            from = to;
        }
        Self { sorted, bounds }
    }
}

/// What is made of the pairs of all keys: one part for each key and piece of its groups, in order, so that the result does not
/// depend on the number of threads.
pub(crate) fn each<T: Send>(
    columns: &[Column],
    prefixes: &[Vec<u32>],
    keys: &[Key],
    threads: NonZeroUsize,
    make: impl Fn(usize) -> T + Sync,
    visit: impl Fn(&mut T, u32, u32) + Sync,
) -> Vec<T> {
    /// Groups of a piece.
    const PIECE: usize = 4_096;
    let mut parts = Vec::new();
    for (place, key) in keys.iter().enumerate() {
        let groups = Groups::new(columns, prefixes, key);
        let pieces: Vec<&[(u32, u32)]> = groups.bounds.chunks(PIECE).collect();
        let one = |piece: &[(u32, u32)]| {
            let mut part = make(place);
            for (from, to) in piece {
                let group = &groups.sorted[*from as usize..*to as usize];
                for (i, (_, a)) in group.iter().enumerate() {
                    for (_, b) in &group[i + 1..] {
                        let agrees = |k: &Key| block::agree(columns, prefixes, k, *a as usize, *b as usize);
                        if agrees(key) && !keys[..place].iter().any(agrees) {
                            visit(&mut part, *a, *b);
                        }
                    }
                }
            }
            part
        };
        parts.extend(map(&pieces, threads, |piece| one(piece)));
    }
    parts
}

/// A function of each item, in order, on some threads that take items as they come.
pub(crate) fn map<I: Sync, T: Send>(items: &[I], threads: NonZeroUsize, f: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            match items.get(place) {
                Some(item) => done.push((place, f(item))),
                None => return done,
            }
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get().min(items.len().max(1))).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|w| w.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, t)| t).collect()
}

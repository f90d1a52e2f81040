//! Work in parts whose results do not depend on how many threads do it.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread::{available_parallelism, scope};

/// Rows of one part: results are summed part by part in order, so the parts must not depend on the machine.
pub const PART: usize = 1 << 16;

/// More threads than this are not worth their start for sums over columns.
const MOST_THREADS: usize = 16;

/// Threads worth starting for so many parts.
pub fn threads_for(parts: usize) -> usize {
    if parts < 2 {
        return 1;
    }
    available_parallelism().map_or(1, NonZeroUsize::get).min(parts).min(MOST_THREADS)
}

/// Applies `work` to every part on up to `threads` threads and returns the results in the order of the parts, the same for
/// any number of threads. A panic in `work` continues here.
pub fn map_parts<I: Send, T: Send>(parts: Vec<I>, threads: usize, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    if threads < 2 || parts.len() < 2 {
        return parts.into_iter().map(work).collect();
    }
    let queue = Mutex::new(parts.into_iter().enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let mut done: Vec<(usize, T)> = scope(|scope| {
        let worker = || {
            let mut mine = Vec::new();
            while let Some((index, part)) = next() {
                mine.push((index, work(part)));
            }
            mine
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let joined = workers.into_iter().map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_their_parts() {
        let parts: Vec<u64> = (0..100).collect();
        let expect: Vec<u64> = (0..100).map(|i| i * i).collect();
        for threads in [0, 1, 2, 7] {
            assert_eq!(map_parts(parts.clone(), threads, |i| i * i), expect);
        }
        assert_eq!(map_parts(Vec::<u64>::new(), 4, |i| i), Vec::<u64>::new());
        assert_eq!((threads_for(0), threads_for(1)), (1, 1));
    }
}

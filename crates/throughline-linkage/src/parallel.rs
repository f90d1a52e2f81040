//! Work on several threads with a result that does not tell how many.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A function of each item, in order, on some threads that take items as they come.
pub(crate) fn map<I: Sync, T: Send>(items: &[I], threads: NonZeroUsize, f: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
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

/// A function that changes each item, on some threads.
pub(crate) fn each_mut<I: Send>(items: &mut [I], threads: NonZeroUsize, f: impl Fn(&mut I) + Sync) {
    let queue = std::sync::Mutex::new(items.iter_mut());
    let work = || {
        loop {
            // A poisoned queue means that another thread panicked; that panic is handed on below.
            let Some(item) = queue.lock().ok().and_then(|mut q| q.next()) else { return };
            f(item);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_worked_on_once_whatever_the_threads() {
        for threads in [1, 3, 8] {
            let threads = NonZeroUsize::new(threads).expect("some");
            let mut items: Vec<u32> = (0..50).collect();
            each_mut(&mut items, threads, |i| *i += 1);
            assert_eq!(map(&items, threads, |i| i * 2), (1..=50).map(|i| i * 2).collect::<Vec<_>>());
        }
        assert!(map(&[] as &[u8], NonZeroUsize::MIN, |i| *i).is_empty());
    }
}

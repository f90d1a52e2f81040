//! What a stage may know of the world, passed in: time, seed, cancellation, progress.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Timestamp;

/// Where progress is shown. Implementations must be cheap; they are called once a batch.
pub trait Progress: Send + Sync {
    /// A stage begins, with a total when it is known.
    fn start(&self, stage: &str, total: Option<u64>);
    /// `done` more units (rows, people, buckets) are finished.
    fn advance(&self, stage: &str, done: u64);
    /// The stage ended, with a line for people.
    fn finish(&self, stage: &str, summary: &str);
    /// The line comes to a stage.
    fn enter(&self, _stage: &str) {}
    /// The line leaves a stage; `ran` of its units were computed, the others stand.
    fn leave(&self, _stage: &str, _ran: usize) {}
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn start(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: &str, _: u64) {}
    fn finish(&self, _: &str, _: &str) {}
}

/// The ambient facts of a run. Nothing below `run` reads a clock, the environment or ambient randomness.
#[derive(Clone)]
pub struct RunContext {
    /// The run's number in its project, from 1; fenced by the lease.
    pub run_seq: u64,
    /// The instant the run began.
    pub now: Timestamp,
    /// What could be known: only events with `available_at ≤ as_of` are read.
    pub as_of: Timestamp,
    /// Seed of every random stream.
    pub seed: u64,
    /// Where progress is shown.
    pub progress: Arc<dyn Progress>,
    cancelled: Arc<AtomicBool>,
}

impl RunContext {
    /// A context with no progress shown.
    pub fn new(run_seq: u64, now: Timestamp, as_of: Timestamp, seed: u64) -> Self {
        Self { run_seq, now, as_of, seed, progress: Arc::new(NoProgress), cancelled: Arc::default() }
    }

    /// Shows progress somewhere.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// Shares a flag that asks the run to stop.
    #[must_use]
    pub fn with_cancel_flag(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancelled = flag;
        self
    }

    /// Asks every stage to stop at its next batch.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The flag behind [`cancel`](Self::cancel), for signal handlers.
    pub fn cancel_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.cancelled)
    }

    /// Whether the run was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunContext")
            .field("run_seq", &self.run_seq)
            .field("now", &self.now)
            .field("as_of", &self.as_of)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

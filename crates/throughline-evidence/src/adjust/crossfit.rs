//! Cross-fitting: each unit's nuisances come from a model that did not see it.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use throughline_learn::{FeatureMatrix, Learner, LearnerInput, Task};
use throughline_stats::stream::Stream;

use super::settings::{data, refused};
use super::study::Study;
use crate::EvidenceError;

/// A partition of the units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of: Vec<u32>,
    count: usize,
}

impl Folds {
    /// Folds of a study: units in the order of their random numbers (streams of `seed`, one per repetition) are dealt out in
    /// turn within each arm, so that folds have equal sizes and shares of treated; with clusters, whole clusters are
    /// dealt. The same for the same seed, on any machine.
    ///
    /// # Errors
    /// Fewer clusters than folds, or folds that leave fewer than 2 units of an arm to learn from (TL397).
    pub fn deal(study: &Study, count: usize, seed: u64, repetition: u64) -> Result<Self, EvidenceError> {
        let stream = Stream::new(seed, 0x666f_6c64 ^ (repetition << 32));
        let deal = |units: &mut [usize], of: &mut [u32], start: usize| {
            units.sort_by_key(|i| (stream.u64_at(*i as u64), *i));
            units.iter().enumerate().for_each(|(k, i)| of[*i] = u32::try_from((k + start) % count).unwrap_or(0));
        };
        let few = |what: &str, got: usize| {
            data("TL397", format!("{got} {what} are too few for {count} folds"), "use fewer folds, at least 2")
        };
        let n = study.n();
        let of = if let Some(codes) = &study.clusters {
            let clusters = codes.iter().max().map_or(0, |m| *m as usize + 1);
            if clusters < count {
                return Err(few("clusters", clusters));
            }
            let mut of_cluster = vec![0; clusters];
            deal(&mut (0..clusters).collect::<Vec<_>>(), &mut of_cluster, 0);
            codes.iter().map(|c| of_cluster[*c as usize]).collect()
        } else {
            let mut of = vec![0; n];
            let mut start = 0;
            for arm in [1.0, 0.0] {
                let in_arm = |i: &usize| !study.binary || study.treatment[*i] == arm;
                let mut units: Vec<usize> = (0..n).filter(in_arm).collect();
                deal(&mut units, &mut of, start);
                start += units.len();
            }
            of
        };
        let folds = Self { of, count };
        if study.binary {
            for arm in [0.0, 1.0] {
                let least = (0..count).map(|f| folds.others(f, |i| study.treatment[i] == arm).len()).min();
                if least.is_none_or(|n| n < 2) {
                    return Err(few(if arm == 1.0 { "treated units" } else { "control units" }, least.unwrap_or(0)));
                }
            }
        }
        Ok(folds)
    }

    /// Folds given as codes from 0, for example those of another program.
    pub fn given(of: Vec<u32>) -> Self {
        let count = of.iter().max().map_or(0, |m| *m as usize + 1);
        Self { of, count }
    }

    /// The fold of each unit.
    pub fn codes(&self) -> &[u32] {
        &self.of
    }

    fn rows(&self, fold: usize) -> Vec<usize> {
        (0..self.of.len()).filter(|i| self.of[*i] as usize == fold).collect()
    }

    fn others(&self, fold: usize, keep: impl Fn(usize) -> bool) -> Vec<usize> {
        (0..self.of.len()).filter(|i| self.of[*i] as usize != fold && keep(*i)).collect()
    }
}

/// One nuisance function: a target learnt on some units and predicted for all.
pub(crate) struct Nuisance<'a> {
    pub(crate) learner: &'a dyn Learner,
    pub(crate) target: &'a [f64],
    pub(crate) task: Task,
    /// Whether a unit may be learnt from; all without.
    pub(crate) only: Option<&'a [bool]>,
}

/// Cross-fitted predictions, one vector per nuisance. Fits run on `threads` threads, each fit on one; the results are those
/// of one thread, bit for bit.
pub(crate) fn cross_fit(
    features: &FeatureMatrix,
    nuisances: &[Nuisance<'_>],
    folds: &Folds,
    threads: Option<NonZeroUsize>,
) -> Result<Vec<Vec<f64>>, EvidenceError> {
    let jobs: Vec<(usize, usize)> =
        (0..nuisances.len()).flat_map(|k| (0..folds.count).map(move |fold| (k, fold))).collect();
    let inner = threads.map(|_| NonZeroUsize::MIN);
    let work = |(k, fold): (usize, usize)| -> Result<(Vec<usize>, Vec<f64>), EvidenceError> {
        let nuisance = &nuisances[k];
        let rows = folds.others(fold, |i| nuisance.only.is_none_or(|only| only[i]));
        let input = LearnerInput {
            features,
            rows: &rows,
            target: nuisance.target,
            weights: None,
            task: nuisance.task,
            threads: inner,
        };
        let held_out = folds.rows(fold);
        let fitted = nuisance.learner.fit(&input).map_err(refused)?;
        let predicted = fitted.predict_rows(features, &held_out).map_err(refused)?;
        Ok((held_out, predicted))
    };
    let results = in_parallel(&jobs, threads, work);
    let mut out = vec![vec![0.0; folds.of.len()]; nuisances.len()];
    for ((k, _), result) in jobs.iter().zip(results) {
        let (rows, predicted) = result?;
        rows.iter().zip(predicted).for_each(|(i, p)| out[*k][*i] = p);
    }
    Ok(out)
}

/// The results of `work` in the order of the jobs.
pub(crate) fn in_parallel<J: Copy + Sync, R: Send>(
    jobs: &[J],
    threads: Option<NonZeroUsize>,
    work: impl Fn(J) -> R + Sync,
) -> Vec<R> {
    let workers = threads.map_or(1, NonZeroUsize::get).min(jobs.len());
    if workers < 2 {
        return jobs.iter().map(|job| work(*job)).collect();
    }
    let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(jobs.len())));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(job) = {
                    let k = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(k).map(|j| (k, *j))
                } {
                    let result = work(job.1);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((job.0, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(k, _)| *k);
    done.into_iter().map(|(_, result)| result).collect()
}

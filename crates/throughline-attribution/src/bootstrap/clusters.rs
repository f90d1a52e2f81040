//! Draws of clusters: persons, households or geos with all their journeys.

use throughline_core::Level;

use super::weights::{BLOCK, counts};
use super::{Inference, transposed, with_intervals};
use crate::journeys::{Ending, Journeys};
use crate::model::credits_of;
use crate::{AttributionError, Credits, CreditsWithIntervals, Model, PathTable, Prepared, Split, Summation, Units};

/// Bytes of resampled outcomes that all threads may hold together.
const BUFFERS: usize = 1 << 30;

/// Credits with intervals for every model, from draws of whole clusters.
///
/// Draw d counts all journeys of a cluster X times, X Poisson with mean 1 and a function of (seed, key of the cluster, d)
/// alone: neither the order of rows nor threads nor other clusters change it, and all models see the same draws. Journeys
/// of one cluster stay together, so that what one person does again and again does not pass for evidence of many.
/// Source: A. Hanley, B. MacGibbon (2006), as for [`bootstrap`](super::bootstrap); for clusters in place of observations A. C. Cameron,
/// J. B. Gelbach, D. L. Miller, "Bootstrap-based improvements for inference with clustered errors", Review of Economics
/// and Statistics 90 (2008).
///
/// Assumes independent clusters, many of them: below about 30 the intervals are too narrow. `n` of the estimates is the
/// number of clusters.
///
/// Models that do not read ages ([`Model::reads_ages`]) are split over the different paths; others see every journey, and
/// of these the models that split paths see only journeys with an outcome. Time is linear in journeys × draws.
pub fn bootstrap_clusters(
    journeys: &Journeys,
    models: &[Box<dyn Model>],
    draws: usize,
    seed: u64,
    level: Level,
) -> Result<Vec<CreditsWithIntervals>, AttributionError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    on_threads(threads, journeys, models, draws, seed, level)
}

/// The tables that models are bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    /// Every different path once.
    Paths,
    /// Every journey with an outcome to be credited.
    Credited,
    /// Every journey.
    All,
}

impl View {
    fn of(model: &dyn Model, journeys: &Journeys) -> Self {
        match (model.reads_ages() && journeys.has_ages(), model.splits_paths()) {
            (false, _) => Self::Paths,
            (true, true) => Self::Credited,
            (true, false) => Self::All,
        }
    }
}

/// A table with one path a journey, and which journeys they are.
struct Timed {
    view: View,
    table: PathTable,
    which: Vec<u32>,
}

fn on_threads(
    threads: usize,
    journeys: &Journeys,
    models: &[Box<dyn Model>],
    draws: usize,
    seed: u64,
    level: Level,
) -> Result<Vec<CreditsWithIntervals>, AttributionError> {
    if draws < 2 {
        return Err(AttributionError::TooFewDraws { draws });
    }
    let views: Vec<View> = models.iter().map(|m| View::of(m.as_ref(), journeys)).collect();
    let timed: Vec<Timed> = [View::Credited, View::All]
        .into_iter()
        .filter(|view| views.contains(view))
        .map(|view| {
            let (table, which) = journeys.timed(view == View::All);
            Timed { view, table, which }
        })
        .collect();
    let table_of = |view: View| timed.iter().find(|t| t.view == view).map_or(journeys.paths(), |t| &t.table);
    let bound = models
        .iter()
        .zip(&views)
        .map(|(model, view)| Ok((*view, model.prepare(table_of(*view))?)))
        .collect::<Result<Vec<_>, AttributionError>>()?;
    let observed = models
        .iter()
        .zip(&bound)
        .map(|(model, (view, prepared))| {
            let split = prepared.split(table_of(*view).units(), Summation::Exact)?;
            credits_of(model.as_ref(), journeys.channels(), journeys.totals(), split)
        })
        .collect::<Result<Vec<Credits>, _>>()?;
    let plan = Plan { journeys, timed: &timed, bound: &bound, seed };
    let method = format!("poisson bootstrap over {}, {draws} draws", journeys.unit());
    let inference = Inference { method, units: journeys.clusters(), seed, level };
    with_intervals(observed, transposed(plan.run(threads, draws), models.len())?, &inference)
}

/// Everything that the draws share.
struct Plan<'a> {
    journeys: &'a Journeys,
    timed: &'a [Timed],
    bound: &'a [(View, Box<dyn Prepared + 'a>)],
    seed: u64,
}

impl Plan<'_> {
    fn run(&self, threads: usize, draws: usize) -> Vec<Result<Vec<Split>, AttributionError>> {
        let rows = self.timed.iter().map(|t| t.which.len()).chain([self.journeys.paths().len()]).max().unwrap_or(0);
        let bytes = self.journeys.len() * BLOCK + rows * 3 * size_of::<f64>();
        let blocks = draws.div_ceil(BLOCK);
        let threads = threads.min(BUFFERS / bytes.max(1)).clamp(1, blocks);
        let per_thread = blocks.div_ceil(threads);
        let mut results: Vec<Result<Vec<Split>, AttributionError>> = vec![Ok(Vec::new()); draws];
        std::thread::scope(|scope| {
            for (chunk, slots) in results.chunks_mut(per_thread * BLOCK).enumerate() {
                scope.spawn(move || {
                    let mut drawn: [Vec<u8>; BLOCK] = std::array::from_fn(|_| vec![0; self.journeys.len()]);
                    let mut units = Resampled::default();
                    for (block, slots) in slots.chunks_mut(BLOCK).enumerate() {
                        self.draw((chunk * per_thread + block) as u64, &mut drawn);
                        for (slot, counts) in slots.iter_mut().zip(&drawn) {
                            *slot = self.split(counts, &mut units);
                        }
                    }
                });
            }
        });
        results
    }

    /// How often each journey counts in the draws of a block.
    fn draw(&self, block: u64, drawn: &mut [Vec<u8>; BLOCK]) {
        let [a, b, c, d] = drawn;
        let rows = a.iter_mut().zip(b).zip(c.iter_mut().zip(d));
        for (key, ((a, b), (c, d))) in self.journeys.keys().iter().zip(rows) {
            [*a, *b, *c, *d] = counts(self.seed, *key, block);
        }
    }

    /// Every model's credits in one draw.
    fn split(&self, counts: &[u8], units: &mut Resampled) -> Result<Vec<Split>, AttributionError> {
        let mut splits: Vec<Option<Split>> = vec![None; self.bound.len()];
        let mut views: Vec<Option<&Timed>> = self.timed.iter().map(Some).collect();
        views.push(None);
        for timed in views {
            let view = timed.map_or(View::Paths, |t| t.view);
            if !self.bound.iter().any(|(v, _)| *v == view) {
                continue;
            }
            match timed {
                Some(timed) => units.by_journey(self.journeys, &timed.which, counts),
                None => units.by_path(self.journeys, counts),
            }
            for (slot, (_, prepared)) in splits.iter_mut().zip(self.bound).filter(|(_, (v, _))| *v == view) {
                *slot = Some(prepared.split(units.units(), Summation::InOrder)?);
            }
        }
        // Every model has a view, and every view was visited.
        Ok(splits.into_iter().flatten().collect())
    }
}

/// Resampled outcomes of the rows of a view.
#[derive(Debug, Default)]
struct Resampled {
    conversions: Vec<f64>,
    values: Vec<f64>,
    nulls: Vec<f64>,
}

impl Resampled {
    fn units(&self) -> Units<'_> {
        Units { conversions: &self.conversions, values: &self.values, nulls: &self.nulls }
    }

    fn clear(&mut self, rows: usize) {
        for column in [&mut self.conversions, &mut self.values, &mut self.nulls] {
            column.clear();
            column.reserve(rows);
        }
    }

    fn push(&mut self, conversions: u32, value: f64, nulls: u32) {
        self.conversions.push(f64::from(conversions));
        self.values.push(value);
        self.nulls.push(f64::from(nulls));
    }

    fn by_path(&mut self, journeys: &Journeys, drawn: &[u8]) {
        let paths = journeys.paths().len();
        self.clear(paths);
        for path in 0..paths {
            let range = journeys.taken(path);
            let (mut conversions, mut nulls, mut value) = (0, 0, 0.0);
            let lines = journeys.endings()[range.clone()].iter().zip(&journeys.values()[range.clone()]);
            for ((ending, worth), count) in lines.zip(&drawn[range]) {
                let count = u32::from(*count);
                conversions += count * u32::from(*ending == Ending::Conversion);
                nulls += count * u32::from(*ending == Ending::Null);
                value += f64::from(count) * worth;
            }
            self.push(conversions, value, nulls);
        }
    }

    fn by_journey(&mut self, journeys: &Journeys, which: &[u32], drawn: &[u8]) {
        self.clear(which.len());
        for journey in which {
            let at = *journey as usize;
            let count = u32::from(drawn[at]);
            let of = |ending: Ending| count * u32::from(journeys.endings()[at] == ending);
            self.push(of(Ending::Conversion), f64::from(count) * journeys.values()[at], of(Ending::Null));
        }
    }
}

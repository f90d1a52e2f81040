//! Draws of clusters: persons, households or geos with all their journeys.

use throughline_core::Level;

use super::weights::{BLOCK, ClusterStream};
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
    let streams = journeys.keys().iter().map(|key| ClusterStream::new(seed, *key)).collect();
    let plan = Plan { journeys, timed: &timed, bound: &bound, streams };
    let method = format!("poisson bootstrap over {}, {draws} draws", journeys.unit());
    let inference = Inference { method, units: journeys.clusters(), seed, level };
    with_intervals(observed, transposed(plan.run(threads, draws), models.len())?, &inference)
}

/// Everything that the draws share.
struct Plan<'a> {
    journeys: &'a Journeys,
    timed: &'a [Timed],
    bound: &'a [(View, Box<dyn Prepared + 'a>)],
    streams: Vec<ClusterStream>,
}

impl Plan<'_> {
    fn run(&self, threads: usize, draws: usize) -> Vec<Result<Vec<Split>, AttributionError>> {
        let timed = self.timed.iter().map(|t| t.which.len()).max().unwrap_or(0);
        let bytes = (self.journeys.paths().len() * BLOCK + timed) * 3 * size_of::<f64>();
        let blocks = draws.div_ceil(BLOCK);
        let threads = threads.min(BUFFERS / bytes.max(1)).clamp(1, blocks);
        let per_thread = blocks.div_ceil(threads);
        let mut results: Vec<Result<Vec<Split>, AttributionError>> = vec![Ok(Vec::new()); draws];
        std::thread::scope(|scope| {
            for (chunk, slots) in results.chunks_mut(per_thread * BLOCK).enumerate() {
                scope.spawn(move || {
                    let mut units = Resampled::default();
                    for (block, slots) in slots.chunks_mut(BLOCK).enumerate() {
                        self.block((chunk * per_thread + block) as u64, slots, &mut units);
                    }
                });
            }
        });
        results
    }

    /// Every model's credits in the draws of a block.
    fn block(&self, block: u64, slots: &mut [Result<Vec<Split>, AttributionError>], units: &mut Resampled) {
        let whole: Vec<usize> = self.models_of(View::Paths);
        if !whole.is_empty() {
            units.by_path(self.journeys, &self.streams, block);
        }
        for (lane, slot) in slots.iter_mut().enumerate() {
            let mut splits: Vec<Option<Split>> = vec![None; self.bound.len()];
            let mut split = |models: &[usize], units: Units<'_>| {
                models.iter().try_for_each(|model| {
                    splits[*model] = Some(self.bound[*model].1.split(units, Summation::InOrder)?);
                    Ok(())
                })
            };
            let mut done = split(&whole, units.paths[lane].units());
            for timed in self.timed {
                units.by_journey(self.journeys, &timed.which, |journey| self.streams[journey].counts(block)[lane]);
                done = done.and_then(|()| split(&self.models_of(timed.view), units.timed.units()));
            }
            // Every model has a view, and every view was visited.
            *slot = done.map(|()| splits.into_iter().flatten().collect());
        }
    }

    fn models_of(&self, view: View) -> Vec<usize> {
        (0..self.bound.len()).filter(|model| self.bound[*model].0 == view).collect()
    }
}

/// Resampled outcomes of the rows of a view.
#[derive(Debug, Default)]
struct Columns {
    conversions: Vec<f64>,
    values: Vec<f64>,
    nulls: Vec<f64>,
}

impl Columns {
    fn units(&self) -> Units<'_> {
        Units { conversions: &self.conversions, values: &self.values, nulls: &self.nulls }
    }

    fn clear(&mut self, rows: usize) {
        for column in [&mut self.conversions, &mut self.values, &mut self.nulls] {
            column.clear();
            column.reserve(rows);
        }
    }

    #[inline]
    fn push(&mut self, conversions: u32, value: f64, nulls: u32) {
        self.conversions.push(f64::from(conversions));
        self.values.push(value);
        self.nulls.push(f64::from(nulls));
    }
}

/// Buffers of a thread: the paths in every draw of a block, and journeys in one draw.
#[derive(Debug, Default)]
struct Resampled {
    paths: [Columns; BLOCK],
    timed: Columns,
}

impl Resampled {
    fn by_path(&mut self, journeys: &Journeys, streams: &[ClusterStream], block: u64) {
        let paths = journeys.paths().len();
        self.paths.iter_mut().for_each(|columns| columns.clear(paths));
        for path in 0..paths {
            let range = journeys.taken(path);
            let (mut conversions, mut nulls, mut values) = ([0_u32; BLOCK], [0_u32; BLOCK], [0.0; BLOCK]);
            let lines = journeys.endings()[range.clone()].iter().zip(&journeys.values()[range.clone()]);
            for ((ending, worth), stream) in lines.zip(&streams[range]) {
                let counts = stream.counts(block).map(u32::from);
                let (converted, null) = (u32::from(*ending == Ending::Conversion), u32::from(*ending == Ending::Null));
                for lane in 0..BLOCK {
                    conversions[lane] += counts[lane] * converted;
                    nulls[lane] += counts[lane] * null;
                    values[lane] += f64::from(counts[lane]) * worth;
                }
            }
            for (lane, columns) in self.paths.iter_mut().enumerate() {
                columns.push(conversions[lane], values[lane], nulls[lane]);
            }
        }
    }

    fn by_journey(&mut self, journeys: &Journeys, which: &[u32], count: impl Fn(usize) -> u8) {
        self.timed.clear(which.len());
        for journey in which {
            let at = *journey as usize;
            let count = u32::from(count(at));
            let of = |ending: Ending| count * u32::from(journeys.endings()[at] == ending);
            self.timed.push(of(Ending::Conversion), f64::from(count) * journeys.values()[at], of(Ending::Null));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cluster_key, read_spec};

    #[test]
    fn threads_change_no_bit() {
        let mut builder = Journeys::builder("persons");
        for i in 0..400_u32 {
            let from = (i % 3) as usize;
            let steps = &["a", "b", "a", "c"][from..=from + usize::from(i % 2 == 1)];
            let ages: Vec<i64> =
                (0_i64..).take(steps.len()).map(|k| (i64::from(i * 7) + k) % 90 * 3_600_000_000).collect();
            let ending = [Ending::Conversion, Ending::Null, Ending::Adjustment][(i % 5 % 3) as usize];
            let key = (i % 7 > 0).then(|| cluster_key(&(i % 90).to_string()));
            assert!(builder.push(steps, Some(&ages), key, ending, 0.1 * f64::from(i % 11)));
        }
        let (journeys, _) = builder.build();
        let specs = ["first", "time_decay:1d", "markov:2", "leave_one_out", "participation"];
        let models: Vec<_> = specs.iter().map(|s| read_spec(s).expect("a model")).collect();
        let run = |threads, draws| on_threads(threads, &journeys, &models, draws, 5, Level::P90).expect("defined");
        let expect = format!("{:?}", run(1, 27));
        for threads in [2, 3, 64] {
            assert_eq!(format!("{:?}", run(threads, 27)), expect, "{threads} threads");
        }
        // More draws begin with the same ones.
        let (few, many) = (run(2, 27), run(2, 50));
        let of = |found: &[CreditsWithIntervals]| found[2].draws_of(1, crate::Quantity::Value).expect("b");
        assert_eq!(of(&few)[..], of(&many)[..27]);
    }
}

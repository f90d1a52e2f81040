//! Intervals by a Poisson bootstrap with draws shared by all models.

use serde::Serialize;
use throughline_core::{Estimate, Level};
use throughline_stats::stream::{Poisson, Stream};

use crate::{AttributionError, Credits, Model, PathTable, Prepared, Split, Summation, Units, contribution_share};

/// Draws used where nothing else is asked for.
pub const DEFAULT_DRAWS: usize = 200;

/// The credit of one channel with its uncertainty.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChannelIntervals {
    /// The channel.
    pub channel: String,
    /// Conversions credited.
    pub conversions: Estimate,
    /// Value credited.
    pub value: Estimate,
    /// Removal effect, where the model defines it.
    pub removal_effect: Option<Estimate>,
    /// Conversions credited as a share of all the model credits; 0 where it credits none.
    pub share: Estimate,
}

/// What two models can be compared in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Conversions credited.
    Conversions,
    /// Value credited.
    Value,
}

/// Credits of one model with intervals from draws.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreditsWithIntervals {
    /// The credits of the observed outcomes.
    pub credits: Credits,
    /// One entry per channel, in the order of `credits`. Intervals contain their estimate.
    pub intervals: Vec<ChannelIntervals>,
    /// How the intervals were made.
    pub method: String,
    /// Number of draws.
    pub draws: usize,
    /// Seed of the draws.
    pub seed: u64,
    /// Level of the intervals.
    pub level: Level,
    #[serde(skip)]
    splits: Vec<Split>,
    #[serde(skip)]
    units: u64,
}

impl CreditsWithIntervals {
    /// The credit of channel number `channel` with an interval at another level, from the same draws: intervals of one
    /// credit at two levels lie within each other.
    pub fn at_level(&self, channel: usize, what: Quantity, level: Level) -> Result<Estimate, AttributionError> {
        let credits = self.credits.channels().get(channel).ok_or(AttributionError::NoChannel { channel })?;
        let (value, draws): (f64, Vec<f64>) = match what {
            Quantity::Conversions => {
                (credits.conversions, self.splits.iter().map(|s| s.conversions[channel]).collect())
            }
            Quantity::Value => (credits.value, self.splits.iter().map(|s| s.value[channel]).collect()),
        };
        Ok(Estimate::from_draws(value, &draws, self.units, level, self.method.as_str())?)
    }

    /// This model's credit minus another's, for channel number `channel`. Both saw the same resampled outcomes, so what
    /// moves them together cancels. Both must come from one call of [`bootstrap`].
    pub fn difference(&self, other: &Self, channel: usize, what: Quantity) -> Result<Estimate, AttributionError> {
        let same = |a: &Self, b: &Self| {
            (a.draws, a.seed, a.units, a.intervals.len()) == (b.draws, b.seed, b.units, b.intervals.len())
        };
        if !same(self, other) || channel >= self.intervals.len() {
            let name = |c: &Self| c.credits.model().to_owned();
            return Err(AttributionError::NotComparable { left: name(self), right: name(other) });
        }
        let of_split = |s: &Split| match what {
            Quantity::Conversions => s.conversions[channel],
            Quantity::Value => s.value[channel],
        };
        let of_credits = |c: &Credits| match what {
            Quantity::Conversions => c.channels()[channel].conversions,
            Quantity::Value => c.channels()[channel].value,
        };
        let draws: Vec<f64> = self.splits.iter().zip(&other.splits).map(|(a, b)| of_split(a) - of_split(b)).collect();
        let value = of_credits(&self.credits) - of_credits(&other.credits);
        Ok(Estimate::from_draws(value, &draws, self.units, self.level, self.method.as_str())?)
    }
}

/// Credits with intervals for every model.
///
/// Each conversion and each journey without conversion is a unit; a draw counts each unit Poisson(1) times, so a row of c
/// conversions counts Poisson(c) times and a row's value in proportion to its conversions (a row of value without
/// conversions counts as one unit). Draw d is stream d of the seed and rows are taken in an order that depends on their
/// content only: the result is the same for any order of rows and any number of threads. All models see the same draws.
/// Source: A. Hanley, B. MacGibbon, "Creating non-parametric bootstrap samples using Poisson frequencies", Computer
/// Methods and Programs in Biomedicine 83 (2006).
///
/// Assumes independent units; where one person converts more than once the intervals are too narrow.
pub fn bootstrap(
    table: &PathTable,
    models: &[Box<dyn Model>],
    draws: usize,
    seed: u64,
    level: Level,
) -> Result<Vec<CreditsWithIntervals>, AttributionError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    bootstrap_on(threads, table, models, draws, seed, level)
}

/// [`bootstrap`] on so many threads, which changes nothing but the time it takes.
fn bootstrap_on(
    threads: usize,
    table: &PathTable,
    models: &[Box<dyn Model>],
    draws: usize,
    seed: u64,
    level: Level,
) -> Result<Vec<CreditsWithIntervals>, AttributionError> {
    if draws < 2 {
        return Err(AttributionError::TooFewDraws { draws });
    }
    let observed: Vec<Credits> = models.iter().map(|m| m.attribute(table)).collect::<Result<_, _>>()?;
    let canonical = table.canonical();
    let prepared: Vec<_> = models.iter().map(|m| m.prepare(&canonical)).collect::<Result<_, _>>()?;
    let sampler = Sampler::new(&canonical);
    let mut replicates: Vec<Result<Vec<Split>, AttributionError>> = vec![Ok(Vec::new()); draws];
    let per_thread = draws.div_ceil(threads.max(1));
    std::thread::scope(|scope| {
        for (chunk, slots) in replicates.chunks_mut(per_thread).enumerate() {
            let (prepared, sampler) = (&prepared, &sampler);
            scope.spawn(move || {
                let mut resampled = Resampled::default();
                for (i, slot) in slots.iter_mut().enumerate() {
                    sampler.draw(Stream::new(seed, (chunk * per_thread + i) as u64), &mut resampled);
                    *slot = split_all(prepared, resampled.units());
                }
            });
        }
    });
    let mut by_model: Vec<Vec<Split>> = models.iter().map(|_| Vec::with_capacity(draws)).collect();
    for replicate in replicates {
        for (splits, split) in by_model.iter_mut().zip(replicate?) {
            splits.push(split);
        }
    }
    observed.into_iter().zip(by_model).map(|(credits, splits)| with_intervals(credits, splits, seed, level)).collect()
}

fn split_all(prepared: &[Box<dyn Prepared + '_>], units: Units<'_>) -> Result<Vec<Split>, AttributionError> {
    prepared.iter().map(|p| p.split(units, Summation::InOrder)).collect()
}

fn with_intervals(
    credits: Credits,
    splits: Vec<Split>,
    seed: u64,
    level: Level,
) -> Result<CreditsWithIntervals, AttributionError> {
    let totals = credits.totals();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "counts are at least 0; the cast saturates"
    )]
    let units = (totals.conversions + totals.nulls).round() as u64;
    let method = format!("poisson bootstrap over journeys, {} draws", splits.len());
    let estimate = |value: f64, of: &dyn Fn(&Split) -> f64| {
        let draws: Vec<f64> = splits.iter().map(of).collect();
        Estimate::from_draws(value, &draws, units, level, method.as_str())
    };
    let whole = credits.channels().iter().map(|c| c.conversions).sum();
    let wholes: Vec<f64> = splits.iter().map(|s| s.conversions.iter().sum()).collect();
    let share = |credit: f64, i: usize| {
        let draws: Vec<f64> =
            splits.iter().zip(&wholes).map(|(s, whole)| contribution_share(s.conversions[i], *whole)).collect();
        Estimate::from_draws(contribution_share(credit, whole), &draws, units, level, method.as_str())
    };
    let intervals = credits
        .channels()
        .iter()
        .enumerate()
        .map(|(i, c)| {
            let effect = |s: &Split| s.removal_effect.as_ref().map_or(0.0, |e| e[i]);
            Ok(ChannelIntervals {
                channel: c.channel.clone(),
                conversions: estimate(c.conversions, &|s| s.conversions[i])?,
                value: estimate(c.value, &|s| s.value[i])?,
                removal_effect: c.removal_effect.map(|e| estimate(e, &effect)).transpose()?,
                share: share(c.conversions, i)?,
            })
        })
        .collect::<Result<_, AttributionError>>()?;
    Ok(CreditsWithIntervals { intervals, method, draws: splits.len(), seed, level, splits, units, credits })
}

/// Resampled outcomes, one entry per row.
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
}

/// Poisson distributions of the table's counts, one per different count.
struct Sampler {
    distributions: Vec<Poisson>,
    rows: Vec<Row>,
}

/// How one row is drawn: numbers of distributions, 0 for a count of 0.
struct Row {
    conversions: usize,
    nulls: usize,
    /// Value per unit drawn.
    unit_value: f64,
    /// Whether the units drawn are conversions, and not a value without any.
    converts: bool,
}

impl Sampler {
    fn new(table: &PathTable) -> Self {
        let units = table.units();
        // Value without conversions is one unit.
        let size = |row: usize| match units.conversions[row] {
            0.0 if units.values[row] != 0.0 => 1.0,
            conversions => conversions,
        };
        let mut means: Vec<f64> = (0..table.len()).map(size).chain(units.nulls.iter().copied()).chain([0.0]).collect();
        means.sort_by(f64::total_cmp);
        means.dedup();
        let number = |mean: f64| means.binary_search_by(|m| m.total_cmp(&mean)).unwrap_or(0);
        let rows = (0..table.len())
            .map(|row| Row {
                conversions: number(size(row)),
                nulls: number(units.nulls[row]),
                unit_value: if size(row) > 0.0 { units.values[row] / size(row) } else { 0.0 },
                converts: units.conversions[row] > 0.0,
            })
            .collect();
        // The table holds finite counts of at least 0 and up to 2^53, so every mean has a distribution.
        let distributions = means.iter().filter_map(|&m| Poisson::new(m)).collect();
        Self { distributions, rows }
    }

    fn draw(&self, stream: Stream, into: &mut Resampled) {
        for column in [&mut into.conversions, &mut into.values, &mut into.nulls] {
            column.clear();
            column.reserve(self.rows.len());
        }
        for (row, block) in self.rows.iter().zip(0..) {
            let words = stream.pair_at(block);
            let units = self.distributions[row.conversions].draw(words[0]);
            into.conversions.push(if row.converts { units } else { 0.0 });
            into.values.push(row.unit_value * units);
            into.nulls.push(self.distributions[row.nulls].draw(words[1]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::table;
    use crate::read_spec;

    fn models(specs: &[&str]) -> Vec<Box<dyn Model>> {
        specs.iter().map(|s| read_spec(s).expect("a model")).collect()
    }

    fn rows() -> Vec<(&'static str, f64, f64, f64)> {
        vec![
            ("a b", 30.0, 300.0, 100.0),
            ("b", 12.0, 130.0, 400.0),
            ("c a", 1.0, 9.0, 3.0),
            ("c", 0.0, -5.0, 0.0),
            ("c", 1.0, 5.0, 0.0),
            ("b c b", 0.5, 5.0, 700.0),
        ]
    }

    #[test]
    fn threads_and_the_order_of_rows_change_nothing() {
        let models = models(&["last", "markov:1", "markov:2", "leave_one_out", "shapley_simplified"]);
        let run = |threads, rows: &[_]| bootstrap_on(threads, &table(rows), &models, 23, 5, Level::P90).expect("runs");
        let expect = run(1, &rows());
        let mut turned = rows();
        turned.rotate_left(2);
        turned.swap(0, 3);
        for (threads, rows) in [(2, &rows()), (7, &rows()), (64, &rows()), (2, &turned)] {
            // The fixed debug form of an `f64` reads back to the same bits.
            assert_eq!(format!("{:?}", run(threads, rows)), format!("{expect:?}"), "{threads} threads");
        }
        let other = bootstrap_on(1, &table(&rows()), &models, 23, 6, Level::P90).expect("runs");
        assert_ne!(other, expect, "another seed draws other units");
    }

    #[test]
    fn the_spread_is_poisson() {
        // Last touch: b's credit is Poisson(400), a's value is 5 · Poisson(100).
        let table = table(&[("a b", 400.0, 0.0, 9.0), ("a", 100.0, 500.0, 3.0)]);
        let result = &bootstrap(&table, &models(&["last"]), 4000, 1, Level::P95).expect("runs")[0];
        // Standard error of a standard deviation over 4000 draws: about 1.1 %; five of them.
        for (estimate, sd) in [(&result.intervals[1].conversions, 20.0), (&result.intervals[0].value, 50.0)] {
            let got = estimate.std_error.expect("draws");
            assert!((got / sd - 1.0).abs() < 0.057, "{got} against {sd}");
            assert!(estimate.set.contains(estimate.value));
        }
        assert_eq!((result.units, result.method.as_str()), (512, "poisson bootstrap over journeys, 4000 draws"));
    }

    #[test]
    fn shared_draws_make_differences_narrow() {
        let table = table(&[("a b", 400.0, 4.0, 9.0), ("b a", 390.0, 3.0, 3.0), ("a", 1000.0, 7.0, 0.0)]);
        let results = bootstrap(&table, &models(&["linear", "u", "last"]), 500, 1, Level::P95).expect("runs");
        let equal = results[0].difference(&results[1], 0, Quantity::Conversions).expect("comparable");
        assert_eq!((equal.value, equal.std_error), (0.0, Some(0.0)), "on two touches linear is U");
        let moved = results[0].difference(&results[2], 0, Quantity::Conversions).expect("comparable");
        // (Poisson(400) − Poisson(390)) / 2 has a standard deviation of 14; the credits themselves of 37.
        assert!((moved.std_error.expect("draws") / (790.0_f64.sqrt() / 2.0) - 1.0).abs() < 0.16, "{moved:?}");
        let elsewhere = bootstrap(&table, &models(&["last"]), 500, 2, Level::P95).expect("runs");
        assert!(results[0].difference(&elsewhere[0], 0, Quantity::Value).is_err());
        assert!(results[0].difference(&results[1], 9, Quantity::Value).is_err());
    }

    #[test]
    fn degenerate_tables_have_intervals() {
        let models = models(&["linear", "markov:1", "leave_one_out"]);
        for rows in [vec![], vec![("a", 0.0, 0.0, 5.0)], vec![("a", 3.0, -9.0, 0.0)], vec![("a", 0.0, 4.0, 0.0)]] {
            for result in bootstrap(&table(&rows), &models, 50, 3, Level::P95).expect("defined") {
                for channel in &result.intervals {
                    let (low, high) = channel.value.interval();
                    assert!(low.is_finite() && high.is_finite() && channel.value.set.contains(channel.value.value));
                }
            }
        }
        let few = bootstrap(&table(&rows()), &models, 1, 3, Level::P95).expect_err("too few");
        assert_eq!(few, AttributionError::TooFewDraws { draws: 1 });
    }
}

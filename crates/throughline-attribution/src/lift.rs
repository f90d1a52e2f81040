//! Contribution shares, and path lift: how the conversion rate differs between paths with and without a channel.

use serde::Serialize;
use throughline_core::estimate::EstimateError;
use throughline_core::{Estimate, Level};
use throughline_stats::sum::ExactSum;

use crate::model::Accumulate;
use crate::{AttributionError, PathTable, Summation, Units};

/// A channel's credit as a share of all credit; 0 where there is none. Shares of one model add up to 1, and lie between
/// 0 and 1 unless the model has negative credits.
pub fn contribution_share(credit: f64, total: f64) -> f64 {
    if total == 0.0 { 0.0 } else { credit / total }
}

/// Conversions and journeys of paths with a channel and of paths without it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LiftCounts {
    /// Conversions of paths that hold the channel.
    pub conversions_with: f64,
    /// Journeys (conversions and nulls) of paths that hold the channel.
    pub journeys_with: f64,
    /// Conversions of paths without it.
    pub conversions_without: f64,
    /// Journeys of paths without it.
    pub journeys_without: f64,
}

impl LiftCounts {
    /// Conversion rate of paths with the channel; `None` without such journeys.
    pub fn rate_with(&self) -> Option<f64> {
        (self.journeys_with > 0.0).then(|| self.conversions_with / self.journeys_with)
    }

    /// Conversion rate of paths without the channel; `None` without such journeys.
    pub fn rate_without(&self) -> Option<f64> {
        (self.journeys_without > 0.0).then(|| self.conversions_without / self.journeys_without)
    }

    /// Rate with minus rate without; `None` where a side is empty.
    pub fn difference(&self) -> Option<f64> {
        Some(self.rate_with()? - self.rate_without()?)
    }

    /// Rate with over rate without; `None` where a side is empty or nothing converts without the channel.
    pub fn ratio(&self) -> Option<f64> {
        let without = self.rate_without().filter(|rate| *rate > 0.0)?;
        Some(self.rate_with()? / without)
    }
}

/// The channels of each path, for counting outcomes by them.
#[derive(Debug, Clone)]
pub struct LiftCounter {
    channels: usize,
    ends: Vec<usize>,
    /// The different channels of each path in turn.
    present: Vec<u32>,
}

impl LiftCounter {
    /// Binds to the paths of a table.
    pub fn new(table: &PathTable) -> Self {
        let channels = table.channels().len();
        let mut counter = Self { channels, ends: Vec::with_capacity(table.len()), present: Vec::new() };
        let mut last_seen = vec![0_usize; channels];
        for (number, path) in (1..).zip(table.paths()) {
            for &step in path.steps {
                if last_seen[step as usize] != number {
                    last_seen[step as usize] = number;
                    counter.present.push(step);
                }
            }
            counter.ends.push(counter.present.len());
        }
        counter
    }

    /// Counts by channel for observed or resampled outcomes of the table.
    pub fn counts(&self, units: Units<'_>, summation: Summation) -> Vec<LiftCounts> {
        match summation {
            Summation::Exact => self.sum::<ExactSum>(units),
            Summation::InOrder => self.sum::<f64>(units),
        }
    }

    fn sum<A: Accumulate>(&self, units: Units<'_>) -> Vec<LiftCounts> {
        let mut with = vec![<[A; 2]>::default(); self.channels];
        let mut all = <[A; 2]>::default();
        let mut start = 0;
        for ((&end, &conversions), &nulls) in self.ends.iter().zip(units.conversions).zip(units.nulls) {
            all[0].add(conversions);
            all[1].add(nulls);
            for &channel in &self.present[start..end] {
                with[channel as usize][0].add(conversions);
                with[channel as usize][1].add(nulls);
            }
            start = end;
        }
        with.iter()
            .map(|with| {
                let (conversions, nulls) = (with[0].total(), with[1].total());
                // What rounding leaves of an empty side is nothing; fractional counts are rare and never that small.
                let without = |k: usize| {
                    let (all, with) = (all[k].total(), with[k].total());
                    if all - with > 1e-12 * all { all - with } else { 0.0 }
                };
                LiftCounts {
                    conversions_with: conversions,
                    journeys_with: conversions + nulls,
                    conversions_without: without(0),
                    journeys_without: without(0) + without(1),
                }
            })
            .collect()
    }
}

/// The path lift of one channel. An association: who meets a channel differs from who does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathLift {
    /// The channel.
    pub channel: String,
    /// The observed counts.
    pub counts: LiftCounts,
    /// Rate with minus rate without; absent where a side is empty.
    pub difference: Option<Estimate>,
    /// Rate with over rate without; absent where a side is empty or nothing converts without the channel. Draws in which
    /// nothing converts without it count as infinite: the interval then has no upper end, and there is no standard error.
    pub ratio: Option<Estimate>,
}

/// Path lift of every channel: observed counts, and those of draws ([`LiftCounter::counts`] of resampled outcomes) for
/// the intervals. Draws in which a side is empty say nothing and are left out; with fewer than two others the estimate is
/// absent too. `units` and `method` describe the draws.
///
/// lift = conversion rate of paths that hold the channel over (minus) that of paths without it; "path" as in the table,
/// each weighing its journeys.
pub fn path_lift(
    table: &PathTable,
    draws: &[Vec<LiftCounts>],
    units: u64,
    level: Level,
    method: &str,
) -> Result<Vec<PathLift>, AttributionError> {
    if draws.len() < 2 {
        return Err(AttributionError::TooFewDraws { draws: draws.len() });
    }
    let observed = LiftCounter::new(table).counts(table.units(), Summation::Exact);
    table
        .channels()
        .iter()
        .zip(observed)
        .enumerate()
        .map(|(c, (channel, counts))| {
            let of = |what: fn(&LiftCounts) -> Option<f64>| -> Vec<f64> {
                draws.iter().filter_map(|d| d.get(c).and_then(what)).collect()
            };
            let estimate = |value: Option<f64>, draws: &[f64]| match value {
                Some(value) => absent(Estimate::from_draws(value, draws, units, level, method)),
                None => Ok(None),
            };
            Ok(PathLift {
                channel: channel.clone(),
                counts,
                difference: estimate(counts.difference(), &of(LiftCounts::difference))?,
                ratio: estimate(counts.ratio(), &of(endless_ratio))?.map(open_above),
            })
        })
        .collect()
}

/// Stands for an infinite ratio among the draws, which must be finite.
const ENDLESS: f64 = f64::MAX;

fn endless_ratio(counts: &LiftCounts) -> Option<f64> {
    match (counts.rate_with()?, counts.rate_without()?) {
        (with, without) if without > 0.0 => Some(with / without),
        (with, _) if with > 0.0 => Some(ENDLESS),
        _ => None,
    }
}

fn open_above(mut estimate: Estimate) -> Estimate {
    for part in &mut estimate.set.0 {
        part.1 = if part.1 >= ENDLESS { f64::INFINITY } else { part.1 };
    }
    estimate.std_error = estimate.std_error.filter(|e| e.is_finite());
    estimate
}

fn absent(estimate: Result<Estimate, EstimateError>) -> Result<Option<Estimate>, AttributionError> {
    match estimate {
        Ok(estimate) => Ok(Some(estimate)),
        Err(EstimateError::TooFewDraws { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::table;

    fn counts(with: (f64, f64), without: (f64, f64)) -> LiftCounts {
        LiftCounts {
            conversions_with: with.0,
            journeys_with: with.1,
            conversions_without: without.0,
            journeys_without: without.1,
        }
    }

    #[test]
    fn by_hand() {
        let table = table(&[("a b a", 3.0, 0.0, 1.0), ("a", 1.0, 0.0, 3.0), ("b", 1.0, 0.0, 7.0)]);
        for summation in [Summation::Exact, Summation::InOrder] {
            let got = LiftCounter::new(&table).counts(table.units(), summation);
            assert_eq!(got, [counts((4.0, 8.0), (1.0, 8.0)), counts((4.0, 12.0), (1.0, 4.0))]);
            assert_eq!((got[0].ratio(), got[0].difference()), (Some(4.0), Some(0.375)));
        }
    }

    #[test]
    fn empty_sides_are_absent() {
        let table = table(&[("a b", 3.0, 0.0, 1.0), ("a", 0.0, 0.0, 3.0), ("a c", 0.0, 0.0, 0.0)]);
        let draws = vec![LiftCounter::new(&table).counts(table.units(), Summation::InOrder); 50];
        let lift = path_lift(&table, &draws, 7, Level::P90, "draws").expect("defined");
        // Every path holds a; nothing converts without b; no journey holds c.
        assert_eq!((&lift[0].difference, &lift[0].ratio), (&None, &None));
        assert_eq!((lift[1].difference.as_ref().map(|e| e.value), &lift[1].ratio), (Some(0.75), &None));
        assert_eq!((&lift[2].difference, &lift[2].ratio, lift[2].counts.rate_with()), (&None, &None, None));
        assert!(path_lift(&table, &draws[..1], 7, Level::P90, "draws").is_err());
        assert!(path_lift(&PathTable::default(), &draws, 0, Level::P90, "draws").expect("defined").is_empty());
    }

    #[test]
    fn intervals_come_from_draws() {
        let table = table(&[("a", 4.0, 0.0, 4.0), ("b", 2.0, 0.0, 6.0)]);
        let mut draws: Vec<Vec<LiftCounts>> =
            (0..99).map(|i| vec![counts((4.0, 8.0), (f64::from(i % 3 + 1), 8.0)); 2]).collect();
        let lift = path_lift(&table, &draws, 16, Level::P90, "draws").expect("defined");
        let ratio = lift[0].ratio.as_ref().expect("defined");
        assert_eq!((ratio.value, ratio.interval(), ratio.n), (2.0, (4.0 / 3.0, 4.0), 16));
        assert!(ratio.std_error.is_some());
        // One draw in eight without any conversion on the other side.
        draws.iter_mut().step_by(8).for_each(|d| d[0] = counts((4.0, 8.0), (0.0, 8.0)));
        // And some where a side is empty.
        draws.iter_mut().skip(1).step_by(20).for_each(|d| d[0] = counts((4.0, 8.0), (0.0, 0.0)));
        let lift = path_lift(&table, &draws, 16, Level::P90, "draws").expect("defined");
        let ratio = lift[0].ratio.as_ref().expect("defined");
        assert_eq!((ratio.interval(), ratio.std_error), ((4.0 / 3.0, f64::INFINITY), None));
    }

    #[test]
    fn shares_of_nothing() {
        assert_eq!((contribution_share(0.0, 0.0), contribution_share(1.0, 4.0)), (0.0, 0.25));
    }
}

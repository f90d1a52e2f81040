//! Credit by what a touch or a journey is: campaign, geo, segment, device, cohort, day.

mod ratio;

mod sums;

pub use ratio::Ratio;

use std::fmt;

use throughline_core::{Estimate, Level};
use throughline_stats::sum::exact_sum;

use self::sums::Sums;
use crate::{AttributionError, Conservation, Journeys, Model, PathTable, PathWeights, Quantity, Totals};

/// Relative difference allowed between credits and what they split.
const TOLERANCE: f64 = 1e-9;
/// Numbers that may be kept: 1 GiB.
const MOST_NUMBERS: usize = 1 << 27;

/// A dimension: into which of its cells a touch falls.
#[derive(Clone, Copy)]
pub struct Dimension<'a> {
    /// What it is called: campaign.
    pub name: &'a str,
    /// Number of cells. What is unknown is a cell too: every touch has one.
    pub cells: usize,
    /// The cell, below `cells`, of a touch: number of the push that brought the journey, counted from 0, and number of the
    /// touch among the journey's steps that are not blank. For what journeys or persons are, the touch does not matter.
    pub cell: &'a (dyn Fn(usize, usize) -> usize + Sync),
}

/// The day of a journey's outcome, counted from the first one.
#[derive(Clone, Copy)]
pub struct Days<'a> {
    /// Number of days.
    pub days: usize,
    /// The day, below `days`, of the journey of a push.
    pub day: &'a (dyn Fn(usize) -> usize + Sync),
}

impl fmt::Debug for Dimension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dimension").field("name", &self.name).field("cells", &self.cells).finish_non_exhaustive()
    }
}

impl fmt::Debug for Days<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Days").field("days", &self.days).finish_non_exhaustive()
    }
}

/// How a breakdown is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Draws {
    /// Number of draws, at least 2.
    pub draws: usize,
    /// Their seed: with that of [`bootstrap_clusters`](crate::bootstrap_clusters), the draws are the same.
    pub seed: u64,
    /// Level of the intervals.
    pub level: Level,
}

/// Credit of every cell of a dimension under one model, with draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Breakdown {
    model: String,
    dimension: String,
    conservation: Conservation,
    totals: Totals,
    sums: Sums,
    draws: Draws,
    clusters: u64,
    method: String,
}

/// Credits by cell of a dimension: Σ over journeys and their touches in the cell of the touch's weight × the journey's
/// outcome, observed and in every draw.
///
/// The draws are those of [`bootstrap_clusters`](crate::bootstrap_clusters) for the same seed. Weights stay as they are in
/// every draw, which is exact for models whose weights do not depend on outcomes ([`Model::splits_paths`]); others are
/// refused. Of models fitted beforehand, the intervals hold the fit for given.
///
/// Checked, error otherwise: the weights of every path add up to 1, and the credits of all cells to conversions and value
/// in total and, with `days`, of every day, within 1e-9 of their scale ([`Conservation::Exempt`] models are not held to it).
///
/// Memory: 16 bytes × cells × (draws + 1), at most 1 GiB; time: journeys with an outcome × touches × draws. Of journeys of
/// one cluster that are equal in path, ending and value, the order of rows decides nothing; of journeys without a key that
/// are equal in these, it decides which draws each cell shares.
pub fn break_down(
    journeys: &Journeys,
    model: &dyn Model,
    dimension: &Dimension<'_>,
    days: Option<&Days<'_>>,
    draws: Draws,
) -> Result<Breakdown, AttributionError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    on_threads(threads, journeys, model, dimension, days, draws)
}

fn on_threads(
    threads: usize,
    journeys: &Journeys,
    model: &dyn Model,
    dimension: &Dimension<'_>,
    days: Option<&Days<'_>>,
    draws: Draws,
) -> Result<Breakdown, AttributionError> {
    if draws.draws < 2 {
        return Err(AttributionError::TooFewDraws { draws: draws.draws });
    }
    if !model.breaks_down() {
        return Err(AttributionError::NotByPath { model: model.spec() });
    }
    let numbers = draws.draws.saturating_add(1).saturating_mul(2).saturating_mul(dimension.cells);
    if numbers > MOST_NUMBERS {
        let limit = MOST_NUMBERS / 2 / (draws.draws + 1);
        return Err(AttributionError::TooManyCells {
            dimension: dimension.name.to_owned(),
            cells: dimension.cells,
            limit,
        });
    }
    let weighed = Weighed::new(journeys, model)?;
    let lines = weighed.lines(dimension, days)?;
    lines.check_days(model)?;
    let sums = lines.sums(threads, dimension.cells, draws);
    let breakdown = Breakdown {
        model: model.spec(),
        dimension: dimension.name.to_owned(),
        conservation: model.conservation(),
        totals: journeys.totals(),
        sums,
        draws,
        clusters: journeys.clusters(),
        method: format!("poisson bootstrap over {}, {} draws", journeys.unit(), draws.draws),
    };
    breakdown.check()?;
    Ok(breakdown)
}

impl Breakdown {
    /// The model's specification.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The dimension.
    pub fn dimension(&self) -> &str {
        &self.dimension
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.sums.cells()
    }

    /// Whether credits add up to the totals.
    pub const fn conservation(&self) -> Conservation {
        self.conservation
    }

    /// What was credited.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The credit of a cell.
    pub fn credit(&self, cell: usize, what: Quantity) -> Result<Estimate, AttributionError> {
        self.credit_at(cell, what, self.draws.level)
    }

    /// The credit of a cell at another level, from the same draws.
    pub fn credit_at(&self, cell: usize, what: Quantity, level: Level) -> Result<Estimate, AttributionError> {
        let (value, draws) = self.of(cell, what)?;
        Ok(Estimate::from_draws(value, draws, self.clusters, level, self.method.as_str())?)
    }

    /// The observed credit of a cell, and its credit in every draw.
    fn of(&self, cell: usize, what: Quantity) -> Result<(f64, &[f64]), AttributionError> {
        let cells = self.cells();
        let no_cell = || AttributionError::NoCell { dimension: self.dimension.clone(), row: None, cell, cells };
        self.sums.of(cell, what).ok_or_else(no_cell)
    }

    fn estimate(&self, value: f64, draws: &[f64]) -> Result<Estimate, AttributionError> {
        Ok(Estimate::from_draws(value, draws, self.clusters, self.draws.level, self.method.as_str())?)
    }

    fn check(&self) -> Result<(), AttributionError> {
        let scales = [
            ("conversions", Quantity::Conversions, self.totals.conversions, self.totals.conversions),
            ("value", Quantity::Value, self.totals.value, self.totals.absolute_value),
        ];
        for (what, quantity, total, scale) in scales {
            let credited = exact_sum(self.sums.observed(quantity).iter().copied());
            conserved(&self.model, self.conservation, what, credited, total, TOLERANCE * scale)?;
        }
        Ok(())
    }
}

fn conserved(
    model: &str,
    conservation: Conservation,
    what: &'static str,
    credited: f64,
    total: f64,
    tolerance: f64,
) -> Result<(), AttributionError> {
    let fits = conservation == Conservation::Exempt || (credited - total).abs() <= tolerance;
    if credited.is_finite() && fits {
        return Ok(());
    }
    Err(AttributionError::NotConserved { model: model.to_owned(), what, credited, total, tolerance })
}

/// A model's weights for the journeys that have an outcome.
struct Weighed<'j> {
    journeys: &'j Journeys,
    weights: PathWeights,
    /// Whether `weights` has one entry a credited journey, not one a path.
    timed: bool,
}

impl<'j> Weighed<'j> {
    fn new(journeys: &'j Journeys, model: &dyn Model) -> Result<Self, AttributionError> {
        let timed = journeys.has_ages() && model.reads_ages();
        let weights = if timed {
            // A fitted model needs the journeys without outcome too; their weights split nothing.
            let (table, _) = journeys.timed(!model.splits_paths());
            path_weights(model, &table)?.credited(&table)
        } else {
            path_weights(model, journeys.paths())?
        };
        Ok(Self { journeys, weights, timed })
    }
}

/// Weights of paths, checked.
fn path_weights(model: &dyn Model, table: &PathTable) -> Result<PathWeights, AttributionError> {
    let weights = model.path_weights(table)?;
    for path in 0..table.len() {
        let sum = weights.of(path).iter().sum();
        conserved(&model.spec(), model.conservation(), "shares of a path", sum, 1.0, TOLERANCE)?;
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ending, read_spec};

    #[test]
    fn threads_change_no_bit() {
        let mut builder = Journeys::builder("persons");
        for i in 0..500_usize {
            let steps = &["a", "b", "c", "b"][i % 3..=i % 3 + i % 2];
            let ending = if i % 2 == 0 { Ending::Conversion } else { Ending::Null };
            assert!(builder.push(steps, None, Some(i as u64 / 3), ending, (i % 13) as f64 / 10.0));
        }
        let (journeys, _) = builder.build();
        let cell = |row: usize, touch: usize| (row + touch) % 40;
        let dimension = Dimension { name: "campaign", cells: 40, cell: &cell };
        let model = read_spec("linear").expect("a model");
        let draws = Draws { draws: 50, seed: 2, level: Level::P90 };
        let run = |threads| on_threads(threads, &journeys, model.as_ref(), &dimension, None, draws).expect("defined");
        let expect = run(1);
        for threads in [2, 5, 64] {
            assert_eq!(run(threads), expect, "{threads} threads");
        }
    }
}

//! Journeys of persons: different paths kept once, and one line a journey that says whose it was and how it ended.

mod builder;

mod distinct;

pub use builder::JourneysBuilder;

use crate::model::credits_of;
use crate::{AttributionError, Credits, Model, PathTable, Summation, Totals};

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
#[repr(u8)]
pub enum Ending {
    /// With a conversion.
    Conversion,
    /// Without one.
    #[default]
    Null,
    /// With neither: value alone, such as a refund whose conversion lies outside the window.
    Adjustment,
}

/// Journeys, each with the key of the cluster (person, household, geo) whose draws it shares.
///
/// Lines are sorted by path, key, ending and value, so that nothing depends on the order in which they came. With J journeys
/// over P different paths: 21 bytes a journey, 4 bytes a touch of a different path and about 50 bytes a different path;
/// with ages, 8 bytes a touch of a journey more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Journeys {
    /// What a cluster is called: persons.
    unit: String,
    /// The different paths in canonical order, outcomes summed.
    paths: PathTable,
    /// Path p was taken by the journeys `starts[p]..starts[p + 1]`.
    starts: Vec<usize>,
    keys: Vec<u64>,
    values: Vec<f64>,
    endings: Vec<Ending>,
    rows: Vec<u32>,
    /// Ages of the touches of every journey in turn.
    ages: Option<Vec<i64>>,
    clusters: u64,
    totals: Totals,
}

impl Journeys {
    /// Starts a table whose clusters are called `unit`, in the plural: `persons`, `geos`, `households`.
    pub fn builder(unit: impl Into<String>) -> JourneysBuilder {
        JourneysBuilder::new(unit)
    }

    /// Number of journeys.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What clusters are called.
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Number of different clusters.
    pub const fn clusters(&self) -> u64 {
        self.clusters
    }

    /// Channel names, sorted.
    pub fn channels(&self) -> &[String] {
        self.paths.channels()
    }

    /// The different paths with their outcomes, in canonical order and without ages.
    pub const fn paths(&self) -> &PathTable {
        &self.paths
    }

    /// Whether every touch has an age.
    pub const fn has_ages(&self) -> bool {
        self.ages.is_some()
    }

    /// What there is to credit: exact sums.
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    /// The credits of the observed outcomes under a model, without draws.
    pub fn credit(&self, model: &dyn Model) -> Result<Credits, AttributionError> {
        if !(self.has_ages() && model.reads_ages()) {
            return model.attribute(&self.paths);
        }
        let (table, _) = self.timed(!model.splits_paths());
        let split = model.prepare(&table)?.split(table.units(), Summation::Exact)?;
        credits_of(model, self.channels(), self.totals, split)
    }

    /// The journeys that took path number `path`.
    pub(crate) fn taken(&self, path: usize) -> std::ops::Range<usize> {
        self.starts[path]..self.starts[path + 1]
    }

    pub(crate) fn keys(&self) -> &[u64] {
        &self.keys
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn endings(&self) -> &[Ending] {
        &self.endings
    }

    /// The number of the push that brought each journey.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// One path a journey, with ages, and which journey each is. Without `all`, only journeys that have an outcome to be
    /// credited.
    pub(crate) fn timed(&self, all: bool) -> (PathTable, Vec<u32>) {
        let mut table = PathTable {
            channels: self.paths.channels.clone(),
            offsets: vec![0],
            ages: self.ages.as_ref().map(|_| Vec::new()),
            ..PathTable::default()
        };
        let mut which = Vec::new();
        let mut age = 0;
        for path in 0..self.paths.len() {
            let steps = self.paths.path(path).steps;
            for journey in self.taken(path) {
                let from = age;
                age += steps.len();
                let (ending, value) = (self.endings[journey], self.values[journey]);
                if !all && ending != Ending::Conversion && value == 0.0 {
                    continue;
                }
                table.steps.extend_from_slice(steps);
                if let (Some(to), Some(ages)) = (&mut table.ages, &self.ages) {
                    to.extend_from_slice(&ages[from..age]);
                }
                table.offsets.push(table.steps.len());
                table.conversions.push(f64::from(u8::from(ending == Ending::Conversion)));
                table.nulls.push(f64::from(u8::from(ending == Ending::Null)));
                table.values.push(value);
                table.rows.push(self.rows[journey] as usize);
                which.push(u32::try_from(journey).unwrap_or(u32::MAX));
            }
        }
        (table, which)
    }
}

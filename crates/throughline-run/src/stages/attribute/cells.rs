//! Credit by channel and campaign, place, device, cohort, day and month.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use throughline_attribution::{Breakdown, Days, Dimension, Draws, Model, Quantity, break_down};
use throughline_core::Diagnostic;
use throughline_lake::tables;

use super::INNER;
use super::read::{Paths, Read, date};
use super::spend::Spend;
use crate::project::AttributionConfig;
use crate::stage::{StageContext, StageError};

/// What credit is broken down by, each beside the channel; segments of the project come on top, as `segment:NAME`.
pub(super) const DIMENSIONS: [&str; 6] = ["campaign", "geo", "device", "cohort", "day", "month"];

/// How the dimension of a segment begins.
const SEGMENT: &str = "segment:";

pub(super) struct Breaking<'a> {
    pub(super) context: &'a StageContext<'a>,
    pub(super) config: &'a AttributionConfig,
    pub(super) conversion: &'a str,
    pub(super) read: &'a Read,
    pub(super) paths: &'a Paths,
    pub(super) spend: &'a Spend,
}

/// The cells of a dimension: channel and item of each, and the cell of each touch.
struct Cells {
    names: Vec<(String, String)>,
    of_touch: Vec<u32>,
}

impl Breaking<'_> {
    /// Rows of every dimension under every model that splits paths; a model or dimension that cannot be broken down is a
    /// finding.
    pub(super) fn rows(
        &self,
        models: &[Box<dyn Model>],
        findings: &mut Vec<Diagnostic>,
    ) -> Result<Vec<RecordBatch>, StageError> {
        let about = &self.paths.about;
        let complete = about.last().is_none_or(|a| a.touches < self.paths.touches.len());
        if about.is_empty() || !complete {
            return Ok(Vec::new());
        }
        let first = about.iter().map(|a| a.day).min().unwrap_or(0);
        let last = about.iter().map(|a| a.day).max().unwrap_or(0);
        let place = |push: usize| usize::try_from(about[push].day - first).unwrap_or(0);
        let days = usize::try_from(last - first + 1).unwrap_or(1);
        let draws = Draws {
            draws: self.config.bootstrap.draws,
            seed: self.context.run.seed,
            level: self.config.bootstrap.level,
        };
        let mut out = Vec::new();
        let segments = self.config.segments.iter().map(|s| format!("{SEGMENT}{}", s.value.name));
        for dimension in DIMENSIONS.map(str::to_owned).into_iter().chain(segments) {
            let dimension = dimension.as_str();
            let cells = self.cells(dimension);
            let cell = |push: usize, touch: usize| cells.of_touch[about[push].touches + touch] as usize;
            let of = Dimension { name: dimension, cells: cells.names.len(), cell: &cell };
            for model in models.iter().filter(|m| m.breaks_down()) {
                let days = Days { days, day: &place };
                match break_down(&self.paths.journeys, model.as_ref(), &of, Some(&days), draws) {
                    Ok(found) => out.push(self.batch(dimension, &cells, &found)?),
                    Err(error) => findings.push(Diagnostic::warning("TL008", error.to_string())),
                }
            }
        }
        Ok(out)
    }

    fn cells(&self, dimension: &str) -> Cells {
        let items = &self.read.items;
        let mut numbers: BTreeMap<(u32, i64), u32> = BTreeMap::new();
        let mut of_touch = Vec::with_capacity(self.paths.touches.len());
        let about = &self.paths.about;
        let ends = about.iter().skip(1).map(|a| a.touches).chain([self.paths.touches.len()]);
        let segment = dimension.strip_prefix(SEGMENT).map(|name| format!("{name}="));
        let values: BTreeSet<u32> = segment.iter().flat_map(|prefix| items.beginning(prefix)).map(|(n, _)| n).collect();
        let month = |day: i64| date(day).get(..7).and_then(|m| m.replace('-', "").parse().ok()).unwrap_or(0);
        for (journey, end) in about.iter().zip(ends) {
            let whole = match dimension {
                "geo" => i64::from(journey.geo),
                "device" => i64::from(journey.device),
                "cohort" => i64::from(journey.cohort),
                "day" => journey.day,
                "month" => month(journey.day),
                _ => journey.segments.iter().find(|s| values.contains(s)).map_or(0, |s| i64::from(*s)),
            };
            for touch in &self.paths.touches[journey.touches..end] {
                let item = if dimension == "campaign" { i64::from(touch.campaign) } else { whole };
                let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                of_touch.push(*numbers.entry((touch.channel, item)).or_insert(next));
            }
        }
        let mut names = vec![(String::new(), String::new()); numbers.len()];
        for ((channel, item), number) in numbers {
            let item = match dimension {
                "day" => date(item),
                "month" => format!("{:04}-{:02}", item / 100, item % 100),
                _ => {
                    let name = items.name(u32::try_from(item).unwrap_or(0));
                    segment.as_ref().and_then(|prefix| name.strip_prefix(prefix.as_str())).unwrap_or(name).to_owned()
                }
            };
            names[number as usize] = (items.name(channel).to_owned(), item);
        }
        Cells { names, of_touch }
    }

    fn batch(&self, dimension: &str, cells: &Cells, found: &Breakdown) -> Result<RecordBatch, StageError> {
        let n = cells.names.len();
        let repeat = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
        let mut numbers: Vec<Vec<f64>> = vec![Vec::new(); 10];
        for cell in 0..n {
            for (at, what) in [Quantity::Conversions, Quantity::Value].into_iter().enumerate() {
                let credit = found.credit(cell, what)?;
                let (low, high) = credit.interval();
                let (inner_low, inner_high) = found.credit_at(cell, what, INNER)?.interval();
                for (k, value) in [credit.value, low, high, inner_low, inner_high].into_iter().enumerate() {
                    numbers[at * 5 + k].push(value);
                }
            }
        }
        let spend = cells.names.iter().map(|(channel, item)| self.spend.of(dimension, channel, item));
        let mut arrays: Vec<ArrayRef> = vec![
            repeat(found.model()),
            repeat(self.conversion),
            repeat(dimension),
            Arc::new(StringArray::from_iter_values(cells.names.iter().map(|(_, item)| item))),
            Arc::new(StringArray::from_iter_values(cells.names.iter().map(|(channel, _)| channel))),
        ];
        arrays.extend(numbers.into_iter().map(|column| Arc::new(Float64Array::from(column)) as ArrayRef));
        arrays.push(Arc::new(Float64Array::from(vec![self.config.bootstrap.level.get(); n])));
        arrays.push(repeat(self.context.project.config.value.currency.as_str()));
        arrays.push(Arc::new(spend.collect::<Int64Array>()));
        Ok(RecordBatch::try_new(tables::credit_cells().file_schema, arrays)?)
    }
}

//! The rows of one person within a sorted batch of the timeline.

use std::ops::Range;

use arrow::array::RecordBatch;
use throughline_core::PersonId;
use throughline_core::expr::Value;
use throughline_core::time::DAY_US;
use throughline_lake::{LakeError, RowsView, columns};

use crate::compile::CompiledAggregate;

/// Splits a batch that is sorted by person into the row ranges of its people.
pub(crate) fn people(batch: &RecordBatch) -> Result<Vec<(PersonId, Range<usize>)>, LakeError> {
    let ids = columns::binary(batch, "person_id")?;
    let mut out: Vec<(PersonId, Range<usize>)> = Vec::new();
    for row in 0..batch.num_rows() {
        let id = PersonId(columns::id16(ids.value(row))?);
        match out.last_mut() {
            Some((last, range)) if *last == id => range.end = row + 1,
            _ => out.push((id, row..row + 1)),
        }
    }
    Ok(out)
}

/// Times of the rows of a batch.
#[derive(Debug)]
pub(crate) struct Times<'a> {
    pub(crate) occurred: &'a [i64],
    pub(crate) available: &'a [i64],
}

impl<'a> Times<'a> {
    pub(crate) fn of(batch: &'a RecordBatch) -> Result<Self, LakeError> {
        Ok(Self {
            occurred: columns::time(batch, "occurred_at")?.values(),
            available: columns::time(batch, "available_at")?.values(),
        })
    }
}

/// What a feature says about a person at `now`: rows with `available_at` before `now`, within the window.
pub(crate) fn feature_at(
    feature: &CompiledAggregate,
    view: &RowsView<'_>,
    rows: Range<usize>,
    times: &Times<'_>,
    now: i64,
) -> Value {
    let from = feature.window_days.map_or(i64::MIN, |d| now.saturating_sub(i64::from(d) * DAY_US));
    let seen: Vec<(i64, Value)> = rows
        .filter(|&r| times.available[r] < now && times.occurred[r] >= from && times.occurred[r] < now)
        .filter_map(|r| feature.row(&view.row(r)).map(|v| (times.occurred[r], v)))
        .collect();
    feature.aggregate.of(seen.iter().map(|(at, v)| (*at, v)), now)
}

/// What a metric says about a person in (`from`, `until`].
pub(crate) fn metric_between(
    metric: &CompiledAggregate,
    view: &RowsView<'_>,
    rows: Range<usize>,
    times: &Times<'_>,
    from: i64,
    until: i64,
) -> Value {
    let seen: Vec<(i64, Value)> = rows
        .filter(|&r| times.occurred[r] > from && times.occurred[r] <= until)
        .filter_map(|r| metric.row(&view.row(r)).map(|v| (times.occurred[r], v)))
        .collect();
    metric.aggregate.of(seen.iter().map(|(at, v)| (*at, v)), until)
}

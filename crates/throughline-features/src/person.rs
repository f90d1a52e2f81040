//! The rows of one person within a sorted batch of the timeline.

use std::ops::Range;

use arrow::array::{BooleanArray, RecordBatch};
use throughline_core::consent::{Hearing, Refusal, RemovedByConsent, Withdrawal};
use throughline_core::expr::Value;
use throughline_core::time::DAY_US;
use throughline_core::{PersonId, Purpose, Timestamp};
use throughline_lake::{CompiledExpr, LakeError, columns, values_of};

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

/// Which rows of a batch may be used for measurement, person by person.
pub(crate) struct Usable {
    pub(crate) rows: BooleanArray,
    verdicts: Vec<Option<Refusal>>,
}

impl Usable {
    /// Judges the rows of people by everything each of them said.
    pub(crate) fn of(
        batch: &RecordBatch,
        people: &[(PersonId, Range<usize>)],
        withdrawal: Withdrawal,
    ) -> Result<Self, LakeError> {
        let (source, consent) = (columns::text(batch, "source")?, columns::text(batch, "consent")?);
        let occurred = columns::time(batch, "occurred_at")?;
        let mut hearing = Hearing::default();
        let mut verdicts = Vec::with_capacity(batch.num_rows());
        for (_, range) in people {
            hearing.next_person();
            for row in range.clone() {
                let at = Timestamp::from_micros(occurred.value(row));
                hearing.hear(source.value(row), at, consent.value(row));
            }
            verdicts.extend(hearing.judge(Purpose::Measurement, withdrawal));
        }
        let rows = verdicts.iter().map(|verdict| Some(verdict.is_none())).collect();
        Ok(Self { rows, verdicts })
    }

    /// Of some rows, those that may be used.
    pub(crate) fn and(&self, chosen: &BooleanArray) -> BooleanArray {
        BooleanArray::from(chosen.values() & self.rows.values())
    }

    /// Counts some rows and what consent removed of them.
    pub(crate) fn count(&self, chosen: &BooleanArray, removed: &mut RemovedByConsent) {
        for row in chosen.values().set_indices() {
            removed.count(self.verdicts[row]);
        }
    }

    /// Counts all rows and what consent removed of them.
    pub(crate) fn count_all(&self, removed: &mut RemovedByConsent) {
        for verdict in &self.verdicts {
            removed.count(*verdict);
        }
    }
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

/// Some rows of a batch, ascending, each with a value.
#[derive(Debug)]
pub(crate) struct Rows {
    rows: Vec<usize>,
    values: Vec<Value>,
}

impl Rows {
    /// The usable rows that an aggregate's condition permits, with the answers of its `value`. All are computed once for the
    /// whole batch: what condition and value say about a row depends on that row alone, not on the time it is looked at from.
    pub(crate) fn permitted(
        aggregate: &CompiledAggregate,
        usable: &Usable,
        batch: &RecordBatch,
    ) -> Result<Self, LakeError> {
        let permitted = match &aggregate.condition {
            Some(condition) => usable.and(&condition.permits(batch)?),
            None => usable.rows.clone(),
        };
        Self::with_value(&permitted, aggregate.value.as_ref(), batch)
    }

    /// The chosen rows with the answers of an expression, or with NULL.
    pub(crate) fn with_value(
        chosen: &BooleanArray,
        value: Option<&CompiledExpr>,
        batch: &RecordBatch,
    ) -> Result<Self, LakeError> {
        let rows: Vec<usize> = chosen.values().set_indices().collect();
        let values = match value {
            Some(value) => values_of(&value.evaluate_where(batch, chosen)?),
            None => vec![Value::Null; rows.len()],
        };
        Ok(Self { rows, values })
    }

    /// Those in a range.
    pub(crate) fn within(&self, range: &Range<usize>) -> impl Iterator<Item = (usize, &Value)> {
        let start = self.rows.partition_point(|&row| row < range.start);
        let end = self.rows.partition_point(|&row| row < range.end);
        self.rows[start..end].iter().copied().zip(&self.values[start..end])
    }
}

/// The rows that assign people under this name.
pub(crate) fn assignments(batch: &RecordBatch, event_name: &str) -> Result<BooleanArray, LakeError> {
    let (kind, name) = (columns::text(batch, "kind")?, columns::text(batch, "name")?);
    let assigns = |row: usize| kind.value(row) == "assignment" && columns::text_at(name, row) == Some(event_name);
    Ok((0..batch.num_rows()).map(|row| Some(assigns(row))).collect())
}

/// What a feature says about a person at `now`: rows with `available_at` before `now`, within the window.
pub(crate) fn feature_at(
    feature: &CompiledAggregate,
    permitted: &Rows,
    person: &Range<usize>,
    times: &Times<'_>,
    now: i64,
) -> Value {
    let from = feature.window_days.map_or(i64::MIN, |d| now.saturating_sub(i64::from(d) * DAY_US));
    let seen = permitted
        .within(person)
        .filter(|&(r, _)| times.available[r] < now && times.occurred[r] >= from && times.occurred[r] < now)
        .map(|(r, value)| (times.occurred[r], value));
    feature.aggregate.of(seen, now)
}

/// What was known about a person by `now`: rows that occurred by then, the assignment among them, within `days` before. It is
/// about what a treatment cannot have changed, so what was recorded late counts too.
pub(crate) fn known_by(
    aggregate: &CompiledAggregate,
    permitted: &Rows,
    person: &Range<usize>,
    times: &Times<'_>,
    (now, days): (i64, Option<u32>),
) -> Value {
    let from = days.map_or(i64::MIN, |d| now.saturating_sub(i64::from(d) * DAY_US));
    let seen = permitted
        .within(person)
        .filter(|&(r, _)| times.occurred[r] > from && times.occurred[r] <= now)
        .map(|(r, value)| (times.occurred[r], value));
    aggregate.aggregate.of(seen, now)
}

/// What a metric says about a person in (`from`, `until`].
pub(crate) fn metric_between(
    metric: &CompiledAggregate,
    permitted: &Rows,
    person: &Range<usize>,
    times: &Times<'_>,
    from: i64,
    until: i64,
) -> Value {
    let seen = permitted
        .within(person)
        .filter(|&(r, _)| times.occurred[r] > from && times.occurred[r] <= until)
        .map(|(r, value)| (times.occurred[r], value));
    metric.aggregate.of(seen, until)
}

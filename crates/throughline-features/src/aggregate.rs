//! Aggregates over the rows of one person, in time order.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use throughline_core::expr::Value;
use throughline_core::time::DAY_US;

/// What is computed. The README has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregate {
    /// Rows.
    Count,
    /// 1 or 0.
    Any,
    /// Sum of values.
    Sum,
    /// Mean of values.
    Mean,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Value of the latest row that has one.
    Last,
    /// Different values.
    Distinct,
    /// Days since the latest row.
    Recency,
}

impl Aggregate {
    /// Whether a `value` expression is needed.
    pub const fn needs_value(self) -> bool {
        !matches!(self, Self::Count | Self::Any | Self::Recency)
    }

    /// The aggregate of rows given as (occurred µs, value), in time order, seen from `now`. Sums run in time order, so
    /// equal rows give equal bits. Non-finite results are NULL.
    pub fn of<'a>(self, rows: impl Iterator<Item = (i64, &'a Value)>, now: i64) -> Value {
        let mut count = 0_u32;
        let mut last_at = None;
        let mut last = Value::Null;
        let mut numbers = Numbers::default();
        let mut distinct: BTreeSet<String> = BTreeSet::new();
        for (at, value) in rows {
            count += 1;
            last_at = Some(at);
            if value.is_null() {
                continue;
            }
            match self {
                Self::Last => last = value.clone(),
                Self::Distinct => {
                    distinct.insert(value.to_string());
                }
                _ => numbers.push(value),
            }
        }
        match self {
            Self::Count => Value::Float(f64::from(count)),
            Self::Any => Value::Float(if count > 0 { 1.0 } else { 0.0 }),
            Self::Recency => last_at.map_or(Value::Null, |at| Value::float((now - at) as f64 / DAY_US as f64)),
            Self::Last => last,
            Self::Distinct => Value::Float(distinct.len() as f64),
            Self::Sum => numbers.get(|n| n.sum),
            Self::Mean => numbers.get(|n| n.sum / n.count),
            Self::Min => numbers.get(|n| n.min),
            Self::Max => numbers.get(|n| n.max),
        }
    }
}

#[derive(Debug, Default)]
struct Numbers {
    count: f64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Numbers {
    fn push(&mut self, value: &Value) {
        let Some(x) = value.as_f64().or_else(|| value.as_bool().map(f64::from)) else { return };
        if self.count == 0.0 {
            (self.min, self.max) = (x, x);
        }
        self.count += 1.0;
        self.sum += x;
        self.min = self.min.min(x);
        self.max = self.max.max(x);
    }

    fn get(&self, f: impl Fn(&Self) -> f64) -> Value {
        if self.count == 0.0 { Value::Null } else { Value::float(f(self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(aggregate: Aggregate, values: &[Value], expect: &Value) {
        let rows = values.iter().enumerate().map(|(i, v)| (i64::try_from(i).expect("small") * DAY_US, v));
        assert_eq!(aggregate.of(rows, 10 * DAY_US), *expect, "{aggregate:?}");
    }

    #[test]
    fn aggregates_are_total() {
        let rows = [Value::Float(2.0), Value::Null, Value::Float(4.0), Value::Float(4.0)];
        check(Aggregate::Count, &rows, &Value::Float(4.0));
        check(Aggregate::Any, &rows, &Value::Float(1.0));
        check(Aggregate::Sum, &rows, &Value::Float(10.0));
        check(Aggregate::Mean, &rows, &Value::Float(10.0 / 3.0));
        check(Aggregate::Min, &rows, &Value::Float(2.0));
        check(Aggregate::Max, &rows, &Value::Float(4.0));
        check(Aggregate::Last, &[Value::text("a"), Value::Null], &Value::text("a"));
        check(Aggregate::Distinct, &rows, &Value::Float(2.0));
        check(Aggregate::Recency, &rows, &Value::Float(7.0));
        for aggregate in [Aggregate::Sum, Aggregate::Mean, Aggregate::Last, Aggregate::Recency] {
            check(aggregate, &[], &Value::Null);
        }
        check(Aggregate::Count, &[], &Value::Float(0.0));
        check(Aggregate::Sum, &[Value::Float(f64::MAX), Value::Float(f64::MAX)], &Value::Null);
    }
}

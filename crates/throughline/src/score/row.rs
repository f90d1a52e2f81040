//! One measure with its number, or with the reason why it has none.

use serde::Serialize;

/// One measure of one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// The part of the line; set by the registry.
    pub(crate) part: &'static str,
    /// What was scored, for example `markov:1` or `email_offer purchase`.
    pub(crate) name: String,
    /// What was measured, for example `f1` or `regret`.
    pub(crate) measure: &'static str,
    /// The number, always finite; absent where it is not defined, and `note` says why.
    pub(crate) value: Option<f64>,
    /// Its unit; empty for a plain number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) unit: String,
    /// How many records, channels, people or intervals stand behind it.
    pub(crate) n: u64,
    /// The interval that the run itself gave, as `[low, high]`; an end without bound is null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) interval: Option<[Option<f64>; 2]>,
    /// For a measure of coverage, its counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) coverage: Option<Coverage>,
    /// What its reader must know.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
}

/// How many intervals hold the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Coverage {
    /// Intervals that hold it.
    pub(crate) covered: u64,
    /// Intervals.
    pub(crate) total: u64,
    /// The share that should.
    pub(crate) nominal: f64,
}

impl Row {
    /// A measure. A number that is not finite becomes a measure without one.
    pub(crate) fn new(name: impl Into<String>, measure: &'static str, value: f64, n: usize) -> Self {
        let note = if value.is_finite() { String::new() } else { "not a finite number".to_owned() };
        Self {
            part: "",
            name: name.into(),
            measure,
            value: Some(value).filter(|v| v.is_finite()),
            unit: String::new(),
            n: n as u64,
            interval: None,
            coverage: None,
            note,
        }
    }

    /// A measure that is not defined here, and why.
    pub(crate) fn undefined(name: impl Into<String>, measure: &'static str, n: usize, why: impl Into<String>) -> Self {
        Self { value: None, ..Self::new(name, measure, 0.0, n) }.say(why)
    }

    /// A measure that is defined, or the reason why not.
    pub(crate) fn of(name: &str, measure: &'static str, value: Option<f64>, n: usize, otherwise: &str) -> Self {
        match value {
            Some(value) => Self::new(name, measure, value, n),
            None => Self::undefined(name, measure, n, otherwise),
        }
    }

    /// The share of intervals that hold the truth.
    pub(crate) fn covered(name: impl Into<String>, covered: usize, total: usize, nominal: f64) -> Self {
        let name = name.into();
        if total == 0 {
            return Self::undefined(name, "coverage", 0, "no interval");
        }
        let coverage = Coverage { covered: covered as u64, total: total as u64, nominal };
        let row = Self::new(name, "coverage", covered as f64 / total as f64, total);
        Self { coverage: Some(coverage), ..row }
    }

    /// With a unit.
    pub(crate) fn in_unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// With the interval that the run gave.
    pub(crate) fn within(mut self, (low, high): (f64, f64)) -> Self {
        let bound = |end: f64| Some(end).filter(|e| e.is_finite());
        self.interval = Some([bound(low), bound(high)]);
        self
    }

    /// With a note.
    pub(crate) fn say(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_ever_other_than_finite() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let row = Row::new("x", "bias", bad, 3).within((f64::NEG_INFINITY, 2.0));
            assert_eq!((row.value, row.note.as_str()), (None, "not a finite number"));
            assert_eq!(row.interval, Some([None, Some(2.0)]));
        }
        assert_eq!(Row::covered("x", 0, 0, 0.9).value, None);
        assert_eq!(Row::covered("x", 3, 4, 0.9).value, Some(0.75));
        assert_eq!(Row::of("x", "f1", None, 0, "no pair").note, "no pair");
    }
}

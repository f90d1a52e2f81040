//! Reading the report: whatever is missing or of another type is absent, never an error.

use serde_json::Value;

use super::format::{Unit, decimals_of, level, p_value};

/// Access by key that answers with nothing rather than failing.
pub(super) trait Read {
    /// The value of a key; null when absent.
    fn at(&self, key: &str) -> &Value;
    /// A finite number.
    fn num(&self, key: &str) -> Option<f64>;
    /// A count.
    fn whole(&self, key: &str) -> Option<u64>;
    /// A text that is not empty.
    fn word(&self, key: &str) -> Option<&str>;
    /// The entries of a list; none when it is no list.
    fn list(&self, key: &str) -> &[Value];
    /// The entries of an object; none when it is no object.
    fn entries(&self, key: &str) -> Vec<(&str, &Value)>;
    /// Counts by name, those above zero.
    fn counts(&self, key: &str) -> Vec<(&str, u64)> {
        self.entries(key).into_iter().filter_map(|(k, v)| Some((k, as_count(v)?))).filter(|(_, n)| *n > 0).collect()
    }
}

impl Read for Value {
    fn at(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&Self::Null)
    }

    fn num(&self, key: &str) -> Option<f64> {
        self.at(key).as_f64().filter(|x| x.is_finite())
    }

    fn whole(&self, key: &str) -> Option<u64> {
        as_count(self.at(key))
    }

    fn word(&self, key: &str) -> Option<&str> {
        self.at(key).as_str().filter(|t| !t.is_empty())
    }

    fn list(&self, key: &str) -> &[Value] {
        self.at(key).as_array().map_or(&[], Vec::as_slice)
    }

    fn entries(&self, key: &str) -> Vec<(&str, &Value)> {
        self.at(key).as_object().map(|o| o.iter().map(|(k, v)| (k.as_str(), v)).collect()).unwrap_or_default()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 2^53")]
fn as_count(value: &Value) -> Option<u64> {
    let rounded = |x: f64| (0.0..=9.007e15).contains(&x).then_some(x.round() as u64);
    value.as_u64().or_else(|| value.as_f64().and_then(rounded))
}

/// Adds up without overflow.
pub(super) fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// The units of a stage: name and metrics.
pub(super) fn metrics<'a>(report: &'a Value, stage: &str) -> Vec<(&'a str, &'a Value)> {
    report
        .list("stages")
        .iter()
        .filter(|s| s.word("name") == Some(stage))
        .flat_map(|s| s.list("units"))
        .map(|u| (u.word("name").unwrap_or_default(), u.at("metrics")))
        .filter(|(_, m)| m.is_object())
        .collect()
}

/// The currency of the project; empty when the report has none.
pub(super) fn currency(report: &Value) -> Unit {
    Unit::Money(report.word("currency").unwrap_or_default().to_owned())
}

/// A number with its uncertainty.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Uncertain {
    /// The number.
    pub(super) value: f64,
    /// Intervals in order; ends may be infinite; empty when there is none.
    pub(super) set: Vec<(f64, f64)>,
    /// Level of the intervals.
    pub(super) level: Option<f64>,
    /// p-value of no effect.
    pub(super) p: Option<f64>,
    /// Units behind it.
    pub(super) n: Option<u64>,
}

impl Uncertain {
    /// Reads an `Estimate`.
    pub(super) fn estimate(of: &Value) -> Option<Self> {
        let set = of.list("set").iter().filter_map(ends).collect();
        Some(Self { value: of.num("value")?, set, level: of.num("level"), p: of.num("p_value"), n: of.whole("n") })
    }

    /// Reads a number and its interval `[lo, hi]` from two keys.
    pub(super) fn pair(of: &Value, value: &str, interval: &str) -> Option<Self> {
        let set = ends(of.at(interval)).into_iter().collect();
        Some(Self { value: of.num(value)?, set, level: None, p: None, n: None })
    }

    /// The interval around the set.
    pub(super) fn span(&self) -> Option<(f64, f64)> {
        Some((self.set.first()?.0, self.set.last()?.1))
    }

    /// Whether the set excludes a number; not without a set.
    pub(super) fn excludes(&self, x: f64) -> bool {
        !self.set.is_empty() && !self.set.iter().any(|(lo, hi)| *lo <= x && x <= *hi)
    }

    fn decimals(&self) -> Option<usize> {
        self.span().and_then(|(lo, hi)| decimals_of(lo, hi))
    }

    /// The number, with the digits that its interval deserves.
    pub(super) fn value_text(&self, unit: &Unit) -> String {
        self.decimals().map_or_else(|| unit.show(self.value), |d| unit.fixed(self.value, d))
    }

    /// Its interval as "lo to hi"; "no interval" without one.
    pub(super) fn interval_text(&self, unit: &Unit) -> String {
        if self.set.is_empty() {
            return "no interval".to_owned();
        }
        let decimals = self.decimals();
        let end = |x: f64| match decimals {
            Some(d) => unit.fixed(x, d),
            None if x.is_finite() => unit.show(x),
            None => unit.fixed(x, 0),
        };
        let part = |(lo, hi): &(f64, f64)| {
            // The currency once is enough.
            let high = end(*hi);
            let high = unit.name().and_then(|c| high.strip_prefix(c)).map_or(high.as_str(), str::trim_start);
            format!("{} to {high}", end(*lo))
        };
        self.set.iter().map(part).collect::<Vec<_>>().join(" or ")
    }

    /// "95 % interval lo to hi".
    pub(super) fn interval_named(&self, unit: &Unit) -> String {
        match self.level {
            _ if self.set.is_empty() => self.interval_text(unit),
            Some(of) => format!("{} interval {}", level(of), self.interval_text(unit)),
            None => format!("interval {}", self.interval_text(unit)),
        }
    }

    /// Interval and p-value, as after a number in a sentence.
    pub(super) fn evidence(&self, unit: &Unit) -> String {
        match self.p {
            Some(p) => format!("{}, {}", self.interval_named(unit), p_value(p)),
            None => self.interval_named(unit),
        }
    }

    /// For the right end of a line of a chart.
    pub(super) fn readout(&self, unit: &Unit) -> String {
        format!("{} ({})", self.value_text(unit), self.interval_text(unit))
    }
}

/// The two ends of `[lo, hi]`. JSON has no infinity: an end that is null is unbounded.
fn ends(pair: &Value) -> Option<(f64, f64)> {
    let [lo, hi] = pair.as_array()?.as_slice() else { return None };
    let end = |v: &Value, unbounded: f64| if v.is_null() { Some(unbounded) } else { v.as_f64() };
    let (lo, hi) = (end(lo, f64::NEG_INFINITY)?, end(hi, f64::INFINITY)?);
    (lo <= hi).then_some((lo, hi))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(estimate: &Value, unit: &Unit, expect: &str) {
        let found = Uncertain::estimate(estimate).map(|e| e.readout(unit)).unwrap_or_default();
        assert_eq!(found, expect);
    }

    #[test]
    fn estimates_with_their_intervals() {
        let eur = Unit::Money("EUR".into());
        check(&json!({"value": 0.0766, "set": [[0.0699, 0.0832]]}), &Unit::Plain, "0.0766 (0.0699 to 0.0832)");
        check(&json!({"value": 1234.56, "set": [[-10, 2400.2]]}), &Unit::Plain, "1,235 (−10 to 2,400)");
        check(&json!({"value": 0.153, "set": [[0.101, 0.205]]}), &eur, "EUR\u{a0}0.153 (EUR\u{a0}0.101 to 0.205)");
        check(&json!({"value": 3, "set": [[3, 3]]}), &Unit::Plain, "3 (3 to 3)");
        check(&json!({"value": 3, "set": [[null, 4]]}), &Unit::Plain, "3 (−∞ to 4)");
        check(&json!({"value": 3, "set": [[1, 2], [3, 4]]}), &Unit::Plain, "3.0 (1.0 to 2.0 or 3.0 to 4.0)");
        check(&json!({"value": 3}), &Unit::Plain, "3 (no interval)");
        check(&json!({"value": 3, "set": [[1], "x", [2, 1]]}), &Unit::Plain, "3 (no interval)");
        check(&json!({"value": null}), &Unit::Plain, "");
        check(
            &json!({"value": 0.5, "set": [[0.41, 0.59]]}),
            &Unit::Share,
            "50.0\u{202f}% (41.0\u{202f}% to 59.0\u{202f}%)",
        );
    }

    #[test]
    fn a_set_excludes_what_lies_in_none_of_its_intervals() {
        let check = |set: Value, x: f64, expect: bool| {
            let found = Uncertain::estimate(&json!({"value": 1.0, "set": set})).map(|e| e.excludes(x));
            assert_eq!(found, Some(expect), "{set} {x}");
        };
        check(json!([[0.0, 1.0]]), 0.0, false);
        check(json!([[0.1, 1.0]]), 0.0, true);
        check(json!([[-2.0, -1.0], [1.0, 2.0]]), 0.0, true);
        check(json!([[null, -1.0], [1.0, null]]), 5.0, false);
        check(json!([]), 0.0, false);
    }

    #[test]
    fn what_is_missing_is_absent() {
        let odd = json!({"n": -3, "list": {}, "word": "", "deep": {"x": 1.0}, "counts": {"a": 0, "b": 2, "c": "x"}});
        assert_eq!(odd.whole("n"), None);
        assert!(odd.list("list").is_empty() && odd.word("word").is_none());
        assert_eq!(odd.at("deep").whole("x"), Some(1));
        assert_eq!(odd.at("none").at("deeper").num("x"), None);
        assert_eq!(odd.counts("counts"), vec![("b", 2)]);
        assert_eq!(Value::Null.at("x"), &Value::Null);
        assert!(metrics(&json!([1, 2]), "ingest").is_empty());
    }
}

//! Same touch: the touches of the visit that converted.

use throughline_core::{Diagnostic, Severity};
use throughline_stats::sum::exact_sum;

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// All credit to the touches at most so long before the conversion, evenly; to the last touch when there is none.
///
/// Source: Adobe Analytics ("Same Touch"), where the touch of the very hit that converted takes everything and other
/// conversions stay without a channel; that is `same_touch:0s`, but for the last rule. Written with `s`, `m`, `h` or `d`;
/// 30 minutes, the usual length of a visit, unless stated. Needs the age of every touch.
///
/// Credits must add up and there is no channel "none" here, so a conversion without such a touch goes to its last touch
/// (of several at the same moment, to the last in the path); a diagnostic (TL415) says how many conversions did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SameTouch {
    window_us: i64,
}

const UNITS: [(char, i64); 4] = [('d', 86_400_000_000), ('h', 3_600_000_000), ('m', 60_000_000), ('s', 1_000_000)];
/// The longest window, in seconds: a year.
const LONGEST_S: i64 = 365 * 86_400;

impl Default for SameTouch {
    fn default() -> Self {
        Self { window_us: 30 * 60_000_000 }
    }
}

impl SameTouch {
    /// With a window in seconds, 0 to 31,536,000 (365 days).
    pub fn new(window_s: i64) -> Option<Self> {
        (0..=LONGEST_S).contains(&window_s).then_some(Self { window_us: window_s * 1_000_000 })
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        let Some(given) = parameter else { return Ok(Self::default()) };
        let read = || {
            let (at, letter) = given.char_indices().next_back()?;
            let (_, unit_us) = UNITS.iter().find(|(l, _)| *l == letter)?;
            let amount: i64 = given[..at].trim().parse().ok()?;
            Self::new(amount.checked_mul(unit_us / 1_000_000)?)
        };
        read().ok_or_else(|| AttributionError::BadParameter {
            model: "same_touch",
            given: given.chars().take(80).collect(),
            expected: "a whole number of s, m, h or d from 0s to 365d, such as 30m",
        })
    }
}

impl Rule for SameTouch {
    fn name(&self) -> &'static str {
        "same_touch"
    }

    fn spec(&self) -> String {
        let fits = |(_, unit): &&(char, i64)| self.window_us > 0 && self.window_us % unit == 0;
        let &(letter, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[3]);
        format!("same_touch:{}{letter}", self.window_us / unit)
    }

    fn reads_ages(&self) -> bool {
        true
    }

    fn weigher<'t>(&self, table: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        if !table.has_ages() && !table.is_empty() {
            return Err(AttributionError::NeedsAges { model: Rule::spec(self) });
        }
        let window_us = self.window_us;
        Ok(Box::new(move |path, _, weights| {
            let Some(ages) = path.ages else { return };
            let inside = ages.iter().filter(|age| **age <= window_us).count();
            if inside > 0 {
                for (weight, _) in weights.iter_mut().zip(ages).filter(|(_, age)| **age <= window_us) {
                    *weight = 1.0 / inside as f64;
                }
                return;
            }
            let youngest = ages.iter().min();
            if let Some(last) = ages.iter().rposition(|age| Some(age) == youngest) {
                weights[last] = 1.0;
            }
        }))
    }

    fn notes(&self, table: &PathTable) -> Vec<Diagnostic> {
        let rows = table.paths().zip(table.units().conversions);
        let far = |ages: &[i64]| ages.iter().all(|age| *age > self.window_us);
        let late: Vec<f64> =
            rows.filter(|(path, c)| **c > 0.0 && path.ages.is_some_and(far)).map(|(_, c)| *c).collect();
        if late.is_empty() {
            return Vec::new();
        }
        let (conversions, paths) = (exact_sum(late.iter().copied()), late.len());
        let total = table.totals().conversions;
        let message = format!(
            "{}: {conversions} of {total} conversions, on {paths} paths, have no touch so close and go to their last touch",
            Rule::spec(self)
        );
        vec![Diagnostic::new(Severity::Info, "TL415", message)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_weights, table};
    use crate::{Model, read_spec};

    #[test]
    fn the_visit_that_converted_takes_all() {
        check_weights("same_touch:1d", "a@9 b@1 c@0", &[0.0, 0.5, 0.5]);
        check_weights("same_touch", "a@9 b@1 c@0", &[0.0, 0.0, 1.0]);
        check_weights("same_touch:0s", "a@0 b@0 c@1", &[0.5, 0.5, 0.0]);
        // Nothing within the window: the last touch, also where several share its moment.
        check_weights("same_touch:12h", "a@3 b@1 c@1", &[0.0, 0.0, 1.0]);
        check_weights("same_touch:2d", "a@3", &[1.0]);
    }

    #[test]
    fn what_went_to_the_last_touch_is_said() {
        let table = table(&[("a@3 b@1", 2.0, 0.0, 0.0), ("a@0", 5.0, 0.0, 1.0), ("b@7", 0.0, 0.0, 4.0)]);
        let credits = SameTouch::default().attribute(&table).expect("credits");
        assert_eq!(
            credits.diagnostics().iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "info[TL415]: same_touch:30m: 2 of 7 conversions, on 1 paths, have no touch so close and go to their last touch"
            ]
        );
        let error = SameTouch::default().attribute(&self::table(&[("a", 1.0, 0.0, 0.0)])).expect_err("no ages");
        assert!(error.to_string().contains("`same_touch:30m` needs the time of every touch"), "{error}");
    }

    #[test]
    fn parameters() {
        for (text, spec) in
            [("same_touch", "30m"), ("same_touch:24h", "1d"), ("same_touch:0m", "0s"), ("same_touch:90s", "90s")]
        {
            assert_eq!(read_spec(text).map(|m| m.spec()), Ok(format!("same_touch:{spec}")));
        }
        for bad in ["", "30", "-1m", "1.5h", "366d", "m", "9999999999999999d", "7é"] {
            assert!(SameTouch::read(Some(bad)).is_err(), "{bad}");
        }
    }
}

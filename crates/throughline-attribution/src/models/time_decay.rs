//! Time decay: recent touches count more.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

const DAY_US: f64 = 86_400_000_000.0;

/// Credit halves with every half-life between touch and conversion: wₜ ∝ 2^(−ageₜ / h), normalised over the path.
///
/// Source: Adobe Analytics ("Time Decay") and Google Ads, both with h = 7 days, the default here. Written
/// `time_decay:7d`, with `d`, `h` or `m` for days, hours, minutes. Needs the age of every touch; ages count to the
/// conversion, and since only differences matter the moment they count to cancels out. Touches so old that their weight
/// is below 2^-1074 of the youngest's receive nothing. The half-life is a choice, not an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeDecay {
    half_life_days: f64,
}

impl Default for TimeDecay {
    fn default() -> Self {
        Self { half_life_days: 7.0 }
    }
}

impl TimeDecay {
    /// With a half-life in days, above 0 and up to 365,000.
    pub fn new(half_life_days: f64) -> Option<Self> {
        (half_life_days > 0.0 && half_life_days <= 365_000.0).then_some(Self { half_life_days })
    }

    /// The half-life in days.
    pub const fn half_life_days(self) -> f64 {
        self.half_life_days
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        let Some(given) = parameter else { return Ok(Self::default()) };
        let days = match given.char_indices().next_back() {
            Some((at, 'd')) => given[..at].trim().parse().ok(),
            Some((at, 'h')) => given[..at].trim().parse().ok().map(|hours: f64| hours / 24.0),
            Some((at, 'm')) => given[..at].trim().parse().ok().map(|minutes: f64| minutes / 1440.0),
            _ => None,
        };
        days.and_then(Self::new).ok_or_else(|| AttributionError::BadParameter {
            model: "time_decay",
            given: given.chars().take(80).collect(),
            expected: "a half-life such as 7d, 12h or 30m, above 0 and up to 365000 days",
        })
    }
}

impl Rule for TimeDecay {
    fn name(&self) -> &'static str {
        "time_decay"
    }

    fn spec(&self) -> String {
        // Days when they print short, else the finest unit that does: the text must read back to the same number.
        let (hours, minutes) = (self.half_life_days * 24.0, self.half_life_days * 1440.0);
        if self.half_life_days.fract() == 0.0 {
            format!("time_decay:{}d", self.half_life_days)
        } else if hours.fract() == 0.0 && hours / 24.0 == self.half_life_days {
            format!("time_decay:{hours}h")
        } else if minutes.fract() == 0.0 && minutes / 1440.0 == self.half_life_days {
            format!("time_decay:{minutes}m")
        } else {
            format!("time_decay:{}d", self.half_life_days)
        }
    }

    fn reads_ages(&self) -> bool {
        true
    }

    fn weigher<'t>(&self, table: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        if !table.has_ages() && !table.is_empty() {
            return Err(AttributionError::NeedsAges { model: Rule::spec(self) });
        }
        let half_life_us = self.half_life_days * DAY_US;
        Ok(Box::new(move |path, _, weights| {
            let Some(ages) = path.ages else { return };
            let youngest = ages.iter().min().copied().unwrap_or(0);
            let mut sum = 0.0;
            for (weight, age) in weights.iter_mut().zip(ages) {
                *weight = (-((age - youngest) as f64) / half_life_us).exp2();
                sum += *weight;
            }
            // The youngest touch weighs 1, so the sum is at least 1.
            for weight in weights {
                *weight /= sum;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_weights, table};
    use crate::{Model, read_spec};

    #[test]
    fn credit_halves_with_the_half_life() {
        check_weights("time_decay:7d", "a@7 b@0", &[1.0 / 3.0, 2.0 / 3.0]);
        check_weights("time_decay:7d", "a@107 b@100", &[1.0 / 3.0, 2.0 / 3.0]);
        check_weights("time_decay:24h", "a@2 b@1 a@0", &[1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]);
        check_weights("time_decay:1m", "a@300 b@0", &[0.0, 1.0]);
        check_weights("time_decay", "a@90", &[1.0]);
    }

    #[test]
    fn times_are_needed() {
        let error = TimeDecay::default().attribute(&table(&[("a b", 1.0, 0.0, 0.0)])).expect_err("no ages");
        assert!(error.to_string().contains("`time_decay:7d` needs the time of every touch"), "{error}");
    }

    #[test]
    fn parameters() {
        for (text, spec) in [
            ("time_decay", "time_decay:7d"),
            ("time_decay:36h", "time_decay:36h"),
            ("time_decay:0.1d", "time_decay:144m"),
        ] {
            assert_eq!(read_spec(text).map(|m| m.spec()), Ok(spec.to_owned()));
        }
        for bad in ["7", "0d", "-1d", "NaNd", "d", "infd", "7 weeks", "7é"] {
            assert!(TimeDecay::read(Some(bad)).is_err(), "{bad}");
        }
    }
}

//! Position: fixed shares for the first, the middle and the last touches.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// Fixed shares: `first` to the first touch, `last` to the last, `middle` spread evenly over those between.
///
/// One touch receives everything. With two, the middle is ignored and first and last are renormalised (evenly when both
/// are 0). Shares are renormalised to sum to 1. Source: Adobe Analytics: U-shaped 40/20/40 (`u` or `position`), J-shaped
/// 20/20/60 (`j`; 25/75 for two), inverse J 60/20/20 (`inverse_j`; 75/25), custom `position:FIRST,MIDDLE,LAST`. The
/// shares are a choice, not an estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Position {
    first: f64,
    middle: f64,
    last: f64,
}

const PRESETS: [(&str, [f64; 3]); 3] = [("u", [0.4, 0.2, 0.4]), ("j", [0.2, 0.2, 0.6]), ("inverse_j", [0.6, 0.2, 0.2])];

impl Position {
    /// With shares of at least 0 that are not all 0.
    pub fn new(first: f64, middle: f64, last: f64) -> Option<Self> {
        let shares = [first, middle, last];
        let sum: f64 = shares.iter().sum();
        (shares.iter().all(|s| *s >= 0.0) && sum > 0.0 && sum.is_finite()).then_some(Self { first, middle, last })
    }

    fn preset(name: &str) -> Self {
        let [first, middle, last] = PRESETS.iter().find(|(n, _)| *n == name).map_or(PRESETS[0].1, |(_, s)| *s);
        Self { first, middle, last }
    }

    /// 40/20/40.
    pub fn u() -> Self {
        Self::preset("u")
    }

    /// 20/20/60.
    pub fn j() -> Self {
        Self::preset("j")
    }

    /// 60/20/20.
    pub fn inverse_j() -> Self {
        Self::preset("inverse_j")
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        let Some(given) = parameter else { return Ok(Self::u()) };
        let shares: Option<Vec<f64>> = given.split(',').map(|s| s.trim().parse().ok()).collect();
        let position = match shares.as_deref() {
            Some(&[first, middle, last]) => Self::new(first, middle, last),
            _ => None,
        };
        position.ok_or_else(|| AttributionError::BadParameter {
            model: "position",
            given: given.chars().take(80).collect(),
            expected: "three shares FIRST,MIDDLE,LAST of at least 0, not all 0, such as 0.4,0.2,0.4",
        })
    }
}

impl Rule for Position {
    fn name(&self) -> &'static str {
        "position"
    }

    fn spec(&self) -> String {
        let shares = [self.first, self.middle, self.last];
        match PRESETS.iter().find(|(_, preset)| *preset == shares) {
            Some((name, _)) => (*name).to_owned(),
            None => format!("position:{},{},{}", self.first, self.middle, self.last),
        }
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        let Self { first, middle, last } = *self;
        let ends = first + last;
        let two = if ends > 0.0 { [first / ends, last / ends] } else { [0.5; 2] };
        let sum = ends + middle;
        Ok(Box::new(move |_, _, weights| match weights {
            [] => {}
            [only] => *only = 1.0,
            [a, b] => [*a, *b] = two,
            [a, between @ .., b] => {
                (*a, *b) = (first / sum, last / sum);
                let share = middle / sum / between.len() as f64;
                between.fill(share);
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::check_weights;
    use crate::read_spec;

    #[test]
    fn shares_by_position() {
        check_weights("u", "a", &[1.0]);
        check_weights("u", "a b", &[0.5, 0.5]);
        check_weights("position", "a b c d", &[0.4, 0.1, 0.1, 0.4]);
        check_weights("j", "a b", &[0.25, 0.75]);
        check_weights("inverse_j", "a b", &[0.75, 0.25]);
        check_weights("position:30,30,60", "a b c", &[0.25, 0.25, 0.5]);
        check_weights("position:0,1,0", "a b", &[0.5, 0.5]);
        check_weights("position:0,1,0", "a b c", &[0.0, 1.0, 0.0]);
    }

    #[test]
    fn parameters() {
        for (text, spec) in [
            ("position", "u"),
            ("u", "u"),
            ("position:0.2,0.2,0.6", "j"),
            ("inverse_j", "inverse_j"),
            ("position: 1, 0,1", "position:1,0,1"),
        ] {
            assert_eq!(read_spec(text).map(|m| m.spec()), Ok(spec.to_owned()));
        }
        for bad in ["", "1,2", "1,2,3,4", "-1,1,1", "0,0,0", "NaN,1,1", "inf,1,1", "a,b,c"] {
            assert!(Position::read(Some(bad)).is_err(), "{bad}");
        }
        assert!(read_spec("u:0.1,0.8,0.1").is_err());
    }
}

//! Numbers with bounds, parsed once: `Share`, `Level`, `Lookback`.

use serde::{Deserialize, Serialize};

/// A value outside its bounds.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what} of {value} is outside {bounds}")]
pub struct OutOfBounds {
    /// What the number means.
    pub what: &'static str,
    /// The value given.
    pub value: f64,
    /// The accepted range in words.
    pub bounds: &'static str,
}

macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident, $what:literal, $bounds:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "f64", into = "f64")]
        pub struct $name(f64);

        impl $name {
            /// Checks the bounds.
            pub fn new(value: f64) -> Result<Self, OutOfBounds> {
                let inside: fn(f64) -> bool = $check;
                if inside(value) {
                    Ok(Self(value))
                } else {
                    Err(OutOfBounds { what: $what, value, bounds: $bounds })
                }
            }

            /// The number.
            pub const fn get(self) -> f64 {
                self.0
            }
        }

        impl TryFrom<f64> for $name {
            type Error = OutOfBounds;
            fn try_from(value: f64) -> Result<Self, OutOfBounds> {
                Self::new(value)
            }
        }

        impl From<$name> for f64 {
            fn from(v: $name) -> Self {
                v.0
            }
        }
    };
}

bounded!(
    /// A share of a whole, in [0, 1].
    Share, "share", "0 to 1", |v| (0.0..=1.0).contains(&v)
);
bounded!(
    /// A confidence level, in (0, 1).
    Level, "confidence level", "0 to 1, both excluded", |v| v > 0.0 && v < 1.0
);
bounded!(
    /// How far back a touch may lie, in days.
    Lookback, "lookback in days", "0 to 365, 0 excluded", |v| v > 0.0 && v <= 365.0
);

impl Share {
    /// One half.
    pub const HALF: Self = Self(0.5);
    /// The whole.
    pub const ONE: Self = Self(1.0);
}

impl Level {
    /// 95 %.
    pub const P95: Self = Self(0.95);
    /// 90 %.
    pub const P90: Self = Self(0.90);
    /// 50 %: as likely in as out.
    pub const HALF: Self = Self(0.5);

    /// The error rate 1 − level.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }
}

impl Lookback {
    /// 30 days.
    pub const MONTH: Self = Self(30.0);

    /// The window in microseconds.
    #[expect(clippy::cast_possible_truncation, reason = "at most 365 days")]
    pub fn micros(self) -> i64 {
        (self.0 * crate::time::DAY_US as f64).round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_what_how_much_and_the_bound() {
        let error = Lookback::new(400.0).expect_err("too long");
        assert_eq!(error.to_string(), "lookback in days of 400 is outside 0 to 365, 0 excluded");
        assert!(Share::new(f64::NAN).is_err());
        assert!(Level::new(1.0).is_err());
    }
}

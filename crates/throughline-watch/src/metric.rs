//! What is measured, and how much of a difference is nothing.

use serde::Serialize;

/// The direction in which a figure gets worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Worse {
    /// More is worse.
    Higher,
    /// Less is worse.
    Lower,
    /// Both are.
    Either,
}

/// The noise that counting alone brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// None: the figure is exact.
    None,
    /// A count m of independent things: √m.
    Poisson,
    /// A share p of n rows: √(p(1 − p)/n).
    Binomial {
        /// Rows behind the share.
        n: u64,
    },
}

/// The smallest scale a difference is measured on. Without it equal runs would make every change infinite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// Part of the usual value.
    pub relative: f64,
    /// In the metric's own unit.
    pub absolute: f64,
    /// What counting brings.
    pub noise: Noise,
}

impl Floor {
    /// The scale around a usual value: the largest of the three parts.
    pub fn scale(&self, usual: f64) -> f64 {
        let noise = match self.noise {
            Noise::None => 0.0,
            Noise::Poisson => usual.max(0.0).sqrt(),
            Noise::Binomial { n } => {
                let p = usual.clamp(0.0, 1.0);
                (p * (1.0 - p) / n.max(1) as f64).sqrt()
            }
        };
        (self.relative * usual.abs()).max(self.absolute).max(noise)
    }
}

/// A figure of the line; the README says what each one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Rows of a table.
    Rows,
    /// Rows of the 24 hours before `as_of`.
    RowsLastDay,
    /// Hours from the newest time not after `as_of` to `as_of`.
    AgeHours,
    /// Rows without a value ÷ rows.
    NullShare,
    /// Refused rows ÷ all rows of a source.
    QuarantineShare,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 5] = [Self::Rows, Self::RowsLastDay, Self::AgeHours, Self::NullShare, Self::QuarantineShare];

    /// The name used in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::RowsLastDay => "rows_last_day",
            Self::AgeHours => "age_hours",
            Self::NullShare => "null_share",
            Self::QuarantineShare => "quarantine_share",
        }
    }

    /// The direction in which it gets worse.
    pub const fn worse(self) -> Worse {
        match self {
            Self::Rows => Worse::Lower,
            Self::RowsLastDay => Worse::Either,
            Self::AgeHours | Self::NullShare | Self::QuarantineShare => Worse::Higher,
        }
    }

    /// Its floor, for a figure that stands on `n` rows.
    pub const fn floor(self, n: u64) -> Floor {
        match self {
            Self::Rows => Floor { relative: 0.05, absolute: 1.0, noise: Noise::None },
            Self::RowsLastDay => Floor { relative: 0.10, absolute: 1.0, noise: Noise::Poisson },
            Self::AgeHours => Floor { relative: 0.10, absolute: 2.0, noise: Noise::None },
            Self::NullShare => Floor { relative: 0.0, absolute: 0.01, noise: Noise::Binomial { n } },
            Self::QuarantineShare => Floor { relative: 0.0, absolute: 0.005, noise: Noise::Binomial { n } },
        }
    }
}

/// One figure as measured now.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// Which figure.
    pub metric: Metric,
    /// Of what: `table`, `table.column`, `table/source=name`.
    pub scope: String,
    /// The figure; `None` where there is nothing to measure (no rows).
    pub value: Option<f64>,
    /// Rows behind it.
    pub n: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(floor: Floor, usual: f64, expect: f64) {
        assert!((floor.scale(usual) - expect).abs() < 1e-12, "{}", floor.scale(usual));
    }

    #[test]
    fn the_largest_part_of_a_floor_counts() {
        check(Metric::Rows.floor(0), 1000.0, 50.0);
        check(Metric::Rows.floor(0), 0.0, 1.0);
        check(Metric::RowsLastDay.floor(0), 25.0, 5.0);
        check(Metric::NullShare.floor(100), 0.5, 0.05);
        check(Metric::NullShare.floor(0), 0.5, 0.5);
        check(Metric::AgeHours.floor(0), 6.0, 2.0);
    }
}

//! The parts of a structural time-series model and how their states move.
//!
//! y_t = Z α_t + x_t β + ε_t and α_{t+1} = T α_t + η_t. Source: J. Durbin and S. J. Koopman, "Time Series Analysis by State
//! Space Methods" (2nd ed. 2012), §3.2; A. C. Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter"
//! (1989), §2.3.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::EvidenceError;

/// Work and memory grow with the square of the states.
const MOST_STATES: usize = 200;

/// How the level moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    /// A random walk: level_{t+1} = level_t + η_t.
    #[default]
    Level,
    /// A random walk with a slope that is a random walk itself. Its forecasts are wide: use it only where a trend is sure to
    /// go on.
    LocalLinear,
}

/// A season as a sum of waves: Σ_j of a wave with frequency 2π j / period, whose amplitude and phase wander. With all
/// ⌊period / 2⌋ waves it can take any shape.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Season {
    /// Steps of the grid after which it repeats, for example 7 for days of a week or 365.25 for days of a year.
    pub period: f64,
    /// Number of waves.
    pub waves: usize,
}

impl Season {
    /// A season with all its waves up to a period of 13 and with 3 beyond: a long season with all its waves would have
    /// as many states as steps.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the period is checked first")]
    pub fn new(period: f64) -> Result<Self, EvidenceError> {
        if !(2.0..=10_000.0).contains(&period) {
            return Err(EvidenceError::Setting { what: "season's period", value: period, bounds: "2 to 10,000 steps" });
        }
        Ok(Self { period, waves: if period <= 13.0 { (period / 2.0).floor() as usize } else { 3 } })
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Block {
    /// Moves by its innovation only.
    Level,
    /// States `at` and `at + 1`: level and slope.
    Linear { at: usize },
    /// States `at` and `at + 1` turn by an angle.
    Wave { at: usize, cos: f64, sin: f64 },
    /// The wave of half the period 2: it changes its sign.
    Flip { at: usize },
}

/// The states of a model: how they move, which are seen, and which variance drives which.
#[derive(Debug, Clone, PartialEq)]
pub struct Structure {
    blocks: Vec<Block>,
    /// States that add up to what is seen.
    seen: Vec<usize>,
    /// For each state, the variance of its innovations.
    driver: Vec<usize>,
    /// The variances in words.
    names: Vec<String>,
}

impl Structure {
    /// The states of a trend and seasons. Errors: a season with no wave or more than half its period.
    pub fn new(trend: Trend, seasons: &[Season]) -> Result<Self, EvidenceError> {
        let mut s = Self { blocks: Vec::new(), seen: vec![0], driver: vec![0], names: vec!["level".into()] };
        match trend {
            Trend::Level => s.blocks.push(Block::Level),
            Trend::LocalLinear => {
                s.blocks.push(Block::Linear { at: 0 });
                s.driver.push(1);
                s.names.push("slope".into());
            }
        }
        for season in seasons {
            let most = Season::new(season.period).map(|_| season.period / 2.0)?;
            if season.waves == 0 || season.waves as f64 > most {
                let bounds = "1 to half the period";
                return Err(EvidenceError::Setting { what: "number of waves", value: season.waves as f64, bounds });
            }
            let variance = s.names.len();
            s.names.push(format!("season {}", season.period));
            for j in 1..=season.waves {
                let at = s.driver.len();
                s.seen.push(at);
                s.driver.push(variance);
                let angle = TAU * j as f64 / season.period;
                if 2.0 * j as f64 == season.period {
                    s.blocks.push(Block::Flip { at });
                } else {
                    s.driver.push(variance);
                    s.blocks.push(Block::Wave { at, cos: angle.cos(), sin: angle.sin() });
                }
            }
            if s.dim() > MOST_STATES {
                let bounds = "1 to 200: use fewer waves";
                return Err(EvidenceError::Setting { what: "number of states", value: s.dim() as f64, bounds });
            }
        }
        Ok(s)
    }

    /// Number of states.
    pub const fn dim(&self) -> usize {
        self.driver.len()
    }

    /// Number of variances beside the noise's.
    pub const fn variances(&self) -> usize {
        self.names.len()
    }

    /// The variances in words, for example `level`.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The states whose sum is seen.
    pub fn seen(&self) -> &[usize] {
        &self.seen
    }

    /// The variance that drives each state.
    pub fn driver(&self) -> &[usize] {
        &self.driver
    }

    /// A ← T A for a matrix of one row per state.
    pub fn advance(&self, a: &mut [f64], width: usize) {
        for block in &self.blocks {
            match *block {
                Block::Level => {}
                Block::Linear { at } => {
                    let (level, slope) = a[at * width..(at + 2) * width].split_at_mut(width);
                    level.iter_mut().zip(slope).for_each(|(l, s)| *l += *s);
                }
                Block::Wave { at, cos, sin } => turn(&mut a[at * width..(at + 2) * width], cos, sin),
                Block::Flip { at } => a[at * width..(at + 1) * width].iter_mut().for_each(|x| *x = -*x),
            }
        }
    }

    /// r ← Tᵀ r.
    pub fn retreat(&self, r: &mut [f64]) {
        for block in &self.blocks {
            match *block {
                Block::Level => {}
                Block::Linear { at } => r[at + 1] += r[at],
                Block::Wave { at, cos, sin } => turn(&mut r[at..at + 2], cos, -sin),
                Block::Flip { at } => r[at] = -r[at],
            }
        }
    }
}

fn turn(rows: &mut [f64], cos: f64, sin: f64) {
    let (a, b) = rows.split_at_mut(rows.len() / 2);
    for (a, b) in a.iter_mut().zip(b) {
        (*a, *b) = (cos * *a + sin * *b, cos * *b - sin * *a);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_repeats_and_sums_to_zero() {
        for period in [4.0, 7.0, 12.0] {
            let s = Structure::new(Trend::Level, &[Season::new(period).expect("a season")]).expect("a structure");
            assert_eq!(s.dim() as f64, period, "a level and period − 1 states of the season");
            let mut state: Vec<f64> = (0..s.dim()).map(|i| (i * i % 7) as f64 - 2.0).collect();
            state[0] = 0.0;
            let seen: Vec<f64> = (0..24)
                .map(|_| {
                    let sum = s.seen().iter().map(|i| state[*i]).sum();
                    s.advance(&mut state, 1);
                    sum
                })
                .collect();
            let p = s.dim();
            assert!((0..24 - p).all(|t| (seen[t] - seen[t + p]).abs() < 1e-12));
            assert!(seen[..p].iter().sum::<f64>().abs() < 1e-12);
        }
    }

    #[test]
    fn retreat_is_the_transpose_of_advance() {
        let seasons = [Season::new(4.0).expect("a season"), Season { period: 9.5, waves: 2 }];
        let s = Structure::new(Trend::LocalLinear, &seasons).expect("a structure");
        let m = s.dim();
        let mut t = vec![0.0; m * m];
        (0..m).for_each(|i| t[i * m + i] = 1.0);
        s.advance(&mut t, m);
        for i in 0..m {
            let mut unit = vec![0.0; m];
            unit[i] = 1.0;
            s.retreat(&mut unit);
            assert!((0..m).all(|j| (unit[j] - t[i * m + j]).abs() < 1e-15));
        }
        assert!(Structure::new(Trend::Level, &[Season { period: 4.0, waves: 3 }]).is_err());
        assert!(Season::new(f64::NAN).is_err());
        assert!(Structure::new(Trend::Level, &[Season { period: 9000.0, waves: 4500 }]).is_err());
    }
}

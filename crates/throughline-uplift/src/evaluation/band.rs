//! Gain curves with pointwise bands, and the difference of two rankings' areas, by a bootstrap over persons.

use std::cmp::Ordering;

use throughline_core::{Estimate, Level};
use throughline_stats::parallel::{map_parts, threads_for};
use throughline_stats::stream::{Poisson, Stream};

use super::scores::{EffectScores, Observed};
use crate::UpliftError;
use crate::qini::{qini_gain, uplift_gain};
use crate::ranking::Tally;
use crate::training::{finite, same_length};

/// A curve is read at 0, 1 %, …, 100 % of the persons.
pub const GAIN_GRID: usize = 100;

/// Draws below this have no 95 % interval.
const LEAST_DRAWS: usize = 39;
const MOST_DRAWS: usize = 100_000;

/// Which gain is cumulated over the ranking.
#[derive(Debug, Clone, Copy)]
pub enum GainCurve<'a> {
    /// Y_t − Y_c · n_t / n_c (Radcliffe 2007): assumes a randomised treatment.
    Qini(Observed<'a>),
    /// (mean_t − mean_c) · n: assumes a randomised treatment.
    Uplift(Observed<'a>),
    /// Σ Γ of doubly robust scores.
    DoublyRobust(&'a EffectScores),
}

/// A Poisson bootstrap: in each draw every person counts Poisson(1) times.
#[derive(Debug, Clone, Copy)]
pub struct PoissonBootstrap<'a> {
    /// Draws, 39 to 100,000.
    pub draws: usize,
    /// Seed of the streams.
    pub seed: u64,
    /// The person of each row. A person's rows are drawn together, and draws then do not depend on the order of rows;
    /// without, each row is a person known by its position.
    pub persons: Option<&'a [u64]>,
}

impl Default for PoissonBootstrap<'_> {
    fn default() -> Self {
        Self { draws: 400, seed: 0, persons: None }
    }
}

/// A gain curve per person with pointwise bands.
#[derive(Debug, Clone, PartialEq)]
pub struct GainBand {
    /// Shares of the persons treated, 0 to 1.
    pub shares: Vec<f64>,
    /// Gain so far divided by all persons, in the unit of the outcome; linear within tied scores.
    pub gain: Vec<f64>,
    /// 50 % interval of each point.
    pub inner: Vec<(f64, f64)>,
    /// 95 % interval of each point.
    pub outer: Vec<(f64, f64)>,
    /// Area between curve and straight line to its end, per person: `QiniScores::qini_area` (or `uplift_area`) / n².
    pub area: f64,
    /// The area in each draw.
    pub area_draws: Vec<f64>,
    /// Rows.
    pub n: u64,
    draws_of: (u64, usize),
}

impl GainBand {
    /// The area with its bootstrap interval.
    pub fn area(&self, level: Level) -> Result<Estimate, UpliftError> {
        Ok(Estimate::from_draws(self.area, &self.area_draws, self.n, level, "poisson_bootstrap")?)
    }
}

/// The area of ranking `a` less that of ranking `b`, both from one call of [`gain_bands`]: in each draw both count the same
/// persons, so that what they share does not widen the interval.
///
/// # Errors
/// Bands of different draws or rows.
pub fn paired_difference(a: &GainBand, b: &GainBand, level: Level) -> Result<Estimate, UpliftError> {
    if a.draws_of != b.draws_of || a.n != b.n {
        let message = "the bands come from different draws or rows".to_owned();
        return Err(UpliftError::Params { name: "paired_difference", message });
    }
    let draws: Vec<f64> = a.area_draws.iter().zip(&b.area_draws).map(|(a, b)| a - b).collect();
    Ok(Estimate::from_draws(a.area - b.area, &draws, a.n, level, "paired_poisson_bootstrap")?)
}

/// The gain curve of each ranking (by falling score, one score per row) with pointwise 50 % and 95 % percentile bands.
///
/// All rankings share their draws: those of a person depend on the seed and the person only. Same bits for any number
/// of threads, and for any order of rows where `persons` are given and distinct. Work: draws × rows × rankings.
///
/// # Errors
/// Lengths that differ, scores or outcomes that are not finite, no rows, draws out of bounds.
pub fn gain_bands(
    curve: GainCurve<'_>,
    rankings: &[&[f64]],
    bootstrap: &PoissonBootstrap<'_>,
) -> Result<Vec<GainBand>, UpliftError> {
    let persons = check(curve, rankings, bootstrap)?;
    let ordered: Vec<Ordered> = rankings.iter().map(|score| Ordered::new(curve, score, &persons)).collect();
    let gain = match curve {
        GainCurve::Qini(_) => qini_gain,
        GainCurve::Uplift(_) => uplift_gain,
        GainCurve::DoublyRobust(_) => |all: Tally, _: Tally| all.total,
    };
    let poisson = Poisson::new(1.0).ok_or(UpliftError::Empty { what: "draws" })?;
    // Two draws cost one block of the stream.
    let pairs: Vec<u64> = (0..bootstrap.draws.div_ceil(2) as u64).collect();
    let threads = threads_for(pairs.len());
    let drawn = map_parts(pairs, threads, |pair| {
        let words = persons.iter().map(|p| Stream::new(bootstrap.seed, *p).pair_at(pair));
        let (first, second): (Vec<f64>, Vec<f64>) = words.map(|[a, b]| (poisson.draw(a), poisson.draw(b))).unzip();
        [first, second].map(|weights| ordered.iter().map(|o| o.curve(&weights, gain)).collect::<Vec<_>>())
    });
    let drawn: Vec<Vec<Drawn>> = drawn.into_iter().flatten().take(bootstrap.draws).collect();
    let ones = vec![1.0; persons.len()];
    let bands = ordered.iter().enumerate().map(|(index, o)| {
        let point = o.curve(&ones, gain);
        band(point, drawn.iter().map(|d| &d[index]), persons.len() as u64, (bootstrap.seed, bootstrap.draws))
    });
    bands.collect()
}

fn check(curve: GainCurve<'_>, rankings: &[&[f64]], bootstrap: &PoissonBootstrap<'_>) -> Result<Vec<u64>, UpliftError> {
    let n = match curve {
        GainCurve::DoublyRobust(scores) => scores.n(),
        GainCurve::Qini(observed) | GainCurve::Uplift(observed) => {
            same_length("treatment", observed.treated.len(), observed.outcome.len())?;
            finite("outcome", observed.outcome, "finite", f64::is_finite)?;
            observed.outcome.len()
        }
    };
    if n == 0 {
        return Err(UpliftError::Empty { what: "rows" });
    }
    for score in rankings {
        same_length("score", score.len(), n)?;
        finite("score", score, "finite", f64::is_finite)?;
    }
    if !(LEAST_DRAWS..=MOST_DRAWS).contains(&bootstrap.draws) {
        let message = format!("draws of {} is outside {LEAST_DRAWS} to {MOST_DRAWS}", bootstrap.draws);
        return Err(UpliftError::Params { name: "poisson_bootstrap", message });
    }
    let persons = bootstrap.persons.map_or_else(|| (0..n as u64).collect(), <[u64]>::to_vec);
    same_length("persons", persons.len(), n)?;
    Ok(persons)
}

/// Rows in the order of a ranking.
struct Ordered {
    rows: Vec<Row>,
    /// End of each block of tied rows.
    ends: Vec<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    score: f64,
    value: f64,
    treated: bool,
    position: usize,
}

/// One draw of a curve.
struct Drawn {
    gain: Vec<f64>,
    area: f64,
}

impl Ordered {
    fn new(curve: GainCurve<'_>, score: &[f64], persons: &[u64]) -> Self {
        let value = |i: usize| match curve {
            GainCurve::Qini(o) | GainCurve::Uplift(o) => (o.treated[i], o.outcome[i]),
            GainCurve::DoublyRobust(scores) => (true, scores.values()[i]),
        };
        let row = |position: usize| {
            let (treated, value) = value(position);
            Row { score: score[position] + 0.0, value: value + 0.0, treated, position }
        };
        let mut rows: Vec<Row> = (0..score.len()).map(row).collect();
        rows.sort_unstable_by(|a, b| -> Ordering {
            let by = b.score.total_cmp(&a.score).then(a.treated.cmp(&b.treated)).then(a.value.total_cmp(&b.value));
            by.then(persons[a.position].cmp(&persons[b.position]))
        });
        let mut end = 0;
        let ends = rows.chunk_by(|a, b| a.score == b.score).map(|tied| {
            end += tied.len();
            end
        });
        let ends = ends.collect();
        Self { rows, ends }
    }

    /// The curve on the grid and its area, per person, with the weights of one draw.
    fn curve(&self, weights: &[f64], gain: fn(Tally, Tally) -> f64) -> Drawn {
        let total: f64 = weights.iter().sum();
        let mut drawn = Drawn { gain: vec![0.0; GAIN_GRID + 1], area: 0.0 };
        if total <= 0.0 {
            return drawn;
        }
        let (mut treated, mut control) = (Tally::default(), Tally::default());
        let (mut start, mut last, mut next) = (0, (0.0, 0.0), 1);
        for &end in &self.ends {
            for row in &self.rows[start..end] {
                let weight = weights[row.position];
                let arm = if row.treated { &mut treated } else { &mut control };
                *arm = Tally { rows: arm.rows + whole(weight), total: arm.total + weight * row.value };
            }
            start = end;
            let here = ((treated.rows + control.rows) as f64 / total, gain(treated, control) / total);
            if here.0 > last.0 {
                while next < GAIN_GRID && next as f64 / GAIN_GRID as f64 <= here.0 {
                    let part = (next as f64 / GAIN_GRID as f64 - last.0) / (here.0 - last.0);
                    drawn.gain[next] = last.1 + part * (here.1 - last.1);
                    next += 1;
                }
                drawn.area += (here.0 - last.0) * f64::midpoint(last.1, here.1);
                last = here;
            }
        }
        drawn.gain[next..].fill(last.1);
        drawn.area -= last.1 / 2.0;
        drawn
    }
}

/// A Poisson draw as the count it is.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
fn whole(weight: f64) -> usize {
    weight as usize
}

fn band<'a>(
    point: Drawn,
    drawn: impl Iterator<Item = &'a Drawn>,
    n: u64,
    draws_of: (u64, usize),
) -> Result<GainBand, UpliftError> {
    let drawn: Vec<&Drawn> = drawn.collect();
    let (mut inner, mut outer) = (Vec::with_capacity(GAIN_GRID + 1), Vec::with_capacity(GAIN_GRID + 1));
    for (k, gain) in point.gain.iter().enumerate() {
        let draws: Vec<f64> = drawn.iter().map(|d| d.gain[k]).collect();
        for (level, out) in [(Level::HALF, &mut inner), (Level::P95, &mut outer)] {
            out.push(Estimate::from_draws(*gain, &draws, n, level, "poisson_bootstrap")?.interval());
        }
    }
    Ok(GainBand {
        shares: (0..=GAIN_GRID).map(|k| k as f64 / GAIN_GRID as f64).collect(),
        gain: point.gain,
        inner,
        outer,
        area: point.area,
        area_draws: drawn.iter().map(|d| d.area).collect(),
        n,
        draws_of,
    })
}

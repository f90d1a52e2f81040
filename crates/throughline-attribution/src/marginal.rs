//! Marginal figures: what one more unit of spend on a channel goes along with.

use throughline_core::{ConfidenceSet, Estimate, Level};
use throughline_stats::hac::{newey_west, rule_of_thumb};
use throughline_stats::ols::{OlsError, ols};

use crate::{AttributionError, Ratio};

/// Fewest days that a slope is read from.
pub const FEWEST_DAYS: usize = 42;
/// The share of spend's variance that weekday and trend must leave unexplained.
const LEAST_VARIATION: f64 = 0.01;
/// What the errors are called.
const METHOD: &str = "daily regression, newey-west";
/// Columns beside spend that are smooth in time: level and trend.
const SMOOTH: usize = 3;

/// The days of one channel, one after the other without a gap.
#[derive(Debug, Clone, Copy)]
pub struct Daily<'a> {
    /// Weekday of the first day, 0 to 6.
    pub first_weekday: usize,
    /// What was spent each day.
    pub spend: &'a [f64],
    /// Conversions credited to touches of each day.
    pub conversions: &'a [f64],
    /// Value credited to touches of each day.
    pub value: &'a [f64],
}

/// Marginal figures of a channel.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Marginal {
    /// Conversions for one more unit of spend.
    pub conversions: Ratio,
    /// Value for one more unit of spend: the marginal return on spend.
    pub return_on_spend: Ratio,
    /// Spend for one more conversion: the marginal cost per conversion.
    pub cost_per_conversion: Ratio,
}

impl Marginal {
    /// No figures, for a reason.
    pub fn undefined(because: impl Into<String>) -> Self {
        let because = because.into();
        let none = || Ratio::Undefined { because: because.clone() };
        Self { conversions: none(), return_on_spend: none(), cost_per_conversion: none() }
    }
}

/// The slope m of credit on spend of the same day: `y_t = a + b t + weekday_t + m spend_t + e_t` by least squares, with the errors of
/// Newey and West at the lag of their rule of thumb L = ⌊4 (n / 100)^(2/9)⌋.
///
/// Credit counts on the day of the touch, so that it meets the spend that bought it. Variance × n / (n − 3 (L + 1) − weekdays) for
/// the series' finite length, and Student's t on 1.5 n / (L + 1) − 3 degrees of freedom. The cost of one more conversion is 1 / m,
/// its set the reciprocals of m's: without an upper end where m's set reaches 0, and undefined where m does not exceed 0.
///
/// It is an association (tier 0): spend that follows demand looks better than it is, and spend that hardly moves says nothing.
/// Undefined with the reason: fewer than [`FEWEST_DAYS`] days, spend that does not vary beyond weekday and trend (1 % of its
/// variance). Errors: series of unequal length, numbers that are not finite.
pub fn marginal(days: &Daily<'_>, level: Level) -> Result<Marginal, AttributionError> {
    let n = days.spend.len();
    let series = [("conversions", days.conversions), ("value", days.value), ("spend", days.spend)];
    for (what, values) in series {
        if values.len() != n || values.iter().any(|v| !v.is_finite()) {
            return Err(AttributionError::NotDaily { what, days: values.len(), expected: n });
        }
    }
    if n < FEWEST_DAYS {
        return Ok(Marginal::undefined(format!("{n} days of spend are fewer than the {FEWEST_DAYS} needed")));
    }
    let others = others(days.first_weekday, n);
    let others: Vec<&[f64]> = others.iter().map(Vec::as_slice).collect();
    let squares = |values: &[f64], mean: f64| values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let all = squares(days.spend, days.spend.iter().sum::<f64>() / n as f64);
    let left = ols(&others, days.spend, None).map_or(0.0, |fit| squares(&fit.residuals, 0.0));
    if all <= 0.0 || left < LEAST_VARIATION * all {
        return Ok(Marginal::undefined("spend does not vary beyond weekday and trend"));
    }
    let columns: Vec<&[f64]> = std::iter::once(days.spend).chain(others).collect();
    let Some(conversions) = slope(&columns, days.conversions, level)? else {
        return Ok(Marginal::undefined("spend does not vary beyond weekday and trend"));
    };
    let Some(value) = slope(&columns, days.value, level)? else {
        return Ok(Marginal::undefined("spend does not vary beyond weekday and trend"));
    };
    let cost_per_conversion = reciprocal(&conversions);
    let (conversions, return_on_spend) = (Ratio::Number(conversions), Ratio::Number(value));
    Ok(Marginal { conversions, return_on_spend, cost_per_conversion })
}

/// Level, trend, and six weekdays against the seventh.
fn others(first_weekday: usize, n: usize) -> Vec<Vec<f64>> {
    let middle = n as f64 / 2.0;
    let mut out = vec![vec![1.0; n], (0..n).map(|t| (t as f64 - middle) / middle).collect()];
    out.extend((1..7).map(|day| (0..n).map(|t| f64::from(u8::from((first_weekday + t) % 7 == day))).collect()));
    out
}

/// The slope of the first column; none where columns are combinations of each other.
fn slope(columns: &[&[f64]], y: &[f64], level: Level) -> Result<Option<Estimate>, AttributionError> {
    let fit = match ols(columns, y, None) {
        Ok(fit) => fit,
        Err(OlsError::Collinear { .. }) => return Ok(None),
        Err(source) => return Err(AttributionError::Regression { source }),
    };
    let (n, lag) = (y.len(), rule_of_thumb(y.len()));
    let times: Vec<usize> = (0..n).collect();
    let variance = newey_west(&[fit.influence(columns, None, 0)], &times, lag)[0];
    let lost = SMOOTH * (lag + 1) + columns.len() - SMOOTH;
    let factor = n as f64 / (n - lost) as f64;
    let df = (1.5 * n as f64 / (lag + 1) as f64 - SMOOTH as f64).max(1.0);
    let error = (variance * factor).max(0.0).sqrt();
    let estimate = Estimate::wald(fit.coefficients[0], error, Some(df), n as u64, level, METHOD)?;
    let assumptions = ["spend does not follow demand", "weekdays and a straight trend are all else that moves credit"];
    Ok(Some(assumptions.into_iter().fold(estimate, Estimate::assuming)))
}

/// 1 / m and the reciprocals of its set.
fn reciprocal(slope: &Estimate) -> Ratio {
    if slope.value <= 0.0 {
        return Ratio::Undefined { because: "credit does not rise with spend".into() };
    }
    let (low, high) = slope.interval();
    let upper = if low > 0.0 { 1.0 / low } else { f64::INFINITY };
    let mut estimate = slope.clone();
    (estimate.value, estimate.std_error) = (1.0 / slope.value, None);
    estimate.set = ConfidenceSet(vec![(1.0 / high, upper)]);
    if !estimate.value.is_finite() {
        return Ratio::Undefined { because: "credit does not rise with spend".into() };
    }
    Ratio::Number(estimate)
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;

    const N: usize = 90;

    /// Spend that moves at random, and credit of `slope` times it with errors that depend on those before.
    fn simulated(seed: u64, slope: f64) -> (Vec<f64>, Vec<f64>) {
        let stream = Stream::new(seed, 0);
        let mut drawn = 0;
        let mut normal = || {
            drawn += 1;
            stream.normal_at(drawn)
        };
        let mut before = 0.0;
        let (mut spend, mut credit) = (Vec::new(), Vec::new());
        for t in 0..N {
            let s = 100.0 + 20.0 * normal() + if t % 7 > 4 { 30.0 } else { 0.0 };
            before = 0.4 * before + normal();
            spend.push(s);
            credit.push(5.0 + 0.02 * t as f64 + slope * s + f64::from(u8::from(t % 7 > 4)) * 3.0 + before);
        }
        (spend, credit)
    }

    fn read(spend: &[f64], credit: &[f64]) -> Marginal {
        let value: Vec<f64> = credit.iter().map(|c| 40.0 * c).collect();
        let days = Daily { first_weekday: 3, spend, conversions: credit, value: &value };
        marginal(&days, Level::P90).expect("defined")
    }

    #[test]
    fn intervals_cover_the_slope_at_their_level() {
        let covered = (0..600).filter(|seed| {
            let (spend, credit) = simulated(*seed, 0.05);
            let found = read(&spend, &credit);
            let (low, high) = found.conversions.number().expect("a slope").interval();
            low <= 0.05 && 0.05 <= high
        });
        let covered = covered.count();
        // 90 % of 600 within three standard deviations.
        assert!((518..=562).contains(&covered), "{covered} of 600");
    }

    #[test]
    fn an_exact_line_is_found_and_its_cost_is_the_reciprocal() {
        let (spend, _) = simulated(1, 0.0);
        let credit: Vec<f64> = spend.iter().enumerate().map(|(t, s)| 2.0 + 0.1 * t as f64 + 0.25 * s).collect();
        let found = read(&spend, &credit);
        let value = |ratio: &Ratio| ratio.number().expect("a number").value;
        assert!((value(&found.conversions) - 0.25).abs() < 1e-9);
        assert!((value(&found.return_on_spend) - 10.0).abs() < 1e-7);
        assert!((value(&found.cost_per_conversion) - 4.0).abs() < 1e-7);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        #[track_caller]
        fn check(spend: &[f64], credit: &[f64], expect: &str) {
            match read(spend, credit).cost_per_conversion {
                Ratio::Undefined { because } => assert!(because.contains(expect), "{because}"),
                Ratio::Number(estimate) => panic!("{estimate:?}"),
            }
        }
        let (spend, credit) = simulated(2, 0.05);
        check(&spend[..20], &credit[..20], "fewer than the 42");
        check(&[100.0; N], &credit, "does not vary");
        check(&[0.0; N], &credit, "does not vary");
        let weekly: Vec<f64> = (0..N).map(|t| (t % 7) as f64 + 0.5 * t as f64).collect();
        check(&weekly, &credit, "does not vary");
        let falling: Vec<f64> = credit.iter().map(|c| -c).collect();
        check(&spend, &falling, "does not rise");
        let days = Daily { first_weekday: 0, spend: &spend, conversions: &credit[..3], value: &credit };
        assert!(marginal(&days, Level::P90).is_err());
    }

    #[test]
    fn a_slope_that_may_be_nothing_has_no_dearest_conversion() {
        let unsure = (0..200).find_map(|seed| {
            let (spend, credit) = simulated(seed, 0.004);
            let found = read(&spend, &credit);
            let slope = found.conversions.number()?.clone();
            (slope.value > 0.0 && slope.interval().0 < 0.0).then(|| (slope, found.cost_per_conversion.clone()))
        });
        let (slope, cost) = unsure.expect("a slope near nothing");
        let (low, high) = cost.number().expect("a cost").interval();
        assert!(high.is_infinite() && (low - 1.0 / slope.interval().1).abs() < 1e-12);
    }
}

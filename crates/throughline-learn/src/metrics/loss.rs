//! Proper scores: log loss, and the Brier score with its decomposition.

use throughline_core::{Diagnostic, Estimate, Level};

use super::Predicted;
use super::auc::one_class;
use crate::LearnError;

/// Probabilities are kept this far from 0 and 1 in the log loss.
pub(crate) const LOG_BOUND: f64 = 1e-15;

/// −ln of the probability given to what happened, bounded at −ln 1e-15 ≈ 34.5.
pub(crate) fn log_loss_of(probability: f64, event: bool) -> f64 {
    let p = if event { probability } else { 1.0 - probability };
    -p.max(LOG_BOUND).ln()
}

/// (p − y)².
pub(crate) fn brier_of(probability: f64, event: bool) -> f64 {
    (probability - f64::from(u8::from(event))).powi(2)
}

/// The log loss of probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLoss {
    /// Mean of −ln p of what happened, in nats per row; 0 is perfect.
    pub loss: Estimate,
    /// The loss of the base rate for every row; 0 where all rows are of one class (`TL750`).
    pub of_base_rate: f64,
    /// 1 − loss / loss of the base rate: above 0 for probabilities that say more than the base rate. `None` for one class.
    pub skill: Option<f64>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// The log loss, −(1/n) Σ [y ln p + (1 − y) ln(1 − p)], with p kept 1e-15 from 0 and 1; rows whose probability of 0 or 1 is
/// contradicted by the event are counted (`TL751`). Standard error: that of a mean of independent rows.
///
/// # Errors
/// Scores that are no probabilities.
pub fn log_loss(predicted: &Predicted, level: Level) -> Result<LogLoss, LearnError> {
    predicted.probabilities()?;
    let loss = mean_loss(predicted, log_loss_of, level, "log_loss")?;
    let base = predicted.base_rate();
    let of_base_rate = base * log_loss_of(base, true) + (1.0 - base) * log_loss_of(base, false);
    let of_base_rate = if predicted.events == 0 || predicted.events == predicted.rows { 0.0 } else { of_base_rate };
    let mut diagnostics = Vec::new();
    if of_base_rate == 0.0 {
        diagnostics.push(one_class(predicted));
    }
    let sure = |b: &super::ScoreBlock| match b.score {
        1.0 => b.rows - b.events,
        0.0 => b.events,
        _ => 0,
    };
    let contradicted: u64 = predicted.blocks.iter().map(sure).sum();
    if contradicted > 0 {
        let message =
            format!("{contradicted} of {} rows had a probability of 0 or 1 and went the other way", predicted.rows);
        diagnostics.push(Diagnostic::warning("TL751", message).help("calibrate with `platt` or `beta`"));
    }
    let skill = (of_base_rate > 0.0).then(|| 1.0 - loss.value / of_base_rate);
    Ok(LogLoss { loss, of_base_rate, skill, diagnostics })
}

/// The Brier score and its parts: score = reliability − resolution + uncertainty + within.
#[derive(Debug, Clone, PartialEq)]
pub struct BrierParts {
    /// Mean (p − y)².
    pub score: Estimate,
    /// Σ n_b/n (p̄_b − ȳ_b)²: what calibration could take away.
    pub reliability: f64,
    /// Σ n_b/n (ȳ_b − ȳ)²: what the probabilities tell apart.
    pub resolution: f64,
    /// ȳ(1 − ȳ): the score of the base rate.
    pub uncertainty: f64,
    /// (1/n) Σ (p − p̄_b)² − (2/n) Σ (y − ȳ_b)(p − p̄_b): what bins hide; 0 for bins of one probability.
    pub within: f64,
}

/// The Brier score, decomposed over bins of nearly equal numbers of rows, or over the distinct probabilities where `bins`
/// is `None` (Murphy, J. Applied Meteorology 12, 1973; with the terms within bins of Stephenson, Coelho and Jolliffe,
/// Weather and Forecasting 23, 2008, the sum is exact). Bins of few rows overstate reliability and resolution alike.
///
/// # Errors
/// Scores that are no probabilities; 0 bins.
pub fn brier(predicted: &Predicted, bins: Option<usize>, level: Level) -> Result<BrierParts, LearnError> {
    predicted.probabilities()?;
    if bins == Some(0) {
        return Err(LearnError::Empty { what: "bins" });
    }
    let score = mean_loss(predicted, brier_of, level, "brier_score")?;
    let (n, base) = (predicted.rows as f64, predicted.base_rate());
    let ranges = match bins {
        Some(bins) => predicted.equal_mass(bins),
        None => (0..predicted.blocks.len()).map(|i| i..i + 1).collect(),
    };
    let (mut reliability, mut resolution, mut within) = (0.0, 0.0, 0.0);
    for range in ranges {
        let blocks = &predicted.blocks[range];
        let rows = blocks.iter().map(|b| b.rows).sum::<u64>() as f64;
        let rate = blocks.iter().map(|b| b.events).sum::<u64>() as f64 / rows;
        let mean = blocks.iter().map(|b| b.rows as f64 * b.score).sum::<f64>() / rows;
        reliability += rows / n * (mean - rate).powi(2);
        resolution += rows / n * (rate - base).powi(2);
        for b in blocks.iter().filter(|_| blocks.len() > 1) {
            let (away, count) = (b.score - mean, b.rows as f64);
            within += (count * away * away - 2.0 * away * (b.events as f64 - count * rate)) / n;
        }
    }
    Ok(BrierParts { score, reliability, resolution, uncertainty: base * (1.0 - base), within })
}

/// The mean loss over rows with the standard error of a mean.
fn mean_loss(
    predicted: &Predicted,
    loss: fn(f64, bool) -> f64,
    level: Level,
    method: &str,
) -> Result<Estimate, LearnError> {
    let n = predicted.rows as f64;
    let sum = |f: &dyn Fn(f64) -> f64| -> f64 {
        let of = |b: &super::ScoreBlock| {
            let others = (b.rows - b.events) as f64;
            b.events as f64 * f(loss(b.score, true)) + others * f(loss(b.score, false))
        };
        predicted.blocks.iter().map(of).sum()
    };
    let mean = sum(&|l| l) / n;
    let error = if n > 1.0 { (sum(&|l| (l - mean).powi(2)) / (n - 1.0) / n).sqrt() } else { 0.0 };
    Ok(Estimate::wald(mean, error, None, predicted.rows, level, method)?)
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;

    #[test]
    fn the_parts_add_up_and_the_losses_are_their_formulas() {
        for seed in 0..30 {
            let stream = Stream::new(seed, 51);
            let n = 1 + stream.index_at(0, 60);
            let p: Vec<f64> = (0..n).map(|i| stream.index_at(2 * i + 1, 7) as f64 / 6.0).collect();
            let event: Vec<bool> = (0..n).zip(&p).map(|(i, p)| stream.uniform_at(2 * i + 2) < *p).collect();
            let predicted = Predicted::new(&p, &event).expect("counts");
            let y = |i: usize| f64::from(u8::from(event[i]));
            let expect = (0..p.len()).map(|i| (p[i] - y(i)).powi(2)).sum::<f64>() / n as f64;
            for bins in [None, Some(1), Some(3), Some(10)] {
                let parts = brier(&predicted, bins, Level::P95).expect("a score");
                let sum = parts.reliability - parts.resolution + parts.uncertainty + parts.within;
                assert!((parts.score.value - expect).abs() < 1e-12 && (sum - expect).abs() < 1e-12, "{parts:?}");
                assert!(bins.is_some() || parts.within == 0.0);
            }
            let expect = (0..p.len()).map(|i| log_loss_of(p[i], event[i])).sum::<f64>() / n as f64;
            let got = log_loss(&predicted, Level::P95).expect("a loss");
            assert!((got.loss.value - expect).abs() < 1e-12 && got.loss.value.is_finite());
        }
    }

    #[test]
    fn certainty_that_fails_is_bounded_and_counted() {
        let predicted = Predicted::new(&[1.0, 0.0, 1.0, 0.5], &[false, true, true, true]).expect("counts");
        let found = log_loss(&predicted, Level::P95).expect("a loss");
        assert_eq!(found.diagnostics[0].code, "TL751");
        assert!(found.diagnostics[0].message.starts_with("2 of 4"), "{:?}", found.diagnostics);
        assert!((found.loss.value - (2.0 * 34.538_776 + std::f64::consts::LN_2) / 4.0).abs() < 1e-5, "{found:?}");
        let one = Predicted::new(&[0.5, 0.5], &[true, true]).expect("counts");
        let found = log_loss(&one, Level::P95).expect("a loss");
        assert_eq!((found.of_base_rate, found.skill, found.diagnostics[0].code.as_str()), (0.0, None, "TL750"));
        let bad = Predicted::new(&[1.5, 0.5], &[true, false]).expect("counts");
        let error = log_loss(&bad, Level::P95).expect_err("no probability").to_string();
        assert!(error.contains("1 values that are not between 0 and 1; the first is in row 0"), "{error}");
        assert!(brier(&bad, None, Level::P95).is_err() && brier(&one, Some(0), Level::P95).is_err());
    }
}

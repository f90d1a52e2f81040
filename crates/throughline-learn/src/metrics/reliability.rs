//! Calibration error and the reliability curve.

use throughline_core::{Diagnostic, Level};
use throughline_stats::proportion::wilson;

use super::{Predicted, ScoreBlock};
use crate::LearnError;

/// One point of the reliability curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReliabilityBin {
    /// Lowest probability in the bin.
    pub lowest: f64,
    /// Highest probability in it.
    pub highest: f64,
    /// Mean probability in it.
    pub predicted: f64,
    /// Share of its rows with the event.
    pub rate: f64,
    /// Wilson's interval of that share.
    pub interval: (f64, f64),
    /// Rows.
    pub rows: u64,
    /// Rows with the event.
    pub events: u64,
}

/// How far probabilities are from what happened.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationError {
    /// Expected calibration error Σ n_b/n |p̄_b − ȳ_b|, plug-in: above 0 for calibrated probabilities too.
    pub expected: f64,
    /// The squared error less its bias, Σ n_b/n [(p̄_b − ȳ_b)² − ȳ_b(1 − ȳ_b)/(n_b − 1)]: 0 on average for calibrated
    /// probabilities, hence below 0 about half of the time. Bins of one row have no bias correction and are left out;
    /// `None` where all are.
    pub debiased_squared: Option<f64>,
    /// √max(0, debiased square), in the unit of a probability.
    pub debiased: Option<f64>,
    /// The bins, lowest probabilities first.
    pub bins: Vec<ReliabilityBin>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// Calibration error over at most `bins` bins of nearly equal numbers of rows (tied probabilities stay in one bin), debiased
/// as by Kumar, Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019, with the reliability curve and Wilson's
/// intervals at `level`. It is the error that the bins can see: a lower bound of the true one.
///
/// # Errors
/// Scores that are no probabilities; 0 bins.
pub fn calibration_error(predicted: &Predicted, bins: usize, level: Level) -> Result<CalibrationError, LearnError> {
    predicted.probabilities()?;
    if bins == 0 {
        return Err(LearnError::Empty { what: "bins" });
    }
    let ranges = predicted.equal_mass(bins);
    let curve: Vec<ReliabilityBin> = ranges.into_iter().rev().map(|r| bin(&predicted.blocks[r], level)).collect();
    let (mut expected, mut squared, mut counted) = (0.0, 0.0, 0.0);
    for b in &curve {
        let rows = b.rows as f64;
        expected += rows * (b.predicted - b.rate).abs();
        if b.rows > 1 {
            squared += rows * ((b.predicted - b.rate).powi(2) - b.rate * (1.0 - b.rate) / (rows - 1.0));
            counted += rows;
        }
    }
    let mut diagnostics = Vec::new();
    if predicted.rows / 2 < bins as u64 {
        let message = format!("{} rows are too few for {bins} bins of 2 rows or more", predicted.rows);
        diagnostics.push(Diagnostic::warning("TL755", message).help("use fewer bins"));
    }
    let debiased_squared = (counted > 0.0).then(|| squared / counted);
    Ok(CalibrationError {
        expected: expected / predicted.rows as f64,
        debiased_squared,
        debiased: debiased_squared.map(|s| s.max(0.0).sqrt()),
        bins: curve,
        diagnostics,
    })
}

fn bin(blocks: &[ScoreBlock], level: Level) -> ReliabilityBin {
    let rows: u64 = blocks.iter().map(|b| b.rows).sum();
    let events: u64 = blocks.iter().map(|b| b.events).sum();
    let sum: f64 = blocks.iter().map(|b| b.rows as f64 * b.score).sum();
    ReliabilityBin {
        lowest: blocks.last().map_or(0.0, |b| b.score),
        highest: blocks.first().map_or(0.0, |b| b.score),
        predicted: sum / rows as f64,
        rate: events as f64 / rows as f64,
        interval: wilson(events, rows, level.get()).unwrap_or((0.0, 1.0)),
        rows,
        events,
    }
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;

    fn error_of(p: &[f64], event: &[bool], bins: usize) -> CalibrationError {
        calibration_error(&Predicted::new(p, event).expect("counts"), bins, Level::P95).expect("an error")
    }

    #[test]
    fn the_debiased_error_is_0_on_average_where_probabilities_are_right() {
        let (runs, n) = (200, 300);
        let (mut plain, mut debiased, mut squares) = (0.0, 0.0, 0.0);
        for run in 0..runs {
            let stream = Stream::new(run, 52);
            let p: Vec<f64> = (0..n).map(|i| stream.uniform_at(2 * i)).collect();
            let event: Vec<bool> = (0..n).zip(&p).map(|(i, p)| stream.uniform_at(2 * i + 1) < *p).collect();
            let found = error_of(&p, &event, 10);
            plain += found.expected / runs as f64;
            let d = found.debiased_squared.expect("bins of many rows");
            debiased += d / runs as f64;
            squares += d * d / runs as f64;
        }
        let error = (squares / runs as f64).sqrt();
        // What is left of the probabilities' spread within bins lowers the variance of ȳ a little: 1/1200 · 1/30 a bin.
        assert!(debiased.abs() < 4.0 * error + 5e-5 && plain > 0.03, "{debiased} ± {error}, plug-in {plain}");
    }

    #[test]
    fn a_known_error_is_found_and_small_inputs_are_defined() {
        let p = [0.2; 100];
        let event: Vec<bool> = (0..100).map(|i| i < 50).collect();
        let found = error_of(&p, &event, 10);
        assert_eq!((found.bins.len(), found.bins[0].rows), (1, 100));
        assert!((found.expected - 0.3).abs() < 1e-12);
        assert!((found.debiased_squared.expect("rows") - (0.09 - 0.25 / 99.0)).abs() < 1e-12);
        assert!(found.bins[0].interval.0 < 0.5 && found.bins[0].interval.1 > 0.5);
        let tiny = error_of(&[0.9, 0.1], &[true, false], 10);
        assert_eq!((tiny.debiased_squared, tiny.diagnostics[0].code.as_str()), (None, "TL755"));
        assert!(tiny.bins[0].predicted < tiny.bins[1].predicted);
        assert!(calibration_error(&Predicted::new(&[2.0], &[true]).expect("counts"), 5, Level::P95).is_err());
    }
}

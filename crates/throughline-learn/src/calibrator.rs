//! Calibrators: they turn scores into probabilities that mean what they say.

use std::fmt;

use serde_json::Value;
use throughline_core::Diagnostic;

use crate::calibrators::{beta, identity, isotonic, platt};
use crate::checks::{all, finite, same_length};
use crate::{CalibratorChoice, LearnError};

/// Scores with what happened. The scores must come from a model that has not seen the rows (out of fold): a calibrator fitted
/// on the rows that trained the model learns the model's overconfidence.
#[derive(Debug, Clone, Copy)]
pub struct CalibrationInput<'a> {
    /// Predicted probabilities, or other finite scores where a calibrator takes them.
    pub score: &'a [f64],
    /// Whether the event happened.
    pub event: &'a [bool],
    /// Weights, finite and at least 0; 1 each when absent.
    pub weights: Option<&'a [f64]>,
}

/// An unfitted calibrator with its parameters.
pub trait Calibrator: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// Learns; the same bits for any order of rows.
    fn fit(&self, input: &CalibrationInput<'_>) -> Result<(Box<dyn FittedCalibrator>, Vec<Diagnostic>), LearnError>;
}

/// A fitted calibrator.
pub trait FittedCalibrator: fmt::Debug + Send + Sync {
    /// Its name in the registry.
    fn name(&self) -> &'static str;

    /// A probability in [0, 1] for each score. Scores that are not finite, or no probabilities where the calibrator needs
    /// them, are refused.
    fn calibrate(&self, score: &[f64]) -> Result<Vec<f64>, LearnError>;

    /// All it knows, as JSON from which [`CalibratorEntry::load`] makes the same calibrator, bit for bit.
    fn state(&self) -> Value;
}

/// One calibrator of the registry.
#[derive(Debug, Clone, Copy)]
pub struct CalibratorEntry {
    /// Name in configuration and artefacts.
    pub name: &'static str,
    /// Builds it from parameters (`null` for the defaults).
    pub build: fn(&Value) -> Result<Box<dyn Calibrator>, LearnError>,
    /// Restores a fitted one from its state.
    pub load: fn(&Value) -> Result<Box<dyn FittedCalibrator>, LearnError>,
}

/// Every calibrator, the simplest first: where two do equally well, [`choose_calibrator`](crate::choose_calibrator) takes the
/// earlier one.
pub const CALIBRATORS: &[CalibratorEntry] = &[
    CalibratorEntry { name: identity::NAME, build: identity::build, load: identity::load },
    CalibratorEntry { name: platt::NAME, build: platt::build, load: platt::load },
    CalibratorEntry { name: beta::NAME, build: beta::build, load: beta::load },
    CalibratorEntry { name: isotonic::NAME, build: isotonic::build, load: isotonic::load },
];

/// The entry of a name; an unknown name answers with the known ones.
pub fn calibrator(name: &str) -> Result<&'static CalibratorEntry, LearnError> {
    CALIBRATORS.iter().find(|entry| entry.name == name).ok_or_else(|| LearnError::UnknownName {
        what: "calibrator",
        name: name.to_owned(),
        known: CALIBRATORS.iter().map(|entry| entry.name).collect::<Vec<_>>().join(", "),
    })
}

/// Rows of one score: its weights of rows without and with the event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Counted {
    pub(crate) score: f64,
    pub(crate) others: f64,
    pub(crate) events: f64,
}

impl CalibrationInput<'_> {
    pub(crate) fn check(&self) -> Result<(), LearnError> {
        same_length("event", self.event.len(), self.score.len())?;
        finite("score", self.score)?;
        if let Some(weights) = self.weights {
            same_length("weights", weights.len(), self.score.len())?;
            all("weights", weights, "0 to 1e100", |w| (0.0..=1e100).contains(&w))?;
        }
        if self.score.is_empty() {
            return Err(LearnError::Empty { what: "rows for a calibrator" });
        }
        Ok(())
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |w| w[row])
    }

    /// Rows by score, ties, event and weight: what is summed in this order does not depend on the order of rows.
    pub(crate) fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.score.len()).collect();
        order.sort_unstable_by(|&a, &b| {
            let by = (self.score[a] + 0.0).total_cmp(&(self.score[b] + 0.0)).then(self.event[a].cmp(&self.event[b]));
            by.then(self.weight(a).total_cmp(&self.weight(b)))
        });
        order
    }

    /// Weights per distinct score, lowest first, without scores of no weight. Errors: as [`check`](Self::check), and no
    /// weight at all.
    pub(crate) fn counted(&self) -> Result<Vec<Counted>, LearnError> {
        self.check()?;
        let order = self.order();
        let mut counted = Vec::new();
        for tied in order.chunk_by(|&a, &b| self.score[a] == self.score[b]) {
            let sum = |event: bool| -> f64 {
                tied.iter().filter(|&&row| self.event[row] == event).map(|&row| self.weight(row)).sum()
            };
            let one = Counted { score: self.score[tied[0]] + 0.0, others: sum(false), events: sum(true) };
            if one.others + one.events > 0.0 {
                counted.push(one);
            }
        }
        if counted.is_empty() {
            return Err(LearnError::Empty { what: "rows of positive weight for a calibrator" });
        }
        Ok(counted)
    }
}

/// Σ weights of rows without and with the event, and what to say where one is 0.
pub(crate) fn totals(counted: &[Counted]) -> (f64, f64, Option<Diagnostic>) {
    let (others, events) = counted.iter().fold((0.0, 0.0), |(o, e), c| (o + c.others, e + c.events));
    let what = if events == 0.0 { "no row" } else { "every row" };
    let found = (others == 0.0 || events == 0.0).then(|| {
        Diagnostic::warning("TL750", format!("{what} of a calibration has the event: probabilities become constant"))
    });
    (others, events, found)
}

/// What a chosen calibrator is saved as: its name with its state.
impl CalibratorChoice {
    /// `{ "calibrator": name, "state": … }`, read by [`load_calibrator`].
    pub fn state(&self) -> Value {
        serde_json::json!({ "calibrator": self.fitted.name(), "state": self.fitted.state() })
    }
}

/// Restores a calibrator saved with its name.
///
/// # Errors
/// An unknown calibrator, or a damaged state.
pub fn load_calibrator(saved: &Value) -> Result<Box<dyn FittedCalibrator>, LearnError> {
    let missing = |key: &str| LearnError::State { message: format!("a calibrator without `{key}`") };
    let name = saved.get("calibrator").and_then(Value::as_str).ok_or_else(|| missing("calibrator"))?;
    (calibrator(name)?.load)(saved.get("state").ok_or_else(|| missing("state"))?)
}

//! `throughline uplift fit`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use throughline_core::{Diagnostic, Level};
use throughline_stats::stream::Stream;
use throughline_uplift::{Artefact, Encoder, Evaluation, Scored, Training, content_hash, evaluate, uplift_model};

use super::evaluate::{evaluation_json, evaluation_text};
use super::read::{Rows, read};
use crate::files::column_names;
use crate::{Answer, OneShotError};

/// Which rows are held back: a stream of its own.
const HELD_BACK: u64 = 0x6865_6c64;

/// Which learner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LearnerName {
    /// One model of the outcome with the arm as a feature.
    S,
    /// One model of the outcome for each arm.
    T,
    /// Effects imputed from the outcome model of the other arm.
    X,
    /// What is left of the outcome on what is left of the treatment.
    R,
    /// A regression of doubly robust scores.
    Dr,
    /// An honest causal forest.
    Forest,
}

impl LearnerName {
    /// Its name in the registry.
    const fn registered(self) -> &'static str {
        match self {
            Self::S => "s_learner",
            Self::T => "two_model",
            Self::X => "x_learner",
            Self::R => "r_learner",
            Self::Dr => "dr_learner",
            Self::Forest => "forest",
        }
    }
}

/// What to fit.
#[derive(Debug, Args)]
pub struct FitArgs {
    /// CSV or Parquet file with one row a person.
    pub file: PathBuf,
    /// Column delimiter.
    #[arg(long, default_value = ",")]
    pub delimiter: String,
    /// Column of the arm each person was assigned to.
    #[arg(long)]
    pub treatment: String,
    /// The value of the control; `0`, `none` or `control…` without.
    #[arg(long)]
    pub control: Option<String>,
    /// Column of the outcome.
    #[arg(long)]
    pub outcome: String,
    /// Columns to learn from, separated by commas; all others without. Texts are categories.
    #[arg(long, value_delimiter = ',')]
    pub features: Vec<String>,
    /// Columns not to learn from, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub without: Vec<String>,
    /// Learner.
    #[arg(long, value_enum, default_value = "x")]
    pub learner: LearnerName,
    /// Its parameters as JSON, such as '{"learner_params":{"rounds":200}}'.
    #[arg(long)]
    pub params: Option<String>,
    /// Share of rows that are held back to judge the model; 0 to learn from all and judge by none.
    #[arg(long, default_value_t = 0.2)]
    pub test_share: f64,
    /// Seed of the rows that are held back.
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95)]
    pub level: f64,
    /// Threads; the model does not depend on it.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Write the model to this file.
    #[arg(long)]
    pub save: Option<PathBuf>,
    /// Write the effects of all rows to this CSV file.
    #[arg(long)]
    pub scores: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// A fitted model with what is known of it.
struct Fitted {
    artefact: Artefact,
    found: Vec<Diagnostic>,
    /// Of rows that were not learnt from, by arm.
    judged: Vec<(String, Evaluation)>,
    tested: usize,
}

impl FitArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        let level =
            Level::new(self.level).map_err(|e| OneShotError::finding(Diagnostic::error("TL045", e.to_string())))?;
        if !(0.0..0.9).contains(&self.test_share) {
            let message = format!("a test share of {} is outside 0 to 0.9", self.test_share);
            return Err(OneShotError::finding(Diagnostic::error("TL065", message)));
        }
        let features = self.features()?;
        let names: Vec<&str> = features.iter().map(String::as_str).collect();
        let asked = (self.treatment.as_str(), self.control.as_deref());
        let rows = read((&self.file, &self.delimiter), asked, &self.outcome, &names)?;
        let fitted = self.fitted(&rows, &features, level)?;
        let bytes = fitted.artefact.to_bytes()?;
        if let Some(path) = &self.save {
            std::fs::write(path, &bytes).map_err(|source| failed("write", path, source))?;
        }
        let all: Vec<usize> = (0..rows.kept.len()).collect();
        if let Some(path) = &self.scores {
            write_scores(path, &rows, &fitted.artefact, &rows.features(&features, &all)?)?;
        }
        Ok(self.answer(&rows, &features, &fitted, &content_hash(&bytes)))
    }

    fn features(&self) -> Result<Vec<String>, OneShotError> {
        if !self.features.is_empty() {
            return Ok(self.features.clone());
        }
        let used = |name: &String| {
            *name != self.treatment && *name != self.outcome && !self.without.contains(name) && !name.is_empty()
        };
        Ok(column_names(&self.file, &self.delimiter)?.into_iter().filter(used).collect())
    }

    fn params(&self) -> Result<Value, OneShotError> {
        let Some(text) = &self.params else { return Ok(Value::Null) };
        serde_json::from_str(text).map_err(|e| {
            let finding = Diagnostic::error("TL065", format!("--params is not JSON: {e}"));
            OneShotError::finding(finding.help("for example '{\"learner_params\":{\"rounds\":200}}'"))
        })
    }

    fn fitted(&self, rows: &Rows, features: &[String], level: Level) -> Result<Fitted, OneShotError> {
        let stream = Stream::new(self.seed, HELD_BACK);
        let held = |row: usize| stream.uniform_at(row as u64) < self.test_share;
        let (test, learn): (Vec<usize>, Vec<usize>) = (0..rows.kept.len()).partition(|row| held(*row));
        let pick = |of: &[f64], rows: &[usize]| rows.iter().map(|&r| of[r]).collect::<Vec<f64>>();
        let raw = rows.features(features, &learn)?;
        let (encoder, mut found) = Encoder::fit(&raw)?;
        let (matrix, more) = encoder.transform(&raw)?;
        drop(raw);
        found.extend(more);
        let outcome = pick(&rows.outcome, &learn);
        let arm: Vec<u32> = learn.iter().map(|&r| rows.arm[r]).collect();
        let (mut training, more) = Training::new(&matrix, &outcome, &arm, &rows.arms, None)?;
        found.extend(more);
        if let Some(threads) = self.threads {
            training = training.with_threads(threads);
        }
        let unfitted = (uplift_model(self.learner.registered())?.build)(&self.params()?)?;
        let (model, more) = unfitted.fit(&training)?;
        found.extend(more);
        let artefact = Artefact { encoder, model };
        let mut judged = Vec::new();
        if !test.is_empty() {
            let (effects, more) = artefact.score(&rows.features(features, &test)?)?;
            found.extend(more);
            for effect in &effects.arms {
                let number = rows.arms.iter().position(|a| *a == effect.arm).unwrap_or(0);
                let of = |place: &usize| matches!(rows.arm[test[*place]] as usize, a if a == 0 || a == number);
                let places: Vec<usize> = (0..test.len()).filter(of).collect();
                let score: Vec<f64> = places.iter().map(|&p| effect.effect[p]).collect();
                let treated: Vec<bool> = places.iter().map(|&p| rows.arm[test[p]] != 0).collect();
                let outcome: Vec<f64> = places.iter().map(|&p| rows.outcome[test[p]]).collect();
                let evaluation = evaluate(&Scored::new(&score, &treated, &outcome)?, level)?;
                found.extend(evaluation.diagnostics.iter().cloned());
                judged.push((effect.arm.clone(), evaluation));
            }
        }
        Ok(Fitted { artefact, found, judged, tested: test.len() })
    }

    fn answer(&self, rows: &Rows, features: &[String], fitted: &Fitted, hash: &str) -> Answer {
        let diagnostics: Vec<&Diagnostic> = rows.found.iter().chain(&fitted.found).collect();
        let arms: Map<String, Value> =
            fitted.judged.iter().map(|(arm, found)| (arm.clone(), evaluation_json(found))).collect();
        let counts: Map<String, Value> = rows
            .arms
            .iter()
            .zip(0_u32..)
            .map(|(name, number)| (name.clone(), json!(rows.arm.iter().filter(|a| **a == number).count())))
            .collect();
        let learner = self.learner.registered();
        let json = json!({
            "learner": learner,
            "model": hash,
            "features": features,
            "rows": rows.kept.len(),
            "rows_by_arm": counts,
            "control": rows.arms.first(),
            "tested_rows": fitted.tested,
            "arms": arms,
            "diagnostics": diagnostics,
        });
        let mut text = format!("{learner} on {} rows, {} features\n", rows.kept.len(), features.len());
        if fitted.judged.is_empty() {
            text.push_str("no rows were held back: nothing is known of how well it ranks\n");
        }
        for (arm, found) in &fitted.judged {
            let heading = format!("\n{arm} against {}, {} rows held back\n", rows.arms[0], found.n);
            text.push_str(&heading);
            text.push_str(&evaluation_text(found));
        }
        for diagnostic in &diagnostics {
            text.push_str(&format!("\n{diagnostic}"));
        }
        Answer { json, text }
    }
}

fn failed(doing: &'static str, path: &Path, source: std::io::Error) -> OneShotError {
    OneShotError::Io { doing, path: path.display().to_string(), source }
}

/// The row of the file, and the effect of each arm.
fn write_scores(
    path: &Path,
    rows: &Rows,
    artefact: &Artefact,
    raw: &[throughline_uplift::RawColumn<'_>],
) -> Result<(), OneShotError> {
    let (effects, _) = artefact.score(raw)?;
    let told = |e: csv::Error| failed("write", path, std::io::Error::other(e));
    let mut out = csv::Writer::from_path(path).map_err(told)?;
    let mut header = vec!["row".to_owned(), "base".to_owned()];
    header.extend(effects.arms.iter().map(|a| format!("effect_{}", a.arm)));
    out.write_record(&header).map_err(told)?;
    for (place, row) in rows.kept.iter().enumerate() {
        let mut record = vec![(row + 1).to_string(), effects.mu_control[place].to_string()];
        record.extend(effects.arms.iter().map(|a| a.effect[place].to_string()));
        out.write_record(&record).map_err(told)?;
    }
    out.flush().map_err(|source| failed("write", path, source))
}

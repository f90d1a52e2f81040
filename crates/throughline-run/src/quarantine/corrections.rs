//! Corrections as the ledger keeps them, and how a file is read with them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use throughline_core::{Diagnostic, IdentifierKind, SubjectToken, Timestamp};
use throughline_ingest::{CompiledSource, Misplaced, RowExample, SourceFile, patched, refused_rows};
use throughline_lake::Unit;
use throughline_ledger::{NewArtefact, Repository};
use throughline_vault::{Intake, OpenFor};

use crate::error::RunError;
use crate::stage::{StageContext, StageError};

/// Kind of the artefact of a correction.
const CORRECTION: &str = "quarantine_correction";
/// Who opens the vault for a run.
const ACTOR: &str = "ingest";

/// What was decided about a refused row. Raw and corrected row are sealed in the vault; the ledger knows their tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Correction {
    /// The unit of `ingest`.
    pub(crate) unit: String,
    /// The row as it stands in the file.
    pub(crate) raw_token: SubjectToken,
    /// The row as it shall be read; absent where it is labelled only, or the correction was taken back.
    pub(crate) new_token: Option<SubjectToken>,
    /// What people call it.
    pub(crate) label: Option<String>,
    /// Who decided.
    pub(crate) author: String,
    /// Why; sealed under the raw row's own key, so that it ends with it.
    pub(crate) reason: String,
    /// When.
    pub(crate) at: Timestamp,
}

impl Correction {
    /// Keeps it. The latest about a row of a unit counts.
    pub(crate) async fn keep(&self, ledger: &dyn Repository) -> Result<(), RunError> {
        let metadata = serde_json::to_value(self)?;
        let content_hash = hex::encode(Sha256::digest(metadata.to_string()));
        let name = format!("{}#{}", self.unit, self.raw_token);
        let artefact = NewArtefact {
            kind: CORRECTION,
            name: &name,
            content_hash: &content_hash,
            metadata: &metadata,
            now: self.at,
        };
        ledger.register(artefact).await?;
        Ok(())
    }
}

/// The corrections of a project, the latest for each row, by unit and raw row.
#[derive(Debug, Default)]
pub(crate) struct Corrections(BTreeMap<String, BTreeMap<SubjectToken, Vec<Correction>>>);

impl Corrections {
    pub(crate) async fn load(ledger: &dyn Repository) -> Result<Self, RunError> {
        let mut artefacts = ledger.artefacts(CORRECTION).await?;
        artefacts.sort_by(|a, b| (&a.name, a.version).cmp(&(&b.name, b.version)));
        let mut all = Self::default();
        for artefact in artefacts {
            let correction: Correction = serde_json::from_value(artefact.metadata)?;
            let rows = all.0.entry(correction.unit.clone()).or_default();
            rows.entry(correction.raw_token).or_default().push(correction);
        }
        Ok(all)
    }

    /// Everything that was decided about a row, oldest first.
    pub(crate) fn about(&self, unit: &str, raw: SubjectToken) -> &[Correction] {
        self.0.get(unit).and_then(|rows| rows.get(&raw)).map_or(&[], Vec::as_slice)
    }

    /// All that stand, a label alone included.
    pub(crate) fn standing(&self) -> impl Iterator<Item = &Correction> {
        self.0.values().flat_map(BTreeMap::values).filter_map(|all| all.last())
    }

    /// Those of a unit that replace a row: raw row → row to read.
    fn replacing(&self, unit: &str) -> BTreeMap<SubjectToken, SubjectToken> {
        let rows = self.0.get(unit).into_iter().flatten();
        rows.filter_map(|(raw, all)| Some((*raw, all.last()?.new_token?))).collect()
    }

    /// What stands for the corrections of a unit in its fingerprint; nothing without any.
    pub(crate) fn digest(&self, unit: &str) -> Option<String> {
        let replacing = self.replacing(unit);
        let text = |(raw, new): (&SubjectToken, &SubjectToken)| format!("{raw}={new}\n");
        let texts: String = replacing.iter().map(text).collect();
        (!texts.is_empty()).then(|| hex::encode(Sha256::digest(texts)))
    }

    /// Makes the file that is read in place of one with corrected rows.
    pub(crate) async fn apply(
        &self,
        context: &StageContext<'_>,
        intake: &mut Intake,
        source: &CompiledSource,
        file: &SourceFile,
        unit: &Unit,
    ) -> Result<Corrected, StageError> {
        let replacing = self.replacing(&unit.name);
        if replacing.is_empty() {
            return Ok(Corrected::default());
        }
        let name = &source.config().name.value;
        let refused = refused_rows(source, file, &context.run)?;
        let values: Vec<_> = refused.iter().map(|row| (IdentifierKind::Record, row.raw.as_str())).collect();
        let tokens = intake.tokenise(&name.as_str().into(), &values).await?;
        let tokens_of_new: Vec<SubjectToken> = replacing.values().copied().collect();
        let revealed = context.vault.reveal(&tokens_of_new, OpenFor::Correction, ACTOR, context.wall()).await?;
        context.audit_openings(std::slice::from_ref(&revealed.opening)).await?;
        let texts: BTreeMap<SubjectToken, String> = tokens_of_new
            .iter()
            .zip(&revealed.values)
            .filter_map(|(token, value)| Some((*token, value.as_ref()?.expose().to_owned())))
            .collect();
        let mut rows: BTreeMap<i64, (String, String)> = BTreeMap::new();
        let mut of_line: BTreeMap<i64, SubjectToken> = BTreeMap::new();
        for (row, token) in refused.iter().zip(tokens) {
            if let Some((raw, text)) = token.token().and_then(|raw| Some((raw, texts.get(replacing.get(&raw)?)?))) {
                rows.insert(row.line, (row.raw.clone(), text.clone()));
                of_line.insert(row.line, raw);
            }
        }
        let folder = context.project.state_dir().join("spill").join(format!("corrected-{}", &unit.fingerprint[..16]));
        let (patched, misplaced) = patched(source, file, &rows, &folder)?;
        Ok(Corrected { file: Some(patched), folder: Some(folder), replacing, of_line, misplaced })
    }
}

/// A file with its corrected rows.
#[derive(Debug, Default)]
pub(crate) struct Corrected {
    file: Option<SourceFile>,
    folder: Option<PathBuf>,
    replacing: BTreeMap<SubjectToken, SubjectToken>,
    of_line: BTreeMap<i64, SubjectToken>,
    misplaced: BTreeMap<i64, Misplaced>,
}

impl Corrected {
    /// The file to read, where any row is corrected.
    pub(crate) const fn file(&self) -> Option<&SourceFile> {
        self.file.as_ref()
    }

    /// What became of each correction.
    pub(crate) fn replayed(&self, refused: &[RowExample]) -> Vec<Replayed> {
        let mut out = Vec::new();
        for (line, token) in &self.of_line {
            let again = refused.iter().find(|row| row.line == *line);
            let outcome = match (self.misplaced.get(line), again) {
                (Some(_), _) => Outcome::NotInPlace,
                (None, Some(_)) => Outcome::RefusedAgain,
                (None, None) => Outcome::Used,
            };
            let reason = again.filter(|_| outcome == Outcome::RefusedAgain);
            let reason = reason.map(|row| format!("{} {}", row.code, row.reason));
            out.push(Replayed { row: *token, line: Some(*line), outcome, reason });
        }
        let found: Vec<SubjectToken> = self.of_line.values().copied().collect();
        for token in self.replacing.keys().filter(|token| !found.contains(token)) {
            out.push(Replayed { row: *token, line: None, outcome: Outcome::RowChanged, reason: None });
        }
        out
    }
}

impl Drop for Corrected {
    /// The copy holds rows in the clear, so it goes as soon as it was read, whatever came of that.
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            let _gone_or_never_there = std::fs::remove_dir_all(folder);
        }
    }
}

/// What became of a correction when its file was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// The row, by the token of what stands in the file.
    pub row: SubjectToken,
    /// Its line; absent where it is not there any more.
    pub line: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it was refused again.
    pub reason: Option<String>,
}

/// What became of a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The corrected row was used in place of the one in the file.
    Used,
    /// The corrected row cannot be used either.
    RefusedAgain,
    /// The file no longer has the row, or no longer refuses it; nothing was replaced.
    RowChanged,
    /// The row cannot be replaced in its file: it is a part of a larger document, or was too long to be kept.
    NotInPlace,
}

impl Replayed {
    /// What to tell people.
    pub(crate) fn finding(&self, file: &str) -> Diagnostic {
        let row = self.row;
        let (message, help) = match self.outcome {
            Outcome::RowChanged => (
                format!("the corrected row {row} is no longer in `{file}` as it was; its correction was not applied"),
                "look at the rows of the file with `throughline quarantine list`, and take the correction back with `undo`",
            ),
            Outcome::RefusedAgain => (
                format!(
                    "the corrected row {row} of `{file}` was refused again: {}",
                    self.reason.as_deref().unwrap_or_default()
                ),
                "correct it once more",
            ),
            Outcome::NotInPlace | Outcome::Used => (
                format!("row {row} of `{file}` cannot be replaced in its file, so its correction was not applied"),
                "correct it where the file comes from",
            ),
        };
        Diagnostic::warning("TL138", message).help(help)
    }
}

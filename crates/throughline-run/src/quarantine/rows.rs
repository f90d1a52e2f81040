//! Rows in quarantine, and what people decide about them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};
use throughline_core::{Diagnostic, IdentifierKind, RunContext, SubjectToken, Timestamp};
use throughline_ingest::{CompiledSource, SourceFile, edit_row, list_units, patched, refused_rows, row_fields};
use throughline_lake::tables;
use throughline_ledger::AuditEntry;
use throughline_vault::OpenFor;

use super::corrections::{Correction, Corrections};
use crate::engine::Stores;
use crate::error::RunError;
use crate::explain::each_row;
use crate::project::Project;
use crate::sources::unit_name;

/// Longest corrected row: what the vault seals as one value.
const MAX_ROW_BYTES: usize = 4000;
/// Kind of the audit record.
const AUDIT: &str = "quarantine_decided";

/// Which rows are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct QuarantineQuery<'a> {
    /// Of this source only.
    pub source: Option<&'a str>,
    /// With this code only.
    pub code: Option<&'a str>,
    /// With this label only.
    pub label: Option<&'a str>,
    /// This row only.
    pub row: Option<SubjectToken>,
    /// Rows at most.
    pub limit: usize,
}

/// A row in quarantine, or one whose correction is in use.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuarantinedRow {
    /// Its id: the token of what stands in the file. Equal rows of a file have one.
    pub row: SubjectToken,
    /// Source.
    pub source: String,
    /// File.
    pub file: String,
    /// Line in the file; absent for a row that is not in quarantine.
    pub line: Option<i64>,
    /// Code of what is wrong; absent for a row that is not in quarantine.
    pub code: Option<String>,
    /// Why, without quoting the row.
    pub reason: Option<String>,
    /// What people call it.
    pub label: Option<String>,
    /// Whether a correction stands.
    pub corrected: bool,
    /// What became of the correction when the file was last read; absent where that was before it was made.
    pub outcome: Option<String>,
    /// Who decided last.
    pub author: Option<String>,
}

/// The rows in quarantine in the order of the table, then those whose corrections are in use, and how many there are of all.
pub async fn quarantined_rows(
    stores: &Stores,
    query: QuarantineQuery<'_>,
) -> Result<(Vec<QuarantinedRow>, u64), RunError> {
    let (mut found, mut total) = (Vec::new(), 0);
    each_quarantined(stores, |row| {
        let wanted = |filter: Option<&str>, value: Option<&str>| filter.is_none_or(|f| value == Some(f));
        if query.row.is_none_or(|wanted| wanted == row.row)
            && wanted(query.source, Some(&row.source))
            && wanted(query.code, row.code.as_deref())
            && wanted(query.label, row.label.as_deref())
        {
            total += 1;
            if found.len() < query.limit {
                found.push(row);
            }
        }
    })
    .await?;
    Ok((found, total))
}

/// Calls `each` with every row in quarantine, then with those whose corrections are in use.
pub(crate) async fn each_quarantined(stores: &Stores, mut each: impl FnMut(QuarantinedRow)) -> Result<(), RunError> {
    let corrections = Corrections::load(stores.ledger.as_ref()).await?;
    let outcomes = outcomes(stores).await?;
    let mut seen = BTreeSet::new();
    let columns = ["source", "file", "line", "code", "reason", "raw_token"];
    each_row(stores, &tables::quarantine(), &columns, |row| {
        if let Some(row) = row_of(row) {
            let unit = unit_name(&row.source, &row.file);
            if !corrections.about(&unit, row.row).is_empty() {
                seen.insert((unit, row.row));
            }
            each(decided(row, &corrections, &outcomes));
        }
    })
    .await?;
    for correction in corrections.standing().filter(|c| c.new_token.is_some()) {
        if !seen.contains(&(correction.unit.clone(), correction.raw_token)) {
            let (source, file) = correction.unit.split_once('/').unwrap_or_default();
            each(decided(QuarantinedRow::bare(correction.raw_token, source, file), &corrections, &outcomes));
        }
    }
    Ok(())
}

impl QuarantinedRow {
    fn bare(row: SubjectToken, source: &str, file: &str) -> Self {
        Self {
            row,
            source: source.to_owned(),
            file: file.to_owned(),
            line: None,
            code: None,
            reason: None,
            label: None,
            corrected: false,
            outcome: None,
            author: None,
        }
    }
}

fn row_of(row: &Map<String, Value>) -> Option<QuarantinedRow> {
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let mut found = QuarantinedRow::bare(text("raw_token")?.parse().ok()?, text("source")?, text("file")?);
    found.line = row.get("line").and_then(Value::as_i64);
    found.code = text("code").map(str::to_owned);
    found.reason = text("reason").map(str::to_owned);
    Some(found)
}

/// Outcome of each correction by unit and row, as of the last reading of the unit.
async fn outcomes(stores: &Stores) -> Result<BTreeMap<(String, String), String>, RunError> {
    let mut out = BTreeMap::new();
    for (unit, record) in stores.ledger.fingerprints("ingest").await? {
        for replayed in record.metrics["corrections"].as_array().into_iter().flatten() {
            if let (Some(row), Some(outcome)) = (replayed["row"].as_str(), replayed["outcome"].as_str()) {
                out.insert((unit.clone(), row.to_owned()), outcome.to_owned());
            }
        }
    }
    Ok(out)
}

fn decided(
    mut row: QuarantinedRow,
    corrections: &Corrections,
    outcomes: &BTreeMap<(String, String), String>,
) -> QuarantinedRow {
    let unit = unit_name(&row.source, &row.file);
    if let Some(last) = corrections.about(&unit, row.row).last() {
        row.label.clone_from(&last.label);
        row.corrected = last.new_token.is_some();
        row.author = Some(last.author.clone());
        row.outcome = outcomes.get(&(unit, row.row.to_string())).filter(|_| row.corrected).cloned();
    }
    row
}

/// A row with what was decided about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RowDetail {
    /// Where it is.
    pub places: Vec<QuarantinedRow>,
    /// What was decided, oldest first.
    pub history: Vec<Value>,
    /// Its fields as they stand and as they shall be read; only where they were opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<FieldDiff>>,
}

/// A field of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Its name or number.
    pub name: String,
    /// What stands in the file.
    pub before: Option<String>,
    /// What shall be read.
    pub after: Option<String>,
}

/// A row with its history. With `open_for` its text is opened, which goes on record.
pub async fn row_detail(
    project: &Project,
    stores: &Stores,
    row: SubjectToken,
    open_for: Option<&str>,
    now: Timestamp,
) -> Result<RowDetail, RunError> {
    let query = QuarantineQuery { row: Some(row), limit: usize::MAX, ..QuarantineQuery::default() };
    let (places, _) = quarantined_rows(stores, query).await?;
    let corrections = Corrections::load(stores.ledger.as_ref()).await?;
    let units: BTreeSet<String> = places.iter().map(|p| unit_name(&p.source, &p.file)).collect();
    let decisions: Vec<&Correction> = units.iter().flat_map(|unit| corrections.about(unit, row)).collect();
    if places.is_empty() {
        return Err(unknown(row));
    }
    let history = decisions.iter().map(|c| {
        json!({ "unit": c.unit, "at": c.at, "author": c.author, "label": c.label, "corrected": c.new_token.is_some() })
    });
    let mut detail = RowDetail { history: history.collect(), fields: None, places };
    if let Some(actor) = open_for {
        let new = decisions.last().and_then(|c| c.new_token);
        let tokens: Vec<SubjectToken> = [row].into_iter().chain(new).collect();
        let texts = open(stores, &tokens, actor, now).await?;
        for (entry, decision) in detail.history.iter_mut().zip(&decisions) {
            let note = hex::decode(&decision.reason).unwrap_or_default();
            let reason = stores.vault.open_note(row, &note).await.ok().flatten();
            entry["reason"] = json!(reason.map(|text| text.to_string()));
        }
        let place = &detail.places[0];
        let reading = Reading::of(project, &place.source, &place.file, now)?;
        let fields =
            |text: Option<&String>| text.map(|t| row_fields(t, &reading.names, reading.delimiter)).unwrap_or_default();
        let before = fields(texts[0].as_ref());
        let after = if new.is_some() { fields(texts[1].as_ref()) } else { before.clone() };
        detail.fields = Some(diff(&before, &after));
    }
    Ok(detail)
}

fn unknown(row: SubjectToken) -> RunError {
    let help = "take `row` of `throughline quarantine list --json`".to_owned();
    RunError::NotFound { what: "row in quarantine", name: row.to_string(), help }
}

fn diff(before: &[(String, String)], after: &[(String, String)]) -> Vec<FieldDiff> {
    let names: Vec<&String> = before.iter().map(|(n, _)| n).collect();
    let added = after.iter().map(|(n, _)| n).filter(|n| !names.contains(n));
    let find = |fields: &[(String, String)], name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let all: Vec<&String> = names.iter().copied().chain(added).collect();
    all.into_iter().map(|n| FieldDiff { name: n.clone(), before: find(before, n), after: find(after, n) }).collect()
}

/// Opens texts and puts the opening on record.
async fn open(
    stores: &Stores,
    tokens: &[SubjectToken],
    actor: &str,
    now: Timestamp,
) -> Result<Vec<Option<String>>, RunError> {
    let revealed = stores.vault.reveal(tokens, OpenFor::Correction, actor, now).await?;
    let payload = serde_json::to_value(&revealed.opening)?;
    stores.ledger.append_audit(AuditEntry { kind: "vault_opened", actor, payload: &payload, at: now }).await?;
    Ok(revealed.values.iter().map(|value| value.as_ref().map(|v| v.expose().to_owned())).collect())
}

/// How the file of a row is read.
struct Reading {
    source: CompiledSource,
    file: SourceFile,
    names: Vec<String>,
    delimiter: Option<u8>,
    context: RunContext,
}

impl Reading {
    fn of(project: &Project, source: &str, file: &str, now: Timestamp) -> Result<Self, RunError> {
        let help = || "it was there when the row was refused; run the line, then look again".to_owned();
        let missing = |what, name: &str| RunError::NotFound { what, name: name.to_owned(), help: help() };
        let config =
            project.sources.iter().find(|s| s.value.name.value == source).ok_or_else(|| missing("source", source))?;
        let files = list_units(&project.root, &config.value, &project.variables)
            .map_err(|error| RunError::Project(config.value.findings(&error)))?;
        let file = files.into_iter().find(|f| f.name == file).ok_or_else(|| missing("file", file))?;
        let source = CompiledSource::compile(&config.value, std::slice::from_ref(&file)).map_err(RunError::Project)?;
        let names = source.columns().iter().map(|c| c.name.clone()).collect();
        let delimiter = (config.value.connector.value == "csv").then(|| {
            let written = config.value.options.get("delimiter").map_or(",", |d| d.value.as_str());
            if written == "tab" { b'\t' } else { written.bytes().next().unwrap_or(b',') }
        });
        let now = project.config.value.as_of.unwrap_or(now);
        Ok(Self { source, file, names, delimiter, context: RunContext::new(0, now, now, project.config.value.seed) })
    }

    /// What would become of a corrected row.
    fn try_out(&self, project: &Project, raw: &str, new: &str) -> Result<Tried, RunError> {
        if self.file.database.is_some() {
            return Ok(Tried::NotInPlace);
        }
        let failed = |e: throughline_ingest::IngestError| RunError::Project(self.source.config().findings(&e));
        let refused = refused_rows(&self.source, &self.file, &self.context).map_err(failed)?;
        let lines: Vec<i64> = refused.iter().filter(|row| row.raw.trim() == raw.trim()).map(|row| row.line).collect();
        let rows = refused.iter().filter(|row| lines.contains(&row.line));
        let rows: BTreeMap<i64, (String, String)> =
            rows.map(|row| (row.line, (row.raw.clone(), new.to_owned()))).collect();
        if rows.is_empty() {
            return Ok(Tried::NotThere);
        }
        let spill = project.state_dir().join("spill");
        let folder = spill.join(format!("tried-{}", std::process::id()));
        let tried = patched(&self.source, &self.file, &rows, &folder).and_then(|(file, misplaced)| {
            let again = refused_rows(&self.source, &file, &self.context)?;
            Ok((misplaced, again))
        });
        let _gone_or_never_there = std::fs::remove_dir_all(&folder);
        let (misplaced, again) = tried.map_err(failed)?;
        if !misplaced.is_empty() {
            return Ok(Tried::NotInPlace);
        }
        let refused = again.into_iter().find(|row| lines.contains(&row.line));
        Ok(refused.map_or(Tried::Used, |row| Tried::Refused { code: row.code.to_owned(), reason: row.reason }))
    }
}

/// What would become of a corrected row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tried {
    /// It would be used.
    Used,
    /// It would be refused again.
    Refused {
        /// Code of what is wrong.
        code: String,
        /// Why.
        reason: String,
    },
    /// The file no longer refuses the row.
    NotThere,
    /// It cannot be replaced in its file.
    NotInPlace,
}

/// What shall be done with a row.
#[derive(Debug, Clone, Copy)]
pub struct CorrectionWish<'a> {
    /// The row.
    pub row: SubjectToken,
    /// Fields to set, by name or number.
    pub set: &'a [(String, String)],
    /// The whole row anew.
    pub text: Option<&'a str>,
    /// What to call it.
    pub label: Option<&'a str>,
    /// Why.
    pub reason: &'a str,
    /// Who decides.
    pub author: &'a str,
}

/// Corrects or labels a row, in every file that has it. The corrected row is tried first, and kept only if it would be used.
pub async fn correct_row(
    project: &Project,
    stores: &Stores,
    wish: CorrectionWish<'_>,
    now: Timestamp,
) -> Result<RowDetail, RunError> {
    let detail = row_detail(project, stores, wish.row, None, now).await?;
    let corrections = Corrections::load(stores.ledger.as_ref()).await?;
    let places: BTreeSet<(String, String)> = detail.places.iter().map(|p| (p.source.clone(), p.file.clone())).collect();
    let corrects = wish.text.is_some() || !wish.set.is_empty();
    let mut kept = Vec::new();
    for (source, file) in &places {
        let unit = unit_name(source, file);
        let last = corrections.about(&unit, wish.row).last();
        let mut new_token = last.and_then(|c| c.new_token);
        if corrects {
            let reading = Reading::of(project, source, file, now)?;
            new_token = Some(corrected(project, stores, &reading, wish, source, now).await?);
        }
        let label = wish.label.map(str::to_owned).or_else(|| last.and_then(|c| c.label.clone()));
        let reason = seal(stores, wish.row, wish.reason).await?;
        kept.push(Correction {
            unit,
            raw_token: wish.row,
            new_token,
            label,
            author: wish.author.to_owned(),
            reason,
            at: now,
        });
    }
    keep(stores, &kept, now).await?;
    row_detail(project, stores, wish.row, corrects.then_some(wish.author), now).await
}

async fn seal(stores: &Stores, row: SubjectToken, reason: &str) -> Result<String, RunError> {
    Ok(stores.vault.seal_note(row, reason).await?.map(hex::encode).unwrap_or_default())
}

async fn keep(stores: &Stores, corrections: &[Correction], now: Timestamp) -> Result<(), RunError> {
    for correction in corrections {
        let Correction { unit, raw_token, label, author, .. } = correction;
        let payload =
            json!({ "unit": unit, "row": raw_token, "label": label, "corrected": correction.new_token.is_some() });
        let entry = AuditEntry { kind: AUDIT, actor: author, payload: &payload, at: now };
        stores.ledger.append_audit(entry).await?;
        correction.keep(stores.ledger.as_ref()).await?;
    }
    Ok(())
}

/// The token of the corrected row.
async fn corrected(
    project: &Project,
    stores: &Stores,
    reading: &Reading,
    wish: CorrectionWish<'_>,
    source: &str,
    now: Timestamp,
) -> Result<SubjectToken, RunError> {
    let refuse = |message: String, help: &str| RunError::Project(vec![Diagnostic::error("TL138", message).help(help)]);
    let erased = || refuse("the row was erased".into(), "there is nothing left to correct");
    let raw = open(stores, &[wish.row], wish.author, now).await?.pop().flatten().ok_or_else(erased)?;
    let new = match wish.text {
        Some(text) => text.to_owned(),
        None => edit_row(&raw, wish.set, &reading.names, reading.delimiter).map_err(|field| {
            let known: Vec<String> =
                row_fields(&raw, &reading.names, reading.delimiter).into_iter().map(|(n, _)| n).collect();
            refuse(format!("the row has no field `{field}`"), &format!("its fields: {}", known.join(", ")))
        })?,
    };
    if new == raw {
        return Err(refuse(
            "the corrected row is the row as it stands".into(),
            "change a field with `--field NAME=VALUE`",
        ));
    }
    if new.len() > MAX_ROW_BYTES {
        let message = format!("the corrected row has {} bytes, the limit is {MAX_ROW_BYTES}", new.len());
        return Err(refuse(message, "correct it where the file comes from"));
    }
    match reading.try_out(project, &raw, &new)? {
        Tried::Used => {}
        Tried::Refused { code, reason } => {
            return Err(refuse(
                format!("the corrected row would be refused: {code} {reason}"),
                "nothing was kept; correct that too",
            ));
        }
        Tried::NotThere => {
            return Err(refuse(
                "the file no longer has the row as it was refused".into(),
                "run the line, then look again",
            ));
        }
        Tried::NotInPlace => {
            return Err(refuse(
                "the row cannot be replaced in its file: it is a part of a larger document, or was too long to be kept"
                    .into(),
                "correct it where the file comes from",
            ));
        }
    }
    let tokens = stores.vault.tokenise(source, &[(IdentifierKind::Record, new.as_str())]).await?;
    tokens
        .into_iter()
        .next()
        .flatten()
        .ok_or_else(|| refuse("the corrected row is blank".into(), "say what it shall be"))
}

/// Takes back what was decided about a row: the next run reads it as it stands. Returns in how many files.
pub async fn undo_correction(
    stores: &Stores,
    row: SubjectToken,
    reason: &str,
    author: &str,
    now: Timestamp,
) -> Result<u64, RunError> {
    let corrections = Corrections::load(stores.ledger.as_ref()).await?;
    let mut kept = Vec::new();
    for standing in corrections.standing().filter(|c| c.raw_token == row) {
        if standing.new_token.is_some() || standing.label.is_some() {
            let reason = seal(stores, row, reason).await?;
            let author = author.to_owned();
            kept.push(Correction { new_token: None, label: None, author, reason, at: now, ..standing.clone() });
        }
    }
    if kept.is_empty() {
        let help = "nothing was decided about it, or it was taken back".to_owned();
        return Err(RunError::NotFound { what: "correction of row", name: row.to_string(), help });
    }
    keep(stores, &kept, now).await?;
    Ok(kept.len() as u64)
}

//! The stage: one file of one source → its files of `events`, `spend` and `quarantine`.

use throughline_core::{IdentifierKind, RunContext, Timestamp};
use throughline_lake::{Lake, Staged, Unit, tables};
use throughline_vault::Vault;

use crate::cell::RowView;
use crate::compile::CompiledSource;
use crate::diagnostics::{BadRow, RowFault};
use crate::error::{IngestError, RowExample};
use crate::evaluate::{Emissions, Evaluator, Fate};
use crate::location::SourceFile;
use crate::read::{Layout, TypedBatch, TypedReader};
use crate::report::{IngestOutcome, IngestReport};
use crate::sink::{EventSink, ProfileSink, QuarantineSink, RefusedLine, SpendSink};

/// Name of the stage for progress.
const STAGE: &str = "ingest";
/// Refused rows that are told to the caller.
const LINES: usize = 100_000;
/// Refused rows that are shown when a file is refused.
const EXAMPLES: usize = 3;

/// Reads one file, writes its rows and refuses the file when too many rows are bad. The caller commits what is staged;
/// after an error nothing that was written counts.
///
/// Memory is bounded by a batch of 8,192 rows, 65,536 collected rows, the open files of the writer, and 16 bytes per row
/// for the detection of duplicates.
pub async fn ingest_file(
    lake: &Lake,
    vault: &Vault,
    context: &RunContext,
    source: &CompiledSource,
    file: &SourceFile,
    unit: &Unit,
) -> Result<IngestOutcome, IngestError> {
    ingest_export(lake, vault, context, source, file, unit, context.now).await
}

/// The same for an export that was first read at `read_at`, which its rows carry as `ingested_at`: of equal revisions of one id
/// in several files, the one that was read last counts.
pub async fn ingest_export(
    lake: &Lake,
    vault: &Vault,
    context: &RunContext,
    source: &CompiledSource,
    file: &SourceFile,
    unit: &Unit,
    read_at: Timestamp,
) -> Result<IngestOutcome, IngestError> {
    let name = &source.config.name.value;
    let layout = source.layout(false);
    let mut reader = TypedReader::open(source, file, &layout)?;
    let mut evaluator = Evaluator::new(source, context);
    let mut sinks = Sinks {
        events: EventSink::new(lake, unit, name, read_at)?,
        profiles: ProfileSink::new(lake, unit, name)?,
        spend: SpendSink::new(lake, unit, name, read_at)?,
        quarantine: QuarantineSink::new(lake, unit, name, &file.name, read_at)?,
    };
    let mut report = IngestReport::new(name, &file.name);
    let (mut examples, mut lines) = (Vec::new(), Vec::new());
    let mut done = 0;
    while let Some(rows) = reader.next_batch()? {
        if context.is_cancelled() {
            return Err(IngestError::Cancelled { file: file.name.clone() });
        }
        let (emissions, refused) = evaluate(&rows, &layout, &mut evaluator, &mut report);
        lines.extend(refused.iter().take(LINES - lines.len()).map(example));
        let shown = refused.iter().filter(|row| row.bad.fault != RowFault::Duplicate);
        examples.extend(shown.take(EXAMPLES - examples.len()).map(example));
        sinks.write(vault, name, &emissions, &refused).await?;
        context.progress.advance(STAGE, reader.rows_read() - done);
        done = reader.rows_read();
    }
    report.rows_read = reader.rows_read();
    report.columns_unused = source.columns_unused();
    report.remark(&source.warnings, evaluator.unreadable_consent());
    check_balance(&report)?;
    check_limit(&report, source.config.failure_limit(), source.config.failure_limit.is_some(), examples)?;
    Ok(IngestOutcome { staged: Box::pin(sinks.finish()).await?, report, refused: lines })
}

/// What is staged for a file that is gone and whose rows go with it: nothing, in every table.
pub async fn drop_unit(lake: &Lake, unit: &Unit) -> Result<Vec<Staged>, IngestError> {
    let mut staged = Vec::new();
    for spec in [tables::events(), tables::profiles(), tables::spend(), tables::quarantine()] {
        staged.push(lake.writer(&spec, unit)?.finish().await?);
    }
    Ok(staged)
}

/// Evaluates the rows of a batch in order and counts what became of them.
pub(crate) fn evaluate<'a, 's: 'a>(
    rows: &'a TypedBatch,
    layout: &'a Layout,
    evaluator: &mut Evaluator<'s>,
    report: &mut IngestReport,
) -> (Emissions<'a>, Vec<RefusedLine>) {
    let mut emissions = Emissions::default();
    let mut refused: Vec<RefusedLine> = Vec::new();
    for row in &rows.refused {
        let bad = BadRow::new(row.fault, row.reason.clone());
        refused.push(RefusedLine::new(row.line, bad, row.raw.clone()));
    }
    for row in 0..rows.batch.numbers.len() {
        let fate = match rows.misfits.get(&row) {
            Some(bad) => Fate::Bad(bad.clone()),
            None => evaluator.row(&RowView { batch: &rows.batch, slots: &layout.slots, row }, &mut emissions),
        };
        match fate {
            Fate::Skipped => report.rows_skipped += 1,
            Fate::Emitted { duplicates } => {
                report.rows_emitted += 1;
                report.duplicates += duplicates;
            }
            Fate::Bad(bad) => {
                report.duplicates += u64::from(bad.fault == RowFault::Duplicate);
                refused.push(RefusedLine::new(rows.lines[row], bad, rows.raw.text(row)));
            }
        }
    }
    refused.sort_by_key(|row| row.line);
    for row in &refused {
        *report.quarantined.entry(row.bad.fault.code()).or_default() += 1;
    }
    for event in &emissions.events {
        report.saw(event.occurred_at);
        report.consent_unreadable += u64::from(event.consent_unreadable);
    }
    for spend in &emissions.spend {
        report.saw_spend(spend.day);
    }
    report.events += emissions.events.len() as u64;
    report.spend_rows += emissions.spend.len() as u64;
    (emissions, refused)
}

pub(crate) fn example(row: &RefusedLine) -> RowExample {
    RowExample { line: row.line, code: row.bad.fault.code(), reason: row.bad.reason.clone() }
}

struct Sinks {
    events: EventSink,
    profiles: ProfileSink,
    spend: SpendSink,
    quarantine: QuarantineSink,
}

impl Sinks {
    /// Writes a batch: one visit to the vault for all its identifiers, profiles and refused rows.
    async fn write(
        &mut self,
        vault: &Vault,
        source: &str,
        emissions: &Emissions<'_>,
        refused: &[RefusedLine],
    ) -> Result<(), IngestError> {
        let subjects = emissions.subjects.iter().map(|(kind, cell)| (*kind, cell.as_str().unwrap_or_default()));
        let profiles = emissions.events.iter().filter_map(|e| e.profile.as_deref());
        let profiles: Vec<(IdentifierKind, &str)> = profiles.map(|text| (IdentifierKind::Record, text)).collect();
        let rows = refused.iter().map(|row| (IdentifierKind::Record, row.raw.as_str()));
        let values: Vec<(IdentifierKind, &str)> = subjects.chain(profiles.iter().copied()).chain(rows).collect();
        let tokens = if values.is_empty() { Vec::new() } else { vault.tokenise(source, &values).await? };
        let (of_subjects, rest) = tokens.split_at(emissions.subjects.len().min(tokens.len()));
        let (of_profiles, of_rows) = rest.split_at(profiles.len().min(rest.len()));
        let mut of_profiles = of_profiles.iter();
        for event in &emissions.events {
            let tokens = of_subjects.get(event.subjects.clone()).unwrap_or_default();
            self.events.push(event, tokens);
            let profile = event.profile.is_some().then(|| of_profiles.next()).flatten().copied().flatten();
            if let (Some(holder), Some(profile)) = (tokens.iter().flatten().next(), profile) {
                self.profiles.push(event, *holder, profile);
            }
        }
        for spend in &emissions.spend {
            self.spend.push(spend);
        }
        self.quarantine.write(refused, of_rows).await?;
        self.events.flush_if_full().await?;
        self.profiles.flush_if_full().await?;
        self.spend.flush_if_full().await
    }
}

impl Sinks {
    /// What was staged, in the order of the line.
    async fn finish(self) -> Result<Vec<Staged>, IngestError> {
        let (events, profiles) = (self.events.finish().await?, self.profiles.finish().await?);
        Ok(vec![events, profiles, self.spend.finish().await?, self.quarantine.finish().await?])
    }
}

/// Nothing is lost: what was read was emitted, skipped or refused.
fn check_balance(report: &IngestReport) -> Result<(), IngestError> {
    let quarantined = report.rows_quarantined();
    if report.rows_read == report.rows_emitted + report.rows_skipped + quarantined {
        return Ok(());
    }
    Err(IngestError::Unbalanced {
        file: report.file.clone(),
        read: report.rows_read,
        emitted: report.rows_emitted,
        skipped: report.rows_skipped,
        quarantined,
    })
}

/// Rows below which a share says little: a day's file of thirty rows with two bad ones is not a wrong mapping.
const SMALL: f64 = 100.0;

/// Refuses the file when the share of bad rows, duplicates left aside, exceeds the limit. Where the source states none, as many
/// rows may be bad in a file of fewer than [`SMALL`] as in one of so many, but no more than half.
fn check_limit(report: &IngestReport, limit: f64, stated: bool, examples: Vec<RowExample>) -> Result<(), IngestError> {
    let duplicates = report.quarantined.get(RowFault::Duplicate.code()).copied().unwrap_or(0);
    let bad = report.rows_quarantined() - duplicates;
    let share = bad as f64 / report.rows_read.max(1) as f64;
    let few = !stated && bad as f64 <= limit * SMALL && 2 * bad <= report.rows_read;
    if share <= limit || few {
        return Ok(());
    }
    let (source_name, file) = (report.source.clone(), report.file.clone());
    Err(IngestError::TooManyBadRows { source_name, file, share, limit, examples })
}

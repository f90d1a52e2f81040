//! The stage: one file of one source → its files of `events`, `profiles`, `spend` and `quarantine`.
//!
//! Three workers, one behind the other, with a few chunks of rows between them: one evaluates rows (and another decodes
//! for it, see `read/ahead.rs`), one asks the vault for tokens, one writes. Chunks keep the order of the file, so the
//! result does not depend on who is faster.

use std::sync::Arc;

use throughline_core::{RunContext, Timestamp};
use throughline_lake::{Lake, Staged, Unit, tables};
use throughline_vault::{Intake, Tokenised};
use tokio::sync::mpsc;

use crate::cell::RowView;
use crate::compile::CompiledSource;
use crate::diagnostics::{BadRow, RowFault};
use crate::error::{IngestError, RowExample};
use crate::evaluate::{Emissions, Evaluator, Fate};
use crate::location::SourceFile;
use crate::read::{Layout, TypedBatch, TypedReader};
use crate::report::{IngestOutcome, IngestReport};
use crate::sink::{Chunk, ChunkBuilder, EventSink, ProfileSink, QuarantineSink, RefusedLine, SpendSink};

/// Name of the stage for progress.
const STAGE: &str = "ingest";
/// Refused rows that are told to the caller.
const LINES: usize = 100_000;
/// Refused rows that are shown when a file is refused.
const EXAMPLES: usize = 3;
/// Chunks that wait between two workers.
const WAITING: usize = 2;
/// New identifiers kept in memory before they begin to be stored.
const UNSTORED: usize = 250_000;

/// Reads one file, writes its rows and refuses the file when too many rows are bad. The caller commits what is staged;
/// after an error nothing that was written counts, and identifiers that were new are forgotten unless they were many.
///
/// Memory is bounded by some chunks of 65,536 rows, the open files of the writer, and 13 to 30 bytes per row for the
/// detection of duplicates.
pub async fn ingest_file(
    lake: &Lake,
    intake: &mut Intake,
    context: &RunContext,
    source: &CompiledSource,
    file: &SourceFile,
    unit: &Unit,
) -> Result<IngestOutcome, IngestError> {
    ingest_export(lake, intake, context, source, file, unit, context.now).await
}

/// The same for an export that was first read at `read_at`, which its rows carry as `ingested_at`: of equal revisions of one id
/// in several files, the one that was read last counts.
pub async fn ingest_export(
    lake: &Lake,
    intake: &mut Intake,
    context: &RunContext,
    source: &CompiledSource,
    file: &SourceFile,
    unit: &Unit,
    read_at: Timestamp,
) -> Result<IngestOutcome, IngestError> {
    let name = &source.config.name.value;
    let sinks = Sinks {
        events: EventSink::new(lake, unit)?,
        profiles: ProfileSink::new(lake, unit, name)?,
        spend: SpendSink::new(lake, unit)?,
        quarantine: QuarantineSink::new(lake, unit, name, &file.name, read_at)?,
        erased: 0,
    };
    let outcome = ingest(sinks, intake, context, source, file, read_at).await;
    if outcome.is_err() {
        intake.abandon();
    }
    outcome
}

/// What is staged for a file that is gone and whose rows go with it: nothing, in every table.
pub async fn drop_unit(lake: &Lake, unit: &Unit) -> Result<Vec<Staged>, IngestError> {
    let mut staged = Vec::new();
    for spec in [tables::events(), tables::profiles(), tables::spend(), tables::quarantine()] {
        staged.push(lake.writer(&spec, unit)?.finish().await?);
    }
    Ok(staged)
}

async fn ingest(
    sinks: Sinks,
    intake: &mut Intake,
    context: &RunContext,
    source: &CompiledSource,
    file: &SourceFile,
    read_at: Timestamp,
) -> Result<IngestOutcome, IngestError> {
    let name: Arc<str> = source.config.name.value.as_str().into();
    let (chunks, mut evaluated) = mpsc::channel(WAITING);
    let reading = tokio::task::spawn_blocking({
        let (source, file, context) = (source.clone(), file.clone(), context.clone());
        move || read(&source, &file, &context, read_at, &chunks)
    });
    let (rows, to_write) = mpsc::channel(WAITING);
    let writing = tokio::spawn(sinks.write_all(to_write));
    while let Some(chunk) = evaluated.recv().await {
        let chunk: Chunk = chunk;
        if context.is_cancelled() {
            return Err(IngestError::Cancelled { file: file.name.clone() });
        }
        let told = intake.tokenise(&name, &chunk.values()).await?;
        if intake.unstored() >= UNSTORED {
            intake.begin_to_store().await?;
        }
        context.progress.advance(STAGE, chunk.rows_read);
        if rows.send(Work::Rows(Box::new(chunk), told)).await.is_err() {
            // The writer stopped: its error is the reason.
            break;
        }
    }
    drop(evaluated);
    let read = joined(reading.await);
    if read.is_ok() {
        intake.store().await?;
        // The writer takes it unless it failed.
        let _failed = rows.send(Work::End).await;
    }
    drop(rows);
    // Where the writer failed, the reader stopped because of it.
    let staged = joined(writing.await)?;
    let (mut report, refused) = read?;
    let Some((staged, erased)) = staged else { return Err(IngestError::Cancelled { file: file.name.clone() }) };
    report.erased = erased;
    report.events -= erased;
    Ok(IngestOutcome { staged, report, refused })
}

/// The result of a worker; its panic goes on here.
fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    match result {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Workers are never aborted, so the runtime is going down.
            Err(error) => std::panic::panic_any(error.to_string()),
        },
    }
}

/// Reads and evaluates a file, chunk by chunk, until nobody takes them any more.
fn read(
    source: &CompiledSource,
    file: &SourceFile,
    context: &RunContext,
    read_at: Timestamp,
    chunks: &mpsc::Sender<Chunk>,
) -> Result<(IngestReport, Vec<RowExample>), IngestError> {
    let layout = source.layout(false);
    let mut reader = TypedReader::open(source, file, &layout)?.ahead();
    let mut evaluator = Evaluator::new(source, context);
    let mut report = IngestReport::new(&source.config.name.value, &file.name);
    let mut builder = ChunkBuilder::new(&source.config.name.value, read_at);
    let (mut examples, mut lines) = (Vec::new(), Vec::new());
    let mut sent = 0;
    while let Some(rows) = reader.next_batch()? {
        let (emissions, refused) = evaluate(&rows, &layout, &mut evaluator, &mut report);
        lines.extend(refused.iter().take(LINES - lines.len()).map(example));
        let shown = refused.iter().filter(|row| row.bad.fault != RowFault::Duplicate);
        examples.extend(shown.take(EXAMPLES - examples.len()).map(example));
        builder.push(emissions, refused);
        if builder.is_full() {
            let chunk = builder.finish(reader.rows_read() - sent);
            sent = reader.rows_read();
            if chunks.blocking_send(chunk).is_err() {
                return Err(IngestError::Cancelled { file: file.name.clone() });
            }
        }
    }
    report.rows_read = reader.rows_read();
    report.columns_unused = source.columns_unused();
    report.remark(&source.warnings, evaluator.unreadable_consent());
    check_balance(&report)?;
    check_limit(&report, source.config.failure_limit(), source.config.failure_limit.is_some(), examples)?;
    match chunks.blocking_send(builder.finish(reader.rows_read() - sent)) {
        Ok(()) => Ok((report, lines)),
        Err(_) => Err(IngestError::Cancelled { file: file.name.clone() }),
    }
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

/// What the writer is told.
enum Work {
    /// Rows, with what their [`values`](Chunk::values) became.
    Rows(Box<Chunk>, Vec<Tokenised>),
    /// That was all; without it nothing is staged.
    End,
}

struct Sinks {
    events: EventSink,
    profiles: ProfileSink,
    spend: SpendSink,
    quarantine: QuarantineSink,
    /// Events left out because whose they are was erased.
    erased: u64,
}

impl Sinks {
    /// Writes what comes, and stages it once the end comes; also tells how many events were left out because whose they are was
    /// erased.
    async fn write_all(mut self, mut work: mpsc::Receiver<Work>) -> Result<Option<(Vec<Staged>, u64)>, IngestError> {
        while let Some(next) = work.recv().await {
            match next {
                Work::Rows(chunk, told) => self.write(*chunk, &told).await?,
                Work::End => {
                    let erased = self.erased;
                    return Ok(Some((Box::pin(self.finish()).await?, erased)));
                }
            }
        }
        Ok(None)
    }

    async fn write(&mut self, chunk: Chunk, told: &[Tokenised]) -> Result<(), IngestError> {
        let (of_subjects, rest) = told.split_at(chunk.subjects().min(told.len()));
        let (of_profiles, of_rows) = rest.split_at(chunk.profiles.len().min(rest.len()));
        self.profiles.write(&chunk.profiles, of_subjects, of_profiles).await?;
        self.quarantine.write(&chunk.refused, of_rows).await?;
        self.erased += self.events.write(chunk.events, of_subjects).await?;
        self.spend.write(chunk.spend).await
    }

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

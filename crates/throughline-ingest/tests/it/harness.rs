//! One source in a fresh project, and what became of it as text.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::array_value_to_string;
use throughline_core::{Diagnostic, RunContext, Timestamp};
use throughline_ingest::{
    CompiledSource, IngestError, IngestReport, SourceConfig, SourceFile, ingest_file, list_units,
};
use throughline_lake::{Lake, Snapshot, Unit};
use throughline_vault::{KeySource, MasterKey, Vault};

/// The instant of every run in these tests.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";

/// The mapping of orders that most tests use.
pub(crate) const ORDERS: &str = "
consent: \"'granted'\"
emits:
  - id: id
    kind: \"'purchase'\"
    occurred_at: ts
    subjects: { email: email }
    value: amount
    currency: \"'EUR'\"
";

pub(crate) struct Project {
    dir: tempfile::TempDir,
}

/// Everything that one ingestion did.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) report: IngestReport,
    /// Rows of `events`, tokens left out.
    pub(crate) events: Vec<String>,
    /// Holder, sealed profile and the rest of each row of `profiles`.
    pub(crate) profiles: Vec<(String, String, String)>,
    pub(crate) spend: Vec<String>,
    /// `line code reason`.
    pub(crate) quarantine: Vec<String>,
    /// Tokens of each event, in the order of `events`.
    pub(crate) tokens: Vec<Vec<String>>,
    /// How many quarantined rows have a sealed raw text.
    pub(crate) sealed: usize,
}

pub(crate) fn config(connector: &str, location: &str, rest: &str) -> Result<SourceConfig, Vec<Diagnostic>> {
    let head =
        format!("apiVersion: throughline/v1\nkind: Source\nname: orders\nconnector: {connector}\nlocation: {location}");
    SourceConfig::parse(&(head + rest), "sources/orders.yaml")
}

pub(crate) fn context() -> RunContext {
    let now: Timestamp = NOW.parse().expect("a time");
    RunContext::new(1, now, now, 7)
}

impl Project {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn compile(&self, connector: &str, location: &str, rest: &str) -> Result<CompiledSource, String> {
        let shown = |findings: Vec<Diagnostic>| findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let config = config(connector, location, rest).map_err(shown)?;
        let files = list_units(self.path(), &config, &BTreeMap::new()).map_err(|e| shown(config.findings(&e)))?;
        CompiledSource::compile(&config, &files).map_err(shown)
    }

    /// Ingests the first file of the location.
    pub(crate) async fn ingest(&self, connector: &str, location: &str, rest: &str) -> Result<Done, IngestError> {
        self.ingest_with(&context(), connector, location, rest).await
    }

    pub(crate) async fn ingest_with(
        &self,
        context: &RunContext,
        connector: &str,
        location: &str,
        rest: &str,
    ) -> Result<Done, IngestError> {
        let source = self.compile(connector, location, rest).expect("a source that fits its file");
        let file = list_units(self.path(), source.config(), &BTreeMap::new())?.remove(0);
        self.ingest_unit(context, &source, &file).await
    }

    /// Ingests one unit of a source.
    pub(crate) async fn ingest_unit(
        &self,
        context: &RunContext,
        source: &CompiledSource,
        file: &SourceFile,
    ) -> Result<Done, IngestError> {
        let stores = self.path().join("stores");
        let lake = Lake::open_local(&stores.join("lake"))?;
        let vault = self.vault().await;
        let unit = Unit {
            stage: "ingest".to_owned(),
            name: format!("orders/{}", file.name),
            fingerprint: source.fingerprint(file),
            run_seq: 1,
        };
        let outcome = ingest_file(&lake, &mut vault.intake(), context, source, file, &unit).await?;
        let names: Vec<String> = outcome.staged.iter().map(|s| s.spec.name.clone()).collect();
        assert_eq!(names, ["events", "profiles", "spend", "quarantine"]);
        let mut tables: Vec<Vec<(String, RecordBatch)>> = Vec::new();
        for staged in outcome.staged {
            let spec = staged.spec.clone();
            let version = lake.commit(None, staged).await?;
            tables.push(read(&lake.snapshot(&spec, Some(version)).await?).await?);
        }
        Ok(done(outcome.report, &tables))
    }

    pub(crate) async fn vault(&self) -> Vault {
        let folder = self.path().join("stores");
        std::fs::create_dir_all(&folder).expect("a folder");
        Vault::open(&folder, KeySource::Given(MasterKey::from_hex(&"07".repeat(32), "test").expect("a key")))
            .await
            .expect("a vault")
    }
}

/// Every batch with the partition it lies in, empty for tables without.
async fn read(snapshot: &Snapshot) -> Result<Vec<(String, RecordBatch)>, IngestError> {
    let mut all = Vec::new();
    for file in snapshot.files() {
        let partition = file.partition.clone().unwrap_or_default();
        all.extend(snapshot.read_file(file, None).await?.into_iter().map(|batch| (partition.clone(), batch)));
    }
    Ok(all)
}

fn done(report: IngestReport, tables: &[Vec<(String, RecordBatch)>]) -> Done {
    let [events, profiles, spend, quarantine] = tables else { panic!("four tables") };
    let mut rows: Vec<(String, Vec<String>)> =
        events.iter().flat_map(|(date, batch)| event_rows(date, batch)).collect();
    rows.sort();
    let (events, tokens) = rows.into_iter().unzip();
    let raw =
        |batch: &RecordBatch| batch.num_rows() - batch.column_by_name("raw_token").expect("a column").null_count();
    let mut refused: Vec<(i64, String)> = Vec::new();
    for (_, batch) in quarantine {
        for row in 0..batch.num_rows() {
            let line: i64 = text(batch, "line", row).parse().expect("a number");
            refused.push((line, format!("{line} {} {}", text(batch, "code", row), text(batch, "reason", row))));
        }
    }
    Done {
        report,
        events,
        profiles: profiles.iter().flat_map(|(_, batch)| profile_rows(batch)).collect(),
        spend: spend.iter().flat_map(|(date, b)| dated(date, lines(b, &["source", "ingested_at"]))).collect(),
        quarantine: refused.into_iter().map(|(_, text)| text).collect(),
        tokens,
        sealed: quarantine.iter().map(|(_, batch)| raw(batch)).sum(),
    }
}

/// Rows with their partition in front.
fn dated(date: &str, lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("{line} date={date}")).collect()
}

fn event_rows(date: &str, batch: &RecordBatch) -> Vec<(String, Vec<String>)> {
    let texts = dated(date, lines(batch, &["source", "ingested_at", "tokens"]));
    let tokens = batch.column_by_name("tokens").expect("a column").as_list::<i32>();
    let of_row = |row: usize| -> Vec<String> {
        let list = tokens.value(row);
        (0..list.len()).map(|i| array_value_to_string(&list, i).expect("bytes")).collect()
    };
    texts.into_iter().enumerate().map(|(row, text)| (text, of_row(row))).collect()
}

fn profile_rows(batch: &RecordBatch) -> Vec<(String, String, String)> {
    let rest = lines(batch, &["source", "token", "profile_token"]);
    let of = |name: &str, row: usize| text(batch, name, row);
    rest.into_iter().enumerate().map(|(row, rest)| (of("token", row), of("profile_token", row), rest)).collect()
}

/// Each row as `column=value` for the columns that have one.
fn lines(batch: &RecordBatch, without: &[&str]) -> Vec<String> {
    let schema = batch.schema();
    let names: Vec<&str> =
        schema.fields().iter().map(|f| f.name().as_str()).filter(|name| !without.contains(name)).collect();
    let row_text = |row: usize| {
        let parts: Vec<String> = names
            .iter()
            .filter(|name| batch.column_by_name(name).is_some_and(|c| c.is_valid(row)))
            .map(|name| format!("{name}={}", text(batch, name, row)))
            .collect();
        parts.join(" ")
    };
    (0..batch.num_rows()).map(row_text).collect()
}

fn text(batch: &RecordBatch, name: &str, row: usize) -> String {
    let column = batch.column_by_name(name).expect("a column");
    assert_ne!(column.data_type(), &DataType::Null);
    array_value_to_string(column, row).expect("printable")
}

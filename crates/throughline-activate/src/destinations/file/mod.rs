//! A file drop: a folder per batch with one payload and one envelope.

mod atomic;
mod csv;
mod envelope;
mod jsonl;
mod parquet;

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use self::envelope::Envelope;
use crate::destination::{Acknowledged, Adapter, Batch, BatchHead, Deletion, Destination, Prepared, Receipt, Site};
use crate::error::ActivateError;

const ENVELOPE: &str = "envelope.json";
/// Folder of requests to delete somebody, one JSON file each; the receiver takes them away when it is done.
const DELETIONS: &str = "deletions";

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 4180 with a header line, UTF-8, line feed.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// Apache Parquet, Snappy.
    Parquet,
}

impl Format {
    /// Name, and extension of the payload.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }
}

/// Options of the file drop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileOptions {
    /// `csv`, `jsonl` or `parquet`.
    pub format: Format,
    /// Folder of the drop, relative to the project and inside it.
    pub path: String,
    /// CSV only: whether text cells that a spreadsheet would run as a formula get an apostrophe in front (see the
    /// README). True when absent.
    #[serde(default = "guarded")]
    pub spreadsheet_guard: bool,
    /// The most rows of one file, 1 to 10,000,000; 250,000 when absent.
    #[serde(default = "batch_rows")]
    pub batch_rows: usize,
}

const fn guarded() -> bool {
    true
}

const fn batch_rows() -> usize {
    250_000
}

/// The file drop.
///
/// The payload is written beside its final name, synced and renamed; then the envelope likewise. An envelope therefore
/// proves a complete payload, and a folder without one is not yet a delivery. Files are handled synchronously: a batch
/// is one short burst of writing.
#[derive(Debug, Clone)]
pub struct FileDrop {
    options: FileOptions,
    folder: PathBuf,
}

impl Adapter for FileDrop {
    const NAME: &'static str = "file";
    const DOC: &'static str = "a folder per batch with one CSV, JSON Lines or Parquet file and an envelope";
    type Options = FileOptions;

    fn open(options: FileOptions, site: &Site) -> Result<Self, String> {
        let path = Path::new(&options.path);
        let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        if options.path.is_empty() || !inside {
            return Err(format!("path `{}` is not a folder inside the project", options.path));
        }
        if !(1..=10_000_000).contains(&options.batch_rows) {
            return Err(format!("batch_rows of {} is outside 1 to 10,000,000", options.batch_rows));
        }
        let folder = site.project.join(path);
        Ok(Self { options, folder })
    }
}

impl FileDrop {
    fn batch_folder(&self, batch_id: &str) -> PathBuf {
        self.folder.join(batch_id)
    }

    fn payload_name(&self) -> String {
        format!("data.{}", self.options.format.name())
    }

    fn encode(&self, batch: &Batch, out: &mut (dyn Write + Send)) -> Result<(), ActivateError> {
        let result = match self.options.format {
            Format::Csv => csv::encode(batch, self.options.spreadsheet_guard, out).map_err(|e| e.to_string()),
            Format::Jsonl => jsonl::encode(batch, out).map_err(|e| e.to_string()),
            Format::Parquet => parquet::encode(batch, out).map_err(|e| e.to_string()),
        };
        let (batch_id, format) = (batch.head.batch_id.clone(), self.options.format.name());
        result.map_err(|reason| ActivateError::Encode { batch_id, format, reason })
    }
}

#[async_trait]
impl Destination for FileDrop {
    fn fingerprint(&self) -> String {
        let FileOptions { format, path, spreadsheet_guard, batch_rows: _ } = &self.options;
        format!("{}|{path}|{spreadsheet_guard}", format.name())
    }

    fn batch_rows(&self) -> usize {
        self.options.batch_rows
    }

    async fn receipt(&self, batch_id: &str, idempotency_key: &str) -> Result<Option<Acknowledged>, ActivateError> {
        let folder = self.batch_folder(batch_id);
        let Some(envelope) = Envelope::read(&folder.join(ENVELOPE))? else { return Ok(None) };
        // The receiver may take the payload away; the envelope still proves that it was complete.
        let present = envelope.verify(&folder, idempotency_key)?;
        let detail = if present { "payload read again, digest verified" } else { "payload collected by the receiver" };
        let receipt = |step, digest: &str, detail: String| Receipt {
            step,
            rows: envelope.rows,
            digest: digest.to_owned(),
            detail: Some(detail),
            received_at: envelope.created_at,
        };
        let receipts = vec![
            receipt("exported", &envelope.sha256, format!("{batch_id}/{}", envelope.file)),
            receipt("accepted", &envelope.sha256, detail.to_owned()),
        ];
        Ok(Some(Acknowledged { rows: envelope.rows, rows_sha256: envelope.rows_sha256.clone(), receipts }))
    }

    async fn prepare(&self, batch: &Batch) -> Result<Prepared, ActivateError> {
        let folder = self.batch_folder(&batch.head.batch_id);
        atomic::make_folder(&folder)?;
        atomic::prepare(&folder, &self.payload_name(), |out| self.encode(batch, out))
    }

    async fn send(&self, head: &BatchHead, prepared: &Prepared) -> Result<(), ActivateError> {
        let folder = self.batch_folder(&head.batch_id);
        let file = self.payload_name();
        atomic::publish(&folder, &file)?;
        let envelope = Envelope::new(head, prepared, self.options.format, file);
        atomic::prepare(&folder, ENVELOPE, |out| envelope.write(&folder.join(ENVELOPE), out))?;
        atomic::publish(&folder, ENVELOPE)
    }

    async fn delete(&self, deletion: &Deletion) -> Result<Option<String>, ActivateError> {
        let folder = self.folder.join(DELETIONS);
        let name = format!("{}.json", deletion.erasure);
        atomic::make_folder(&folder)?;
        let path = folder.join(&name);
        atomic::prepare(&folder, &name, |out| {
            serde_json::to_writer(&mut *out, deletion)
                .map_err(std::io::Error::from)
                .map_err(ActivateError::io("write", &path))
        })?;
        atomic::publish(&folder, &name)?;
        Ok(Some(format!("{}/{DELETIONS}/{name}", self.options.path)))
    }
}

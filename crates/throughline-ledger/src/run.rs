//! Runs: numbered attempts to bring every stage up to date.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;

use crate::LedgerError;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunStatus {
    /// Not finished: at work, or killed and waiting to be resumed.
    Running,
    /// Every stage is up to date.
    Succeeded,
    /// A stage failed.
    Failed,
    /// A person stopped it.
    Cancelled,
    /// Killed, and a run with other inputs began before it was resumed.
    Abandoned,
}

impl RunStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Abandoned];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RunStatus {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self, LedgerError> {
        Self::ALL
            .into_iter()
            .find(|s| s.name() == text)
            .ok_or_else(|| LedgerError::Unreadable { what: "run status", detail: text.to_owned() })
    }
}

/// The inputs of a run to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewRun<'a> {
    /// What could be known.
    pub as_of: Timestamp,
    /// Hash of the whole configuration.
    pub config_hash: &'a str,
    /// Seed of every random stream.
    pub seed: u64,
    /// The present instant.
    pub started_at: Timestamp,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunRecord {
    /// Its number, from 1, growing.
    pub run_seq: u64,
    /// What could be known.
    pub as_of: Timestamp,
    /// Hash of the whole configuration.
    pub config_hash: String,
    /// Seed of every random stream; a resumed run keeps the seed it began with.
    pub seed: u64,
    /// How it stands.
    pub status: RunStatus,
    /// Fence of the lease under which it began or was last resumed.
    pub fence: u64,
    /// When it began.
    pub started_at: Timestamp,
    /// How often it was resumed.
    pub resumed: u32,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Its report, once finished.
    pub report: Option<Value>,
}

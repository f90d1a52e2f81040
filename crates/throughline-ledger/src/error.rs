//! What can go wrong in the ledger.

use std::path::PathBuf;

use throughline_core::Timestamp;

use crate::{DeliveryStatus, RunStatus};

/// Why the ledger refused or could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The file or its folder cannot be made or read.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: std::io::Error,
    },
    /// The file belongs to another program.
    #[error("{} is not a ledger of this program (application id {found:#x}, expected {expected:#x})", path.display())]
    NotALedger {
        /// Which file.
        path: PathBuf,
        /// The application id found.
        found: i64,
        /// The application id of a ledger.
        expected: i64,
    },
    /// The database was written by a newer release.
    #[error("{place} has ledger schema {found}, this release knows up to {known}: use a newer release")]
    NewerSchema {
        /// Which file or database.
        place: String,
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// The database does not let us in, or is not there.
    #[error("cannot open the ledger")]
    Unreachable(#[from] throughline_postgres::ConnectError),
    /// The schema of the database is used by something else.
    #[error("{place} holds tables that are no ledger: name another one with `schema=` in its address")]
    ForeignSchema {
        /// Which database and schema.
        place: String,
    },
    /// The ledger belongs to another project.
    #[error(
        "{place} is the ledger of project `{owner}`, not of `{project}`: name another one with `schema=` in its address"
    )]
    OtherProject {
        /// Which database and schema.
        place: String,
        /// The project it belongs to.
        owner: String,
        /// The project that asked.
        project: String,
    },
    /// The database does not keep Unicode.
    #[error("{place} has the encoding {encoding}: a ledger needs a database made with ENCODING 'UTF8'")]
    Encoding {
        /// Which database.
        place: String,
        /// Its encoding.
        encoding: String,
    },
    /// PostgreSQL does not keep the character U+0000.
    #[error("the ledger cannot {doing}: a text holds the character U+0000")]
    NulCharacter {
        /// What was tried.
        doing: &'static str,
    },
    /// The file is damaged.
    #[error("the ledger is damaged (noticed while trying to {doing}): restore it from a backup")]
    Corrupt {
        /// What was tried.
        doing: &'static str,
        /// The database's answer.
        #[source]
        source: sqlx::Error,
    },
    /// The database answered with an error.
    #[error("the ledger cannot {doing}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The database's answer.
        #[source]
        source: sqlx::Error,
    },
    /// Another run holds the lease.
    #[error("`{holder}` holds the lease (fence {fence}) until {expires_at}")]
    LeaseHeld {
        /// Who holds it.
        holder: String,
        /// The fence of that lease, to be named when its holder is known to be dead.
        fence: u64,
        /// When it may be taken over.
        expires_at: Timestamp,
    },
    /// The writer lost its lease to a later one.
    #[error("the lease with fence {given} was lost: the ledger stands at fence {held}")]
    Fenced {
        /// The fence of the ledger.
        held: u64,
        /// The fence of the writer.
        given: u64,
    },
    /// The writer gave its lease back before writing.
    #[error("the lease with fence {fence} was released")]
    LeaseReleased {
        /// The fence of the released lease.
        fence: u64,
    },
    /// No run has this number.
    #[error("there is no run {run_seq}")]
    UnknownRun {
        /// The number given.
        run_seq: u64,
    },
    /// The run is over.
    #[error("run {run_seq} is already {status}")]
    RunOver {
        /// The run's number.
        run_seq: u64,
        /// How it ended.
        status: RunStatus,
    },
    /// A run cannot be finished as running, nor a delivery as pending.
    #[error("`{status}` is not a final status")]
    NotFinal {
        /// The status given.
        status: &'static str,
    },
    /// An immutable record exists with other content.
    #[error("{what} `{key}` is already recorded with other content")]
    Conflict {
        /// What kind of record.
        what: &'static str,
        /// Its key.
        key: String,
    },
    /// There is no such record.
    #[error("there is no {what} `{key}`")]
    Unknown {
        /// What kind of record.
        what: &'static str,
        /// Its key.
        key: String,
    },
    /// No delivery has this idempotency key.
    #[error("there is no delivery with idempotency key `{key}`")]
    UnknownDelivery {
        /// The key given.
        key: String,
    },
    /// The delivery is over.
    #[error("delivery `{key}` is already {status}")]
    DeliveryOver {
        /// Its idempotency key.
        key: String,
        /// How it ended.
        status: DeliveryStatus,
    },
    /// A number exceeds what the ledger stores.
    #[error("{what} of {value} exceeds the limit of {}", i64::MAX)]
    TooLarge {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A stored value cannot be read back.
    #[error("the ledger holds an unreadable {what}: {detail}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// Why.
        detail: String,
    },
}

//! What can go wrong in the vault. No message ever holds a key or a value.

use std::path::PathBuf;

use throughline_core::SubjectToken;

/// Why the vault refused or could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// A file or folder cannot be made or read.
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
    #[error("{} is not a vault of this program (application id {found:#x}, expected {expected:#x})", path.display())]
    NotAVault {
        /// Which file.
        path: PathBuf,
        /// The application id found.
        found: i64,
        /// The application id of a vault.
        expected: i64,
    },
    /// The file was written by a newer release.
    #[error("{} has vault schema {found}, this release knows up to {known}: use a newer release", path.display())]
    NewerSchema {
        /// Which file.
        path: PathBuf,
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// The file is damaged.
    #[error("the vault is damaged (noticed while trying to {doing}): restore it from a backup")]
    Corrupt {
        /// What was tried.
        doing: &'static str,
        /// The database's answer.
        #[source]
        source: sqlx::Error,
    },
    /// The database answered with an error.
    #[error("the vault cannot {doing}")]
    Database {
        /// What was tried.
        doing: &'static str,
        /// The database's answer.
        #[source]
        source: sqlx::Error,
    },
    /// Another process put identifiers into the vault while this one gave numbers to its own.
    #[error("another process put identifiers into the vault meanwhile: run again")]
    Overtaken,
    /// A key is not 32 bytes in hexadecimal.
    #[error("the vault key {place} is not 64 hexadecimal digits ({found} characters found)")]
    MalformedKey {
        /// Where the key came from.
        place: String,
        /// How many characters it has.
        found: usize,
    },
    /// The vault is in use, but its key file is gone.
    #[error("the vault key {} is missing: restore it from its backup, without it this vault cannot be opened", path.display())]
    MissingKey {
        /// Where it is expected.
        path: PathBuf,
    },
    /// The key is not the one this vault was made with.
    #[error("the vault key {place} is not the key of {}: its check value differs", path.display())]
    WrongKey {
        /// Where the key came from.
        place: String,
        /// Which vault.
        path: PathBuf,
    },
    /// Others than the owner may read the key.
    #[error("the vault key {} is open to others (mode {mode:04o}): run `chmod 600 {}`", path.display(), path.display())]
    KeyTooOpen {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A stored value or data key does not have its seal: it was altered or moved.
    #[error("the sealed value of token {token} was tampered with")]
    Tampered {
        /// Whose value.
        token: SubjectToken,
    },
    /// The operating system gave no randomness.
    #[error("no randomness from the operating system: {detail}")]
    Entropy {
        /// Its answer.
        detail: String,
    },
    /// A value is too large to be sealed.
    #[error("an identifier of {bytes} bytes exceeds the limit of {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// The values are erased, but a copy of their old pages is still in the write-ahead log because it is being read.
    #[error(
        "{erased} identifiers are erased, but another reader keeps old pages in the log: erase again once it is done"
    )]
    ErasureUnfinished {
        /// How many were erased by this call.
        erased: u64,
    },
    /// A stored value cannot be read back.
    #[error("the vault holds an unreadable {what}: {detail}")]
    Unreadable {
        /// Which value.
        what: &'static str,
        /// Why.
        detail: String,
    },
}

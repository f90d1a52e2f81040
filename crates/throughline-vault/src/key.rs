//! The master key: where it comes from and how its file is made and guarded.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{Entropy, VaultError};

const KEY_BYTES: usize = 32;

/// 32 secret bytes. Never shown by `Debug`, wiped from memory when dropped.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_BYTES]>);

impl MasterKey {
    /// From 64 hexadecimal digits, for keys kept in the environment or a secret store. `place` names the origin in error
    /// messages, never the key.
    pub fn from_hex(text: &str, place: &str) -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES]);
        let text = text.trim();
        hex::decode_to_slice(text, &mut bytes[..])
            .map_err(|_| VaultError::MalformedKey { place: place.to_owned(), found: text.chars().count() })?;
        Ok(Self(bytes))
    }

    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(secret)")
    }
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum KeySource {
    /// The file `vault.key` beside the vault, made when the vault is new.
    File,
    /// A key the caller resolved, for example from an environment variable.
    Given(MasterKey),
}

/// The key file of a vault's folder.
pub(crate) fn key_path(folder: &Path) -> PathBuf {
    folder.join("vault.key")
}

/// Reads the key file; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<MasterKey>, VaultError> {
    let failed = |source| VaultError::Io { doing: "read the vault key", path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(e)),
    };
    check_mode(&file, path)?;
    // Room for the digits and some blanks, so that the buffer never moves and leaves a copy of the key behind.
    let mut text = Zeroizing::new(String::with_capacity(256));
    file.take(256).read_to_string(&mut text).map_err(failed)?;
    MasterKey::from_hex(&text, &path.display().to_string()).map(Some)
}

/// Makes the key file with a random key, or reads the one another process made meanwhile. The file appears whole or not
/// at all: it is written under another name, synced and linked, and linking never replaces a file.
pub(crate) fn create(path: &Path, entropy: &dyn Entropy) -> Result<MasterKey, VaultError> {
    let mut secret = Zeroizing::new([0_u8; KEY_BYTES]);
    entropy.fill(&mut secret[..])?;
    let mut suffix = [0_u8; 8];
    entropy.fill(&mut suffix)?;
    let draft = path.with_extension(format!("key.{}", hex::encode(suffix)));
    let outcome = write_draft(&draft, &secret[..]).and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match outcome {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(source) => {
            return Err(VaultError::Io { doing: "make the vault key", path: path.to_owned(), source });
        }
    }
    removed.and_then(|()| sync_folder(path)).map_err(|source| VaultError::Io {
        doing: "make the vault key",
        path: path.to_owned(),
        source,
    })?;
    read(path)?.ok_or_else(|| VaultError::MissingKey { path: path.to_owned() })
}

fn write_draft(draft: &Path, secret: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(draft)?;
    let digits = Zeroizing::new(hex::encode(secret));
    file.write_all(digits.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

/// Makes a new name in the folder survive a power failure.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|f| cfg!(unix) && !f.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = file.metadata().map_err(|source| VaultError::Io {
        doing: "read the permissions of",
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::KeyTooOpen { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<(), VaultError> {
    Ok(())
}

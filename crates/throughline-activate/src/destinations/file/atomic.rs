//! Files that are either absent or complete.

use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::destination::Prepared;
use crate::error::ActivateError;

/// A writer that hashes and counts what passes.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(data)?;
        self.hash.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Where a file stands until it is complete. The name is fixed, so a crashed attempt is overwritten and leaves nothing.
fn part(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!(".{name}.part"))
}

/// Makes a folder and makes sure it stays: its parents are synced.
pub(super) fn make_folder(folder: &Path) -> Result<(), ActivateError> {
    fs::create_dir_all(folder).map_err(ActivateError::io("make folder", folder))?;
    for parent in folder.ancestors().skip(1).take(2).filter(|parent| parent.exists()) {
        sync(parent)?;
    }
    Ok(())
}

/// Writes a file beside its name and syncs it.
pub(super) fn prepare(
    folder: &Path,
    name: &str,
    fill: impl FnOnce(&mut (dyn Write + Send)) -> Result<(), ActivateError>,
) -> Result<Prepared, ActivateError> {
    let path = part(folder, name);
    let file = File::create(&path).map_err(ActivateError::io("write", &path))?;
    let mut out = Hashing { inner: BufWriter::new(file), hash: Sha256::new(), bytes: 0 };
    fill(&mut out)?;
    let file =
        out.inner.into_inner().map_err(io::IntoInnerError::into_error).map_err(ActivateError::io("write", &path))?;
    file.sync_all().map_err(ActivateError::io("sync", &path))?;
    Ok(Prepared { sha256: hex::encode(out.hash.finalize()), bytes: out.bytes })
}

/// Gives a prepared file its name.
pub(super) fn publish(folder: &Path, name: &str) -> Result<(), ActivateError> {
    let path = folder.join(name);
    fs::rename(part(folder, name), &path).map_err(ActivateError::io("rename into place", &path))?;
    sync(folder)
}

fn sync(folder: &Path) -> Result<(), ActivateError> {
    // Where folders cannot be opened as files the rename itself is all there is.
    match File::open(folder) {
        Ok(handle) => handle.sync_all().map_err(ActivateError::io("sync", folder)),
        Err(_) => Ok(()),
    }
}

/// Digest and size of a file; `None` when it is absent.
pub(super) fn digest(path: &Path) -> Result<Option<Prepared>, ActivateError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ActivateError::io("read", path)(error)),
    };
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0_u8; 1 << 16]);
    loop {
        let read = file.read(&mut buffer).map_err(ActivateError::io("read", path))?;
        if read == 0 {
            return Ok(Some(Prepared { sha256: hex::encode(hash.finalize()), bytes }));
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
}

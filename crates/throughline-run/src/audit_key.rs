//! The key that signs heads of the audit log: a file of the project's state, for its owner only.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::Path;

use throughline_ledger::AuditKey;
use throughline_vault::{Entropy as _, OsEntropy};

use crate::error::RunError;
use crate::project::Project;

/// Reads `audit.key` of the project's state, or makes it. The file appears whole or not at all and never replaces one that
/// another process made meanwhile.
pub fn open(project: &Project) -> Result<AuditKey, RunError> {
    let path = project.state_dir().join("audit.key");
    let secret = match read(&path)? {
        Some(secret) => secret,
        None => create(&path)?,
    };
    Ok(AuditKey::new(&project.config.value.name, &secret))
}

fn read(path: &Path) -> Result<Option<[u8; 32]>, RunError> {
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => {
            check_mode(&file, path)?;
            file.take(256).read_to_string(&mut text).map_err(RunError::io("read", path))?
        }
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(RunError::io("read", path)(e)),
    };
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim(), &mut secret).map_err(|_| {
        RunError::io("use", path)(std::io::Error::new(ErrorKind::InvalidData, "not 64 hexadecimal digits"))
    })?;
    Ok(Some(secret))
}

fn create(path: &Path) -> Result<[u8; 32], RunError> {
    // Where the ledger is elsewhere, the folder may not be there yet.
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(RunError::io("make the folder of", path))?;
    }
    let mut random = [0; 40];
    OsEntropy.fill(&mut random)?;
    let (secret, suffix) = random.split_at(32);
    let draft = path.with_extension(format!("key.{}", hex::encode(suffix)));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&draft).and_then(|mut file| {
        writeln!(file, "{}", hex::encode(secret))?;
        file.sync_all()
    });
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    let removed = fs::remove_file(&draft);
    match linked {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(RunError::io("make", path)(e)),
        _ => removed.map_err(RunError::io("make", path))?,
    }
    read(path)?.ok_or_else(|| RunError::io("read", path)(ErrorKind::NotFound.into()))
}

#[cfg(unix)]
fn check_mode(file: &File, path: &Path) -> Result<(), RunError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = file.metadata().map_err(RunError::io("read the permissions of", path))?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        let message = format!("its permissions {mode:o} let others read it: run `chmod 600` on it");
        return Err(RunError::io("use", path)(std::io::Error::new(ErrorKind::PermissionDenied, message)));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_mode(_: &File, _: &Path) -> Result<(), RunError> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_where_there_is_no_folder_yet() -> Result<(), RunError> {
        let folder = tempfile::tempdir().map_err(RunError::io("make", Path::new("a folder")))?;
        let path = folder.path().join("state").join("audit.key");
        let made = create(&path)?;
        assert_eq!(create(&path)?, made, "one that is there stays");
        assert_eq!(read(&path)?, Some(made));
        Ok(())
    }
}

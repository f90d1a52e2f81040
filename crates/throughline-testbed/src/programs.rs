//! The programs of a server and the user who runs them.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why a server could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TestbedError {
    /// It is not installed.
    #[error(
        "PostgreSQL is not installed, and this test needs it: run `tools/setup test`, or name the folder of `initdb` and \
         `postgres` in THROUGHLINE_POSTGRES_BIN"
    )]
    NoPostgres,
    /// There is nobody to run it as: it refuses to be run by root.
    #[error("PostgreSQL refuses to be run by root, and there is neither a user `postgres` nor `nobody`")]
    NobodyToRunIt,
    /// A program failed.
    #[error("`{program}` failed: {said}")]
    Failed {
        /// Which program.
        program: String,
        /// What it said.
        said: String,
    },
    /// The server did not come up in time.
    #[error("PostgreSQL was not ready after {seconds} seconds: {log}")]
    NotReady {
        /// How long it was waited for.
        seconds: u64,
        /// What it logged.
        log: String,
    },
    /// A file cannot be used.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The folder of `initdb`, `postgres` and `psql`: the one named by the environment, one of the path, or the newest of
/// Debian's.
pub(crate) fn folder() -> Result<PathBuf, TestbedError> {
    let named = std::env::var_os("THROUGHLINE_POSTGRES_BIN").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut debian: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    debian.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    named
        .into_iter()
        .chain(debian.into_iter().map(|(_, folder)| folder))
        .chain(std::env::split_paths(&path))
        .find(|folder| ["initdb", "postgres", "psql"].iter().all(|program| folder.join(program).is_file()))
        .ok_or(TestbedError::NoPostgres)
}

/// The ids of a user and its group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// Who runs the server when we are root; `None` when we are not, and run it ourselves.
    pub(crate) fn without_privileges(ours: &Path) -> Result<Option<Self>, TestbedError> {
        use std::os::unix::fs::MetadataExt as _;
        if std::fs::metadata(ours)?.uid() != 0 {
            return Ok(None);
        }
        let table = std::fs::read_to_string("/etc/passwd")?;
        let found = ["postgres", "nobody"].into_iter().find_map(|name| {
            let row: Vec<&str> = table.lines().map(|l| l.split(':').collect()).find(|r: &Vec<&str>| r[0] == name)?;
            Some(Self { uid: row.get(2)?.parse().ok()?, gid: row.get(3)?.parse().ok()? })
        });
        found.map(Some).ok_or(TestbedError::NobodyToRunIt)
    }

    pub(crate) fn own(self, path: &Path) -> Result<(), TestbedError> {
        Ok(std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))?)
    }
}

/// A command run by a user.
pub(crate) fn command(program: &Path, user: Option<User>) -> Command {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

/// Runs a command to its end and gives what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String, TestbedError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    Err(TestbedError::Failed { program, said: String::from_utf8_lossy(&output.stderr).trim_end().to_owned() })
}

//! Running the binary, and small projects to run it on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The binary under test: the one just built, or `$THROUGHLINE_BIN`.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("THROUGHLINE_BIN").map_or_else(|| env!("CARGO_BIN_EXE_throughline").into(), PathBuf::from)
}

/// The folder of reference data, or `None` with a line that says so.
pub(crate) fn reference() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let path = std::env::var_os("THROUGHLINE_REFERENCE").map_or_else(|| default.into(), PathBuf::from);
    if path.join("hillstrom").exists() {
        return path.canonicalize().ok();
    }
    eprintln!("reference data is absent at {}: this test checks nothing", path.display());
    None
}

/// Runs the binary.
pub(crate) fn throughline(arguments: &[&str]) -> Output {
    let mut command = Command::new(binary());
    if let Some(reference) = reference() {
        command.env("THROUGHLINE_REFERENCE", reference);
    }
    command.args(arguments).output().expect("the binary starts")
}

/// Runs the binary and returns what it printed; fails the test when it fails.
#[track_caller]
pub(crate) fn succeed(arguments: &[&str]) -> String {
    let output = throughline(arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}\n{text}\n{error}");
    text
}

/// Runs the binary with `--json` and parses its answer.
#[track_caller]
pub(crate) fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(&[arguments, &["--json"]].concat())).expect("JSON")
}

/// Runs the binary, which must fail with exit code 1, no panic, and all the texts on its standard error.
#[track_caller]
pub(crate) fn refused(arguments: &[&str], texts: &[&str]) {
    let output = throughline(arguments);
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}\n{error}");
    assert!(!error.contains("panicked"), "{error}");
    for text in texts {
        assert!(error.contains(text), "`{text}` is missing in:\n{error}");
    }
}

/// Writes a file of a project.
pub(crate) fn write(root: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    std::fs::write(path, text).expect("a file");
}

/// A path as text.
pub(crate) fn shown(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

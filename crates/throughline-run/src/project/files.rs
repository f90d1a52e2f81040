//! Reading the YAML files of a project, with file, line and suggestion for what is wrong.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;

use crate::error::RunError;

/// A file of the project: its name for people, its text, its hash.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.text.as_bytes()))
    }

    /// Parses the file; unknown fields, wrong types and broken YAML are diagnostics with a place.
    pub(crate) fn parse<T: DeserializeOwned>(&self) -> Result<T, Diagnostic> {
        serde_saphyr::from_str(&self.text).map_err(|error| {
            let place = error.location();
            let text = error.without_snippet().to_string();
            let line = text.lines().next().unwrap_or("not YAML");
            let message = line.split(" at line ").next().unwrap_or(line).to_owned();
            let finding = Diagnostic::error("TL001", message.clone()).at(
                &self.name,
                place.map(|p| p.line()),
                place.map(|p| p.column()),
            );
            match misspelt(&message) {
                Some(name) => finding.help(format!("did you mean `{name}`?")),
                None => finding,
            }
        })
    }
}

/// For a message "unknown field `x`, expected one of `a`, `b`": the name that was probably meant.
fn misspelt(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let given = quoted.next().filter(|_| message.contains("unknown"))?;
    let known: Vec<&str> = quoted.collect();
    closest(given, known.iter().copied()).map(str::to_owned)
}

/// One file of the project.
pub(crate) fn read(root: &Path, relative: &str) -> Result<Option<TextFile>, RunError> {
    let path = root.join(relative);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(TextFile { name: relative.to_owned(), text })),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(RunError::io("read", &path)(e)),
    }
}

/// The `.yaml` and `.yml` files of a folder, by name.
pub(crate) fn read_folder(root: &Path, folder: &str) -> Result<Vec<TextFile>, RunError> {
    let path = root.join(folder);
    let entries = match std::fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(RunError::io("list", &path)(e)),
    };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry.map_err(RunError::io("list", &path))?.path();
        if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let Some(name) = path.file_name().and_then(|n| n.to_str()) else { continue };
        files.extend(read(root, &format!("{folder}/{name}"))?);
    }
    Ok(files)
}

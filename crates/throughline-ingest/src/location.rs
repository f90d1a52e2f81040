//! The files of a source: one file is one unit of work. A database has windows instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};

use crate::config::SourceConfig;
use crate::connector::{self, DatabaseUnit, EmptyFile};
use crate::error::IngestError;
use crate::glob;
use crate::objects::{self, Remote};

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Name for people and for the unit: relative to the project, or with the variable the location begins with.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// Size.
    pub bytes: u64,
    /// SHA-256 of the content, in hexadecimal; with that of the files beside it which its connector reads.
    pub content_hash: String,
    /// The part of a database that this is, where it is no file.
    pub database: Option<Arc<DatabaseUnit>>,
    /// Where it lies, where that is an object store; `path` is where it is kept once it is fetched.
    pub remote: Option<Arc<Remote>>,
    /// Columns that have one value in all of its rows, which does not stand in the file.
    pub constants: Vec<(String, Option<String>)>,
}

/// Where a source lies.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// The folder of the project.
    pub project_dir: &'a Path,
    /// The location, variables put in.
    pub location: String,
    /// The variables.
    pub variables: &'a BTreeMap<String, String>,
}

/// The units of a source that has no files here: those of a database, a table or an object store.
fn units_elsewhere(config: &SourceConfig, place: &Place<'_>) -> Option<Result<Vec<SourceFile>, IngestError>> {
    let connector = connector::find(&config.connector.value);
    connector.and_then(|c| c.units(config, place)).or_else(|| objects::units(config, place))
}

/// The files at the location of a source, by name. `variables` gives the values for `${NAME}`.
///
/// Refuses a location without files, and an empty file where the format needs a header.
pub fn list_units(
    project_dir: &Path,
    config: &SourceConfig,
    variables: &BTreeMap<String, String>,
) -> Result<Vec<SourceFile>, IngestError> {
    let location = &config.location.value;
    let resolved = resolve(config, variables)?;
    let place = Place { project_dir, location: resolved.clone(), variables };
    if let Some(units) = units_elsewhere(config, &place) {
        return units;
    }
    let full = project_dir.join(&resolved);
    let paths = paths_at(&full, &resolved)?;
    if paths.is_empty() {
        return Err(IngestError::NoFile {
            source_name: config.name.value.clone(),
            location: without_secrets(location),
            looked_for: without_secrets(&full.display().to_string()),
        });
    }
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        files.push(describe(project_dir, config, variables, path)?);
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The names of the units that are at the location of a source now. Files are not opened.
pub fn names_of_units(
    project_dir: &Path,
    config: &SourceConfig,
    variables: &BTreeMap<String, String>,
) -> Result<BTreeSet<String>, IngestError> {
    let resolved = resolve(config, variables)?;
    let place = Place { project_dir, location: resolved.clone(), variables };
    if let Some(units) = units_elsewhere(config, &place) {
        return Ok(units?.into_iter().map(|unit| unit.name).collect());
    }
    let paths = paths_at(&project_dir.join(&resolved), &resolved)?;
    Ok(paths.iter().map(|path| name_of(project_dir, &config.location.value, variables, path)).collect())
}

/// The files at a location.
fn paths_at(full: &Path, resolved: &str) -> Result<Vec<PathBuf>, IngestError> {
    if glob::is_pattern(resolved) {
        return glob::files(full).map_err(IngestError::io(full.display().to_string()));
    }
    Ok(if full.is_file() { vec![full.to_owned()] } else { Vec::new() })
}

/// What may be shown of a location: an address may hold a password, so no more than what comes before it.
fn without_secrets(location: &str) -> String {
    location.split_once("://").map_or_else(|| location.to_owned(), |(before, _)| format!("{before}://…"))
}

fn describe(
    project_dir: &Path,
    config: &SourceConfig,
    variables: &BTreeMap<String, String>,
    path: PathBuf,
) -> Result<SourceFile, IngestError> {
    let name = name_of(project_dir, &config.location.value, variables, &path);
    let connector = connector::find(&config.connector.value);
    let (bytes, mut content_hash) = digest(&path).map_err(IngestError::io(path.display().to_string()))?;
    // A header or lookup that lies beside is part of what the file says.
    for companion in connector.map(|c| c.companions(&path)).unwrap_or_default() {
        let (_, hash) = digest(&companion).map_err(IngestError::io(companion.display().to_string()))?;
        content_hash = hex::encode(Sha256::digest(format!("{content_hash}\n{hash}")));
    }
    let refuses_empty = connector.is_some_and(|c| c.empty_file() == EmptyFile::Refused);
    if bytes == 0 && refuses_empty {
        return Err(IngestError::EmptyFile { source_name: config.name.value.clone(), file: name });
    }
    Ok(SourceFile { name, path, bytes, content_hash, database: None, remote: None, constants: Vec::new() })
}

/// Puts the variables into the location.
fn resolve(config: &SourceConfig, variables: &BTreeMap<String, String>) -> Result<String, IngestError> {
    let location = &config.location.value;
    let mut resolved = String::new();
    let mut rest = location.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        resolved.push_str(before);
        let (variable, tail) = after.split_once('}').unwrap_or((after, ""));
        let value = variables.get(variable).ok_or_else(|| IngestError::Variable {
            source_name: config.name.value.clone(),
            location: location.clone(),
            variable: variable.to_owned(),
        })?;
        resolved.push_str(value);
        rest = tail;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

/// Names must not depend on the machine where that can be avoided: they are stored in the lake.
fn name_of(project_dir: &Path, location: &str, variables: &BTreeMap<String, String>, path: &Path) -> String {
    if let Some((variable, _)) = location.strip_prefix("${").and_then(|rest| rest.split_once('}'))
        && let Some(value) = variables.get(variable)
        && let Ok(inside) = path.strip_prefix(project_dir.join(value))
    {
        return format!("${{{variable}}}/{}", slashes(inside)).trim_end_matches('/').to_owned();
    }
    slashes(path.strip_prefix(project_dir).unwrap_or(path))
}

fn slashes(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn digest(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0_u8; 1 << 18];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((bytes, hex::encode(hasher.finalize()))),
            n => {
                hasher.update(&buffer[..n]);
                bytes += n as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(connector: &str, location: &str) -> SourceConfig {
        let text = format!(
            "apiVersion: throughline/v1\nkind: Source\nname: s\nconnector: {connector}\nlocation: '{location}'\n\
             emits:\n  - id: x\n"
        );
        SourceConfig::parse(&text, "sources/s.yaml").expect("a source")
    }

    fn names(dir: &Path, location: &str) -> Result<Vec<String>, IngestError> {
        let variables = BTreeMap::from([("DATA".to_owned(), dir.join("data").display().to_string())]);
        let files = list_units(&dir.join("project"), &config("csv", location), &variables)?;
        Ok(files.into_iter().map(|f| f.name).collect())
    }

    #[test]
    fn names_do_not_depend_on_the_machine() -> Result<(), IngestError> {
        let dir = tempfile::tempdir().expect("a folder");
        for path in ["project/in/a.csv", "project/in/b.csv", "data/c.csv"] {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
            std::fs::write(path, "x\n").expect("a file");
        }
        assert_eq!(names(dir.path(), "in/*.csv")?, ["in/a.csv", "in/b.csv"]);
        assert_eq!(names(dir.path(), "${DATA}/c.csv")?, ["${DATA}/c.csv"]);
        let error = names(dir.path(), "in/d.csv").expect_err("absent").to_string();
        assert!(error.contains("location `in/d.csv` (looked for `") && error.contains("project/in/d.csv`)"), "{error}");
        let error = names(dir.path(), "in/*.json").expect_err("no match").to_string();
        assert!(error.contains("no file matches location `in/*.json`"), "{error}");
        let error = names(dir.path(), "postgres://me:secret@host/shop").expect_err("no file").to_string();
        assert!(error.contains("postgres://…") && !error.contains("secret"), "{error}");
        let error = names(dir.path(), "${DATE}/c.csv").expect_err("unset").to_string();
        assert!(error.contains("variable `DATE`, which is not set"), "{error}");
        Ok(())
    }

    #[test]
    fn empty_files_are_refused_where_a_header_is_needed() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("empty"), "").expect("a file");
        for (connector, refused) in [("csv", true), ("parquet", true), ("jsonl", false)] {
            let listed = list_units(dir.path(), &config(connector, "empty"), &BTreeMap::new());
            assert_eq!(matches!(listed, Err(IngestError::EmptyFile { .. })), refused, "{connector}");
        }
    }

    #[test]
    fn the_hash_is_that_of_the_content() -> std::io::Result<()> {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("abc");
        std::fs::write(&path, "abc")?;
        let expect = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(&path)?, (3, expect.to_owned()));
        Ok(())
    }
}

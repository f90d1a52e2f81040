//! The checkout as the checks see it: text files read once, findings with a place.

use std::fmt;
use std::path::{Path, PathBuf};

/// Folders that hold no source of ours.
const SKIPPED: &[&str] = &[".git", ".throughline", "target", "demo", "out", "node_modules"];
/// Endings of the text files that are read.
const TEXT: &[&str] = &["rs", "md", "toml", "yaml", "yml", "json", "txt", "sh", "html", "css", "js", "sql"];

/// One text file; the path is relative to the root and uses `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn is_rust(&self) -> bool {
        Path::new(&self.path).extension().is_some_and(|e| e == "rs")
    }

    /// Whether the whole file is test code, by its place or name.
    pub(crate) fn is_test(&self) -> bool {
        self.path.contains("/tests/")
            || self.path.contains("/benches/")
            || self.path.ends_with("/tests.rs")
            || self.path.ends_with("_tests.rs")
    }

    /// The crate folder's name, for files under `crates/`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split('/').next()
    }
}

/// Every text file of the checkout, sorted by path.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<SourceFile>,
}

impl Workspace {
    /// Reads the checkout this program was built from.
    pub(crate) fn open() -> Result<Self, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut files = Vec::new();
        collect(&root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { root, files })
    }

    pub(crate) fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|f| f.path == path)
    }

    /// Rust files below `crates/`.
    pub(crate) fn crate_sources(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter().filter(|f| f.is_rust() && f.crate_name().is_some())
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(p, t)| SourceFile { path: (*p).to_owned(), text: (*t).to_owned() }).collect();
        Self { root: PathBuf::new(), files }
    }
}

fn collect(root: &Path, below: &str, files: &mut Vec<SourceFile>) -> Result<(), String> {
    let folder = root.join(below);
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in std::fs::read_dir(&folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name.clone() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(fail)?;
        if kind.is_dir() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(root, &path, files)?;
            }
        } else if kind.is_file() && is_text(&name, below) {
            // A file that is not UTF-8 is a fixture, not source.
            if let Ok(text) = std::fs::read_to_string(entry.path()) {
                files.push(SourceFile { path, text });
            }
        }
    }
    Ok(())
}

fn is_text(name: &str, below: &str) -> bool {
    let known = Path::new(name).extension().is_some_and(|e| TEXT.iter().any(|t| e == *t));
    known || name == "Makefile" || below == ".ci"
}

/// A breach of a rule at a place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    pub(crate) file: String,
    /// 1-based; 1 where the whole file is meant.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_from_paths() {
        let file = |path: &str| SourceFile { path: path.to_owned(), text: String::new() };
        assert_eq!(file("crates/throughline-core/src/id.rs").crate_name(), Some("throughline-core"));
        assert_eq!(file("xtask/src/main.rs").crate_name(), None);
        assert!(file("crates/a/tests/it.rs").is_test() && file("crates/a/src/tests.rs").is_test());
        assert!(!file("crates/a/src/contests.rs").is_test());
        assert_eq!(Finding::new("a.rs", 3, "no").to_string(), "a.rs:3: no");
    }
}

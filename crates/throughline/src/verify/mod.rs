//! Reference checks: our answers beside published ones. One file a group and one line in [`GROUPS`].

mod attribution;
mod channel_paths;
mod fractribution;
mod growthbook;
mod hillstrom;

use std::path::{Path, PathBuf};

use serde::Serialize;
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;

use crate::failure::Failure;

/// One comparison with a published answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Check {
    /// Name.
    pub(crate) name: String,
    /// Whether the difference is within the tolerance.
    pub(crate) passed: bool,
    /// The published answer.
    pub(crate) expected: f64,
    /// Ours.
    pub(crate) got: f64,
    /// Absolute difference, or relative where the tolerance is.
    pub(crate) difference: f64,
    /// The tolerance.
    pub(crate) tolerance: f64,
    /// Where the answer was published.
    pub(crate) source: String,
}

impl Check {
    /// Within an absolute tolerance.
    pub(crate) fn absolute(name: impl Into<String>, expected: f64, got: f64, tolerance: f64, source: &str) -> Self {
        Self::of(name.into(), expected, got, (got - expected).abs(), tolerance, source)
    }

    /// Within a relative tolerance.
    pub(crate) fn relative(name: impl Into<String>, expected: f64, got: f64, tolerance: f64, source: &str) -> Self {
        let scale = expected.abs().max(f64::MIN_POSITIVE);
        let difference = if expected == got { 0.0 } else { (got - expected).abs() / scale };
        Self::of(name.into(), expected, got, difference, tolerance, source)
    }

    fn of(name: String, expected: f64, got: f64, difference: f64, tolerance: f64, source: &str) -> Self {
        // A NaN difference fails: it is not within any tolerance.
        let passed = difference <= tolerance;
        Self { name, passed, expected, got, difference, tolerance, source: source.to_owned() }
    }
}

/// A group of checks.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Path) -> Result<Vec<Check>, Failure>,
}

/// Every group.
const GROUPS: &[Group] = &[
    Group { name: "hillstrom", run: hillstrom::checks },
    Group { name: "growthbook", run: growthbook::checks },
    Group { name: "attribution", run: attribution::checks },
    Group { name: "channel-paths", run: channel_paths::checks },
    Group { name: "fractribution", run: fractribution::checks },
];

/// The groups of the given names; all without any.
pub(crate) fn groups(names: &[String]) -> Result<Vec<&'static Group>, Failure> {
    if names.is_empty() {
        return Ok(GROUPS.iter().collect());
    }
    let find = |name: &String| {
        GROUPS.iter().find(|g| g.name == name).ok_or_else(|| {
            let known: Vec<&str> = GROUPS.iter().map(|g| g.name).collect();
            let mut finding =
                Diagnostic::error("TL050", format!("unknown group `{name}` (known: {})", known.join(", ")));
            if let Some(close) = closest(name, known) {
                finding = finding.help(format!("did you mean `{close}`?"));
            }
            Failure::finding(finding)
        })
    };
    names.iter().map(find).collect()
}

/// A file of the reference data; its absence is said clearly.
pub(crate) fn reference(dir: &Path, path: &str) -> Result<PathBuf, Failure> {
    let file = dir.join(path);
    if file.exists() {
        return Ok(file);
    }
    let message = format!("reference data is absent: {}", file.display());
    Err(Failure::finding(
        Diagnostic::error("TL051", message).help("set THROUGHLINE_REFERENCE to the folder of the reference data"),
    ))
}

/// A reference file as text.
pub(crate) fn read_text(dir: &Path, path: &str) -> Result<String, Failure> {
    let file = reference(dir, path)?;
    std::fs::read_to_string(&file).map_err(|source| Failure::Io {
        doing: "read",
        path: file.display().to_string(),
        source,
    })
}

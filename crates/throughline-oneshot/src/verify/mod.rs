//! Reference checks: our answers beside published ones. One file a group and one line in [`GROUPS`].

mod attribution;
mod basque;
mod card;
mod causalimpact;
mod channel_paths;
mod geolift;
mod growthbook;
mod hillstrom;
mod ihdp;
mod mpdta;
mod nsw_lalonde;
mod prop99;
mod sequential;
mod shapley_zhao;

use std::path::{Path, PathBuf};

use serde::Serialize;
use throughline_core::Diagnostic;

use crate::OneShotError;

/// One comparison with a published answer.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Name.
    pub name: String,
    /// Whether the difference is within the tolerance.
    pub passed: bool,
    /// The published answer.
    pub expected: f64,
    /// Ours.
    pub got: f64,
    /// Absolute difference, or relative where the tolerance is.
    pub difference: f64,
    /// The tolerance.
    pub tolerance: f64,
    /// Where the answer was published.
    pub source: String,
}

impl Check {
    /// Within an absolute tolerance.
    pub fn absolute(name: impl Into<String>, expected: f64, got: f64, tolerance: f64, source: &str) -> Self {
        Self::of(name.into(), expected, got, (got - expected).abs(), tolerance, source)
    }

    /// Within a relative tolerance.
    pub fn relative(name: impl Into<String>, expected: f64, got: f64, tolerance: f64, source: &str) -> Self {
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
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Its name.
    pub name: &'static str,
    /// Runs it on the folder of the reference data.
    pub run: fn(&Path) -> Result<Vec<Check>, OneShotError>,
}

/// Every group of this crate.
pub const GROUPS: &[Group] = &[
    Group { name: "hillstrom", run: hillstrom::checks },
    Group { name: "growthbook", run: growthbook::checks },
    Group { name: "mpdta", run: mpdta::checks },
    Group { name: "prop99", run: prop99::checks },
    Group { name: "geolift", run: geolift::checks },
    Group { name: "basque", run: basque::checks },
    Group { name: "causalimpact", run: causalimpact::checks },
    Group { name: "card", run: card::checks },
    Group { name: "sequential", run: sequential::checks },
    Group { name: "nsw-lalonde", run: nsw_lalonde::checks },
    Group { name: "ihdp", run: ihdp::checks },
    Group { name: "attribution", run: attribution::checks },
    Group { name: "channel-paths", run: channel_paths::checks },
    Group { name: "shapley-zhao", run: shapley_zhao::checks },
];

/// A file of the reference data; its absence is said clearly.
pub fn reference(dir: &Path, path: &str) -> Result<PathBuf, OneShotError> {
    let file = dir.join(path);
    if file.exists() {
        return Ok(file);
    }
    let message = format!("reference data is absent: {}", file.display());
    Err(OneShotError::finding(
        Diagnostic::error("TL051", message).help("set THROUGHLINE_REFERENCE to the folder of the reference data"),
    ))
}

/// A reference file as text.
pub fn read_text(dir: &Path, path: &str) -> Result<String, OneShotError> {
    let file = reference(dir, path)?;
    std::fs::read_to_string(&file).map_err(|source| OneShotError::Io {
        doing: "read",
        path: file.display().to_string(),
        source,
    })
}

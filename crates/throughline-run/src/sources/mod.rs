//! Sources: checked against their files before anything runs, and how they stand after runs.

mod check;

mod findings;

pub(crate) mod readings;

mod report;

mod state;

use throughline_core::Diagnostic;
use throughline_ingest::{SourceConfig, SourceFile, list_units};

use crate::project::{Hashed, Project};
pub use check::{CheckReport, SourceCheck, check_sources};
pub use findings::LabelCheck;
pub use report::{DayVolume, QuarantineGroup, SourceReport, SourcesReport, sources_report};
pub use state::{SourceState, source_states};

/// The unit of `ingest` that a file of a source is.
pub(crate) fn unit_name(source: &str, file: &str) -> String {
    format!("{source}/{file}")
}

/// The files of a source, or what is wrong with its location.
pub(crate) fn files_of(project: &Project, source: &Hashed<SourceConfig>) -> Result<Vec<SourceFile>, Diagnostic> {
    list_units(&project.root, &source.value, &project.variables).map_err(|error| {
        let line = source.value.location.referenced.line();
        Diagnostic::error("TL021", error.to_string()).at(&source.file, Some(line), None)
    })
}

//! The arguments of `throughline quarantine`.

use clap::{Args, Subcommand};

use super::{ProjectArgs, name_and_value};

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List rows in quarantine, and rows whose corrections are in use.
    List(QuarantineListArgs),
    /// Show where a row is and what was decided about it; with --open, its fields before and after.
    Show(QuarantineShowArgs),
    /// Correct or label a row. The corrected row is tried first; the file itself is never changed.
    Correct(QuarantineCorrectArgs),
    /// Bring the line up to date, corrected rows included, and say what became of each.
    Replay(ProjectArgs),
    /// Take back what was decided about a row.
    Undo(QuarantineUndoArgs),
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineListArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Only rows of this source.
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Only rows with this code, for example TL209.
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// Only rows with this label.
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Rows at most.
    #[arg(long, default_value_t = 50)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineShowArgs {
    /// The row, as `quarantine list` names it.
    pub(crate) row: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Open the row; the opening goes on record.
    #[arg(long)]
    pub(crate) open: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineCorrectArgs {
    /// The row, as `quarantine list` names it.
    pub(crate) row: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// A field to set, as NAME=VALUE; fields without names have numbers from 1. May be given several times.
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) fields: Vec<(String, String)>,
    /// The whole row anew, as it should stand in the file.
    #[arg(long, conflicts_with = "fields")]
    pub(crate) text: Option<String>,
    /// What to call it, for example `typo` or `vendor`.
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// Why; sealed with the row.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who decides.
    #[arg(long, default_value = "command line")]
    pub(crate) author: String,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineUndoArgs {
    /// The row, as `quarantine list` names it.
    pub(crate) row: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Why; sealed with the row.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who decides.
    #[arg(long, default_value = "command line")]
    pub(crate) author: String,
}

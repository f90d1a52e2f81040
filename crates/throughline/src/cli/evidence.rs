//! The arguments of `throughline evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use throughline_core::Timestamp;

use super::ProjectArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// List what is known about effects, how it stands, and where it contradicts itself.
    List(EvidenceListArgs),
    /// Show one record with its assumptions, checks, approvals and uses.
    Show(EvidenceShowArgs),
    /// Answer for the assumptions of a record, so that it may decide.
    Approve(EvidenceNoteArgs),
    /// Take a record out of use, for good.
    Retire(EvidenceNoteArgs),
    /// Record the answer of a command (its --json) as evidence.
    Record(EvidenceRecordArgs),
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceListArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// As it stands then (RFC 3339 or a date, UTC), instead of now.
    #[arg(long)]
    pub(crate) as_of: Option<Timestamp>,
    /// Records that no longer count as well.
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceShowArgs {
    /// The record, as `evidence list` names it.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// As it stands then (RFC 3339 or a date, UTC), instead of now.
    #[arg(long)]
    pub(crate) as_of: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceNoteArgs {
    /// The record, as `evidence list` names it.
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Why.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
    /// Who answers for it.
    #[arg(long, default_value = "command line")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
pub(crate) struct EvidenceRecordArgs {
    /// The answer: what a command printed with --json.
    pub(crate) answer: PathBuf,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The study or experiment by name; everything of one name rests on the same data.
    #[arg(long)]
    pub(crate) name: String,
    /// The command that answered: panel, iv, rd, effect or experiment.
    #[arg(long)]
    pub(crate) command: String,
    /// The action whose effect it is.
    #[arg(long)]
    pub(crate) action: String,
    /// The metric.
    #[arg(long)]
    pub(crate) metric: String,
    /// What it is compared with.
    #[arg(long, default_value = "none")]
    pub(crate) control: String,
    /// Whether the effect is relative to the control's mean.
    #[arg(long)]
    pub(crate) relative: bool,
    /// The segment, when not everyone.
    #[arg(long)]
    pub(crate) segment: Option<String>,
    /// The region, when not everywhere.
    #[arg(long)]
    pub(crate) geo: Option<String>,
    /// First day observed (RFC 3339 or a date, UTC).
    #[arg(long)]
    pub(crate) from: Timestamp,
    /// Last day observed.
    #[arg(long)]
    pub(crate) to: Timestamp,
    /// When it is too old to use.
    #[arg(long)]
    pub(crate) expires: Option<Timestamp>,
}

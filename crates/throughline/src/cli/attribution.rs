//! The arguments of `throughline attribution`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ProjectArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum AttributionCommand {
    /// Two configurations side by side: which touches each keeps, and what that does to credit.
    Compare(CompareArgs),
    /// The credit of a part of the journeys: of a place, a period, a segment.
    Show(ShowArgs),
    /// Why platforms report other numbers of conversions than we credit, line by line.
    Reconcile(ReconcileArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The first configuration, for example attribution.yaml.
    pub(crate) left: PathBuf,
    /// The second one.
    pub(crate) right: PathBuf,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The conversion; all of the project without.
    #[arg(long)]
    pub(crate) conversion: Option<String>,
    /// Only journeys that ended on this day or later, as 2026-03-01, UTC.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Only journeys that ended on this day or earlier.
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Only journeys that ended in this place.
    #[arg(long)]
    pub(crate) geo: Option<String>,
    /// Only journeys that ended on this device.
    #[arg(long)]
    pub(crate) device: Option<String>,
    /// Only people first seen in this month, as 2026-03.
    #[arg(long)]
    pub(crate) cohort: Option<String>,
    /// Only people of this segment, as name=value.
    #[arg(long)]
    pub(crate) segment: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The model whose credit is compared; the first of the project without.
    #[arg(long)]
    pub(crate) model: Option<String>,
}

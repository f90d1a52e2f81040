//! The arguments of `throughline attribution`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ProjectArgs;

#[derive(Debug, Subcommand)]
pub(crate) enum AttributionCommand {
    /// Two configurations side by side: which touches each keeps, and what that does to credit.
    Compare(CompareArgs),
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
pub(crate) struct ReconcileArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The model whose credit is compared; the first of the project without.
    #[arg(long)]
    pub(crate) model: Option<String>,
}

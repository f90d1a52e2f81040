//! Arguments of commands about people: who is whom, and who is erased.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ProjectArgs;

#[derive(Debug, Args)]
pub(crate) struct EraseArgs {
    /// The id of a person, or an identifier as KIND:VALUE, for example email:ann@example.org; `-` reads it from standard
    /// input, so that it stays out of the shell's history.
    pub(crate) whom: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Only show what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ErasuresArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Put on record that a destination deleted somebody, as ERASURE/DESTINATION.
    #[arg(long)]
    pub(crate) deleted: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IdentityCommand {
    /// Draw pairs for people to look at, with known probabilities.
    Draw(IdentityDrawArgs),
    /// Show pairs of profiles that may be of one person, those first that carry the most uncertain money.
    Review(IdentityReviewArgs),
    /// How accurate matching is: by what people decided about drawn pairs, and by later logins.
    Accuracy(IdentityAccuracyArgs),
    /// Decide that two identifiers are of one person.
    Join(IdentityDecisionArgs),
    /// Decide that two identifiers are never of one person.
    Part(IdentityDecisionArgs),
    /// Take decisions about two identifiers back.
    Undo(IdentityDecisionArgs),
}

#[derive(Debug, Args)]
pub(crate) struct IdentityDrawArgs {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// About how many pairs.
    #[arg(long, default_value_t = 50)]
    pub(crate) size: u32,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdentityAccuracyArgs {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdentityReviewArgs {
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// Which pairs: queue (the latest draw), decided, review, linked or apart.
    #[arg(long, default_value = "queue")]
    pub(crate) outcome: String,
    /// Pairs at most.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    /// Open what the sources say about them; the opening goes on record.
    #[arg(long)]
    pub(crate) open: bool,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IdentityDecisionArgs {
    /// One identifier's token.
    pub(crate) token: String,
    /// The other's.
    pub(crate) other_token: String,
    /// The project's folder.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// Why; sealed with the first identifier.
    #[arg(long, default_value = "")]
    pub(crate) reason: String,
}

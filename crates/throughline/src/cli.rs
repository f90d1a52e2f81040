//! The arguments.

mod attribution;

mod evidence;

mod people;

mod quarantine;

use std::path::PathBuf;

pub(crate) use attribution::{AttributionCommand, CompareArgs, ReconcileArgs, ShowArgs};
pub(crate) use evidence::{EvidenceCommand, EvidenceListArgs, EvidenceNoteArgs, EvidenceRecordArgs, EvidenceShowArgs};
pub(crate) use people::{
    EraseArgs, ErasuresArgs, IdentityAccuracyArgs, IdentityCommand, IdentityDecisionArgs, IdentityDrawArgs,
    IdentityReviewArgs,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use throughline_oneshot::OneShotCommand;

pub(crate) use quarantine::{
    QuarantineCommand, QuarantineCorrectArgs, QuarantineListArgs, QuarantineShowArgs, QuarantineUndoArgs,
};

/// Carries every customer signal along one traceable line.
#[derive(Debug, Parser)]
#[command(name = "throughline", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a project.
    Init(InitArgs),
    /// Read and check every file of a project, look at what its sources hold, and say what to mend. Nothing is written.
    Check(CheckArgs),
    /// Bring every stage of a project up to date.
    Run(RunArgs),
    /// Serve the studio and the API.
    Serve(ServeArgs),
    /// Walk the thread behind a decision, a conversion or a person.
    Explain(ExplainArgs),
    /// Ask published tables in SQL.
    Query(QueryArgs),
    /// Rows that could not be used: look at them, correct them, read them again.
    #[command(subcommand)]
    Quarantine(QuarantineCommand),
    /// What people agreed to.
    #[command(subcommand)]
    Consent(ConsentCommand),
    /// Erase a person: keys, rows of every retained version, and requests to destinations.
    Erase(EraseArgs),
    /// Who was erased, and which destinations still have to delete them.
    Erasures(ErasuresArgs),
    /// The audit log: check, prove, hand out.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Check against published answers.
    Verify(VerifyArgs),
    #[command(flatten)]
    OneShot(OneShotCommand),
    /// Credit: two configurations side by side, and ours beside what platforms report.
    #[command(subcommand)]
    Attribution(AttributionCommand),
    /// What is known about effects: list it, answer for its assumptions, retire it.
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Find which records of files are of one person.
    Link(LinkArgs),
    /// Who is whom: pairs to look at, and decisions about them.
    #[command(subcommand)]
    Identity(IdentityCommand),
    /// Simulated markets whose truth is known.
    #[command(subcommand)]
    Market(MarketCommand),
}

/// A question in SQL.
#[derive(Debug, Args)]
pub(crate) struct QueryArgs {
    /// Folder of the project.
    pub(crate) project: PathBuf,
    /// The question, such as `SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind`.
    #[arg(required_unless_present = "file", conflicts_with = "file")]
    pub(crate) sql: Option<String>,
    /// Read the question from a file.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// How rows are written.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: QueryFormat,
    /// Value for ${NAME} in the locations of sources, as NAME=VALUE; outranks the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) variables: Vec<(String, String)>,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum QueryFormat {
    /// Aligned, for people; the first thousand.
    Table,
    /// With a header; texts that a spreadsheet would take for formulas get an apostrophe.
    Csv,
    /// A list of objects.
    Json,
}

/// Consent.
#[derive(Debug, Subcommand)]
pub(crate) enum ConsentCommand {
    /// What is documented per source and purpose, contradictions, withdrawals, and who may be activated where.
    Report(ProjectArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LinkArgs {
    /// CSV or Parquet files; records are linked across and within them.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// A column whose equal values are one person: not compared, but held against what is found.
    #[arg(long)]
    pub(crate) truth: Option<String>,
    /// Write the person of every record to this CSV file.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Between the fields of CSV files.
    #[arg(long, default_value = ",")]
    pub(crate) delimiter: String,
    /// Pairs compared at most; ten times the records, and at least four million, when not given.
    #[arg(long)]
    pub(crate) most_pairs: Option<u64>,
    /// Threads; changes the time and nothing else.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MarketCommand {
    /// Simulate a scenario and write it.
    Generate(MarketArgs),
    /// Let a market go on day by day: take in what was delivered, write what follows.
    Step(MarketStepArgs),
    /// Hold what a run produced against the truth of its simulated market.
    Score(MarketScoreArgs),
    /// List the scenarios that come along, or print one as a file to adapt.
    Presets {
        /// The one to print.
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct MarketArgs {
    /// A preset (tiny, demo, retail, large) or a file.
    pub(crate) scenario: String,
    /// Folder to write to.
    #[arg(long = "out", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// What to write.
    #[arg(long = "as", value_enum, value_delimiter = ',', default_value = "project")]
    pub(crate) shapes: Vec<MarketShape>,
    /// Number of people, instead of the scenario's.
    #[arg(long)]
    pub(crate) people: Option<u32>,
    /// Seed.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads; changes the time and nothing else.
    #[arg(long)]
    pub(crate) threads: Option<usize>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MarketStepArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// How many days.
    #[arg(long, default_value_t = 1)]
    pub(crate) days: u32,
    /// Bring the line up to date before the days and at the end.
    #[arg(long)]
    pub(crate) run: bool,
    /// With --run: before every so-manieth day.
    #[arg(long, default_value_t = 1, requires = "run")]
    pub(crate) every: u32,
    /// With --run: agree to what waits for approval. The audit log tells.
    #[arg(long, requires = "run")]
    pub(crate) approve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MarketScoreArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Make, run and score so many demo projects instead, of seeds 1, 2, …; nothing of them is kept.
    #[arg(long, conflicts_with_all = ["project", "variables"])]
    pub(crate) seeds: Option<u32>,
    /// People of each of those projects.
    #[arg(long, default_value_t = 2000, requires = "seeds")]
    pub(crate) people: u32,
    /// Print a page of Markdown.
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MarketShape {
    /// The files of the demo project and the truth, in `data` and `truth`.
    Project,
    /// The shapes of vendors' exports, in `vendors`.
    Vendors,
    /// Canonical events as Parquet, of any number of people, in `events`.
    Events,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct ProjectArgs {
    /// Folder of the project.
    #[arg(default_value = ".")]
    pub(crate) project: PathBuf,
    /// Value for ${NAME} in the locations of sources, as NAME=VALUE; outranks the environment.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = name_and_value)]
    pub(crate) variables: Vec<(String, String)>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "expected NAME=VALUE".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Rows of each source that are looked at, at most; what is sampled is said.
    #[arg(long, default_value_t = 200_000)]
    pub(crate) rows: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Folder to make.
    pub(crate) dir: PathBuf,
    /// Start from an example: demo, hillstrom, fractribution, evidence, snowplow or vendors.
    #[arg(long)]
    pub(crate) example: Option<String>,
    /// People of the simulated market of demo and vendors.
    #[arg(long, default_value_t = 5000)]
    pub(crate) people: u32,
    /// Seed of that market.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Only this stage, computed anew.
    #[arg(long, conflicts_with = "from")]
    pub(crate) stage: Option<String>,
    /// This stage and everything after it, computed anew.
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Use only what could be known then (RFC 3339 or a date, UTC).
    #[arg(long)]
    pub(crate) as_of: Option<String>,
    /// Pretend the run begins then: for repeatable tests.
    #[arg(long, hide = true)]
    pub(crate) now: Option<String>,
    /// Show no progress.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Address to listen on; other machines reach the server only when it is not a loopback address.
    #[arg(long)]
    pub(crate) host: Option<std::net::IpAddr>,
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = throughline_server::DEFAULT_PORT)]
    pub(crate) port: u16,
    /// What is logged, in the syntax of RUST_LOG. With --json, the log is JSON too.
    #[arg(long, default_value = "warn,throughline_server=info")]
    pub(crate) log: String,
}

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Check every hash, the tree and every signed head; exported logs, given heads and proofs too.
    Verify(AuditVerifyArgs),
    /// Print a signed head of the log, to be kept elsewhere.
    Head(AuditHeadArgs),
    /// Prove that a record is in the log, or that an earlier log is its beginning.
    Prove(AuditProveArgs),
    /// Print the log as JSON Lines.
    Export(AuditExportArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Check this exported log instead of a project's.
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// A signed head given out before, that the log must continue; may be given several times.
    #[arg(long = "head")]
    pub(crate) heads: Vec<PathBuf>,
    /// The public key of the log, or a file with it; the project's own without.
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// A proof to be checked against the given heads; may be given several times.
    #[arg(long = "proof")]
    pub(crate) proofs: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditHeadArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AuditExportArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

#[derive(Debug, Args)]
#[group(id = "which", required = true, multiple = false, args = ["seq", "first"])]
pub(crate) struct AuditProveArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// The record to be proved.
    #[arg(long)]
    pub(crate) seq: Option<u64>,
    /// The length of an earlier log, to be proved the beginning.
    #[arg(long)]
    pub(crate) first: Option<u64>,
    /// The length of the log proved against; the whole log without.
    #[arg(long)]
    pub(crate) size: Option<u64>,
}

/// Accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// List the accounts.
    List(UserListArgs),
    /// Make a link to sign in with, for somebody who lost their way in.
    Link(UserLinkArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UserListArgs {
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
}

#[derive(Debug, Args)]
pub(crate) struct UserLinkArgs {
    /// Sign-in name of the account.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) project: ProjectArgs,
    /// Where the studio is reached.
    #[arg(long, default_value = "http://127.0.0.1:7171")]
    pub(crate) url: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// decision, conversion or person.
    pub(crate) what: String,
    /// Its id; without one, the first there is.
    pub(crate) id: Option<String>,
    /// Folder of the project.
    #[arg(long, default_value = ".")]
    pub(crate) project: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// Groups to check; all without any.
    pub(crate) groups: Vec<String>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

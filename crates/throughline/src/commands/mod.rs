//! One file a command.

mod accuracy;
mod attribution;
mod audit;
mod check;
mod consent;
mod erase;
mod evidence;
mod explain;
mod identity;
mod init;
mod link;
mod market;
mod market_score;
mod market_step;
mod oneshot;
mod quarantine;
mod query;
mod run;
mod serve;
mod user;
mod verify;

use std::collections::BTreeMap;
use std::future::Future;
use std::process::ExitCode;

use crate::cli::{
    AttributionCommand, AuditCommand, Command, ConsentCommand, EvidenceCommand, IdentityCommand, MarketCommand,
    QuarantineCommand, UserCommand,
};
use crate::failure::Failure;

pub(crate) use init::write_example;

/// Runs a command.
pub(crate) fn dispatch(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Init(args) => init::init(args),
        Command::Check(args) => check::check(args),
        Command::Run(args) => run::run(args),
        Command::Explain(args) => explain::explain(args),
        Command::Query(args) => query::query(args),
        Command::Consent(ConsentCommand::Report(args)) => consent::report(args),
        Command::Erase(args) => erase::person(args),
        Command::Erasures(args) => erase::list(args),
        Command::Quarantine(QuarantineCommand::List(args)) => quarantine::list(args),
        Command::Quarantine(QuarantineCommand::Show(args)) => quarantine::show(args),
        Command::Quarantine(QuarantineCommand::Correct(args)) => quarantine::correct(args),
        Command::Quarantine(QuarantineCommand::Replay(args)) => quarantine::replay(args),
        Command::Quarantine(QuarantineCommand::Undo(args)) => quarantine::undo(args),
        Command::Serve(args) => serve::serve(args),
        Command::Audit(AuditCommand::Verify(args)) => audit::verify(args),
        Command::Audit(AuditCommand::Head(args)) => audit::head(args),
        Command::Audit(AuditCommand::Prove(args)) => audit::prove(args),
        Command::Audit(AuditCommand::Export(args)) => audit::export(args),
        Command::User(UserCommand::List(args)) => user::list(args),
        Command::User(UserCommand::Link(args)) => user::link(args),
        Command::Verify(args) => verify::verify(args),
        Command::Identity(IdentityCommand::Draw(args)) => accuracy::draw(args),
        Command::Identity(IdentityCommand::Accuracy(args)) => accuracy::accuracy(args),
        Command::Identity(IdentityCommand::Review(args)) => identity::review(args),
        Command::Identity(IdentityCommand::Join(args)) => identity::decide(args, Some(true)),
        Command::Identity(IdentityCommand::Part(args)) => identity::decide(args, Some(false)),
        Command::Identity(IdentityCommand::Undo(args)) => identity::decide(args, None),
        Command::Link(args) => link::link(args),
        Command::OneShot(command) => {
            let start = std::time::Instant::now();
            let answer = command.run()?;
            oneshot::show(&command.timed(answer, start.elapsed()), command.json())
        }
        Command::Attribution(AttributionCommand::Compare(args)) => attribution::compare(args),
        Command::Attribution(AttributionCommand::Show(args)) => attribution::show(args),
        Command::Attribution(AttributionCommand::Reconcile(args)) => attribution::reconcile(args),
        Command::Evidence(EvidenceCommand::List(args)) => evidence::list(args),
        Command::Evidence(EvidenceCommand::Show(args)) => evidence::show(args),
        Command::Evidence(EvidenceCommand::Approve(args)) => evidence::approve(args),
        Command::Evidence(EvidenceCommand::Retire(args)) => evidence::retire(args),
        Command::Evidence(EvidenceCommand::Record(args)) => evidence::record(args),
        Command::Market(MarketCommand::Generate(args)) => market::generate(args),
        Command::Market(MarketCommand::Step(args)) => market_step::market_step(args),
        Command::Market(MarketCommand::Score(args)) => market_score::market_score(args),
        Command::Market(MarketCommand::Presets { name }) => market::presets(name.as_deref()),
    }
}

/// Values for `${NAME}` in locations: those given, the environment's THROUGHLINE_ variables, and the default place of
/// reference data.
pub(crate) fn variables(given: &[(String, String)]) -> BTreeMap<String, String> {
    let mut out: BTreeMap<String, String> =
        std::env::vars().filter(|(name, _)| name.starts_with("THROUGHLINE_")).collect();
    out.extend(given.iter().cloned());
    out.entry("THROUGHLINE_REFERENCE".into()).or_insert_with(|| reference_dir().display().to_string());
    out
}

/// Where reference data lies: `$THROUGHLINE_REFERENCE`, or `../shared/data` beside the working directory.
pub(crate) fn reference_dir() -> std::path::PathBuf {
    let given = std::env::var_os("THROUGHLINE_REFERENCE").map(std::path::PathBuf::from);
    let path = given.unwrap_or_else(|| std::path::PathBuf::from("../shared/data"));
    path.canonicalize().unwrap_or(path)
}

/// Runs a future on all cores.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    Ok(runtime.block_on(future))
}

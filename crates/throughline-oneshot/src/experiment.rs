//! `throughline experiment`: units in a file, effects with intervals out.

mod args;

mod columns;

mod planned;

mod show;

use clap::Subcommand;
use throughline_core::Diagnostic;
use throughline_core::diagnostic::closest;
use throughline_evidence::experiment::{Plan, read};
use throughline_evidence::{Reading, Table};

pub use args::ExperimentReadArgs;

use crate::assign::AssignArgs;
use crate::design::DesignArgs;
use crate::files::read_table;
use crate::switchback::{FactorialArgs, SwitchbackArgs};
use crate::{Answer, OneShotError};

/// Experiments on plain files.
#[derive(Debug, Subcommand)]
pub enum ExperimentCommand {
    /// Read an experiment from a file with one row a unit.
    Read(Box<ExperimentReadArgs>),
    /// Plan an experiment: arms, units, stop rule and what is compared.
    Design(Box<DesignArgs>),
    /// Assign units to arms by salted hashes.
    Assign(AssignArgs),
    /// Read a switchback experiment from a file with one row per market and period.
    Switchback(SwitchbackArgs),
    /// Read a factorial experiment: main effects and interactions.
    Factorial(FactorialArgs),
}

impl ExperimentCommand {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self {
            Self::Read(args) => {
                let (reading, findings) = reading(args)?;
                Ok(Answer { json: show::json(&reading, &findings), text: show::text(&reading, &findings) })
            }
            Self::Design(args) => args.run(),
            Self::Assign(args) => args.run(),
            Self::Switchback(args) => args.run(),
            Self::Factorial(args) => args.run(),
        }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        match self {
            Self::Read(args) => args.json,
            Self::Design(args) => args.json(),
            Self::Assign(args) => args.json(),
            Self::Switchback(args) => args.json(),
            Self::Factorial(args) => args.json(),
        }
    }
}

/// The reading, and what reading the file found.
pub fn reading(args: &ExperimentReadArgs) -> Result<(Reading, Vec<Diagnostic>), OneShotError> {
    let mut plan = args.plan()?;
    let planned = args.plan.as_deref().map(planned::load).transpose()?;
    if let Some(planned) = &planned {
        planned::apply(planned, args, &mut plan)?;
    }
    let (table, mut found) = read_table(&args.file, &args.delimiter, &columns::wanted(&plan))?;
    let (until, within) = (args.until.as_deref(), args.within.as_deref());
    let table = columns::typed(table, &mut plan, until, within, &mut found)?;
    arms(&table, &plan, args)?;
    let reading = read(&table, &plan)?;
    found.extend(planned.iter().flat_map(|p| p.held_against(&reading)));
    Ok((reading, found))
}

/// Refuses a control or a weight that no unit of the file has, with the arms there are.
fn arms(table: &Table, plan: &Plan, args: &ExperimentReadArgs) -> Result<(), OneShotError> {
    let (_, names) = table.codes(&plan.assignment)?;
    let place = |finding: Diagnostic| OneShotError::finding(finding.at(args.file.display().to_string(), None, None));
    if !names.contains(&plan.control) {
        let message = format!("no unit has the control `{}` (arms found: {})", plan.control, names.join(", "));
        let mut finding = Diagnostic::error("TL048", message);
        if let Some(close) = closest(&plan.control, names.iter().map(String::as_str)) {
            finding = finding.help(format!("did you mean `{close}`?"));
        }
        return Err(place(finding));
    }
    if let Some((arm, _)) = plan.weights.iter().find(|(arm, _)| !names.contains(arm)) {
        let message = format!("`{arm}` is not an arm of the file (arms found: {})", names.join(", "));
        return Err(place(Diagnostic::error("TL049", message).help("give ARM=WEIGHT")));
    }
    Ok(())
}

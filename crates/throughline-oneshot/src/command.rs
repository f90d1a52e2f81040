//! Every one-shot command, for the shell and for studies of a project.

use std::path::Path;
use std::time::Duration;

use clap::{Parser, Subcommand};
use throughline_core::Diagnostic;

use crate::attribute::AttributeArgs;
use crate::coverage::CoverageArgs;
use crate::credit_truth::CreditTruthArgs;
use crate::effect::EffectArgs;
use crate::experiment::ExperimentCommand;
use crate::geo::GeoCommand;
use crate::iv::IvArgs;
use crate::journeys::JourneysArgs;
use crate::panel::PanelArgs;
use crate::power::PowerArgs;
use crate::rd::RdArgs;
use crate::touchpoint::TouchpointArgs;
use crate::uplift::UpliftCommand;
use crate::{Answer, OneShotError};

/// A one-shot command.
#[derive(Debug, Subcommand)]
pub enum OneShotCommand {
    /// Attribute a file of paths or of persons' journeys.
    Attribute(Box<AttributeArgs>),
    /// Experiments on plain files.
    #[command(subcommand)]
    Experiment(ExperimentCommand),
    /// Units over periods: what a treatment did that was not drawn at random.
    Panel(Box<PanelArgs>),
    /// Geo experiments: which markets to test in.
    #[command(subcommand)]
    Geo(GeoCommand),
    /// Instrumental variables: a cause moved by something that moves nothing else.
    Iv(Box<IvArgs>),
    /// Regression discontinuity: either side of a threshold of a score.
    Rd(Box<RdArgs>),
    /// The effect of a treatment, adjusted for what was observed.
    Effect(Box<EffectArgs>),
    /// Sample sizes, power and effects that can be found.
    Power(Box<PowerArgs>),
    /// How often the sets of every estimator hold the truth, on simulated data.
    Coverage(CoverageArgs),
    /// Events of files become journeys, every touch kept or dropped by a rule.
    Journeys(Box<JourneysArgs>),
    /// What attribution says against what is true, in many random markets.
    CreditTruth(Box<CreditTruthArgs>),
    /// What if a channel's touches disappeared: their effect among those touched, adjusted for what was known before.
    Touchpoint(Box<TouchpointArgs>),
    /// Models of who is changed by an action.
    #[command(subcommand)]
    Uplift(UpliftCommand),
}

impl OneShotCommand {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self {
            Self::Attribute(args) => args.run(),
            Self::Experiment(command) => command.run(),
            Self::Panel(args) => args.run(),
            Self::Geo(command) => command.run(),
            Self::Iv(args) => args.run(),
            Self::Rd(args) => args.run(),
            Self::Effect(args) => args.run(),
            Self::Power(args) => args.run(),
            Self::Coverage(args) => args.run(),
            Self::Journeys(args) => args.run(),
            Self::CreditTruth(args) => args.run(),
            Self::Touchpoint(args) => args.run(),
            Self::Uplift(command) => command.run(),
        }
    }

    /// The answer with how long it took, for commands whose speed matters. Commands read no clock; who runs them does.
    #[must_use]
    pub fn timed(&self, answer: Answer, took: Duration) -> Answer {
        if matches!(self, Self::Journeys(_)) { answer.timed(took.as_secs_f64()) } else { answer }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        match self {
            Self::Attribute(args) => args.json,
            Self::Experiment(command) => command.json(),
            Self::Panel(args) => args.json,
            Self::Geo(command) => command.json(),
            Self::Iv(args) => args.json,
            Self::Rd(args) => args.json,
            Self::Effect(args) => args.json,
            Self::Power(args) => args.json,
            Self::Coverage(args) => args.json,
            Self::Journeys(args) => args.json,
            Self::CreditTruth(args) => args.json,
            Self::Touchpoint(args) => args.json,
            Self::Uplift(command) => command.json(),
        }
    }
}

#[derive(Debug, Parser)]
#[command(name = "throughline", no_binary_name = true)]
struct Line {
    #[command(subcommand)]
    command: OneShotCommand,
}

/// Parses a command as it would be typed: its words, the file, and its options by name. An option whose value is `true`
/// is a flag; one with several values is given several times. Errors: what the command line would say.
pub fn parse(words: &str, file: &Path, options: &[(String, Vec<String>)]) -> Result<OneShotCommand, OneShotError> {
    let mut line: Vec<String> = words.split_whitespace().map(str::to_owned).collect();
    line.push(file.display().to_string());
    for (name, values) in options {
        for value in values {
            let flag = format!("--{}", name.replace('_', "-"));
            line.push(if value == "true" { flag } else { format!("{flag}={value}") });
        }
    }
    Line::try_parse_from(line).map(|line| line.command).map_err(|error| {
        let text = error.to_string();
        let first = text.lines().find(|l| !l.is_empty()).unwrap_or_default().trim_start_matches("error: ").to_owned();
        let command = words.to_owned();
        OneShotError::finding(
            Diagnostic::error("TL066", first).help(format!("`throughline {command} --help` lists the options")),
        )
    })
}

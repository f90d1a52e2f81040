//! `throughline uplift`: models of who is changed by an action, on plain files.

mod evaluate;

mod fit;

mod read;

use clap::Subcommand;

pub use evaluate::EvaluateArgs;
pub use fit::{FitArgs, LearnerName};

use crate::{Answer, OneShotError};

/// Uplift on plain files.
#[derive(Debug, Subcommand)]
pub enum UpliftCommand {
    /// Fit a model of effects and hold it against rows that it has not seen.
    Fit(Box<FitArgs>),
    /// Hold any score against outcomes of people who were treated at random.
    Evaluate(Box<EvaluateArgs>),
}

impl UpliftCommand {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        match self {
            Self::Fit(args) => args.run(),
            Self::Evaluate(args) => args.run(),
        }
    }

    /// Whether JSON is asked for.
    pub const fn json(&self) -> bool {
        match self {
            Self::Fit(args) => args.json,
            Self::Evaluate(args) => args.json,
        }
    }
}

//! `throughline credit-truth`: what attribution says against what is true, in many random markets.
//!
//! Each seed is a market of its own (`draw`). Journeys are attributed by every model. Experiments hold some channels out in the first
//! period, and calibrate one or more models' credits. Scored are only channels and periods that no experiment measured. Because
//! the channels of one market depend on each other, the exact test is over one target per market, chosen by the seed before
//! anything is seen.

mod draw;

mod journeys;

mod score;

mod trial;

use std::num::NonZeroUsize;
use std::thread::{available_parallelism, scope};

use clap::Args;
use serde_json::json;
use throughline_attribution::causal::Settings;
use throughline_attribution::{MODELS, Model, read_spec};
use throughline_core::Diagnostic;
use throughline_evidence::EvidenceError;

use crate::{Answer, OneShotError};
use score::{Column, columns};
use trial::{Study, Trial, trial};

/// What to score and on how many markets.
#[derive(Debug, Args)]
pub struct CreditTruthArgs {
    /// Models to score; every model of the registry without.
    #[arg(long = "model")]
    pub models: Vec<String>,
    /// Models whose credits are calibrated. Each is scored, too.
    #[arg(long = "calibrate", default_value = "linear")]
    pub bases: Vec<String>,
    /// Markets: seeds 0, 1, …
    #[arg(long, default_value_t = 100)]
    pub seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub from: u64,
    /// People of each market.
    #[arg(long, default_value_t = 4000)]
    pub people: u32,
    /// Channels tested, of the eight that could be.
    #[arg(long, default_value_t = 4)]
    pub experiments: usize,
    /// Bootstrap draws.
    #[arg(long, default_value_t = 100)]
    pub draws: usize,
    /// Score the doubly robust effect of touchpoints, too: on every channel that could be tested. Takes far longer.
    #[arg(long)]
    pub touchpoints: bool,
    /// Threads; all cores without. Results do not depend on them.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Print a Markdown table.
    #[arg(long)]
    pub markdown: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// The settings that were used and what came of it.
struct Scored {
    trials: Vec<Trial>,
    failures: Vec<(u64, String)>,
    columns: Vec<Column>,
}

impl CreditTruthArgs {
    /// Carries the command out.
    pub fn run(&self) -> Result<Answer, OneShotError> {
        self.check()?;
        let models = self.models()?;
        let bases: Vec<usize> = self.base_positions(&models)?;
        let study = Study {
            people: self.people,
            experiments: self.experiments,
            draws: self.draws,
            models: &models,
            bases: &bases,
            settings: Settings::default(),
            touchpoints: self.touchpoints,
        };
        let (trials, failures) = run_all(&study, self.from, self.seeds, self.threads);
        let mut names: Vec<String> = models.iter().map(|m| m.spec()).collect();
        names.extend(bases.iter().map(|b| format!("calibrated {}", models[*b].spec())));
        let mut columns = columns(&names, &trials);
        if self.touchpoints {
            columns.extend(score::touchpoints(&trials));
        }
        let scored = Scored { trials, failures, columns };
        let text = self.text(&scored);
        let json = json!({
            "markets": self.seeds, "first_seed": self.from, "people": self.people, "experiments": self.experiments,
            "draws": self.draws, "settings": Settings::default(), "failures": scored.failures,
            "columns": scored.columns, "strength": score::strength(&scored.trials),
            "incremental_share": score::incremental_share(&scored.trials),
        });
        Ok(Answer { json, text })
    }

    fn check(&self) -> Result<(), OneShotError> {
        let within = |what, value: u64, low: u64, high: u64, bounds| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(OneShotError::from(EvidenceError::Setting { what, value: value as f64, bounds }))
        };
        within("--seeds", self.seeds, 1, 1_000_000, "1 to 1,000,000")?;
        within("--people", u64::from(self.people), 100, 200_000, "100 to 200,000")?;
        within("--experiments", self.experiments as u64, 1, draw::TESTABLE as u64 - 1, "1 to 7")?;
        within("--draws", self.draws as u64, 20, 10_000, "20 to 10,000")
    }

    fn models(&self) -> Result<Vec<Box<dyn Model>>, OneShotError> {
        let all = || MODELS.iter().map(|e| e.name.to_owned()).collect();
        let mut specs: Vec<String> = if self.models.is_empty() { all() } else { self.models.clone() };
        for base in &self.bases {
            if !specs.contains(base) {
                specs.push(base.clone());
            }
        }
        let read = |spec: &String| {
            read_spec(spec).map_err(|e| OneShotError::finding(Diagnostic::error("TL065", e.to_string())))
        };
        let mut models: Vec<Box<dyn Model>> = Vec::with_capacity(specs.len());
        for spec in &specs {
            let model = read(spec)?;
            // `position` is `u`, as `markov` is `markov:1`: one column says it.
            if models.iter().all(|known| known.spec() != model.spec()) {
                models.push(model);
            }
        }
        Ok(models)
    }

    fn base_positions(&self, models: &[Box<dyn Model>]) -> Result<Vec<usize>, OneShotError> {
        let find = |base: &String| {
            let spec = read_spec(base).map(|m| m.spec());
            let found = spec.ok().and_then(|spec| models.iter().position(|m| m.spec() == spec));
            found.ok_or_else(|| OneShotError::finding(Diagnostic::error("TL065", format!("no model `{base}`"))))
        };
        self.bases.iter().map(find).collect()
    }

    fn text(&self, scored: &Scored) -> String {
        let table = if self.markdown { score::markdown(&scored.columns) } else { score::shown(&scored.columns) };
        let mut text = format!(
            "{} markets of {} people (seeds {} to {}), {} of {} channels tested in the first of two periods; {} draws\n\
             experiments: mean |estimate| / standard error {:.2}; channels caused {:.0} % of purchases\n\n{table}",
            scored.trials.len(),
            self.people,
            self.from,
            self.from + self.seeds - 1,
            self.experiments,
            draw::TESTABLE,
            self.draws,
            score::strength(&scored.trials),
            100.0 * score::incremental_share(&scored.trials),
        );
        for (seed, reason) in scored.failures.iter().take(5) {
            text.push_str(&format!("\nmarket {seed} failed: {reason}"));
        }
        text
    }
}

/// Seeds `from`, … on threads; in the order of the seeds.
fn run_all(
    study: &Study<'_>,
    from: u64,
    seeds: u64,
    threads: Option<NonZeroUsize>,
) -> (Vec<Trial>, Vec<(u64, String)>) {
    let threads = threads.or_else(|| available_parallelism().ok()).map_or(1, NonZeroUsize::get) as u64;
    let threads = threads.min(seeds).max(1);
    let run = |first: u64| -> Vec<(u64, Result<Trial, String>)> {
        let mine = (from + first..from + seeds).step_by(usize::try_from(threads).unwrap_or(1));
        mine.map(|seed| (seed, trial(seed, study))).collect()
    };
    let run = &run;
    let mut all: Vec<(u64, Result<Trial, String>)> = scope(|s| {
        let handles: Vec<_> = (0..threads).map(|t| s.spawn(move || run(t))).collect();
        handles.into_iter().flat_map(|h| h.join().unwrap_or_default()).collect()
    });
    all.sort_by_key(|(seed, _)| *seed);
    let (mut trials, mut failures) = (Vec::new(), Vec::new());
    for (seed, outcome) in all {
        match outcome {
            Ok(trial) => trials.push(trial),
            Err(reason) => failures.push((seed, reason)),
        }
    }
    (trials, failures)
}

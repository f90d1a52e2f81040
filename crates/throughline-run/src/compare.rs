//! Two configurations of attribution side by side: which touches each keeps, and what that does to credit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use throughline_attribution::{CreditsWithIntervals, Model, Quantity, bootstrap_clusters, read_spec};
use throughline_core::{Diagnostic, Estimate};
use throughline_journeys::{JourneyInput, JourneyReport, journeys};
use throughline_lake::{Lake, Unit, tables};

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::{AttributionConfig, Project};
use crate::stage::{StageContext, StageError};
use crate::stages::read_from;

/// What two configurations make of the same timeline.
#[derive(Debug, Clone, Serialize)]
pub struct Compared {
    /// The first file.
    pub left: Side,
    /// The second file.
    pub right: Side,
    /// Credit under both, by conversion, model and channel.
    pub credits: Vec<ComparedCredit>,
}

/// One configuration.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Its file.
    pub file: String,
    /// Its journeys: touches by rule, conversions by fate, configuration ids.
    pub journeys: JourneyReport,
}

/// The credit of one channel under both configurations.
#[derive(Debug, Clone, Serialize)]
pub struct ComparedCredit {
    /// The conversion.
    pub conversion: String,
    /// The model, which both configurations name.
    pub model: String,
    /// The channel.
    pub channel: String,
    /// Conversions credited under the first; 0 where the channel is in no path.
    pub left: f64,
    /// Under the second.
    pub right: f64,
    /// The second less the first, from the same draws of persons.
    pub difference: Estimate,
}

/// Builds the journeys of two configurations from the published timeline, beside the project, and compares their credit.
/// Nothing is published. Errors: a file that is no configuration, a lake that cannot be read.
pub async fn compare_attribution(project: &Project, stores: &Stores, files: [&Path; 2]) -> Result<Compared, RunError> {
    let context = StageContext::looking(project, stores).await?;
    let configs = [project.attribution_file(files[0])?, project.attribution_file(files[1])?];
    compared(&context, files, &configs).await.map_err(|source| match source.downcast::<RunError>() {
        Ok(error) => *error,
        Err(source) => RunError::Stage { stage: "compare".into(), unit: "*".into(), source },
    })
}

type Credits = BTreeMap<String, Vec<CreditsWithIntervals>>;

async fn compared(
    context: &StageContext<'_>,
    files: [&Path; 2],
    configs: &[AttributionConfig; 2],
) -> Result<Compared, StageError> {
    let shared: BTreeSet<String> = specs(&configs[0])?.intersection(&specs(&configs[1])?).cloned().collect();
    if shared.is_empty() {
        let finding = Diagnostic::error("TL006", "the two configurations have no model in common")
            .help("name the same model in both files");
        return Err(RunError::Project(vec![finding]).into());
    }
    let (left, left_credits) = side(context, files[0], &configs[0], &shared).await?;
    // The same draws and level, or differences mean nothing.
    let other = AttributionConfig { bootstrap: configs[0].bootstrap, ..configs[1].clone() };
    let (right, right_credits) = side(context, files[1], &other, &shared).await?;
    let mut credits = Vec::new();
    let names: BTreeSet<&String> = left_credits.keys().chain(right_credits.keys()).collect();
    for conversion in names {
        let none = Vec::new();
        let (a, b) = (left_credits.get(conversion).unwrap_or(&none), right_credits.get(conversion).unwrap_or(&none));
        for model in &shared {
            let find = |all: &'_ [CreditsWithIntervals]| all.iter().position(|c| c.credits.model() == model);
            let pair = (find(a).map(|i| &a[i]), find(b).map(|i| &b[i]));
            credits.extend(differences(conversion, model, pair, configs[0].bootstrap.draws)?);
        }
    }
    Ok(Compared { left, right, credits })
}

fn specs(config: &AttributionConfig) -> Result<BTreeSet<String>, StageError> {
    Ok(config.models.iter().map(|m| read_spec(&m.value).map(|m| m.spec())).collect::<Result<_, _>>()?)
}

async fn side(
    context: &StageContext<'_>,
    file: &Path,
    config: &AttributionConfig,
    models: &BTreeSet<String>,
) -> Result<(Side, Credits), StageError> {
    let folder = tempfile::tempdir()?;
    let lake = Lake::open_local(folder.path())?;
    let rules = config.journey_rules(&context.project.config.value);
    let input = JourneyInput { rules, timeline: context.read(&tables::timeline()).await? };
    let unit = Unit { stage: "compare".into(), name: "all".into(), fingerprint: String::new(), run_seq: 0 };
    let outcome = journeys(&lake, &context.session()?, &context.run, input, &unit).await?;
    let snapshot = |spec| lake.staged_snapshot(&spec, &outcome.staged);
    let currency = context.project.config.value.currency;
    let read = read_from(&snapshot(tables::journeys())?, &snapshot(tables::touches())?, currency.as_str()).await?;
    let models: Vec<Box<dyn Model>> = models.iter().map(|m| read_spec(m)).collect::<Result<_, _>>()?;
    let mut credits = Credits::new();
    for (conversion, paths) in read.conversions {
        let bootstrap = config.bootstrap;
        let found = bootstrap_clusters(&paths.journeys, &models, bootstrap.draws, context.run.seed, bootstrap.level)?;
        credits.insert(conversion, found);
    }
    Ok((Side { file: file.display().to_string(), journeys: outcome.report }, credits))
}

fn differences(
    conversion: &str,
    model: &str,
    (left, right): (Option<&CreditsWithIntervals>, Option<&CreditsWithIntervals>),
    draws: usize,
) -> Result<Vec<ComparedCredit>, StageError> {
    let channels = |side: Option<&CreditsWithIntervals>| -> BTreeSet<String> {
        side.iter().flat_map(|s| s.credits.channels().iter().map(|c| c.channel.clone())).collect()
    };
    let of = |side: Option<&CreditsWithIntervals>, channel: &str| -> Result<(f64, Vec<f64>), StageError> {
        let place = side.and_then(|s| Some((s, s.credits.channels().iter().position(|c| c.channel == channel)?)));
        match place {
            Some((s, i)) => Ok((s.credits.channels()[i].conversions, s.draws_of(i, Quantity::Conversions)?)),
            None => Ok((0.0, vec![0.0; draws])),
        }
    };
    let Some(either) = left.or(right) else { return Ok(Vec::new()) };
    let mut out = Vec::new();
    for channel in channels(left).union(&channels(right)) {
        let ((a, a_draws), (b, b_draws)) = (of(left, channel)?, of(right, channel)?);
        let draws: Vec<f64> = a_draws.iter().zip(&b_draws).map(|(a, b)| b - a).collect();
        let n = either.intervals.first().map_or(0, |i| i.conversions.n);
        out.push(ComparedCredit {
            conversion: conversion.to_owned(),
            model: model.to_owned(),
            channel: channel.clone(),
            left: a,
            right: b,
            difference: Estimate::from_draws(b - a, &draws, n, either.level, either.method.as_str())?,
        });
    }
    Ok(out)
}

//! Journeys become credits with intervals from draws of persons, broken down by what touches and journeys are, and scaled to
//! what the evidence ledger supports.

mod cells;
mod identity;
mod incremental;
mod marginal;
mod part;
mod read;
mod report;
mod spend;

use async_trait::async_trait;
use serde_json::{Value, json};
use throughline_attribution::{CreditsWithIntervals, Draws, Model, bootstrap_clusters, read_spec};
use throughline_core::{Diagnostic, Level};
use throughline_lake::{Unit, tables};

pub(crate) use part::part_of_credit;
pub use part::{JourneyFilter, JourneyFilters, PartOfChannel, PartOfCredit, PartOfModel};
pub(crate) use read::{path_tables, read_from};

use self::marginal::marginals;
use self::read::Paths;
use crate::project::AttributionConfig;
use crate::stage::{Stage, StageContext, StageError, StageOutput, UnitPlan};

/// Level of the inner intervals.
const INNER: Level = Level::HALF;

#[derive(Debug)]
pub(super) struct Attribute;

#[async_trait]
impl Stage for Attribute {
    fn name(&self) -> &'static str {
        "attribute"
    }

    fn version(&self) -> u32 {
        4
    }

    fn reads(&self) -> &'static [&'static str] {
        &["journeys", "touches", "spend", "events", "persons", "links", "matches"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["credits", "credit_cells"]
    }

    fn depends_on_as_of(&self) -> bool {
        false
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        match &context.project.attribution {
            Some(a) if !context.project.config.value.conversions.is_empty() => {
                let mut inputs = vec![a.hash.clone(), context.project.config.value.currency.to_string()];
                inputs.extend(incremental::inputs(context, &a.value).await?);
                Ok(UnitPlan::all(inputs))
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let Some(config) = context.project.attribution.as_ref().map(|a| &a.value) else {
            return Ok(StageOutput { staged: Vec::new(), metrics: Value::Null });
        };
        context.run.progress.start("attribute", None);
        let read = read::read(context).await?;
        let spend = spend::read(context, &JourneyFilter::default()).await?;
        let draws = Draws { draws: config.bootstrap.draws, seed: context.run.seed, level: config.bootstrap.level };
        let mut credits = context.lake.writer(&tables::credits(), unit)?;
        let mut cells = context.lake.writer(&tables::credit_cells(), unit)?;
        let mut reports = Vec::new();
        let models = models(config)?;
        let graphs = identity::graphs(context, config, &models).await?;
        for (conversion, paths) in &read.conversions {
            let found = credit(config, &models, paths, context.run.seed)?;
            let about = report::About { context, conversion, spend: &spend, graphs: &graphs };
            for (model, credited) in models.iter().zip(&found) {
                let marginals = if model.breaks_down() {
                    Some(marginals(paths, model.as_ref(), &spend, &read.items, None, draws)?)
                } else {
                    None
                };
                credits.write(None, &about.credit_rows(credited, marginals.as_ref())?).await?;
            }
            let calibration = incremental::calibrate(context, config, conversion, &read, paths).await?;
            if let Some(calibration) = &calibration {
                credits.write(None, &about.incremental_rows(calibration)?).await?;
            }
            let mut findings = diagnostics(paths, &found);
            let breaking = cells::Breaking { context, config, conversion, read: &read, paths, spend: &spend };
            for batch in breaking.rows(&models, &mut findings)? {
                cells.write(None, &batch).await?;
            }
            reports.push(about.report(paths, &found, calibration.as_ref(), &findings));
        }
        let summary = format!("{} models × {} conversions", config.models.len(), reports.len());
        context.run.progress.finish("attribute", &summary);
        let staged = vec![credits.finish().await?, cells.finish().await?];
        Ok(StageOutput { staged, metrics: json!({ "conversions": reports }) })
    }
}

fn models(config: &AttributionConfig) -> Result<Vec<Box<dyn Model>>, StageError> {
    Ok(config.models.iter().map(|m| read_spec(&m.value)).collect::<Result<_, _>>()?)
}

fn credit(
    config: &AttributionConfig,
    models: &[Box<dyn Model>],
    paths: &Paths,
    seed: u64,
) -> Result<Vec<CreditsWithIntervals>, StageError> {
    Ok(bootstrap_clusters(&paths.journeys, models, config.bootstrap.draws, seed, config.bootstrap.level)?)
}

fn diagnostics(paths: &Paths, found: &[CreditsWithIntervals]) -> Vec<Diagnostic> {
    paths.diagnostics.iter().chain(found.iter().flat_map(|c| c.credits.diagnostics())).cloned().collect()
}

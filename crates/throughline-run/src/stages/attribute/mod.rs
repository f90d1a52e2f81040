//! Stage 4: journeys become credits, with intervals from a Poisson bootstrap over journeys.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use serde_json::{Value, json};
use throughline_attribution::{
    CreditsWithIntervals, Model, Outcome, PathTable, PathTableBuilder, Quantity, bootstrap, read_spec,
};
use throughline_core::money::units_from_micros;
use throughline_core::{Diagnostic, EvidenceTier, Level};
use throughline_lake::{Snapshot, Unit, columns, tables};

use crate::error::RunError;
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
        2
    }

    fn reads(&self) -> &'static [&'static str] {
        &["journeys", "touches", "spend"]
    }

    fn writes(&self) -> &'static [&'static str] {
        &["credits"]
    }

    fn depends_on_as_of(&self) -> bool {
        false
    }

    async fn units(&self, context: &StageContext<'_>) -> Result<Vec<UnitPlan>, StageError> {
        match &context.project.attribution {
            Some(a) if !context.project.config.value.conversions.is_empty() => {
                Ok(UnitPlan::all(vec![a.hash.clone(), context.project.config.value.currency.to_string()]))
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn run(&self, context: &StageContext<'_>, unit: &Unit) -> Result<StageOutput, StageError> {
        let Some(config) = context.project.attribution.as_ref().map(|a| &a.value) else {
            return Ok(StageOutput { staged: Vec::new(), metrics: Value::Null });
        };
        context.run.progress.start("attribute", None);
        let tables_by_conversion = path_tables(context).await?;
        let spend = spend_by_channel(context).await?;
        let spec = tables::credits();
        let mut writer = context.lake.writer(&spec, unit)?;
        let mut reports = Vec::new();
        for (conversion, paths) in &tables_by_conversion {
            let (credits, diagnostics) = credit(config, &paths.table, context.run.seed)?;
            for model in &credits {
                let rows = credit_rows(context, conversion, model, &spend)?;
                writer.write(None, &rows).await?;
            }
            let mut found = paths.diagnostics.clone();
            found.extend(diagnostics);
            reports.push(report(conversion, paths, &credits, &found, &spend));
        }
        let summary = format!("{} models × {} conversions", config.models.len(), reports.len());
        context.run.progress.finish("attribute", &summary);
        Ok(StageOutput { staged: vec![writer.finish().await?], metrics: json!({ "conversions": reports }) })
    }
}

/// The paths of one conversion.
#[derive(Debug)]
pub(crate) struct Paths {
    pub(crate) table: PathTable,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) without_touch: u64,
}

#[derive(Debug, Default)]
struct Collected {
    builder: PathTableBuilder,
    without_touch: u64,
}

/// Journeys as path tables, by conversion. Ages of touches come from the ledger of touches.
pub(crate) async fn path_tables(context: &StageContext<'_>) -> Result<BTreeMap<String, Paths>, StageError> {
    let journeys = context.read(&tables::journeys()).await?;
    let touches = context.read(&tables::touches()).await?;
    let currency = context.project.config.value.currency;
    let mut collected: BTreeMap<String, Collected> = BTreeMap::new();
    for bucket in journeys.partitions() {
        let times = touch_times(&touches, &bucket).await?;
        for batch in journeys.read_partition(&bucket, None).await? {
            add_journeys(&batch, &times, currency.as_str(), &mut collected)?;
        }
    }
    Ok(collected
        .into_iter()
        .map(|(conversion, c)| {
            let (table, diagnostics) = c.builder.build();
            (conversion, Paths { table, diagnostics, without_touch: c.without_touch })
        })
        .collect())
}

/// Occurrence of the kept touches of each journey of a bucket, in path order.
async fn touch_times(touches: &Snapshot, bucket: &str) -> Result<BTreeMap<String, Vec<i64>>, StageError> {
    let mut out: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for batch in touches.read_partition(bucket, Some(&["journey_id", "occurred_at", "kept"])).await? {
        let (journey, kept) = (columns::text(&batch, "journey_id")?, columns::boolean(&batch, "kept")?);
        let at = columns::time(&batch, "occurred_at")?;
        for row in (0..batch.num_rows()).filter(|r| kept.value(*r)) {
            out.entry(journey.value(row).to_owned()).or_default().push(at.value(row));
        }
    }
    Ok(out)
}

fn add_journeys(
    batch: &RecordBatch,
    times: &BTreeMap<String, Vec<i64>>,
    currency: &str,
    collected: &mut BTreeMap<String, Collected>,
) -> Result<(), StageError> {
    let id = columns::text(batch, "journey_id")?;
    let conversion = columns::text(batch, "conversion")?;
    let converted = columns::boolean(batch, "converted")?;
    let (ended, value) = (columns::time(batch, "ended_at")?, columns::int(batch, "value_micros")?);
    let found_currency = columns::text(batch, "currency")?;
    let path = columns::list(batch, "path")?;
    for row in 0..batch.num_rows() {
        if let Some(other) = columns::text_at(found_currency, row).filter(|c| *c != currency) {
            let message = format!(
                "a conversion of journey {} is in {other}, the project in {currency}: convert it at the source",
                id.value(row)
            );
            return Err(RunError::Project(vec![Diagnostic::error("TL020", message)]).into());
        }
        let entry = collected.entry(conversion.value(row).to_owned()).or_default();
        let channels = path.value(row);
        let Some(channels) = channels.as_any().downcast_ref::<StringArray>() else { continue };
        if channels.is_empty() {
            entry.without_touch += u64::from(converted.value(row));
            continue;
        }
        let steps: Vec<&str> = channels.iter().flatten().collect();
        let ages: Option<Vec<i64>> = times
            .get(id.value(row))
            .filter(|t| t.len() == steps.len())
            .map(|t| t.iter().map(|at| ended.value(row) - at).collect());
        let outcome = if converted.value(row) {
            let value = columns::int_at(value, row).map_or(0.0, units_from_micros);
            Outcome { conversions: 1.0, value, nulls: 0.0 }
        } else {
            Outcome { conversions: 0.0, value: 0.0, nulls: 1.0 }
        };
        entry.builder.push(&steps, ages.as_deref(), outcome);
    }
    Ok(())
}

fn credit(
    config: &AttributionConfig,
    table: &PathTable,
    seed: u64,
) -> Result<(Vec<CreditsWithIntervals>, Vec<Diagnostic>), StageError> {
    let models: Vec<Box<dyn Model>> = config.models.iter().map(|m| read_spec(&m.value)).collect::<Result<_, _>>()?;
    let credits = bootstrap(table, &models, config.bootstrap.draws, seed, config.bootstrap.level)?;
    let diagnostics = credits.iter().flat_map(|c| c.credits.diagnostics().to_vec()).collect();
    Ok((credits, diagnostics))
}

async fn spend_by_channel(context: &StageContext<'_>) -> Result<BTreeMap<String, i64>, StageError> {
    let session = context.session()?;
    session.register("spend", context.read(&tables::spend()).await?)?;
    // Money is never added across currencies: spend in another currency than the project's stays out.
    let sql = format!(
        "SELECT channel, sum(cost_micros) AS cost_micros FROM (
           SELECT channel, cost_micros, currency, row_number() OVER (
             PARTITION BY source, source_row_id
             ORDER BY revision DESC, ingested_at DESC, channel, campaign, geo, cost_micros, currency) AS occurrence
           FROM spend)
         WHERE occurrence = 1 AND channel IS NOT NULL AND currency = '{}'
         GROUP BY channel ORDER BY channel",
        context.project.config.value.currency
    );
    let mut out = BTreeMap::new();
    for batch in session.query(&sql).await? {
        let (channel, cost) = (columns::text(&batch, "channel")?, columns::int(&batch, "cost_micros")?);
        for row in 0..batch.num_rows() {
            out.insert(channel.value(row).to_owned(), cost.value(row));
        }
    }
    Ok(out)
}

fn credit_rows(
    context: &StageContext<'_>,
    conversion: &str,
    model: &CreditsWithIntervals,
    spend: &BTreeMap<String, i64>,
) -> Result<RecordBatch, StageError> {
    let channels = model.credits.channels();
    let n = channels.len();
    let repeat = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; n])) };
    let floats = |f: &dyn Fn(usize) -> Option<f64>| -> ArrayRef { Arc::new((0..n).map(f).collect::<Float64Array>()) };
    let interval = |i: usize| &model.intervals[i];
    let inner = |i: usize, what| model.at_level(i, what, INNER).ok().map(|e| e.interval());
    let tier = i32::from(EvidenceTier::Associational.number());
    let arrays: Vec<ArrayRef> = vec![
        repeat(model.credits.model()),
        repeat(conversion),
        Arc::new(StringArray::from_iter_values(channels.iter().map(|c| c.channel.as_str()))),
        floats(&|i| Some(channels[i].conversions)),
        floats(&|i| Some(interval(i).conversions.interval().0)),
        floats(&|i| Some(interval(i).conversions.interval().1)),
        floats(&|i| Some(channels[i].value)),
        floats(&|i| Some(interval(i).value.interval().0)),
        floats(&|i| Some(interval(i).value.interval().1)),
        floats(&|i| channels[i].removal_effect),
        floats(&|_| Some(model.level.get())),
        repeat(context.project.config.value.currency.as_str()),
        Arc::new(channels.iter().map(|c| spend.get(&c.channel).copied()).collect::<Int64Array>()),
        repeat(&model.method),
        Arc::new(Int32Array::from(vec![tier; n])),
        floats(&|i| inner(i, Quantity::Conversions).map(|v| v.0)),
        floats(&|i| inner(i, Quantity::Conversions).map(|v| v.1)),
        floats(&|i| inner(i, Quantity::Value).map(|v| v.0)),
        floats(&|i| inner(i, Quantity::Value).map(|v| v.1)),
    ];
    Ok(RecordBatch::try_new(tables::credits().file_schema, arrays)?)
}

fn report(
    conversion: &str,
    paths: &Paths,
    credits: &[CreditsWithIntervals],
    diagnostics: &[Diagnostic],
    spend: &BTreeMap<String, i64>,
) -> Value {
    let totals = paths.table.totals();
    let models: Vec<Value> = credits
        .iter()
        .map(|m| {
            let channels: Vec<Value> = m
                .credits
                .channels()
                .iter()
                .zip(&m.intervals)
                .map(|(c, i)| {
                    json!({
                        "channel": c.channel,
                        "conversions": c.conversions,
                        "conversions_interval": i.conversions.interval(),
                        "value": c.value,
                        "value_interval": i.value.interval(),
                        "removal_effect": c.removal_effect,
                        "spend": spend.get(&c.channel).map(|m| units_from_micros(*m)),
                    })
                })
                .collect();
            json!({
                "model": m.credits.model(),
                "interval_method": m.method,
                "level": m.level.get(),
                "draws": m.draws,
                "channels": channels,
            })
        })
        .collect();
    json!({
        "conversion": conversion,
        "totals": { "conversions": totals.conversions, "value": totals.value, "nulls": totals.nulls },
        "conversions_without_touch": paths.without_touch,
        "models": models,
        "diagnostics": diagnostics,
    })
}

//! Why platforms report other numbers than we credit.

use std::collections::{BTreeSet, HashMap};

use arrow::array::Array;
use serde::Serialize;
use throughline_attribution::read_spec;
use throughline_attribution::reconcile::{Amount, ClaimedTouch, Interaction, OurConversion, Reconciliation, reconcile};
use throughline_core::time::DAY_US;
use throughline_core::{Diagnostic, Timestamp};
use throughline_lake::{Snapshot, columns, tables};
use throughline_paths::zone::Zone;

use crate::engine::Stores;
use crate::error::RunError;
use crate::project::{PlatformConfig, Project};
use crate::stage::{StageContext, StageError};
use crate::stages::path_tables;

/// The bridge from our credit to what a platform reports.
#[derive(Debug, Clone, Serialize)]
pub struct PlatformBridge {
    /// The bridge.
    #[serde(flatten)]
    pub bridge: Reconciliation,
    /// The conversion.
    pub conversion: String,
    /// The model whose credit it starts from.
    pub model: String,
    /// First and last day that the platform reports.
    pub days: Option<(String, String)>,
    /// Rows of spend that carry what it reports.
    pub reported_rows: u64,
}

/// The bridges of every platform of the project, over the days that each reports. The credit compared is that of `model`, or of
/// the first model of the project. Errors: a model that is not known, tables that cannot be read.
pub async fn reconcile_platforms(
    project: &Project,
    stores: &Stores,
    model: Option<&str>,
) -> Result<Vec<PlatformBridge>, RunError> {
    let context = StageContext::looking(project, stores).await?;
    bridges(&context, model).await.map_err(|source| match source.downcast::<RunError>() {
        Ok(error) => *error,
        Err(source) => RunError::Stage { stage: "reconcile".into(), unit: "*".into(), source },
    })
}

async fn bridges(context: &StageContext<'_>, model: Option<&str>) -> Result<Vec<PlatformBridge>, StageError> {
    let Some(config) = context.project.attribution.as_ref() else { return Ok(Vec::new()) };
    let Some(spec) = model.or_else(|| config.value.models.first().map(|m| m.value.as_str())) else {
        return Ok(Vec::new());
    };
    let mut out = Vec::new();
    for platform in &config.value.platforms {
        let (compiled, zone) = platform.compile(&config.file).map_err(|d| RunError::Project(vec![d]))?;
        let reported = reported(context, platform).await?;
        let conversions = ours(context, platform, &zone, spec).await?;
        let days = reported.days.unwrap_or((0, -1));
        let borrowed: Vec<OurConversion<'_>> = conversions.iter().map(Ours::borrow).collect();
        let bridge = reconcile(&compiled, &borrowed, days, reported.amount);
        let date = |day: i64| Timestamp::from_micros(day.saturating_mul(DAY_US)).date();
        out.push(PlatformBridge {
            bridge,
            conversion: platform.conversion.clone(),
            model: read_spec(spec)?.spec(),
            days: reported.days.map(|(from, until)| (date(from), date(until))),
            reported_rows: reported.rows,
        });
    }
    Ok(out)
}

#[derive(Default)]
struct Reported {
    amount: Amount,
    days: Option<(i64, i64)>,
    rows: u64,
}

/// What a platform reports, from the newest revision of each of its rows of spend.
async fn reported(context: &StageContext<'_>, platform: &PlatformConfig) -> Result<Reported, StageError> {
    let session = context.session()?;
    session.register("spend", context.read(&tables::spend()).await?)?;
    let quoted =
        |names: &[String]| names.iter().map(|n| format!("'{}'", n.replace('\'', "''"))).collect::<Vec<_>>().join(", ");
    if platform.sources.is_empty() || platform.channels.is_empty() {
        return Ok(Reported::default());
    }
    let sql = format!(
        "SELECT date, count(*) AS n, sum(reported_conversions_micros) AS conversions, sum(reported_value_micros) AS value FROM (
           SELECT date, channel, reported_conversions_micros, reported_value_micros, row_number() OVER (
             PARTITION BY source, source_row_id
             ORDER BY revision DESC, ingested_at DESC, channel, campaign, geo, cost_micros, currency) AS occurrence
           FROM spend WHERE source IN ({}) AND channel IN ({}) AND reported_conversions_micros IS NOT NULL)
         WHERE occurrence = 1 GROUP BY date ORDER BY date",
        quoted(&platform.sources),
        quoted(&platform.channels),
    );
    let mut out = Reported::default();
    for batch in session.query(&sql).await? {
        let date = columns::text(&batch, "date")?;
        let (n, conversions, value) =
            (columns::int(&batch, "n")?, columns::int(&batch, "conversions")?, columns::int(&batch, "value")?);
        for row in 0..batch.num_rows() {
            let Ok(at) = date.value(row).parse::<Timestamp>() else { continue };
            let day = at.micros().div_euclid(DAY_US);
            out.days = Some(out.days.map_or((day, day), |(from, until)| (from.min(day), until.max(day))));
            out.rows += u64::try_from(n.value(row)).unwrap_or(0);
            let sum = |a: i64, b: Option<i64>| a.saturating_add(b.unwrap_or(0));
            out.amount.conversions_micros = sum(out.amount.conversions_micros, columns::int_at(conversions, row));
            out.amount.value_micros = sum(out.amount.value_micros, columns::int_at(value, row));
        }
    }
    Ok(out)
}

/// A touch with names of its own.
struct Touched {
    id: String,
    channel: String,
    interaction: Interaction,
    at: i64,
    platform_day: i64,
    kept: bool,
    without_consent: bool,
}

impl Touched {
    fn borrow(&self) -> ClaimedTouch<'_> {
        ClaimedTouch {
            id: &self.id,
            channel: &self.channel,
            interaction: self.interaction,
            at: self.at,
            platform_day: self.platform_day,
            kept: self.kept,
            without_consent: self.without_consent,
        }
    }
}

struct Ours {
    at: i64,
    platform_day: i64,
    value_micros: i64,
    credited: Amount,
    touches: Vec<Touched>,
}

impl Ours {
    fn borrow(&self) -> OurConversion<'_> {
        let touches = self.touches.iter().map(Touched::borrow).collect();
        OurConversion {
            at: self.at,
            day: self.at.div_euclid(DAY_US),
            platform_day: self.platform_day,
            value_micros: self.value_micros,
            credited: self.credited,
            touches,
        }
    }
}

/// Our conversions with every touch considered, and what of each is credited to the platform's channels.
async fn ours(
    context: &StageContext<'_>,
    platform: &PlatformConfig,
    zone: &Zone,
    spec: &str,
) -> Result<Vec<Ours>, StageError> {
    let tables_by_conversion = path_tables(context).await?;
    let Some(table) = tables_by_conversion.get(&platform.conversion) else { return Ok(Vec::new()) };
    let model = read_spec(spec)?;
    if !model.breaks_down() {
        let message = format!(
            "credit of `{}` is not split by path, so it cannot be compared conversion by conversion",
            model.spec()
        );
        let finding = Diagnostic::error("TL008", message).help("choose a rule, or write `path:MODEL`");
        return Err(RunError::Project(vec![finding]).into());
    }
    let weights = model.path_weights(table)?;
    let sold: BTreeSet<&str> = platform.channels.iter().map(String::as_str).collect();
    let shares: Vec<f64> = (0..table.len())
        .map(|path| {
            let names = table.channels();
            let by_channel = weights.by_channel(table, path);
            by_channel.iter().filter(|(c, _)| sold.contains(names[*c as usize].as_str())).map(|(_, w)| w).sum()
        })
        .collect();
    let (journeys, touches) = (context.read(&tables::journeys()).await?, context.read(&tables::touches()).await?);
    let mut out = Vec::new();
    let mut path = 0;
    for bucket in journeys.partitions() {
        let mut considered = considered(&touches, &bucket, zone).await?;
        for batch in journeys.read_partition(&bucket, None).await? {
            let (id, conversion) = (columns::text(&batch, "journey_id")?, columns::text(&batch, "conversion")?);
            let (converted, ended) = (columns::boolean(&batch, "converted")?, columns::time(&batch, "ended_at")?);
            let (value, steps) = (columns::int(&batch, "value_micros")?, columns::list(&batch, "path")?);
            for row in 0..batch.num_rows() {
                if conversion.value(row) != platform.conversion {
                    continue;
                }
                let has_path = !steps.value(row).is_empty();
                let share = if has_path { shares.get(path).copied().unwrap_or(0.0) } else { 0.0 };
                // Paths of the table are in the order of the journeys that have one.
                path += usize::from(has_path);
                if !converted.value(row) {
                    continue;
                }
                let at = ended.value(row);
                let value_micros = columns::int_at(value, row).unwrap_or(0);
                #[expect(clippy::cast_possible_truncation, reason = "a share of whole millionths")]
                let part = |whole: i64| (share * whole as f64).round() as i64;
                out.push(Ours {
                    at,
                    platform_day: zone.day(at),
                    value_micros,
                    credited: Amount { conversions_micros: part(1_000_000), value_micros: part(value_micros) },
                    touches: considered.remove(id.value(row)).unwrap_or_default(),
                });
            }
        }
    }
    Ok(out)
}

/// Every touch considered for each journey of a bucket, in time order.
async fn considered(
    touches: &Snapshot,
    bucket: &str,
    zone: &Zone,
) -> Result<HashMap<String, Vec<Touched>>, StageError> {
    let mut out: HashMap<String, Vec<Touched>> = HashMap::new();
    for batch in touches.read_partition(bucket, None).await? {
        let text = |name| columns::text(&batch, name);
        let (journey, source, id) = (text("journey_id")?, text("source")?, text("source_event_id")?);
        let (kind, channel, rule) = (text("kind")?, text("channel")?, text("rule")?);
        let (at, kept) = (columns::time(&batch, "occurred_at")?, columns::boolean(&batch, "kept")?);
        for row in 0..batch.num_rows() {
            let view = kind.value(row) == "impression";
            out.entry(journey.value(row).to_owned()).or_default().push(Touched {
                id: format!("{}/{}", source.value(row), id.value(row)),
                channel: channel.value(row).to_owned(),
                interaction: if view { Interaction::View } else { Interaction::Click },
                at: at.value(row),
                platform_day: zone.day(at.value(row)),
                kept: kept.value(row),
                without_consent: rule.value(row) == "no_consent",
            });
        }
    }
    Ok(out)
}

//! Credit by channel and model, with intervals, beside what experiments proved.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;
use throughline_lake::tables;
use throughline_run::PartOfCredit;
use utoipa::ToSchema;

use super::Query;
use super::part::{self, Filters, Part, Wanted};
use super::shapes::evidence::{EvidenceItem, Finding};
use crate::app::Shared;
use crate::problem::{ApiError, Problem};

/// Credit by channel and model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attribution {
    /// Currency of values.
    currency: String,
    /// The conversion credited.
    conversion: String,
    /// All conversions of the project.
    conversions: Vec<String>,
    /// Level of the outer intervals.
    level: f64,
    /// Level of the inner intervals.
    inner_level: f64,
    /// How intervals were made.
    interval_method: String,
    /// What the credits of each model sum to.
    totals: Totals,
    /// The models.
    models: Vec<ModelName>,
    /// The channels by name.
    channels: Vec<ChannelCredit>,
    /// Credits scaled to what experiments found; absent where the project does not ask for them.
    incremental: Option<Incremental>,
    /// What can be asked for.
    filters: Filters,
    /// The part that was asked for; absent where all journeys were.
    part: Option<Part>,
    /// What experiments proved.
    #[schema(value_type = Vec<EvidenceItem>)]
    evidence: Vec<Value>,
    /// When the credits were published.
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
    /// The run that published them.
    run_seq: Option<u64>,
}

/// What is credited.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Totals {
    /// Conversions with at least one touch.
    conversions: f64,
    /// Their value.
    value: f64,
    /// Paths without a conversion.
    paths_without_conversion: f64,
    /// Conversions that no touch preceded: no model credits them.
    conversions_without_touch: f64,
}

/// A model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ModelName {
    /// Its specification.
    id: String,
    /// Its name for people.
    title: String,
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChannelCredit {
    /// Its name.
    pub(super) channel: String,
    /// What was spent on it; known exactly, so without interval.
    pub(super) spend: Option<f64>,
    /// Credit by model.
    pub(super) credits: BTreeMap<String, Credit>,
    /// How far the models disagree.
    pub(super) disagreement: Disagreement,
}

/// Credits scaled to what experiments found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Incremental {
    /// The id under which channels have it among their credits.
    id: String,
    /// The model whose credits are scaled.
    model: String,
    /// Conversions that no channel caused: the rest, which may be below 0. Absent without evidence.
    baseline: Option<Credit>,
    /// Records of the evidence ledger that speak.
    used: Vec<String>,
    /// Channels with credit of which nothing is known: what they caused is in the baseline.
    without_number: Vec<String>,
    /// Conversions caused for each one credited, of a channel without evidence of its own; absent without evidence.
    #[schema(value_type = Option<(f64, f64)>)]
    ratio_interval: Option<[f64; 2]>,
    /// What was refused, is in conflict or absent.
    #[schema(value_type = Vec<Finding>)]
    diagnostics: Vec<Value>,
}

/// A ratio with its interval, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RatioView {
    pub(super) value: Option<f64>,
    /// A null end is infinite.
    #[schema(value_type = Option<(Option<f64>, Option<f64>)>)]
    pub(super) interval: Option<[Option<f64>; 2]>,
    pub(super) absent: Option<String>,
}

/// Credit of one channel under one model.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Credit {
    pub(super) conversions: f64,
    #[schema(value_type = (f64, f64))]
    pub(super) conversions_interval: [f64; 2],
    #[schema(value_type = Option<(f64, f64)>)]
    pub(super) conversions_inner: Option<[f64; 2]>,
    pub(super) value: f64,
    #[schema(value_type = (f64, f64))]
    pub(super) value_interval: [f64; 2],
    #[schema(value_type = Option<(f64, f64)>)]
    pub(super) value_inner: Option<[f64; 2]>,
    /// Share of conversions lost without the channel (Markov models).
    pub(super) removal_effect: Option<f64>,
    /// Share of all that the model credits.
    pub(super) share: Option<f64>,
    #[schema(value_type = Option<(f64, f64)>)]
    pub(super) share_interval: Option<[f64; 2]>,
    /// Spend over conversions.
    pub(super) cpa: RatioView,
    /// Value over spend.
    pub(super) roas: RatioView,
    /// Spend for one more conversion, from days of spend and credit: an association.
    pub(super) marginal_cpa: RatioView,
    /// Value for one more unit of spend, likewise.
    pub(super) marginal_roas: RatioView,
    /// Share of the variance of conversions that comes from not knowing who is whom; absent where nobody is uncertain.
    pub(super) identity_share: Option<f64>,
    #[schema(value_type = Option<(f64, f64)>)]
    pub(super) identity_share_interval: Option<[f64; 2]>,
    /// What supports a credit that is scaled to evidence: `own`, `own_elsewhere`, `population`.
    pub(super) support: Option<String>,
    /// What it may be used as, from 0 (association) to 3 (experiment).
    pub(super) tier: Option<i64>,
}

/// How far models disagree about a channel's conversions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Disagreement {
    /// The smallest credit of any model.
    lowest: f64,
    /// The largest.
    highest: f64,
    /// Largest over smallest, where the smallest is not zero.
    ratio: Option<f64>,
    /// Whether two models' outer intervals do not overlap.
    disjoint: bool,
}

/// Credit by channel and model.
#[utoipa::path(get, path = "/attribution", operation_id = "getAttribution", tag = "attribution", params(Wanted),
    responses((status = 200, body = Attribution), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn get_attribution(
    State(app): State<Shared>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Attribution>, ApiError> {
    let filter = wanted.filter();
    let rows = throughline_run::table_rows(&app.stores, &tables::credits()).await?;
    let project = app.project();
    let mut conversions: Vec<String> =
        rows.iter().filter_map(|r| r["conversion"].as_str()).map(str::to_owned).collect();
    conversions.sort();
    conversions.dedup();
    let conversion = match wanted.conversion {
        Some(name) if conversions.contains(&name) => name,
        Some(name) => return Err(ApiError::not_found(format!("credit for conversion `{name}`"))),
        None => conversions.first().cloned().ok_or_else(|| ApiError::not_found("credit yet: run the line first"))?,
    };
    let rows: Vec<&Value> = rows.iter().filter(|r| r["conversion"] == conversion.as_str()).collect();
    let unit = app.ledger().fingerprint("attribute", "all").await?;
    let reported = unit.as_ref().and_then(|u| {
        u.metrics["conversions"].as_array()?.iter().find(|c| c["conversion"] == conversion.as_str()).cloned()
    });
    let part = match &filter {
        Some(filter) => Some(part::part(&app, filter, &conversion).await?),
        None => None,
    };
    let order: Option<Vec<String>> =
        project.attribution.as_ref().map(|a| a.value.models.iter().map(|m| m.value.clone()).collect());
    Ok(Json(Attribution {
        currency: project.config.value.currency.to_string(),
        level: number(rows.first().copied(), "level").unwrap_or(0.9),
        inner_level: 0.5,
        interval_method: text(rows.first().copied(), "interval_method"),
        totals: part.as_ref().map_or_else(|| totals(reported.as_ref()), totals_of),
        models: match &part {
            Some(part) => part.models.iter().map(|m| ModelName::new(&m.model)).collect(),
            None => models(&rows, order.unwrap_or_default()),
        },
        channels: part.as_ref().map_or_else(|| channels(&rows), part::channels),
        // What experiments found holds for the journeys they were about, not for any part of them.
        incremental: if part.is_none() { incremental(&rows, reported.as_ref()) } else { None },
        filters: part::filters(&app, &conversion).await?,
        part: part.as_ref().zip(filter.as_ref()).map(|(part, filter)| Part::of(part, filter)),
        evidence: evidence(&app).await?,
        published_at: unit.as_ref().map(|u| u.published_at),
        run_seq: unit.map(|u| u.run_seq),
        conversion,
        conversions,
    }))
}

fn number(row: Option<&Value>, name: &str) -> Option<f64> {
    row?[name].as_f64()
}

fn text(row: Option<&Value>, name: &str) -> String {
    row.and_then(|r| r[name].as_str()).unwrap_or_default().to_owned()
}

/// Conversions without a touch, and paths without a conversion that models do not credit, are told of the whole only.
fn totals_of(part: &PartOfCredit) -> Totals {
    Totals { conversions: part.conversions, value: part.value, ..Totals::default() }
}

fn totals(reported: Option<&Value>) -> Totals {
    let Some(report) = reported else { return Totals::default() };
    let total = |name: &str| report["totals"][name].as_f64().unwrap_or(0.0);
    Totals {
        conversions: total("conversions"),
        value: total("value"),
        paths_without_conversion: total("nulls"),
        conversions_without_touch: report["conversions_without_touch"].as_f64().unwrap_or(0.0),
    }
}

/// The models in the order of the project's file; models no longer there come last.
fn models(rows: &[&Value], order: Vec<String>) -> Vec<ModelName> {
    let mut names: Vec<String> = Vec::new();
    let present = rows.iter().map(|r| text(Some(r), "model"));
    let mut all: Vec<String> = present.collect();
    all.sort();
    all.dedup();
    names.extend(order.into_iter().filter(|o| all.contains(o)));
    names.extend(all.into_iter().filter(|a| !names.contains(a)).collect::<Vec<_>>());
    names.into_iter().map(|id| ModelName::new(&id)).collect()
}

impl ModelName {
    fn new(id: &str) -> Self {
        Self { id: id.to_owned(), title: title(id) }
    }
}

fn title(id: &str) -> String {
    let (name, parameter) = id.split_once(':').unwrap_or((id, ""));
    if let ("incremental" | "path", inner) = (name, parameter) {
        let words = if name == "path" { "by path" } else { "scaled to evidence" };
        return format!("{}, {words}", title(inner));
    }
    let words = match name {
        "first" => "First touch".to_owned(),
        "last" => "Last touch".to_owned(),
        "linear" => "Linear".to_owned(),
        "time_decay" => "Time decay".to_owned(),
        "position" => "Position based".to_owned(),
        "u" => "Position based, 40/20/40".to_owned(),
        "j" => "Position based, 20/20/60".to_owned(),
        "inverse_j" => "Position based, 60/20/20".to_owned(),
        "last_non_direct" => "Last non-direct touch".to_owned(),
        "markov" => "Markov".to_owned(),
        "w" => "Position based, W".to_owned(),
        "shapley" => "Shapley".to_owned(),
        "shapley_simplified" => "Shapley, simplified".to_owned(),
        "shapley_ordered" => "Shapley, ordered".to_owned(),
        "shao_li" => "Shao and Li".to_owned(),
        "hazard" => "Additive hazard".to_owned(),
        "logistic" => "Logistic regression".to_owned(),
        "same_touch" => "Same touch".to_owned(),
        other => other.replace('_', " "),
    };
    match (name, parameter) {
        (_, "") => words,
        ("markov", order) => format!("{words}, order {order}"),
        ("time_decay", half_life) => format!("{words}, half-life {half_life}"),
        (_, other) => format!("{words}, {other}"),
    }
}

fn channels(rows: &[&Value]) -> Vec<ChannelCredit> {
    let mut by_channel: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    for row in rows.iter().filter(|r| text(Some(r), "channel") != BASELINE) {
        by_channel.entry(text(Some(row), "channel")).or_default().push(row);
    }
    by_channel
        .into_iter()
        .map(|(channel, rows)| {
            let spend = number(rows.first().copied(), "spend");
            let credits: BTreeMap<String, Credit> =
                rows.iter().filter_map(|r| Some((text(Some(r), "model"), credit(r, spend)?))).collect();
            let associations = credits.iter().filter(|(id, _)| !id.starts_with(SCALED)).map(|(_, credit)| credit);
            ChannelCredit { channel, spend, disagreement: disagreement(associations), credits }
        })
        .collect()
}

/// How credits that are scaled to evidence are named.
const SCALED: &str = "incremental:";

/// What no channel caused.
const BASELINE: &str = "(baseline)";

fn incremental(rows: &[&Value], reported: Option<&Value>) -> Option<Incremental> {
    let told = reported.map(|r| &r["incremental"]).filter(|i| !i.is_null())?;
    let model = told["model"].as_str()?.to_owned();
    let id = format!("{SCALED}{model}");
    let found = &told["calibration"];
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let texts = |value: &Value| list(value).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let baseline = rows.iter().find(|r| text(Some(r), "channel") == BASELINE && text(Some(r), "model") == id);
    let ninety = list(&found["population"]["new_channel"]["intervals"]);
    let ninety = ninety.iter().find(|i| i[0].as_f64().is_some_and(|level| (level - 0.9).abs() < 1e-9));
    Some(Incremental {
        baseline: baseline.and_then(|r| credit(r, None)),
        used: texts(&found["used"]),
        without_number: texts(&found["totals"][0]["without_number"]),
        ratio_interval: ninety.and_then(|i| Some([i[1].as_f64()?, i[2].as_f64()?])),
        diagnostics: list(&found["diagnostics"]),
        model,
        id,
    })
}

/// A quotient of a credit with an interval and a known number, either way up.
fn ratio(spend: Option<f64>, of: Option<f64>, ends: [f64; 2], spend_above: bool) -> RatioView {
    let none = |why: &str| RatioView { value: None, interval: None, absent: Some(why.to_owned()) };
    let (Some(spend), Some(of)) = (spend, of) else { return none("nothing is known of what was spent on it") };
    if spend == 0.0 {
        return none("nothing was spent on it");
    }
    let end = |x: f64| x.is_finite().then_some(x);
    if !spend_above {
        return RatioView {
            value: Some(of / spend),
            interval: Some([end(ends[0] / spend), end(ends[1] / spend)]),
            absent: None,
        };
    }
    if of <= 0.0 {
        return none("no conversion is credited to it");
    }
    let upper = if ends[0] > 0.0 { Some(spend / ends[0]) } else { None };
    RatioView { value: Some(spend / of), interval: Some([Some(spend / ends[1].max(of)), upper]), absent: None }
}

/// A slope of credit on spend, or its reciprocal: without an upper end where the slope may be nothing.
fn marginal(row: &Value, name: &str, spend_above: bool) -> RatioView {
    let at = |end: &str| number(Some(row), &format!("{name}{end}"));
    let (Some(slope), Some(low), Some(high)) = (at(""), at("_low"), at("_high")) else {
        let why = row["marginal_absent"].as_str().unwrap_or("marginal figures are of channels, not of their cells");
        return RatioView { value: None, interval: None, absent: Some(why.to_owned()) };
    };
    if !spend_above {
        return RatioView { value: Some(slope), interval: Some([Some(low), Some(high)]), absent: None };
    }
    if slope <= 0.0 {
        return RatioView { value: None, interval: None, absent: Some("credit does not rise with spend".into()) };
    }
    let upper = (low > 0.0).then(|| 1.0 / low);
    RatioView { value: Some(1.0 / slope), interval: Some([Some(1.0 / high), upper]), absent: None }
}

/// The credit of a row; `None` where there is no number.
pub(super) fn credit(row: &Value, spend: Option<f64>) -> Option<Credit> {
    let conversions = number(Some(row), "conversions")?;
    let at = |name: &str| number(Some(row), name).unwrap_or(0.0);
    let (c, v) = ([at("conversions_low"), at("conversions_high")], [at("value_low"), at("value_high")]);
    let inner = |what: &str| {
        let (low, high) = (format!("{what}_inner_low"), format!("{what}_inner_high"));
        Some([number(Some(row), &low)?, number(Some(row), &high)?])
    };
    Some(Credit {
        conversions,
        conversions_interval: c,
        conversions_inner: inner("conversions"),
        value: at("value"),
        value_interval: v,
        value_inner: inner("value"),
        removal_effect: number(Some(row), "removal_effect"),
        share: number(Some(row), "share"),
        share_interval: number(Some(row), "share_low").zip(number(Some(row), "share_high")).map(|(a, b)| [a, b]),
        identity_share: number(Some(row), "identity_share"),
        identity_share_interval: number(Some(row), "identity_share_low")
            .zip(number(Some(row), "identity_share_high"))
            .map(|(a, b)| [a, b]),
        cpa: ratio(spend, Some(conversions), c, true),
        roas: ratio(spend, number(Some(row), "value"), v, false),
        marginal_cpa: marginal(row, "marginal_conversions", true),
        marginal_roas: marginal(row, "marginal_value", false),
        support: row["support"].as_str().map(str::to_owned),
        tier: row["evidence_tier"].as_i64(),
    })
}

pub(super) fn disagreement<'a>(credits: impl Iterator<Item = &'a Credit> + Clone) -> Disagreement {
    let lowest = credits.clone().map(|c| c.conversions).fold(f64::INFINITY, f64::min);
    let highest = credits.clone().map(|c| c.conversions).fold(0.0, f64::max);
    let least_high = credits.clone().map(|c| c.conversions_interval[1]).fold(f64::INFINITY, f64::min);
    let most_low = credits.map(|c| c.conversions_interval[0]).fold(f64::NEG_INFINITY, f64::max);
    Disagreement { lowest, highest, ratio: (lowest > 0.0).then(|| highest / lowest), disjoint: most_low > least_high }
}

/// The newest record about each metric and treatment of each experiment.
async fn evidence(app: &Shared) -> Result<Vec<Value>, ApiError> {
    let mut newest: BTreeMap<String, (Timestamp, Value)> = BTreeMap::new();
    for record in app.ledger().evidence().await? {
        let about = record.id.rsplit_once('/').map_or(record.id.as_str(), |(about, _)| about).to_owned();
        let later = newest.get(&about).is_none_or(|(at, _)| *at <= record.created_at);
        if later {
            let mut value = record.record;
            value["id"] = Value::from(record.id);
            newest.insert(about, (record.created_at, value));
        }
    }
    Ok(newest.into_values().map(|(_, value)| value).collect())
}

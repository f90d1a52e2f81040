//! Which journeys credit is of, and the credit of a part of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Estimate;
use throughline_lake::tables;
use throughline_run::{JourneyFilter, PartOfChannel, PartOfCredit, Ratio, credit_of_part};
use utoipa::{IntoParams, ToSchema};

use super::attribution::{ChannelCredit, Credit, RatioView, disagreement};
use super::sql::{literal, rows};
use crate::app::Shared;
use crate::problem::ApiError;

/// Which credits.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Name of the conversion; the first one without.
    pub(super) conversion: Option<String>,
    /// Only journeys that ended on this day or later, as 2026-03-01, UTC.
    from: Option<String>,
    /// Only journeys that ended on this day or earlier.
    to: Option<String>,
    /// Only journeys that ended in this place.
    geo: Option<String>,
    /// Only journeys that ended on this device.
    device: Option<String>,
    /// Only people first seen in this month, as 2026-03.
    cohort: Option<String>,
    /// Only people of this segment, as `name=value`.
    segment: Option<String>,
}

impl Wanted {
    /// The filter, where one is asked for.
    pub(super) fn filter(&self) -> Option<JourneyFilter> {
        let filter = JourneyFilter {
            from: self.from.clone(),
            to: self.to.clone(),
            geo: self.geo.clone(),
            device: self.device.clone(),
            cohort: self.cohort.clone(),
            segment: self.segment.clone(),
        };
        (filter != JourneyFilter::default()).then_some(filter)
    }
}

/// What can be asked for.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Filters {
    /// First and last day on which a journey ended, UTC; absent without journeys.
    #[schema(value_type = Option<(String, String)>)]
    days: Option<(String, String)>,
    /// Places.
    geos: Vec<String>,
    /// Devices.
    devices: Vec<String>,
    /// Months in which people were first seen.
    cohorts: Vec<String>,
    /// Segments, as `name=value`.
    segments: Vec<String>,
}

/// The part of the journeys that was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    /// Journeys of the part with a touch.
    journeys: u64,
    /// Of all journeys with a touch.
    of_journeys: u64,
    /// Models whose credit is of totals and has no parts.
    without_parts: Vec<String>,
    /// Whether spend says what was asked for: it knows days and places, not people.
    has_spend: bool,
}

/// What can be asked for of a conversion.
pub(super) async fn filters(app: &Shared, conversion: &str) -> Result<Filters, ApiError> {
    let (spec, of) = (tables::journeys(), format!("WHERE touches > 0 AND conversion = {}", literal(conversion)));
    let lists: Vec<String> =
        ["geo", "device", "cohort"].iter().map(|c| format!("array_agg(DISTINCT {c}) AS {c}")).collect();
    let ends: Vec<String> = [("min", "first"), ("max", "last")]
        .iter()
        .map(|(what, name)| format!("substr(CAST({what}(ended_at) AS VARCHAR), 1, 10) AS {name}"))
        .collect();
    let query = format!("SELECT {}, {} FROM journeys {of}", lists.join(", "), ends.join(", "));
    let found = rows(app, &spec, &query).await?.into_iter().next().unwrap_or_default();
    let segments = format!("SELECT DISTINCT unnest(segments) AS name FROM journeys {of} ORDER BY name");
    let segments = rows(app, &spec, &segments).await?;
    let end = |name: &str| found.get(name)?.as_str().map(str::to_owned);
    let list = |name: &str| -> Vec<String> {
        let all = found.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut names: Vec<String> = all.filter_map(Value::as_str).map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    Ok(Filters {
        days: end("first").zip(end("last")),
        geos: list("geo"),
        devices: list("device"),
        cohorts: list("cohort"),
        segments: segments.iter().filter_map(|r| r.get("name")?.as_str()).map(str::to_owned).collect(),
    })
}

/// The credit of a part of the journeys of a conversion, computed now.
pub(super) async fn part(app: &Shared, filter: &JourneyFilter, conversion: &str) -> Result<PartOfCredit, ApiError> {
    let found = credit_of_part(&app.project(), &app.stores, filter, Some(conversion)).await?;
    found.into_iter().next().ok_or_else(|| ApiError::not_found(format!("journey of conversion `{conversion}`")))
}

impl Part {
    pub(super) fn of(found: &PartOfCredit, filter: &JourneyFilter) -> Self {
        Self {
            journeys: found.journeys,
            of_journeys: found.of_journeys,
            without_parts: found.without_parts.clone(),
            has_spend: filter.has_spend(),
        }
    }
}

/// Channels with their credit by model.
pub(super) fn channels(found: &PartOfCredit) -> Vec<ChannelCredit> {
    let mut all: BTreeMap<&str, (Option<f64>, BTreeMap<String, Credit>)> = BTreeMap::new();
    for model in &found.models {
        for channel in &model.channels {
            let entry = all.entry(&channel.channel).or_default();
            entry.0 = channel.spend;
            entry.1.insert(model.model.clone(), credit(channel, found));
        }
    }
    let told = all.into_iter().filter(|(_, (_, credits))| credits.values().any(|c| c.conversions != 0.0));
    told.map(|(channel, (spend, credits))| ChannelCredit {
        channel: channel.to_owned(),
        spend,
        disagreement: disagreement(credits.values()),
        credits,
    })
    .collect()
}

fn credit(of: &PartOfChannel, found: &PartOfCredit) -> Credit {
    let ends = |estimate: &Estimate| <[f64; 2]>::from(estimate.interval());
    let whole = found.conversions;
    Credit {
        conversions: of.conversions.value,
        conversions_interval: ends(&of.conversions),
        conversions_inner: Some(ends(&of.conversions_inner)),
        value: of.value.value,
        value_interval: ends(&of.value),
        value_inner: Some(ends(&of.value_inner)),
        removal_effect: None,
        share: (whole > 0.0).then(|| of.conversions.value / whole),
        share_interval: None,
        cpa: ratio(of.cpa.as_ref()),
        roas: ratio(of.roas.as_ref()),
        marginal_cpa: ratio(of.marginal.as_ref().map(|m| &m.cost_per_conversion)),
        marginal_roas: ratio(of.marginal.as_ref().map(|m| &m.return_on_spend)),
        identity_share: None,
        identity_share_interval: None,
        support: None,
        tier: Some(0),
    }
}

fn ratio(of: Option<&Ratio>) -> RatioView {
    let finite = |x: f64| x.is_finite().then_some(x);
    match of {
        Some(Ratio::Number(estimate)) => {
            let (low, high) = estimate.interval();
            RatioView { value: Some(estimate.value), interval: Some([finite(low), finite(high)]), absent: None }
        }
        Some(Ratio::Undefined { because }) => RatioView { value: None, interval: None, absent: Some(because.clone()) },
        None => RatioView {
            value: None,
            interval: None,
            absent: Some("nothing is known of what was spent on it".to_owned()),
        },
    }
}

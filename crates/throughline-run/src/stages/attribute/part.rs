//! Credit of a part of the journeys: of a place, a period, a device, a cohort, a segment, together.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use throughline_attribution::{Breakdown, Dimension, Draws, Marginal, Model, Quantity, Ratio, break_down, read_spec};
use throughline_core::Estimate;
use throughline_core::money::units_from_micros;

use super::INNER;
use super::marginal::{Marginals, marginals};
use super::read::{About, Items, Paths, Read, date, read};
use super::spend::{self, Spend};
use crate::project::AttributionConfig;
use crate::stage::{StageContext, StageError};

/// Which journeys; nothing said is every journey.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JourneyFilter {
    /// Ended on this day or later, as 2026-03-01, UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Ended on this day or earlier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Ended in this place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo: Option<String>,
    /// Ended on this device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Of people first seen in this month, as 2026-03.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// Of people of this segment at the end, as `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
}

impl JourneyFilter {
    /// Whether spend says what is asked for: it knows days and places, not people.
    pub const fn has_spend(&self) -> bool {
        self.device.is_none() && self.cohort.is_none() && self.segment.is_none()
    }
}

/// What can be asked for.
#[derive(Debug, Clone, Default, Serialize)]
pub struct JourneyFilters {
    /// The first and the last day on which a journey ended.
    pub days: Option<(String, String)>,
    /// Places.
    pub geos: BTreeSet<String>,
    /// Devices.
    pub devices: BTreeSet<String>,
    /// Months in which people were first seen.
    pub cohorts: BTreeSet<String>,
    /// Segments, as `name=value`.
    pub segments: BTreeSet<String>,
}

/// Credit of a part of the journeys of one conversion.
#[derive(Debug, Clone, Serialize)]
pub struct PartOfCredit {
    /// The conversion.
    pub conversion: String,
    /// Journeys of the part with a touch.
    pub journeys: u64,
    /// Of all journeys with a touch.
    pub of_journeys: u64,
    /// Conversions of the part: what the credits of each model add up to.
    pub conversions: f64,
    /// Their value.
    pub value: f64,
    /// Credits by model.
    pub models: Vec<PartOfModel>,
    /// Models whose credit is of totals and has no parts; `path:MODEL` of the same has.
    pub without_parts: Vec<String>,
    /// What can be asked for.
    pub filters: JourneyFilters,
}

/// Credits under one model.
#[derive(Debug, Clone, Serialize)]
pub struct PartOfModel {
    /// The model.
    pub model: String,
    /// By channel.
    pub channels: Vec<PartOfChannel>,
}

/// The credit of one channel.
#[derive(Debug, Clone, Serialize)]
pub struct PartOfChannel {
    /// The channel.
    pub channel: String,
    /// Conversions credited.
    pub conversions: Estimate,
    /// The same at 50 %.
    pub conversions_inner: Estimate,
    /// Value credited.
    pub value: Estimate,
    /// The same at 50 %.
    pub value_inner: Estimate,
    /// What was spent on it in this part; absent where spend does not say.
    pub spend: Option<f64>,
    /// Spend over conversions.
    pub cpa: Option<Ratio>,
    /// Value over spend.
    pub roas: Option<Ratio>,
    /// What one more unit of spend goes along with.
    pub marginal: Option<Marginal>,
}

/// Days, places and the like as they are numbered.
struct Wanted {
    days: (i64, i64),
    geo: Option<u32>,
    device: Option<u32>,
    cohort: Option<u32>,
    segment: Option<u32>,
}

/// The number of a name that no journey has.
const NOWHERE: u32 = u32::MAX;

impl Wanted {
    fn new(filter: &JourneyFilter, items: &Items, about: &[About]) -> Self {
        let number = |name: &Option<String>| name.as_ref().map(|name| items.find(name).unwrap_or(NOWHERE));
        let ends = |about: &About| date(about.day);
        let inside = about.iter().filter(|a| {
            filter.from.as_ref().is_none_or(|from| ends(a) >= *from)
                && filter.to.as_ref().is_none_or(|to| ends(a) <= *to)
        });
        let days = inside.map(|a| a.day).fold((i64::MAX, i64::MIN), |(low, high), day| (low.min(day), high.max(day)));
        Self {
            days,
            geo: number(&filter.geo),
            device: number(&filter.device),
            cohort: number(&filter.cohort),
            segment: number(&filter.segment),
        }
    }

    fn has(&self, journey: &About) -> bool {
        let is = |wanted: Option<u32>, found: u32| wanted.is_none_or(|wanted| wanted == found);
        (self.days.0..=self.days.1).contains(&journey.day)
            && is(self.geo, journey.geo)
            && is(self.device, journey.device)
            && is(self.cohort, journey.cohort)
            && self.segment.is_none_or(|wanted| journey.segments.contains(&wanted))
    }
}

/// The credit of a part of the published journeys, of one conversion or of all. Models are fitted on all journeys, so that parts add
/// up to the whole; their intervals hold the fit for given, as those of a [`Breakdown`]. Cost: reading the journeys, one fit
/// a model, and draws × touches of journeys with an outcome.
pub(crate) async fn part_of_credit(
    context: &StageContext<'_>,
    config: &AttributionConfig,
    filter: &JourneyFilter,
    conversion: Option<&str>,
) -> Result<Vec<PartOfCredit>, StageError> {
    let read = read(context).await?;
    let spend = if filter.has_spend() { spend::read(context, filter).await? } else { Spend::default() };
    let mut out = Vec::new();
    for (name, paths) in read.conversions.iter().filter(|(name, _)| conversion.is_none_or(|wanted| wanted == *name)) {
        let part = Part { context, config, filter, read: &read, paths, spend: &spend };
        out.push(part.credit(name)?);
    }
    Ok(out)
}

struct Part<'a> {
    context: &'a StageContext<'a>,
    config: &'a AttributionConfig,
    filter: &'a JourneyFilter,
    read: &'a Read,
    paths: &'a Paths,
    spend: &'a Spend,
}

impl Part<'_> {
    fn credit(&self, conversion: &str) -> Result<PartOfCredit, StageError> {
        let about = &self.paths.about;
        let wanted = Wanted::new(self.filter, &self.read.items, about);
        let inside: Vec<bool> = about.iter().map(|journey| wanted.has(journey)).collect();
        // Cell 0 is the rest; the others are channels.
        let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
        for touch in &self.paths.touches {
            numbers.insert(touch.channel, 0);
        }
        numbers.values_mut().zip(1..).for_each(|(number, next)| *number = next);
        let cell = |push: usize, touch: usize| {
            let touch = self.paths.touches.get(about[push].touches + touch).filter(|_| inside[push]);
            touch.map_or(0, |touch| numbers[&touch.channel])
        };
        let dimension = Dimension { name: "part", cells: numbers.len() + 1, cell: &cell };
        let bootstrap = self.config.bootstrap;
        let draws = Draws { draws: bootstrap.draws, seed: self.context.run.seed, level: bootstrap.level };
        let (mut models, mut without_parts) = (Vec::new(), Vec::new());
        let mut outcome = None;
        for spec in &self.config.models {
            let model: Box<dyn Model> = read_spec(&spec.value)?;
            if !model.breaks_down() {
                without_parts.push(model.spec());
                continue;
            }
            let found = break_down(&self.paths.journeys, model.as_ref(), &dimension, None, draws)?;
            let rest = found.credit(0, Quantity::Conversions)?.value;
            let totals = found.totals();
            outcome.get_or_insert((totals.conversions - rest, totals.value - found.credit(0, Quantity::Value)?.value));
            let marginals = marginals(self.paths, model.as_ref(), self.spend, &self.read.items, Some(&inside), draws)?;
            let mut channels = numbers
                .iter()
                .map(|(channel, cell)| self.channel(&found, &marginals, *channel, *cell))
                .collect::<Result<Vec<_>, _>>()?;
            channels.sort_by(|a, b| a.channel.cmp(&b.channel));
            models.push(PartOfModel { model: model.spec(), channels });
        }
        let (conversions, value) = outcome.unwrap_or_default();
        Ok(PartOfCredit {
            conversion: conversion.to_owned(),
            journeys: inside.iter().filter(|inside| **inside).count() as u64,
            of_journeys: inside.len() as u64,
            conversions,
            value,
            models,
            without_parts,
            filters: filters(&self.read.items, about),
        })
    }

    fn channel(
        &self,
        found: &Breakdown,
        marginals: &Marginals,
        channel: u32,
        cell: usize,
    ) -> Result<PartOfChannel, StageError> {
        let name = self.read.items.name(channel);
        let spend = self.spend.by_channel.get(name).map(|micros| units_from_micros(*micros));
        Ok(PartOfChannel {
            channel: name.to_owned(),
            conversions: found.credit(cell, Quantity::Conversions)?,
            conversions_inner: found.credit_at(cell, Quantity::Conversions, INNER)?,
            value: found.credit(cell, Quantity::Value)?,
            value_inner: found.credit_at(cell, Quantity::Value, INNER)?,
            spend,
            cpa: spend.map(|spend| found.cost_per_conversion(cell, spend)).transpose()?,
            roas: spend.map(|spend| found.return_on_spend(cell, spend)).transpose()?,
            marginal: marginals.get(name).cloned(),
        })
    }
}

fn filters(items: &Items, about: &[About]) -> JourneyFilters {
    let names = |of: &dyn Fn(&About) -> u32| -> BTreeSet<String> {
        let numbers: BTreeSet<u32> = about.iter().map(of).collect();
        numbers.into_iter().map(|number| items.name(number).to_owned()).collect()
    };
    let segments: BTreeSet<u32> = about.iter().flat_map(|a| a.segments.iter().copied()).collect();
    let days = about.iter().map(|a| a.day);
    JourneyFilters {
        days: days.clone().min().zip(days.max()).map(|(first, last)| (date(first), date(last))),
        geos: names(&|a| a.geo),
        devices: names(&|a| a.device),
        cohorts: names(&|a| a.cohort),
        segments: segments.into_iter().map(|number| items.name(number).to_owned()).collect(),
    }
}

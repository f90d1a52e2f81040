//! What one more unit of spend on a channel goes along with, from days of spend and the credit of their touches.

use std::collections::BTreeMap;

use throughline_attribution::{Daily, Dimension, Draws, Marginal, Model, Quantity, break_down, marginal};
use throughline_core::time::DAY_US;

use super::read::{Items, Paths};
use super::spend::Spend;
use crate::stage::StageError;

/// Marginal figures by channel; channels without spend have none.
pub(super) type Marginals = BTreeMap<String, Marginal>;

/// Marginal figures of each channel with spend under a model that breaks down, of the journeys that are `inside`. Cost: one
/// breakdown of touches × 2 draws.
pub(super) fn marginals(
    paths: &Paths,
    model: &dyn Model,
    spend: &Spend,
    items: &Items,
    inside: Option<&[bool]>,
    draws: Draws,
) -> Result<Marginals, StageError> {
    let days: BTreeMap<u32, (i64, Vec<f64>)> = channels(paths)
        .into_iter()
        .map(|channel| (channel, spend.by_day(items.name(channel))))
        .filter(|(_, (_, spent))| !spent.is_empty())
        .collect();
    if days.is_empty() {
        return Ok(Marginals::new());
    }
    // Cell 0 is what falls on no day of spend; then the days of each channel, one channel after the other.
    let mut cells = 1;
    let mut starts = BTreeMap::new();
    for (channel, (_, spent)) in &days {
        starts.insert(*channel, cells);
        cells += spent.len();
    }
    let about = &paths.about;
    let cell = |push: usize, touch: usize| {
        let Some(journey) = about.get(push).filter(|_| inside.is_none_or(|i| i[push])) else { return 0 };
        let Some(touch) = paths.touches.get(journey.touches + touch) else { return 0 };
        let Some((first, spent)) = days.get(&touch.channel) else { return 0 };
        let day = usize::try_from(touch.at.div_euclid(DAY_US) - first).ok().filter(|day| *day < spent.len());
        day.map_or(0, |day| starts[&touch.channel] + day)
    };
    let dimension = Dimension { name: "day of touch", cells, cell: &cell };
    let found = break_down(&paths.journeys, model, &dimension, None, Draws { draws: 2, ..draws })?;
    let mut out = Marginals::new();
    for (channel, (first, spent)) in &days {
        let start = starts[channel];
        let credit = |what| -> Result<Vec<f64>, StageError> {
            (start..start + spent.len()).map(|cell| Ok(found.credit(cell, what)?.value)).collect()
        };
        let (conversions, value) = (credit(Quantity::Conversions)?, credit(Quantity::Value)?);
        let first_weekday = usize::try_from(first.rem_euclid(7)).unwrap_or(0);
        let daily = Daily { first_weekday, spend: spent, conversions: &conversions, value: &value };
        out.insert(items.name(*channel).to_owned(), marginal(&daily, draws.level)?);
    }
    Ok(out)
}

fn channels(paths: &Paths) -> Vec<u32> {
    let mut out: Vec<u32> = paths.touches.iter().map(|t| t.channel).collect();
    out.sort_unstable();
    out.dedup();
    out
}

//! What channels cost, by everything that credit is broken down by.

use std::collections::BTreeMap;

use throughline_core::money::units_from_micros;
use throughline_lake::{columns, tables};

use super::cells::DIMENSIONS;
use super::part::JourneyFilter;
use super::read::day_of;
use crate::stage::{StageContext, StageError};

/// Spend in millionths by (channel, item) of each dimension.
#[derive(Debug, Default)]
pub(super) struct Spend {
    pub(super) by_channel: BTreeMap<String, i64>,
    by_item: BTreeMap<(&'static str, String, String), i64>,
}

impl Spend {
    /// The spend of an item of a dimension; absent where spend does not say it.
    pub(super) fn of(&self, dimension: &str, channel: &str, item: &str) -> Option<i64> {
        let dimension = *DIMENSIONS.iter().find(|d| **d == dimension)?;
        self.by_item.get(&(dimension, channel.to_owned(), item.to_owned())).copied()
    }

    /// What a channel cost on each day from the first to the last on which it cost anything, days since 1970.
    pub(super) fn by_day(&self, channel: &str) -> (i64, Vec<f64>) {
        let of = |item: &str| ("day", channel.to_owned(), item.to_owned());
        let known = self
            .by_item
            .range(of("")..=of("9999-99-99"))
            .filter(|((dimension, of, _), _)| *dimension == "day" && of == channel);
        let known: Vec<(i64, f64)> =
            known.filter_map(|((_, _, day), cost)| Some((day_of(day)?, units_from_micros(*cost)))).collect();
        let (Some((first, _)), Some((last, _))) = (known.first(), known.last()) else { return (0, Vec::new()) };
        let mut out = vec![0.0; usize::try_from(last - first + 1).unwrap_or(0)];
        for (day, cost) in &known {
            if let Some(slot) = usize::try_from(day - first).ok().and_then(|day| out.get_mut(day)) {
                *slot = *cost;
            }
        }
        (*first, out)
    }

    fn add(&mut self, dimension: &'static str, channel: &str, item: Option<&str>, cost: i64) {
        if let Some(item) = item {
            let sum = self.by_item.entry((dimension, channel.to_owned(), item.to_owned())).or_default();
            *sum = sum.saturating_add(cost);
        }
    }
}

/// Reads spend in the project's currency, the newest revision of each row: money is never added across currencies. Of the days
/// and the place of a filter; what it says of people, spend does not know ([`JourneyFilter::has_spend`]).
pub(super) async fn read(context: &StageContext<'_>, filter: &JourneyFilter) -> Result<Spend, StageError> {
    let text = |value: &str| format!("'{}'", value.replace('\'', "''"));
    let tests = [("date >=", &filter.from), ("date <=", &filter.to), ("geo =", &filter.geo)];
    let asked: String =
        tests.iter().filter_map(|(test, value)| value.as_ref().map(|v| format!(" AND {test} {}", text(v)))).collect();
    let session = context.session()?;
    session.register("spend", context.read(&tables::spend()).await?)?;
    let sql = format!(
        "SELECT channel, campaign, geo, date, sum(cost_micros) AS cost_micros FROM (
           SELECT channel, campaign, geo, date, cost_micros, currency, row_number() OVER (
             PARTITION BY source, source_row_id
             ORDER BY revision DESC, ingested_at DESC, channel, campaign, geo, cost_micros, currency) AS occurrence
           FROM spend)
         WHERE occurrence = 1 AND channel IS NOT NULL AND currency = {}{asked}
         GROUP BY channel, campaign, geo, date ORDER BY channel, campaign, geo, date",
        text(context.project.config.value.currency.as_str())
    );
    let mut out = Spend::default();
    for batch in session.query(&sql).await? {
        let text = |name| columns::text(&batch, name);
        let (channel, campaign, geo, date) = (text("channel")?, text("campaign")?, text("geo")?, text("date")?);
        let cost = columns::int(&batch, "cost_micros")?;
        for row in 0..batch.num_rows() {
            let (channel, cost) = (channel.value(row), cost.value(row));
            let sum = out.by_channel.entry(channel.to_owned()).or_default();
            *sum = sum.saturating_add(cost);
            let date = columns::text_at(date, row);
            out.add("campaign", channel, columns::text_at(campaign, row), cost);
            out.add("geo", channel, columns::text_at(geo, row), cost);
            out.add("day", channel, date, cost);
            out.add("month", channel, date.and_then(|d| d.get(..7)), cost);
        }
    }
    Ok(out)
}

//! What channels cost, by everything that credit is broken down by.

use std::collections::BTreeMap;

use throughline_lake::{columns, tables};

use crate::stage::{StageContext, StageError};

/// Spend in millionths by (channel, item) of each dimension.
#[derive(Debug, Default)]
pub(super) struct Spend {
    pub(super) by_channel: BTreeMap<String, i64>,
    by_item: BTreeMap<(&'static str, String, String), i64>,
}

impl Spend {
    /// The spend of an item of a dimension; absent where spend does not say it.
    pub(super) fn of(&self, dimension: &'static str, channel: &str, item: &str) -> Option<i64> {
        self.by_item.get(&(dimension, channel.to_owned(), item.to_owned())).copied()
    }

    fn add(&mut self, dimension: &'static str, channel: &str, item: Option<&str>, cost: i64) {
        if let Some(item) = item {
            let sum = self.by_item.entry((dimension, channel.to_owned(), item.to_owned())).or_default();
            *sum = sum.saturating_add(cost);
        }
    }
}

/// Reads spend in the project's currency, the newest revision of each row: money is never added across currencies.
pub(super) async fn read(context: &StageContext<'_>) -> Result<Spend, StageError> {
    let session = context.session()?;
    session.register("spend", context.read(&tables::spend()).await?)?;
    let sql = format!(
        "SELECT channel, campaign, geo, date, sum(cost_micros) AS cost_micros FROM (
           SELECT channel, campaign, geo, date, cost_micros, currency, row_number() OVER (
             PARTITION BY source, source_row_id
             ORDER BY revision DESC, ingested_at DESC, channel, campaign, geo, cost_micros, currency) AS occurrence
           FROM spend)
         WHERE occurrence = 1 AND channel IS NOT NULL AND currency = '{}'
         GROUP BY channel, campaign, geo, date ORDER BY channel, campaign, geo, date",
        context.project.config.value.currency
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

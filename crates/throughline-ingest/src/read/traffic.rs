//! The columns that say how somebody came to a page.

use std::collections::BTreeMap;

use arrow::array::StringBuilder;

use crate::cell::{Batch, Cell, Column, RowView};
use crate::channels::{Channels, Traffic};
use crate::config::TRAFFIC_COLUMNS;
use crate::mapping::TrafficSlots;

/// The columns of [`TRAFFIC_COLUMNS`] for the rows of a batch.
pub(super) fn columns(
    batch: &Batch,
    slots: &[Option<usize>],
    traffic: &TrafficSlots,
    channels: &Channels,
) -> Vec<Column> {
    let mut builders = TRAFFIC_COLUMNS.map(|_| StringBuilder::new());
    for row in 0..batch.numbers.len() {
        let view = RowView { batch, slots, row };
        let cells = [0, 1, 2, 3, 4].map(|i: usize| traffic.fields[i].cell(&view));
        let ids: Vec<Cell<'_>> = traffic.click_ids.iter().map(|(_, slot)| slot.cell(&view)).collect();
        let names = traffic.click_ids.iter().map(|(name, _)| name.as_str());
        let [source, medium, campaign, page, referrer] = &cells;
        let arrival = channels.arrival(&Traffic {
            source: source.as_str(),
            medium: medium.as_str(),
            campaign: campaign.as_str(),
            page: page.as_str(),
            referrer: referrer.as_str(),
            click_ids: names
                .zip(&ids)
                .filter_map(|(name, cell)| Some((name, cell.as_str()?)))
                .collect::<BTreeMap<_, _>>(),
        });
        let (id_name, id) = arrival.as_ref().and_then(|a| a.click_id.as_ref()).map(|(n, v)| (n, v)).unzip();
        let given: [Option<&String>; 6] = [
            arrival.as_ref().map(|a| &a.channel),
            arrival.as_ref().map(|a| &a.source),
            arrival.as_ref().map(|a| &a.medium),
            arrival.as_ref().and_then(|a| a.campaign.as_ref()),
            id,
            id_name,
        ];
        for (builder, value) in builders.iter_mut().zip(given) {
            builder.append_option(value);
        }
    }
    builders.iter_mut().map(|builder| Column::Text(builder.finish())).collect()
}

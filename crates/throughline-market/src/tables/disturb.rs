//! What incidents of files do to rows: some are not recorded, some twice, some late, some under another name.

use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_stats::stream::Stream;

use super::{DataFile, Row, Table};
use crate::{Fault, World};

/// Seconds between the two firings of an order.
const AGAIN_US: i64 = 5_000_000;

/// Whether an incident with a share strikes a row, by the row's position in its file.
pub(crate) fn strikes(world: &World, file: DataFile, row: usize, share: f64) -> bool {
    chance(world.row_stream(file), row) < share
}

fn chance(stream: Stream, row: usize) -> f64 {
    stream.uniform_at((row as u64) * 8 + 3)
}

impl Table {
    /// Applies the incidents of a file to rows in the order of their ids.
    pub(super) fn disturb(mut self, world: &World, file: DataFile, stream: Stream) -> Self {
        let incidents = &world.scenario().incidents;
        if incidents.is_empty() {
            return self;
        }
        let mut rows = Vec::with_capacity(self.rows.len());
        for (index, mut row) in self.rows.into_iter().enumerate() {
            let struck = chance(stream, index);
            let mut copies = 1;
            let day = row.day;
            for incident in incidents.iter().filter(|i| i.runs_on(day)) {
                match (&incident.fault, file) {
                    (Fault::TrackingLoss { share }, DataFile::AdEvents) if struck < *share => copies = 0,
                    (Fault::DoubleFiring { share }, DataFile::WebOrders) if struck < *share => copies = 2,
                    (Fault::LateFeed { delay_days }, DataFile::WebOrders) => row.delay(world, *delay_days),
                    (Fault::SchemaChange {}, DataFile::WebOrders) => row.renamed = true,
                    _ => {}
                }
            }
            if copies == 2 {
                let mut again = Row { at: (row.at + AGAIN_US).min(world.last_arrival()), ..row.clone() };
                again.fields[0].insert(0, 'd');
                rows.push(again);
            }
            if copies > 0 {
                rows.push(row);
            }
        }
        self.rows = rows;
        self
    }
}

impl Row {
    /// Lets an order arrive later, on the last day of all at the latest.
    fn delay(&mut self, world: &World, days: u32) {
        let last = world.last_arrival();
        self.at = (self.at + i64::from(days) * DAY_US).min(last).max(self.at);
        self.fields[2] = Timestamp::from_micros(self.at).to_string();
    }
}

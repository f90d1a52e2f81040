//! The files of a project's data folder, in the shapes of the systems that would write them.

use std::io::Write;
use std::ops::Range;

use throughline_core::money::units_from_micros;
use throughline_stats::stream::Stream;

use crate::noise::{Noise, Purpose};
use crate::{MarketError, Scenario, World};

mod ads;
mod crm;
mod designs;
mod disturb;
mod mail;
mod orders;

pub(crate) use ads::{Seen, advertised, event_id};
pub(crate) use disturb::strikes;
pub(crate) use mail::{mailed, message_id};
pub(crate) use orders::{Place, order_id, orders};

/// A file of the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DataFile {
    /// Impressions, clicks and visits: event id, times, cookie, kind, channel, campaign, cost, consent.
    AdEvents,
    /// Cost by day, channel and campaign.
    Spend,
    /// On-line orders.
    WebOrders,
    /// Store receipts.
    Pos,
    /// E-mails sent, opened, clicked.
    EmailLog,
    /// The assignment of the e-mail test.
    Assignments,
    /// Customer records.
    Crm,
    /// Permissions withdrawn.
    Preferences,
    /// Orders, value and spend by day and area.
    GeoPanel,
    /// Which areas a test treats and when a roll-out reaches them.
    Areas,
    /// The hour at which each newsletter of the lottery went out.
    SendTimes,
    /// Scores and vouchers.
    Vouchers,
    /// Whom staff called.
    Outreach,
}

impl DataFile {
    /// Every file.
    pub const ALL: [Self; 13] = [
        Self::AdEvents,
        Self::Spend,
        Self::WebOrders,
        Self::Pos,
        Self::EmailLog,
        Self::Assignments,
        Self::Crm,
        Self::Preferences,
        Self::GeoPanel,
        Self::Areas,
        Self::SendTimes,
        Self::Vouchers,
        Self::Outreach,
    ];

    /// The file's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AdEvents => "ad_events.csv",
            Self::Spend => "spend.csv",
            Self::WebOrders => "web_orders.jsonl",
            Self::Pos => "pos.csv",
            Self::EmailLog => "email_log.csv",
            Self::Assignments => "assignments.csv",
            Self::Crm => "crm.csv",
            Self::Preferences => "preferences.csv",
            Self::GeoPanel => "geo_panel.csv",
            Self::Areas => "areas.csv",
            Self::SendTimes => "send_times.csv",
            Self::Vouchers => "vouchers.csv",
            Self::Outreach => "outreach.csv",
        }
    }

    /// Whether days that a closed loop adds bring rows to this file.
    pub(crate) const fn grows(self) -> bool {
        matches!(
            self,
            Self::AdEvents
                | Self::Spend
                | Self::WebOrders
                | Self::Pos
                | Self::EmailLog
                | Self::Preferences
                | Self::GeoPanel
        )
    }

    /// The name of the file with a day's rows.
    pub(crate) fn name_on(self, date: &str) -> String {
        match self.name().split_once('.') {
            Some((stem, extension)) => format!("{stem}-{date}.{extension}"),
            None => format!("{}-{date}", self.name()),
        }
    }

    /// Whether a market has this file: those of designs it does not use are left out.
    pub const fn is_in(self, scenario: &Scenario) -> bool {
        let designs = &scenario.interventions;
        match self {
            Self::GeoPanel | Self::Areas => designs.geo_test.is_some() || designs.rollout.is_some(),
            Self::SendTimes => designs.lottery.is_some(),
            Self::Vouchers => designs.voucher.is_some(),
            Self::Outreach => designs.outreach.is_some(),
            _ => true,
        }
    }

    fn table(self, world: &World) -> Table {
        match self {
            Self::AdEvents => ads::events(world),
            Self::Spend => ads::spend(world),
            Self::WebOrders => orders::web(world),
            Self::Pos => orders::pos(world),
            Self::EmailLog => mail::log(world),
            Self::Assignments => mail::assignments(world),
            Self::Crm => crm::records(world),
            Self::Preferences => crm::preferences(world),
            Self::GeoPanel => designs::geo_panel(world),
            Self::Areas => designs::areas(world),
            Self::SendTimes => designs::send_times(world),
            Self::Vouchers => designs::vouchers(world),
            Self::Outreach => designs::outreach(world),
        }
    }
}

impl World {
    /// Writes one file: CSV with a header, or one JSON object a line.
    pub fn write(&self, file: DataFile, out: &mut dyn Write) -> Result<(), MarketError> {
        let end = self.end().micros();
        self.write_arrived(file, i64::MIN..end, out).map(|_| ())
    }

    /// Writes the rows of a file that arrived within a span of time; how many there were.
    pub(crate) fn write_arrived(
        &self,
        file: DataFile,
        span: Range<i64>,
        out: &mut dyn Write,
    ) -> Result<usize, MarketError> {
        let mut table = file.table(self);
        table.rows.retain(|row| span.contains(&row.at));
        let written = if file == DataFile::WebOrders { table.jsonl(out) } else { table.csv(out) };
        written.map_err(|source| MarketError::Write { file: file.name().to_owned(), source })?;
        Ok(table.rows.len())
    }

    /// A stream for choices about the rows of a file.
    fn row_stream(&self, file: DataFile) -> Stream {
        Noise::new(self.seed(), file as u32).stream(Purpose::Row)
    }

    /// When a row is received: within ten minutes, or one to three days late; never after the last day of all.
    fn received(&self, stream: Stream, row: usize, occurred_us: i64) -> i64 {
        let at = |slot: u64| stream.uniform_at((row as u64) * 8 + slot);
        let late = at(0) < self.scenario().faults.late_share;
        let seconds = if late { 86_400.0 * (1.0 + 2.0 * at(1)) } else { 600.0 * at(1) };
        #[expect(clippy::cast_possible_truncation, reason = "below three days")]
        let delay = seconds as i64 * 1_000_000;
        (occurred_us + delay).min(self.last_arrival()).max(occurred_us)
    }
}

/// A row and the instant (µs) at which it reaches the file.
#[derive(Debug, Clone)]
struct Row {
    at: i64,
    /// The day on which it happened.
    day: u32,
    /// Whether it carries its value under another name than the header's.
    renamed: bool,
    fields: Vec<String>,
}

impl Row {
    /// The name under which a row of JSON carries a column.
    fn key<'a>(&self, name: &'a str) -> &'a str {
        if self.renamed && name == "value" { "total" } else { name }
    }
}

/// Rows in the order of a file.
#[derive(Debug)]
struct Table {
    header: &'static [&'static str],
    rows: Vec<Row>,
}

/// Which columns of a table faults damage.
struct Columns {
    id: usize,
    time: usize,
    /// A column with an amount that may not be negative.
    amount: Option<usize>,
}

impl Table {
    /// Adds copies of rows, with their ids, and extra rows that no reader should accept, then orders by arrival.
    fn spoil(mut self, world: &World, stream: Stream, columns: &Columns) -> Self {
        let faults = &world.scenario().faults;
        let last = world.last_arrival();
        let mut extra = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            let unit = |slot: u64| stream.uniform_at((index as u64) * 8 + slot);
            if unit(4) < faults.duplicate_share {
                extra.push(Row { at: (row.at + 30_000_000).min(last), ..row.clone() });
            }
            if unit(5) < faults.malformed_share {
                let mut bad = row.clone();
                bad.fields[columns.id] = format!("bad{index:07}");
                match columns.amount {
                    Some(amount) if unit(6) < 0.5 => "-12.5".clone_into(&mut bad.fields[amount]),
                    _ => "2026-13-45T25:61:00Z".clone_into(&mut bad.fields[columns.time]),
                }
                extra.push(bad);
            }
        }
        self.rows.extend(extra);
        self.rows.sort_by_key(|row| row.at);
        self
    }

    fn csv(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(self.header)?;
        for row in &self.rows {
            writer.write_record(&row.fields)?;
        }
        writer.flush()
    }

    /// Numbers are written as numbers, empty fields as null.
    fn jsonl(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for row in &self.rows {
            let object: serde_json::Map<String, serde_json::Value> = self
                .header
                .iter()
                .zip(&row.fields)
                .map(|(name, field)| (row.key(name).to_owned(), json(name, field)))
                .collect();
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

fn json(name: &str, field: &str) -> serde_json::Value {
    if field.is_empty() {
        return serde_json::Value::Null;
    }
    match field.parse::<f64>() {
        Ok(number) if name == "value" => number.into(),
        _ => field.into(),
    }
}

/// Micros as a decimal number without superfluous zeros.
fn amount(micros: i64) -> String {
    units_from_micros(micros).to_string()
}

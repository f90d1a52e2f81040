//! Google Ads: cost, clicks and impressions by day and campaign of paid search and display, in two shapes of the same
//! figures. Sources: Google Ads Help, "Download your reports" (the file of the user interface); Google Ads API, GAQL
//! report of `campaign` segmented by `segments.date` (its JSON).
//!
//! Traps of the downloaded file, all present here:
//! - two title lines (name, span of dates) stand before the header, each with fewer fields than the table;
//! - numbers follow the reader's region: `1.234,56` is quoted, and a count such as `1.234` is not 1.234;
//! - `--` stands where a figure has no meaning, such as the price of a click on a day without clicks;
//! - "Total:" rows close the table, one for each network and two for everything: summed with it, cost is threefold or more;
//! - days on which a campaign did nothing have no row.
//!
//! Traps of the API: 64-bit integers are strings in JSON, and cost is in millionths. Its networks have other names.
//!
//! The user interface shows cents; here cost keeps all its places, so that both files add up to the market exactly.

use std::io::{self, Write};

use serde::Serialize;

use super::VendorFile;
use super::figures::{CampaignDay, Figures, by_campaign_day, campaign_number, decimal, european, json_line};
use crate::{Channel, World};

pub(super) const REPORT: VendorFile = VendorFile {
    path: "google_ads/report.csv",
    summary: "cost, clicks and impressions by day and campaign, as downloaded in a European region",
    write: report,
};

pub(super) const REPORT_API: VendorFile = VendorFile {
    path: "google_ads/report_api.jsonl",
    summary: "cost, clicks and impressions by day and campaign, as the API answers",
    write: report_api,
};

const HEADER: [&str; 9] =
    ["Day", "Campaign", "Campaign ID", "Network", "Currency", "Cost", "Avg. CPC", "Clicks", "Impressions"];
const NO_VALUE: &str = "--";
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A network of the platform, which serves one channel of the market.
struct Network {
    channel: Channel,
    /// In the user interface.
    title: &'static str,
    total: &'static str,
    /// In the API.
    code: &'static str,
    campaign_type: &'static str,
    /// Campaigns of a network are numbered from here.
    first_id: u64,
}

const NETWORKS: [Network; 2] = [
    Network {
        channel: Channel::PaidSearch,
        title: "Google search",
        total: "Total: Search",
        code: "SEARCH",
        campaign_type: "SEARCH",
        first_id: 20_714_550_100,
    },
    Network {
        channel: Channel::Display,
        title: "Display Network",
        total: "Total: Display",
        code: "CONTENT",
        campaign_type: "DISPLAY",
        first_id: 20_714_550_500,
    },
];

/// Rows in the order of the table: by day, network and campaign.
fn rows(world: &World) -> Vec<(CampaignDay, &'static Network, &str, Figures)> {
    let sums = by_campaign_day(world, &NETWORKS.map(|n| n.channel));
    let known = sums.into_iter().filter_map(|(key, (name, figures))| {
        let network = NETWORKS.iter().find(|n| n.channel == key.1)?;
        Some((key, network, name, figures))
    });
    known.collect()
}

fn report(world: &World, out: &mut dyn Write) -> io::Result<()> {
    // Title lines have one field each, the table has nine.
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
    writer.write_record(["Campaign report"])?;
    let last = world.scenario().days.saturating_sub(1);
    writer.write_record([format!("{} - {}", long_date(world, 0), long_date(world, last))])?;
    writer.write_record(HEADER)?;
    let mut total = Figures::default();
    let mut by_network = NETWORKS.map(|_| Figures::default());
    for (key, network, name, figures) in rows(world) {
        let id = (network.first_id + campaign_number(key.2)).to_string();
        let day = world.instant(key.0, 0).date();
        writer.write_record(line(world, [&day, name, &id, network.title], figures))?;
        total.add(figures);
        for (sum, _) in by_network.iter_mut().zip(&NETWORKS).filter(|(_, n)| n.channel == network.channel) {
            sum.add(figures);
        }
    }
    let closing = [("Total: Campaigns", total)].into_iter();
    let closing = closing.chain(NETWORKS.iter().map(|n| n.total).zip(by_network)).chain([("Total: Account", total)]);
    for (label, figures) in closing {
        writer.write_record(line(world, [label, NO_VALUE, NO_VALUE, NO_VALUE], figures))?;
    }
    writer.flush()
}

fn line(world: &World, labels: [&str; 4], figures: Figures) -> Vec<String> {
    let price = i64::try_from(figures.clicks).ok().and_then(|clicks| figures.cost_micros.checked_div(clicks));
    let mut fields: Vec<String> = labels.map(str::to_owned).into();
    fields.extend([
        world.scenario().currency.clone(),
        european(&decimal(figures.cost_micros, 2)),
        // The price of a click is a ratio and has no exact decimal: whole cents, as shown to people.
        price.map_or_else(|| NO_VALUE.to_owned(), |micros| european(&decimal((micros + 5_000) / 10_000 * 10_000, 2))),
        european(&figures.clicks.to_string()),
        european(&figures.impressions.to_string()),
    ]);
    fields
}

/// A day as the title line writes it, such as `5 January 2026`.
fn long_date(world: &World, day: u32) -> String {
    let date = world.instant(day, 0).date();
    let mut parts = date.split('-').map(|part| part.parse::<usize>().unwrap_or(0));
    let (year, month, day) = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    let month = MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or_default();
    format!("{day} {month} {year}")
}

#[derive(Serialize)]
struct ApiRow<'a> {
    customer: ApiCustomer<'a>,
    campaign: ApiCampaign<'a>,
    segments: ApiSegments<'a>,
    metrics: ApiMetrics,
}

#[derive(Serialize)]
struct ApiCustomer<'a> {
    currency_code: &'a str,
}

#[derive(Serialize)]
struct ApiCampaign<'a> {
    id: String,
    name: &'a str,
    advertising_channel_type: &'a str,
}

#[derive(Serialize)]
struct ApiSegments<'a> {
    date: String,
    ad_network_type: &'a str,
}

#[derive(Serialize)]
struct ApiMetrics {
    cost_micros: String,
    clicks: String,
    impressions: String,
}

fn report_api(world: &World, out: &mut dyn Write) -> io::Result<()> {
    for (key, network, name, figures) in rows(world) {
        let id = (network.first_id + campaign_number(key.2)).to_string();
        let row = ApiRow {
            customer: ApiCustomer { currency_code: &world.scenario().currency },
            campaign: ApiCampaign { id, name, advertising_channel_type: network.campaign_type },
            segments: ApiSegments { date: world.instant(key.0, 0).date(), ad_network_type: network.code },
            metrics: ApiMetrics {
                cost_micros: figures.cost_micros.to_string(),
                clicks: figures.clicks.to_string(),
                impressions: figures.impressions.to_string(),
            },
        };
        json_line(out, &row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;
    use throughline_core::EventKind;

    use super::*;
    use crate::Scenario;

    fn world() -> World {
        World::simulate(&Scenario::default().with_people(600), 11).expect("valid")
    }

    fn text(world: &World, file: &VendorFile) -> String {
        let mut out = Vec::new();
        world.write_vendor(file, &mut out).expect("writes to memory");
        String::from_utf8(out).expect("UTF-8")
    }

    /// Reads a European number as micros.
    fn micros(text: &str) -> i64 {
        let plain = text.replace('.', "");
        let (whole, places) = plain.split_once(',').unwrap_or((&plain, ""));
        format!("{whole}{places:0<6}").parse().expect("a number")
    }

    fn count(text: &str) -> i64 {
        micros(text) / 1_000_000
    }

    /// (day, campaign) to (cost, clicks, impressions) of the downloaded file, and its closing rows.
    type Sums = BTreeMap<(String, String), (i64, i64, i64)>;

    fn read(world: &World) -> (Sums, Sums) {
        let text = text(world, &REPORT);
        let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(|r| r.expect("CSV")).collect();
        assert_eq!(records[0], csv::StringRecord::from(vec!["Campaign report"]));
        assert_eq!(records[1], csv::StringRecord::from(vec!["5 January 2026 - 4 April 2026"]));
        assert_eq!(records[2], csv::StringRecord::from(HEADER.to_vec()));
        let (mut table, mut closing) = (Sums::new(), Sums::new());
        for record in &records[3..] {
            assert_eq!(record.len(), HEADER.len(), "{record:?}");
            assert_eq!(&record[6] == NO_VALUE, &record[7] == "0", "{record:?}");
            let figures = (micros(&record[5]), count(&record[7]), count(&record[8]));
            let sums = if record[0].starts_with("Total:") { &mut closing } else { &mut table };
            assert!(sums.insert((record[0].to_owned(), record[1].to_owned()), figures).is_none(), "{record:?}");
        }
        (table, closing)
    }

    #[test]
    fn the_downloaded_file_adds_up_to_the_market_and_to_its_closing_rows() {
        let world = world();
        let (table, closing) = read(&world);
        let days = world.scenario().days;
        let touches = || world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < days);
        let ours = |t: &&crate::Touch| matches!(t.channel, Channel::PaidSearch | Channel::Display);
        let sum = |f: fn(&(i64, i64, i64)) -> i64| table.values().map(f).sum::<i64>();
        let total = (sum(|s| s.0), sum(|s| s.1), sum(|s| s.2));
        assert_eq!(total.0, touches().filter(ours).map(|t| t.cost_micros).sum::<i64>());
        assert_eq!(usize::try_from(total.1), Ok(touches().filter(ours).filter(|t| t.kind == EventKind::Click).count()));
        let part = |name: &str| closing[&(name.to_owned(), NO_VALUE.to_owned())];
        let (search, display) = (part("Total: Search"), part("Total: Display"));
        assert_eq!(part("Total: Account"), total);
        assert_eq!(part("Total: Campaigns"), total);
        assert_eq!((search.0 + display.0, search.1 + display.1, search.2 + display.2), total);
        let shown = touches().filter(|t| t.channel == Channel::Display && t.kind == EventKind::Impression).count();
        assert_eq!(usize::try_from(display.2), Ok(shown));
        assert!(search.0 > 0 && display.0 > 0 && closing.len() == 4);
        // A campaign of one day agrees with the touches of that day.
        let generic = |t: &&crate::Touch| t.day == 30 && ours(t) && world.campaign_name(t) == "generic";
        let row = table[&(world.instant(30, 0).date(), "generic".to_owned())];
        assert_eq!(row.0, touches().filter(generic).map(|t| t.cost_micros).sum::<i64>());
    }

    #[test]
    fn the_api_tells_the_same_figures_with_integers_as_strings() {
        let world = world();
        let (table, _) = read(&world);
        let mut api = Sums::new();
        for line in text(&world, &REPORT_API).lines() {
            let row: Value = serde_json::from_str(line).expect("JSON");
            let text = |a: &str, b: &str| row[a][b].as_str().expect("a string").to_owned();
            let number = |name: &str| text("metrics", name).parse::<i64>().expect("an integer");
            let key = (text("segments", "date"), text("campaign", "name"));
            api.insert(key, (number("cost_micros"), number("clicks"), number("impressions")));
        }
        assert_eq!(api, table);
    }
}

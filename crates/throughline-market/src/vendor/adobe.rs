//! The data feed of Adobe Analytics: hits without a header, the header and the lookups in files of their own. Sources:
//! Adobe Experience League, "Data column reference", "Calculate metrics using data feed data", "Purchase event",
//! "purchaseID".
//!
//! Traps, all present here:
//! - rows with `exclude_hit` above 0 (staff at the counter, kept out by their address) are no visitors' hits;
//! - rows with `hit_source` 5, 7, 8 or 9 are uploads of what is here already;
//! - a thank-you page loaded again is a second row with event 1, the same `purchaseid`, and `duplicate_purchase` 1;
//! - a visitor is `post_visid_high` with `post_visid_low`, a visit these with `visit_num` and `visit_start_time_gmt`;
//!   the halves have 64 bits without sign, which neither a signed integer nor a double holds;
//! - events are numbers (lookup), lists of them have commas, and 1 must not match 12;
//! - the price in `product_list` is that of all pieces, not of one;
//! - `campaign` stands on the first hit of a visit, `post_campaign` stays for 90 days.
//!
//! The report suite keeps UTC. The order's hit is the view of its page, where other tools have two events.

use std::io::{self, Write};

use super::VendorFile;
use super::figures::decimal;
use super::site::{self, Origin};
use super::web::{self, Hit, Visit, What};
use crate::{Person, World};

pub(super) const HIT_DATA: VendorFile = VendorFile {
    path: "adobe/hit_data.tsv",
    summary: "hits of the web site in Adobe's data feed, without header",
    write: hit_data,
};

pub(super) const COLUMN_HEADERS: VendorFile = VendorFile {
    path: "adobe/column_headers.tsv",
    summary: "the header of the data feed's hits",
    write: |_, out| table(out, [COLUMNS.map(str::to_owned)]),
};

pub(super) const LOOKUP_EVENT: VendorFile = VendorFile {
    path: "adobe/lookup_event.tsv",
    summary: "names of the data feed's events",
    write: |_, out| table(out, EVENTS.map(|(id, name)| [id.to_owned(), name.to_owned()])),
};

pub(super) const LOOKUP_BROWSER: VendorFile = VendorFile {
    path: "adobe/lookup_browser.tsv",
    summary: "names of the data feed's browsers",
    write: |_, out| table(out, browsers()),
};

/// Share of hits that have an excluded hit of the staff beside them.
const EXCLUDED_SHARE: f64 = 0.03;
/// Share of orders that are uploaded beside being seen, and the sources of uploads.
const UPLOADED_SHARE: f64 = 0.10;
const UPLOADS: [&str; 4] = ["5", "7", "8", "9"];
/// Scramble this tool's identifiers of visitors and hits, and of staff.
const TOOL: u64 = 3;
const STAFF: u64 = 4;
/// Browsers are numbered from here.
const FIRST_BROWSER: usize = 1_001;

#[rustfmt::skip]
const EVENTS: [(&str, &str); 8] = [
    ("1", "Purchase"), ("2", "Product View"), ("10", "Cart Open"), ("11", "Checkout"), ("12", "Cart Add"),
    ("13", "Cart Remove"), ("14", "Cart View"), ("200", "Sign-up"),
];

#[rustfmt::skip]
const COLUMNS: [&str; 34] = [
    "hitid_high", "hitid_low", "visid_high", "visid_low", "post_visid_high", "post_visid_low", "hit_time_gmt",
    "date_time", "visit_num", "visit_start_time_gmt", "visit_page_num", "new_visit", "hit_source", "exclude_hit",
    "duplicate_purchase", "page_event", "post_page_event", "pagename", "page_url", "referrer", "campaign",
    "post_campaign", "event_list", "post_event_list", "product_list", "post_product_list", "purchaseid",
    "post_purchaseid", "currency", "curr_rate", "browser", "geo_region", "language", "user_agent",
];

/// What a row stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Visitor,
    Staff,
    /// With its `hit_source`.
    Upload(&'static str),
}

fn table<const N: usize>(out: &mut dyn Write, rows: impl IntoIterator<Item = [String; N]>) -> io::Result<()> {
    let mut writer = web::tsv(out);
    for row in rows {
        writer.write_record(&row)?;
    }
    writer.flush()
}

fn browsers() -> Vec<[String; 2]> {
    let named = (FIRST_BROWSER..).zip(&site::AGENTS).map(|(id, agent)| {
        let kind = if agent.mobile { "Mobile " } else { "" };
        [id.to_string(), format!("{kind}{} {} on {}", agent.browser, agent.version, agent.os)]
    });
    [["0".to_owned(), "Not Specified".to_owned()]].into_iter().chain(named).collect()
}

fn hit_data(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let visits = web::visits(world);
    let rows = web::by_time(&visits).into_iter().filter(|(_, hit)| sent(hit)).flat_map(|(visit, hit)| {
        let u = visit.choice(hit, 3);
        let upload = matches!(hit.what, What::Order { again: false, .. }) && u >= 1.0 - UPLOADED_SHARE;
        let source = UPLOADS.iter().zip(0_u64..).find(|(_, at)| *at == hit.key[1] % 4).map_or("5", |(s, _)| *s);
        let extra = [(Kind::Staff, u < EXCLUDED_SHARE), (Kind::Upload(source), upload)];
        let kinds = [Kind::Visitor].into_iter().chain(extra.into_iter().filter(|e| e.1).map(|e| e.0));
        kinds.map(move |kind| row(world, visit, hit, kind))
    });
    table(out, rows)
}

/// Whether a hit is sent: the view of the thank-you page is part of the order's hit.
fn sent(hit: &Hit) -> bool {
    hit.what != What::View || hit.page != &site::THANKS
}

fn row(world: &World, visit: &Visit, hit: &Hit, kind: Kind) -> [String; COLUMNS.len()] {
    let second = |micros: i64| (micros / 1_000_000).to_string();
    let seen = kind != Kind::Staff;
    let (person, tool) = (&visit.life.person, if seen { TOOL } else { STAFF });
    let [high, low] = web::device_key(person, visit.device, tool).map(|half| half.to_string());
    let [hit_high, hit_low] = web::scrambled(hit.key, TOOL);
    let part = match kind {
        Kind::Visitor => 0,
        Kind::Staff => 1,
        Kind::Upload(_) => 2,
    };
    let page = visit.hits.iter().filter(|h| sent(h)).take_while(|h| h.address != hit.address).count() + 1;
    let view = matches!(hit.what, What::View | What::Order { .. });
    let (events, products, purchase) = conversion(hit, kind);
    let again = matches!(hit.what, What::Order { again: true, .. });
    let code = |origin: Option<Origin>| origin.filter(|_| seen).map(tracking_code).unwrap_or_default();
    [
        hit_high.to_string(),
        (hit_low ^ part).to_string(),
        high.clone(),
        low.clone(),
        high,
        low,
        second(hit.at.micros()),
        web::clock(hit.at, ' ').0,
        if seen { visit.number.to_string() } else { "1".to_owned() },
        if seen { second(visit.start.micros()) } else { second(hit.at.micros()) },
        page.to_string(),
        u8::from(page == 1 && kind == Kind::Visitor).to_string(),
        if let Kind::Upload(source) = kind { source } else { "1" }.to_owned(),
        if seen { "0" } else { "4" }.to_owned(),
        u8::from(again).to_string(),
        if view { "0" } else { "10" }.to_owned(),
        if view { "0" } else { "100" }.to_owned(),
        hit.page.title.to_owned(),
        if seen { visit.url(hit) } else { format!("https://{}{}", site::HOST, hit.page.path) },
        if seen { visit.referrer(hit) } else { String::new() },
        code(visit.origin.filter(|_| hit.lands())),
        code(visit.last_campaign),
        events.clone(),
        events,
        products.clone(),
        products,
        purchase.clone(),
        purchase,
        world.scenario().currency.clone(),
        "1.0".to_owned(),
        browser(visit).to_string(),
        person.region_name().to_owned(),
        "en".to_owned(),
        visit.agent().header.to_owned(),
    ]
}

/// Whose `post_visid_high:post_visid_low` is whose.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    web::identity(world, "adobe_visid", visid)
}

fn visid(person: &Person, device: u32) -> String {
    web::device_key(person, device, TOOL).map(|half| half.to_string()).join(":")
}

/// Events, products and order of a hit.
fn conversion(hit: &Hit, kind: Kind) -> (String, String, String) {
    let product = format!(";{};;", hit.page.sku);
    match &hit.what {
        What::View if hit.page.sku.is_empty() => Default::default(),
        What::View => ("2".to_owned(), product, String::new()),
        What::Cart => ("12".to_owned(), product, String::new()),
        What::SignUp => ("200".to_owned(), String::new(), String::new()),
        What::Order { id, value_micros, .. } => {
            let sku = site::product(hit.key[0]).sku;
            let purchase = match kind {
                Kind::Visitor | Kind::Upload("7") => id.clone(),
                Kind::Staff => format!("t{id}"),
                Kind::Upload(_) => String::new(),
            };
            ("1".to_owned(), format!(";{sku};1;{}", decimal(*value_micros, 2)), purchase)
        }
    }
}

fn tracking_code(origin: Origin) -> String {
    let own = origin.campaign.map(|campaign| format!("{}:{}:{}", origin.source, origin.medium, site::plain(campaign)));
    own.unwrap_or_default()
}

fn browser(visit: &Visit) -> usize {
    FIRST_BROWSER + site::AGENTS.iter().position(|agent| agent == visit.agent()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::derived::testing::{check_share, micros, text, world};
    use super::super::walk::testing::Market;
    use super::*;

    type Row = BTreeMap<String, String>;

    fn rows(world: &World) -> Vec<Row> {
        let header = text(world, &COLUMN_HEADERS);
        let names: Vec<&str> = header.trim_end().split('\t').collect();
        assert_eq!(names.len(), 34);
        let row = |line: &str| {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields.len(), names.len(), "{line}");
            names.iter().zip(fields).map(|(name, field)| ((*name).to_owned(), field.to_owned())).collect()
        };
        text(world, &HIT_DATA).lines().map(row).collect()
    }

    fn uploaded(row: &Row) -> bool {
        ["5", "7", "8", "9"].contains(&row["hit_source"].as_str())
    }

    fn has(row: &Row, event: &str) -> bool {
        row["post_event_list"].split(',').any(|e| e == event)
    }

    /// Number, value and instant of the order of a row.
    fn order(row: &Row) -> (String, i64, i64) {
        let price = row["post_product_list"].rsplit(';').next().expect("a price");
        let at: i64 = row["hit_time_gmt"].parse().expect("seconds");
        (row["post_purchaseid"].clone(), micros(price), at * 1_000_000)
    }

    #[test]
    fn what_is_kept_is_the_markets() {
        let world = world(800, 24);
        let (market, rows) = (Market::of(&world), rows(&world));
        let kept: Vec<_> = rows.iter().filter(|r| r["exclude_hit"] == "0" && !uploaded(r)).collect();
        market.check_orders(kept.iter().filter(|r| has(r, "1")).map(|r| order(r)));
        let again = kept.iter().filter(|r| r["duplicate_purchase"] == "1").count();
        assert_eq!(kept.iter().filter(|r| has(r, "1")).count() - again, market.orders.len());
        let visit = |r: &&&Row| {
            ["post_visid_high", "post_visid_low", "visit_num", "visit_start_time_gmt"].map(|name| r[name].clone())
        };
        assert_eq!(kept.iter().map(|r| visit(&r)).collect::<BTreeSet<_>>().len(), market.visits());
        assert_eq!(kept.iter().filter(|r| r["new_visit"] == "1").count(), market.visits());
        assert_eq!(kept.iter().filter(|r| has(r, "12")).count(), market.carts);
        assert_eq!(kept.iter().filter(|r| has(r, "200")).count(), market.sign_ups);
        assert!(rows.is_sorted_by_key(|r| r["hit_time_gmt"].parse::<i64>().expect("seconds")));
    }

    #[test]
    fn what_must_be_dropped_is_there_in_its_share_and_would_add_orders() {
        let world = world(800, 24);
        let (market, rows) = (Market::of(&world), rows(&world));
        let staff: Vec<_> = rows.iter().filter(|r| r["exclude_hit"] != "0").collect();
        let uploads: Vec<_> = rows.iter().filter(|r| uploaded(r)).collect();
        check_share("staff", staff.len(), rows.len() - staff.len() - uploads.len(), EXCLUDED_SHARE);
        check_share("uploads", uploads.len(), market.orders.len(), UPLOADED_SHARE);
        assert!(staff.iter().any(|r| has(r, "1") && !market.orders.contains_key(&r["purchaseid"])));
        let all: BTreeSet<_> = rows.iter().map(|r| (&r["visid_high"], r["exclude_hit"] != "0")).collect();
        assert_eq!(all.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len(), all.len(), "staff are visitors");
        let hits: BTreeSet<_> = rows.iter().map(|r| (&r["hitid_high"], &r["hitid_low"])).collect();
        assert_eq!(hits.len(), rows.len());
    }

    #[test]
    fn codes_stay_halves_are_wide_and_numbers_are_looked_up() {
        let world = world(800, 24);
        let rows = rows(&world);
        assert!(rows.iter().any(|r| r["visid_high"].parse::<i64>().is_err() && r["visid_high"].parse::<u64>().is_ok()));
        assert!(rows.iter().any(|r| has(r, "1") && r["campaign"].is_empty() && !r["post_campaign"].is_empty()));
        for row in rows.iter().filter(|r| !r["campaign"].is_empty()) {
            assert_eq!(row["campaign"], row["post_campaign"]);
            assert!(row["page_url"].contains("utm_campaign="), "{}", row["page_url"]);
        }
        let lookup = |file| -> BTreeMap<String, String> {
            let text = text(&world, file);
            let pair = |line: &str| line.split_once('\t').map(|(id, name)| (id.to_owned(), name.to_owned()));
            text.lines().map(|line| pair(line).expect("two columns")).collect()
        };
        let (events, browsers) = (lookup(&LOOKUP_EVENT), lookup(&LOOKUP_BROWSER));
        assert!(rows.iter().all(|r| browsers.contains_key(&r["browser"])));
        let listed = rows.iter().flat_map(|r| r["post_event_list"].split(',')).filter(|e| !e.is_empty());
        assert!(listed.into_iter().all(|event| events.contains_key(event)));
    }
}

//! Snowplow's enriched events, a TSV without header, in the order of their arrival. Sources: Snowplow documentation,
//! "Enriched stream TSV file format" (131 columns) and "Canonical event model".
//!
//! Traps, all present here:
//! - `dvce_created_tstamp` and `dvce_sent_tstamp` are the device's clock, which is off on a tenth of the devices;
//!   `derived_tstamp` is `collector_tstamp − (sent − created)` and right, for the error is in both;
//! - events that a device sends a day or more late come after younger ones;
//! - delivery is at least once: some events come twice with the same `event_id` and fingerprint and another
//!   `collector_tstamp` (the scenario's share of rows written twice);
//! - a thank-you page loaded again is a second `transaction` with an `event_id` of its own and the same `tr_orderid`;
//! - `mkt_*` is taken from the address, so it is there only until the visitor leaves the first page of a visit;
//! - `domain_userid` is a cookie of the site, `network_userid` one of the collector's host; they never agree;
//! - `user_id` is there from a sign-up or order in that browser on.
//!
//! The network takes no time here, so `derived_tstamp` is the true instant. Pings of open pages are left out.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;
use throughline_core::Timestamp;

use super::VendorFile;
use super::figures::decimal;
use super::site;
use super::web::{self, Hit, Visit, What};
use crate::{Person, World};

pub(super) const EVENTS: VendorFile = VendorFile {
    path: "snowplow/events.tsv",
    summary: "enriched events of the web site from Snowplow, without header",
    write: events,
};

/// Scramble this tool's identifiers: of the collector's host, of events, of page views, and the fingerprint.
const NETWORK: u64 = 5;
const EVENT: u64 = 6;
const VIEW: u64 = 7;
const FINGERPRINT: u64 = 8;
/// Enrichment follows on collection.
const ETL_MICROS: i64 = 1_400_000;

/// The columns, in order.
#[rustfmt::skip]
const COLUMNS: [&str; 131] = [
    "app_id", "platform", "etl_tstamp", "collector_tstamp", "dvce_created_tstamp", "event", "event_id", "txn_id",
    "name_tracker", "v_tracker", "v_collector", "v_etl", "user_id", "user_ipaddress", "user_fingerprint",
    "domain_userid", "domain_sessionidx", "network_userid", "geo_country", "geo_region", "geo_city", "geo_zipcode",
    "geo_latitude", "geo_longitude", "geo_region_name", "ip_isp", "ip_organization", "ip_domain", "ip_netspeed",
    "page_url", "page_title", "page_referrer", "page_urlscheme", "page_urlhost", "page_urlport", "page_urlpath",
    "page_urlquery", "page_urlfragment", "refr_urlscheme", "refr_urlhost", "refr_urlport", "refr_urlpath",
    "refr_urlquery", "refr_urlfragment", "refr_medium", "refr_source", "refr_term", "mkt_medium", "mkt_source",
    "mkt_term", "mkt_content", "mkt_campaign", "contexts", "se_category", "se_action", "se_label", "se_property",
    "se_value", "unstruct_event", "tr_orderid", "tr_affiliation", "tr_total", "tr_tax", "tr_shipping", "tr_city",
    "tr_state", "tr_country", "ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_price", "ti_quantity",
    "pp_xoffset_min", "pp_xoffset_max", "pp_yoffset_min", "pp_yoffset_max", "useragent", "br_name", "br_family",
    "br_version", "br_type", "br_renderengine", "br_lang", "br_features_pdf", "br_features_flash", "br_features_java",
    "br_features_director", "br_features_quicktime", "br_features_realplayer", "br_features_windowsmedia",
    "br_features_gears", "br_features_silverlight", "br_cookies", "br_colordepth", "br_viewwidth", "br_viewheight",
    "os_name", "os_family", "os_manufacturer", "os_timezone", "dvce_type", "dvce_ismobile", "dvce_screenwidth",
    "dvce_screenheight", "doc_charset", "doc_width", "doc_height", "tr_currency", "tr_total_base", "tr_tax_base",
    "tr_shipping_base", "ti_currency", "ti_price_base", "base_currency", "geo_timezone", "mkt_clickid", "mkt_network",
    "etl_tags", "dvce_sent_tstamp", "refr_domain_userid", "refr_dvce_tstamp", "derived_contexts", "domain_sessionid",
    "derived_tstamp", "event_vendor", "event_name", "event_format", "event_version", "event_fingerprint",
    "true_tstamp",
];

/// An event by the names of its columns; the others are empty.
type Row = BTreeMap<&'static str, String>;

fn events(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let visits = web::visits(world);
    let mut writer = web::tsv(out);
    for (received, visit, hit) in web::by_arrival(world, &visits) {
        let row = event(world, visit, hit, received);
        writer.write_record(COLUMNS.map(|name| row.get(name).map_or("", String::as_str)))?;
    }
    writer.flush()
}

fn event(world: &World, visit: &Visit, hit: &Hit, received: Timestamp) -> Row {
    let off = visit.clock_off_micros();
    let (person, device) = (&visit.life.person, visit.device);
    let [high, low] = web::scrambled(hit.key, FINGERPRINT);
    let mut row = Row::from([
        ("platform", "web".to_owned()),
        ("etl_tstamp", instant(received.plus_micros(ETL_MICROS))),
        ("collector_tstamp", instant(received)),
        ("dvce_created_tstamp", instant(hit.at.plus_micros(off))),
        ("dvce_sent_tstamp", instant(received.plus_micros(off))),
        ("derived_tstamp", instant(hit.at)),
        ("event_id", web::uuid(web::scrambled(hit.key, EVENT))),
        ("event_fingerprint", format!("{high:016x}{low:016x}")),
        ("name_tracker", "sp".to_owned()),
        ("v_tracker", "js-4.6.8".to_owned()),
        ("v_collector", "ssc-3.5.0-kinesis".to_owned()),
        ("v_etl", "enrich-kinesis-6.1.0".to_owned()),
        ("domain_userid", domain_userid(person, device)),
        ("domain_sessionidx", visit.number.to_string()),
        ("domain_sessionid", web::uuid(visit.key)),
        ("network_userid", web::uuid(web::device_key(person, device, NETWORK))),
        ("geo_region_name", person.region_name().to_owned()),
    ]);
    if hit.known {
        row.insert("user_id", person.crm_id());
    }
    page(&mut row, visit, hit);
    agent(&mut row, visit);
    what(&mut row, world, hit);
    row
}

/// Whose `domain_userid` is whose.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    web::identity(world, "snowplow_domain_userid", domain_userid)
}

fn domain_userid(person: &Person, device: u32) -> String {
    format!("{:016x}", person.cookie_code(device))
}

/// An instant as Snowplow writes it, in UTC.
fn instant(at: Timestamp) -> String {
    let (text, ms) = web::clock(at, ' ');
    format!("{text}.{ms:03}")
}

fn page(row: &mut Row, visit: &Visit, hit: &Hit) {
    let referrer = visit.referrer(hit);
    let view = json!({
        "schema": "iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0",
        "data": [{
            "schema": "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0",
            "data": {"id": web::uuid(web::scrambled(hit.view, VIEW))},
        }],
    });
    row.extend([
        ("page_url", visit.url(hit)),
        ("page_title", hit.page.title.to_owned()),
        ("page_urlscheme", "https".to_owned()),
        ("page_urlhost", site::HOST.to_owned()),
        ("page_urlport", "443".to_owned()),
        ("page_urlpath", hit.page.path.to_owned()),
        ("page_urlquery", visit.query(hit)),
        ("contexts", view.to_string()),
    ]);
    if let Some((host, _)) = referrer.strip_prefix("https://").and_then(|rest| rest.split_once('/')) {
        let (medium, source) = match host {
            site::HOST => ("internal", ""),
            "www.google.com" => ("search", "Google"),
            "m.facebook.com" => ("social", "Facebook"),
            _ => ("unknown", ""),
        };
        row.extend([
            ("refr_urlscheme", "https".to_owned()),
            ("refr_urlhost", host.to_owned()),
            ("refr_medium", medium.to_owned()),
            ("refr_source", source.to_owned()),
        ]);
    }
    row.insert("page_referrer", referrer);
    let origin = visit.origin.filter(|_| hit.from.is_none());
    if let Some((origin, campaign)) = origin.and_then(|o| o.campaign.map(|campaign| (o, campaign))) {
        row.extend([
            ("mkt_medium", origin.medium.to_owned()),
            ("mkt_source", origin.source.to_owned()),
            ("mkt_campaign", site::plain(campaign)),
        ]);
    }
}

fn agent(row: &mut Row, visit: &Visit) {
    let agent = visit.agent();
    row.extend([
        ("useragent", agent.header.to_owned()),
        ("br_family", agent.browser.to_owned()),
        ("br_version", agent.version.to_owned()),
        ("br_lang", "en".to_owned()),
        ("br_cookies", "1".to_owned()),
        ("os_family", agent.os.to_owned()),
        ("dvce_type", if agent.mobile { "Mobile" } else { "Computer" }.to_owned()),
        ("dvce_ismobile", u8::from(agent.mobile).to_string()),
        ("dvce_screenwidth", agent.screen.0.to_string()),
        ("dvce_screenheight", agent.screen.1.to_string()),
    ]);
}

fn what(row: &mut Row, world: &World, hit: &Hit) {
    let (event, vendor, name) = match &hit.what {
        What::View => ("page_view", "com.snowplowanalytics.snowplow", "page_view"),
        What::Cart | What::SignUp => ("struct", "com.google.analytics", "event"),
        What::Order { .. } => ("transaction", "com.snowplowanalytics.snowplow", "transaction"),
    };
    row.extend([
        ("event", event.to_owned()),
        ("event_vendor", vendor.to_owned()),
        ("event_name", name.to_owned()),
        ("event_format", "jsonschema".to_owned()),
        ("event_version", "1-0-0".to_owned()),
    ]);
    match &hit.what {
        What::View => {}
        What::Cart => row.extend([
            ("se_category", "ecommerce".to_owned()),
            ("se_action", "add_to_cart".to_owned()),
            ("se_label", hit.page.sku.to_owned()),
        ]),
        What::SignUp => row.extend([("se_category", "account".to_owned()), ("se_action", "sign_up".to_owned())]),
        What::Order { id, value_micros, .. } => row.extend([
            ("tr_orderid", id.clone()),
            ("tr_total", decimal(*value_micros, 2)),
            ("tr_currency", world.scenario().currency.clone()),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::derived::testing::{check_share, micros, text, world};
    use super::super::walk::testing::Market;
    use super::*;

    type Event = BTreeMap<&'static str, String>;

    fn rows(world: &World) -> Vec<Event> {
        let text = text(world, &EVENTS);
        let row = |line: &str| {
            let fields: Vec<_> = line.split('\t').collect();
            assert_eq!(fields.len(), 131, "{line}");
            COLUMNS.into_iter().zip(fields).map(|(name, field)| (name, field.to_owned())).collect()
        };
        text.lines().map(row).collect()
    }

    fn at(row: &Event, column: &str) -> i64 {
        row[column].parse::<Timestamp>().expect("an instant").micros()
    }

    #[test]
    fn columns_are_where_the_format_has_them() {
        let places =
            [(3, "etl_tstamp"), (7, "event_id"), (16, "domain_userid"), (53, "contexts"), (59, "unstruct_event")];
        let later = [(62, "tr_total"), (123, "derived_contexts"), (124, "domain_sessionid"), (131, "true_tstamp")];
        for (place, name) in places.into_iter().chain(later) {
            assert_eq!(COLUMNS[place - 1], name);
        }
        let world = world(400, 23);
        let visits = web::visits(&world);
        for (received, visit, hit) in web::by_arrival(&world, &visits) {
            let row = event(&world, visit, hit, received);
            assert!(row.keys().all(|name| COLUMNS.contains(name)), "{row:?}");
        }
    }

    #[test]
    fn sessions_orders_and_revenue_are_the_markets() {
        let world = world(800, 23);
        let (market, rows) = (Market::of(&world), rows(&world));
        let sessions: BTreeSet<_> = rows.iter().map(|r| &r["domain_sessionid"]).collect();
        assert_eq!(sessions.len(), market.visits());
        let (mut seen, mut fingerprints) = (BTreeSet::new(), BTreeSet::new());
        let mut once: Vec<_> = rows.iter().filter(|r| seen.insert(&r["event_id"])).collect();
        assert!(once.iter().all(|r| fingerprints.insert(&r["event_fingerprint"])));
        check_share("twice", rows.len() - once.len(), once.len(), world.scenario().faults.duplicate_share);
        once.sort_by_key(|r| at(r, "derived_tstamp"));
        let orders = once.iter().filter(|r| r["event"] == "transaction");
        market.check_orders(orders.map(|r| (r["tr_orderid"].clone(), micros(&r["tr_total"]), at(r, "derived_tstamp"))));
        let carts = once.iter().filter(|r| r["event"] == "struct" && r["se_action"] == "add_to_cart");
        assert_eq!(carts.count(), market.carts);
        assert_eq!(once.iter().filter(|r| r["se_action"] == "sign_up").count(), market.sign_ups);
    }

    #[test]
    fn derived_instants_undo_the_devices_clock() {
        let rows = rows(&world(800, 23));
        let mut off: BTreeMap<&str, i64> = BTreeMap::new();
        for row in &rows {
            let held = at(row, "dvce_sent_tstamp") - at(row, "dvce_created_tstamp");
            assert_eq!(at(row, "derived_tstamp"), at(row, "collector_tstamp") - held);
            off.insert(&row["domain_userid"], at(row, "dvce_created_tstamp") - at(row, "derived_tstamp"));
        }
        check_share("clocks", off.values().filter(|e| **e != 0).count(), off.len(), web::OFF_CLOCK_SHARE);
        assert!(rows.is_sorted_by_key(|r| at(r, "collector_tstamp")));
        assert!(!rows.is_sorted_by_key(|r| at(r, "derived_tstamp")), "some come late");
    }

    #[test]
    fn marketing_columns_come_from_the_address_and_cookies_differ() {
        let rows = rows(&world(800, 23));
        for row in &rows {
            assert_eq!(row["mkt_source"].is_empty(), !row["page_url"].contains("utm_source="));
            assert_ne!(row["domain_userid"], row["network_userid"]);
        }
        assert!(rows.iter().any(|r| r["mkt_medium"] == "cpc" && r["mkt_campaign"] == "brand"));
        assert!(rows.iter().any(|r| r["refr_medium"] == "search" && r["mkt_source"].is_empty()));
        assert!(rows.iter().all(|r| r["event"] != "transaction" || !r["user_id"].is_empty()));
    }
}

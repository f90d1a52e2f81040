//! Segment, its calls as lines of JSON in the order of their arrival. Sources: Segment documentation, "Spec: Common
//! Fields", "Spec: Identify", "Spec: V2 Ecommerce Events", "Consent in Segment".
//!
//! Traps, all present here:
//! - `originalTimestamp` and `sentAt` are the device's clock, which is off on a tenth of the devices; `timestamp` is
//!   `receivedAt − (sentAt − originalTimestamp)` and right, for the error is in both;
//! - calls that a device sends a day or more late come after younger ones;
//! - a call that was sent twice has the same `messageId` twice (the scenario's share of rows written twice);
//! - an order whose thank-you page is loaded again is a second `Order Completed` with a `messageId` of its own and the
//!   same `order_id`;
//! - `userId` is null until the visitor signed up or ordered in that browser, and stays from then on;
//! - `context.campaign` is there only while the address has parameters: on the first page of a visit.
//!
//! The network takes no time here, so that `timestamp` is the true instant.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use throughline_core::money::units_from_micros;
use throughline_core::{Purpose, Timestamp};

use super::VendorFile;
use super::figures::json_line;
use super::site;
use super::web::{self, Hit, Visit, What};
use crate::{Person, World};

pub(super) const CALLS: VendorFile = VendorFile {
    path: "segment/calls.jsonl",
    summary: "page, identify and track calls of the web site as Segment delivers them",
    write: calls,
};

/// Scrambles this tool's identifiers.
const TOOL: u64 = 2;

/// A call of the site and what tells its kinds apart.
struct Call {
    kind: &'static str,
    /// Distinguishes the calls of one hit.
    part: u64,
    name: Option<&'static str>,
    body: (&'static str, Value),
}

fn calls(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let visits = web::visits(world);
    for (received, visit, hit) in web::by_arrival(world, &visits) {
        for call in of(world, visit, hit) {
            json_line(out, &line(visit, hit, received, call))?;
        }
    }
    Ok(())
}

/// The calls that the site makes for a hit.
fn of(world: &World, visit: &Visit, hit: &Hit) -> Vec<Call> {
    let person = &visit.life.person;
    let track = |name, properties| Call { kind: "track", part: 0, name: Some(name), body: ("properties", properties) };
    let identify = || {
        let traits = json!({"email": person.email(), "firstName": person.first_name(), "lastName": person.last_name()});
        Call { kind: "identify", part: 1, name: None, body: ("traits", traits) }
    };
    let currency = &world.scenario().currency;
    match &hit.what {
        What::View => {
            vec![Call { kind: "page", part: 0, name: Some(hit.page.title), body: ("properties", page(visit, hit)) }]
        }
        What::Cart => {
            let product = json!({
                "product_id": hit.page.sku, "name": hit.page.title, "quantity": 1, "currency": currency,
            });
            vec![track("Product Added", product)]
        }
        What::SignUp => vec![identify()],
        What::Order { id, value_micros, again } => {
            let value = units_from_micros(*value_micros);
            let order = json!({
                "order_id": id, "revenue": value, "total": value, "currency": currency,
                "products": [{"product_id": site::product(hit.key[0]).sku, "quantity": 1, "price": value}],
            });
            let completed = track("Order Completed", order);
            if *again { vec![completed] } else { vec![identify(), completed] }
        }
    }
}

fn line(visit: &Visit, hit: &Hit, received: Timestamp, call: Call) -> Value {
    let person = &visit.life.person;
    let off = visit.clock_off_micros();
    let instant = |at: Timestamp| {
        let (text, ms) = web::clock(at, 'T');
        Value::from(format!("{text}.{ms:03}Z"))
    };
    let [high, low] = web::scrambled(hit.key, TOOL);
    let mut row = Map::new();
    let mut set = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    set("type", call.kind.into());
    if let Some(name) = call.name {
        set(if call.kind == "track" { "event" } else { "name" }, name.into());
    }
    set("anonymousId", anonymous_id(person, visit.device).into());
    set("userId", hit.known.then(|| person.crm_id()).into());
    set("messageId", format!("ajs-next-{}", web::uuid([high, low ^ call.part])).into());
    set(call.body.0, call.body.1);
    set("context", context(visit, hit));
    set("channel", "client".into());
    set("originalTimestamp", instant(hit.at.plus_micros(off)));
    set("sentAt", instant(received.plus_micros(off)));
    set("receivedAt", instant(received));
    set("timestamp", instant(hit.at));
    Value::Object(row)
}

/// Whose `anonymousId` is whose.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    web::identity(world, "segment_anonymous_id", anonymous_id)
}

fn anonymous_id(person: &Person, device: u32) -> String {
    web::uuid(web::device_key(person, device, TOOL))
}

fn context(visit: &Visit, hit: &Hit) -> Value {
    let (person, day) = (&visit.life.person, hit.address.0);
    let categories: Map<String, Value> =
        Purpose::ALL.into_iter().map(|p| (p.name().to_owned(), person.allows_on(p, day).into())).collect();
    let mut context = Map::new();
    context.insert("consent".to_owned(), json!({"categoryPreferences": categories}));
    if let Some(origin) = visit.origin.filter(|o| hit.from.is_none() && o.campaign.is_some()) {
        let campaign = json!({"name": origin.campaign, "source": origin.source, "medium": origin.medium});
        context.insert("campaign".to_owned(), campaign);
    }
    context.insert("library".to_owned(), json!({"name": "analytics.js", "version": "next-1.81.0"}));
    context.insert("locale".to_owned(), "en".into());
    context.insert("page".to_owned(), page(visit, hit));
    context.insert("userAgent".to_owned(), visit.agent().header.into());
    Value::Object(context)
}

fn page(visit: &Visit, hit: &Hit) -> Value {
    let query = visit.query(hit);
    json!({
        "path": hit.page.path,
        "referrer": visit.referrer(hit),
        "search": if query.is_empty() { query } else { format!("?{query}") },
        "title": hit.page.title,
        "url": visit.url(hit),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use throughline_core::money::micros_from_units;

    use super::super::derived::testing::{check_share, text, world};
    use super::super::walk::testing::Market;
    use super::*;

    fn rows(world: &World) -> Vec<Value> {
        text(world, &CALLS).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn at(row: &Value, field: &str) -> i64 {
        row[field].as_str().expect("text").parse::<Timestamp>().expect("an instant").micros()
    }

    /// The first call of each message.
    fn once(rows: &[Value]) -> Vec<&Value> {
        let mut seen = std::collections::BTreeSet::new();
        let mut kept: Vec<&Value> = rows.iter().filter(|r| seen.insert(r["messageId"].to_string())).collect();
        kept.sort_by_key(|r| at(r, "timestamp"));
        kept
    }

    #[test]
    fn visits_orders_and_revenue_are_the_markets() {
        let world = world(800, 22);
        let (market, rows) = (Market::of(&world), rows(&world));
        let calls = once(&rows);
        let events = |name: &str| calls.iter().filter(|r| r["event"] == name).copied().collect::<Vec<_>>();
        assert_eq!(events("Product Added").len(), market.carts);
        let order = |r: &Value| {
            let properties = &r["properties"];
            let value = micros_from_units(properties["revenue"].as_f64().expect("a number")).expect("an amount");
            (properties["order_id"].as_str().expect("text").to_owned(), value, at(r, "timestamp"))
        };
        market.check_orders(events("Order Completed").into_iter().map(order));
        let identified = calls.iter().filter(|r| r["type"] == "identify").count();
        assert_eq!(identified, market.sign_ups + market.orders.len());
        let own_site = |r: &Value| r["context"]["page"]["referrer"].as_str().is_some_and(|x| x.contains(site::HOST));
        assert_eq!(calls.iter().filter(|r| r["type"] == "page" && !own_site(r)).count(), market.visits());
    }

    #[test]
    fn clocks_are_off_on_some_devices_and_the_correction_is_right() {
        let rows = rows(&world(800, 22));
        let mut off: BTreeMap<String, i64> = BTreeMap::new();
        for row in &rows {
            let corrected = at(row, "receivedAt") - (at(row, "sentAt") - at(row, "originalTimestamp"));
            assert_eq!(at(row, "timestamp"), corrected);
            let error = at(row, "originalTimestamp") - at(row, "timestamp");
            let known = *off.entry(row["anonymousId"].to_string()).or_insert(error);
            assert_eq!(known, error, "a clock is off by the same at any time");
        }
        check_share("clocks", off.values().filter(|e| **e != 0).count(), off.len(), web::OFF_CLOCK_SHARE);
    }

    #[test]
    fn some_messages_come_twice_and_arrivals_are_in_order() {
        let world = world(800, 22);
        let rows = rows(&world);
        let calls = once(&rows);
        check_share("twice", rows.len() - calls.len(), calls.len(), world.scenario().faults.duplicate_share);
        assert!(rows.is_sorted_by_key(|r| at(r, "receivedAt")));
        assert!(!rows.is_sorted_by_key(|r| at(r, "timestamp")), "some come late");
    }

    #[test]
    fn customers_are_known_from_their_first_identification_on() {
        let world = world(800, 22);
        let rows = rows(&world);
        let mut known: BTreeMap<String, (Value, i64)> = BTreeMap::new();
        for row in once(&rows) {
            let device = row["anonymousId"].to_string();
            if row["type"] == "identify" {
                assert!(row["userId"].is_string() && row["traits"]["email"].is_string());
                known.entry(device).or_insert((row["userId"].clone(), at(row, "timestamp")));
            } else if let Some((user, _)) = known.get(&device).filter(|(_, since)| at(row, "timestamp") > *since) {
                assert_eq!(&row["userId"], user);
            }
            assert_eq!(row["context"]["consent"]["categoryPreferences"]["measurement"], true);
        }
        assert!(rows.iter().any(|r| r["userId"].is_null()));
        let campaigns = rows.iter().filter(|r| r["context"].get("campaign").is_some());
        for row in campaigns {
            let search = row["context"]["page"]["search"].as_str().expect("text");
            assert!(search.starts_with("?utm_source="), "{search}");
        }
    }
}

//! Google Analytics 4, exported to BigQuery, as lines of JSON. Sources: Analytics Help, "BigQuery Export schema";
//! BigQuery documentation, "Exporting table data" (64-bit integers are strings in JSON, empty fields are left out).
//!
//! Traps, all present here:
//! - `ga_session_id` is the second at which the session began: a key only together with `user_pseudo_id`;
//! - `session_start` never says where the visitor came from; the first `page_view` does, in its parameters;
//! - a parameter's value lies in the field of its type, and whole amounts are `int_value`, others `double_value`;
//! - `traffic_source` is where the *user's first visit* came from, whatever led to this one;
//! - `session_traffic_source_last_click` passes over typed addresses, so an order's visit carries an older source;
//! - an order whose thank-you page is loaded again is a second `purchase` with the same `transaction_id`;
//! - the same instant holds several events, ordered by `batch_event_index`.
//!
//! The property reports in UTC.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use throughline_core::Purpose;
use throughline_core::money::units_from_micros;

use super::VendorFile;
use super::figures::json_line;
use super::site::{self, Origin};
use super::web::{self, Hit, Visit, What};
use crate::{Person, World};

pub(super) const EVENTS: VendorFile = VendorFile {
    path: "ga4/events.jsonl",
    summary: "events of the web site as Google Analytics 4 exports them to BigQuery",
    write: events,
};

fn events(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let visits = web::visits(world);
    for (visit, hit) in web::by_time(&visits) {
        let name = match hit.what {
            What::View => "page_view",
            What::Cart => "add_to_cart",
            What::SignUp => "sign_up",
            What::Order { .. } => "purchase",
        };
        if hit.lands() {
            json_line(out, &event(world, visit, hit, "session_start", 1))?;
        }
        let index = if hit.lands() || matches!(hit.what, What::Order { .. }) { 2 } else { 1 };
        json_line(out, &event(world, visit, hit, name, index))?;
    }
    Ok(())
}

fn event(world: &World, visit: &Visit, hit: &Hit, name: &str, index: u32) -> Value {
    let person = &visit.life.person;
    let agent = visit.agent();
    let ads = if person.allows_on(Purpose::Advertising, visit.day(world)) { "Yes" } else { "No" };
    let started = name == "session_start";
    let mut row = Map::new();
    let mut set = |name: &str, value: Value| {
        row.insert(name.to_owned(), value);
    };
    set("event_date", hit.at.date().replace('-', "").into());
    set("event_timestamp", hit.at.micros().to_string().into());
    set("event_name", name.into());
    set("event_params", Value::Array(params(world, visit, hit, started)));
    set("user_pseudo_id", pseudo_id(person, visit.device).into());
    set("privacy_info", json!({"analytics_storage": "Yes", "ads_storage": ads, "uses_transient_token": "No"}));
    set("user_first_touch_timestamp", visit.first_start.micros().to_string().into());
    set(
        "device",
        json!({
            "category": if agent.mobile { "mobile" } else { "desktop" },
            "operating_system": agent.os,
            "language": "en",
            "web_info": {"browser": agent.browser, "browser_version": agent.version, "hostname": site::HOST},
        }),
    );
    set("geo", json!({"region": person.region_name()}));
    set("traffic_source", first_source(visit.first));
    set("stream_id", "7301450012".into());
    set("platform", "WEB".into());
    if let What::Order { id, value_micros, .. } = &hit.what {
        let revenue = units_from_micros(*value_micros);
        set("ecommerce", json!({"transaction_id": id, "purchase_revenue": revenue, "unique_items": "1"}));
    }
    set("items", items(hit));
    if let Some(origin) = visit.origin.filter(|o| hit.lands() && !started && o.campaign.is_some()) {
        let (source, medium) = (origin.source, origin.medium);
        let campaign = origin.campaign;
        set(
            "collected_traffic_source",
            json!({"manual_campaign_name": campaign, "manual_source": source, "manual_medium": medium}),
        );
    }
    set("batch_event_index", index.to_string().into());
    if let Some(last) = visit.last {
        set("session_traffic_source_last_click", last_click(last));
    }
    Value::Object(row)
}

/// Whose `user_pseudo_id` is whose.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    web::identity(world, "ga4_user_pseudo_id", pseudo_id)
}

/// The cookie's number in the form of the `_ga` cookie: two numbers of 32 bits.
fn pseudo_id(person: &Person, device: u32) -> String {
    let code = person.cookie_code(device);
    format!("{}.{}", code >> 32, code & 0xffff_ffff)
}

fn params(world: &World, visit: &Visit, hit: &Hit, started: bool) -> Vec<Value> {
    let text = |key: &str, value: &str| json!({"key": key, "value": {"string_value": value}});
    let whole = |key: &str, value: i64| json!({"key": key, "value": {"int_value": value.to_string()}});
    let mut params = vec![
        whole("ga_session_id", visit.session_s),
        whole("ga_session_number", i64::from(visit.number)),
        text("page_location", &visit.url(hit)),
        text("page_title", hit.page.title),
    ];
    let referrer = visit.referrer(hit);
    if !referrer.is_empty() {
        params.push(text("page_referrer", &referrer));
    }
    if let Some(origin) = visit.origin.filter(|_| hit.lands() && !started) {
        params.extend([text("source", origin.source), text("medium", origin.medium)]);
        params.extend(origin.campaign.map(|campaign| text("campaign", campaign)));
    }
    match &hit.what {
        What::Order { id, value_micros, .. } => {
            params.push(text("transaction_id", id));
            params.push(text("currency", &world.scenario().currency));
            params.push(if value_micros % 1_000_000 == 0 {
                whole("value", value_micros / 1_000_000)
            } else {
                json!({"key": "value", "value": {"double_value": units_from_micros(*value_micros)}})
            });
        }
        What::SignUp => params.push(text("method", "email")),
        What::View | What::Cart => {}
    }
    params
}

fn items(hit: &Hit) -> Value {
    match &hit.what {
        What::Cart => json!([{"item_id": hit.page.sku, "item_name": hit.page.title, "quantity": "1"}]),
        What::Order { value_micros, .. } => {
            let (page, price) = (site::product(hit.key[0]), units_from_micros(*value_micros));
            json!([{"item_id": page.sku, "item_name": page.title, "quantity": "1", "price": price}])
        }
        What::View | What::SignUp => json!([]),
    }
}

fn first_source(first: Option<Origin>) -> Value {
    match first {
        Some(o) => json!({"name": o.campaign.unwrap_or(untold(o)), "medium": o.medium, "source": o.source}),
        None => json!({"name": "(direct)", "medium": "(none)", "source": "(direct)"}),
    }
}

fn last_click(last: Origin) -> Value {
    let campaign = last.campaign.unwrap_or(untold(last));
    json!({"manual_campaign": {"campaign_name": campaign, "source": last.source, "medium": last.medium}})
}

/// What stands for the campaign of a visit without one.
fn untold(origin: Origin) -> &'static str {
    if origin.medium == "organic" { "(organic)" } else { "(referral)" }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use throughline_core::money::micros_from_units;

    use super::super::derived::testing::{text, world};
    use super::super::walk::testing::Market;
    use super::*;

    fn rows(world: &World) -> Vec<Value> {
        text(world, &EVENTS).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    fn param<'a>(row: &'a Value, key: &str) -> Option<&'a Value> {
        let params = row["event_params"].as_array().expect("a list");
        params.iter().find(|p| p["key"] == key).map(|p| &p["value"])
    }

    fn named<'a>(rows: &'a [Value], name: &str) -> Vec<&'a Value> {
        rows.iter().filter(|row| row["event_name"] == name).collect()
    }

    fn whole(value: &Value) -> i64 {
        value.as_str().expect("64-bit integers are strings").parse().expect("digits")
    }

    #[test]
    fn sessions_orders_and_revenue_are_the_markets() {
        let world = world(800, 21);
        let (market, rows) = (Market::of(&world), rows(&world));
        let session = |r: &Value| {
            let id = whole(&param(r, "ga_session_id").expect("a session")["int_value"]);
            (r["user_pseudo_id"].as_str().expect("text").to_owned(), id)
        };
        let sessions: BTreeSet<_> = rows.iter().map(session).collect();
        assert_eq!(sessions.len(), market.visits());
        let ids: BTreeSet<_> = sessions.iter().map(|(_, id)| id).collect();
        assert!(ids.len() < sessions.len(), "the id alone is no key");
        assert_eq!(named(&rows, "session_start").len(), market.visits());
        assert_eq!(named(&rows, "add_to_cart").len(), market.carts);
        assert_eq!(named(&rows, "sign_up").len(), market.sign_ups);
        let order = |r: &&Value| {
            let (id, revenue) = (&r["ecommerce"]["transaction_id"], &r["ecommerce"]["purchase_revenue"]);
            assert_eq!(id, &param(r, "transaction_id").expect("the id")["string_value"]);
            let value = micros_from_units(revenue.as_f64().expect("a number")).expect("an amount");
            (id.as_str().expect("text").to_owned(), value, whole(&r["event_timestamp"]))
        };
        market.check_orders(named(&rows, "purchase").iter().map(order));
    }

    #[test]
    fn values_lie_in_the_field_of_their_type_and_only_page_views_know_the_source() {
        let rows = rows(&world(800, 21));
        for row in named(&rows, "purchase") {
            let value = param(row, "value").expect("a value").as_object().expect("a record");
            let revenue = row["ecommerce"]["purchase_revenue"].as_f64().expect("a number");
            let field = if revenue.fract() == 0.0 { "int_value" } else { "double_value" };
            assert!(value.len() == 1 && value.contains_key(field), "{value:?} for {revenue}");
        }
        let of_type = |field: &str| {
            named(&rows, "purchase").iter().filter(|r| param(r, "value").expect("a value").get(field).is_some()).count()
        };
        assert!(of_type("int_value") > 0 && of_type("double_value") > 0);
        let with_source = |row: &&Value| param(row, "source").is_some();
        assert!(rows.iter().filter(with_source).all(|row| row["event_name"] == "page_view"));
        let told = rows.iter().filter(with_source).find(|row| row.get("collected_traffic_source").is_some());
        let told = told.expect("a link of the shop's own");
        let location = param(told, "page_location").expect("a page")["string_value"].as_str().expect("text");
        let campaign = param(told, "campaign").expect("a campaign")["string_value"].as_str().expect("text");
        assert!(location.contains(&format!("utm_campaign={campaign}")), "{location}");
    }

    #[test]
    fn last_click_passes_over_typed_addresses_and_dates_are_days() {
        let rows = rows(&world(500, 21));
        let purchases = named(&rows, "purchase");
        assert!(purchases.iter().all(|row| param(row, "source").is_none()));
        assert!(purchases.iter().any(|row| row.get("session_traffic_source_last_click").is_some()));
        for row in &rows {
            let at = throughline_core::Timestamp::from_micros(whole(&row["event_timestamp"]));
            assert_eq!(row["event_date"], at.date().replace('-', ""));
        }
        let ads: BTreeSet<_> = rows.iter().map(|r| r["privacy_info"]["ads_storage"].to_string()).collect();
        assert_eq!(ads.into_iter().collect::<Vec<_>>(), ["\"No\"", "\"Yes\""]);
    }
}

//! Google Analytics 4: the export to BigQuery, as lines of JSON or Parquet.
//!
//! Sources: Analytics Help, "BigQuery Export schema"; BigQuery documentation, "Exporting table data" (64-bit integers are
//! texts, empty fields are left out).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::super::shape::{List, Made, Numbers, Row, Table, Vendor, text_of};

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "ga4",
    summary: "Google Analytics 4 export to BigQuery (JSON or Parquet); parameters are `params.NAME`",
    preset: include_str!("ga4.yaml"),
    options: &[],
    table: Table::Header,
    pages: None,
    needs: &[&["event_timestamp"], &["event_name"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of(
            "event_id",
            "visitor, instant, name and place in the batch, joined by `.`: the export has no id of its own",
            &[
                &["user_pseudo_id"],
                &["event_timestamp"],
                &["event_name"],
                &["batch_page_id"],
                &["batch_ordering_id"],
                &["batch_event_index"],
            ],
            event_id,
        ),
        Made::field("event_timestamp", "microseconds since 1970", &[&["event_timestamp"]]),
        Made::field("event_name", "name of the event", &[&["event_name"]]),
        Made::field("user_pseudo_id", "cookie of the site, or instance of the app", &[&["user_pseudo_id"]]),
        Made::field("user_id", "the site's own number for the visitor", &[&["user_id"]]),
        Made::of(
            "session_id",
            "visitor and `ga_session_id`, joined by `.`: the latter alone is no key",
            &[&["user_pseudo_id"], &["event_params"]],
            session_id,
        ),
        Made::of(
            "source",
            "source of this event: collected with it, else its parameter",
            &[&["collected_traffic_source.manual_source"], &["event_params"]],
            |row| row.get(0).map(Into::into).or_else(|| param(row, 1, "source")),
        ),
        Made::of(
            "medium",
            "medium of this event",
            &[&["collected_traffic_source.manual_medium"], &["event_params"]],
            |row| row.get(0).map(Into::into).or_else(|| param(row, 1, "medium")),
        ),
        Made::of(
            "campaign",
            "campaign of this event",
            &[&["collected_traffic_source.manual_campaign_name"], &["event_params"]],
            |row| row.get(0).map(Into::into).or_else(|| param(row, 1, "campaign")),
        ),
        Made::of(
            "gclid",
            "click id of Google Ads: collected with the event, else its parameter",
            &[&["collected_traffic_source.gclid"], &["event_params"]],
            |row| row.get(0).map(Into::into).or_else(|| param(row, 1, "gclid")),
        ),
        Made::of("page", "address of the page", &[&["event_params"]], |row| param(row, 0, "page_location")),
        Made::of("referrer", "address of the page before", &[&["event_params"]], |row| param(row, 0, "page_referrer")),
        Made::field(
            "session_source",
            "source of the visit by the last click that was not direct",
            &[&[
                "session_traffic_source_last_click.cross_channel_campaign.source",
                "session_traffic_source_last_click.manual_campaign.source",
            ]],
        ),
        Made::field(
            "session_medium",
            "its medium",
            &[&[
                "session_traffic_source_last_click.cross_channel_campaign.medium",
                "session_traffic_source_last_click.manual_campaign.medium",
            ]],
        ),
        Made::field(
            "session_campaign",
            "its campaign",
            &[&[
                "session_traffic_source_last_click.cross_channel_campaign.campaign_name",
                "session_traffic_source_last_click.manual_campaign.campaign_name",
            ]],
        ),
        Made::of("transaction_id", "number of the order", &[&["ecommerce.transaction_id"], &["event_params"]], |row| {
            let of_order = row.get(0).filter(|id| *id != "(not set)");
            of_order.map(Into::into).or_else(|| param(row, 1, "transaction_id"))
        }),
        Made::of(
            "value",
            "revenue of the order, or the parameter `value` of other events",
            &[&["ecommerce.purchase_revenue", "ecommerce.refund_value"], &["event_params"]],
            |row| row.get(0).map(Into::into).or_else(|| param(row, 1, "value")),
        ),
        Made::of("currency", "currency of the value", &[&["event_params"]], |row| param(row, 0, "currency")),
        Made::field("device", "category of the device", &[&["device.category"]]),
        Made::field("region", "region, else country", &[&["geo.region", "geo.country"]]),
        Made::of(
            "analytics_storage",
            "`granted`, `denied` or `unknown`, from `privacy_info`",
            &[&["privacy_info.analytics_storage"]],
            |row| Some(storage(row).into()),
        ),
        Made::of(
            "ads_storage",
            "`granted`, `denied` or `unknown`, from `privacy_info`",
            &[&["privacy_info.ads_storage"]],
            |row| Some(storage(row).into()),
        ),
    ],
    lists: &[
        List {
            field: "event_params",
            prefix: "params.",
            pattern: "params.NAME",
            doc: "parameter of the event, whichever type it has",
            spread,
        },
        List {
            field: "user_properties",
            prefix: "user.",
            pattern: "user.NAME",
            doc: "property of the visitor",
            spread,
        },
    ],
};

/// The value of a parameter lies in the field of its type.
fn value_of(value: &Value) -> Option<String> {
    ["string_value", "int_value", "double_value", "float_value"].iter().find_map(|field| text_of(value.get(field)?))
}

fn spread(item: &Map<String, Value>) -> Vec<(String, String)> {
    let (Some(key), Some(value)) = (item.get("key").and_then(Value::as_str), item.get("value")) else {
        return Vec::new();
    };
    value_of(value).map(|value| (key.to_owned(), value)).into_iter().collect()
}

/// A parameter of the event.
fn param<'a>(row: &Row<'a>, argument: usize, name: &str) -> Option<Cow<'a, str>> {
    row.item(argument, name).map(Cow::Borrowed)
}

fn event_id<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    // Without visitor and instant nothing tells one event from another.
    let (Some(_), Some(_)) = (row.get(0).or_else(|| row.get(5)), row.get(1)) else { return None };
    Some((0..6).filter_map(|i| row.get(i)).collect::<Vec<_>>().join(".").into())
}

fn session_id<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let session = param(row, 1, "ga_session_id");
    row.get(0).zip(session).map(|(visitor, session)| format!("{visitor}.{session}").into())
}

fn storage(row: &Row<'_>) -> &'static str {
    match row.get(0) {
        Some("Yes" | "1" | "true") => "granted",
        Some("No" | "0" | "false") => "denied",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::check;
    use super::*;

    const PARAMS: &str = r#"[{"key":"ga_session_id","value":{"int_value":"17"}},{"key":"value","value":{"double_value":9.5}},
        {"key":"source","value":{"string_value":"google"}},{"key":"empty","value":{}}]"#;

    #[test]
    fn parameters_of_any_type() {
        check(&VENDOR, "params.value", &[("event_params", PARAMS)], Some("9.5"));
        check(&VENDOR, "params.ga_session_id", &[("event_params", PARAMS)], Some("17"));
        check(&VENDOR, "params.empty", &[("event_params", PARAMS)], None);
        check(&VENDOR, "params.x", &[("event_params", "{\"a\":1}")], None);
        check(&VENDOR, "user.x", &[("event_params", PARAMS)], None);
        check(&VENDOR, "session_id", &[("user_pseudo_id", "1.2"), ("event_params", PARAMS)], Some("1.2.17"));
        check(&VENDOR, "source", &[("event_params", PARAMS)], Some("google"));
        let collected = [("collected_traffic_source.manual_source", "bing"), ("event_params", PARAMS)];
        check(&VENDOR, "source", &collected, Some("bing"));
    }

    #[test]
    fn events_are_named_by_visitor_instant_and_place() {
        let fields =
            [("user_pseudo_id", "1.2"), ("event_timestamp", "5"), ("event_name", "x"), ("batch_event_index", "2")];
        check(&VENDOR, "event_id", &fields, Some("1.2.5.x.2"));
        check(&VENDOR, "event_id", &fields[..1], None);
    }

    #[test]
    fn consent_is_what_the_export_says() {
        for (stored, expect) in [("Yes", "granted"), ("No", "denied"), ("", "unknown")] {
            check(&VENDOR, "ads_storage", &[("privacy_info.ads_storage", stored)], Some(expect));
        }
    }

    #[test]
    fn orders_without_a_number_have_none() {
        check(&VENDOR, "transaction_id", &[("ecommerce.transaction_id", "(not set)")], None);
        check(&VENDOR, "transaction_id", &[("ecommerce.transaction_id", "A1")], Some("A1"));
    }
}

//! Meta: insights by day and campaign, ad set or ad, as the Marketing API answers.
//!
//! Sources: Meta for Developers, "Ads Insights API", "Ads Action Stats" (windows of `actions` and `action_values`).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::super::shape::{Given, List, Made, Numbers, Row, Table, Vendor, text_of, unreadable};
use super::times;
use crate::diagnostics::{BadRow, RowFault};

/// The names under which one purchase is told, the most inclusive first: their sum would count it again and again.
const PURCHASE_TYPES: &[&str] = &[
    "omni_purchase",
    "purchase",
    "offsite_conversion.fb_pixel_purchase",
    "onsite_web_purchase",
    "onsite_web_app_purchase",
    "web_in_store_purchase",
    "app_custom_event.fb_mobile_purchase",
];
const ACTIONS: &[&[&str]] = &[&["actions"]];
const VALUES: &[&[&str]] = &[&["action_values"]];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "meta_ads",
    summary: "Meta (Facebook, Instagram) insights by day, as the Marketing API answers (JSON)",
    preset: include_str!("meta_ads.yaml"),
    options: &[("currency", "currency of the account, where the rows do not say it")],
    table: Table::Header,
    pages: Some("data"),
    needs: &[&["date_start"], &["spend"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of(
            "row_id",
            "day, campaign, ad set, ad and breakdowns, joined by `/`",
            &[
                &["date_start"],
                &["campaign_id", "campaign_name"],
                &["adset_id"],
                &["ad_id"],
                &["publisher_platform"],
                &["platform_position"],
                &["country"],
                &["region"],
                &["age"],
                &["gender"],
                &["device_platform"],
            ],
            row_id,
        ),
        Made::checked(
            "date",
            "business date of the account; rows must be of one day",
            &[&["date_start"], &["date_stop"]],
            date,
        ),
        Made::field("campaign_id", "number of the campaign", &[&["campaign_id"]]),
        Made::field("campaign", "name of the campaign", &[&["campaign_name"]]),
        Made::field("adset", "name of the ad set", &[&["adset_name"]]),
        Made::field("ad", "name of the ad", &[&["ad_name"]]),
        Made::field("cost", "spend in units of the currency", &[&["spend"]]),
        Made::of("currency", "currency of the account", &[&["account_currency"]], |row| {
            row.get(0).or_else(|| row.option("currency")).map(Cow::Borrowed)
        }),
        Made::field("impressions", "impressions", &[&["impressions"]]),
        Made::field("clicks", "clicks on links, else all clicks", &[&["inline_link_clicks", "clicks"]]),
        Made::of("purchases", "purchases that Meta claims, each counted once", ACTIONS, |row| purchase(row, "value")),
        Made::of("purchases_1d_click", "those within a day of a click", ACTIONS, |row| purchase(row, "1d_click")),
        Made::of("purchases_7d_click", "those within 7 days of a click", ACTIONS, |row| purchase(row, "7d_click")),
        Made::of("purchases_28d_click", "those within 28 days of a click", ACTIONS, |row| purchase(row, "28d_click")),
        Made::of("purchases_1d_view", "those within a day of a view", ACTIONS, |row| purchase(row, "1d_view")),
        Made::of("purchases_1d_ev", "those within a day of an engaged view", ACTIONS, |row| purchase(row, "1d_ev")),
        Made::of("purchase_value", "value of the purchases that Meta claims", VALUES, |row| purchase(row, "value")),
        Made::of("purchase_value_7d_click", "value of those within 7 days of a click", VALUES, |row| {
            purchase(row, "7d_click")
        }),
        Made::of("purchase_value_1d_view", "value of those within a day of a view", VALUES, |row| {
            purchase(row, "1d_view")
        }),
    ],
    lists: &[
        List {
            field: "actions",
            prefix: "actions.",
            pattern: "actions.TYPE[.WINDOW]",
            doc: "an action as counted by the account's setting, or within a window",
            spread,
        },
        List {
            field: "action_values",
            prefix: "action_values.",
            pattern: "action_values.TYPE[.WINDOW]",
            doc: "its value",
            spread,
        },
    ],
};

fn spread(item: &Map<String, Value>) -> Vec<(String, String)> {
    let Some(kind) = item.get("action_type").and_then(Value::as_str) else { return Vec::new() };
    let figures = item.iter().filter(|(name, _)| *name != "action_type" && !name.starts_with("action_"));
    let named = figures.filter_map(|(name, value)| {
        let column = if name == "value" { kind.to_owned() } else { format!("{kind}.{name}") };
        Some((column, text_of(value)?))
    });
    named.collect()
}

/// A figure of the first name of a purchase that the row has. A window without purchases is left out by Meta: it is 0.
fn purchase<'a>(row: &Row<'a>, window: &str) -> Option<Cow<'a, str>> {
    let kind = PURCHASE_TYPES.iter().find(|kind| row.item(0, kind).is_some())?;
    let name = if window == "value" { (*kind).to_owned() } else { format!("{kind}.{window}") };
    Some(Cow::Borrowed(row.item(0, &name).unwrap_or("0")))
}

fn row_id<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    row.get(1).map(|_| (0..11).filter_map(|i| row.get(i)).collect::<Vec<_>>().join("/").into())
}

fn date<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0) else { return Ok(None) };
    if row.get(1).is_some_and(|stop| stop != text) {
        let reason = "the row spans several days; ask for `time_increment=1`";
        return Err(BadRow::new(RowFault::TimeInvalid, reason));
    }
    times::date(text).map(Some).ok_or_else(|| unreadable(RowFault::TimeInvalid, "date_start", text, "2026-03-01"))
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    const ACTIONS: &str = r#"[{"action_type":"link_click","value":"9"},
        {"action_type":"purchase","value":"3","7d_click":"2","1d_click":"1","1d_view":"1"},
        {"action_type":"offsite_conversion.fb_pixel_purchase","value":"3"},
        {"action_type":"omni_purchase","value":"4","7d_click":"3","1d_view":"1"}]"#;

    #[test]
    fn one_purchase_under_many_names_counts_once() {
        let field = [("actions", ACTIONS)];
        check(&VENDOR, "purchases", &field, Some("4"));
        check(&VENDOR, "purchases_7d_click", &field, Some("3"));
        check(&VENDOR, "purchases_1d_click", &field, Some("0"));
        check(&VENDOR, "purchases", &[("actions", r#"[{"action_type":"link_click","value":"9"}]"#)], None);
        check(&VENDOR, "purchases", &[("actions", "nonsense")], None);
        check(
            &VENDOR,
            "purchase_value",
            &[("action_values", r#"[{"action_type":"purchase","value":"9.50"}]"#)],
            Some("9.50"),
        );
    }

    #[test]
    fn every_action_and_window_is_a_column() {
        let field = [("actions", ACTIONS)];
        check(&VENDOR, "actions.link_click", &field, Some("9"));
        check(&VENDOR, "actions.purchase.7d_click", &field, Some("2"));
        check(&VENDOR, "actions.offsite_conversion.fb_pixel_purchase", &field, Some("3"));
        check(&VENDOR, "actions.purchase.28d_click", &field, None);
    }

    #[test]
    fn rows_are_of_one_day() {
        check(&VENDOR, "date", &[("date_start", "2026-03-01"), ("date_stop", "2026-03-01")], Some("2026-03-01"));
        refused(&VENDOR, "date", &[("date_start", "2026-03-01"), ("date_stop", "2026-03-07")], RowFault::TimeInvalid);
    }
}

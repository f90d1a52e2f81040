//! Snowplow: enriched events, as the 131 columns of the TSV without header, or with names as CSV or JSON.
//!
//! Sources: Snowplow documentation, "Enriched TSV format", "Canonical event model", "Consent events".

use std::borrow::Cow;

use serde_json::Value;

use super::super::shape::{Made, Numbers, Row, Table, Vendor};
use super::consents::{States, purpose};
use super::times;

/// The columns of the TSV, in order.
#[rustfmt::skip]
const COLUMNS: &[&str] = &[
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

/// Where the consent event lies: in the TSV, and in the columns that loaders make of it.
const PREFERENCES: &[&str] = &[
    "unstruct_event",
    "unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1",
    "unstruct_event_com_snowplowanalytics_snowplow_consent_preferences_1_0_0",
];

/// Where it says that the question about consent was shown.
const SHOWN: &[&str] = &[
    "unstruct_event",
    "unstruct_event_com_snowplowanalytics_snowplow_cmp_visible_1",
    "unstruct_event_com_snowplowanalytics_snowplow_cmp_visible_1_0_0",
];

/// Where the page lies among the contexts.
const PAGE: &[&str] = &[
    "contexts",
    "contexts_com_snowplowanalytics_snowplow_web_page_1",
    "contexts_com_snowplowanalytics_snowplow_web_page_1_0_0",
];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "snowplow",
    summary: "Snowplow enriched events: TSV of 131 columns without header, or CSV and JSON with names",
    preset: include_str!("snowplow.yaml"),
    options: &[],
    table: Table::Bare(COLUMNS),
    pages: None,
    needs: &[&["event_id"], &["event", "event_name"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of(
            "id",
            "event id and fingerprint, joined by `/`: both are equal only for the same event delivered twice",
            &[&["event_id"], &["event_fingerprint"]],
            |row| {
                let id = row.get(0)?;
                Some(row.get(1).map_or(Cow::Borrowed(id), |print| format!("{id}/{print}").into()))
            },
        ),
        Made::checked(
            "occurred_at",
            "when it happened: `true_tstamp`, else `derived_tstamp`, in which the device's clock is corrected",
            &[&["true_tstamp", "derived_tstamp", "collector_tstamp"]],
            times::argument,
        ),
        Made::checked("received_at", "when it was collected", &[&["collector_tstamp"]], times::argument),
        Made::field("event", "kind of the event", &[&["event"]]),
        Made::field("event_name", "name of the event", &[&["event_name", "event"]]),
        Made::field("domain_userid", "cookie of the site", &[&["domain_userid"]]),
        Made::field("network_userid", "cookie of the collector's host", &[&["network_userid"]]),
        Made::field("user_id", "the site's own number for the visitor", &[&["user_id"]]),
        Made::field("session_id", "visit", &[&["domain_sessionid"]]),
        Made::field("page", "address of the page", &[&["page_url"]]),
        Made::field("referrer", "address of the page before", &[&["page_referrer"]]),
        Made::field("mkt_source", "source in the address", &[&["mkt_source"]]),
        Made::field("mkt_medium", "medium in the address", &[&["mkt_medium"]]),
        Made::field("mkt_campaign", "campaign in the address", &[&["mkt_campaign"]]),
        Made::field("mkt_clickid", "click id in the address", &[&["mkt_clickid"]]),
        Made::field("refr_medium", "`search`, `social`, `internal`, … by Snowplow", &[&["refr_medium"]]),
        Made::field("order_id", "number of the order", &[&["tr_orderid"]]),
        Made::field("value", "total of the order", &[&["tr_total"]]),
        Made::field("currency", "its currency", &[&["tr_currency"]]),
        Made::field("se_action", "action of a structured event", &[&["se_action"]]),
        Made::field("region", "region, else country", &[&["geo_region_name", "geo_country"]]),
        Made::field("device", "kind of device", &[&["dvce_type"]]),
        Made::of("consent_event", "what was done about consent: `allow_all`, `deny_all`, …", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| word(&p, &["eventType", "event_type"])).map(Into::into)
        }),
        Made::of("consent", "consent by purpose that a consent event says", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| states(&p)).map(Into::into)
        }),
        Made::of("consent_version", "version of the text that was agreed to", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["consentVersion", "consent_version"]))
        }),
        Made::of("consent_scopes", "scopes that were allowed, joined by `, `", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["consentScopes", "consent_scopes"]))
        }),
        Made::of("consent_basis", "legal basis of processing", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["basisForProcessing", "basis_for_processing"]))
        }),
        Made::of("consent_url", "address of the text that was agreed to", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["consentUrl", "consent_url"]))
        }),
        Made::of("consent_domains", "sites it holds for, joined by `, `", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["domainsApplied", "domains_applied"]))
        }),
        Made::of("gdpr_applies", "whether the site took the GDPR to apply", &[PREFERENCES], |row| {
            preferences(row).and_then(|p| said(&p, &["gdprApplies", "gdpr_applies"]))
        }),
        Made::of("cmp_load_time", "seconds until the question about consent was shown", &[SHOWN], |row| {
            data(row, "/cmp_visible/").and_then(|shown| said(&shown, &["elapsedTime", "elapsed_time"]))
        }),
        Made::of("page_view_id", "the view of a page during which it happened", &[PAGE], |row| {
            data(row, "/web_page/").and_then(|page| said(&page, &["id"]))
        }),
    ],
    lists: &[],
};

/// The data of a consent event; `None` for other events.
fn preferences(row: &Row<'_>) -> Option<Value> {
    let value = data(row, "/consent_preferences/")?;
    word(&value, &["eventType", "event_type"]).is_some().then_some(value)
}

/// The data of a self-describing event or context whose schema has this part. The TSV wraps it, each time with its schema;
/// loaders give it a column of its own, as a list of one, some of them twice.
fn data(row: &Row<'_>, schema: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(row.get(0)?).ok()?;
    loop {
        value = match value {
            Value::Array(items) => {
                let of_schema = |item: &Value| item.get("schema").is_none_or(|s| of(s, schema));
                items.into_iter().find(of_schema)?
            }
            Value::Object(mut object) => {
                let inner = object.remove("data");
                match (object.get("schema"), inner) {
                    (Some(s), Some(inner)) if of(s, schema) || of(s, "/unstruct_event/") || of(s, "/contexts/") => {
                        inner
                    }
                    (None, None) => return Some(Value::Object(object)),
                    _ => return None,
                }
            }
            _ => return None,
        };
    }
}

fn of(schema: &Value, part: &str) -> bool {
    schema.as_str().is_some_and(|name| name.contains(part))
}

/// A field as text: lists joined.
fn said<'a>(value: &Value, names: &[&str]) -> Option<Cow<'a, str>> {
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let text = match names.iter().find_map(|name| value.get(name))? {
        Value::Array(items) => items.iter().filter_map(text).collect::<Vec<_>>().join(", "),
        other => text(other)?,
    };
    Some(text.into())
}

fn word(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value.get(name)?.as_str()).map(str::to_owned)
}

fn states(preferences: &Value) -> Option<String> {
    let named = ["consentScopes", "consent_scopes"].iter().find_map(|name| preferences.get(name)?.as_array());
    let scopes = named.into_iter().flatten().filter_map(|scope| purpose(scope.as_str()?));
    let allowed: Vec<&str> = scopes.collect();
    let all = ["measurement", "personalisation", "advertising", "messaging"];
    let mut states = States::default();
    match word(preferences, &["eventType", "event_type"])?.as_str() {
        // What was not among the scopes was not asked for.
        "allow_all" => all.iter().filter(|p| allowed.contains(p)).for_each(|p| states.add(p, true)),
        "allow_selected" => all.iter().for_each(|p| states.add(p, allowed.contains(p))),
        "deny_all" | "withdrawn" | "expired" => return Some("denied".to_owned()),
        // Nobody said yes: pending, implicit_consent.
        _ => return None,
    }
    states.text()
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::check;
    use super::*;

    fn event(kind: &str, scopes: &str) -> String {
        format!(
            r#"{{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":{{"schema":"iglu:com.snowplowanalytics.snowplow/consent_preferences/jsonschema/1-0-0","data":{{"eventType":"{kind}","basisForProcessing":"consent","consentScopes":[{scopes}]}}}}}}"#
        )
    }

    #[test]
    fn columns_are_131_and_in_place() {
        assert_eq!(COLUMNS.len(), 131);
        assert_eq!(
            (COLUMNS[6], COLUMNS[58], COLUMNS[124], COLUMNS[130]),
            ("event_id", "unstruct_event", "derived_tstamp", "true_tstamp")
        );
    }

    #[test]
    fn consent_events_say_what_was_allowed() {
        for (kind, scopes, expect) in [
            ("allow_all", r#""analytics","advertising""#, Some("measurement=granted;advertising=granted")),
            (
                "allow_selected",
                r#""analytics""#,
                Some("measurement=granted;personalisation=denied;advertising=denied;messaging=denied"),
            ),
            ("deny_all", "", Some("denied")),
            ("withdrawn", r#""analytics""#, Some("denied")),
            ("expired", "", Some("denied")),
            ("pending", r#""analytics""#, None),
            ("implicit_consent", r#""analytics""#, None),
        ] {
            check(&VENDOR, "consent", &[("unstruct_event", &event(kind, scopes))], expect);
            check(&VENDOR, "consent_event", &[("unstruct_event", &event(kind, scopes))], Some(kind));
        }
        let loaded = r#"[{"event_type":"allow_all","consent_scopes":["analytics"]}]"#;
        check(&VENDOR, "consent", &[(PREFERENCES[1], loaded)], Some("measurement=granted"));
        let other = r#"{"schema":"iglu:x/unstruct_event/jsonschema/1-0-0","data":{"schema":"iglu:x/link_click/jsonschema/1-0-0","data":{"eventType":"allow_all"}}}"#;
        check(&VENDOR, "consent", &[("unstruct_event", other)], None);
        check(&VENDOR, "consent", &[("unstruct_event", "{")], None);
    }

    #[test]
    fn consent_events_say_their_version_and_when_they_asked() {
        let loaded =
            r#"[{"event_type":"allow_all","consent_scopes":["a","b"],"consent_version":"1.0","gdpr_applies":false}]"#;
        for (column, expect) in
            [("consent_scopes", Some("a, b")), ("consent_version", Some("1.0")), ("gdpr_applies", Some("false"))]
        {
            check(&VENDOR, column, &[(PREFERENCES[2], loaded)], expect);
        }
        check(&VENDOR, "cmp_load_time", &[(SHOWN[2], r#"[{"elapsed_time":"1.5"}]"#)], Some("1.5"));
        let wrapped = r#"{"schema":"iglu:x/contexts/jsonschema/1-0-0","data":[{"schema":"iglu:x/other/1","data":{"id":"no"}},{"schema":"iglu:x/web_page/jsonschema/1-0-0","data":{"id":"p1"}}]}"#;
        check(&VENDOR, "page_view_id", &[("contexts", wrapped)], Some("p1"));
        check(&VENDOR, "page_view_id", &[(PAGE[2], r#"[[{"id":"p2"}]]"#)], Some("p2"));
        check(&VENDOR, "page_view_id", &[(PAGE[2], r#"{"data":{"id":"p2"}}"#)], None);
        check(&VENDOR, "page_view_id", &[(PAGE[2], "[]")], None);
    }

    #[test]
    fn equal_ids_with_other_content_are_other_events() {
        check(&VENDOR, "id", &[("event_id", "a"), ("event_fingerprint", "1")], Some("a/1"));
        check(&VENDOR, "id", &[("event_id", "a")], Some("a"));
        check(&VENDOR, "id", &[("event_fingerprint", "1")], None);
    }
}

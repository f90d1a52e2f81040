//! Segment: calls of any kind, as lines of JSON or a JSON list.
//!
//! Sources: Segment documentation, "Spec: Common Fields" (`timestamp` is `receivedAt − (sentAt − originalTimestamp)`),
//! "Spec: Track", "Spec: V2 Ecommerce Events", "Consent in Segment Connections".

use serde_json::{Map, Value};

use super::super::shape::{Given, Made, Numbers, Row, Table, Vendor, unreadable};
use super::consents::{States, purpose};
use super::times;
use crate::diagnostics::RowFault;

const EMAIL: &[&str] = &["traits.email", "context.traits.email", "properties.email"];
const PHONE: &[&str] = &["traits.phone", "context.traits.phone", "properties.phone"];
const CATEGORIES: &[&str] = &["context.consent.categoryPreferences"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "segment",
    summary: "Segment calls (track, identify, page, screen, group, alias) as lines of JSON",
    preset: include_str!("segment.yaml"),
    options: &[],
    table: Table::Header,
    pages: Some("batch"),
    needs: &[&["type"], &["messageId"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::field("type", "`track`, `identify`, `page`, `screen`, `group` or `alias`", &[&["type"]]),
        Made::field("message_id", "id of the message; a call that was sent twice has it twice", &[&["messageId"]]),
        Made::checked(
            "occurred_at",
            "when it happened, the error of the device's clock taken out",
            &[&["originalTimestamp"], &["sentAt"], &["receivedAt"], &["timestamp"]],
            occurred_at,
        ),
        Made::field("received_at", "when Segment got it", &[&["receivedAt"]]),
        Made::field("event", "name of a track call, or of a page or screen", &[&["event", "name"]]),
        Made::field("anonymous_id", "cookie or device that the call came from", &[&["anonymousId"]]),
        Made::field("user_id", "the site's own number for the person", &[&["userId"]]),
        Made::field("previous_id", "the id that an alias call joins to `user_id`", &[&["previousId"]]),
        Made::field("email", "e-mail address among traits or properties", &[EMAIL]),
        Made::field("phone", "phone number among traits or properties", &[PHONE]),
        Made::field(
            "device_id",
            "advertising or device id of an app",
            &[&["context.device.advertisingId", "context.device.id"]],
        ),
        Made::field("source", "source of the campaign in the address", &[&["context.campaign.source"]]),
        Made::field("medium", "its medium", &[&["context.campaign.medium"]]),
        Made::field("campaign", "its name", &[&["context.campaign.name"]]),
        Made::field("page", "address of the page", &[&["context.page.url", "properties.url"]]),
        Made::field("referrer", "address of the page before", &[&["context.page.referrer", "properties.referrer"]]),
        Made::field("order_id", "number of the order", &[&["properties.order_id", "properties.orderId"]]),
        Made::field(
            "value",
            "revenue, else total or value",
            &[&["properties.revenue", "properties.total", "properties.value"]],
        ),
        Made::field("currency", "currency of the value", &[&["properties.currency"]]),
        Made::field("user_agent", "browser as it names itself", &[&["context.userAgent"]]),
        Made::checked("consent", "consent by purpose, from the categories whose names say one", &[CATEGORIES], consent),
    ],
    lists: &[],
};

fn occurred_at<'a>(row: &Row<'a>) -> Given<'a> {
    let at = |i: usize| row.get(i).map(|text| times::instant(text).ok_or((i, text))).transpose();
    let all = || -> Result<_, (usize, &'a str)> { Ok((at(0)?, at(1)?, at(2)?, at(3)?)) };
    let (original, sent, received, stated) = all().map_err(|(i, text)| {
        let name = ["originalTimestamp", "sentAt", "receivedAt", "timestamp"][i];
        unreadable(RowFault::TimeInvalid, name, text, "for example 2026-03-01T12:00:00.000Z")
    })?;
    // Both times of the device have the error of its clock, which their difference does not have.
    let corrected = match (original, sent, received) {
        (Some(original), Some(sent), Some(received)) => Some(received.plus_micros(original.micros() - sent.micros())),
        _ => stated.or(original).or(received),
    };
    Ok(corrected.map(|at| at.to_string().into()))
}

fn consent<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0) else { return Ok(None) };
    let Ok(categories) = serde_json::from_str::<Map<String, Value>>(text) else {
        return Err(unreadable(RowFault::Consent, "categoryPreferences", text, "an object of categories"));
    };
    let mut states = States::default();
    for (category, value) in &categories {
        if let (Some(purpose), Some(given)) = (purpose(category), value.as_bool()) {
            states.add(purpose, given);
        }
    }
    Ok(states.text().map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    #[test]
    fn the_error_of_a_clock_is_taken_out() {
        let fields = [
            ("originalTimestamp", "2026-03-01T15:00:00Z"),
            ("sentAt", "2026-03-01T15:00:05.5Z"),
            ("receivedAt", "2026-03-01T12:00:06Z"),
            ("timestamp", "2030-01-01T00:00:00Z"),
        ];
        check(&VENDOR, "occurred_at", &fields, Some("2026-03-01T12:00:00.5Z"));
        check(&VENDOR, "occurred_at", &fields[3..], Some("2030-01-01T00:00:00Z"));
        check(&VENDOR, "occurred_at", &fields[..2], Some("2026-03-01T15:00:00Z"));
        check(&VENDOR, "occurred_at", &[], None);
        refused(&VENDOR, "occurred_at", &[("sentAt", "yesterday")], RowFault::TimeInvalid);
    }

    #[test]
    fn categories_become_purposes_and_the_strictest_counts() {
        let field = CATEGORIES[0];
        let all = r#"{"Analytics":true,"advertising":false,"targeting":true,"unheard of":true}"#;
        check(&VENDOR, "consent", &[(field, all)], Some("measurement=granted;advertising=denied"));
        check(&VENDOR, "consent", &[(field, "{}")], None);
        refused(&VENDOR, "consent", &[(field, "[1]")], RowFault::Consent);
    }
}

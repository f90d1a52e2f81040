//! Services that send e-mail: what happened to each message, one event a row.
//!
//! Sources: Twilio SendGrid, "Event Webhook Reference"; the names of other services' webhooks and exports are read as well
//! where they mean the same.

use std::borrow::Cow;

use super::super::shape::{Made, Numbers, Row, Table, Vendor};
use super::times;

const ACTION: &[&str] = &["event", "type", "Event", "RecordType", "event_type"];
const AGENT: &[&str] = &["useragent", "user_agent", "UserAgent"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "email_service",
    summary: "events of e-mail services: sent, delivered, opened, clicked, bounced, unsubscribed (JSON or CSV)",
    preset: include_str!("email_service.yaml"),
    options: &[],
    table: Table::Header,
    pages: None,
    needs: &[ACTION, &["email", "recipient", "Recipient", "rcpt_to"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of(
            "action",
            "`sent`, `delivered`, `opened`, `machine_opened`, `clicked`, `bounced`, `unsubscribed`, `complained`, or as written",
            &[ACTION, &["sg_machine_open", "machine_open"], AGENT],
            action,
        ),
        Made::of(
            "event_id",
            "id of the event; without one, message, action and time, joined by `/`",
            &[
                &["sg_event_id", "event_id", "id"],
                &["sg_message_id", "message_id", "MessageID"],
                ACTION,
                &["timestamp", "time", "date"],
            ],
            |row| {
                if let Some(id) = row.get(0) {
                    return Some(Cow::Borrowed(id));
                }
                row.get(1).map(|_| (1..4).filter_map(|i| row.get(i)).collect::<Vec<_>>().join("/").into())
            },
        ),
        Made::of(
            "message_id",
            "id of the message, what machines on its way added left out",
            &[&["sg_message_id", "message_id", "MessageID"]],
            |row| row.get(0).map(|id| Cow::Borrowed(id.split(".recvd").next().unwrap_or(id))),
        ),
        Made::checked(
            "occurred_at",
            "when it happened",
            &[&["timestamp", "time", "date", "ReceivedAt"]],
            times::argument,
        ),
        Made::field("email", "address", &[&["email", "recipient", "Recipient", "rcpt_to"]]),
        Made::of(
            "campaign",
            "campaign: the first category",
            &[&["category", "campaign", "campaign_name", "Tag"]],
            |row| {
                let text = row.get(0)?;
                let first = serde_json::from_str::<Vec<String>>(text).ok().and_then(|list| list.into_iter().next());
                Some(first.map_or(Cow::Borrowed(text), Cow::Owned))
            },
        ),
        Made::field("url", "address that was clicked", &[&["url", "OriginalLink"]]),
        Made::field("reason", "why a message bounced", &[&["reason", "Description"]]),
    ],
    lists: &[],
};

fn action<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let text = row.get(0)?;
    let flagged = row.get(1).is_some_and(|flag| matches!(flag.to_lowercase().as_str(), "true" | "1" | "yes"));
    // The proxy of Apple Mail names itself so and says no more; browsers of people always do.
    let machine = flagged || row.get(2) == Some("Mozilla/5.0");
    let name = text.to_lowercase();
    Some(Cow::Borrowed(match name.as_str() {
        "processed" | "sent" | "send" | "injection" => "sent",
        "delivered" | "delivery" => "delivered",
        "open" | "opened" | "initial_open" if machine => "machine_opened",
        "open" | "opened" | "initial_open" => "opened",
        "click" | "clicked" => "clicked",
        "bounce" | "bounced" | "hard_bounce" | "soft_bounce" | "dropped" | "blocked" => "bounced",
        "unsubscribe" | "unsubscribed" | "group_unsubscribe" | "list_unsubscribe" | "link_unsubscribe"
        | "subscriptionchange" => "unsubscribed",
        "spamreport" | "spam_complaint" | "spamcomplaint" | "complaint" | "complained" => "complained",
        _ => return Some(Cow::Owned(name)),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::check;
    use super::*;

    #[test]
    fn opens_of_machines_are_none_of_people() {
        check(&VENDOR, "action", &[("event", "open")], Some("opened"));
        check(&VENDOR, "action", &[("event", "open"), ("sg_machine_open", "true")], Some("machine_opened"));
        check(&VENDOR, "action", &[("event", "open"), ("useragent", "Mozilla/5.0")], Some("machine_opened"));
        let browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
        check(&VENDOR, "action", &[("event", "open"), ("useragent", browser)], Some("opened"));
    }

    #[test]
    fn words_of_several_services() {
        for (word, expect) in [
            ("processed", "sent"),
            ("Delivery", "delivered"),
            ("SpamComplaint", "complained"),
            ("group_unsubscribe", "unsubscribed"),
            ("deferred", "deferred"),
        ] {
            check(&VENDOR, "action", &[("event", word)], Some(expect));
        }
        check(&VENDOR, "campaign", &[("category", r#"["spring","x"]"#)], Some("spring"));
        check(&VENDOR, "campaign", &[("category", "spring")], Some("spring"));
    }

    #[test]
    fn events_without_an_id_are_named_by_what_they_are() {
        let fields = [("message_id", "m1"), ("event", "open"), ("timestamp", "1772366400")];
        check(&VENDOR, "event_id", &fields, Some("m1/open/1772366400"));
        check(&VENDOR, "event_id", &fields[1..], None);
        check(&VENDOR, "occurred_at", &fields, Some("2026-03-01T12:00:00Z"));
    }
}

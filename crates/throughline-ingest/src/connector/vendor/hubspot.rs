//! HubSpot: deals and contacts, as an export with internal names (CSV) or as the CRM API answers (JSON).
//!
//! Sources: HubSpot developers, "CRM API | Deals" and "Contacts"; HubSpot knowledge base, "HubSpot's default traffic
//! sources" (`hs_analytics_source`).

use std::borrow::Cow;

use super::super::shape::{Made, Numbers, Row, Table, Vendor};
use super::times;

const STAGE: &[&str] = &["dealstage", "properties.dealstage"];
const WON: &[&str] = &["hs_is_closed_won", "properties.hs_is_closed_won"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "hubspot",
    summary: "HubSpot deals and contacts, one object a file, with internal names (CSV or JSON)",
    preset: include_str!("hubspot.yaml"),
    options: &[("currency", "currency of deals, where the file has no column for it")],
    table: Table::Header,
    pages: Some("results"),
    needs: &[&["hs_object_id", "id", "Record ID"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::of(
            "object",
            "`deal` or `contact`, by the columns that are there",
            &[STAGE, &["dealname", "properties.dealname"]],
            |row| Some(Cow::Borrowed(if row.get(0).or(row.get(1)).is_some() { "deal" } else { "contact" })),
        ),
        Made::field("id", "id of the record", &[&["hs_object_id", "properties.hs_object_id", "id", "Record ID"]]),
        Made::field("stage", "stage of a deal", &[STAGE]),
        Made::of(
            "is_won",
            "`true` where a deal was won: by `hs_is_closed_won`, else by the stage `closedwon`",
            &[WON, STAGE],
            |row| {
                let won = row
                    .get(0)
                    .map_or_else(|| row.get(1) == Some("closedwon"), |flag| flag.eq_ignore_ascii_case("true"));
                Some(Cow::Borrowed(if won { "true" } else { "false" }))
            },
        ),
        Made::field("amount", "amount of a deal", &[&["amount", "properties.amount"]]),
        Made::of("currency", "its currency", &[&["deal_currency_code", "properties.deal_currency_code"]], |row| {
            row.get(0).or_else(|| row.option("currency")).map(Cow::Borrowed)
        }),
        Made::checked(
            "created_at",
            "when the record was made",
            &[&["createdate", "properties.createdate", "createdAt"]],
            times::argument,
        ),
        Made::checked(
            "closed_at",
            "when a deal was closed; a forecast while it is open",
            &[&["closedate", "properties.closedate"]],
            times::argument,
        ),
        Made::checked(
            "first_seen_at",
            "first visit of a contact",
            &[&["hs_analytics_first_timestamp", "properties.hs_analytics_first_timestamp"]],
            times::argument,
        ),
        Made::field(
            "source",
            "where HubSpot says that the contact first came from",
            &[&["hs_analytics_source", "properties.hs_analytics_source"]],
        ),
        Made::of(
            "channel",
            "channel by that source",
            &[&["hs_analytics_source", "properties.hs_analytics_source"]],
            channel,
        ),
        Made::field(
            "campaign",
            "first detail of that source",
            &[&["hs_analytics_source_data_1", "properties.hs_analytics_source_data_1"]],
        ),
        Made::field(
            "email",
            "e-mail address of the contact",
            &[&["associated_contact_email", "email", "properties.email"]],
        ),
        Made::field("phone", "phone number of a contact", &[&["phone", "properties.phone"]]),
        Made::field(
            "opted_out",
            "whether a contact wants no e-mail",
            &[&["hs_email_optout", "properties.hs_email_optout"]],
        ),
    ],
    lists: &[],
};

fn channel<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let source = row.get(0)?;
    Some(match source {
        "ORGANIC_SEARCH" => "organic_search".into(),
        "PAID_SEARCH" => "paid_search".into(),
        "PAID_SOCIAL" => "paid_social".into(),
        "SOCIAL_MEDIA" => "organic_social".into(),
        "EMAIL_MARKETING" => "email".into(),
        "REFERRALS" => "referral".into(),
        "DIRECT_TRAFFIC" => "direct".into(),
        // OTHER_CAMPAIGNS, OFFLINE, AI_REFERRALS and what comes later keep their names.
        other => other.to_lowercase().into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::check;
    use super::*;

    #[test]
    fn only_the_stage_says_what_was_won() {
        check(&VENDOR, "is_won", &[("dealstage", "closedwon")], Some("true"));
        check(&VENDOR, "is_won", &[("dealstage", "closedlost")], Some("false"));
        check(&VENDOR, "is_won", &[("dealstage", "4711"), ("hs_is_closed_won", "true")], Some("true"));
        check(&VENDOR, "is_won", &[("properties.dealstage", "closedwon")], Some("true"));
    }

    #[test]
    fn times_are_milliseconds_or_text() {
        check(&VENDOR, "closed_at", &[("closedate", "1772366400000")], Some("2026-03-01T12:00:00Z"));
        check(&VENDOR, "closed_at", &[("properties.closedate", "2026-03-01T12:00:00Z")], Some("2026-03-01T12:00:00Z"));
    }

    #[test]
    fn sources_become_channels() {
        check(&VENDOR, "channel", &[("hs_analytics_source", "SOCIAL_MEDIA")], Some("organic_social"));
        check(&VENDOR, "channel", &[("hs_analytics_source", "OFFLINE")], Some("offline"));
        check(&VENDOR, "channel", &[], None);
    }
}

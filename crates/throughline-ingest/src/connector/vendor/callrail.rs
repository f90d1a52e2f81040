//! CallRail: the log of calls, as exported (CSV) or as the API answers (JSON).
//!
//! Source: CallRail API v3, "Calls" (the fields of the call object).

use std::borrow::Cow;

use super::super::shape::{Made, Numbers, Row, Table, Vendor};
use super::times;

const SOURCE_NAME: &[&str] = &["source_name", "source"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "callrail",
    summary: "CallRail calls with their source (CSV or JSON)",
    preset: include_str!("callrail.yaml"),
    options: &[],
    table: Table::Header,
    pages: Some("calls"),
    needs: &[&["id"], &["start_time"], &["customer_phone_number"]],
    numbers: Numbers::NONE,
    columns: &[
        Made::field("id", "id of the call", &[&["id"]]),
        Made::checked("occurred_at", "when it began", &[&["start_time"]], times::argument),
        Made::of(
            "outcome",
            "`answered`, `voicemail` or `missed`: nobody spoke in the last two",
            &[&["answered"], &["voicemail"]],
            |row| {
                let yes = |i: usize| row.get(i).is_some_and(|flag| flag.eq_ignore_ascii_case("true") || flag == "1");
                Some(Cow::Borrowed(match (yes(0), yes(1)) {
                    (_, true) => "voicemail",
                    (true, _) => "answered",
                    _ => "missed",
                }))
            },
        ),
        Made::field("direction", "`inbound` or `outbound`", &[&["direction"]]),
        Made::field("duration", "seconds", &[&["duration"]]),
        Made::field(
            "phone",
            "number of the customer; that of the tracker says nothing of a person",
            &[&["customer_phone_number"]],
        ),
        Made::field("tracker", "the tracking number's id or number", &[&["tracker_id", "tracking_phone_number"]]),
        Made::field("source_name", "name of the tracking number's source", &[SOURCE_NAME]),
        Made::of(
            "traffic_source",
            "source of the visit: of the address, else by the name of the number's source",
            &[&["utm_source"], SOURCE_NAME],
            traffic_source,
        ),
        Made::of(
            "traffic_medium",
            "medium of the visit: of the address, else as CallRail says",
            &[&["utm_medium"], &["medium"]],
            |row| {
                if let Some(own) = row.get(0) {
                    return Some(Cow::Borrowed(own));
                }
                let medium = row.get(1).map(str::to_lowercase);
                medium.map(|m| if m == "direct" { Cow::Borrowed("(none)") } else { Cow::Owned(m) })
            },
        ),
        Made::field("campaign", "campaign", &[&["utm_campaign", "campaign"]]),
        Made::field("page", "page that the caller landed on", &[&["landing_page_url"]]),
        Made::field("referrer", "page before it", &[&["referring_url"]]),
        Made::field("gclid", "click id of Google Ads", &[&["gclid"]]),
        Made::field("fbclid", "click id of Meta", &[&["fbclid"]]),
        Made::field("msclkid", "click id of Microsoft Advertising", &[&["msclkid"]]),
        Made::field("lead_status", "what the team made of the call", &[&["lead_status"]]),
        Made::field("value", "value that the team gave the call", &[&["value"]]),
    ],
    lists: &[],
};

fn traffic_source<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    if let Some(own) = row.get(0) {
        return Some(Cow::Borrowed(own));
    }
    // Names such as "Google Ads" and "Facebook Organic" begin with the platform.
    let first = row.get(1).and_then(|name| name.split_whitespace().next()).map(str::to_lowercase);
    first.map(|word| if word == "direct" { Cow::Borrowed("(direct)") } else { Cow::Owned(word) })
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::check;
    use super::*;

    #[test]
    fn nobody_spoke_in_missed_calls_and_voicemail() {
        check(&VENDOR, "outcome", &[("answered", "true")], Some("answered"));
        check(&VENDOR, "outcome", &[("answered", "false")], Some("missed"));
        check(&VENDOR, "outcome", &[("answered", "true"), ("voicemail", "true")], Some("voicemail"));
    }

    #[test]
    fn local_times_have_their_offset() {
        check(&VENDOR, "occurred_at", &[("start_time", "2026-03-29T03:10:00.000+02:00")], Some("2026-03-29T01:10:00Z"));
    }

    #[test]
    fn the_address_says_more_than_the_number() {
        check(&VENDOR, "traffic_source", &[("utm_source", "bing"), ("source_name", "Google Ads")], Some("bing"));
        check(&VENDOR, "traffic_source", &[("source_name", "Google Organic")], Some("google"));
        check(&VENDOR, "traffic_source", &[("source_name", "Direct")], Some("(direct)"));
        check(&VENDOR, "traffic_medium", &[("medium", "direct")], Some("(none)"));
        check(&VENDOR, "traffic_medium", &[("medium", "Organic")], Some("organic"));
    }
}

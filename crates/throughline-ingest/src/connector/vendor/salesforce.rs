//! Salesforce: opportunities, campaign members and contacts, as CSV of reports or of the data export, or as JSON of the API.
//!
//! Sources: "Opportunity", "CampaignMember" and "Contact" of the "Object Reference for the Salesforce Platform"; "ID Field
//! Type" of the "SOAP API Developer Guide" for the 18 characters of an id.

use std::borrow::Cow;

use super::super::shape::{Given, Made, Numbers, Row, Table, Vendor, unreadable};
use super::times;
use crate::diagnostics::RowFault;

const ID: &[&str] = &["Id", "Opportunity ID", "Contact ID"];
const CONTACT: &[&str] = &["ContactId", "Primary Contact ID", "LeadId"];
const STAGE: &[&str] = &["StageName", "Stage"];
const CAMPAIGN: &[&str] = &["CampaignId", "Campaign ID"];
const AMOUNT: &[&str] = &["Amount"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "salesforce",
    summary: "Salesforce opportunities, campaign members and contacts, one object a file (CSV or JSON)",
    preset: include_str!("salesforce.yaml"),
    options: &[("currency", "currency of amounts, where the file has no column for it")],
    table: Table::Header,
    pages: Some("records"),
    needs: &[&["Id", "Opportunity ID", "Contact ID", "CampaignId", "Campaign ID"]],
    numbers: Numbers { amounts: AMOUNT, counts: &[] },
    columns: &[
        Made::of(
            "object",
            "`opportunity`, `campaign_member`, `contact` or `other`, by the columns that are there",
            &[STAGE, CAMPAIGN, &["Status", "HasResponded"], &["Email", "Phone", "LastName"]],
            |row| Some(object(row).into()),
        ),
        Made::of("id", "id of the record, 18 characters", &[ID], |row| row.get(0).map(long_id)),
        Made::of("contact_id", "id of its contact or lead, 18 characters", &[CONTACT], |row| row.get(0).map(long_id)),
        Made::of("account_id", "id of its account, 18 characters", &[&["AccountId", "Account ID"]], |row| {
            row.get(0).map(long_id)
        }),
        Made::field("email", "e-mail address of a contact", &[&["Email"]]),
        Made::field("phone", "phone number of a contact", &[&["Phone", "MobilePhone"]]),
        Made::field("stage", "stage of an opportunity", &[STAGE]),
        Made::of(
            "is_won",
            "`true` where an opportunity was won: by `IsWon`, else by the stage `Closed Won`",
            &[&["IsWon", "Won"], STAGE],
            |row| {
                let won = row.get(0).map_or_else(
                    || row.get(1).is_some_and(|stage| stage.eq_ignore_ascii_case("closed won")),
                    |flag| matches!(flag.to_lowercase().as_str(), "true" | "1"),
                );
                Some(Cow::Borrowed(if won { "true" } else { "false" }))
            },
        ),
        Made::number("amount", "amount of an opportunity", &[AMOUNT]),
        Made::of("currency", "currency of the amount", &[&["CurrencyIsoCode", "Amount Currency"]], |row| {
            row.get(0).or_else(|| row.option("currency")).map(Cow::Borrowed)
        }),
        Made::checked("closed_on", "day on which an opportunity was closed", &[&["CloseDate", "Close Date"]], day),
        Made::field("lead_source", "where sales says that it came from", &[&["LeadSource", "Lead Source"]]),
        Made::of("campaign_id", "id of the campaign, 18 characters", &[CAMPAIGN], |row| row.get(0).map(long_id)),
        Made::field("campaign", "name of the campaign", &[&["Campaign.Name", "Campaign Name"]]),
        Made::of(
            "channel",
            "channel by the campaign's type; `campaign` where it is unknown",
            &[&["Campaign.Type", "Campaign Type"]],
            |row| {
                Some(row.get(0).map_or(Cow::Borrowed("campaign"), |kind| kind.to_lowercase().replace(' ', "_").into()))
            },
        ),
        Made::field("status", "status of a campaign member", &[&["Status", "Member Status"]]),
        Made::checked(
            "responded_on",
            "day of a member's first response",
            &[&["FirstRespondedDate", "First Responded Date"]],
            day,
        ),
        Made::checked("created_at", "when the record was made", &[&["CreatedDate", "Created Date"]], times::argument),
        Made::field("opted_out", "whether a contact wants no e-mail", &[&["HasOptedOutOfEmail", "Email Opt Out"]]),
    ],
    lists: &[],
};

fn object(row: &Row<'_>) -> &'static str {
    let has = |i| row.get(i).is_some();
    match (has(0), has(1), has(2), has(3)) {
        (true, ..) => "opportunity",
        (_, true, true, _) => "campaign_member",
        (_, _, _, true) => "contact",
        _ => "other",
    }
}

fn day<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0) else { return Ok(None) };
    let date = text.get(..10).filter(|_| text.as_bytes().get(10) == Some(&b'T')).unwrap_or(text);
    times::date(date).map(Some).ok_or_else(|| unreadable(RowFault::TimeInvalid, "a day", text, "2026-03-01"))
}

/// An id of 15 characters with the 3 that make it safe where case is lost: for each five characters a sign whose bits,
/// lowest first, say which are capitals. Anything else stays.
fn long_id(id: &str) -> Cow<'_, str> {
    const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    if id.len() != 15 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Cow::Borrowed(id);
    }
    let sign = |five: &[u8]| five.iter().rev().fold(0, |bits, c| 2 * bits + usize::from(c.is_ascii_uppercase()));
    let suffix = id.as_bytes().chunks(5).filter_map(|five| SIGNS.get(sign(five)));
    id.chars().chain(suffix.map(|b| char::from(*b))).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    #[test]
    fn ids_of_15_and_18_characters_are_one() {
        // Salesforce, "LongSfid()", Marketing Cloud AMPscript reference.
        check(&VENDOR, "id", &[("Id", "0036000000QKv5T")], Some("0036000000QKv5TAAT"));
        check(&VENDOR, "id", &[("Id", "0036000000QKv5TAAT")], Some("0036000000QKv5TAAT"));
        check(&VENDOR, "contact_id", &[("ContactId", "x")], Some("x"));
    }

    #[test]
    fn objects_are_known_by_their_columns() {
        check(&VENDOR, "object", &[("StageName", "Closed Won")], Some("opportunity"));
        check(&VENDOR, "object", &[("CampaignId", "7"), ("Status", "Sent")], Some("campaign_member"));
        check(&VENDOR, "object", &[("Email", "a@b.c")], Some("contact"));
        check(&VENDOR, "object", &[], Some("other"));
    }

    #[test]
    fn only_what_was_won_is_won() {
        check(&VENDOR, "is_won", &[("StageName", "Closed Lost")], Some("false"));
        check(&VENDOR, "is_won", &[("StageName", "Closed Won")], Some("true"));
        check(&VENDOR, "is_won", &[("StageName", "Signed"), ("IsWon", "true")], Some("true"));
    }

    #[test]
    fn days_with_and_without_a_time() {
        check(&VENDOR, "closed_on", &[("CloseDate", "2026-03-01T23:00:00.000Z")], Some("2026-03-01"));
        refused(&VENDOR, "closed_on", &[("CloseDate", "03/01/2026")], RowFault::TimeInvalid);
    }
}

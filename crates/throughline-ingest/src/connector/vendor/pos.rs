//! Tills of stores: one line a receipt, in the store's local time.
//!
//! Source: what the exports of tills have in common (ARTS / OMG POSLog: `RetailStoreID`, `WorkstationID`, `SequenceNumber`,
//! `BeginDateTime`, `TransactionLink`).

use std::borrow::Cow;

use jiff::civil::DateTime;

use super::super::shape::{DECIMAL_OPTION, Given, Made, Numbers, Row, Table, Vendor, unreadable};
use crate::diagnostics::{BadRow, RowFault};

const STORE: &[&str] = &["store", "store_id", "RetailStoreID"];
const RECEIPT: &[&str] = &["receipt", "receipt_id", "receipt_number", "SequenceNumber"];
const LOCAL: &[&str] = &["local_time", "sold_at", "BeginDateTime"];
const ZONE: &[&str] = &["zone", "time_zone", "timezone"];
const VALUE: &[&str] = &["value", "total", "amount"];
const ORIGINAL: &[&str] = &["original_receipt", "TransactionLink"];
/// Forms of local times beside ISO 8601.
const TIME_FORMS: &[&str] = &["%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M"];

pub(in super::super) static VENDOR: Vendor = Vendor {
    name: "pos",
    summary: "receipts and returns of stores' tills in local time (CSV)",
    preset: include_str!("pos.yaml"),
    options: &[
        DECIMAL_OPTION,
        ("zone", "time zone of the stores, such as Europe/Berlin, where the file has no column for it"),
        ("currency", "currency of the receipts, where the file has no column for it"),
    ],
    table: Table::Header,
    pages: None,
    needs: &[RECEIPT, LOCAL, VALUE],
    numbers: Numbers { amounts: VALUE, counts: &[] },
    columns: &[
        Made::field("store", "store", &[STORE]),
        Made::field("terminal", "till", &[&["terminal", "till", "WorkstationID"]]),
        Made::of(
            "receipt_id",
            "store and number, joined by `/`: numbers count up store by store",
            &[STORE, RECEIPT],
            receipt_id,
        ),
        Made::checked("sold_at", "instant, by local time and zone", &[LOCAL, ZONE], sold_at),
        Made::field("loyalty_id", "number of the loyalty card", &[&["loyalty_card", "loyalty_id", "card"]]),
        Made::field("email", "e-mail address given at the till", &[&["email"]]),
        Made::field("phone", "phone number given at the till", &[&["phone"]]),
        Made::field(
            "email_hash",
            "SHA-256 of the e-mail address, where the till keeps no more",
            &[&["email_sha256", "email_hash"]],
        ),
        Made::field("phone_hash", "SHA-256 of the phone number", &[&["phone_sha256", "phone_hash"]]),
        Made::field("tender", "how it was paid", &[&["tender", "payment"]]),
        Made::number("value", "value of the receipt, negative where money was given back", &[VALUE]),
        Made::checked("returned_value", "value given back, without its sign", &[VALUE], |row| {
            let value = row.number(0)?;
            Ok(value.and_then(|v| v.strip_prefix('-').map(|size| size.to_owned().into())))
        }),
        Made::of("currency", "currency", &[&["currency"]], |row| {
            row.get(0).or_else(|| row.option("currency")).map(Cow::Borrowed)
        }),
        Made::of(
            "original_receipt_id",
            "receipt that a return belongs to, with its store",
            &[STORE, ORIGINAL],
            receipt_id,
        ),
    ],
    lists: &[],
};

fn receipt_id<'a>(row: &Row<'a>) -> Option<Cow<'a, str>> {
    let number = row.get(1)?;
    Some(row.get(0).map_or(Cow::Borrowed(number), |store| format!("{store}/{number}").into()))
}

fn sold_at<'a>(row: &Row<'a>) -> Given<'a> {
    let Some(text) = row.get(0) else { return Ok(None) };
    let Some(name) = row.get(1).or_else(|| row.option("zone")) else {
        let reason = "the time zone is missing; set `options: { zone: … }`";
        return Err(BadRow::new(RowFault::TimeInvalid, reason));
    };
    let zone = row.zone(name).ok_or_else(|| {
        unreadable(
            RowFault::TimeInvalid,
            "the time zone",
            name,
            "a name of the time zone database such as Europe/Berlin",
        )
    })?;
    let parse =
        || text.parse::<DateTime>().ok().or_else(|| TIME_FORMS.iter().find_map(|f| DateTime::strptime(f, text).ok()));
    let local =
        parse().ok_or_else(|| unreadable(RowFault::TimeInvalid, "the local time", text, "2026-03-01 12:00:00"))?;
    // In the hour that happens twice the earlier is taken; in the hour that does not exist, what a clock shows that was not
    // put forward.
    let instant = zone.to_ambiguous_timestamp(local).compatible();
    let instant = instant.map_err(|_| BadRow::new(RowFault::TimeOutOfRange, "the local time is out of range"))?;
    Ok(Some(instant.to_string().into()))
}

#[cfg(test)]
mod tests {
    use super::super::super::shape::testing::{check, refused};
    use super::*;

    #[test]
    fn local_times_around_both_changes() {
        for (local, zone, expect) in [
            ("2026-01-05 18:00:00", "Europe/Berlin", "2026-01-05T17:00:00Z"),
            ("2026-01-06 00:30:00", "Europe/Helsinki", "2026-01-05T22:30:00Z"),
            ("2026-03-29 03:00:00", "Europe/Berlin", "2026-03-29T01:00:00Z"),
            ("2026-03-29 02:30:00", "Europe/Berlin", "2026-03-29T01:30:00Z"),
            ("2026-10-25 02:30:00", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-10-25 03:00:00", "Europe/Berlin", "2026-10-25T02:00:00Z"),
            ("05.01.2026 18:00", "Europe/Lisbon", "2026-01-05T18:00:00Z"),
            ("2026-07-01T12:00:00", "America/New_York", "2026-07-01T16:00:00Z"),
        ] {
            check(&VENDOR, "sold_at", &[("local_time", local), ("zone", zone)], Some(expect));
        }
        refused(&VENDOR, "sold_at", &[("local_time", "2026-01-05 18:00:00")], RowFault::TimeInvalid);
        refused(&VENDOR, "sold_at", &[("local_time", "18:00"), ("zone", "Europe/Berlin")], RowFault::TimeInvalid);
        refused(
            &VENDOR,
            "sold_at",
            &[("local_time", "2026-01-05 18:00:00"), ("zone", "Mars/Base")],
            RowFault::TimeInvalid,
        );
    }

    #[test]
    fn numbers_are_those_of_a_store_and_returns_say_of_which() {
        let fields = [("store", "berlin"), ("receipt", "000007"), ("original_receipt", "000003"), ("value", "-12.50")];
        check(&VENDOR, "receipt_id", &fields, Some("berlin/000007"));
        check(&VENDOR, "original_receipt_id", &fields, Some("berlin/000003"));
        check(&VENDOR, "returned_value", &fields, Some("12.50"));
        check(&VENDOR, "returned_value", &[("value", "12.50")], None);
    }
}

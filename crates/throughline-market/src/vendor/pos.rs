//! Receipts as the tills of stores write them: one line a receipt, in the store's own time.
//!
//! Format: what the exports of tills have in common (ARTS / OMG POSLog names in brackets): store (`RetailStoreID`),
//! terminal (`WorkstationID`), receipt (`SequenceNumber`), local time (`BeginDateTime`, without an offset) beside the
//! zone of the store, loyalty card, tender, value, and for what was brought back the original receipt
//! (`TransactionLink`).
//!
//! Traps:
//! - Receipt numbers count up store by store: a number alone names no receipt.
//! - Times have no offset. Reading them takes the rules of the zone: on 29 March 2026 the hour from which clocks are put
//!   forward does not exist, on 25 October 2026 one hour happens twice.
//! - East of Greenwich a late receipt bears the next day's date, so that sums by local day differ from sums by UTC day.
//! - Values are negative where money was given back; they are not new orders, and not faults either.
//! - Without a card nothing says who bought.

use std::collections::BTreeMap;
use std::io::{self, Write};

use throughline_core::Timestamp;

use super::VendorFile;
use super::figures::decimal;
use crate::noise::Purpose;
use crate::{Life, World};

/// Receipts of all stores.
pub(super) const RECEIPTS: VendorFile = VendorFile {
    path: "pos/receipts.csv",
    summary: "store receipts and returns in local time, numbered store by store",
    write,
};

const HEADER: [&str; 10] = [
    "store",
    "terminal",
    "receipt",
    "local_time",
    "zone",
    "loyalty_card",
    "tender",
    "value",
    "currency",
    "original_receipt",
];

/// A zone of the IANA database: hours that its clocks are ahead of UTC in winter and in summer.
struct Zone {
    name: &'static str,
    winter_hours: i64,
    summer_hours: i64,
}

/// The zones of [`Person::REGIONS`](crate::Person::REGIONS), by position. All of them change with the European Union:
/// forward on the last Sunday of March, back on the last Sunday of October, both at 01:00 UTC. Source: tz database,
/// `europe`, rule `EU` (directive 2000/84/EC).
const ZONES: [Zone; 4] = [
    Zone { name: "Europe/Berlin", winter_hours: 1, summer_hours: 2 },
    Zone { name: "Europe/Helsinki", winter_hours: 2, summer_hours: 3 },
    Zone { name: "Europe/Madrid", winter_hours: 1, summer_hours: 2 },
    Zone { name: "Europe/Lisbon", winter_hours: 0, summer_hours: 1 },
];

const TERMINALS: u32 = 3;

impl Zone {
    fn of(region: u32) -> &'static Self {
        ZONES.get(region as usize).unwrap_or(&ZONES[0])
    }

    /// What the clocks of the zone show, without an offset.
    fn local(&self, instant: Timestamp) -> String {
        let hours = if summer(instant) { self.summer_hours } else { self.winter_hours };
        let shown = instant.plus_micros(hours * 3_600_000_000).to_string();
        shown.replace('T', " ").trim_end_matches('Z').to_owned()
    }
}

/// Whether summer time holds. The year of an instant is the same in UTC as far as the rule needs it.
fn summer(instant: Timestamp) -> bool {
    let year = instant.date().get(..4).map(str::to_owned).unwrap_or_default();
    let change = |month: &str| {
        let last_of_month = format!("{year}-{month}-31T01:00:00Z").parse::<Timestamp>();
        // Day 0 of the epoch was a Thursday: day numbers plus 4 leave 0 on Sundays.
        last_of_month.map(|last| last.plus_days(-((last.day_number() + 4).rem_euclid(7))))
    };
    matches!((change("03"), change("10")), (Ok(begin), Ok(end)) if begin <= instant && instant < end)
}

/// A receipt before it has a number.
struct Receipt<'a> {
    life: &'a Life,
    /// Position of the purchase that was made or brought back.
    purchase: usize,
    is_return: bool,
    at: Timestamp,
    value_micros: i64,
}

/// The receipts of each region's store, in order of time: positions are numbers less one.
fn by_store(world: &World) -> BTreeMap<u32, Vec<Receipt<'_>>> {
    let mut stores: BTreeMap<u32, Vec<Receipt<'_>>> = BTreeMap::new();
    for life in world.lives() {
        let store = stores.entry(life.person.region).or_default();
        let bought = life.purchases.iter().enumerate().filter(|(_, p)| p.in_store);
        store.extend(bought.map(|(purchase, p)| Receipt {
            life,
            purchase,
            is_return: false,
            at: world.instant(p.day, p.second),
            value_micros: p.value_micros,
        }));
        let back = life.returns.iter().filter(|r| life.purchases.get(r.purchase).is_some_and(|p| p.in_store));
        store.extend(back.map(|r| Receipt {
            life,
            purchase: r.purchase,
            is_return: true,
            at: world.instant(r.day, r.second),
            value_micros: -r.value_micros,
        }));
    }
    for store in stores.values_mut() {
        store.sort_by_key(|r| (r.at, r.life.person.number, r.purchase, r.is_return));
    }
    stores
}

fn store_name(receipt: &Receipt<'_>) -> String {
    format!("store_{}", receipt.life.person.region_name())
}

fn number(position: usize) -> String {
    format!("{:06}", position + 1)
}

fn write(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for (region, receipts) in &by_store(world) {
        let zone = Zone::of(*region);
        let sales = receipts.iter().enumerate().filter(|(_, r)| !r.is_return);
        let numbers: BTreeMap<(u32, usize), String> =
            sales.map(|(position, r)| ((r.life.person.number, r.purchase), number(position))).collect();
        for (position, receipt) in receipts.iter().enumerate() {
            let person = &receipt.life.person;
            // Goods come back on a day of their own, to whichever till is free, but the money goes the way it came.
            let day = receipt.life.purchases.get(receipt.purchase).map_or(0, |p| p.day);
            let terminal = 1 + person.noise.index(Purpose::Till, day, u32::from(receipt.is_return), TERMINALS);
            let cash = person.noise.unit(Purpose::Till, day, 2) < 0.3;
            let original = numbers.get(&(person.number, receipt.purchase)).filter(|_| receipt.is_return);
            writer.write_record([
                store_name(receipt),
                terminal.to_string(),
                number(position),
                zone.local(receipt.at),
                zone.name.to_owned(),
                person.loyalty_id().unwrap_or_default(),
                if cash { "cash" } else { "card" }.to_owned(),
                decimal(receipt.value_micros, 2),
                world.scenario().currency.clone(),
                original.cloned().unwrap_or_default(),
            ])?;
        }
    }
    writer.flush()
}

/// (kind, store and receipt joined by `/`, customer number) of every receipt.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    let mut rows = Vec::new();
    for receipts in by_store(world).values() {
        let named = receipts.iter().enumerate();
        rows.extend(named.map(|(position, r)| {
            ("pos_receipt", format!("{}/{}", store_name(r), number(position)), r.life.person.crm_id())
        }));
    }
    rows
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::derived::testing::{micros, rows, world};
    use super::*;

    #[test]
    fn clocks_show_what_was_worked_out_by_hand_around_both_changes() {
        #[track_caller]
        fn check(region: u32, instant: &str, expect: &str) {
            assert_eq!(Zone::of(region).local(instant.parse().expect("a time")), expect);
        }
        check(0, "2026-01-05T17:00:00Z", "2026-01-05 18:00:00");
        check(1, "2026-01-05T22:30:00Z", "2026-01-06 00:30:00");
        check(3, "2026-01-05T17:00:00Z", "2026-01-05 17:00:00");
        // 29 March 2026: the last second of winter and the first of summer, in all zones at once.
        check(0, "2026-03-29T00:59:59Z", "2026-03-29 01:59:59");
        check(0, "2026-03-29T01:00:00Z", "2026-03-29 03:00:00");
        check(1, "2026-03-29T00:59:59Z", "2026-03-29 02:59:59");
        check(1, "2026-03-29T01:00:00Z", "2026-03-29 04:00:00");
        check(2, "2026-03-29T00:59:59Z", "2026-03-29 01:59:59");
        check(2, "2026-03-29T01:00:00Z", "2026-03-29 03:00:00");
        check(3, "2026-03-29T00:59:59Z", "2026-03-29 00:59:59");
        check(3, "2026-03-29T01:00:00Z", "2026-03-29 02:00:00");
        // 25 October 2026: one hour happens twice.
        check(0, "2026-10-25T00:30:00Z", "2026-10-25 02:30:00");
        check(0, "2026-10-25T01:30:00Z", "2026-10-25 02:30:00");
        // The change moves with the calendar: 30 March 2025, 26 October 2025.
        check(0, "2025-03-29T12:00:00Z", "2025-03-29 13:00:00");
        check(0, "2025-03-30T01:00:00Z", "2025-03-30 03:00:00");
        check(0, "2025-10-26T00:59:59Z", "2025-10-26 02:59:59");
        check(0, "2025-10-26T01:00:00Z", "2025-10-26 02:00:00");
    }

    #[test]
    fn the_hour_left_out_never_shows() {
        let midnight: Timestamp = "2026-03-29T00:00:00Z".parse().expect("a time");
        for (zone, missing) in ZONES.iter().zip(["02", "03", "02", "01"]) {
            for minute in -300..300 {
                let shown = zone.local(midnight.plus_micros(minute * 60_000_000));
                assert!(!shown.starts_with(&format!("2026-03-29 {missing}:")), "{} shows {shown}", zone.name);
            }
        }
    }

    #[test]
    fn receipts_add_up_to_the_purchases_and_returns_of_each_store() {
        let world = world(3_000, 3);
        let mut expect: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        for life in world.lives() {
            let sums = expect.entry(format!("store_{}", life.person.region_name())).or_default();
            for (index, p) in life.purchases.iter().enumerate().filter(|(_, p)| p.in_store) {
                let back: i64 = life.returns.iter().filter(|r| r.purchase == index).map(|r| r.value_micros).sum();
                sums[0] += 1;
                sums[1] += p.value_micros;
                sums[2] += i64::from(back > 0);
                sums[3] -= back;
            }
        }
        let mut found: BTreeMap<String, [i64; 4]> = BTreeMap::new();
        let mut sold: BTreeMap<(String, String), (i64, String, String)> = BTreeMap::new();
        for row in rows(&world, &RECEIPTS) {
            let value = micros(&row["value"]);
            assert_eq!(row["value"].split_once('.').map(|(_, part)| part.len()), Some(2), "{row:?}");
            let sums = found.entry(row["store"].clone()).or_default();
            let at = if value < 0 { 2 } else { 0 };
            sums[at] += 1;
            sums[at + 1] += value;
            let key = (row["store"].clone(), row["receipt"].clone());
            assert_eq!(format!("{:06}", sums[0] + sums[2]), row["receipt"], "numbers count up store by store");
            assert_eq!(row["original_receipt"].is_empty(), value > 0);
            if value < 0 {
                let (amount, time, card) = &sold[&(row["store"].clone(), row["original_receipt"].clone())];
                assert!(*amount == -value && *time < row["local_time"] && *card == row["loyalty_card"], "{row:?}");
            } else {
                sold.insert(key, (value, row["local_time"].clone(), row["loyalty_card"].clone()));
            }
        }
        assert_eq!(found, expect);
        assert!(found.values().map(|s| s[2]).sum::<i64>() > 5, "{found:?}");
    }

    #[test]
    fn rows_name_zone_and_card_and_the_truth_names_every_receipt() {
        let world = world(3_000, 3);
        let rows = rows(&world, &RECEIPTS);
        let zones: BTreeSet<_> = rows.iter().map(|r| (r["store"].as_str(), r["zone"].as_str())).collect();
        let expect = [
            ("store_east", "Europe/Helsinki"),
            ("store_north", "Europe/Berlin"),
            ("store_south", "Europe/Madrid"),
            ("store_west", "Europe/Lisbon"),
        ];
        assert_eq!(zones.into_iter().collect::<Vec<_>>(), expect);
        assert!(
            rows.iter().any(|r| *r["local_time"] < *"2026-03-29")
                && rows.iter().any(|r| *r["local_time"] > *"2026-03-30")
        );
        let truth = identity(&world);
        assert_eq!(truth.len(), rows.len());
        let people: BTreeMap<_, _> = world.lives().iter().map(|l| (l.person.crm_id(), l.person)).collect();
        for (row, (_, id, customer)) in rows.iter().zip(&truth) {
            assert_eq!(*id, format!("{}/{}", row["store"], row["receipt"]));
            assert_eq!(people[customer].loyalty_id().unwrap_or_default(), row["loyalty_card"]);
        }
        assert!(
            rows.iter().any(|r| r["loyalty_card"].is_empty()) && rows.iter().any(|r| !r["loyalty_card"].is_empty())
        );
    }
}

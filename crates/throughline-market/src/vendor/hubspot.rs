//! Deals of HubSpot, as its export of properties writes them.
//!
//! Format: "CRM API | Deals" and "HubSpot's default deal properties" of the developer documentation, internal names as
//! column names; the source is that of "HubSpot's default traffic sources" (`hs_analytics_source`, with the campaign as
//! drill-down 1). The last column is the e-mail of the associated contact.
//!
//! Traps:
//! - Times are milliseconds since 1970.
//! - `closedate` of a deal that is open is a forecast and may lie after the end of the data. Only `dealstage` tells what
//!   happened; `closedlost` has a date and an amount too.
//! - The source is the contact's first visit until the deal was made, not what moved it. Impressions are not seen, and
//!   `OFFLINE` means that no visit is known: with people who permitted no measurement it always is.
//! - Several channels share `OTHER_CAMPAIGNS`.
//! - Some deals have no contact. Purchases in stores are not here.

use std::io::{self, Write};

use throughline_core::{Purpose as ConsentPurpose, Timestamp};

use super::VendorFile;
use super::derived::{WAIT_DAYS, carts, slot};
use super::figures::decimal;
use crate::noise::Purpose;
use crate::{Channel, Life, World};

/// Deals won on-line, lost, and open.
pub(super) const DEALS: VendorFile = VendorFile {
    path: "hubspot/deals.csv",
    summary: "deals with amount, stage, time of closing and the contact's first source",
    write,
};

const HEADER: [&str; 11] = [
    "hs_object_id",
    "dealname",
    "pipeline",
    "dealstage",
    "amount",
    "deal_currency_code",
    "createdate",
    "closedate",
    "hs_analytics_source",
    "hs_analytics_source_data_1",
    "associated_contact_email",
];

/// Ids of records count up over the whole portal; these are the deal's.
const FIRST_ID: usize = 18_204_551_003;
/// Share of deals that nobody associated with a contact.
const UNASSOCIATED_SHARE: f64 = 0.04;
/// What the forecast adds to the day of an open deal.
const FORECAST_DAYS: i64 = 14;

struct Deal<'a> {
    life: &'a Life,
    stage: &'static str,
    amount_micros: i64,
    created: Timestamp,
    closed: Timestamp,
    associated: bool,
}

/// The deals in order of creation: positions give their ids.
fn deals(world: &World) -> Vec<Deal<'_>> {
    let mut deals: Vec<Deal<'_>> = Vec::new();
    for life in world.lives() {
        let associated = |day, slot| life.person.noise.unit(Purpose::Deal, day, slot) >= UNASSOCIATED_SHARE;
        let won = life.purchases.iter().filter(|p| !p.in_store).map(|p| {
            let at = world.instant(p.day, p.second);
            let associated = associated(p.day, 4_000);
            Deal { life, stage: "closedwon", amount_micros: p.value_micros, created: at, closed: at, associated }
        });
        deals.extend(won);
        // A basket becomes a deal where the visitor is known by a cookie and may be.
        let consent = life.person.consent;
        let known = consent.allows(ConsentPurpose::Measurement) && consent.allows(ConsentPurpose::Linking);
        let left = carts(world, life).into_iter().filter(|_| known).map(|cart| {
            let created = world.instant(cart.day, cart.second);
            let (stage, days) =
                if cart.lost { ("closedlost", i64::from(WAIT_DAYS)) } else { ("qualifiedtobuy", FORECAST_DAYS) };
            Deal {
                life,
                stage,
                amount_micros: cart.value_micros,
                created,
                closed: created.plus_days(days),
                associated: associated(cart.day, slot(cart.touch, 1)),
            }
        });
        deals.extend(left);
    }
    // Sorting keeps the order of people, and of a person's deals, within an instant.
    deals.sort_by_key(|d| d.created);
    deals
}

/// The source and its drill-down of the contact's first visit until an instant.
fn source<'a>(world: &'a World, life: &Life, until: Timestamp) -> (&'static str, &'a str) {
    let measured = life.person.consent.allows(ConsentPurpose::Measurement);
    let first = life.sessions.iter().filter(|_| measured).find_map(|s| life.touches.get(s.touch));
    let Some(touch) = first.filter(|t| world.instant(t.day, t.second) <= until) else {
        return ("OFFLINE", "");
    };
    match touch.channel {
        Channel::Organic => ("ORGANIC_SEARCH", ""),
        Channel::Direct => ("DIRECT_TRAFFIC", ""),
        Channel::Referral => ("REFERRALS", ""),
        Channel::PaidSearch => ("PAID_SEARCH", world.campaign_name(touch)),
        Channel::PaidSocial => ("PAID_SOCIAL", world.campaign_name(touch)),
        Channel::Email => ("EMAIL_MARKETING", world.campaign_name(touch)),
        _ => ("OTHER_CAMPAIGNS", world.campaign_name(touch)),
    }
}

fn id(position: usize) -> String {
    // Other records take numbers in between.
    (FIRST_ID + 7 * position).to_string()
}

fn write(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for (position, deal) in deals(world).iter().enumerate() {
        let (source, detail) = source(world, deal.life, deal.created);
        let what = if deal.stage == "closedwon" { "Order" } else { "Basket" };
        writer.write_record([
            id(position),
            format!("{what} of {}", deal.created.date()),
            "default".to_owned(),
            deal.stage.to_owned(),
            decimal(deal.amount_micros, 2),
            world.scenario().currency.clone(),
            millis(deal.created),
            millis(deal.closed),
            source.to_owned(),
            detail.to_owned(),
            if deal.associated { deal.life.person.email() } else { String::new() },
        ])?;
    }
    writer.flush()
}

fn millis(instant: Timestamp) -> String {
    (instant.micros() / 1_000).to_string()
}

/// (kind, id, customer number) of every deal.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    let deals = deals(world);
    let named = deals.iter().enumerate();
    named.map(|(position, d)| ("hubspot_deal", id(position), d.life.person.crm_id())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use throughline_core::EventKind;

    use super::super::derived::testing::{check_share, micros, rows, world};
    use super::*;

    #[test]
    fn deals_won_are_the_orders_on_line() {
        let world = world(2_000, 3);
        let rows = rows(&world, &DEALS);
        let mut found: Vec<_> = rows
            .iter()
            .filter(|r| r["dealstage"] == "closedwon")
            .map(|r| (r["closedate"].parse::<i64>().expect("milliseconds"), micros(&r["amount"])))
            .collect();
        let orders = world.lives().iter().flat_map(|l| &l.purchases).filter(|p| !p.in_store);
        let mut expect: Vec<_> =
            orders.map(|p| (world.instant(p.day, p.second).micros() / 1_000, p.value_micros)).collect();
        found.sort_unstable();
        expect.sort_unstable();
        assert_eq!(found, expect);
        assert!(found.len() > 300 && found[0].0 > 1_767_571_200_000, "2026-01-05 in milliseconds");
    }

    #[test]
    fn baskets_are_lost_after_a_week_and_open_until_then() {
        let world = world(2_000, 3);
        let end = world.end().micros() / 1_000;
        let (mut lost, mut open) = (0, 0);
        for row in rows(&world, &DEALS).iter().filter(|r| r["dealstage"] != "closedwon") {
            let at = |column: &str| row[column].parse::<i64>().expect("milliseconds");
            let days = (at("closedate") - at("createdate")) / 86_400_000;
            match row["dealstage"].as_str() {
                "closedlost" => {
                    assert!(days == 7 && at("closedate") < end, "{row:?}");
                    lost += 1;
                }
                "qualifiedtobuy" => {
                    assert!(days == 14 && at("closedate") > end, "{row:?}");
                    open += 1;
                }
                other => unreachable!("{other}"),
            }
        }
        let known = |l: &&Life| l.person.consent.text(&[ConsentPurpose::Measurement, ConsentPurpose::Linking]);
        let known = world.lives().iter().filter(|l| known(l) == "measurement=granted;linking=granted");
        let left: usize = known.map(|l| carts(&world, l).len()).sum();
        assert_eq!(lost + open, left);
        assert!(lost > 100 && open > 5, "{lost} lost, {open} open");
    }

    #[test]
    fn the_source_is_the_first_visit_before_the_deal() {
        let world = world(2_000, 3);
        let truth: BTreeMap<String, String> = identity(&world).into_iter().map(|(_, id, who)| (id, who)).collect();
        let lives: BTreeMap<String, &Life> = world.lives().iter().map(|l| (l.person.crm_id(), l)).collect();
        let rows = rows(&world, &DEALS);
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for row in &rows {
            let life = lives[&truth[&row["hs_object_id"]]];
            let created = row["createdate"].parse::<i64>().expect("milliseconds") * 1_000;
            let visit = |t: &&crate::Touch| {
                matches!(t.kind, EventKind::Click | EventKind::Visit | EventKind::EmailClicked)
                    && world.instant(t.day, t.second).micros() <= created
            };
            let expect = match life.touches.iter().find(visit).map(|t| t.channel.name()) {
                _ if !life.person.consent.allows(ConsentPurpose::Measurement) => "OFFLINE",
                None => "OFFLINE",
                Some("organic") => "ORGANIC_SEARCH",
                Some("direct") => "DIRECT_TRAFFIC",
                Some("referral") => "REFERRALS",
                Some("paid_search") => "PAID_SEARCH",
                Some("paid_social") => "PAID_SOCIAL",
                Some("email") => "EMAIL_MARKETING",
                Some(_) => "OTHER_CAMPAIGNS",
            };
            assert_eq!(row["hs_analytics_source"], expect, "{row:?}");
            *seen.entry(expect).or_default() += 1;
            let email = &row["associated_contact_email"];
            assert!(email.is_empty() || *email == life.person.email(), "{row:?}");
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
        assert_eq!(truth.len(), rows.len());
        let gaps = rows.iter().filter(|r| r["associated_contact_email"].is_empty()).count();
        check_share("deals without a contact", gaps, rows.len(), UNASSOCIATED_SHARE);
    }
}

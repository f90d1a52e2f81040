//! Opportunities and campaigns of Salesforce.
//!
//! Format: "Opportunity", "Campaign" and "CampaignMember" of the "Object Reference for the Salesforce Platform".
//! `CloseDate`, `StartDate` and `FirstRespondedDate` are dates without a time.
//!
//! Traps:
//! - Sales looks after large orders only: opportunities are a choice from the purchases, on-line and in stores.
//! - `Closed Lost` has an amount. It is what might have been bought.
//! - An opportunity refers to either record of a person who has two. A purchase in a store has one only where a card
//!   told who bought.
//! - `Responded` means that a link was clicked. Every mailing is a campaign of its own.

use std::collections::BTreeMap;
use std::io::{self, Write};

use throughline_core::Timestamp;

use super::VendorFile;
use super::derived::{WAIT_DAYS, carts, messages, slot, usual_order};
use super::figures::decimal;
use super::salesforce::{Book, id};
use crate::noise::{self, Purpose};
use crate::{Life, Purchase, World};

/// The mailings.
pub(super) const CAMPAIGNS: VendorFile = VendorFile {
    path: "salesforce/campaigns.csv",
    summary: "mailings as campaigns, with numbers sent and responded",
    write: write_campaigns,
};

/// Who got which mailing.
pub(super) const CAMPAIGN_MEMBERS: VendorFile = VendorFile {
    path: "salesforce/campaign_members.csv",
    summary: "contacts of each mailing and whether they responded",
    write: write_members,
};

/// Large orders, and baskets that sales did not win.
pub(super) const OPPORTUNITIES: VendorFile = VendorFile {
    path: "salesforce/opportunities.csv",
    summary: "opportunities: large orders won, baskets lost",
    write: write_opportunities,
};

/// An order is large above so many times what is usual in the segment.
const LARGE: f64 = 2.0;
/// Share of the baskets left behind that sales had taken up.
const TAKEN_UP_SHARE: f64 = 0.05;

/// An opportunity before it has an id.
struct Opportunity<'a> {
    /// Position of the life.
    life: usize,
    person: &'a crate::Person,
    /// The day whose numbers choose the contact, and the slot.
    choice: (u32, u32),
    amount_micros: i64,
    closed: Timestamp,
    won: bool,
    source: &'static str,
}

/// Whether sales knew of a purchase.
fn large(world: &World, life: &Life, purchase: &Purchase) -> bool {
    let known = !purchase.in_store || life.person.has_card;
    known && purchase.value_micros > noise::cents(LARGE * usual_order(world, &life.person))
}

/// The opportunities in order of closing: positions give their ids.
fn opportunities(world: &World) -> Vec<Opportunity<'_>> {
    let mut found: Vec<Opportunity<'_>> = Vec::new();
    for (position, life) in world.lives().iter().enumerate() {
        let person = &life.person;
        found.extend(life.purchases.iter().filter(|p| large(world, life, p)).map(|p| Opportunity {
            life: position,
            person,
            choice: (p.day, 4_000),
            amount_micros: p.value_micros,
            closed: world.instant(p.day, p.second),
            won: true,
            source: if p.in_store { "Store" } else { "Web" },
        }));
        let lost = carts(world, life).into_iter().filter(|cart| {
            cart.lost && person.noise.unit(Purpose::Deal, cart.day, slot(cart.touch, 2)) < TAKEN_UP_SHARE
        });
        found.extend(lost.map(|cart| Opportunity {
            life: position,
            person,
            choice: (cart.day, slot(cart.touch, 0)),
            amount_micros: cart.value_micros,
            closed: world.instant(cart.day + WAIT_DAYS, cart.second),
            won: false,
            source: "Web",
        }));
    }
    // Sorting keeps the order of people, and of a person's opportunities, within an instant.
    found.sort_by_key(|o| o.closed);
    found
}

fn write_opportunities(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let book = Book::new(world);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["Id", "ContactId", "Amount", "CurrencyIsoCode", "CloseDate", "StageName", "LeadSource"])?;
    for (position, opportunity) in opportunities(world).iter().enumerate() {
        let (day, slot) = opportunity.choice;
        // Choices of contacts come after those of days and records.
        writer.write_record([
            id("006", position).as_str(),
            book.referred(opportunity.life, false, day + 1, slot),
            &decimal(opportunity.amount_micros, 2),
            &world.scenario().currency,
            &opportunity.closed.date(),
            if opportunity.won { "Closed Won" } else { "Closed Lost" },
            opportunity.source,
        ])?;
    }
    writer.flush()
}

/// A mailing: day and name.
type Mailing<'a> = (u32, &'a str);

/// A contact of a mailing: its life, position among the day's messages, and day of the first click.
type Member = (usize, u32, Option<u32>);

/// The mailings with their members, in order: positions give their ids.
fn mailings(world: &World) -> BTreeMap<Mailing<'_>, Vec<Member>> {
    let mut mailings: BTreeMap<Mailing<'_>, Vec<Member>> = BTreeMap::new();
    for (position, life) in world.lives().iter().enumerate() {
        for message in messages(world, life) {
            let mailing = (message.sent.day, world.campaign_name(message.sent));
            let member = (position, message.of_day, message.clicked.map(|c| c.day));
            mailings.entry(mailing).or_default().push(member);
        }
    }
    mailings
}

fn write_campaigns(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["Id", "Name", "Type", "StartDate", "NumberSent", "NumberOfResponses"])?;
    for (position, ((day, name), members)) in mailings(world).iter().enumerate() {
        let date = world.instant(*day, 0).date();
        writer.write_record([
            id("701", position).as_str(),
            &format!("{name} {date}"),
            "Email",
            &date,
            &members.len().to_string(),
            &members.iter().filter(|m| m.2.is_some()).count().to_string(),
        ])?;
    }
    writer.flush()
}

fn write_members(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let book = Book::new(world);
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["CampaignId", "ContactId", "Status", "FirstRespondedDate"])?;
    for (position, ((day, _), members)) in mailings(world).into_iter().enumerate() {
        let campaign = id("701", position);
        for (life, of_day, responded) in members {
            writer.write_record([
                campaign.as_str(),
                book.referred(life, true, day + 1, 4_032 + of_day % 32),
                if responded.is_some() { "Responded" } else { "Sent" },
                &responded.map(|day| world.instant(day, 0).date()).unwrap_or_default(),
            ])?;
        }
    }
    writer.flush()
}

/// (kind, id, customer number) of every contact and opportunity.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    let contacts = Book::new(world).contacts.into_iter();
    let contacts = contacts.map(|c| ("salesforce_contact", c.id, c.person.crm_id()));
    let opportunities = opportunities(world).into_iter().enumerate();
    contacts
        .chain(opportunities.map(|(position, o)| ("salesforce_opportunity", id("006", position), o.person.crm_id())))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use throughline_core::EventKind;

    use super::super::derived::testing::{check_share, micros, rows, world};
    use super::*;
    use crate::{Channel, Segment};

    /// The customer numbers behind contacts and opportunities.
    fn truth(world: &World) -> BTreeMap<String, String> {
        let rows = identity(world);
        let count = rows.len();
        let truth: BTreeMap<_, _> = rows.into_iter().map(|(_, id, who)| (id, who)).collect();
        assert_eq!(truth.len(), count, "an id twice");
        truth
    }

    #[test]
    fn opportunities_won_are_the_large_orders_of_people_who_are_known() {
        let world = world(3_000, 3);
        let truth = truth(&world);
        let mut found: Vec<(String, String, i64)> = Vec::new();
        for row in rows(&world, &OPPORTUNITIES) {
            assert_eq!(truth[&row["Id"]], truth[&row["ContactId"]], "{row:?}");
            if row["StageName"] == "Closed Won" {
                found.push((truth[&row["Id"]].clone(), row["CloseDate"].clone(), micros(&row["Amount"])));
            }
        }
        let mut expect = Vec::new();
        for life in world.lives() {
            let usual = match life.person.segment {
                Segment::New => 45_000_000,
                Segment::Regular => 60_000_000,
                Segment::Vip => 95_000_000,
            };
            let large = life.purchases.iter().filter(|p| p.value_micros > 2 * usual);
            let known = large.filter(|p| !p.in_store || life.person.loyalty_id().is_some());
            expect.extend(known.map(|p| (life.person.crm_id(), world.instant(p.day, 0).date(), p.value_micros)));
        }
        found.sort();
        expect.sort();
        assert_eq!(found, expect);
        assert!(found.len() > 20, "{}", found.len());
    }

    #[test]
    fn opportunities_lost_are_a_share_of_the_baskets_left_behind() {
        let world = world(3_000, 3);
        let rows = rows(&world, &OPPORTUNITIES);
        let left = world.lives().iter().flat_map(|l| carts(&world, l)).filter(|c| c.lost);
        let left: BTreeMap<i64, Vec<String>> = left.fold(BTreeMap::new(), |mut by_value, cart| {
            by_value.entry(cart.value_micros).or_insert_with(Vec::new).push(world.instant(cart.day + 7, 0).date());
            by_value
        });
        let lost: Vec<_> = rows.iter().filter(|r| r["StageName"] == "Closed Lost").collect();
        for row in &lost {
            assert!(left[&micros(&row["Amount"])].contains(&row["CloseDate"]), "{row:?}");
        }
        check_share("lost", lost.len(), left.values().map(Vec::len).sum(), TAKEN_UP_SHARE);
        assert!(rows.windows(2).all(|w| w[0]["CloseDate"] <= w[1]["CloseDate"]));
    }

    #[test]
    fn members_are_the_messages_of_the_market() {
        let world = world(3_000, 3);
        let truth = truth(&world);
        let campaigns: BTreeMap<String, (String, u64, u64)> = rows(&world, &CAMPAIGNS)
            .into_iter()
            .map(|r| {
                let number = |column: &str| r[column].parse().expect("a number");
                (r["Id"].clone(), (r["Name"].clone(), number("NumberSent"), number("NumberOfResponses")))
            })
            .collect();
        let touches = |kind| {
            let mut all = BTreeSet::new();
            for life in world.lives() {
                let of_kind = life.touches.iter().filter(|t| t.channel == Channel::Email && t.kind == kind);
                for touch in of_kind.filter(|t| t.day < world.scenario().days) {
                    let date = world.instant(touch.day, 0).date();
                    all.insert((life.person.crm_id(), format!("{} {date}", world.campaign_name(touch))));
                }
            }
            all
        };
        let (mut sent, mut responded) = (BTreeSet::new(), BTreeSet::new());
        let mut records: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let members = rows(&world, &CAMPAIGN_MEMBERS);
        for row in &members {
            let name = &campaigns[&row["CampaignId"]].0;
            let member = (truth[&row["ContactId"]].clone(), name.clone());
            records.entry(&truth[&row["ContactId"]]).or_default().insert(row["ContactId"].clone());
            if row["Status"] == "Responded" {
                assert!(name.ends_with(&row["FirstRespondedDate"]) && row["FirstRespondedDate"].len() == 10, "{row:?}");
                responded.insert(member.clone());
            } else {
                assert!(row["Status"] == "Sent" && row["FirstRespondedDate"].is_empty(), "{row:?}");
            }
            assert!(sent.insert(member), "{row:?} twice");
        }
        assert_eq!(sent, touches(EventKind::EmailSent));
        assert_eq!(responded, touches(EventKind::EmailClicked));
        let sums = campaigns.values().fold((0, 0), |sums, c| (sums.0 + c.1, sums.1 + c.2));
        assert_eq!(sums, (sent.len() as u64, responded.len() as u64));
        assert!(campaigns.values().any(|c| c.0.starts_with("email_offer")) && responded.len() > 50);
        assert!(records.values().any(|ids| ids.len() == 2), "doubles share the entries");
    }
}

//! Contacts of Salesforce, as its data export writes them: typed by people, with slips, gaps and doubles.
//!
//! Format: "Contact" of the "Object Reference for the Salesforce Platform"; ids as in "ID Field Type" of the "SOAP API
//! Developer Guide". `MailingState` is the region.
//!
//! Traps:
//! - The first 15 characters of an id tell small and capital letters apart. Only all 18 survive a system that does not.
//! - Names have letters changed round or left out, some records are all in capitals, e-mail or phone may be missing.
//! - Some people have two records. Opportunities and campaign members refer to either.
//! - `HasOptedOutOfEmail` does not know who unsubscribed at the sending service.

use std::io::{self, Write};

use throughline_core::Timestamp;

use super::VendorFile;
use crate::noise::{Noise, Purpose};
use crate::{Person, World};

/// Contacts, doubles among them.
pub(super) const CONTACTS: VendorFile =
    VendorFile { path: "salesforce/contacts.csv", summary: "contacts with slips of the hand, gaps and doubles", write };

const HEADER: [&str; 8] =
    ["Id", "FirstName", "LastName", "Email", "Phone", "MailingState", "CreatedDate", "HasOptedOutOfEmail"];

/// Share of people with a second record.
const DOUBLE_SHARE: f64 = 0.03;
/// Shares of records with a slip in a name, in capitals, without e-mail, without phone.
const SLIP_SHARE: f64 = 0.05;
const CAPITALS_SHARE: f64 = 0.03;
const NO_EMAIL_SHARE: f64 = 0.06;
const NO_PHONE_SHARE: f64 = 0.12;

/// An id from the prefix of its object and the record's position among those of the object, in order of creation.
pub(super) fn id(prefix: &str, position: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    // An organisation does not begin at 0; numbers go on in base 62.
    let mut rest = 41_927_350 + position;
    let mut number = [b'0'; 7];
    for digit in number.iter_mut().rev() {
        *digit = DIGITS.get(rest % 62).copied().unwrap_or(b'0');
        rest /= 62;
    }
    let mut id = format!("{prefix}Qk000");
    id.extend(number.map(char::from));
    let suffix = suffix(&id);
    id + &suffix
}

/// The suffix that makes an id of 15 characters safe where case is lost: for each five characters a sign of
/// `A` to `Z`, `0` to `5` whose bits, lowest first, say which are capitals.
fn suffix(id: &str) -> String {
    const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let sign = |five: &[u8]| {
        let bits = five.iter().rev().fold(0, |bits, c| 2 * bits + usize::from(c.is_ascii_uppercase()));
        SIGNS.get(bits).map_or('A', |c| char::from(*c))
    };
    id.as_bytes().chunks(5).map(sign).collect()
}

/// A date and time as Salesforce writes it.
fn date_time(instant: Timestamp) -> String {
    instant.to_string().replace('Z', ".000Z")
}

/// A record about a person.
pub(super) struct Contact<'a> {
    pub(super) person: &'a Person,
    /// Position among the person's records.
    copy: u32,
    created: Timestamp,
    pub(super) id: String,
}

/// The contacts of an organisation in order of creation.
pub(super) struct Book<'a> {
    pub(super) contacts: Vec<Contact<'a>>,
    /// For each life the positions of its contacts.
    of_life: Vec<Vec<usize>>,
}

impl<'a> Book<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let mut drafts = Vec::new();
        for (life, found) in world.lives().iter().enumerate() {
            let (person, noise) = (&found.person, &found.person.noise);
            let second = i64::from(noise.index(Purpose::Crm, 0, 20, 86_400));
            let begin = world.instant(0, 0).plus_days(-i64::from(person.tenure_days));
            drafts.push((begin.plus_micros(second * 1_000_000), person, 0, life));
            if noise.unit(Purpose::Crm, 0, 21) < DOUBLE_SHARE {
                // The second record came later, though before the data begin.
                let left = (i64::from(person.tenure_days) * 86_400 - second).max(1);
                let later = noise.index(Purpose::Crm, 0, 22, u32::try_from(left).unwrap_or(u32::MAX));
                drafts.push((begin.plus_micros((second + i64::from(later)) * 1_000_000), person, 1, life));
            }
        }
        drafts.sort_by_key(|(created, person, copy, _)| (*created, person.number, *copy));
        let mut of_life = vec![Vec::new(); world.lives().len()];
        let mut contacts = Vec::new();
        for (position, (created, person, copy, life)) in drafts.into_iter().enumerate() {
            of_life[life].push(position);
            contacts.push(Contact { person, copy, created, id: id("003", position) });
        }
        Self { contacts, of_life }
    }

    /// The id of the record that a day's entry about a life refers to: either of two, and for `mail` one with an
    /// address if there is any.
    pub(super) fn referred(&self, life: usize, mail: bool, day: u32, slot: u32) -> &str {
        let of_life = self.of_life.get(life).into_iter().flatten();
        let all: Vec<&Contact<'_>> = of_life.filter_map(|position| self.contacts.get(*position)).collect();
        let with_address: Vec<&Contact<'_>> = all.iter().copied().filter(|c| c.has_email()).collect();
        let choice = if mail && !with_address.is_empty() { with_address } else { all };
        let n = u32::try_from(choice.len()).unwrap_or(1);
        let pick = choice.first().map_or(0, |c| c.person.noise.index(Purpose::Crm, day, slot, n));
        choice.get(pick as usize).map_or("", |c| &c.id)
    }
}

impl Contact<'_> {
    /// A choice about the record: 64 slots each, from 64.
    fn unit(&self, choice: u32) -> f64 {
        self.person.noise.unit(Purpose::Crm, 0, self.slot(choice))
    }

    const fn slot(&self, choice: u32) -> u32 {
        64 * (1 + self.copy) + choice
    }

    fn has_email(&self) -> bool {
        self.unit(0) >= NO_EMAIL_SHARE
    }

    fn fields(&self, days: u32) -> [String; 8] {
        let person = self.person;
        let mut names = [person.first_name().to_owned(), person.last_name().to_owned()];
        if self.unit(2) < SLIP_SHARE {
            let which = usize::from(self.unit(3) < 0.5);
            names[which] = slip(&names[which], &person.noise, self.slot(4));
        }
        let [first, last] = names.map(|name| capitalised(&name));
        let mut fields = [
            self.id.clone(),
            first,
            last,
            if self.has_email() { person.email() } else { String::new() },
            if self.unit(1) < NO_PHONE_SHARE { String::new() } else { person.phone() },
            person.region_name().to_owned(),
            date_time(self.created),
            (!person.contactable_on(days)).to_string(),
        ];
        if self.unit(7) < CAPITALS_SHARE {
            fields[1..4].iter_mut().for_each(|field| field.make_ascii_uppercase());
        }
        fields
    }
}

fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// A name with one slip: two letters changed round, or one left out. The first letter stays, as it mostly does.
fn slip(name: &str, noise: &Noise, slot: u32) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let pick = |slot, n: usize| noise.index(Purpose::Crm, 0, slot, u32::try_from(n).unwrap_or(1)) as usize;
    let unequal: Vec<usize> = (1..letters.len().saturating_sub(1)).filter(|i| letters[*i] != letters[i + 1]).collect();
    if noise.unit(Purpose::Crm, 0, slot) < 0.5 && !unequal.is_empty() {
        let at = unequal[pick(slot + 1, unequal.len())];
        letters.swap(at, at + 1);
    } else if letters.len() > 1 {
        letters.remove(1 + pick(slot + 2, letters.len() - 1));
    }
    letters.into_iter().collect()
}

fn write(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for contact in &Book::new(world).contacts {
        writer.write_record(contact.fields(world.scenario().days))?;
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::derived::testing::{check_share, rows, world};
    use super::*;

    #[test]
    fn suffixes_are_the_published_ones() {
        #[track_caller]
        fn check(published: &str) {
            assert_eq!(suffix(&published[..15]), published[15..]);
        }
        // Salesforce, "LongSfid()", Marketing Cloud AMPscript reference.
        check("0036000000QKv5TAAT");
        // Salesforce Stack Exchange, questions 1653 and 27686.
        check("001A0000006Vm9uIAC");
        check("003A0000005QB3AIAW");
        check("003A0000008qb1sIAA");
        // All the signs: bits from none to five.
        check("AaaAABbbBBCccCCZZZ");
        check("AAAAABBBBBCCCCC555");
    }

    #[test]
    fn ids_differ_without_case_only_by_their_suffix() {
        let ids: Vec<String> = (0..10_000).map(|i| id("003", i)).collect();
        assert!(ids.iter().all(|id| id.len() == 18 && id.starts_with("003") && id.is_ascii()));
        let distinct =
            |length: usize| ids.iter().map(|id| id[..length].to_ascii_lowercase()).collect::<BTreeSet<_>>().len();
        assert!(distinct(15) < 9_000 && distinct(18) == 10_000, "{} and {}", distinct(15), distinct(18));
    }

    /// Letters to insert, leave out or change round that turn one name into the other; 2 stands for more than one.
    fn slips(typed: &str, name: &str) -> usize {
        let [typed, name] = [typed, name].map(|n| n.chars().collect::<Vec<_>>());
        let left_out = (0..name.len()).any(|i| [&name[..i], &name[i + 1..]].concat() == typed);
        let changed = (0..name.len() - 1).any(|i| {
            let mut name = name.clone();
            name.swap(i, i + 1);
            name == typed
        });
        if typed == name {
            0
        } else if left_out || changed {
            1
        } else {
            2
        }
    }

    #[test]
    fn slips_gaps_capitals_and_doubles_come_in_their_shares() {
        let world = world(6_000, 3);
        let book = Book::new(&world);
        let rows = rows(&world, &CONTACTS);
        assert_eq!(rows.len(), book.contacts.len());
        let mut counts = [0_usize; 4];
        let mut records: BTreeMap<u32, usize> = BTreeMap::new();
        for (row, contact) in rows.iter().zip(&book.contacts) {
            let person = contact.person;
            *records.entry(person.number).or_default() += 1;
            let slips: usize = [("FirstName", person.first_name()), ("LastName", person.last_name())]
                .map(|(column, name)| slips(&row[column].to_lowercase(), name))
                .iter()
                .sum();
            assert!(slips <= 1, "{row:?}");
            assert!(row["Email"].is_empty() || row["Email"].to_lowercase() == person.email(), "{row:?}");
            assert!(row["Phone"].is_empty() || row["Phone"] == person.phone(), "{row:?}");
            assert_eq!(row["HasOptedOutOfEmail"] == "false", person.contactable_on(world.scenario().days));
            assert!(*row["CreatedDate"] < *"2026-01-05" && row["CreatedDate"].len() == 24, "{row:?}");
            let capitals = row["LastName"].chars().all(char::is_uppercase);
            let found = [slips == 1, capitals, row["Email"].is_empty(), row["Phone"].is_empty()];
            counts.iter_mut().zip(found).for_each(|(count, found)| *count += usize::from(found));
        }
        let shares = [SLIP_SHARE, CAPITALS_SHARE, NO_EMAIL_SHARE, NO_PHONE_SHARE];
        for ((name, count), share) in ["slips", "capitals", "no e-mail", "no phone"].iter().zip(counts).zip(shares) {
            check_share(name, count, rows.len(), share);
        }
        assert!(records.len() == 6_000 && records.values().all(|n| *n <= 2));
        check_share("doubles", rows.len() - records.len(), records.len(), DOUBLE_SHARE);
        assert!(rows.windows(2).all(|w| w[0]["CreatedDate"] <= w[1]["CreatedDate"]), "ids follow creation");
    }
}

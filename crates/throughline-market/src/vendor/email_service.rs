//! What the sending service reports, one event a line.
//!
//! Format: "Event Webhook Reference" of Twilio SendGrid. The service posts arrays of these objects; a collector appends
//! them line by line. `timestamp` counts seconds, `category` is the campaign, the part of `sg_message_id` before the
//! first point is the id that the service gave when it took the message.
//!
//! Traps:
//! - An open with `sg_machine_open` was made by a privacy proxy that fetches every picture. It says nothing about a person.
//! - Lists hold addresses that no longer exist. Their messages are processed and bounce, and they are nobody's
//!   address elsewhere. After the bounce the service suppresses them.
//! - Delivery is at least once: copies bear the same `sg_event_id`, arrive later and out of order.
//! - Who unsubscribes or complains tells the service, not the CRM: permissions of other systems do not know of it.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::VendorFile;
use super::derived::{Message, messages};
use super::figures::json_line;
use crate::noise::{Noise, Purpose};
use crate::{Life, Touch, World};

/// The events of all messages.
pub(super) const EVENTS: VendorFile = VendorFile {
    path: "email_service/events.jsonl",
    summary: "events of the e-mail service: deliveries, bounces, opens by people and machines, clicks, complaints",
    write,
};

/// Share of people whose mail program has every picture fetched.
const PROXY_SHARE: f64 = 0.3;
/// Share of people of whom the list holds an address that no longer exists.
const OLD_ADDRESS_SHARE: f64 = 0.03;
/// Probability that somebody who opened the last message leaves the list, or complains, and the same for people whom
/// e-mails put off. Only the last message can have it: nothing may be sent to them afterwards.
const LEAVES: [f64; 2] = [0.01, 0.06];
const COMPLAINS: [f64; 2] = [0.002, 0.01];

/// Position of the message to the old address, and of the choices about a person, among the messages of a day.
const OLD: u32 = 30;
const WHO: u32 = 31;
const PEOPLE_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const PROXY_AGENT: &str = "Mozilla/5.0";

/// An event, field by field.
type Event = Map<String, Value>;

/// A message on its way to an address.
struct Posted<'a> {
    world: &'a World,
    noise: Noise,
    email: String,
    sent: &'a Touch,
    of_day: u32,
}

impl Posted<'_> {
    /// Seconds drawn for an event, from 1.
    fn delay(&self, event: u32, most: u32) -> i64 {
        1 + i64::from(self.noise.index(Purpose::Mailing, self.sent.day, slot(self.of_day, event, 2), most))
    }

    fn at(&self, touch: &Touch) -> i64 {
        self.world.instant(touch.day, touch.second).micros() / 1_000_000
    }

    /// An address of the ranges kept for documentation (RFC 5737).
    fn ip(&self, network: &str, event: u32) -> String {
        format!("{network}.{}", 1 + self.noise.index(Purpose::Mailing, self.sent.day, slot(self.of_day, event, 3), 254))
    }

    /// An event: what all of them have, and what this kind has besides. `code` tells the events of a message apart.
    fn event(&self, event: &str, code: u32, timestamp: i64, besides: Value) -> Event {
        let id = |event| token(&self.noise, self.sent.day, slot(self.of_day, event, 0));
        // Message ids are those of event 0, whose own id comes from the slots of event 15.
        let message = id(0);
        let mut fields = Map::new();
        let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        add("email", self.email.clone().into());
        add("timestamp", timestamp.into());
        add("event", event.into());
        add("category", self.world.campaign_name(self.sent).into());
        add("sg_event_id", id(if code == 0 { 15 } else { code }).into());
        add("sg_message_id", format!("{message}.recvd-5f6c9d7b8-x2kqp-1-{:08X}-1.0", self.at(self.sent)).into());
        if matches!(event, "processed" | "delivered" | "bounce") {
            add("smtp-id", format!("<{message}@geopod-ismtpd-1>").into());
        }
        if let Value::Object(besides) = besides {
            fields.extend(besides);
        }
        fields
    }

    fn open(&self, code: u32, at: i64, machine: bool) -> Event {
        let (agent, network) = if machine { (PROXY_AGENT, "203.0.113") } else { (PEOPLE_AGENT, "198.51.100") };
        let ip = self.ip(network, code);
        let besides = json!({"useragent": agent, "ip": ip, "sg_content_type": "html", "sg_machine_open": machine});
        self.event("open", code, at, besides)
    }

    fn bounced(&self, events: &mut Vec<Event>) {
        let at = self.at(self.sent);
        let reason = "550 5.1.1 The email account that you tried to reach does not exist";
        let besides = json!({
            "reason": reason, "status": "5.1.1", "type": "bounce", "bounce_classification": "Invalid Address",
        });
        events.push(self.event("processed", 0, at, Value::Null));
        events.push(self.event("bounce", 1, at + self.delay(1, 60), besides));
    }

    fn delivered(&self, message: &Message<'_>, proxied: bool, events: &mut Vec<Event>) {
        let at = self.at(self.sent);
        let arrived = at + self.delay(1, 30);
        events.push(self.event("processed", 0, at, Value::Null));
        events.push(self.event("delivered", 1, arrived, json!({"response": "250 2.0.0 OK"})));
        if proxied {
            events.push(self.open(4, arrived + self.delay(4, 600), true));
        }
        events.extend(message.opened.map(|touch| self.open(2, self.at(touch), false)));
        events.extend(message.clicked.map(|touch| {
            let campaign = self.world.campaign_name(self.sent);
            let url = format!("https://shop.example/?utm_source=mail&utm_medium=email&utm_campaign={campaign}");
            let besides = json!({"url": url, "useragent": PEOPLE_AGENT, "ip": self.ip("198.51.100", 3)});
            self.event("click", 3, self.at(touch), besides)
        }));
    }

    /// What ends the service's permission, after the last touch of the last message.
    fn left(&self, life: &Life, last: &Touch, events: &mut Vec<Event>) {
        let which = usize::from(life.person.annoyed);
        let u = self.noise.unit(Purpose::Mailing, self.sent.day, slot(self.of_day, 5, 4));
        let event = match u {
            u if u < COMPLAINS[which] => "spamreport",
            u if u < COMPLAINS[which] + LEAVES[which] => "unsubscribe",
            _ => return,
        };
        events.push(self.event(event, 5, self.at(last) + self.delay(5, 120), Value::Null));
    }
}

/// The position of a choice about an event of a message of the day: 128 slots a message, 8 an event.
const fn slot(of_day: u32, event: u32, choice: u32) -> u32 {
    (of_day % 32) * 128 + event * 8 + choice
}

/// 22 characters of the alphabet of URLs, as the service's ids have.
fn token(noise: &Noise, day: u32, slot: u32) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let stream = noise.stream(Purpose::Mailing);
    let words = [0, 1].map(|i| stream.u64_at(noise.at(day, slot + i)));
    let letters = words.into_iter().flat_map(|word| (0..11).map(move |i| word >> (6 * i) & 63));
    letters.map(|l| usize::try_from(l).ok().and_then(|l| ALPHABET.get(l)).map_or('A', |b| char::from(*b))).collect()
}

fn share(life: &Life, choice: u32) -> f64 {
    life.person.noise.unit(Purpose::Mailing, 0, slot(WHO, 0, choice))
}

/// The address that the person once had and the list still holds.
fn old_address(life: &Life) -> Option<String> {
    let person = &life.person;
    let code = person.noise.stream(Purpose::Mailing).u64_at(person.noise.at(0, slot(WHO, 1, 0))) >> 24;
    (share(life, 1) < OLD_ADDRESS_SHARE).then(|| format!("{}.{code:010x}@former.example", person.first_name()))
}

/// The events about one person, message by message.
fn events(world: &World, life: &Life) -> Vec<Event> {
    let messages = messages(world, life);
    let mut events = Vec::new();
    let posted = |sent, email, of_day| Posted { world, noise: life.person.noise, email, sent, of_day };
    for message in &messages {
        let of_day = message.of_day % OLD;
        posted(message.sent, life.person.email(), of_day).delivered(message, share(life, 0) < PROXY_SHARE, &mut events);
    }
    if let (Some(first), Some(old)) = (messages.first(), old_address(life)) {
        posted(first.sent, old, OLD).bounced(&mut events);
    }
    if let Some((message, opened)) = messages.last().and_then(|m| Some((m, m.opened?))) {
        let last = message.clicked.unwrap_or(opened);
        posted(message.sent, life.person.email(), message.of_day % OLD).left(life, last, &mut events);
    }
    events
}

fn write(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut arrived: Vec<(i64, Event)> = Vec::new();
    for life in world.lives() {
        for (position, event) in (0..).zip(events(world, life)) {
            let at = event.get("timestamp").and_then(Value::as_i64).unwrap_or(0);
            let again = life.person.noise.unit(Purpose::Mailing, 1 + position / 64, slot(WHO, 2, position % 64));
            if again < world.scenario().faults.duplicate_share {
                arrived.push((at + 300, event.clone()));
            }
            arrived.push((at, event));
        }
    }
    // Sorting keeps the order of people within a second.
    arrived.sort_by_key(|(at, _)| *at);
    arrived.iter().try_for_each(|(_, event)| json_line(out, event))
}

/// (kind, address, customer number) of the old addresses that were written to.
pub(super) fn identity(world: &World) -> Vec<(&'static str, String, String)> {
    let written = world.lives().iter().filter(|life| !messages(world, life).is_empty());
    written.filter_map(|life| Some(("email", old_address(life)?, life.person.crm_id()))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use throughline_core::EventKind;

    use super::super::derived::testing::{check_share, text, world};
    use super::*;
    use crate::Channel;

    /// Every line, and the distinct events.
    fn read(world: &World) -> (usize, Vec<Value>) {
        let text = text(world, &EVENTS);
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).expect("an object")).collect();
        let mut seen = BTreeSet::new();
        let distinct = lines.iter().filter(|e| seen.insert(e["sg_event_id"].to_string())).cloned().collect();
        (lines.len(), distinct)
    }

    fn touches(world: &World, kind: EventKind) -> BTreeSet<(String, String, i64)> {
        let mut found = BTreeSet::new();
        for life in world.lives() {
            let of_kind = life.touches.iter().filter(|t| t.channel == Channel::Email && t.kind == kind);
            for t in of_kind.filter(|t| t.day < world.scenario().days) {
                let at = world.instant(t.day, t.second).micros() / 1_000_000;
                found.insert((life.person.email(), world.campaign_name(t).to_owned(), at));
            }
        }
        found
    }

    fn reported(events: &[Value], wanted: impl Fn(&Value) -> bool) -> BTreeSet<(String, String, i64)> {
        let text = |e: &Value, field: &str| e[field].as_str().expect("a text").to_owned();
        let wanted = events.iter().filter(|e| wanted(e));
        wanted.map(|e| (text(e, "email"), text(e, "category"), e["timestamp"].as_i64().expect("seconds"))).collect()
    }

    #[test]
    fn sent_opened_and_clicked_are_those_of_the_market() {
        let world = world(600, 3);
        let (_, events) = read(&world);
        let people: BTreeSet<String> = world.lives().iter().map(|l| l.person.email()).collect();
        let own = |e: &Value| people.contains(e["email"].as_str().expect("an address"));
        let sent = touches(&world, EventKind::EmailSent);
        assert_eq!(reported(&events, |e| e["event"] == "processed" && own(e)), sent);
        assert_eq!(events.iter().filter(|e| e["event"] == "delivered").count(), sent.len());
        let opened = reported(&events, |e| e["event"] == "open" && e["sg_machine_open"] == false);
        assert_eq!(opened, touches(&world, EventKind::EmailOpened));
        assert_eq!(reported(&events, |e| e["event"] == "click"), touches(&world, EventKind::EmailClicked));
        assert!(sent.len() > 1_000 && opened.len() > 100);
        follows_its_message(&events);
    }

    /// Every message is processed once and delivered or bounces; people act on what was delivered.
    #[track_caller]
    fn follows_its_message(events: &[Value]) {
        let mut messages: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for event in events {
            messages.entry(event["sg_message_id"].as_str().expect("an id")).or_default().push(event);
        }
        for events in messages.values() {
            let at = |kind: &str| -> Vec<i64> {
                events.iter().filter(|e| e["event"] == kind).filter_map(|e| e["timestamp"].as_i64()).collect()
            };
            let ends = [at("delivered"), at("bounce")].concat();
            assert!(at("processed").len() == 1 && ends.len() == 1 && ends[0] > at("processed")[0], "{events:?}");
            let late = ["open", "click", "unsubscribe", "spamreport"].into_iter().flat_map(at);
            assert!(late.into_iter().all(|t| at("bounce").is_empty() && t > ends[0]), "{events:?}");
        }
    }

    #[test]
    fn bounces_machines_and_copies_come_in_their_shares() {
        let world = world(2_500, 3);
        let (lines, events) = read(&world);
        let addresses = |wanted: &dyn Fn(&Value) -> bool| -> BTreeSet<String> {
            events.iter().filter(|e| wanted(e)).map(|e| e["email"].as_str().expect("an address").to_owned()).collect()
        };
        let written = addresses(&|e| e["event"] == "delivered");
        let bounced = addresses(&|e| e["event"] == "bounce");
        check_share("bounces", bounced.len(), written.len(), OLD_ADDRESS_SHARE);
        check_share("proxies", addresses(&|e| e["sg_machine_open"] == true).len(), written.len(), PROXY_SHARE);
        check_share("copies", lines - events.len(), events.len(), world.scenario().faults.duplicate_share);
        assert!(bounced.is_disjoint(&written), "an old address is written to again");
        let truth = identity(&world);
        assert_eq!(truth.iter().map(|row| row.1.clone()).collect::<BTreeSet<_>>(), bounced);
        assert_eq!(truth.len(), bounced.len());
    }

    #[test]
    fn nothing_is_sent_after_somebody_left() {
        let world = world(2_500, 3);
        let (_, events) = read(&world);
        let mut left: BTreeMap<&str, i64> = BTreeMap::new();
        for event in events.iter().filter(|e| e["event"] == "unsubscribe" || e["event"] == "spamreport") {
            let at = event["timestamp"].as_i64().expect("seconds");
            assert!(left.insert(event["email"].as_str().expect("an address"), at).is_none(), "twice");
        }
        assert!(left.len() > 3, "{left:?}");
        for event in events.iter().filter(|e| e["event"] == "processed") {
            let end = left.get(event["email"].as_str().expect("an address"));
            assert!(end.is_none_or(|end| event["timestamp"].as_i64().expect("seconds") < *end), "{event}");
        }
    }
}

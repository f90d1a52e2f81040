//! CallRail: the log of phone calls, each traced to the touch whose number was called. Source: CallRail API v3, "Calls"
//! (the fields of the call object, exported as CSV).
//!
//! Traps, all present here:
//! - `start_time` is local with the offset of that day: the offset changes with summer time, within one file;
//! - nobody spoke in a call that was not answered; its duration is 0 and it is no conversion;
//! - `tracking_phone_number` belongs to a channel, not to a person, and repeats;
//! - `customer_phone_number` is what ties a call to a person, and one person calls more than once (`first_call`);
//! - `campaign` and the `utm_` columns are empty for visits that nobody paid for.

use std::collections::BTreeMap;
use std::io::{self, Write};

use throughline_core::Timestamp;

use super::VendorFile;
use super::site::{HOST, Origin};
use crate::{Call, Channel, Life, World};

pub(super) const CALLS: VendorFile = VendorFile {
    path: "callrail/calls.csv",
    summary: "phone calls by tracking number, with their source and the caller's number",
    write: calls,
};

const HEADER: [&str; 17] = [
    "id",
    "start_time",
    "duration",
    "answered",
    "direction",
    "first_call",
    "prior_calls",
    "customer_phone_number",
    "tracking_phone_number",
    "tracker_id",
    "source_name",
    "medium",
    "campaign",
    "landing_page_url",
    "utm_source",
    "utm_medium",
    "utm_campaign",
];

/// The name of a tracking number's source, as the shop's team gave it.
const fn source_name(channel: Channel) -> &'static str {
    match channel {
        Channel::PaidSearch => "Google Ads",
        Channel::PaidSocial => "Facebook Ads",
        Channel::Display => "Google Display",
        Channel::Retargeting => "Facebook Retargeting",
        Channel::Email => "Newsletter",
        Channel::Organic => "Google Organic",
        Channel::Direct => "Direct",
        Channel::Referral => "Web Referrals",
        // Channels of which the team thought later keep the market's name.
        other => other.name(),
    }
}

fn calls(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let all = world.lives().iter().flat_map(|life| life.calls.iter().map(move |call| (life, call)));
    let mut all: Vec<(&Life, &Call)> = all.collect();
    all.sort_by_key(|(life, call)| (call.day, call.second, life.person.number, call.touch));
    let mut earlier: BTreeMap<u32, u32> = BTreeMap::new();
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(HEADER)?;
    for (row, (life, call)) in all.into_iter().enumerate() {
        let Some(touch) = life.touches.get(call.touch) else { continue };
        let prior = earlier.entry(life.person.number).or_default();
        let origin = Origin::of(world, touch);
        // Only links of the shop's own tell their campaign and carry parameters.
        let linked = origin.filter(|o| o.campaign.is_some());
        let campaign = linked.and_then(|o| o.campaign).unwrap_or_default();
        let query = linked.map_or_else(String::new, |o| format!("?{}", o.query()));
        let number = touch.channel.index() + 1;
        writer.write_record([
            format!("CAL{:08}", row + 1).as_str(),
            local_time(world.instant(call.day, call.second)).as_str(),
            call.duration_s.to_string().as_str(),
            // The market's calls last at least 20 seconds when somebody answers.
            if call.duration_s > 0 { "true" } else { "false" },
            "inbound",
            if *prior == 0 { "true" } else { "false" },
            prior.to_string().as_str(),
            life.person.phone().as_str(),
            // Numbers that the regulator keeps free for fiction.
            format!("+493023125{number:03}").as_str(),
            format!("TRK{number:04}").as_str(),
            source_name(touch.channel),
            origin.map_or("direct", |o| o.medium),
            campaign,
            format!("https://{HOST}/{query}").as_str(),
            linked.map_or("", |o| o.source),
            linked.map_or("", |o| o.medium),
            campaign,
        ])?;
        *prior += 1;
    }
    writer.flush()
}

/// An instant in the shop's local time, central European, with its offset.
fn local_time(at: Timestamp) -> String {
    let hours = if is_summer(at) { 2 } else { 1 };
    let local = at.plus_micros(hours * 3_600_000_000).to_string();
    format!("{}+0{hours}:00", local.trim_end_matches('Z'))
}

/// Summer time holds from the last Sunday of March to the last Sunday of October, each at 01:00 UTC (Directive
/// 2000/84/EC).
fn is_summer(at: Timestamp) -> bool {
    let date = at.date();
    let year = date.get(..4).unwrap_or_default();
    let turn = |last_day: &str| {
        let last = format!("{year}-{last_day}T01:00:00Z").parse::<Timestamp>().ok()?;
        // Day 0 was a Thursday, so that Sundays are the days that leave 3 when divided by 7.
        Some(last.plus_days(-(last.day_number() - 3).rem_euclid(7)))
    };
    matches!((turn("03-31"), turn("10-31")), (Some(begin), Some(end)) if (begin..end).contains(&at))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Scenario;

    fn world() -> World {
        World::simulate(&Scenario::default().with_people(3_000), 8).expect("valid")
    }

    fn records(world: &World) -> Vec<BTreeMap<String, String>> {
        let mut out = Vec::new();
        world.write_vendor(&CALLS, &mut out).expect("writes to memory");
        let mut reader = csv::Reader::from_reader(out.as_slice());
        assert_eq!(reader.headers().expect("a header"), &csv::StringRecord::from(HEADER.to_vec()));
        reader.deserialize().map(|r| r.expect("CSV")).collect()
    }

    #[test]
    fn every_call_of_the_market_is_told_once() {
        let world = world();
        let told: BTreeSet<(String, Timestamp, String, String)> = records(&world)
            .into_iter()
            .map(|r| {
                let at = r["start_time"].parse().expect("a time with an offset");
                (r["customer_phone_number"].clone(), at, r["duration"].clone(), r["tracking_phone_number"].clone())
            })
            .collect();
        let calls = world.lives().iter().flat_map(|life| life.calls.iter().map(move |c| (life, c)));
        let real: BTreeSet<_> = calls
            .map(|(life, c)| {
                let number = format!("+493023125{:03}", life.touches[c.touch].channel.index() + 1);
                (life.person.phone(), world.instant(c.day, c.second), c.duration_s.to_string(), number)
            })
            .collect();
        assert_eq!(told, real);
        assert_eq!(records(&world).len(), real.len());
        assert!(real.len() > 50);
    }

    #[test]
    fn callers_sources_and_answers_are_consistent() {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        let (mut missed, mut again, mut paid) = (0, 0, 0);
        for r in records(&world()) {
            let prior = seen.entry(r["customer_phone_number"].clone()).or_default();
            assert_eq!(r["prior_calls"], prior.to_string());
            assert_eq!(r["first_call"] == "true", *prior == 0);
            assert_eq!(r["answered"] == "true", r["duration"] != "0");
            assert_eq!(r["campaign"].is_empty(), ["organic", "direct", "referral"].contains(&r["medium"].as_str()));
            assert_eq!(r["utm_campaign"], r["campaign"]);
            assert_eq!(r["utm_medium"].is_empty(), r["campaign"].is_empty());
            assert_eq!(r["landing_page_url"].contains("utm_campaign="), !r["campaign"].is_empty());
            missed += u32::from(r["answered"] == "false");
            again += u32::from(*prior > 0);
            paid += u32::from(r["source_name"] == "Google Ads");
            *prior += 1;
        }
        assert!(missed > 0 && again > 0 && paid > 0, "{missed} {again} {paid}");
    }

    #[test]
    fn local_time_follows_summer_time() {
        #[track_caller]
        fn check(utc: &str, expect: &str) {
            assert_eq!(local_time(utc.parse().expect("a time")), expect);
        }
        check("2026-01-05T10:00:00Z", "2026-01-05T11:00:00+01:00");
        check("2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00");
        check("2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00");
        check("2026-10-25T00:59:59Z", "2026-10-25T02:59:59+02:00");
        check("2026-10-25T01:00:00Z", "2026-10-25T02:00:00+01:00");
        check("2024-03-31T01:00:00Z", "2024-03-31T03:00:00+02:00");
        check("2025-12-31T23:30:00Z", "2026-01-01T00:30:00+01:00");
    }
}

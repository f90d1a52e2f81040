//! The log of a consent tool: one record for each decision about a purpose. No vendor's format in particular: it is what
//! consent platforms export in common (subject, purpose, state, time, source).
//!
//! Traps, all present here:
//! - a later record replaces an earlier one of the same person and purpose, from its time on: what held at an event is
//!   the latest record not after it, which is not the latest of all;
//! - `unknown` is no permission;
//! - the same address appears once for each purpose.
//!
//! Withdrawals are those of the market: nothing is sent or measured after them. Beside them some people change
//! `personalisation` and `advertising`, which have no bearing on what was sent; where a withdrawal of the market stands for the
//! same purpose, it alone is told.

use std::io::{self, Write};

use serde::Serialize;
use throughline_core::{ConsentState, Purpose};

use super::VendorFile;
use super::figures::json_line;
use crate::noise::Purpose as For;
use crate::{Life, World};

pub(super) const CONSENT_LOG: VendorFile = VendorFile {
    path: "consent/consent_log.jsonl",
    summary: "decisions about each purpose of processing: all as of day 0, and later changes of some",
    write: consent_log,
};

/// Purposes that may change after day 0.
const CHANGING: [Purpose; 2] = [Purpose::Personalisation, Purpose::Advertising];
/// Probability that a person changes such a purpose once.
const CHANGE_SHARE: f64 = 0.04;
/// Changes fall between 08:00 and 20:00.
const FIRST_SECOND: u32 = 8 * 3_600;
const SPAN_SECONDS: u32 = 12 * 3_600;

#[derive(Serialize)]
struct Record<'a> {
    #[serde(rename = "record_id")]
    id: String,
    email: &'a str,
    purpose: Purpose,
    state: ConsentState,
    recorded_at: String,
    source: &'static str,
}

/// A decision of a person, at a second of a day.
#[derive(Debug, Clone, Copy)]
struct Decision<'a> {
    day: u32,
    second: u32,
    life: &'a Life,
    purpose: Purpose,
    state: ConsentState,
    source: &'static str,
}

fn consent_log(world: &World, out: &mut dyn Write) -> io::Result<()> {
    let mut decisions: Vec<Decision> = Vec::new();
    for life in world.lives() {
        decisions.extend(Purpose::ALL.map(|purpose| first(life, purpose)));
        decisions.extend(withdrawals(world, life));
        decisions.extend(CHANGING.into_iter().filter_map(|purpose| change(world, life, purpose)));
    }
    decisions.sort_by_key(|d| (d.day, d.second, d.life.person.number));
    for (row, decision) in decisions.iter().enumerate() {
        let record = Record {
            id: format!("cl{:08}", row + 1),
            email: &decision.life.person.email(),
            purpose: decision.purpose,
            state: decision.state,
            recorded_at: world.instant(decision.day, decision.second).to_string(),
            source: decision.source,
        };
        json_line(out, &record)?;
    }
    Ok(())
}

/// What was known at the beginning of day 0.
fn first(life: &Life, purpose: Purpose) -> Decision<'_> {
    let state = life.person.consent.state(purpose);
    let source = match state {
        // Nobody was asked: the record came over from an older system.
        ConsentState::Unknown => "import",
        _ if life.person.has_card => "loyalty_form",
        _ => "web_form",
    };
    Decision { day: 0, second: 0, life, purpose, state, source }
}

/// What the market's people withdrew, at the second at which `preferences.csv` has it.
fn withdrawals<'a>(world: &'a World, life: &'a Life) -> impl Iterator<Item = Decision<'a>> {
    let withdrawn = life.person.withdrawals(world.scenario().days);
    let granted = withdrawn.filter(|(purpose, _)| life.person.consent.allows(*purpose));
    granted.map(move |(purpose, day)| Decision {
        day,
        second: 9 * 3_600,
        life,
        purpose,
        state: ConsentState::Denied,
        source: "preference_centre",
    })
}

/// A later change of mind: a withdrawal by whoever had agreed, a grant by everybody else.
fn change<'a>(world: &World, life: &'a Life, purpose: Purpose) -> Option<Decision<'a>> {
    let noise = world.noise(life);
    let slot = if purpose == Purpose::Advertising { 0 } else { 4 };
    let later_days = world.scenario().days.checked_sub(1).filter(|days| *days > 0)?;
    let told = life.person.withdrawals(world.scenario().days).any(|(withdrawn, _)| withdrawn == purpose);
    if told || noise.unit(For::ConsentChange, 0, slot) >= CHANGE_SHARE {
        return None;
    }
    let state = if life.person.consent.allows(purpose) { ConsentState::Denied } else { ConsentState::Granted };
    Some(Decision {
        day: 1 + noise.index(For::ConsentChange, 0, slot + 1, later_days),
        second: FIRST_SECOND + noise.index(For::ConsentChange, 0, slot + 2, SPAN_SECONDS),
        life,
        purpose,
        state,
        source: "preference_centre",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use throughline_core::Timestamp;

    use super::*;
    use crate::Scenario;

    fn world(people: u32) -> World {
        World::simulate(&Scenario::default().with_people(people), 13).expect("valid")
    }

    fn records(world: &World) -> Vec<BTreeMap<String, String>> {
        let mut out = Vec::new();
        world.write_vendor(&CONSENT_LOG, &mut out).expect("writes to memory");
        let text = String::from_utf8(out).expect("UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("an object of strings")).collect()
    }

    #[test]
    fn day_0_tells_everybodys_permissions() {
        let world = world(200);
        let begin = world.instant(0, 0).to_string();
        let told: BTreeMap<(String, String), String> = records(&world)
            .into_iter()
            .filter(|r| r["recorded_at"] == begin)
            .map(|r| ((r["email"].clone(), r["purpose"].clone()), r["state"].clone()))
            .collect();
        assert_eq!(told.len(), 200 * Purpose::ALL.len());
        for life in world.lives() {
            for purpose in Purpose::ALL {
                let state = &told[&(life.person.email(), purpose.to_string())];
                assert_eq!(format!("{purpose}={state}"), life.person.consent.text(&[purpose]));
            }
        }
    }

    #[test]
    fn later_records_change_a_purpose_without_bearing_to_the_other_state() {
        let world = world(4_000);
        let all = records(&world);
        let (before, after) = all.split_at(4_000 * Purpose::ALL.len());
        let mut state: BTreeMap<(String, String), String> = BTreeMap::new();
        for r in before {
            assert_ne!(r["source"], "preference_centre");
            state.insert((r["email"].clone(), r["purpose"].clone()), r["state"].clone());
        }
        let mut last = world.instant(1, 0);
        let mut withdrawn = 0;
        for r in after {
            assert!(["advertising", "personalisation"].contains(&r["purpose"].as_str()), "{r:?}");
            let at: Timestamp = r["recorded_at"].parse().expect("a time");
            assert!(last <= at && at < world.end(), "{r:?}");
            last = at;
            let old = state.insert((r["email"].clone(), r["purpose"].clone()), r["state"].clone()).expect("known");
            assert_eq!(r["state"] == "denied", old == "granted", "{r:?}");
            withdrawn += usize::from(r["state"] == "denied");
        }
        let (n, share) = (8_000.0, CHANGE_SHARE);
        let z = (after.len() as f64 - n * share) / (n * share * (1.0 - share)).sqrt();
        assert!(z.abs() < 3.5, "{} changes", after.len());
        assert!(withdrawn > 0 && withdrawn < after.len());
    }

    #[test]
    fn withdrawals_of_the_market_are_told_and_tools_stop_measuring() {
        let mut scenario = Scenario::default().with_people(600);
        scenario.consent.withdrawn_share = 0.3;
        let world = World::simulate(&scenario, 13).expect("valid");
        let told: Vec<_> =
            records(&world).into_iter().filter(|r| r["purpose"] == "measurement" && r["state"] == "denied").collect();
        let left: Vec<_> = world
            .lives()
            .iter()
            .filter(|l| l.person.consent.allows(Purpose::Measurement))
            .filter_map(|l| Some((l, l.person.withdrawals(90).find(|(p, _)| *p == Purpose::Measurement)?.1)))
            .collect();
        let later = told.iter().filter(|r| r["recorded_at"] != world.instant(0, 0).to_string()).count();
        assert!(left.len() > 100 && later == left.len(), "{later} of {}", left.len());
        for visit in super::super::web::visits(&world) {
            let gone = left.iter().find(|(l, _)| l.person.number == visit.life.person.number);
            assert!(gone.is_none_or(|(_, day)| visit.day(&world) < *day));
        }
    }
}

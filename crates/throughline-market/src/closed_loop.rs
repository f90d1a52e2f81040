//! A market that goes on: day by day it takes in the decisions and budgets that were delivered, and writes what follows.
//!
//! Nothing is stored but what was asked of the market: the scenario, the seed and what was delivered. Every random number is
//! addressed by person and day, so that the market up to yesterday comes out as it was written, and a day more follows. Cost
//! of a day: that of simulating the market once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::noise::Noise;
use crate::project::{self, write_file};
use crate::response::{self, Expected};
use crate::scenario::BudgetChange;
use crate::{Arm, DataFile, MarketError, Person, Scenario, Sent, World, person};

/// Where a market keeps what was asked of it.
const FILE: &str = "market.json";

/// What was sent to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Delivered {
    person: u32,
    arm: Arm,
    day: u32,
}

/// A market and what was asked of it so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The scenario, with the days written so far.
    pub scenario: Scenario,
    /// The seed.
    pub seed: u64,
    /// The day before the first step.
    begun: u32,
    /// Batches taken in, so that none is taken twice.
    taken: Vec<String>,
    delivered: Vec<Delivered>,
}

/// A batch that was delivered to the market.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its id; one that was taken before is left.
    pub id: String,
    /// E-mail addresses and actions.
    pub decisions: Vec<(String, String)>,
    /// Channels and their budgets in currency units a day.
    pub budgets: Vec<(String, f64)>,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Step {
    /// The day written, from 0.
    pub day: u32,
    /// Its date.
    pub date: String,
    /// E-mails sent.
    pub sent: usize,
    /// Decisions to send nothing.
    pub kept: usize,
    /// Decisions left: unknown people, second ones for a person on a day, people who may not be written to.
    pub refused: usize,
    /// Budgets changed.
    pub budgets: usize,
    /// Purchases of the day.
    pub purchases: usize,
    /// Their value in currency units.
    pub value: f64,
}

/// What everything delivered in the steps so far is worth, against the same market in which none of it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoopWorth {
    /// Days written in steps.
    pub days: u32,
    /// E-mails sent.
    pub sent: usize,
    /// What sending cost, in currency units.
    pub cost: f64,
    /// Mean purchases caused so far; exact.
    pub purchases: f64,
    /// Mean value caused so far; exact.
    pub value: f64,
    /// Mean margin caused so far less the cost of sending; exact. Budgets are not counted.
    pub profit: f64,
}

impl Standing {
    pub(crate) fn new(world: &World) -> Self {
        let scenario = world.scenario().clone();
        let begun = scenario.days;
        Self { scenario, seed: world.seed(), begun, taken: Vec::new(), delivered: Vec::new() }
    }

    /// Reads the market of a project's folder.
    pub fn read(dir: &Path) -> Result<Self, MarketError> {
        let path = place(dir);
        let file = File::open(&path).map_err(|source| MarketError::Io { path: path.clone(), source })?;
        let standing: Self = serde_json::from_reader(BufReader::new(file))
            .map_err(|e| MarketError::BadTruth { path, source: Box::new(e) })?;
        let diagnostics = standing.scenario.validate();
        if diagnostics.is_empty() { Ok(standing) } else { Err(MarketError::Refused { diagnostics }) }
    }

    /// Writes it, in one step: a reader finds the old one or the new one.
    pub fn write(&self, dir: &Path) -> Result<(), MarketError> {
        let (path, new) = (place(dir), place(dir).with_extension("json.new"));
        write_file(&new, |out| {
            let fail = |e: serde_json::Error| MarketError::Write { file: FILE.to_owned(), source: e.into() };
            serde_json::to_writer(out, self).map_err(fail)
        })?;
        std::fs::rename(&new, &path).map_err(|source| MarketError::Io { path, source })
    }

    /// Days written in steps so far.
    pub const fn days_gone(&self) -> u32 {
        self.scenario.days.saturating_sub(self.begun)
    }

    /// The market as far as it is written.
    pub fn world(&self, threads: NonZeroUsize) -> Result<World, MarketError> {
        let mut delivered: BTreeMap<u32, Vec<Sent>> = BTreeMap::new();
        for d in &self.delivered {
            delivered.entry(d.person).or_default().push(Sent { arm: d.arm, day: d.day });
        }
        World::simulate_with(&self.scenario, self.seed, threads, delivered)
    }

    /// Writes one day more into a folder's data files, after taking in what was delivered. Deliveries take effect in the
    /// morning of that day. The state is written last: a step that was cut off is done again, to the same bytes.
    pub fn step(&mut self, dir: &Path, threads: NonZeroUsize, deliveries: &[Delivery]) -> Result<Step, MarketError> {
        if self.scenario.later_days == 0 {
            return Err(MarketError::Over { days: self.scenario.days });
        }
        let mut next = self.clone();
        let day = next.scenario.days;
        let mut step = Step { day, ..Step::default() };
        for delivery in deliveries.iter().filter(|d| !self.taken.contains(&d.id)) {
            next.take(delivery, day, &mut step)?;
            next.taken.push(delivery.id.clone());
        }
        (next.scenario.days, next.scenario.later_days) = (day + 1, next.scenario.later_days - 1);
        let world = next.world(threads)?;
        let date = world.instant(day, 0).date();
        let span = world.instant(day, 0).micros()..world.instant(day + 1, 0).micros();
        for file in DataFile::ALL.into_iter().filter(|f| f.is_in(&next.scenario) && f.grows()) {
            write_day(&world, file, &dir.join("data").join(file.name_on(&date)), span.clone())?;
        }
        let bought: Vec<_> = world.lives().iter().flat_map(|l| &l.purchases).filter(|p| p.day == day).collect();
        step.purchases = bought.len();
        step.value = throughline_core::money::units_from_micros(bought.iter().map(|p| p.value_micros).sum());
        step.date = date;
        next.write(dir)?;
        *self = next;
        Ok(step)
    }

    fn take(&mut self, delivery: &Delivery, day: u32, step: &mut Step) -> Result<(), MarketError> {
        for (channel, daily_budget) in &delivery.budgets {
            let change = BudgetChange { channel: channel.clone(), from_day: day, daily_budget: *daily_budget };
            self.scenario.budgets.retain(|b| b.channel != change.channel || b.from_day != day);
            self.scenario.budgets.push(change);
            step.budgets += 1;
        }
        let diagnostics = self.scenario.validate();
        if !diagnostics.is_empty() {
            return Err(MarketError::Refused { diagnostics });
        }
        for (email, action) in &delivery.decisions {
            let arm: Arm = action.parse()?;
            let person = self.person(email).filter(|p| p.contactable_on(day) || arm == Arm::None);
            let again =
                |p: &Person| self.delivered.iter().rev().take_while(|d| d.day == day).any(|d| d.person == p.number);
            match person {
                Some(person) if !again(&person) => {
                    // Sending nothing changes nothing: it is counted and not kept.
                    if arm == Arm::None {
                        step.kept += 1;
                    } else {
                        step.sent += 1;
                        self.delivered.push(Delivered { person: person.number, arm, day });
                    }
                }
                _ => step.refused += 1,
            }
        }
        Ok(())
    }

    /// The person of an address.
    fn person(&self, email: &str) -> Option<Person> {
        let email = email.trim().to_lowercase();
        let number: u32 = email.split('@').next()?.rsplit('.').next()?.parse().ok()?;
        let known = number < self.scenario.people;
        let person = known.then(|| Person::draw(&self.scenario, &Noise::new(self.seed, number), number))?;
        (person.email() == email).then_some(person)
    }

    /// Writes the truth about everything written so far.
    pub fn write_truth(&self, dir: &Path, threads: NonZeroUsize) -> Result<(), MarketError> {
        project::write_truth(&self.world(threads)?, dir).map(|_| ())
    }

    /// What was delivered in steps is worth so far.
    pub fn worth(&self, threads: NonZeroUsize) -> Result<LoopWorth, MarketError> {
        let world = self.world(threads)?;
        let (plan, margin) = (world.plan(), self.scenario.purchase.margin);
        let own = |sent: &Sent| sent.day >= self.begun;
        let parts = world.each_life(|life| {
            if !life.sent.iter().any(own) {
                return None;
            }
            let drive = world.drive(life);
            let before: Vec<Sent> = life.sent.iter().copied().filter(|s| !own(s)).collect();
            let of = |sent: &[Sent]| {
                response::expect(plan, &drive.course(None, sent), plan.recovery.len() - 1, world.written())
            };
            let (with, without) = (of(&life.sent), of(&before));
            let profit = |e: Expected| life.person.basket * (e.paid - (1.0 - margin) * e.purchases);
            let sent = life.sent.iter().filter(|s| own(s));
            let cost: f64 = sent.filter_map(|s| person::arm_spec(&self.scenario, s.arm)).map(|a| a.send_cost).sum();
            let value = life.person.basket * (with.paid - without.paid);
            Some([cost, with.purchases - without.purchases, value, profit(with) - profit(without)])
        });
        let total = parts.into_iter().flatten().fold([0.0; 4], |sum, part| std::array::from_fn(|i| sum[i] + part[i]));
        let [cost, purchases, value, profit] = total;
        Ok(LoopWorth {
            days: self.days_gone(),
            sent: self.delivered.len(),
            cost,
            purchases,
            value,
            profit: profit - cost,
        })
    }
}

fn place(dir: &Path) -> PathBuf {
    dir.join("truth").join(FILE)
}

/// Writes what arrived on a day; no file where nothing did.
fn write_day(world: &World, file: DataFile, path: &Path, span: Range<i64>) -> Result<(), MarketError> {
    let mut rows = 0;
    write_file(path, |out| {
        rows = world.write_arrived(file, span, out)?;
        Ok(())
    })?;
    if rows == 0 {
        std::fs::remove_file(path).map_err(|source| MarketError::Io { path: path.to_owned(), source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write_project_data;

    const ONE: NonZeroUsize = NonZeroUsize::MIN;

    fn begun(people: u32) -> (tempfile::TempDir, Standing, Vec<World>) {
        let dir = tempfile::tempdir().expect("a folder");
        let scenario = Scenario { later_days: 10, days: 80, ..Scenario::default().with_people(people) };
        let world = World::simulate(&scenario, 3).expect("valid");
        write_project_data(&world, dir.path()).expect("writes");
        let standing = Standing::read(dir.path()).expect("was written");
        (dir, standing, vec![world])
    }

    fn rows(dir: &Path, stem: &str) -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for entry in std::fs::read_dir(dir.join("data")).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(stem)) {
                let text = std::fs::read_to_string(path).expect("a file");
                let skip = usize::from(stem != "web_orders");
                rows.extend(text.lines().skip(skip).map(ToOwned::to_owned));
            }
        }
        rows.sort();
        rows
    }

    #[test]
    fn days_written_one_by_one_are_those_written_at_once() {
        let (dir, mut standing, _) = begun(150);
        for _ in 0..10 {
            standing.step(dir.path(), ONE, &[]).expect("steps");
        }
        let at_once = tempfile::tempdir().expect("a folder");
        let scenario = Scenario { days: 90, later_days: 0, ..standing.scenario.clone() };
        write_project_data(&World::simulate(&scenario, 3).expect("valid"), at_once.path()).expect("writes");
        for stem in ["ad_events", "web_orders", "pos", "email_log", "spend"] {
            assert_eq!(rows(dir.path(), stem), rows(at_once.path(), stem), "{stem}");
        }
        assert!(matches!(standing.step(dir.path(), ONE, &[]), Err(MarketError::Over { days: 90 })));
    }

    #[test]
    fn decisions_take_effect_once_from_their_day_on() {
        let (dir, mut standing, worlds) = begun(400);
        let before = rows(dir.path(), "web_orders");
        let people: Vec<Person> = worlds[0].lives().iter().map(|l| l.person).collect();
        let mail = |p: &Person| (p.email().to_uppercase(), "email_offer".to_owned());
        let mut decisions: Vec<_> = people.iter().map(mail).collect();
        decisions.push(mail(&people[0]));
        decisions.push(("no.body.00001@people.example".into(), "none".into()));
        let batch = Delivery { id: "b1".into(), decisions, budgets: vec![("paid_social".into(), 1.0)] };
        let step = standing.step(dir.path(), ONE, std::slice::from_ref(&batch)).expect("steps");
        let contactable = people.iter().filter(|p| p.contactable_on(80)).count();
        // Whoever refused, the second decision for one person, and nobody.
        assert_eq!((step.sent, step.refused, step.budgets), (contactable, 402 - contactable, 1));
        let again = standing.step(dir.path(), ONE, &[batch]).expect("steps");
        assert_eq!((again.sent, again.refused), (0, 0), "a batch is taken once");
        for _ in 0..5 {
            standing.step(dir.path(), ONE, &[]).expect("steps");
        }
        let after = rows(dir.path(), "web_orders");
        assert!(before.iter().all(|row| after.contains(row)), "what was written stays");
        let worth = standing.worth(ONE).expect("simulates");
        assert_eq!((worth.sent, worth.days), (contactable, 7));
        assert!(
            worth.purchases > 0.0
                && worth.profit < worth.value
                && (worth.cost - 0.02 * contactable as f64).abs() < 1e-9
        );
        let world = standing.world(ONE).expect("simulates");
        let spent: i64 = world
            .lives()
            .iter()
            .flat_map(|l| &l.touches)
            .filter(|t| t.channel == crate::Channel::PaidSocial && t.day == 82)
            .map(|t| t.cost_micros)
            .sum();
        // A euro a day, in clicks of 0.80 and impressions of 0.12.
        assert!(spent < 4_000_000, "{spent}");
        let mails = rows(dir.path(), "email_log")
            .into_iter()
            .filter(|r| r.contains("2026-03-26") && r.contains("email_sent"))
            .count();
        assert!(mails >= contactable, "{mails} of {contactable}");
    }

    #[test]
    fn unknown_actions_and_channels_change_nothing() {
        let (dir, mut standing, _) = begun(20);
        let batch = |decisions, budgets| [Delivery { id: "b".into(), decisions, budgets }];
        let before = standing.clone();
        let fax = batch(vec![("a".into(), "fax".into())], vec![]);
        assert!(matches!(standing.step(dir.path(), ONE, &fax), Err(MarketError::UnknownAction(_))));
        for bad in [("fax", 5.0), ("display", -5.0), ("display", f64::NAN)] {
            let refused = standing.step(dir.path(), ONE, &batch(vec![], vec![(bad.0.into(), bad.1)]));
            assert!(matches!(refused, Err(MarketError::Refused { .. })), "{bad:?}");
        }
        assert_eq!(standing, before);
        assert_eq!(Standing::read(dir.path()).expect("a file"), before);
    }
}

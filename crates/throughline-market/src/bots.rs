//! Programs that click on advertisements: some every day, many while an incident runs. They buy nothing and are nobody.

use throughline_core::EventKind;

use crate::channel::Form;
use crate::noise::{self, Noise, Purpose};
use crate::plan::Plan;
use crate::{Campaign, Channel, Fault, Life, Person, Touch, exposure};

/// Clicks of an everyday program a day.
const EVERYDAY_CLICKS: f64 = 3.0;
/// Clicks of a program on a day, at most.
const MOST_CLICKS: u32 = 2_000;
/// Programs of all incidents, at most.
pub(crate) const MOST: u32 = 100_000;

/// Every program of a market, numbered after its people.
pub(crate) fn bots(plan: &Plan, seed: u64) -> Vec<Life> {
    let scenario = &plan.scenario;
    let mut bots = Vec::new();
    let mut add = |channel: Channel, clicks: f64, runs: &dyn Fn(u32) -> bool| {
        let number = scenario.people.saturating_add(u32::try_from(bots.len()).unwrap_or(u32::MAX));
        bots.push(bot(plan, seed, number, channel, clicks, runs));
    };
    let clickable = clickable(plan);
    for channel in clickable.iter().cycle().take(everyday(plan)) {
        add(*channel, EVERYDAY_CLICKS, &|_| true);
    }
    for incident in &scenario.incidents {
        if let Fault::BotTraffic { channel, bots, clicks_per_day } = &incident.fault
            && let Ok(channel) = channel.parse::<Channel>()
        {
            (0..(*bots).min(MOST)).for_each(|_| add(channel, *clicks_per_day, &|day| incident.runs_on(day)));
        }
    }
    bots
}

/// The places of an incident's programs among all of a market.
pub(crate) fn of_incident(plan: &Plan, incident: usize) -> std::ops::Range<usize> {
    let count = |fault: &Fault| match fault {
        Fault::BotTraffic { bots, .. } => (*bots).min(MOST) as usize,
        _ => 0,
    };
    let incidents = &plan.scenario.incidents;
    let before: usize = incidents.iter().take(incident).map(|i| count(&i.fault)).sum();
    let first = everyday(plan) + before;
    first..first + incidents.get(incident).map_or(0, |i| count(&i.fault))
}

/// How many programs click every day.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the scenario's checks")]
fn everyday(plan: &Plan) -> usize {
    if clickable(plan).is_empty() {
        return 0;
    }
    (plan.scenario.population.bots_per_thousand * f64::from(plan.scenario.people) / 1_000.0).round() as usize
}

/// Channels on which programs click.
fn clickable(plan: &Plan) -> Vec<Channel> {
    let clickable = plan.used().filter(|(c, _)| matches!(c.form(), Form::Shown | Form::Clicked));
    clickable.map(|(c, _)| c).collect()
}

fn bot(plan: &Plan, seed: u64, number: u32, channel: Channel, clicks: f64, runs: &dyn Fn(u32) -> bool) -> Life {
    let noise = Noise::new(seed, number);
    let mut person = Person::draw(&plan.scenario, &noise, number);
    (person.shares_device, person.household) = (false, number);
    let mut life = Life::unborn(person);
    let Some(spec) = plan.channel(channel) else { return life };
    for day in (0..plan.scenario.days).filter(|day| runs(*day)) {
        let count = noise::poisson(noise.unit(Purpose::Exposure, day, 0), clicks, MOST_CLICKS);
        for click in 0..count {
            let second = exposure::second(noise.unit(Purpose::Exposure, day, 1 + click));
            life.touches.push(Touch {
                day,
                second,
                channel,
                kind: EventKind::Click,
                campaign: Campaign::Listed(0),
                device: 0,
                cost_micros: exposure::priced(spec.click_micros, spec.price(day)),
            });
        }
    }
    life.touches.sort_unstable_by_key(|t| (t.day, t.second));
    life
}

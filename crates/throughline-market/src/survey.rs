//! What everybody together demands of the channels, and so which share of it is bought at which price: the one place
//! where people touch each other. It is estimated from the first people of the market, so that a market of any size can
//! be drawn person by person.

use crate::noise::Noise;
use crate::plan::{ChannelPlan, Plan};
use crate::world::{Sent, assign};
use crate::{Channel, Person, exposure, person};

/// People who are asked; a market of no more is known exactly.
const SURVEYED: u32 = 20_000;
/// Prices stay within these factors of the mean day's.
const CHEAPEST: f64 = 0.25;
const DEAREST: f64 = 4.0;

/// Surveys a market in which some channel has a budget or a price that reacts.
pub(crate) fn survey(plan: &mut Plan, seed: u64) {
    let changes = |c: Channel| plan.scenario.budgets.iter().any(|b| b.channel == c.name());
    let reacts = |c: Channel, s: &ChannelPlan| s.budget_micros.is_some() || s.elasticity > 0.0 || changes(c);
    let asked: Vec<Channel> = plan.used().filter(|(c, s)| reacts(*c, s)).map(|(c, _)| c).collect();
    if asked.is_empty() {
        return;
    }
    let demand = demand(plan, seed, &asked);
    let days = plan.horizon() as usize;
    let mut market = vec![vec![(1.0, 1.0); days]; Channel::COUNT];
    for (channel, spec) in plan.used().filter(|(c, _)| asked.contains(c)) {
        let of_day = &demand[channel.index()];
        let mean = of_day.iter().sum::<f64>() / days as f64;
        if mean <= 0.0 {
            continue;
        }
        for (day, demanded) in of_day.iter().enumerate() {
            let price = (demanded / mean).powf(spec.elasticity).clamp(CHEAPEST, DEAREST);
            let cost = demanded * price;
            let (budget, most) = budget(plan, channel, spec, day);
            let share = if cost > 0.0 { (budget / cost).min(most) } else { 1.0 };
            // What is bought beyond the demand raises the price as demand does.
            market[channel.index()][day] = (share, price * share.max(1.0).powf(spec.elasticity));
        }
    }
    plan.set_market(market);
}

/// The budget of a day in micros, and the largest share of the demand that it may buy: more than all only for budgets that
/// were changed.
fn budget(plan: &Plan, channel: Channel, spec: &ChannelPlan, day: usize) -> (f64, f64) {
    let changes = plan.scenario.budgets.iter().filter(|b| b.channel == channel.name() && b.from_day as usize <= day);
    match changes.max_by_key(|b| b.from_day) {
        Some(change) => (change.daily_budget * 1e6, plan.scenario.most_budget),
        None => (spec.budget_micros.map_or(f64::INFINITY, |b| b as f64), 1.0),
    }
}

/// Cost in micros by channel and day at the mean day's prices, of everybody.
fn demand(plan: &Plan, seed: u64, asked: &[Channel]) -> Vec<Vec<f64>> {
    let people = plan.scenario.people;
    let surveyed = people.min(SURVEYED);
    let mut micros = vec![vec![0_i64; plan.horizon() as usize]; Channel::COUNT];
    for number in 0..surveyed {
        let noise = Noise::new(seed, number);
        let person = Person::draw(&plan.scenario, &noise, number);
        let intent = person::intent(&plan.scenario.intent, &noise, plan.horizon());
        let sent: Vec<Sent> = assign(plan, &person, &noise).map(|arm| Sent::test(plan, arm)).into_iter().collect();
        let touches = exposure::touches(plan, &person, &noise, &intent, &sent);
        for touch in touches.iter().filter(|t| asked.contains(&t.channel)) {
            micros[touch.channel.index()][touch.day as usize] += touch.cost_micros;
        }
    }
    let scale = f64::from(people) / f64::from(surveyed);
    micros.into_iter().map(|days| days.into_iter().map(|m| m as f64 * scale).collect()).collect()
}

#[cfg(test)]
mod tests {
    use crate::{Channel, Scenario, World};

    fn spent(world: &World, channel: Channel, day: u32) -> f64 {
        let touches = world.lives().iter().flat_map(|l| &l.touches);
        touches.filter(|t| t.channel == channel && t.day == day).map(|t| t.cost_micros as f64 / 1e6).sum()
    }

    #[test]
    fn a_budget_is_kept_in_the_mean_and_scarce_days_cost_more() {
        let mut scenario = Scenario::default().with_people(2_000);
        let free = World::simulate(&scenario, 9).expect("valid");
        let days = 0..scenario.days;
        let mean = |world: &World| days.clone().map(|d| spent(world, Channel::PaidSocial, d)).sum::<f64>() / 90.0;
        let all = mean(&free);
        let spec = scenario.channels.get_mut("paid_social").expect("in the demo");
        spec.daily_budget = Some(all / 2.0);
        let held = World::simulate(&scenario, 9).expect("valid");
        // Clicks are 0.80 each: a day's cost has a standard deviation of a few units around the budget.
        assert!((mean(&held) - all / 2.0).abs() < 0.05 * all, "{} for a budget of {}", mean(&held), all / 2.0);
        let spec = scenario.channels.get_mut("paid_social").expect("in the demo");
        (spec.daily_budget, spec.price_elasticity) = (None, 1.0);
        let auction = World::simulate(&scenario, 9).expect("valid");
        let dearest = days
            .clone()
            .max_by(|a, b| spent(&free, Channel::PaidSocial, *a).total_cmp(&spent(&free, Channel::PaidSocial, *b)));
        let day = dearest.expect("days");
        let factor = spent(&free, Channel::PaidSocial, day) / all;
        let paid = spent(&auction, Channel::PaidSocial, day);
        assert!((paid / (spent(&free, Channel::PaidSocial, day) * factor) - 1.0).abs() < 0.1, "{paid} at {factor}");
    }
}

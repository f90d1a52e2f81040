//! The rules of populations, designs and incidents.

use crate::check::Faults;
use crate::scenario::Scenario;
use crate::{Fault, InterventionSpec, Person, bots};

pub(crate) fn check(faults: &mut Faults, scenario: &Scenario) {
    let population = &scenario.population;
    faults.share("population.household_share", population.household_share);
    faults.share("population.shared_device_share", population.shared_device_share);
    faults.share("population.mover_share", population.mover_share);
    faults.within("population.bots_per_thousand", population.bots_per_thousand, 0.0..=1_000.0);
    faults.share("consent.withdrawn_share", scenario.consent.withdrawn_share);
    faults.within("most_budget", scenario.most_budget, 1.0..=10.0);
    for (index, change) in scenario.budgets.iter().enumerate() {
        in_use(faults, &format!("budgets[{index}].channel"), scenario, &change.channel);
        faults.amount(&format!("budgets[{index}].daily_budget"), change.daily_budget);
    }
    designs(faults, scenario, &scenario.interventions);
    for (index, incident) in scenario.incidents.iter().enumerate() {
        let path = format!("incidents[{index}]");
        faults.within(&format!("{path}.days"), f64::from(incident.days), 1.0..=730.0);
        if incident.from_day >= scenario.all_days() {
            let (day, days) = (incident.from_day, scenario.all_days());
            faults.push("TL954", format!("{path}.from_day of {day} is not before day {days}"));
        }
        fault(faults, &format!("{path}.fault"), scenario, &incident.fault);
    }
}

fn designs(faults: &mut Faults, scenario: &Scenario, spec: &InterventionSpec) {
    faults.within("interventions.fatigue", spec.fatigue, 0.0..=10.0);
    if let Some(test) = &spec.geo_test {
        let field = |name: &str| format!("interventions.geo_test.{name}");
        in_use(faults, &field("channel"), scenario, &test.channel);
        span(faults, &field("from_day"), scenario, test.from_day, test.days);
        faults.within(&field("factor"), test.factor, 0.0..=10.0);
        faults.within(&field("treated_areas"), f64::from(test.treated_areas), 1.0..=f64::from(Person::AREAS - 1));
        faults.share(&field("spillover"), test.spillover);
    }
    if let Some(rollout) = &spec.rollout {
        faults.within("interventions.rollout.lift", rollout.lift, -10.0..=10.0);
        let areas: u32 = rollout.waves.iter().fold(0, |sum, w| sum.saturating_add(w.areas));
        faults.within("interventions.rollout.waves: areas", f64::from(areas), 1.0..=f64::from(Person::AREAS - 1));
        for (index, wave) in rollout.waves.iter().enumerate() {
            span(faults, &format!("interventions.rollout.waves[{index}].day"), scenario, wave.day, 1);
        }
    }
    if let Some(lottery) = &spec.lottery {
        let field = |name: &str| format!("interventions.lottery.{name}");
        in_use(faults, &field("day"), scenario, "email");
        span(faults, &field("day"), scenario, lottery.day, lottery.window_days);
        let test = &scenario.experiment;
        // The newsletter may follow up to a period later.
        let period = scenario.channels.get("email").map_or(7, |c| c.every_days);
        if lottery.day < test.day + test.window_days && lottery.day + period > test.day {
            let (day, from) = (lottery.day, test.day);
            faults.push(
                "TL957",
                format!(
                    "{} of {day} may fall into the window of the test of day {from}, in which newsletters rest",
                    field("day")
                ),
            );
        }
        faults.share(&field("share"), lottery.share);
        faults.within(&field("boost"), lottery.boost, 1.0..=10.0);
    }
    if let Some(voucher) = &spec.voucher {
        let field = |name: &str| format!("interventions.voucher.{name}");
        span(faults, &field("day"), scenario, voucher.day, voucher.window_days);
        faults.within(&field("cut"), voucher.cut, 0.0..=100.0);
        faults.within(&field("lift"), voucher.lift, -10.0..=10.0);
        faults.share(&field("discount"), voucher.discount);
    }
    if let Some(outreach) = &spec.outreach {
        let field = |name: &str| format!("interventions.outreach.{name}");
        span(faults, &field("day"), scenario, outreach.day, outreach.window_days);
        for (name, value) in [
            ("log_odds", outreach.log_odds),
            ("on_coupons", outreach.on_coupons),
            ("on_intent", outreach.on_intent),
            ("lift", outreach.lift),
        ] {
            faults.within(&field(name), value, -10.0..=10.0);
        }
        faults.within(&field("half_life_days"), outreach.half_life_days, 0.05..=365.0);
    }
}

fn fault(faults: &mut Faults, path: &str, scenario: &Scenario, fault: &Fault) {
    let field = |name: &str| format!("{path}.{name}");
    match fault {
        Fault::TrackingLoss { share } | Fault::DoubleFiring { share } => faults.share(&field("share"), *share),
        Fault::SpendSpike { channel, factor } => {
            in_use(faults, &field("channel"), scenario, channel);
            faults.within(&field("factor"), *factor, 1.0..=100.0);
        }
        Fault::BotTraffic { channel, bots, clicks_per_day } => {
            in_use(faults, &field("channel"), scenario, channel);
            faults.within(&field("bots"), f64::from(*bots), 1.0..=f64::from(bots::MOST));
            faults.within(&field("clicks_per_day"), *clicks_per_day, 0.0..=500.0);
        }
        Fault::PriceError { factor, response } => {
            faults.within(&field("factor"), *factor, 0.01..=100.0);
            faults.within(&field("response"), *response, 0.0..=5.0);
        }
        Fault::SlowDecline { depth } => faults.within(&field("depth"), *depth, 0.0..=10.0),
        Fault::LateFeed { delay_days } => faults.within(&field("delay_days"), f64::from(*delay_days), 1.0..=60.0),
        Fault::SchemaChange {} => {}
        Fault::HarmfulPolicy { lift } => faults.within(&field("lift"), *lift, -10.0..=0.0),
    }
}

/// Refuses a channel that is unknown or not in use.
fn in_use(faults: &mut Faults, path: &str, scenario: &Scenario, name: &str) {
    if !scenario.channels.contains_key(name) {
        faults.channel_name(path, name);
        if name.parse::<crate::Channel>().is_ok() {
            faults.push("TL957", format!("{path}: channel `{name}` is not in use"));
        }
    }
}

/// Refuses a span that is empty or does not end with the written days.
fn span(faults: &mut Faults, path: &str, scenario: &Scenario, from: u32, days: u32) {
    if days == 0 || from.saturating_add(days) > scenario.days {
        let message = format!("{path} of {from} and {days} days do not fit before day {}", scenario.days);
        faults.push("TL954", message);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Fault, GeoTestSpec, IncidentSpec, LotterySpec, RolloutSpec, Scenario, WaveSpec};

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Scenario), expect: &str) {
        let mut scenario = Scenario::default();
        change(&mut scenario);
        let found: Vec<String> = scenario.validate().iter().map(ToString::to_string).collect();
        assert_eq!(found, [expect]);
    }

    #[test]
    fn designs_and_incidents_are_checked_like_the_rest() {
        let test = |channel: &str, from_day| GeoTestSpec {
            channel: channel.into(),
            from_day,
            days: 20,
            factor: 0.0,
            treated_areas: 20,
            spillover: 0.0,
        };
        refused(|s| s.population.mover_share = 1.5, "error[TL951]: population.mover_share of 1.5 is outside 0 to 1");
        refused(
            |s| s.interventions.geo_test = Some(test("tv", 10)),
            "error[TL957]: interventions.geo_test.channel: channel `tv` is not in use",
        );
        refused(
            |s| s.interventions.geo_test = Some(test("paid_social", 80)),
            "error[TL954]: interventions.geo_test.from_day of 80 and 20 days do not fit before day 90",
        );
        let waves = vec![WaveSpec { day: 10, areas: 20 }, WaveSpec { day: 20, areas: 20 }];
        refused(
            |s| s.interventions.rollout = Some(RolloutSpec { lift: 0.2, waves }),
            "error[TL954]: interventions.rollout.waves: areas of 40 is outside 1 to 39",
        );
        refused(
            |s| s.interventions.lottery = Some(LotterySpec { day: 58, window_days: 7, share: 0.5, boost: 2.0 }),
            "error[TL957]: interventions.lottery.day of 58 may fall into the window of the test of day 60, in which newsletters rest",
        );
        let incident = |from_day, fault| vec![IncidentSpec { from_day, days: 5, fault }];
        refused(
            |s| s.incidents = incident(90, Fault::SchemaChange {}),
            "error[TL954]: incidents[0].from_day of 90 is not before day 90",
        );
        refused(
            |s| s.incidents = incident(9, Fault::HarmfulPolicy { lift: 0.5 }),
            "error[TL954]: incidents[0].fault.lift of 0.5 is outside -10 to 0",
        );
        refused(
            |s| s.incidents = incident(9, Fault::SpendSpike { channel: "fax".into(), factor: 2.0 }),
            &format!(
                "error[TL953]: incidents[0].fault.channel: unknown channel `fax` (known: {})",
                crate::Channel::ALL.map(crate::Channel::name).join(", ")
            ),
        );
    }
}

//! The rules of a scenario.

use std::ops::RangeInclusive;

use throughline_core::time::DAY_US;
use throughline_core::{Currency, Diagnostic};

use crate::scenario::{ArmSpec, ChannelSpec, Interaction, Scenario, SegmentSpec};
use crate::{Channel, Person, exposure};

/// Campaigns of all channels, at most: each has a code of one byte in canonical events.
const MOST_CAMPAIGNS: usize = 200;

/// Collects faults; each names the field by its path in the file.
#[derive(Default)]
pub(crate) struct Faults(Vec<Diagnostic>);

impl Faults {
    pub(crate) fn push(&mut self, code: &str, message: String) {
        self.0.push(Diagnostic::error(code, message));
    }

    pub(crate) fn share(&mut self, path: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.push("TL951", format!("{path} of {value} is outside 0 to 1"));
        }
    }

    pub(crate) fn amount(&mut self, path: &str, value: f64) {
        if !(0.0..=1e6).contains(&value) {
            self.push("TL952", format!("{path} of {value} is outside 0 to 1000000"));
        }
    }

    pub(crate) fn within(&mut self, path: &str, value: f64, bounds: RangeInclusive<f64>) {
        if !bounds.contains(&value) {
            self.push("TL954", format!("{path} of {value} is outside {} to {}", bounds.start(), bounds.end()));
        }
    }

    pub(crate) fn channel_name(&mut self, path: &str, name: &str) {
        if let Err(error) = name.parse::<Channel>() {
            self.push("TL953", format!("{path}: {error}"));
        }
    }
}

pub(crate) fn check(scenario: &Scenario) -> Vec<Diagnostic> {
    let mut faults = Faults::default();
    sizes(&mut faults, scenario);
    people(&mut faults, scenario);
    calendar(&mut faults, scenario);
    for (name, spec) in &scenario.channels {
        faults.channel_name(&format!("channels.{name}"), name);
        channel(&mut faults, &format!("channels.{name}"), spec);
        crowd(&mut faults, &format!("channels.{name}.reach"), spec, scenario);
    }
    let campaigns: usize = scenario.channels.values().map(|c| c.campaigns.len().max(1)).sum();
    if campaigns > MOST_CAMPAIGNS {
        faults.push("TL954", format!("channels have {campaigns} campaigns, more than {MOST_CAMPAIGNS}"));
    }
    for (name, given, wanted) in
        [("apiVersion", &scenario.api_version, "throughline/v1"), ("kind", &scenario.kind, "Market")]
    {
        if given != wanted {
            faults.push("TL957", format!("{name}: `{given}` instead of `{wanted}`"));
        }
    }
    for (index, pair) in scenario.interactions.iter().enumerate() {
        if pair.first == pair.second {
            faults.push("TL957", format!("interactions[{index}].second: `{}` cannot act on itself", pair.second));
        }
        let names = |p: &Interaction| [p.first.clone(), p.second.clone()];
        let again =
            |other: &Interaction| [names(pair), [pair.second.clone(), pair.first.clone()]].contains(&names(other));
        if scenario.interactions[..index].iter().any(again) {
            let (first, second) = (&pair.first, &pair.second);
            faults.push(
                "TL957",
                format!("interactions[{index}].first: `{first}` and `{second}` act on each other twice"),
            );
        }
        for name in [&pair.first, &pair.second].into_iter().filter(|n| !scenario.channels.contains_key(*n)) {
            if name.parse::<Channel>().is_ok() {
                faults.push("TL957", format!("interactions[{index}]: channel `{name}` is not in use"));
            }
        }
        faults.channel_name(&format!("interactions[{index}].first"), &pair.first);
        faults.channel_name(&format!("interactions[{index}].second"), &pair.second);
        faults.within(&format!("interactions[{index}].effect"), pair.effect, -10.0..=10.0);
    }
    outcomes(&mut faults, scenario);
    experiment(&mut faults, scenario);
    crate::check_designs::check(&mut faults, scenario);
    faults.share("faults.duplicate_share", scenario.faults.duplicate_share);
    faults.share("faults.malformed_share", scenario.faults.malformed_share);
    faults.share("faults.late_share", scenario.faults.late_share);
    faults.0
}

fn sizes(faults: &mut Faults, scenario: &Scenario) {
    faults.within("people", f64::from(scenario.people), 1.0..=100_000_000.0);
    faults.within("days", f64::from(scenario.days), 1.0..=730.0);
    faults.within("later_days", f64::from(scenario.later_days), 0.0..=f64::from(730 - scenario.days.min(730)));
    if let Err(error) = scenario.currency.parse::<Currency>() {
        faults.push("TL956", format!("currency: {error}"));
    }
    if scenario.start.micros() % DAY_US != 0 {
        faults.push("TL956", format!("start of {} is not a midnight (UTC)", scenario.start));
    }
}

fn people(faults: &mut Faults, scenario: &Scenario) {
    let Scenario { segments, intent, consent, purchase, .. } = scenario;
    for (name, spec) in [("new", &segments.new), ("regular", &segments.regular), ("vip", &segments.vip)] {
        segment(faults, &format!("segments.{name}"), spec);
    }
    let total = segments.new.share + segments.regular.share + segments.vip.share;
    if total.is_nan() || (total - 1.0).abs() > 1e-9 {
        faults.push("TL955", format!("segments: shares sum to {total} instead of 1"));
    }
    faults.within("intent.swing", intent.swing, 0.0..=5.0);
    faults.within("intent.shortest_days", intent.shortest_days, 2.0..=1000.0);
    faults.within("intent.longest_days", intent.longest_days, intent.shortest_days.max(2.0)..=1000.0);
    faults.within("intent.noise", intent.noise, 0.0..=2.0);
    faults.share("intent.persistence", intent.persistence);
    for (purpose, probability) in &consent.granted {
        faults.share(&format!("consent.granted.{purpose}"), *probability);
    }
    faults.share("consent.unknown", consent.unknown);
    faults.within("purchase.spread", purchase.spread, 0.0..=3.0);
    faults.within("purchase.recovery_days", f64::from(purchase.recovery_days), 1.0..=60.0);
    faults.within("purchase.suppression", purchase.suppression, 0.0..=10.0);
    faults.within("purchase.value_spread", purchase.value_spread, 0.0..=1.5);
    faults.share("purchase.margin", purchase.margin);
}

fn calendar(faults: &mut Faults, scenario: &Scenario) {
    let spec = &scenario.calendar;
    if ![0, 7].contains(&spec.weekdays.len()) {
        faults.push("TL954", format!("calendar.weekdays has {} entries instead of 7 or none", spec.weekdays.len()));
    }
    spec.weekdays
        .iter()
        .enumerate()
        .for_each(|(i, x)| faults.within(&format!("calendar.weekdays[{i}]"), *x, -5.0..=5.0));
    faults.within("calendar.trend_per_day", spec.trend_per_day, -0.05..=0.05);
    for window in &spec.windows {
        let field = |name: &str| format!("calendar.windows.{}.{name}", window.name);
        faults.within(&field("days"), f64::from(window.days), 1.0..=730.0);
        faults.within(&field("lift"), window.lift, -5.0..=5.0);
        faults.share(&field("discount"), window.discount);
    }
}

fn outcomes(faults: &mut Faults, scenario: &Scenario) {
    let spec = &scenario.outcomes;
    faults.share("outcomes.cart_share", spec.cart_share);
    faults.share("outcomes.call_rate", spec.call_rate);
    faults.share("outcomes.answered_share", spec.answered_share);
    faults.share("outcomes.sign_up_rate", spec.sign_up_rate);
    faults.share("outcomes.return_share", spec.return_share);
    faults.within("outcomes.return_days", f64::from(spec.return_days), 1.0..=365.0);
}

fn segment(faults: &mut Faults, path: &str, spec: &SegmentSpec) {
    let field = |name: &str| format!("{path}.{name}");
    faults.share(&field("share"), spec.share);
    faults.within(&field("log_odds"), spec.log_odds, -20.0..=5.0);
    faults.within(&field("basket"), spec.basket, 0.01..=100_000.0);
    faults.share(&field("loyalty_share"), spec.loyalty_share);
    faults.share(&field("store_share"), spec.store_share);
    faults.share(&field("annoyed_share"), spec.annoyed_share);
    faults.share(&field("churn_per_day"), spec.churn_per_day);
}

/// Refuses a channel whose candidates would not be drawn to the last: touches of a person at the highest intent that is
/// met, six standard deviations of its noise included, over all days.
fn crowd(faults: &mut Faults, path: &str, spec: &ChannelSpec, scenario: &Scenario) {
    let intent = &scenario.intent;
    let deviation = intent.noise / (1.0 - intent.persistence.powi(2)).max(1e-3).sqrt();
    let highest = spec.reach * (spec.targeting.abs() * (intent.swing + 6.0 * deviation)).exp();
    let flights = if spec.flights.is_empty() { 1.0 } else { spec.flights.iter().map(|f| f.factor).sum() };
    let days = f64::from(scenario.all_days()) + f64::from(scenario.experiment.window_days);
    let touches = highest * flights * days * scenario.most_budget;
    // Half of the limit is more than a hundred standard deviations away from it.
    if touches > f64::from(exposure::MOST) / 2.0 {
        faults.push(
            "TL954",
            format!(
                "{path} of {} gives up to {touches:.0} touches a person, more than {}",
                spec.reach,
                exposure::MOST / 2
            ),
        );
    }
}

fn channel(faults: &mut Faults, path: &str, spec: &ChannelSpec) {
    let field = |name: &str| format!("{path}.{name}");
    faults.within(&field("reach"), spec.reach, 0.0..=20.0);
    faults.within(&field("targeting"), spec.targeting, -5.0..=5.0);
    faults.share(&field("click_rate"), spec.click_rate);
    faults.within(&field("effect"), spec.effect, -10.0..=10.0);
    spec.carryover.check(faults, &field("carryover"));
    spec.saturation.check(faults, &field("saturation"));
    faults.within(&field("price_elasticity"), spec.price_elasticity, 0.0..=2.0);
    faults.within(&field("every_days"), f64::from(spec.every_days), 1.0..=365.0);
    for (index, flight) in spec.flights.iter().enumerate() {
        let field = |name: &str| format!("{path}.flights[{index}].{name}");
        faults.within(&field("days"), f64::from(flight.days), 1.0..=730.0);
        faults.within(&field("factor"), flight.factor, 0.0..=100.0);
        for region in flight.regions.iter().filter(|r| !Person::REGIONS.contains(&r.as_str())) {
            faults.push(
                "TL956",
                format!("{}: unknown region `{region}` (known: {})", field("regions"), Person::REGIONS.join(", ")),
            );
        }
    }
    faults.amount(&field("cost_per_impression"), spec.cost_per_impression);
    faults.amount(&field("cost_per_click"), spec.cost_per_click);
    if let Some(budget) = spec.daily_budget {
        faults.amount(&field("daily_budget"), budget);
    }
    for campaign in &spec.campaigns {
        faults.within(&field(&format!("campaigns.{}.targeting", campaign.name)), campaign.targeting, -5.0..=5.0);
        faults.within(&field(&format!("campaigns.{}.strength", campaign.name)), campaign.strength, 0.0..=100.0);
    }
}

fn experiment(faults: &mut Faults, scenario: &Scenario) {
    let spec = &scenario.experiment;
    faults.within("experiment.window_days", f64::from(spec.window_days), 1.0..=90.0);
    let last = f64::from(scenario.days) - f64::from(spec.window_days);
    let day = f64::from(spec.day);
    if day > last {
        let message = format!("experiment.day of {day} leaves less than the window before day {}", scenario.days);
        faults.push("TL954", message);
    }
    faults.within("experiment.half_life_days", spec.half_life_days, 0.05..=365.0);
    arm(faults, "experiment.offer", &spec.offer);
    arm(faults, "experiment.news", &spec.news);
    faults.share("experiment: probability of an e-mail", spec.offer.probability + spec.news.probability);
}

fn arm(faults: &mut Faults, path: &str, spec: &ArmSpec) {
    let field = |name: &str| format!("{path}.{name}");
    faults.share(&field("probability"), spec.probability);
    faults.amount(&field("send_cost"), spec.send_cost);
    faults.share(&field("discount"), spec.discount);
    for (name, effect) in [
        ("new", spec.new),
        ("regular", spec.regular),
        ("vip", spec.vip),
        ("price_slope", spec.price_slope),
        ("annoyed", spec.annoyed),
    ] {
        faults.within(&field(name), effect, -10.0..=10.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Scenario), expect: &str) {
        let mut scenario = Scenario::default();
        change(&mut scenario);
        let found: Vec<String> = check(&scenario).iter().map(ToString::to_string).collect();
        assert_eq!(found, [expect]);
    }

    fn first(scenario: &mut Scenario) -> &mut ChannelSpec {
        scenario.channels.get_mut("display").expect("in the demo")
    }

    #[test]
    fn faults_name_field_value_and_bound() {
        refused(
            |s| first(s).daily_budget = Some(-5.0),
            "error[TL952]: channels.display.daily_budget of -5 is outside 0 to 1000000",
        );
        refused(|s| first(s).click_rate = 1.2, "error[TL951]: channels.display.click_rate of 1.2 is outside 0 to 1");
        refused(|s| first(s).effect = f64::NAN, "error[TL954]: channels.display.effect of NaN is outside -10 to 10");
        refused(|s| s.segments.new.share = 0.5, "error[TL955]: segments: shares sum to 1.05 instead of 1");
        refused(
            |s| s.experiment.day = 80,
            "error[TL954]: experiment.day of 80 leaves less than the window before day 90",
        );
        refused(
            |s| s.experiment.offer.probability = 0.8,
            "error[TL951]: experiment: probability of an e-mail of 1.1333333333333333 is outside 0 to 1",
        );
        refused(
            |s| {
                let spec = first(s);
                (spec.reach, spec.targeting) = (20.0, 3.0);
            },
            "error[TL954]: channels.display.reach of 20 gives up to 59508852 touches a person, more than 50000",
        );
        refused(
            |s| {
                let pair = s.interactions[0].clone();
                s.interactions.push(Interaction { first: pair.second, second: pair.first, effect: 0.1 });
            },
            "error[TL957]: interactions[1].first: `paid_search` and `paid_social` act on each other twice",
        );
        refused(|s| s.people = 0, "error[TL954]: people of 0 is outside 1 to 100000000");
        refused(
            |s| s.currency = "EURO".into(),
            "error[TL956]: currency: `EURO` is not an ISO 4217 currency code (expected three letters such as EUR)",
        );
    }

    #[test]
    fn unknown_channels_are_refused_with_the_known_ones() {
        let known = format!("known: {}", Channel::ALL.map(Channel::name).join(", "));
        refused(
            |s| {
                let spec = first(s).clone();
                s.channels.insert("fax".into(), spec);
            },
            &format!("error[TL953]: channels.fax: unknown channel `fax` ({known})"),
        );
        refused(
            |s| s.interactions[0].second = "phone".into(),
            &format!("error[TL953]: interactions[0].second: unknown channel `phone` ({known})"),
        );
    }

    #[test]
    fn unknown_fields_are_refused() {
        let error = serde_json::from_str::<Scenario>(r#"{"peopel": 5}"#).expect_err("a typing error");
        assert!(
            error.to_string().starts_with("unknown field `peopel`, expected one of `apiVersion`, `kind`, `people`"),
            "{error}"
        );
        let small: Scenario = serde_json::from_str(r#"{"people": 5}"#).expect("the rest has defaults");
        assert_eq!(small, Scenario::default().with_people(5));
    }
}

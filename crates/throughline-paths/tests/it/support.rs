//! Signals in words, journeys in words.

use throughline_core::EventKind;
use throughline_core::time::DAY_US;
use throughline_paths::names::{Names, PathNames};
use throughline_paths::{
    Builder, ConversionConfig, Fate, Interaction, JourneyConfig, NO_ORDER, NONE, Output, Plan, Role, Rule, Signals,
};

pub(crate) const MINUTE: i64 = DAY_US / 1440;

/// Columns of one person.
#[derive(Debug, Default)]
pub(crate) struct Person {
    pub(crate) at: Vec<i64>,
    pub(crate) channel: Vec<u32>,
    pub(crate) role: Vec<u8>,
    pub(crate) interaction: Vec<u8>,
    pub(crate) campaign: Vec<u32>,
    pub(crate) value: Vec<i64>,
    pub(crate) order: Vec<u64>,
    pub(crate) names: Vec<String>,
}

/// Words in order of time: `10:search` is a touch at minute 10, `10:search/view` a view, `10:search#a` one of campaign a,
/// `10:-ads` a touch without consent; `10:!`, `10:!7`, `10:!7@x`, `10:!=search` are conversions (value, order, channel), `10:?7@x`
/// a refund.
pub(crate) fn person(text: &str) -> Person {
    let mut person = Person::default();
    let (mut channels, mut campaigns, mut orders) = (Names::default(), Names::default(), Names::default());
    for word in text.split_whitespace() {
        let (minute, what) = word.split_once(':').expect("minute:what");
        let (consent, what) = what.strip_prefix('-').map_or((0, what), |rest| (Role::NO_CONSENT, rest));
        let (what, order) = what.split_once('@').map_or((what, None), |(w, o)| (w, Some(o)));
        let (what, campaign) = what.split_once('#').map_or((what, None), |(w, c)| (w, Some(c)));
        let (what, interaction) = what.split_once('/').map_or((what, "click"), |(w, i)| (w, i));
        let (role, what) = match what.split_at_checked(1) {
            Some(("!", rest)) => (Role::CONVERSION, rest),
            Some(("?", rest)) => (Role::REFUND, rest),
            _ => (Role::TOUCH, what),
        };
        let channel = if role == Role::TOUCH { Some(what) } else { what.strip_prefix('=') };
        let value = if channel.is_some() || what.is_empty() { 0 } else { what.parse().expect("a value") };
        person.at.push(minute.parse::<i64>().expect("a minute") * MINUTE);
        person.channel.push(channel.map_or(NONE, |c| channels.number(c)));
        person.role.push(role | consent);
        person.interaction.push(Interaction::from_name(interaction).expect("an interaction").code());
        person.campaign.push(campaign.map_or(NONE, |c| campaigns.number(c)));
        person.value.push(value);
        person.order.push(order.map_or(NO_ORDER, |o| u64::from(orders.number(o))));
    }
    let (_, ranks) = Names::rank(&[&channels]);
    let (sorted, _) = Names::rank(&[&channels]);
    for channel in person.channel.iter_mut().filter(|c| **c != NONE) {
        *channel = ranks[0][*channel as usize];
    }
    person.names = sorted;
    person
}

impl Person {
    pub(crate) fn signals<'a>(&'a self, persons: &'a [u32]) -> Signals<'a> {
        Signals {
            persons,
            at: &self.at,
            channel: &self.channel,
            role: &self.role,
            interaction: Some(&self.interaction),
            campaign: Some(&self.campaign),
            value: Some(&self.value),
            order: Some(&self.order),
        }
    }
}

pub(crate) fn purchase() -> ConversionConfig {
    ConversionConfig::new("sale", EventKind::Purchase)
}

pub(crate) fn config(yaml: &str) -> JourneyConfig {
    serde_saphyr::from_str(yaml).expect("a section of journeys")
}

/// A `journeys` section with every touch a step.
pub(crate) fn touches(yaml: &str) -> JourneyConfig {
    config(&format!("unit: touch\n{yaml}"))
}

pub(crate) fn run(config: &JourneyConfig, conversion: &ConversionConfig, person: &Person) -> Output {
    let plan = Plan::new(config, conversion, &person.names).expect("a plan");
    let persons = [0, u32::try_from(person.at.len()).expect("few")];
    let mut out = Output::default();
    Builder::new(&plan).build(&person.signals(&persons), &mut out).expect("journeys");
    out
}

/// Journeys as `a>b!` (with value: `a>b!7`) and `a.`.
pub(crate) fn shown(out: &Output, names: &[String]) -> String {
    let names = PathNames::new(names, ">");
    let journey = |(j, view): (usize, throughline_paths::JourneyView<'_>)| {
        let repeats = if out.repeats.is_empty() { &[][..] } else { &out.repeats[out.steps_of(j)] };
        let value = Some(out.value_micros[j]).filter(|v| *v != 0).map_or(String::new(), |v| v.to_string());
        let end = if view.conversion.is_some() { "!" } else { "." };
        format!("{}{end}{value}", names.text(view.steps, repeats))
    };
    out.journeys().enumerate().map(journey).collect::<Vec<_>>().join(" ")
}

#[track_caller]
pub(crate) fn check(config: &JourneyConfig, text: &str, expect: &str) {
    check_for(config, &purchase(), text, expect);
}

#[track_caller]
pub(crate) fn check_for(config: &JourneyConfig, conversion: &ConversionConfig, text: &str, expect: &str) {
    let person = person(text);
    assert_eq!(shown(&run(config, conversion, &person), &person.names), expect, "{text}");
}

/// Rules of the touches considered, journey by journey.
#[track_caller]
pub(crate) fn check_rules(config: &JourneyConfig, text: &str, expect: &str) {
    let out = run(config, &purchase(), &person(text));
    let rules = |j: usize| out.touch_rule[out.touches_of(j)].iter().map(|r| r.name()).collect::<Vec<_>>().join(" ");
    assert_eq!((0..out.len()).map(rules).collect::<Vec<_>>().join(" | "), expect, "{text}");
}

/// Fates of conversions and refunds.
#[track_caller]
pub(crate) fn check_fates(conversion: &ConversionConfig, text: &str, expect: &[Fate]) {
    assert_eq!(run(&JourneyConfig::default(), conversion, &person(text)).outcome_fate, expect, "{text}");
}

pub(crate) fn is_kept(rule: Rule) -> bool {
    rule == Rule::Kept
}

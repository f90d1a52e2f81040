//! Laws over random people, against a slow, plain reading of the rules, and indifference to order and threads.

use std::collections::BTreeSet;

use proptest::prelude::*;
use throughline_paths::{
    Assembled, Builder, Columns, ConversionConfig, Counting, Fate, Interaction, JourneyConfig, NO_ORDER, NONE, Output,
    Plan, Role, Rule, Signals, assemble,
};

use crate::support::{MINUTE, config, is_kept, purchase};

const CHANNELS: [&str; 4] = ["a", "b", "c", "direct"];

/// Rows of one or more people in any order: person, minute, channel, role, interaction, campaign, value, order.
type Raw = (u8, u16, u8, u8, u8, u8, i8, u8);

#[derive(Debug, Clone, Default)]
struct Table {
    entity: Vec<i64>,
    at: Vec<i64>,
    channel: Vec<u32>,
    role: Vec<u8>,
    interaction: Vec<u8>,
    campaign: Vec<u32>,
    value: Vec<i64>,
    order: Vec<u64>,
}

impl Table {
    fn new(raw: &[Raw]) -> Self {
        let mut table = Self::default();
        for &(entity, minute, channel, role, interaction, campaign, value, order) in raw {
            let role = match role % 10 {
                0..=5 => Role::TOUCH,
                6..=7 => Role::CONVERSION,
                8 => Role::REFUND,
                _ => Role::TOUCH | Role::NO_CONSENT,
            };
            let known = role & Role::TOUCH != 0 || channel % 2 == 0;
            table.entity.push(i64::from(entity % 5) - 2);
            table.at.push(i64::from(minute % 6000) * MINUTE);
            table.channel.push(if known { u32::from(channel % 4) } else { NONE });
            table.role.push(role);
            table.interaction.push(interaction % 11);
            table.campaign.push(if campaign % 3 == 0 { NONE } else { u32::from(campaign % 3) });
            table.value.push(i64::from(value));
            table.order.push(if order % 4 == 0 { NO_ORDER } else { u64::from(order % 4) });
        }
        table
    }

    fn columns(&self) -> Columns<'_, i64> {
        Columns {
            entity: &self.entity,
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

fn raws(most: usize) -> impl Strategy<Value = Vec<Raw>> {
    proptest::collection::vec(any::<Raw>(), 0..most)
}

fn configs() -> Vec<JourneyConfig> {
    [
        "{}",
        "unit: touch",
        "reuse_touches: true\nlookback_days: 1\nreuse_limit: 3",
        "lookback_days: 2\nlookback: [{ channel: a, days: 1 }, { interaction: view, days: 0.5 }]\nunit: touch\nmax_touches: 4",
        "view_through: unless_channel_clicked\ndirect: unless_alone\ntransform: [\"remove_if_last_and_not_all:b\", frequency]",
        "sessions: { at_midnight: true, at_campaign_change: true, max_minutes: 60, time_zone: Asia/Kolkata }\n\
         null_journeys: never_converted\nconversion_is_touch: true",
        "conversion_is_touch: true\nreuse_touches: true\ntransform: exposure\ndirect: never\nview_through: unless_clicked",
    ]
    .map(config)
    .to_vec()
}

fn conversions() -> Vec<ConversionConfig> {
    let counts = [Counting::Every, Counting::OncePerPerson, Counting::OncePerSession, Counting::OncePerOrder];
    counts
        .map(|count| ConversionConfig { count, min_gap_minutes: 15, ..purchase() })
        .into_iter()
        .chain([purchase()])
        .collect()
}

fn assembled(table: &Table, config: &JourneyConfig, conversion: &ConversionConfig, threads: usize) -> Assembled<i64> {
    let plan = Plan::new(config, conversion, &CHANNELS).expect("a plan");
    assemble(&table.columns(), &plan, threads).expect("journeys")
}

/// The content of a result, without the numbers of rows, which are the caller's.
fn content(table: &Table, done: &Assembled<i64>) -> (Vec<i64>, Vec<(i64, u32, u8)>, Output) {
    let rows = done.rows.iter().map(|r| *r as usize);
    let rows = rows.map(|r| (table.at[r], table.channel[r], table.role[r])).collect();
    (done.people.clone(), rows, done.output.clone())
}

/// The window of a touch: the most particular of those that are about it.
fn window(config: &JourneyConfig, channel: u32, interaction: u8) -> i64 {
    let (channel, interaction) = (CHANNELS[channel as usize], Interaction::from_code(interaction));
    let mut about: Vec<_> = config
        .lookback
        .iter()
        .filter(|l| l.channel.as_deref().is_none_or(|c| c == channel) && l.interaction.is_none_or(|i| i == interaction))
        .collect();
    about.sort_by_key(|l| (l.channel.is_some(), l.interaction.is_some()));
    about.last().map_or(config.lookback_days, |l| l.days).micros()
}

/// Each law of one result.
fn hold(table: &Table, config: &JourneyConfig, done: &Assembled<i64>) {
    let out = &done.output;
    let row = |place: u32| done.rows[place as usize] as usize;
    let mut seen = BTreeSet::new();
    let windows = Plan::new(config, &purchase(), &CHANNELS).expect("a plan");
    for (j, journey) in out.journeys().enumerate() {
        let end = out.ended_at[j];
        let mut kept = Vec::new();
        for place in journey.touches.clone() {
            let touch = row(out.touch_row[place]);
            assert!(seen.insert((j, touch)), "a touch stands once in the ledger of a journey");
            assert!(table.at[touch] <= end, "touches come before the end");
            assert_eq!(table.entity[touch], done.people[journey.person as usize]);
            if is_kept(out.touch_rule[place]) {
                kept.push(table.channel[touch]);
                let window = window(config, table.channel[touch], table.interaction[touch]);
                assert!(end - table.at[touch] <= window, "kept touches lie in their window");
                assert_eq!(table.role[touch] & Role::NO_CONSENT, 0);
            }
        }
        assert_eq!(journey.steps, kept, "the path is what was kept");
        assert!(kept.len() <= config.max_touches);
        assert!(journey.conversion.is_some() || !kept.is_empty());
        assert!(out.started_at[j] <= end);
    }
    assert_eq!(windows.has_repeats(), !out.repeats.is_empty() || (windows.has_repeats() && out.steps.is_empty()));
    // Each conversion and refund has one fate, and each that counts one journey.
    let outcomes: BTreeSet<usize> = out.outcome_row.iter().map(|r| row(*r)).collect();
    let expect: BTreeSet<usize> =
        (0..table.at.len()).filter(|r| table.role[*r] & (Role::CONVERSION | Role::REFUND) != 0).collect();
    assert_eq!(outcomes, expect);
    assert_eq!(out.outcome_row.len(), expect.len());
    let counted = out.outcome_fate.iter().filter(|f| **f == Fate::Counted).count();
    assert_eq!(counted, out.conversion.iter().filter(|c| **c != NONE).count());
    let value = |fate: Fate| -> i64 {
        out.outcome_fate
            .iter()
            .zip(&out.outcome_row)
            .filter(|(f, _)| **f == fate)
            .map(|(_, r)| table.value[row(*r)].abs())
            .sum()
    };
    let gross: i64 = out
        .outcome_fate
        .iter()
        .zip(&out.outcome_row)
        .filter(|(f, _)| **f == Fate::Counted)
        .map(|(_, r)| table.value[row(*r)])
        .sum();
    assert_eq!(out.value_micros.iter().sum::<i64>(), gross - value(Fate::Refunded), "values tie out");
    // Without touches used again, each touch of a person with a journey at its end stands in one journey.
    if !config.reuse_touches {
        let rows: BTreeSet<usize> = seen.iter().map(|(_, row)| *row).collect();
        assert_eq!(rows.len(), seen.len());
    }
}

/// The conversion and the touches (row, session, rule) of a journey.
type Plain = (Option<usize>, Vec<(usize, u32, Rule)>);

/// The rules of old as they were written before: one person, sets of channels, nothing reused.
fn plain(config: &JourneyConfig, signals: &[(i64, u32, u8)]) -> Vec<Plain> {
    let (mut journeys, mut open) = (Vec::new(), Vec::new());
    for (i, (at, _, role)) in signals.iter().enumerate() {
        if role & Role::CONVERSION != 0 {
            journeys.push((Some(i), plain_rules(config, signals, &open, *at)));
            open.clear();
        } else {
            open.push(i);
        }
    }
    if let Some(last) = open.last() {
        let touches = plain_rules(config, signals, &open, signals[*last].0);
        if touches.iter().any(|t| is_kept(t.2)) {
            journeys.push((None, touches));
        }
    }
    journeys
}

fn plain_rules(
    config: &JourneyConfig,
    signals: &[(i64, u32, u8)],
    open: &[usize],
    end: i64,
) -> Vec<(usize, u32, Rule)> {
    let (mut session, mut previous) = (0, None);
    let mut touches = Vec::new();
    for &i in open {
        let at = signals[i].0;
        session += u32::from(previous.is_some_and(|p| at - p > i64::from(config.session_minutes) * MINUTE));
        previous = Some(at);
        let rule = if signals[i].2 & Role::NO_CONSENT != 0 {
            Rule::NoConsent
        } else if end - at > config.lookback_days.micros() {
            Rule::OutsideLookback
        } else {
            Rule::Kept
        };
        touches.push((i, session, rule));
    }
    if config.unit == throughline_paths::TouchUnit::Session {
        let mut seen = BTreeSet::new();
        for touch in touches.iter_mut().filter(|t| is_kept(t.2)) {
            if !seen.insert((touch.1, signals[touch.0].1)) {
                touch.2 = Rule::SameSession;
            }
        }
    }
    if config.ignore_direct && touches.iter().any(|t| is_kept(t.2) && signals[t.0].1 != 3) {
        touches.iter_mut().filter(|t| is_kept(t.2) && signals[t.0].1 == 3).for_each(|t| t.2 = Rule::DirectIgnored);
    }
    let surplus = touches.iter().filter(|t| is_kept(t.2)).count().saturating_sub(config.max_touches);
    touches.iter_mut().filter(|t| is_kept(t.2)).take(surplus).for_each(|t| t.2 = Rule::OverLimit);
    touches
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn laws(raw in raws(120)) {
        let table = Table::new(&raw);
        for config in configs() {
            for conversion in conversions() {
                hold(&table, &config, &assembled(&table, &config, &conversion, 1));
            }
        }
    }

    #[test]
    fn order_and_threads_change_nothing(raw in raws(200), seed in any::<u64>()) {
        let mut shuffled = raw.clone();
        let stream = throughline_stats::stream::Stream::new(seed, 1);
        for place in (1..shuffled.len()).rev() {
            let other = stream.index_at(place as u64, place as u64 + 1);
            shuffled.swap(place, usize::try_from(other).expect("small"));
        }
        let (one, two) = (Table::new(&raw), Table::new(&shuffled));
        for config in configs() {
            let conversion = ConversionConfig { count: Counting::OncePerOrder, ..purchase() };
            let first = content(&one, &assembled(&one, &config, &conversion, 1));
            prop_assert_eq!(&content(&one, &assembled(&one, &config, &conversion, 3)), &first);
            prop_assert_eq!(&content(&two, &assembled(&two, &config, &conversion, 2)), &first);
        }
    }

    #[test]
    fn the_rules_of_old_are_as_they_were(raw in raws(60)) {
        let mut signals: Vec<(i64, u32, u8)> = {
            let table = Table::new(&raw);
            let rows = (0..table.at.len()).filter(|r| table.role[*r] & Role::REFUND == 0);
            rows.map(|r| (table.at[r], table.channel[r], table.role[r])).collect()
        };
        signals.sort_by_key(|(at, channel, role)| (*at, Role::class(*role), *channel, *role));
        let (at, channel): (Vec<i64>, Vec<u32>) = signals.iter().map(|s| (s.0, s.1)).unzip();
        let role: Vec<u8> = signals.iter().map(|s| s.2).collect();
        let persons = [0, u32::try_from(at.len()).expect("few")];
        let columns = Signals { persons: &persons, at: &at, channel: &channel, role: &role, ..Signals::default() };
        for text in ["{}", "unit: touch\nlookback_days: 1", "ignore_direct: true\nmax_touches: 3\nlookback_days: 2"] {
            let config = config(text);
            let plan = Plan::new(&config, &purchase(), &CHANNELS).expect("a plan");
            let mut out = Output::default();
            Builder::new(&plan).build(&columns, &mut out).expect("journeys");
            let got: Vec<_> = out.journeys().map(|j| {
                let touch = |p: usize| (out.touch_row[p] as usize, out.touch_session[p], out.touch_rule[p]);
                (j.conversion.map(|c| c as usize), j.touches.map(touch).collect::<Vec<_>>())
            }).collect();
            prop_assert_eq!(got, plain(&config, &signals), "{}", text);
        }
    }
}

//! Input that nobody hopes for: defined answers, and no cost that grows with the square.

use std::time::{Duration, Instant};

use throughline_paths::names::PathNames;
use throughline_paths::{Builder, Columns, EntityKey as _, NONE, Output, Plan, Role, Rule, Signals, assemble};

use crate::support::{MINUTE, check, config, purchase, touches};

/// One person's signals, one a minute: the channels in turn, a conversion at every `every`th.
fn person(signals: usize, every: usize, channels: u32) -> (Vec<i64>, Vec<u32>, Vec<u8>) {
    let number = |i: usize| u32::try_from(i).expect("few");
    let at = (0..signals).map(|i| i64::from(number(i)) * MINUTE).collect();
    let is_conversion = |i: usize| every > 0 && i % every == every - 1;
    let channel = (0..signals).map(|i| if is_conversion(i) { NONE } else { number(i) % channels }).collect();
    let role = (0..signals).map(|i| if is_conversion(i) { Role::CONVERSION } else { Role::TOUCH }).collect();
    (at, channel, role)
}

fn build(yaml: &str, names: &[&str], at: &[i64], channel: &[u32], role: &[u8]) -> Output {
    let plan = Plan::new(&config(yaml), &purchase(), names).expect("a plan");
    let persons = [0, u32::try_from(at.len()).expect("few")];
    let mut out = Output::default();
    let signals = Signals { persons: &persons, at, channel, role, ..Signals::default() };
    Builder::new(&plan).build(&signals, &mut out).expect("journeys");
    out
}

#[test]
fn clocks_that_are_off_and_times_without_bounds() {
    let at = [i64::MIN, 0, 4_070_908_800_000_000, i64::MAX];
    let channel = [0, 0, 0, NONE];
    let role = [1, 1, 1, 2];
    for yaml in [
        "{}",
        "unit: touch\nreuse_touches: true",
        "sessions: { at_midnight: true, time_zone: Europe/Berlin, max_minutes: 1 }",
    ] {
        let out = build(yaml, &["a"], &at, &channel, &role);
        assert_eq!(out.touch_rule, [Rule::OutsideLookback; 3], "{yaml}");
        assert_eq!((out.len(), out.steps.len(), out.started_at[0]), (1, 0, i64::MAX));
    }
}

#[test]
fn everything_at_one_instant() {
    check(&touches(""), "5:b 5:a 5:!1 5:!2", "b>a!1 !2");
    let (entity, at) = ([7_u32; 6], [9_i64; 6]);
    let channel = [NONE, 1, NONE, 0, 1, NONE];
    let role = [Role::CONVERSION, Role::TOUCH, Role::REFUND, Role::TOUCH, Role::TOUCH, Role::CONVERSION];
    let plan = Plan::new(&touches(""), &purchase(), &["a", "b"]).expect("a plan");
    let value = [5, 0, 9, 0, 0, 3];
    let columns = Columns {
        entity: &entity,
        at: &at,
        channel: &channel,
        role: &role,
        interaction: None,
        campaign: None,
        value: Some(&value),
        order: None,
    };
    let done = assemble(&columns, &plan, 2).expect("journeys");
    assert_eq!((done.people, done.output.steps, done.output.value_micros), (vec![7], vec![0, 1, 1], vec![3, 5]));
    assert_eq!(done.rows[0], 3);
}

#[test]
fn names_without_letters_and_with_separators() {
    let plan = Plan::new(&touches("direct_channel: \"\""), &purchase(), &["", " > ", "\"", "a"]).expect("a plan");
    let mut out = Output::default();
    let signals = Signals {
        persons: &[0, 5],
        at: &[1, 2, 3, 4, 5],
        channel: &[0, 1, 2, 3, NONE],
        role: &[1, 1, 1, 1, 2],
        ..Signals::default()
    };
    Builder::new(&plan).build(&signals, &mut out).expect("journeys");
    assert_eq!(PathNames::new(&["", " > ", "\"", "a"], " > ").text(&out.steps, &[]), " > \" > \" > \"\"\"\" > a");
}

#[test]
fn a_path_of_five_thousand_touches() {
    let (at, channel, mut role) = person(5001, 0, 7);
    role[5000] = Role::CONVERSION;
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let out = build("unit: touch", &names, &at, &channel, &role);
    assert_eq!((out.len(), out.steps.len()), (1, 5000));
    let (at, channel, mut role) = person(6001, 0, 7);
    role[6000] = Role::CONVERSION;
    let out = build("unit: touch", &names, &at, &channel, &role);
    assert_eq!(out.steps.len(), 5000);
    assert_eq!(out.touch_rule.iter().filter(|r| **r == Rule::OverLimit).count(), 1000);
}

#[test]
fn a_million_signals_of_one_person_cost_a_million_steps() {
    let names: Vec<String> = (0..1000).map(|i| format!("channel {i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let cases = [
        ("unit: touch", 0),
        ("{}", 2),
        (
            "unit: touch\ntransform: [\"remove_if_last_and_not_all:channel 1\", frequency]\nview_through: unless_channel_clicked",
            3,
        ),
        ("unit: touch\nreuse_touches: true\nreuse_limit: 5\nlookback_days: 365", 2),
        ("unit: touch\nreuse_touches: true\nlookback_days: 0.01", 10),
    ];
    for (yaml, every) in cases {
        let (at, channel, role) = person(1_000_000, every, 1000);
        let start = Instant::now();
        let out = build(yaml, &names, &at, &channel, &role);
        assert!(!out.is_empty());
        // A square would take hours; the bound leaves room for a debug build on a busy machine.
        assert!(start.elapsed() < Duration::from_mins(1), "{yaml}: {:?}", start.elapsed());
    }
}

#[test]
fn a_million_signals_of_one_person_are_sorted() {
    let (mut at, mut channel, mut role) = person(1_000_000, 5, 3);
    at.reverse();
    channel.reverse();
    role.reverse();
    let entity = vec![u128::MAX; at.len()];
    let plan = Plan::new(&touches(""), &purchase(), &["a", "b", "c"]).expect("a plan");
    let columns = Columns {
        entity: &entity,
        at: &at,
        channel: &channel,
        role: &role,
        interaction: None,
        campaign: None,
        value: None,
        order: None,
    };
    let done = assemble(&columns, &plan, 2).expect("journeys");
    assert_eq!((done.people, done.output.len(), done.output.steps.len()), (vec![u128::MAX], 200_000, 800_000));
    assert_eq!(done.rows[0], 999_999);
}

#[test]
fn nothing_at_all() {
    let plan = Plan::new(&config("{}"), &purchase(), &[] as &[&str]).expect("a plan");
    let columns = Columns::<u64> {
        entity: &[],
        at: &[],
        channel: &[],
        role: &[],
        interaction: None,
        campaign: None,
        value: None,
        order: None,
    };
    let done = assemble(&columns, &plan, 2).expect("no journeys");
    assert!(done.people.is_empty() && done.output.is_empty());
    let columns = Columns::<u64> { entity: &[1], ..columns };
    assert!(assemble(&columns, &plan, 2).is_err());
}

#[test]
fn many_people_come_in_one_order_from_any_number_of_threads() {
    let (at, channel, role) = person(600_000, 4, 3);
    let entity: Vec<u32> = (0..600_000_u32).map(|i| i.wrapping_mul(2_654_435_761) % 70_000).collect();
    let plan = Plan::new(&touches(""), &purchase(), &["a", "b", "c"]).expect("a plan");
    let (interaction, campaign) = (None, None);
    let columns = Columns {
        entity: &entity,
        at: &at,
        channel: &channel,
        role: &role,
        interaction,
        campaign,
        value: None,
        order: None,
    };
    let one = assemble(&columns, &plan, 1).expect("journeys");
    assert!(one.people.iter().map(|p| p.mix()).is_sorted());
    assert!(one.output.conversion.iter().filter(|c| **c != NONE).count() == 150_000);
    assert_eq!(assemble(&columns, &plan, 3).expect("journeys"), one);
}

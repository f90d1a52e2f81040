//! The world does what it says: the recursion is the simulation's mean, the test recovers the known effect, last click
//! errs in the predicted direction, and people are drawn in the shares of the scenario.

use throughline_core::EventKind;
use throughline_stats::dist;

use crate::response::{self, Drive};
use crate::scenario::{FlightSpec, WindowSpec};
use crate::world::assign;
use crate::{Arm, Channel, Life, Scenario, Segment, Sent, World};

fn world(people: u32, seed: u64) -> World {
    World::simulate(&Scenario::default().with_people(people), seed).expect("the demo is valid")
}

fn mean_and_error(draws: &[f64]) -> (f64, f64) {
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

#[test]
fn the_recursion_is_the_mean_of_the_simulation() {
    let world = world(40, 11);
    let drives: Vec<(&Life, Drive<'_>)> = world.lives().iter().map(|l| (l, world.drive(l))).collect();
    let recovered = world.plan().recovery.len() - 1;
    for without in [None, Some(Channel::PaidSocial), Some(Channel::Email)] {
        let courses: Vec<_> = drives.iter().map(|(life, d)| (*life, d.course(without, &life.sent))).collect();
        let expected = |life: &Life, course| {
            let e = response::expect(world.plan(), course, recovered, world.written());
            [e.purchases, e.paid * life.person.basket, e.any]
        };
        let exact = courses.iter().map(|(l, c)| expected(l, c)).fold([0.0; 3], |s, e| [0, 1, 2].map(|i| s[i] + e[i]));
        let mut draws = [const { Vec::new() }; 3];
        for repetition in 1..=250 {
            let mut sums = [0.0; 3];
            for (life, course) in &courses {
                let noise = world.noise(life).repeated(repetition);
                let bought = response::draw(world.plan(), &life.person, &noise, course, recovered, world.written());
                sums[0] += bought.len() as f64;
                sums[1] += bought.iter().map(|p| p.value_micros as f64 / 1e6).sum::<f64>();
                sums[2] += f64::from(u8::from(!bought.is_empty()));
            }
            draws.iter_mut().zip(sums).for_each(|(d, s)| d.push(s));
        }
        for (draws, exact) in draws.iter().zip(exact) {
            let (mean, error) = mean_and_error(draws);
            // Nine comparisons: 3.5 standard errors is beyond 0.5 % for all of them together.
            assert!((mean - exact).abs() < 3.5 * error, "{without:?}: {mean} ± {error} against {exact}");
        }
    }
}

/// A person in the test: the course under each arm, and the state on its first day.
type Subject<'a> = (&'a Life, [response::Course; 3], usize);

/// The people in the test, and the true mean probability of a purchase under each arm.
fn under_test(world: &World) -> (Vec<Subject<'_>>, [f64; 3]) {
    let day = world.scenario().experiment.day;
    let lives = world.lives().iter().filter(|l| l.arm.is_some());
    let people: Vec<_> = lives
        .map(|life| {
            let drive = world.drive(life);
            let courses = Arm::ALL.map(|arm| drive.course(None, &[Sent { arm, day }]));
            (life, courses, response::state(world.plan(), &life.purchases, day))
        })
        .collect();
    let truth = world.truth();
    let known = truth.persons.iter().filter(|p| p.tested);
    let known = known.fold([0.0; 3], |s, p| [0, 1, 2].map(|i| s[i] + p.test.probability[i] / people.len() as f64));
    (people, known)
}

#[test]
fn the_stated_effects_are_those_of_the_simulated_counterfactuals() {
    let world = world(500, 5);
    let (people, known) = under_test(&world);
    let test = &world.scenario().experiment;
    let mut effects = [const { Vec::new() }; 2];
    for repetition in 1..=200 {
        let mut bought = [0.0; 3];
        for (life, courses, state) in &people {
            let noise = world.noise(life).repeated(repetition);
            let days = test.day..test.day + test.window_days;
            for (sum, course) in bought.iter_mut().zip(courses) {
                let drawn = response::draw(world.plan(), &life.person, &noise, course, *state, days.clone());
                *sum += f64::from(u8::from(!drawn.is_empty()));
            }
        }
        effects.iter_mut().zip([1, 2]).for_each(|(e, arm)| e.push((bought[arm] - bought[0]) / people.len() as f64));
    }
    for (arm, effects) in [1, 2].into_iter().zip(&effects) {
        let (mean, error) = mean_and_error(effects);
        let truth = known[arm] - known[0];
        assert!((mean - truth).abs() < 3.5 * error, "arm {arm}: {mean} ± {error} against {truth}");
    }
}

/// (purchases of at least one, people) by arm, for one repetition of assignment and outcomes.
fn repeat_test(world: &World, people: &[Subject<'_>], repetition: u32) -> [[f64; 2]; 3] {
    let test = &world.scenario().experiment;
    let mut counts = [[0.0; 2]; 3];
    for (life, courses, state) in people {
        let noise = world.noise(life).repeated(repetition);
        let arm = assign(world.plan(), &life.person, &noise).expect("may be written to").index();
        let days = test.day..test.day + test.window_days;
        let bought = response::draw(world.plan(), &life.person, &noise, &courses[arm], *state, days);
        counts[arm][0] += f64::from(u8::from(!bought.is_empty()));
        counts[arm][1] += 1.0;
    }
    counts
}

#[test]
fn the_randomised_test_covers_the_known_effect() {
    let world = world(500, 5);
    let (people, known) = under_test(&world);
    let repetitions = 1_000_u32;
    let mut covered = [0_u32; 2];
    let mut assigned = [0.0; 3];
    for repetition in 1..=repetitions {
        let counts = repeat_test(&world, &people, repetition);
        assigned.iter_mut().zip(counts).for_each(|(sum, [_, n])| *sum += n);
        let rates = counts.map(|[bought, n]| bought / n);
        let variances = counts.map(|[bought, n]| (bought / n) * (1.0 - bought / n) / (n - 1.0));
        for arm in [1, 2] {
            let half = dist::critical_value(0.95, None) * (variances[arm] + variances[0]).sqrt();
            covered[arm - 1] += u32::from((rates[arm] - rates[0] - (known[arm] - known[0])).abs() <= half);
        }
    }
    // The interval is conservative for the people at hand, so one side is tested: Binomial(1000, 0.95) lies below 934
    // with probability 1 %.
    assert!(covered.iter().all(|c| *c >= 934), "{covered:?}");
    let total = f64::from(repetitions) * people.len() as f64;
    assert!(assigned.iter().all(|n| (n / total - 1.0 / 3.0).abs() < 3.5 * (2.0 / 9.0 / total).sqrt()), "{assigned:?}");
    assert!(known[1] - known[0] > 0.03, "the offer works: {known:?}");
}

/// Purchases credited to each channel by the last touch of the 30 days before.
fn last_touch(world: &World) -> [f64; Channel::COUNT] {
    let mut credit = [0.0; Channel::COUNT];
    for life in world.lives() {
        for purchase in &life.purchases {
            let recent = |day: u32| day <= purchase.day && day + 30 > purchase.day;
            let last = life.touches.iter().rev().find(|t| recent(t.day) && t.kind != EventKind::EmailSent);
            if let Some(touch) = last {
                credit[touch.channel.index()] += 1.0;
            }
        }
    }
    credit
}

#[test]
fn last_touch_credits_the_wrong_channels_as_predicted() {
    let (mut credit, mut truth) = ([0.0; Channel::COUNT], [0.0; Channel::COUNT]);
    for seed in 0..4 {
        let world = world(500, seed);
        last_touch(&world).iter().zip(&mut credit).for_each(|(c, sum)| *sum += c);
        for channel in world.truth().channels {
            truth[channel.channel.index()] += channel.true_conversions;
        }
    }
    // Too much in purchases for what follows intent; too little of the whole for what works early.
    let ratio = |channel: Channel| credit[channel.index()] / truth[channel.index()];
    assert!(ratio(Channel::Retargeting) > 5.0 && ratio(Channel::PaidSearch) > 2.0, "{credit:?} {truth:?}");
    let part = |of: &[f64; Channel::COUNT], channel: Channel| of[channel.index()] / of.iter().sum::<f64>();
    assert!(part(&credit, Channel::Retargeting) > 2.0 * part(&truth, Channel::Retargeting));
    assert!(part(&credit, Channel::PaidSocial) < 0.6 * part(&truth, Channel::PaidSocial));
    assert_eq!(truth[Channel::Direct.index()], 0.0);
    assert!(credit[Channel::Direct.index()] > 100.0);
}

#[test]
fn people_are_drawn_in_the_stated_shares() {
    let scenario = Scenario::default().with_people(2_000);
    let lives = world(2_000, 3);
    let count = |wanted: &dyn Fn(&Life) -> bool| lives.lives().iter().filter(|l| wanted(l)).count() as f64;
    let check = |name: &str, count: f64, share: f64, n: f64| {
        let z = (count - n * share) / (n * share * (1.0 - share)).sqrt();
        assert!(z.abs() < 3.5, "{name}: {count} of {n} against {share}, z = {z}");
    };
    let vip = count(&|l| l.person.segment == Segment::Vip);
    check("vip", vip, scenario.segments.vip.share, 2_000.0);
    let cards = count(&|l| l.person.segment == Segment::Vip && l.person.has_card);
    check("vip with a card", cards, scenario.segments.vip.loyalty_share, vip);
    let contactable = count(&|l| l.arm.is_some());
    check("contactable", contactable, 0.82, 2_000.0);
    for arm in Arm::ALL {
        check(arm.name(), count(&|l| l.arm == Some(arm)), 1.0 / 3.0, contactable);
    }
    let annoyed = count(&|l| l.person.annoyed);
    check("put off", annoyed, 0.45 * 0.08 + 0.40 * 0.10 + 0.15 * 0.20, 2_000.0);
}

#[test]
fn touches_come_at_the_stated_rate_when_and_where_the_channel_runs() {
    let mut scenario = Scenario::default().with_people(1_500);
    let spec = scenario.channels.get_mut("display").expect("in the demo");
    (spec.targeting, spec.reach) = (0.0, 0.08);
    let flight = |from_day, days, factor, regions: &[&str]| FlightSpec {
        from_day,
        days,
        factor,
        regions: regions.iter().map(|r| (*r).to_owned()).collect(),
    };
    spec.flights = vec![flight(10, 20, 1.0, &[]), flight(20, 20, 2.0, &["north"])];
    let world = World::simulate(&scenario, 21).expect("valid");
    let seen = |wanted: &dyn Fn(&Life) -> bool, days: std::ops::Range<u32>| {
        let lives: Vec<&Life> = world.lives().iter().filter(|l| wanted(l)).collect();
        let shown = |t: &&crate::Touch| t.channel == Channel::Display && t.kind == EventKind::Impression;
        let touches = lives.iter().flat_map(|l| &l.touches).filter(shown).filter(|t| days.contains(&t.day)).count();
        (touches as f64, lives.len() as f64 * f64::from(days.end - days.start))
    };
    let check = |name: &str, (touches, person_days): (f64, f64), rate: f64| {
        let mean = person_days * rate;
        assert!((touches - mean).abs() <= 3.5 * mean.sqrt(), "{name}: {touches} instead of {mean}");
    };
    let north = |l: &Life| l.person.region_name() == "north";
    check("before", seen(&|_| true, 0..10), 0.0);
    check("everywhere", seen(&|_| true, 10..20), 0.08);
    check("both flights", seen(&north, 20..30), 0.24);
    check("one region", seen(&north, 30..40), 0.16);
    check("elsewhere", seen(&|l| !north(l), 30..40), 0.0);
}

#[test]
fn the_calendar_moves_everybody_as_stated() {
    let mut scenario = Scenario::default().with_people(800);
    let window = |name: &str, lift, discount| WindowSpec { name: name.into(), from_day: 30, days: 10, lift, discount };
    scenario.calendar.windows = vec![window("sale", 0.7, 0.2)];
    let (plain, sale) = (world(800, 8), World::simulate(&scenario, 8).expect("valid"));
    let of = |world: &World, days: std::ops::Range<u32>| -> (f64, f64) {
        let all = world.lives().iter().flat_map(|l| &l.purchases).filter(|p| days.contains(&p.day));
        all.fold((0.0, 0.0), |(n, v), p| (n + 1.0, v + p.value_micros as f64 / 1e6))
    };
    assert_eq!(of(&plain, 0..30), of(&sale, 0..30), "nothing is felt before");
    let ((before, worth), (during, paid)) = (of(&plain, 30..40), of(&sale, 30..40));
    // Odds are multiplied by e^0.7 = 2.01; purchases are rare, and each keeps its buyer from the next.
    assert!(during > 1.5 * before && during < 2.1 * before, "{before} {during}");
    let order = (paid / during) / (worth / before);
    assert!((order - 0.8).abs() < 0.1, "an order costs {order} of what it did");
    // 2026-01-05 is a Monday.
    scenario.calendar.windows.clear();
    scenario.calendar.weekdays = vec![3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let mondays = World::simulate(&scenario, 8).expect("valid");
    let by_day = |world: &World, day: u32| of(world, day..day + 1).0;
    assert!((0..12).all(|week| by_day(&mondays, 7 * week) > 3.0 * by_day(&mondays, 7 * week + 1)));
}

#[test]
fn a_broadcast_works_unseen_and_costs_what_the_spend_report_says() {
    let mut scenario = Scenario::default().with_people(600);
    let mut tv = scenario.channels["paid_social"].clone();
    (tv.reach, tv.effect, tv.click_rate, tv.cost_per_impression) = (0.5, 1.2, 0.0, 0.02);
    tv.campaigns.clear();
    tv.flights = vec![FlightSpec { from_day: 10, days: 60, factor: 1.0, regions: vec!["east".into(), "west".into()] }];
    scenario.channels.insert("tv".into(), tv);
    let world = World::simulate(&scenario, 4).expect("valid");
    assert!(world.lives().iter().all(|l| !l.reached_by(Channel::Tv)), "nobody knows who watched");
    let truth = world.truth();
    let tv = truth.channels.iter().find(|c| c.channel == Channel::Tv).expect("in use");
    assert!(tv.true_conversions > 20.0 && tv.realised_conversions > 0, "{tv:?}");
    let watched = world.lives().iter().filter(|l| ["east", "west"].contains(&l.person.region_name())).count();
    let cost = watched as f64 * 60.0 * 0.5 * 0.02;
    assert!((tv.cost - cost).abs() < 1e-6, "{} instead of {cost}", tv.cost);
    let mut report = Vec::new();
    world.write(crate::DataFile::Spend, &mut report).expect("memory");
    let report = String::from_utf8(report).expect("text");
    let rows = report.lines().filter(|l| l.contains(",tv,"));
    let told: f64 =
        rows.clone().map(|l| l.split(',').nth(3).and_then(|c| c.parse::<f64>().ok()).expect("a cost")).sum();
    assert!((told - cost).abs() < 1e-6 && rows.clone().all(|l| l.contains(",east,") || l.contains(",west,")), "{told}");
}

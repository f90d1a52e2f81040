//! People live together, move, withdraw and leave as the scenario says.

use throughline_core::Purpose;

use crate::scenario::PopulationSpec;
use crate::{Channel, DataFile, Life, Scenario, World};

fn world(change: impl FnOnce(&mut Scenario)) -> World {
    let mut scenario = Scenario::default().with_people(3_000);
    change(&mut scenario);
    World::simulate(&scenario, 17).expect("valid")
}

#[track_caller]
fn check(name: &str, count: usize, share: f64, n: usize) {
    let n = n as f64;
    let z = (count as f64 - n * share) / (n * share * (1.0 - share)).sqrt();
    assert!(z.abs() < 3.5, "{name}: {count} of {n} against {share}, z = {z}");
}

#[test]
fn households_share_name_and_address_and_some_a_device() {
    let world = world(|s| {
        s.population =
            PopulationSpec { household_share: 0.4, shared_device_share: 0.5, mover_share: 0.1, bots_per_thousand: 2.0 };
    });
    let pairs: Vec<(&Life, &Life)> = world.lives().chunks(2).map(|p| (&p[0], &p[1])).collect();
    let together: Vec<_> = pairs.iter().filter(|(a, b)| a.person.household == b.person.household).collect();
    check("households", together.len(), 0.4, pairs.len());
    for (a, b) in &together {
        assert_eq!(a.person.last_name(), b.person.last_name());
        let day = 0;
        let area = |l: &Life| l.person.address_on(day).split(", ").next().map(ToOwned::to_owned);
        if a.person.moves.is_none_or(|m| m.0 > 0) && b.person.moves.is_none_or(|m| m.0 > 0) {
            assert_eq!(area(a), area(b));
        }
    }
    let shared = together.iter().filter(|(a, b)| a.person.cookie(0) == b.person.cookie(1)).count();
    check("shared devices", shared, 0.5, together.len());
    let movers: Vec<&Life> = world.lives().iter().filter(|l| l.person.moves.is_some()).collect();
    check("movers", movers.len(), 0.1, 3_000);
    let moved = |l: &Life| l.person.area_on(0) != l.person.area_on(89);
    assert!(movers.iter().filter(|l| moved(l)).count() > movers.len() / 2);
    assert_eq!(world.bots().len(), 6);
    let mut identity = Vec::new();
    crate::truth_files::write(&world, &world.truth(), crate::truth_files::TruthFile::Identity, &mut identity)
        .expect("memory");
    let identity = String::from_utf8(identity).expect("text");
    assert_eq!(identity.lines().filter(|l| l.ends_with(",bot")).count(), 6);
}

#[test]
fn who_withdraws_is_written_to_no_more_and_the_files_say_when() {
    let world = world(|s| s.consent.withdrawn_share = 0.2);
    let left: Vec<(&Life, u32)> = world
        .lives()
        .iter()
        .flat_map(|l| l.person.withdrawals(90).filter(|(p, _)| *p == Purpose::Messaging).map(move |(_, d)| (l, d)))
        .collect();
    check("withdrawals", left.len(), 0.2, 3_000);
    for (life, day) in &left {
        assert!(life.touches.iter().all(|t| t.channel != Channel::Email || t.day < *day));
        assert!(!life.person.contactable_on(*day));
    }
    assert!(left.iter().any(|(l, d)| l.touches.iter().any(|t| t.channel == Channel::Email && t.day < *d)));
    let mut file = Vec::new();
    world.write(DataFile::Preferences, &mut file).expect("memory");
    let file = String::from_utf8(file).expect("text");
    let told = file.lines().filter(|l| l.contains("messaging=denied")).count();
    assert_eq!(told, left.iter().filter(|(l, _)| l.person.consent.allows(Purpose::Messaging)).count());
}

#[test]
fn who_left_buys_no_more_and_is_worth_nothing() {
    let world = world(|s| s.segments.new.churn_per_day = 0.02);
    let truth = world.truth();
    let new = world.lives().iter().zip(&truth.persons).filter(|(l, _)| l.person.segment.name() == "new");
    let (mut gone, mut all) = (0, 0);
    for (life, told) in new {
        all += 1;
        if let Some(day) = told.churn_day.filter(|d| *d < 90) {
            gone += 1;
            assert!(life.purchases.iter().all(|p| p.day < day));
            assert_eq!((told.decision.probability, told.value_next_year), ([0.0; 3], 0.0));
        }
    }
    check("gone", gone, 1.0 - 0.98_f64.powi(90), all);
    let stays = truth.persons.iter().filter(|p| p.churn_day.is_none());
    assert!(stays.clone().all(|p| p.value_next_year > 0.0 && p.value_next_year.is_finite()));
}

#[test]
fn mails_tire() {
    let sent = |fatigue: f64| {
        let world = world(|s| {
            s.people = 300;
            s.experiment.day = 70;
            s.interventions.fatigue = fatigue;
        });
        // The decision at day 90 follows within 28 days of the test.
        let truth = world.truth();
        let got = world
            .lives()
            .iter()
            .zip(&truth.persons)
            .filter(|(l, p)| p.contactable && l.arm.is_some_and(|a| a.index() > 0));
        got.map(|(_, p)| p.decision.probability[1] - p.decision.probability[0]).sum::<f64>()
    };
    assert!(sent(1.0) < 0.5 * sent(0.0));
}

//! The market through its public door: same bytes, files that tie out, truth that is read back.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use throughline_core::Timestamp;
use throughline_market::{
    Channel, DataFile, MarketError, Moment, Scenario, World, read_truth, score_policy, score_policy_at,
    write_project_data,
};

fn world(seed: u64) -> World {
    World::simulate(&Scenario::default().with_people(300), seed).expect("the demo is valid")
}

fn bytes(world: &World, file: DataFile) -> Vec<u8> {
    let mut out = Vec::new();
    world.write(file, &mut out).expect("memory takes everything");
    out
}

/// Fields of every row by column name.
fn rows(world: &World, file: DataFile) -> Vec<BTreeMap<String, String>> {
    let bytes = bytes(world, file);
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    reader.deserialize().collect::<Result<_, _>>().expect("valid CSV")
}

#[test]
fn equal_seeds_give_equal_bytes_on_any_number_of_threads() {
    let scenario = Scenario::default().with_people(301);
    let [one, other] = [1, 3].map(|threads| {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        World::simulate_on(&scenario, 9, threads).expect("valid")
    });
    assert_eq!(one.truth(), other.truth());
    for file in DataFile::ALL {
        assert!(bytes(&one, file) == bytes(&other, file), "{} differs between threads", file.name());
        assert!(bytes(&one, file) == bytes(&one, file), "{} differs between writes", file.name());
    }
    let third = World::simulate(&scenario, 10).expect("valid");
    assert!(bytes(&one, DataFile::AdEvents) != bytes(&third, DataFile::AdEvents));
}

/// (rows, distinct accepted ids, malformed rows): a row is malformed when its time is unreadable or its amount negative.
fn sorted_out(rows: &[BTreeMap<String, String>], id: &str, amount: &str) -> (usize, usize, usize) {
    let bad = |row: &&BTreeMap<String, String>| {
        row["timestamp"].parse::<Timestamp>().is_err() || row.get(amount).is_some_and(|a| a.starts_with('-'))
    };
    let malformed = rows.iter().filter(bad).inspect(|row| assert!(row[id].starts_with("bad"))).count();
    let ids: BTreeSet<&str> = rows.iter().filter(|r| !bad(r)).map(|r| r[id].as_str()).collect();
    (rows.len(), ids.len(), malformed)
}

#[test]
fn files_tie_out_with_the_world_once_faults_are_sorted_out() {
    let world = world(4);
    let days = world.scenario().days;
    let touches = || world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.day < days);
    let ads = touches().filter(|t| t.channel != Channel::Email).count();
    let (all, distinct, malformed) = sorted_out(&rows(&world, DataFile::AdEvents), "event_id", "cost");
    assert_eq!(distinct, ads);
    assert!(malformed > 0 && all > ads + malformed, "{all} rows, {ads} touches, {malformed} malformed");
    let (_, distinct, _) = sorted_out(&rows(&world, DataFile::EmailLog), "message_id", "none");
    assert_eq!(distinct, touches().filter(|t| t.channel == Channel::Email).count());
    let store = world.lives().iter().flat_map(|l| &l.purchases).filter(|p| p.in_store).count();
    assert_eq!(sorted_out(&rows(&world, DataFile::Pos), "receipt_id", "value").1, store);
    assert_eq!(rows(&world, DataFile::Assignments).len(), world.lives().iter().filter(|l| l.arm.is_some()).count());
    let spent: f64 = rows(&world, DataFile::Spend).iter().map(|r| r["cost"].parse::<f64>().expect("a number")).sum();
    let cost: i64 = touches().map(|t| t.cost_micros).sum();
    assert!((spent - cost as f64 / 1e6).abs() < 1e-6);
    let truth: f64 = world.truth().channels.iter().map(|c| c.cost).sum();
    assert!((spent - truth).abs() < 1e-6);
}

#[test]
fn web_orders_are_json_lines_whose_values_sum_to_the_purchases() {
    let world = world(4);
    let text = String::from_utf8(bytes(&world, DataFile::WebOrders)).expect("UTF-8");
    let mut values: BTreeMap<String, f64> = BTreeMap::new();
    for line in text.lines() {
        let order: serde_json::Value = serde_json::from_str(line).expect("a JSON object");
        let id = order["order_id"].as_str().expect("an id");
        let value = order["value"].as_f64().expect("a number");
        if !id.starts_with("bad") {
            values.insert(id.to_owned(), value);
        }
    }
    let purchases = world.lives().iter().flat_map(|l| &l.purchases).filter(|p| !p.in_store);
    let (count, micros) = purchases.fold((0, 0), |(n, sum), p| (n + 1, sum + p.value_micros));
    assert_eq!(values.len(), count);
    assert!((values.values().sum::<f64>() - micros as f64 / 1e6).abs() < 1e-6);
}

#[test]
fn late_rows_arrive_out_of_order_and_before_the_end() {
    let world = world(4);
    let good: Vec<_> =
        rows(&world, DataFile::AdEvents).into_iter().filter(|r| !r["event_id"].starts_with("bad")).collect();
    let time = |row: &BTreeMap<String, String>, name: &str| row[name].parse::<Timestamp>().expect("a time");
    assert!(
        good.iter().all(|r| time(r, "received_at") >= time(r, "timestamp") && time(r, "received_at") < world.end())
    );
    let late = good.iter().filter(|r| time(r, "received_at") >= time(r, "timestamp").plus_days(1)).count();
    let share = late as f64 / good.len() as f64;
    assert!((0.005..0.015).contains(&share), "{share}");
}

#[test]
fn a_project_folder_holds_data_and_truth() {
    let dir = tempfile::tempdir().expect("a folder");
    let truth = write_project_data(&world(4), dir.path()).expect("written");
    assert_eq!(read_truth(dir.path()).expect("read back"), truth);
    for name in ["data/ad_events.csv", "data/web_orders.jsonl", "truth/identity.csv", "truth/policy.json"] {
        assert!(dir.path().join(name).metadata().is_ok_and(|m| m.len() > 0), "{name}");
    }
    let missing = read_truth(&dir.path().join("nowhere")).expect_err("no such folder");
    assert!(missing.to_string().ends_with("channel_effects.csv"), "{missing}");
}

#[test]
fn the_oracle_beats_every_constant_policy_and_is_reached_by_its_own_decisions() {
    let truth = world(4).truth();
    let oracle: Vec<_> = truth.persons.iter().map(|p| (p.crm_id.as_str(), p.best(Moment::Decision).name())).collect();
    let score = score_policy(&truth, &oracle).expect("known actions");
    assert_eq!((score.regret, score.decided, score.not_permitted), (0.0, 300, 0));
    assert!(score.constant.values().all(|profit| *profit < score.oracle_profit));
    let offers: Vec<_> = truth.persons.iter().map(|p| (p.email.as_str(), "email_offer")).collect();
    let score = score_policy_at(&truth, Moment::Test, &offers).expect("known actions");
    assert_eq!(score.profit, score.constant[&throughline_market::Arm::EmailOffer]);
    assert_eq!(score.not_permitted, truth.persons.iter().filter(|p| !p.contactable).count());
}

#[test]
fn a_budget_holds_a_channel_back_and_others_only_through_the_audience_it_makes() {
    let mut scenario = Scenario::default().with_people(300);
    let budget = 2.0;
    scenario.channels.get_mut("paid_search").expect("in the demo").daily_budget = Some(budget);
    let [capped, free] =
        [&scenario, &Scenario::default().with_people(300)].map(|s| World::simulate(s, 4).expect("valid"));
    let spent = |world: &World| {
        let mut by_day: BTreeMap<u32, i64> = BTreeMap::new();
        let touches = world.lives().iter().flat_map(|l| &l.touches).filter(|t| t.channel == Channel::PaidSearch);
        touches.for_each(|t| *by_day.entry(t.day).or_default() += t.cost_micros);
        by_day
    };
    let mean = |world: &World| spent(world).values().sum::<i64>() / 104;
    assert!(mean(&capped) < 2_100_000 && mean(&free) > 2_100_000, "{} {}", mean(&capped), mean(&free));
    // Without the clicks there are fewer visitors to be shown banners.
    let moved = [Channel::PaidSearch, Channel::Retargeting];
    let others =
        |world: &World| world.lives().iter().flat_map(|l| &l.touches).filter(|t| !moved.contains(&t.channel)).count();
    assert_eq!(others(&capped), others(&free));
}

#[test]
fn bad_scenarios_are_refused_with_every_fault() {
    let mut scenario = Scenario::default();
    scenario.faults.late_share = 2.0;
    scenario.days = 0;
    let error = World::simulate(&scenario, 1).expect_err("two faults");
    let MarketError::Refused { diagnostics } = &error else { unreachable!("{error}") };
    let codes: Vec<&str> = diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["TL954", "TL954", "TL951"]);
    assert_eq!(error.to_string(), "the scenario has 3 faults, the first: days of 0 is outside 1 to 730");
}

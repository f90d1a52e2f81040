//! What a reading of units checks, and what it says.

use throughline_evidence::experiment::{Cap, Kind, Margin, Metric, Plan, read};
use throughline_evidence::{Correction, EvidenceError, Health, Reading, Table};
use throughline_stats::stream::Stream;

use crate::experiment_units::table;

const N: u64 = 2000;

/// Alternating arms and a normal outcome with an effect that may depend on the unit.
fn units(effect: impl Fn(u64) -> f64) -> (Vec<u32>, Vec<f64>) {
    let s = Stream::new(21, 3);
    let arms: Vec<u32> = (0..N).map(|i| u32::from(i % 2 == 1)).collect();
    let y = (0..N).map(|i| 10.0 + s.normal_at(i) + if i % 2 == 1 { effect(i) } else { 0.0 }).collect();
    (arms, y)
}

fn plan(metric: Metric) -> Plan {
    Plan::new("arm", "a").metric(metric)
}

fn has(reading: &Reading, code: &str) -> bool {
    reading.diagnostics.iter().any(|d| d.code == code)
}

fn of(table: &Table, plan: &Plan) -> Reading {
    read(table, plan).expect("a reading")
}

#[test]
fn units_in_two_arms_are_left_out_and_many_fail_the_reading() {
    let (arms, y) = units(|_| 0.0);
    let id = |crossed: u64| (0..N).map(|i| if i < 2 * crossed { (i / 2) as f64 } else { i as f64 + 1e6 }).collect();
    let with = |crossed| {
        let table = table(&arms, &[("y", y.clone()), ("id", id(crossed))]);
        of(&table, &Plan { unit: Some("id".into()), ..plan(Metric::column("y")) })
    };
    let few = with(3);
    let checks = few.checks.as_ref().and_then(|c| c.crossover).expect("a check");
    assert_eq!((checks.crossed, checks.rows, checks.units, checks.alarm), (3, 6, N - 3, false));
    assert_eq!((few.comparisons[0].estimate.as_ref().map(|e| e.n), few.health), (Some(N - 6), Health::Healthy));
    let many = with(60);
    assert_eq!(many.health, Health::Suspect);
    assert!(has(&many, "TL322") && many.comparisons[0].verdict.starts_with("Do not use"), "{many:?}");
    let rows = table(&arms, &[("y", y.clone()), ("id", (0..N).map(|i| (i % 2 + 2 * (i / 4)) as f64).collect())]);
    let twice = of(&rows, &Plan { unit: Some("id".into()), ..plan(Metric::column("y")) });
    assert!(has(&twice, "TL323") && twice.comparisons[0].estimate.as_ref().is_some_and(|e| e.n == N / 2));
}

#[test]
fn an_effect_that_wears_off_is_said() {
    let day = |i: u64| ((i / 2) % 10) as f64;
    let (arms, y) = units(|i| 1.0 - 0.1 * day(i));
    let days = (0..N).map(day).collect();
    let fading =
        of(&table(&arms, &[("y", y), ("day", days)]), &Plan { time: Some("day".into()), ..plan(Metric::column("y")) });
    let trend = &fading.checks.as_ref().expect("checks").trends[0];
    assert!(trend.slope.set.contains(-0.1) && trend.alarm && has(&fading, "TL328"), "{trend:?}");
    assert_eq!((trend.periods.len(), fading.health), (10, Health::Healthy));
    let (arms, y) = units(|_| 0.5);
    let times = (0..N).map(|i| i as f64).collect();
    let steady =
        of(&table(&arms, &[("y", y), ("t", times)]), &Plan { time: Some("t".into()), ..plan(Metric::column("y")) });
    let trend = &steady.checks.as_ref().expect("checks").trends[0];
    assert!(!trend.alarm && trend.periods.len() == 10, "{trend:?}");
}

#[test]
fn one_large_unit_and_one_large_effect_are_said() {
    let (arms, mut y) = units(|_| 0.0);
    y[5] = 5000.0;
    let reading = of(&table(&arms, &[("y", y.clone())]), &plan(Metric::column("y")));
    let outlier = &reading.checks.as_ref().expect("checks").outliers[0];
    assert!(
        outlier.variance_share > 0.9 && outlier.effect_without.abs() < 0.2 && has(&reading, "TL327"),
        "{outlier:?}"
    );
    let capped = Metric { cap: Some(Cap::Quantile(0.99)), ..Metric::column("y") };
    let reading = of(&table(&arms, &[("y", y)]), &plan(capped));
    assert!(has(&reading, "TL321") && !has(&reading, "TL327"), "{:?}", reading.diagnostics);
    let said = reading.diagnostics.iter().find(|d| d.code == "TL321").expect("said");
    assert!(said.message.contains("20 of 2000 values"), "{said}");
    let (arms, y) = units(|_| 9.0);
    let reading = of(&table(&arms, &[("y", y)]), &plan(Metric::column("y")));
    assert!(has(&reading, "TL329") && reading.health == Health::Healthy);
}

#[test]
fn windows_count_what_is_inside() {
    let kind = |until| Kind::Conversion { time: "t".into(), exposed: "e".into(), within: 7.0, until };
    let arms: Vec<u32> = (0..12).map(|i| i % 2).collect();
    // Inside, at the end, after, before, none, and exposed too late.
    let time = [3.0, 7.0, 7.5, -1.0, f64::NAN, 9.0];
    let exposed = [0.0, 0.0, 0.0, 0.0, 0.0, 8.0];
    let twice = |v: &[f64]| v.iter().flat_map(|v| [*v; 2]).collect::<Vec<f64>>();
    let table = table(&arms, &[("t", twice(&time)), ("e", twice(&exposed))]);
    let open = of(&table, &plan(Metric::new("c", kind(None))));
    assert_eq!(open.arms[0].metrics[0].mean, Some(0.5));
    assert!(has(&open, "TL330"));
    let until = of(&table, &plan(Metric::new("c", kind(Some(10.0)))));
    assert_eq!((until.arms[0].metrics[0].mean, until.arms[0].metrics[0].missing), (Some(0.4), 1));
}

#[test]
fn segments_are_tested_together_and_shrunk() {
    let group = |i: u64| ((i / 2) % 5) as f64;
    let columns = |y: Vec<f64>| vec![("y", y), ("group", (0..N).map(group).collect::<Vec<f64>>())];
    let plan = Plan { segments: vec!["group".into()], ..plan(Metric::column("y")) };
    let (arms, y) = units(|i| if group(i) == 4.0 { 2.0 } else { 0.0 });
    let reading = of(&table(&arms, &columns(y)), &plan);
    let s = &reading.segments[0];
    assert!(s.heterogeneity.is_some_and(|q| q.p_value < 1e-6 && q.df == 4) && s.between > 0.3, "{s:?}");
    let significant: Vec<&str> = s.effects.iter().filter(|e| e.significant).map(|e| e.segment.as_str()).collect();
    assert_eq!(significant, ["4"]);
    let (arms, y) = units(|_| 0.5);
    let same = of(&table(&arms, &columns(y)), &plan);
    let s = &same.segments[0];
    let spread =
        |f: &dyn Fn(usize) -> f64| (0..5).map(f).fold(f64::MIN, f64::max) - (0..5).map(f).fold(f64::MAX, f64::min);
    let (alone, shrunk) = (spread(&|i| s.effects[i].estimate.value), spread(&|i| s.effects[i].shrunk.value));
    assert!(shrunk < 0.6 * alone && s.heterogeneity.is_some_and(|q| q.p_value > 0.01), "{alone} {shrunk}");
}

#[test]
fn bands_lie_between_alone_and_holm() {
    let (mut arms, y) = units(|_| 0.14);
    arms.iter_mut().enumerate().filter(|(i, a)| **a == 1 && i % 4 == 3).for_each(|(_, a)| *a = 2);
    let table = table(&arms, &[("y", y)]);
    let with = |correction| of(&table, &Plan { correction, ..plan(Metric::column("y")) }).comparisons;
    let (alone, holm, bands) = (with(Correction::None), with(Correction::Holm), with(Correction::Bands));
    let p = |c: &[throughline_evidence::Comparison]| c.iter().filter_map(|c| c.adjusted_p_value).fold(1.0, f64::min);
    assert!(p(&alone) < p(&bands) && p(&bands) < p(&holm), "{} {} {}", p(&alone), p(&bands), p(&holm));
    let (low, high) = bands[0].band.expect("a band");
    let (inner, outer) = alone[0].estimate.as_ref().expect("an estimate").interval();
    assert!(low < inner && outer < high);
}

/// One arm has clusters of three, the other of one: units are three to one, clusters as planned.
#[test]
fn the_sample_ratio_counts_what_was_assigned() {
    let s = Stream::new(4, 0);
    let (mut arms, mut shop) = (Vec::new(), Vec::new());
    for cluster in 0..600_u32 {
        for _ in 0..=2 * (cluster % 2) {
            arms.push(cluster % 2);
            shop.push(f64::from(cluster));
        }
    }
    let y = (0..arms.len() as u64).map(|i| s.normal_at(i)).collect();
    let table = table(&arms, &[("y", y), ("shop", shop)]);
    let units = of(&table, &plan(Metric::column("y")));
    assert_eq!((units.health, units.srm.alarm), (Health::Suspect, true));
    let clusters = of(&table, &Plan { cluster: Some("shop".into()), ..plan(Metric::column("y")) });
    assert_eq!((clusters.health, &clusters.srm.observed[..]), (Health::Healthy, &[300, 300][..]));
}

#[test]
fn quantiles_among_ties_are_said() {
    let (arms, y) = units(|_| 0.3);
    let quantile = |y: Vec<f64>| {
        of(&table(&arms, &[("y", y)]), &plan(Metric::new("q", Kind::Quantile { column: "y".into(), at: 0.5 })))
    };
    let smooth = quantile(y.clone());
    assert!(!has(&smooth, "TL332") && smooth.arms[0].metrics[0].mean.is_some_and(|m| (m - 10.0).abs() < 0.2));
    let coarse = quantile(y.iter().map(|y| (y * 4.0).round() / 4.0).collect());
    assert!(has(&coarse, "TL332"));
    let flat = quantile(y.iter().map(|y| y.max(11.5)).collect());
    assert!(flat.comparisons[0].estimate_absent.as_ref().is_some_and(|why| why.contains("no measure of chance")));
}

#[test]
fn margins_look_one_way() {
    let (arms, y) = units(|_| -0.05);
    let of = |size, lower| {
        let margin = Some(Margin::Absolute(size));
        let metric = Metric { margin, lower_is_better: lower, ..Metric::column("y") };
        let reading = of(&table(&arms, &[("y", y.clone())]), &plan(metric));
        reading.comparisons[0].non_inferiority.clone().expect("a margin")
    };
    assert!(of(0.5, false).shown && !of(0.01, false).shown && of(0.5, true).shown);
    assert!(of(0.5, false).estimate.interval().1.is_infinite() && of(0.5, true).estimate.interval().0.is_infinite());
}

#[test]
fn bad_input_is_named() {
    let (arms, y) = units(|_| 0.0);
    let many = (0..N).map(|i| i as f64).collect::<Vec<f64>>();
    let table = table(
        &arms,
        &[("y", y.clone()), ("copy", y.iter().map(|y| 2.0 * y).collect()), ("one", vec![1.0; 2000]), ("i", many)],
    );
    let covariates = |names: &[&str]| {
        let covariates = names.iter().map(|n| (*n).to_owned()).collect();
        of(&table, &Plan { covariates, ..plan(Metric::new("r", Kind::Column { column: "y".into(), kind: None })) })
    };
    let once = covariates(&["i"]);
    let doubled = covariates(&["i", "i", "one"]);
    assert!(has(&doubled, "TL325"));
    let value = |r: &Reading| r.comparisons[0].estimate.as_ref().map(|e| (e.value, e.std_error));
    assert_eq!(value(&once), value(&doubled), "a covariate twice is one");
    let single = of(&table, &Plan { cluster: Some("one".into()), ..plan(Metric::column("y")) });
    assert!(
        single.comparisons[0].estimate_absent.as_ref().is_some_and(|why| why.contains("clusters are too few"))
            || has(&single, "TL333"),
        "{single:?}"
    );
    let wrong = Plan { segments: vec!["i".into()], ..plan(Metric::column("y")) };
    assert!(matches!(read(&table, &wrong), Err(EvidenceError::Data { code: "TL334", .. })));
    let unknown = Kind::Ratio { numerator: "y".into(), denominator: "non".into() };
    assert!(matches!(read(&table, &plan(Metric::new("r", unknown))), Err(EvidenceError::UnknownColumn { .. })));
    let wrong = plan(Metric::new("q", Kind::Quantile { column: "y".into(), at: 1.0 }));
    assert!(matches!(read(&table, &wrong), Err(EvidenceError::Setting { .. })));
}

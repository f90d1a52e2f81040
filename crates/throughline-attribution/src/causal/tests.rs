//! Small cases by hand, limits, hostile input.

use throughline_core::{EvidenceTier, Timestamp};
use throughline_stats::stream::Stream;

use super::*;
use crate::AttributionError;

/// What makes a piece of evidence useless.
type Change<'a> = &'a dyn Fn(&mut Evidence);

fn span(from: i64, to: i64) -> Span {
    let day = |d| Timestamp::from_micros(0).plus_days(d);
    Span::new(day(from), day(to)).expect("days")
}

fn period(from: i64, to: i64) -> Period {
    Period { span: span(from, to), conversions: 1_000.0, value: 20_000.0 }
}

/// A randomised experiment over the days of the first period.
fn measured(id: &str, channel: &str, estimate: f64, std_error: f64) -> Evidence {
    Evidence {
        id: id.into(),
        source: id.into(),
        channel: channel.into(),
        span: span(0, 90),
        scope: None,
        credit: None,
        credit_variance: 0.0,
        effect: Effect::Conversions { estimate, variance: std_error * std_error },
        tier: EvidenceTier::Randomised,
        healthy: true,
        current: true,
    }
}

fn credits() -> Vec<Credit> {
    vec![
        Credit { spend: Some(500.0), ..Credit::new("a", 0, 400.0, 8_000.0) },
        Credit::new("b", 0, 300.0, 9_000.0),
        Credit::new("c", 0, 200.0, 2_000.0),
    ]
}

fn run(evidence: &[Evidence]) -> Calibration {
    calibrate(&[period(0, 90)], &credits(), evidence, &Settings::default()).expect("valid")
}

fn of<'a>(found: &'a Calibration, channel: &str) -> &'a Distribution {
    found.cell(channel, 0).and_then(|c| c.conversions.as_ref()).expect("a number")
}

fn codes(found: &Calibration) -> Vec<&str> {
    found.diagnostics.iter().map(|d| d.code.as_str()).collect()
}

#[track_caller]
fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b} ± {tolerance}");
}

#[test]
fn precise_evidence_decides_alone() {
    let found = run(&[measured("x", "a", 120.0, 0.5)]);
    let (a, cell) = (of(&found, "a"), found.cell("a", 0).expect("there"));
    near(a.mean, 120.0, 0.01);
    near(a.std_dev, 0.5, 0.005);
    let (low, high) = a.interval(0.95).expect("a level");
    near(low, 120.0 - 0.98, 0.02);
    near(high, 120.0 + 0.98, 0.02);
    assert_eq!((cell.support, cell.tier), (Support::Own, EvidenceTier::Randomised));
    assert!(cell.own_share > 0.999, "{}", cell.own_share);
    // A credited conversion of `a` is worth 20, and 500 were spent.
    near(cell.value.as_ref().expect("value").mean, 2_400.0, 0.2);
    near(cell.iroas.as_ref().expect("spend").mean, 4.8, 0.001);
    near(cell.ratio.as_ref().expect("ratio").mean, 0.3, 1e-4);
    // The others know of it, but less.
    let b = found.cell("b", 0).expect("there");
    assert_eq!((b.support, b.tier, b.own_share), (Support::Population, EvidenceTier::Modelled, 0.0));
    assert!(b.iroas.is_none() && of(&found, "b").std_dev > 20.0);
    assert!(codes(&found).contains(&"TL496"));
}

#[test]
fn without_evidence_there_is_no_number() {
    let found = run(&[]);
    assert_eq!(codes(&found), ["TL490"]);
    assert!(found.population.is_none() && found.totals.is_empty());
    for cell in &found.cells {
        assert_eq!((cell.support, cell.tier), (Support::NoEvidence, EvidenceTier::Associational));
        assert!(cell.conversions.is_none() && cell.value.is_none() && cell.ratio.is_none());
    }
}

#[test]
fn evidence_of_infinite_variance_is_none() {
    let found = run(&[measured("x", "a", 120.0, f64::INFINITY)]);
    assert_eq!(codes(&found), ["TL492", "TL490"]);
    let one = [measured("x", "a", 120.0, 10.0)];
    let two = [one[0].clone(), measured("y", "b", 50.0, f64::INFINITY)];
    let vast = [one[0].clone(), measured("y", "b", 50.0, 1e8)];
    assert_eq!(run(&one).totals, run(&two).totals);
    near(of(&run(&one), "b").mean, of(&run(&vast), "b").mean, 1e-3);
}

#[test]
fn the_conjugate_posterior_by_hand() {
    // Spreads near 0: r ~ N(½, 1) for all, one experiment says r = 0.3 ± 0.1: precision 1 + 100, mean (0.5 + 30)/101.
    let settings = Settings { mean_sd: 1.0, channel_scale: 1e-9, drift_scale: 1e-9, ..Settings::default() };
    let evidence = [measured("x", "a", 120.0, 40.0)];
    let found = calibrate(&[period(0, 90)], &credits(), &evidence, &settings).expect("valid");
    for (channel, credit) in [("a", 400.0), ("b", 300.0), ("c", 200.0)] {
        near(of(&found, channel).mean, credit * 30.5 / 101.0, 1e-4);
        near(of(&found, channel).std_dev, credit / 101.0_f64.sqrt(), 1e-4);
    }
    // Everything moves together: the sum's deviation is the sum of the deviations, and the baseline is what is left.
    let total = &found.totals[0];
    near(total.incremental_conversions.std_dev, 900.0 / 101.0_f64.sqrt(), 1e-3);
    near(total.baseline_conversions.mean, 1_000.0 - 900.0 * 30.5 / 101.0, 1e-3);
    near(total.incremental_value.mean, 19_000.0 * 30.5 / 101.0, 1e-2);
}

#[test]
fn evidence_that_disagrees_is_named_and_widens() {
    let alone = run(&[measured("x", "a", 40.0, 10.0)]);
    let agreeing = run(&[measured("x", "a", 40.0, 10.0), measured("y", "a", 44.0, 10.0)]);
    let fighting = run(&[measured("x", "a", 40.0, 10.0), measured("y", "a", 240.0, 10.0)]);
    assert!(of(&agreeing, "a").std_dev < of(&alone, "a").std_dev);
    assert!(of(&fighting, "a").std_dev > 4.0 * of(&alone, "a").std_dev, "{:?}", of(&fighting, "a"));
    // Both lie within the interval, or nearly so: Q = 200²/200 = 200 widens each by √200.
    let conflict = &fighting.within_channels[0];
    near(conflict.q, 200.0, 1e-9);
    near(conflict.i_squared, 199.0 / 200.0, 1e-12);
    assert!(codes(&fighting).contains(&"TL494") && !codes(&agreeing).contains(&"TL494"));
    let message = fighting.diagnostics.iter().find(|d| d.code == "TL494").expect("said").message.clone();
    assert!(message.contains("`x`, `y` say 0.100, 0.600"), "{message}");
}

#[test]
fn harm_is_a_number_too() {
    let found = run(&[measured("x", "a", -80.0, 5.0)]);
    let a = of(&found, "a");
    assert!(a.mean < -75.0 && a.above_zero < 1e-6, "{a:?}");
    let more = run(&[measured("x", "a", 700.0, 5.0), measured("y", "b", 500.0, 5.0), measured("z", "c", 300.0, 5.0)]);
    let rest = &more.totals[0].baseline_conversions;
    near(rest.mean, -500.0, 5.0);
    assert!(rest.above_zero < 1e-6);
}

#[test]
fn another_period_is_less_certain_and_a_later_one_even_less() {
    let periods = [period(0, 90), period(90, 180), period(1_000, 1_090)];
    let credits: Vec<Credit> = (0..3).map(|p| Credit::new("a", p, 400.0, 8_000.0)).collect();
    let found = calibrate(&periods, &credits, &[measured("x", "a", 120.0, 4.0)], &Settings::default()).expect("valid");
    let deviation = |p: usize| found.cell("a", p).and_then(|c| c.conversions.as_ref()).expect("a number").std_dev;
    assert!(deviation(0) < 0.25 * deviation(1) && deviation(1) < deviation(2));
    assert_eq!(found.cell("a", 1).map(|c| (c.support, c.tier)), Some((Support::OwnElsewhere, EvidenceTier::Modelled)));
    assert_eq!(found.totals.len(), 4);
    assert_eq!(found.totals[3].period, None);
    near(found.totals[3].conversions, 3_000.0, 0.0);
}

#[test]
fn an_uncertain_credit_widens_what_is_carried_over_and_not_what_was_measured() {
    let noisy = |credit: Credit| {
        let draws: Vec<f64> = (0..200).map(|i| credit.conversions * (0.5 + f64::from(i) / 199.0)).collect();
        Credit { value_draws: draws.iter().map(|d| 20.0 * d).collect(), conversions_draws: draws, ..credit }
    };
    let noisy: Vec<Credit> = credits().into_iter().map(noisy).collect();
    let evidence = [measured("x", "a", 120.0, 0.5), measured("y", "c", 60.0, 0.5)];
    let wide = calibrate(&[period(0, 90)], &noisy, &evidence, &Settings::default()).expect("valid");
    near(of(&wide, "a").mean, 120.0, 0.02);
    near(of(&wide, "a").std_dev, 0.5, 0.005);
    assert!(of(&wide, "b").std_dev > of(&run(&evidence), "b").std_dev);
}

#[test]
fn what_cannot_be_switched_off_gets_no_number_from_others() {
    let mut credits = credits();
    credits[2].exchangeable = false;
    let evidence = [measured("x", "a", 120.0, 10.0)];
    let found = calibrate(&[period(0, 90)], &credits, &evidence, &Settings::default()).expect("valid");
    assert_eq!(found.cell("c", 0).map(|c| (c.support, c.conversions.is_none())), Some((Support::NoEvidence, true)));
    assert_eq!(found.totals[0].without_number, ["c"]);
    assert!(found.diagnostics.iter().any(|d| d.code == "TL490" && d.message.contains("no evidence on c")));
    // Evidence of its own gives it one, and says nothing about the others.
    let own = [measured("x", "c", 20.0, 1.0)];
    let found = calibrate(&[period(0, 90)], &credits, &own, &Settings::default()).expect("valid");
    near(of(&found, "c").mean, 20.0, 0.1);
    assert!(found.cell("a", 0).expect("there").conversions.is_none());
}

#[test]
fn each_experiment_counts_once() {
    let x = measured("x", "a", 120.0, 10.0);
    let twice = run(&[x.clone(), x.clone()]);
    assert_eq!(twice.cells, run(std::slice::from_ref(&x)).cells);
    assert!(codes(&twice).contains(&"TL493"));
    let other_reading = Evidence { id: "y".into(), tier: EvidenceTier::QuasiExperiment, ..x.clone() };
    let found = run(&[other_reading, x.clone()]);
    assert_eq!(found.used, ["x"], "the higher tier of one experiment");
    assert_eq!(found.cells, run(&[x]).cells);
}

#[test]
fn what_is_no_evidence_is_refused_by_name() {
    let x = measured("x", "a", 120.0, 10.0);
    let with = |change: &dyn Fn(&mut Evidence)| {
        let mut e = x.clone();
        change(&mut e);
        run(&[e])
    };
    let refused: [(Change<'_>, &str); 8] = [
        (&|e| e.tier = EvidenceTier::Modelled, "it is of tier 1"),
        (&|e| e.healthy = false, "a check of its design failed"),
        (&|e| e.current = false, "it is too old"),
        (&|e| e.effect = Effect::Conversions { estimate: f64::NAN, variance: 1.0 }, "not a finite number"),
        (&|e| e.effect = Effect::Conversions { estimate: 1.0, variance: 0.0 }, "a variance of 0"),
        (&|e| e.effect = Effect::Conversions { estimate: 1.0, variance: -1.0 }, "a variance of -1"),
        (&|e| e.credit = Some(f64::NAN), "its credit is NaN"),
        (&|e| e.scope = Some("north".into()), "credit in its scope and span is not known"),
    ];
    for (change, reason) in refused {
        let found = with(change);
        let said: Vec<&str> = found.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(said.iter().any(|m| m.contains(reason)), "{reason}: {said:?}");
        assert!(found.cells.iter().all(|c| c.conversions.is_none()), "{reason}");
    }
    // With its own credit a part of the market speaks.
    let part = with(&|e| (e.scope, e.credit) = (Some("north".into()), Some(100.0)));
    assert_eq!(part.cell("a", 0).map(|c| c.support), Some(Support::OwnElsewhere));
}

#[test]
fn credits_that_are_nothing_or_no_numbers() {
    let mut credits = credits();
    (credits[0].conversions, credits[0].value) = (0.0, 0.0);
    credits[1].value = f64::NAN;
    credits.push(credits[2].clone());
    let evidence = [measured("x", "a", 50.0, 5.0), measured("y", "c", 40.0, 5.0)];
    let found = calibrate(&[period(0, 90)], &credits, &evidence, &Settings::default()).expect("valid");
    assert_eq!(found.cells[0].support, Support::NoCredit);
    assert!(found.cells[0].conversions.is_none() && found.cells[1].conversions.is_none());
    assert!(found.cells[2].conversions.is_some() && found.cells[3].conversions.is_none(), "the copy is left out");
    assert_eq!(codes(&found).iter().filter(|c| **c == "TL491").count(), 2);
    assert!(codes(&found).contains(&"TL495"), "positive evidence, no credit: {:?}", codes(&found));
}

#[test]
fn wrong_calls_are_errors() {
    let bad = Settings { channel_scale: 0.0, ..Settings::default() };
    let message = calibrate(&[period(0, 90)], &credits(), &[], &bad).expect_err("no scale").to_string();
    assert_eq!(message, "prior scale between channels of 0 is outside 0.000000001 to 1000");
    let nan = Settings { mean: f64::NAN, ..Settings::default() };
    assert!(calibrate(&[period(0, 90)], &credits(), &[], &nan).is_err());
    assert!(matches!(calibrate(&[], &credits(), &[], &Settings::default()), Err(AttributionError::NoPeriod { .. })));
    let no = Period { value: f64::INFINITY, ..period(0, 90) };
    assert!(calibrate(&[no], &credits(), &[], &Settings::default()).is_err());
    assert!(Span::new(Timestamp::from_micros(5), Timestamp::from_micros(5)).is_err());
}

#[test]
fn the_order_of_evidence_changes_no_bit() {
    let mut evidence: Vec<Evidence> = (0..12)
        .map(|i| Evidence {
            span: span(7 * i, 7 * i + 30),
            credit: Some(30.0 + i as f64),
            ..measured(
                &format!("e{i}"),
                ["a", "b", "c"][usize::try_from(i).expect("small") % 3],
                10.0 + (i * i % 7) as f64,
                3.0,
            )
        })
        .collect();
    let one = run(&evidence);
    evidence.reverse();
    evidence.swap(2, 7);
    assert_eq!(one, run(&evidence));
}

/// Large channels with low ratios and small ones with high ones: a mean of ratios carries too much to a large channel, the ratio of
/// sums does not.
#[test]
fn size_does_not_bias_what_is_carried_over() {
    let tested = [("a", 1_000.0, 100.0), ("b", 900.0, 110.0), ("c", 100.0, 90.0), ("d", 80.0, 85.0)];
    let mut credits: Vec<Credit> = tested.iter().map(|(c, credit, _)| Credit::new(*c, 0, *credit, *credit)).collect();
    credits.push(Credit::new("e", 0, 950.0, 950.0));
    let evidence: Vec<Evidence> = tested.iter().map(|(c, _, effect)| measured(c, c, *effect, 5.0)).collect();
    let mean = |size_power: f64| {
        let settings = Settings { size_power, ..Settings::default() };
        let found = calibrate(&[period(0, 90)], &credits, &evidence, &settings).expect("valid");
        found.cell("e", 0).and_then(|c| c.conversions.clone()).expect("a number").mean / 950.0
    };
    // Σ effect / Σ credit = 385/2080 = 0.185; the mean of the ratios is 0.55.
    assert!((mean(0.5) - 0.185).abs() < 0.1, "{}", mean(0.5));
    assert!(mean(1.0) > 0.45, "{}", mean(1.0));
    let small = Settings { size_power: 2.0, ..Settings::default() };
    assert!(calibrate(&[period(0, 90)], &credits, &evidence, &small).is_err());
}

#[test]
fn very_precise_twins_can_be_solved() {
    let e = |id: &str, x: f64| measured(id, "a", x, 1e-9);
    let found = run(&[e("x", 120.0), e("y", 120.000_001), e("z", 120.0)]);
    near(of(&found, "a").mean, 120.0, 0.1);
    assert!(found.cells.iter().all(|c| c.conversions.as_ref().is_some_and(|d| d.std_dev.is_finite())));
}

/// Where the model's own assumptions hold, 90 % intervals hold the truth as often as they say: channels' ratios, drifts and errors
/// drawn from the prior, 120 times.
#[test]
fn intervals_hold_under_the_model() {
    let settings = Settings::default();
    let (mut held, mut sum) = (0, 0.0);
    let worlds = 120_u64;
    for world in 0..worlds {
        let stream = Stream::new(world, 0x63_61_75);
        let mut slot = 0;
        let mut normal = || {
            slot += 1;
            stream.normal_at(slot)
        };
        let mu = settings.mean + settings.mean_sd * normal();
        // Half-Cauchy and half-normal spreads.
        let tau = settings.channel_scale * (std::f64::consts::FRAC_PI_2 * stream.uniform_at(900)).tan();
        let omega = settings.drift_scale * normal().abs();
        let carried = (-90.0 / settings.memory_days).exp();
        let mut truth = Vec::new();
        let mut evidence = Vec::new();
        let mut credits = Vec::new();
        for c in 0..5_usize {
            let (a, first) = (tau * normal(), normal());
            let later = carried * first + (1.0 - carried * carried).sqrt() * normal();
            truth.push(100.0 * (mu + a + omega * later));
            let name = format!("c{c}");
            let earlier = 100.0 * (mu + a + omega * first);
            if c < 3 {
                evidence.push(measured(&format!("x{c}"), &name, earlier + 8.0 * normal(), 8.0));
            }
            credits.push(Credit::new(name.clone(), 0, 100.0, 100.0));
            credits.push(Credit::new(name, 1, 100.0, 100.0));
        }
        let found = calibrate(&[period(0, 90), period(90, 180)], &credits, &evidence, &settings).expect("valid");
        let target = usize::try_from(world).expect("small") % 5;
        let d = found.cell(&format!("c{target}"), 1).and_then(|c| c.conversions.clone()).expect("a number");
        let (low, high) = d.interval(0.9).expect("a level");
        held += u64::from(low <= truth[target] && truth[target] <= high);
        sum += (truth[target] - d.median).signum();
    }
    let p = throughline_stats::goodness::binomial_test(
        held,
        worlds,
        0.9,
        throughline_stats::goodness::Alternative::TwoSided,
    );
    assert!(p.expect("a test") > 0.001, "{held} of {worlds}");
    assert!(sum.abs() < 4.0 * (worlds as f64).sqrt(), "medians are on one side: {sum}");
}

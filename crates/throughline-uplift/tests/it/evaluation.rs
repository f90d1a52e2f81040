//! Measures of rankings and predicted effects against slow references, in any order of rows, on bad input.

use proptest::prelude::*;
use throughline_core::Level;
use throughline_uplift::{
    EffectScores, GainCurve, Observed, PercentileStrategy, PoissonBootstrap, Propensity, RateTarget, Scored,
    UpliftError, calibrate_effects, causalml_scores, effect_losses, effects_by_period, effects_by_quantile,
    effects_by_segment, gain_bands, qini_scores, rate, toc, uplift_at, uplift_by_percentile,
};

#[derive(Debug, Clone, Copy)]
struct Person {
    score: f64,
    treated: bool,
    outcome: f64,
    propensity: f64,
    mu: (f64, f64),
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let one =
        (0_i32..5, any::<bool>(), -4_i32..5, 1_i32..10, -2_i32..3, -2_i32..3).prop_map(|(s, treated, y, e, a, b)| {
            Person {
                score: f64::from(s) / 3.0,
                treated,
                outcome: f64::from(y) / 7.0,
                propensity: f64::from(e) / 10.0,
                mu: (f64::from(a) / 3.0, f64::from(b) / 3.0),
            }
        });
    prop::collection::vec(one, 2..40).prop_map(|mut people| {
        people[0].treated = true;
        people[1].treated = false;
        people
    })
}

fn column<T>(people: &[Person], f: impl Fn(&Person) -> T) -> Vec<T> {
    people.iter().map(f).collect()
}

fn scores(people: &[Person]) -> EffectScores {
    let (treated, outcome) = (column(people, |p| p.treated), column(people, |p| p.outcome));
    let observed = Observed { treated: &treated, outcome: &outcome };
    let e = column(people, |p| p.propensity);
    let (mu0, mu1) = (column(people, |p| p.mu.0), column(people, |p| p.mu.1));
    EffectScores::doubly_robust(observed, Propensity::Estimated(&e), &mu0, &mu1).expect("scores")
}

/// Everything that is computed, as text: equal texts are equal bits.
fn everything(people: &[Person], persons: &[u64]) -> String {
    let (scores, score) = (scores(people), column(people, |p| p.score));
    let (treated, outcome) = (column(people, |p| p.treated), column(people, |p| p.outcome));
    let scored = Scored::new(&score, &treated, &outcome).expect("scored");
    let segment = column(people, |p| u32::from(p.propensity > 0.5));
    let names = ["low".to_owned(), "high".to_owned()];
    let period = column(people, |p| i64::from(p.mu.0 > 0.0));
    let observed = Observed { treated: &treated, outcome: &outcome };
    let randomised = EffectScores::randomised(observed, None).expect("scores");
    let bootstrap = PoissonBootstrap { draws: 39, seed: 3, persons: Some(persons) };
    let l = Level::P90;
    format!(
        "{:?}",
        (
            (causalml_scores(&scored), qini_scores(&scored), uplift_at(&scored, 0.4, PercentileStrategy::Overall)),
            uplift_by_percentile(&scored, 3, PercentileStrategy::Overall),
            [RateTarget::Autoc, RateTarget::Qini].map(|t| rate(&scores, &score, t, l).expect("a rate").estimate),
            rate(&randomised, &score, RateTarget::Autoc, l).expect("a rate").estimate,
            toc(&scores, &score, &[0.1, 0.5, 1.0]).expect("a curve"),
            calibrate_effects(&scores, &score, l).expect("a calibration"),
            effects_by_quantile(&scores, &score, 3, l).expect("groups"),
            effects_by_segment(&scores, &score, &segment, &names, l).expect("groups"),
            effects_by_period(&scores, &score, &period, l).expect("groups"),
            effect_losses(&scores, &score, l).expect("losses"),
            gain_bands(GainCurve::Qini(observed), &[&score], &bootstrap).expect("bands"),
            gain_bands(GainCurve::DoublyRobust(&scores), &[&score], &bootstrap).expect("bands"),
        )
    )
}

/// grf's definition for one order of rows.
fn plain_rate(gamma: &[f64], target: RateTarget) -> f64 {
    let n = gamma.len() as f64;
    let mean = gamma.iter().sum::<f64>() / n;
    let toc = |j: usize| gamma[..j].iter().sum::<f64>() / j as f64 - mean;
    let weight = |j: usize| if target == RateTarget::Autoc { 1.0 } else { j as f64 / n };
    (1..=gamma.len()).map(|j| weight(j) * toc(j)).sum::<f64>() / n
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn nothing_depends_on_the_order_of_rows_or_is_nan(people in people(), turn in 0_usize..40) {
        let persons: Vec<u64> = (100..100 + people.len() as u64).collect();
        let mut turned: Vec<(Person, u64)> = people.iter().copied().zip(persons.iter().copied()).collect();
        turned.rotate_left(turn % people.len());
        turned.reverse();
        let (others, keys): (Vec<Person>, Vec<u64>) = turned.into_iter().unzip();
        let (a, b) = (everything(&people, &persons), everything(&others, &keys));
        prop_assert!(!a.contains("NaN"), "{}", a);
        prop_assert_eq!(a, b);
    }

    #[test]
    fn rates_are_the_mean_over_orders_of_ties(people in people().prop_map(|mut p| { p.truncate(6); p })) {
        let (scores, score) = (scores(&people), column(&people, |p| p.score));
        for target in [RateTarget::Autoc, RateTarget::Qini] {
            let (mut sum, mut count) = (0.0, 0.0);
            for_each_order(&mut (0..people.len()).collect::<Vec<_>>(), 0, &mut |order| {
                let mut sorted = order.to_vec();
                sorted.sort_by(|&a, &b| score[b].total_cmp(&score[a]));
                let gamma: Vec<f64> = sorted.iter().map(|&i| scores.values()[i]).collect();
                sum += plain_rate(&gamma, target);
                count += 1.0;
            });
            let found = rate(&scores, &score, target, Level::P95).expect("a rate");
            prop_assert!((found.estimate.value - sum / count).abs() < 1e-10, "{} {}", found.estimate.value, sum / count);
        }
    }

    #[test]
    fn bands_stand_around_the_curve_and_areas_are_those_of_the_scores(people in people()) {
        let score = column(&people, |p| p.score);
        let (treated, outcome) = (column(&people, |p| p.treated), column(&people, |p| p.outcome));
        let observed = Observed { treated: &treated, outcome: &outcome };
        let named = qini_scores(&Scored::new(&score, &treated, &outcome).expect("scored"));
        let n2 = (people.len() * people.len()) as f64;
        let bootstrap = PoissonBootstrap { draws: 40, ..PoissonBootstrap::default() };
        for (curve, area) in [(GainCurve::Qini(observed), named.qini_area), (GainCurve::Uplift(observed), named.uplift_area)] {
            let band = gain_bands(curve, &[&score], &bootstrap).expect("bands").remove(0);
            prop_assert!((band.area - area / n2).abs() < 1e-12, "{} {}", band.area, area / n2);
            for ((gain, inner), outer) in band.gain.iter().zip(&band.inner).zip(&band.outer) {
                prop_assert!(outer.0 <= inner.0 && inner.0 <= *gain && *gain <= inner.1 && inner.1 <= outer.1);
            }
        }
    }
}

fn for_each_order(order: &mut Vec<usize>, from: usize, visit: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        visit(order);
    }
    for i in from..order.len() {
        order.swap(from, i);
        for_each_order(order, from + 1, visit);
        order.swap(from, i);
    }
}

#[test]
fn long_rankings_have_the_plain_rate() {
    // Beyond the sums that are taken term by term.
    let n = 700_u32;
    let treated: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
    let outcome: Vec<f64> = (0..n).map(|i| f64::from((i * 37) % 101) / 10.0).collect();
    let scores = EffectScores::randomised(Observed { treated: &treated, outcome: &outcome }, None).expect("scores");
    let score: Vec<f64> = (0..n).map(|i| -f64::from(i)).collect();
    let pairs: Vec<f64> = (0..n).map(|i| -f64::from(i / 70)).collect();
    let averaged: Vec<f64> = scores.values().chunks(70).flat_map(|c| vec![c.iter().sum::<f64>() / 70.0; 70]).collect();
    for target in [RateTarget::Autoc, RateTarget::Qini] {
        for (priority, gamma) in [(&score, scores.values()), (&pairs, &averaged[..])] {
            let found = rate(&scores, priority, target, Level::P95).expect("a rate").estimate.value;
            let expect = plain_rate(gamma, target);
            assert!((found - expect).abs() < 1e-11, "{target:?} {found} {expect}");
        }
    }
}

#[test]
fn targeting_curves_are_means_of_the_best() {
    let treated = [true, false, true, false];
    let outcome = [4.0, 0.0, 2.0, 1.0];
    let scores = EffectScores::randomised(Observed { treated: &treated, outcome: &outcome }, None).expect("scores");
    let gamma = scores.values();
    assert!((gamma.iter().sum::<f64>() / 4.0 - 2.5).abs() < 1e-12, "{gamma:?}");
    let found = toc(&scores, &[4.0, 3.0, 2.0, 1.0], &[0.5, 1.0, 0.0, f64::NAN]).expect("a curve");
    assert!((found[0] - (f64::midpoint(gamma[0], gamma[1]) - 2.5)).abs() < 1e-12 && found[1].abs() < 1e-12);
    assert_eq!(found[2], found[3]);
    let tied = toc(&scores, &[1.0; 4], &[0.3, 0.9]).expect("a curve");
    assert!(tied.iter().all(|t| t.abs() < 1e-12), "{tied:?}");
}

#[test]
fn bad_input_is_refused_or_said() {
    let (treated, outcome) = ([true, false, true, false], [1.0, 0.0, 2.0, 0.0]);
    let observed = Observed { treated: &treated, outcome: &outcome };
    let zero = [0.0; 4];
    let robust = |e: &[f64], mu: &[f64]| EffectScores::doubly_robust(observed, Propensity::Known(e), mu, &zero);
    let text = |r: Result<EffectScores, UpliftError>| r.expect_err("refused").to_string();
    assert!(text(robust(&[0.5, 0.5, f64::NAN, 2.0], &zero)).contains("2 values that are not between 0 and 1"));
    assert!(text(robust(&[0.5; 4], &[0.0, f64::INFINITY, 0.0, 0.0])).contains("outcome regression"));
    assert!(text(robust(&[0.5; 3], &zero)).contains("propensity has 3 rows"));
    let none = Observed { treated: &[false; 4], outcome: &outcome };
    assert_eq!(text(EffectScores::randomised(none, None)), "there are no treated rows");
    let all = Observed { treated: &[true; 4], outcome: &outcome };
    assert_eq!(text(EffectScores::randomised(all, None)), "there are no control rows");
    assert!(text(EffectScores::randomised(observed, Some(0.0))).contains("probability of treatment"));
    let moved = robust(&[0.0, 1.0, 0.5, 0.5], &zero).expect("scores");
    assert_eq!(moved.diagnostics()[0].code, "TL740");
    assert!(moved.values().iter().all(|v| v.is_finite()), "{moved:?}");

    let scores = EffectScores::randomised(observed, None).expect("scores");
    let l = Level::P95;
    assert!(rate(&scores, &[1.0, f64::NAN, 1.0, 1.0], RateTarget::Autoc, l).is_err());
    let constant = rate(&scores, &[1.0; 4], RateTarget::Autoc, l).expect("a rate").estimate;
    assert_eq!((constant.value, constant.p_value), (0.0, 1.0));
    let flat = calibrate_effects(&scores, &[0.3; 4], l).expect("a calibration");
    assert_eq!((flat.slope, flat.diagnostics[0].code.as_str()), (None, "TL741"));
    let tiny = effects_by_quantile(&scores, &[4.0, 3.0, 2.0, 1.0], 4, l).expect("groups");
    assert!(tiny.groups.iter().all(|g| g.effect.is_none()) && tiny.same_effect_p.is_none());
    assert!(tiny.diagnostics[0].code == "TL742" && tiny.diagnostics[0].message.contains("`1` (1 treated, 0 control)"));
    let names = ["all".to_owned(), "nobody".to_owned()];
    let segments = effects_by_segment(&scores, &zero, &[0; 4], &names, l).expect("groups");
    assert!(segments.groups[0].effect.is_some() && segments.groups[1].predicted.is_none());
    assert!(effects_by_segment(&scores, &zero, &[2; 4], &names, l).is_err());
    assert!(effects_by_quantile(&scores, &zero, 0, l).is_err());
    let few = PoissonBootstrap { draws: 5, ..PoissonBootstrap::default() };
    let error = gain_bands(GainCurve::Qini(observed), &[&zero], &few).expect_err("few").to_string();
    assert!(error.contains("draws of 5 is outside 39 to 100000"), "{error}");
    // An arm may be absent from a draw, or from the data: the curve is still defined.
    let bands = gain_bands(GainCurve::Qini(none), &[&zero], &PoissonBootstrap::default()).expect("bands");
    assert!(bands[0].area_draws.iter().all(|a| a.is_finite()));
}

#[test]
fn drift_over_time_is_found() {
    let n = 400_u32;
    let treated: Vec<bool> = (0..n).map(|i| (i / 4) % 2 == 0).collect();
    let period: Vec<i64> = (0..n).map(|i| i64::from(i % 4)).collect();
    // The effect falls by 1 a period; 3 was promised.
    let outcome: Vec<f64> = (0..n)
        .map(|i| f64::from((i * 7) % 5) / 10.0 + if treated[i as usize] { 3.0 - f64::from(i % 4) } else { 0.0 })
        .collect();
    let scores = EffectScores::randomised(Observed { treated: &treated, outcome: &outcome }, None).expect("scores");
    let found = effects_by_period(&scores, &[3.0; 400], &period, Level::P95).expect("groups");
    let drift = found.drift.expect("a drift");
    assert!(drift.set.contains(-1.0) && !drift.set.contains(0.0), "{drift:?}");
    let names: Vec<&str> = found.groups.iter().map(|g| g.name.as_str()).collect();
    assert_eq!(names, ["0", "1", "2", "3"]);
    assert!(found.same_effect_p.expect("a test") < 1e-6);
}

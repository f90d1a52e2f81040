//! Calibrators against slow references, in any order of rows, on bad input.

use proptest::prelude::*;
use serde_json::{Value, json};
use throughline_core::Level;
use throughline_learn::{
    CALIBRATORS, CalibrationInput, FittedCalibrator, LearnError, Predicted, ProperScore, auc, brier, calibration_error,
    calibrator, choose_calibrator, lift_table, load_calibrator, log_loss,
};
use throughline_stats::stream::Stream;

fn fit(
    name: &str,
    params: &Value,
    score: &[f64],
    event: &[bool],
    weights: Option<&[f64]>,
) -> Box<dyn FittedCalibrator> {
    let unfitted = (calibrator(name).expect("known").build)(params).expect("parameters");
    unfitted.fit(&CalibrationInput { score, event, weights }).expect("a fit").0
}

fn codes(name: &str, score: &[f64], event: &[bool]) -> (Vec<f64>, Vec<String>) {
    let unfitted = (calibrator(name).expect("known").build)(&Value::Null).expect("parameters");
    let (fitted, found) = unfitted.fit(&CalibrationInput { score, event, weights: None }).expect("a fit");
    (fitted.calibrate(score).expect("probabilities"), found.into_iter().map(|d| d.code).collect())
}

/// True probabilities p and events; the scores are distorted by the function.
fn world(n: u64, seed: u64, distort: impl Fn(f64) -> f64) -> (Vec<f64>, Vec<bool>, Vec<f64>) {
    let stream = Stream::new(seed, 80);
    let p: Vec<f64> = (0..n).map(|i| 0.02 + 0.96 * stream.uniform_at(2 * i)).collect();
    let event = (0..n).zip(&p).map(|(i, p)| stream.uniform_at(2 * i + 1) < *p).collect();
    (p.iter().map(|p| distort(*p)).collect(), event, p)
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    (a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>() / a.len() as f64).sqrt()
}

/// Isotonic regression by its min-max formula: max over starts of min over ends of the mean between.
fn min_max(points: &[(f64, f64, f64)]) -> Vec<f64> {
    let mean = |a: usize, b: usize| {
        let (y, w) = points[a..=b].iter().fold((0.0, 0.0), |(y, w), p| (y + p.1 * p.2, w + p.2));
        y / w
    };
    let least = |a: usize, i: usize| (i..points.len()).map(|b| mean(a, b)).fold(f64::INFINITY, f64::min);
    (0..points.len()).map(|i| (0..=i).map(|a| least(a, i)).fold(f64::NEG_INFINITY, f64::max)).collect()
}

proptest! {
    #[test]
    fn isotonic_is_the_min_max_formula(
        rows in prop::collection::vec((0_i32..8, any::<bool>(), 0_u8..4), 1..30),
    ) {
        let score: Vec<f64> = rows.iter().map(|r| f64::from(r.0) / 8.0).collect();
        let event: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2)).collect();
        prop_assume!(weights.iter().sum::<f64>() > 0.0);
        let mut points: Vec<(f64, f64, f64)> = Vec::new();
        for s in 0..8 {
            let own = rows.iter().filter(|r| r.0 == s);
            let (y, w) = own.fold((0.0, 0.0), |(y, w), r| (y + f64::from(r.2) * f64::from(u8::from(r.1)), w + f64::from(r.2)));
            if w > 0.0 {
                points.push((f64::from(s) / 8.0, y / w, w));
            }
        }
        let fitted = fit("isotonic", &Value::Null, &score, &event, Some(&weights));
        let at: Vec<f64> = points.iter().map(|p| p.0).collect();
        let got = fitted.calibrate(&at).expect("probabilities");
        for (got, expect) in got.iter().zip(min_max(&points)) {
            prop_assert!((got - expect).abs() < 1e-12, "{got} {expect} {points:?}");
        }
    }

    #[test]
    fn the_order_of_rows_changes_no_bit(
        rows in prop::collection::vec((0_i32..12, any::<bool>(), 1_u8..5), 12..50),
        turn in 0_usize..50,
    ) {
        let all = |rows: &[(i32, bool, u8)]| -> String {
            let score: Vec<f64> = rows.iter().map(|r| f64::from(r.0) / 11.0).collect();
            let event: Vec<bool> = rows.iter().map(|r| r.1).collect();
            let weights: Vec<f64> = rows.iter().map(|r| f64::from(r.2) / 3.0).collect();
            let states: Vec<Value> = CALIBRATORS
                .iter()
                .map(|e| fit(e.name, &Value::Null, &score, &event, Some(&weights)).state())
                .collect();
            let input = CalibrationInput { score: &score, event: &event, weights: Some(&weights) };
            let choice = choose_calibrator(CALIBRATORS, &input, 3, ProperScore::Brier, Level::P95).expect("a choice");
            let predicted = Predicted::new(&score, &event).expect("counts");
            let l = Level::P95;
            format!(
                "{states:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                choice.candidates, auc(&predicted, l), log_loss(&predicted, l), brier(&predicted, Some(4), l),
                brier(&predicted, None, l), calibration_error(&predicted, 4, l), lift_table(&predicted, 5),
            )
        };
        let mut turned = rows.clone();
        turned.rotate_left(turn % rows.len());
        turned.reverse();
        let (a, b) = (all(&rows), all(&turned));
        prop_assert!(!a.contains("NaN"), "{}", a);
        prop_assert_eq!(a, b);
    }
}

#[test]
fn distortions_are_undone() {
    let squeeze = |p: f64| 1.0 / (1.0 + (-(0.4 * (p / (1.0 - p)).ln() + 1.0)).exp());
    let (score, event, p) = world(20_000, 1, squeeze);
    assert!(distance(&score, &p) > 0.2);
    for (name, most) in [("platt", 0.01), ("beta", 0.01), ("isotonic", 0.03)] {
        let got = fit(name, &Value::Null, &score, &event, None).calibrate(&score).expect("probabilities");
        assert!(distance(&got, &p) < most, "{name}: {}", distance(&got, &p));
        let error = |p: &[f64]| {
            let found = calibration_error(&Predicted::new(p, &event).expect("counts"), 20, Level::P95);
            found.expect("an error").debiased.expect("rows")
        };
        assert!(error(&got) < 0.012 && error(&score) > 0.15, "{name}: {} {}", error(&got), error(&score));
    }
    // A bend that no sigmoid of log-odds has, but a beta calibration: p^(1/3).
    let (score, event, p) = world(20_000, 2, |p| p.powf(3.0));
    let got = |name: &str| fit(name, &Value::Null, &score, &event, None).calibrate(&score).expect("probabilities");
    assert!(distance(&got("beta"), &p) < 0.02, "{}", distance(&got("beta"), &p));
}

#[test]
fn platt_is_maximum_likelihood_with_smoothed_targets() {
    let (score, event, _) = world(300, 5, |p| p);
    let fitted = fit("platt", &json!({ "on": "score" }), &score, &event, None);
    let q = fitted.calibrate(&score).expect("probabilities");
    let (events, others) = event.iter().fold((0.0, 0.0), |(p, n), e| if *e { (p + 1.0, n) } else { (p, n + 1.0) });
    let target = |e: bool| if e { (events + 1.0) / (events + 2.0) } else { 1.0 / (others + 2.0) };
    // The derivatives of the likelihood in intercept and slope are 0.
    let slopes = score.iter().zip(&event).zip(&q).fold((0.0, 0.0), |(a, b), ((s, e), q)| {
        let r = target(*e) - q;
        (a + r, b + r * s)
    });
    assert!(slopes.0.abs() < 1e-8 && slopes.1.abs() < 1e-8, "{slopes:?}");
    let error = fitted.calibrate(&[f64::NAN]).expect_err("refused").to_string();
    assert!(error.contains("not finite"), "{error}");
}

#[test]
fn beta_is_the_constrained_maximum() {
    for (seed, distort) in [(7, 1.0), (8, -1.0), (9, 0.0)] {
        let (score, event, _) = world(150, seed, |p| if distort == 0.0 { 0.3 + 0.4 * p } else { p.powf(4.0) });
        let event: Vec<bool> = event.iter().map(|e| *e != (distort < 0.0)).collect();
        let likelihood = |c: f64, a: f64, b: f64| -> f64 {
            score
                .iter()
                .zip(&event)
                .map(|(p, e)| {
                    let eta = c + a * p.ln() - b * (1.0 - p).ln();
                    -(if *e { -eta } else { eta }).exp().ln_1p()
                })
                .sum()
        };
        let fitted = fit("beta", &Value::Null, &score, &event, None);
        let got: f64 = fitted
            .calibrate(&score)
            .expect("probabilities")
            .iter()
            .zip(&event)
            .map(|(q, e)| if *e { q.ln() } else { (1.0 - q).ln() })
            .sum();
        // A grid around cannot do better.
        for c in -20..=20 {
            for a in 0..=12 {
                for b in 0..=12 {
                    let at = likelihood(f64::from(c) / 4.0, f64::from(a) / 4.0, f64::from(b) / 4.0);
                    assert!(at <= got + 1e-6, "{seed}: {c} {a} {b} {at} {got}");
                }
            }
        }
    }
}

#[test]
fn saved_calibrators_are_the_same_bits() {
    let (score, event, _) = world(500, 11, |p| p * p);
    let at: Vec<f64> = (0..=200).map(|i| f64::from(i) / 200.0).collect();
    for entry in CALIBRATORS {
        let fitted = fit(entry.name, &Value::Null, &score, &event, None);
        let text = fitted.state().to_string();
        let restored = (entry.load)(&serde_json::from_str(&text).expect("JSON")).expect("loads");
        assert_eq!(restored.name(), entry.name);
        let (a, b) = (fitted.calibrate(&at).expect("p"), restored.calibrate(&at).expect("p"));
        assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", entry.name);
        assert!(a.windows(2).all(|w| w[0] <= w[1]) && a.iter().all(|p| (0.0..=1.0).contains(p)), "{}", entry.name);
        for bad in [json!({}), json!({ "bits": "00" }), json!({ "bits": "zz", "on": "score" })] {
            assert!((entry.load)(&bad).is_err(), "{}: {bad}", entry.name);
        }
    }
    let input = CalibrationInput { score: &score, event: &event, weights: None };
    let choice = choose_calibrator(CALIBRATORS, &input, 5, ProperScore::LogLoss, Level::P95).expect("a choice");
    let restored = load_calibrator(&choice.state()).expect("loads");
    assert_eq!(restored.calibrate(&at).expect("p"), choice.fitted.calibrate(&at).expect("p"));
    assert!(load_calibrator(&json!({ "calibrator": "oracle", "state": {} })).is_err());
    let error = calibrator("spline").expect_err("unknown").to_string();
    assert_eq!(error, "unknown calibrator `spline` (known: identity, platt, beta, isotonic)");
}

#[test]
fn the_choice_follows_the_data() {
    let chosen = |n: u64, distort: &dyn Fn(f64) -> f64, score: ProperScore| {
        let (s, event, p) = world(n, 21, distort);
        let input = CalibrationInput { score: &s, event: &event, weights: None };
        let choice = choose_calibrator(CALIBRATORS, &input, 5, score, Level::P95).expect("a choice");
        let name = choice.fitted.name();
        let own = choice.candidates.iter().find(|c| c.name == name).expect("the chosen");
        assert!(choice.candidates.iter().all(|c| c.loss >= own.loss && c.excess.value >= 0.0));
        assert_eq!((own.excess.value, choice.candidates.len()), (0.0, 4));
        assert!(distance(&choice.out_of_fold, &p) < 0.05, "{name} {}", distance(&choice.out_of_fold, &p));
        name
    };
    for score in [ProperScore::LogLoss, ProperScore::Brier] {
        // Steps, which no smooth function follows.
        let step = |p: f64| if p < 0.4 { p / 100.0 } else { 0.9 + p / 100.0 };
        assert_ne!(chosen(8_000, &step, score), "identity");
        let squeeze = |p: f64| 1.0 / (1.0 + (-(0.4 * (p / (1.0 - p)).ln() + 1.0)).exp());
        assert!(["platt", "beta"].contains(&chosen(8_000, &squeeze, score)));
    }
}

#[test]
fn bad_input_is_refused_or_said() {
    let refused = |name: &str, score: &[f64], event: &[bool], weights: Option<&[f64]>| {
        let unfitted = (calibrator(name).expect("known").build)(&Value::Null).expect("parameters");
        unfitted.fit(&CalibrationInput { score, event, weights }).map(|_| ()).expect_err("refused").to_string()
    };
    for entry in CALIBRATORS {
        assert!(refused(entry.name, &[0.5, f64::NAN], &[true, false], None).contains("not finite"));
        assert!(refused(entry.name, &[0.5, f64::INFINITY], &[true, false], None).contains("not finite"));
        assert!(refused(entry.name, &[], &[], None).contains("there are no rows"));
        assert!(refused(entry.name, &[0.5], &[true, false], None).contains("2 rows"));
        assert!(refused(entry.name, &[0.5], &[true], Some(&[-1.0])).contains("weights holds 1"));
        assert!((entry.build)(&json!({ "bend": 1 })).is_err());
        // One class and constant scores: constant probabilities.
        let (p, found) = codes(entry.name, &[0.3, 0.7, 0.7], &[true; 3]);
        assert!(p.iter().all(|p| p.is_finite()));
        if entry.name != "identity" {
            assert_eq!(found, ["TL750"], "{}", entry.name);
            assert_eq!((p[0], refused(entry.name, &[0.5], &[true], Some(&[0.0])).contains("weight")), (p[2], true));
            let (p, _) = codes(entry.name, &[0.5; 4], &[true, false, false, false]);
            assert!((p[0] - 0.25).abs() < 0.1, "{} {p:?}", entry.name);
        }
        if entry.name != "isotonic" {
            assert!(refused(entry.name, &[-0.5, 1.5], &[true, false], None).contains("between 0 and 1"));
        }
    }
    // Scores that are the wrong way round.
    let score: Vec<f64> = (0..40).map(|i| f64::from(i) / 40.0).collect();
    let event: Vec<bool> = (0..40).map(|i| i < 20).collect();
    for name in ["platt", "beta", "isotonic"] {
        let (p, found) = codes(name, &score, &event);
        assert_eq!(found, ["TL753"], "{name}");
        assert!(name == "platt" || p.iter().all(|p| (p - 0.5).abs() < 1e-9), "{name} {p:?}");
    }
    // Separated classes: finite and rising.
    let event: Vec<bool> = (0..40).map(|i| i >= 20).collect();
    for name in ["platt", "beta", "isotonic"] {
        let (p, _) = codes(name, &score, &event);
        assert!(p.iter().all(|p| p.is_finite()) && p[0] < 0.2 && p[39] > 0.8, "{name} {p:?}");
    }
    let choose = |score: &[f64], event: &[bool], folds: usize| {
        let input = CalibrationInput { score, event, weights: None };
        choose_calibrator(CALIBRATORS, &input, folds, ProperScore::LogLoss, Level::P95)
    };
    let few = choose(&[0.2, 0.4, 0.9], &[false, true, true], 5).expect("a choice");
    assert_eq!((few.fitted.name(), few.diagnostics.last().map(|d| d.code.as_str())), ("platt", Some("TL755")));
    let one = choose(&[0.2; 30], &[false; 30], 5).expect("a choice");
    assert_eq!((one.fitted.name(), one.diagnostics[0].code.as_str()), ("platt", "TL750"));
    assert!(matches!(choose(&[0.2; 30], &[false; 30], 1), Err(LearnError::Params { .. })));
    // Margins are no probabilities: only isotonic takes them as they are.
    let margins: Vec<f64> = score.iter().map(|s| 10.0 * s - 5.0).collect();
    assert_eq!(choose(&margins, &event, 4).expect("a choice").fitted.name(), "isotonic");
}

//! Effects that are known, save and load, threads, and bad input.

use serde_json::{Value, json};
use throughline_stats::stream::Stream;

use super::*;
use crate::{Effects, FeatureMatrix, UPLIFT_MODELS, uplift_model};

struct Market {
    features: FeatureMatrix,
    outcome: Vec<f64>,
    arm: Vec<u32>,
    truth: Vec<f64>,
}

/// Three features, an effect of 1 where the second is above 0.5, and arms that follow the first feature when `chosen`.
fn market(rows: usize, chosen: bool) -> Market {
    let stream = Stream::new(9, 1);
    let at = |row: usize, k: u64| stream.uniform_at(row as u64 * 8 + k);
    let columns: Vec<Vec<f64>> = (0..3).map(|k| (0..rows).map(|row| at(row, k)).collect()).collect();
    let chance = |row: usize| if chosen { 0.2 + 0.6 * columns[0][row] } else { 0.5 };
    let arm: Vec<u32> = (0..rows).map(|row| u32::from(at(row, 4) < chance(row))).collect();
    let truth: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(columns[1][row] > 0.5))).collect();
    let noise = |row: usize| stream.normal_at(1_000_000 + row as u64) * 0.5;
    let outcome = (0..rows).map(|row| 2.0 * columns[0][row] + truth[row] * f64::from(arm[row]) + noise(row)).collect();
    let names = ["x0", "x1", "x2"];
    let named = names.into_iter().map(str::to_owned).zip(columns).collect();
    Market { features: FeatureMatrix::from_numbers(named).expect("a matrix").0, outcome, arm, truth }
}

fn fitted(name: &str, market: &Market, params: &Value) -> Box<dyn FittedUplift> {
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (training, _) = Training::new(&market.features, &market.outcome, &market.arm, &arms, None).expect("training");
    let unfitted = (uplift_model(name).expect("a model").build)(params).expect("parameters");
    unfitted.fit(&training).expect("a fit").0
}

fn effects(name: &str, market: &Market, params: &Value) -> Effects {
    fitted(name, market, params).effects(&market.features).expect("effects")
}

fn pehe(found: &Effects, market: &Market) -> f64 {
    let squares = found.arms[0].effect.iter().zip(&market.truth).map(|(a, b)| (a - b).powi(2));
    (squares.sum::<f64>() / market.truth.len() as f64).sqrt()
}

#[test]
fn known_effects_are_found() {
    #[track_caller]
    fn check(name: &str, chosen: bool, params: &Value, most: f64) {
        let market = market(6_000, chosen);
        let found = effects(name, &market, params);
        let error = pehe(&found, &market);
        assert!(error < most, "{name}: {error}");
        // Without treatment the outcome is 2 x0, and 1 in the mean.
        let mean = found.mu_control.iter().sum::<f64>() / found.mu_control.len() as f64;
        assert!((mean - 1.0).abs() < 0.1, "{name}: {mean}");
    }
    let learnt = json!({ "propensity": "estimated" });
    for name in NAMES {
        check(name, false, &Value::Null, 0.3);
        check(name, true, &learnt, 0.3);
    }
}

#[test]
fn assignment_by_a_feature_misleads_shares_but_not_learnt_propensities() {
    let market = market(6_000, true);
    let mean = |params: &Value| {
        let found = effects("r_learner", &market, params);
        found.arms[0].effect.iter().sum::<f64>() / 6_000.0
    };
    let (by_share, learnt) = (mean(&Value::Null), mean(&json!({ "propensity": "estimated" })));
    assert!((learnt - 0.5).abs() < 0.06, "{learnt}");
    assert!((by_share - 0.5).abs() > (learnt - 0.5).abs(), "{by_share} against {learnt}");
}

#[test]
fn doubly_robust_scores_are_right_with_a_hopeless_outcome_model() {
    // A straight line cannot follow the outcome; linear learners of effects see the slope of the truth.
    let market = market(6_000, false);
    let params = json!({ "learner": "ridge", "effect_learner": "boosted_trees" });
    let known: Vec<&str> = crate::LEARNERS.iter().map(|l| l.name).collect();
    let params = if known.contains(&"ridge") {
        params
    } else {
        json!({ "learner": known[1], "effect_learner": "boosted_trees" })
    };
    assert!(pehe(&effects("dr_learner", &market, &params), &market) < 0.3);
}

#[test]
fn saved_models_predict_the_same_bits_and_threads_change_none() {
    let market = market(800, true);
    for name in NAMES {
        for params in [Value::Null, json!({ "propensity": "estimated", "folds": 2 })] {
            let model = fitted(name, &market, &params);
            let entry = UPLIFT_MODELS.iter().find(|m| m.name == name).expect("an entry");
            let again = (entry.load)(&model.state().expect("a state")).expect("loads");
            let (one, two) = (model.effects(&market.features), again.effects(&market.features));
            assert_eq!(one.expect("effects"), two.expect("effects"), "{name}");
            let arms = ["none".to_owned(), "mail".to_owned()];
            let on = |threads: usize| {
                let (training, _) =
                    Training::new(&market.features, &market.outcome, &market.arm, &arms, None).expect("training");
                let threads = std::num::NonZeroUsize::new(threads).expect("some");
                let unfitted = (entry.build)(&params).expect("parameters");
                let (model, _) = unfitted.fit(&training.with_threads(threads)).expect("a fit");
                model.state().expect("a state")
            };
            assert_eq!(on(1), on(3), "{name}");
        }
    }
}

#[test]
fn folds_hold_both_arms_and_depend_on_nothing_but_seed_and_row() {
    let market = market(500, false);
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (training, _) = Training::new(&market.features, &market.outcome, &market.arm, &arms, None).expect("training");
    let meta = Meta {
        kind: Kind::Dr,
        params: MetaParams::default(),
        outcome: (learner("boosted_trees").expect("known").build)(&Value::Null).expect("defaults"),
        effect: (learner("boosted_trees").expect("known").build)(&Value::Null).expect("defaults"),
    };
    let (control, treated) = (training.rows_of(0), training.rows_of(1));
    let both: Vec<usize> = (0..500).collect();
    let pair =
        Pair { meta: &meta, training: &training, arm: 1, control: &control, treated: &treated, both, task: Task::Mean };
    let folds = pair.folds();
    for rows in [&control, &treated] {
        for fold in 0..5 {
            let share = rows.iter().filter(|r| folds[**r] == fold).count();
            assert!(share.abs_diff(rows.len() / 5) <= 1, "{share} of {}", rows.len());
        }
    }
    // Out of fold: a learner that remembers everything knows nothing of the row it predicts.
    let found = pair.outcome_out_of_fold(&control, &folds).expect("predictions");
    let inside = pair.outcome(&control).expect("a fit").predict_rows(&market.features, &control).expect("predictions");
    let error = |guess: &dyn Fn(usize) -> f64| {
        control.iter().enumerate().map(|(i, &r)| (guess(i) - market.outcome[r]).powi(2)).sum::<f64>()
    };
    assert!(error(&|i| inside[i]) < error(&|i| found[control[i]]));
}

#[test]
fn bad_parameters_and_useless_data_have_defined_answers() {
    for (params, expect) in [
        (json!({ "folds": 1 }), "folds of 1 is outside 2 to 20"),
        (json!({ "trim": 0.5 }), "trim of 0.5 is outside 0 to 0.5"),
        (json!({ "learner": "oracle" }), "unknown learner `oracle`"),
        (json!({ "effect_learner": "oracle" }), "unknown learner `oracle`"),
        (json!({ "fold": 3 }), "unknown field `fold`"),
    ] {
        let error = build(Kind::X, &params).expect_err("refused").to_string();
        assert!(error.contains(expect), "{error}");
    }
    let mut market = market(400, false);
    market.outcome.fill(1.0);
    for name in NAMES {
        let found = effects(name, &market, &json!({ "propensity": "estimated" }));
        assert!(found.arms[0].effect.iter().all(|e| e.abs() < 1e-6), "{name}");
    }
}

#[test]
fn every_arm_has_its_own_effect() {
    let two = market(6_000, false);
    let stream = Stream::new(4, 4);
    // Of the treated, every other one gets an arm that does the opposite.
    let arm: Vec<u32> =
        two.arm.iter().zip(0..).map(|(a, row)| a * (1 + u32::from(stream.uniform_at(row) < 0.5))).collect();
    let outcome: Vec<f64> = two
        .outcome
        .iter()
        .zip(&two.truth)
        .zip(&arm)
        .map(|((y, t), a)| if *a == 2 { y - 2.0 * t } else { *y })
        .collect();
    let arms = ["none", "mail", "call"].map(str::to_owned);
    for name in NAMES {
        let (training, _) = Training::new(&two.features, &outcome, &arm, &arms, None).expect("training");
        let unfitted = (uplift_model(name).expect("a model").build)(&Value::Null).expect("parameters");
        let found = unfitted.fit(&training).expect("a fit").0.effects(&two.features).expect("effects");
        let mean = |arm: &str| found.of(arm).expect("an arm").iter().sum::<f64>() / 6_000.0;
        assert!(
            (mean("mail") - 0.5).abs() < 0.08 && (mean("call") + 0.5).abs() < 0.08,
            "{name}: {} {}",
            mean("mail"),
            mean("call")
        );
    }
}

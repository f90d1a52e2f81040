//! Known effects are recovered, fits are deterministic, saved models are the same models.

use std::num::NonZeroUsize;

use proptest::prelude::*;
use serde_json::{Value, json};
use throughline_core::Level;
use throughline_stats::stream::Stream;
use throughline_uplift::{
    Artefact, Encoder, FeatureMatrix, RankingVerdict, Raw, RawColumn, Scored, Training, UpliftError, content_hash,
    evaluate, learner, uplift_model,
};

fn uniform(stream: u64, i: usize) -> f64 {
    Stream::new(20, stream).uniform_at(i as u64)
}

struct World {
    x: Vec<f64>,
    channel: Vec<&'static str>,
    arm: Vec<u32>,
    outcome: Vec<f64>,
    arms: Vec<String>,
}

/// Arm 1 adds `effect` × x, arm 2 does nothing; noise is uniform in ±1.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "draws of 0, 1 and 2")]
fn world(n: usize, effect: f64, stream: u64) -> World {
    let x: Vec<f64> = (0..n).map(|i| uniform(stream, i)).collect();
    let channel = (0..n).map(|i| ["web", "phone", "shop"][(uniform(stream + 1, i) * 3.0) as usize]).collect();
    let arm: Vec<u32> = (0..n).map(|i| (uniform(stream + 2, i) * 3.0) as u32).collect();
    let outcome =
        (0..n).map(|i| 2.0 * uniform(stream + 3, i) - 1.0 + if arm[i] == 1 { effect * x[i] } else { 0.0 }).collect();
    World { x, channel, arm, outcome, arms: ["none", "mail", "call"].map(str::to_owned).to_vec() }
}

impl World {
    fn raw(&self) -> Vec<RawColumn<'_>> {
        vec![RawColumn::numbers("x", &self.x), RawColumn::categories("channel", &self.channel)]
    }

    fn fit(&self, params: &Value, threads: usize) -> Artefact {
        let raw = self.raw();
        let (encoder, _) = Encoder::fit(&raw).expect("encoder");
        let (features, _) = encoder.transform(&raw).expect("features");
        let (training, _) = Training::new(&features, &self.outcome, &self.arm, &self.arms, None).expect("training");
        let training = training.with_threads(NonZeroUsize::new(threads).expect("positive"));
        let unfitted = (uplift_model("two_model").expect("known").build)(params).expect("parameters");
        let (model, _) = unfitted.fit(&training).expect("fits");
        Artefact { encoder, model }
    }
}

#[test]
fn known_effects_are_recovered() {
    let data = world(12_000, 2.0, 1);
    let (effects, _) = data.fit(&Value::Null, 2).score(&data.raw()).expect("scores");
    let error = |arm: &str, truth: &dyn Fn(f64) -> f64| {
        let effect = effects.of(arm).expect("the arm");
        (effect.iter().zip(&data.x).map(|(e, x)| (e - truth(*x)).powi(2)).sum::<f64>() / effect.len() as f64).sqrt()
    };
    // The effect of the mail has a standard deviation of 0.58 between people.
    assert!(error("mail", &|x| 2.0 * x) < 0.12, "{}", error("mail", &|x| 2.0 * x));
    assert!(error("call", &|_| 0.0) < 0.12, "{}", error("call", &|_| 0.0));
    assert_eq!(effects.of("none"), None);
    assert_eq!(effects.mu_control.len(), 12_000);
}

#[test]
fn probabilities_are_learnt_for_binary_outcomes() {
    let mut data = world(6_000, 0.0, 9);
    data.outcome = (0..6_000)
        .map(|i| f64::from(uniform(77, i) < if data.arm[i] == 1 { 0.2 + 0.4 * data.x[i] } else { 0.2 }))
        .collect();
    let (effects, _) = data.fit(&Value::Null, 1).score(&data.raw()).expect("scores");
    assert!(effects.mu_control.iter().all(|p| (0.0..=1.0).contains(p)));
    let mail = effects.of("mail").expect("the arm");
    let mean = mail.iter().sum::<f64>() / 6_000.0;
    assert!((mean - 0.2).abs() < 0.04, "{mean}");
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let data = world(30_000, 1.0, 4);
    let params = json!({ "learner_params": { "rounds": 20, "subsample": 0.7, "seed": 5 } });
    let one = data.fit(&params, 1).to_bytes().expect("saved");
    let two = data.fit(&params, 2).to_bytes().expect("saved");
    assert_eq!(content_hash(&one), content_hash(&two));
    let other_seed = json!({ "learner_params": { "rounds": 20, "subsample": 0.7, "seed": 6 } });
    assert_ne!(content_hash(&one), content_hash(&data.fit(&other_seed, 1).to_bytes().expect("saved")));
}

#[test]
fn a_saved_model_predicts_the_same_bits() {
    let data = world(3_000, 1.0, 2);
    let fitted = data.fit(&Value::Null, 2);
    let bytes = fitted.to_bytes().expect("saved");
    let loaded = Artefact::from_bytes(&bytes).expect("loads");
    assert_eq!(loaded.score(&data.raw()).expect("scores").0, fitted.score(&data.raw()).expect("scores").0);
    assert_eq!(loaded.to_bytes().expect("saved"), bytes);
    assert_eq!(loaded.model.arms(), ["mail", "call"]);
}

#[test]
fn unreadable_models_say_why() {
    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        let error = Artefact::from_bytes(bytes).expect_err("refused").to_string();
        assert!(error.contains(expect), "{error}");
    }
    let bytes = world(600, 1.0, 3).fit(&Value::Null, 1).to_bytes().expect("saved");
    let text = String::from_utf8(bytes).expect("JSON");
    check(text.replace("\"format_version\":1", "\"format_version\":9").as_bytes(), "format version 9");
    check(text.replace("\"model\":\"two_model\"", "\"model\":\"oracle\"").as_bytes(), "(known: two_model,");
    check(text.replace("\"trees\":\"", "\"trees\":\"00").as_bytes(), "not a readable uplift model");
    check(&text.as_bytes()[..200], "not a readable uplift model");
    check(b"{}", "its `format` is not");
}

#[test]
fn unknown_names_and_parameters_are_refused() {
    let error = uplift_model("t-learner").expect_err("unknown").to_string();
    assert_eq!(
        error,
        "unknown uplift model `t-learner` (known: two_model, s_learner, x_learner, r_learner, dr_learner, forest)"
    );
    assert!(learner("forest").expect_err("unknown").to_string().contains("known: boosted_trees"));
    let build = |params: Value| (uplift_model("two_model").expect("known").build)(&params).map(|_| ());
    let text = |params: Value| build(params).expect_err("refused").to_string();
    assert!(text(json!({ "learner_params": { "rounds": 0 } })).contains("rounds of 0 is outside 1 to 10000"));
    assert!(text(json!({ "learner_params": { "subsample": 2.0 } })).contains("subsample"));
    assert!(text(json!({ "lerner": "x" })).contains("unknown field `lerner`"));
}

#[test]
fn useless_features_and_one_class_give_answers() {
    let n = 400;
    let (x, y) = (vec![1.0; n], vec![0.0; n]);
    let raw = [
        RawColumn::numbers("constant", &x),
        RawColumn { name: "missing".to_owned(), values: Raw::Number(vec![None; n]) },
        RawColumn { name: "nobody".to_owned(), values: Raw::Category(vec![None; n]) },
    ];
    let arm: Vec<u32> = (0..n).map(|i| u32::from(i % 2 == 0)).collect();
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (encoder, _) = Encoder::fit(&raw).expect("encoder");
    let (features, _) = encoder.transform(&raw).expect("features");
    for (outcome, expect) in [(y.clone(), true), ((0..n).map(|i| (i % 3) as f64).collect(), false)] {
        let (training, found) = Training::new(&features, &outcome, &arm, &arms, None).expect("training");
        let codes: Vec<&str> = found.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes.contains(&"TL706"), expect, "{codes:?}");
        assert!(codes.contains(&"TL702") && codes.contains(&"TL703"), "{codes:?}");
        let (model, _) = (uplift_model("two_model").expect("known").build)(&Value::Null)
            .expect("built")
            .fit(&training)
            .expect("fits");
        let effects = model.effects(&features).expect("effects");
        assert!(effects.of("mail").expect("the arm").iter().all(|e| e.is_finite()));
    }
}

#[test]
fn features_must_be_those_of_the_model() {
    let fitted = world(600, 1.0, 3).fit(&Value::Null, 1);
    let (other, _) = FeatureMatrix::from_numbers(vec![("y".to_owned(), vec![1.0])]).expect("a matrix");
    let error = fitted.model.effects(&other).expect_err("refused");
    assert!(matches!(error, UpliftError::FeatureOrder { .. }), "{error}");
}

#[test]
fn a_ranking_inside_the_noise_is_called_that() {
    let data = world(6_000, 2.0, 21);
    let keep: Vec<usize> = (0..6_000).filter(|&i| data.arm[i] < 2).collect();
    let treated: Vec<bool> = keep.iter().map(|&i| data.arm[i] == 1).collect();
    let outcome: Vec<f64> = keep.iter().map(|&i| data.outcome[i]).collect();
    let verdict = |score: &dyn Fn(usize) -> f64| {
        let score: Vec<f64> = keep.iter().map(|&i| score(i)).collect();
        let scored = Scored::new(&score, &treated, &outcome).expect("scored");
        let evaluation = evaluate(&scored, Level::P95).expect("evaluated");
        assert_eq!(evaluation.verdict == RankingVerdict::InsideNoise, !evaluation.diagnostics.is_empty());
        evaluation.verdict
    };
    assert_eq!(verdict(&|i| data.x[i]), RankingVerdict::BetterThanRandom);
    assert_eq!(verdict(&|i| -data.x[i]), RankingVerdict::WorseThanRandom);
    assert_eq!(verdict(&|i| uniform(99, i)), RankingVerdict::InsideNoise);
    assert_eq!(verdict(&|_| 1.0), RankingVerdict::InsideNoise);
}

proptest! {
    #[test]
    fn evaluation_does_not_depend_on_the_order_of_rows(
        rows in prop::collection::vec((0_i32..6, any::<bool>(), -3.0_f64..3.0), 2..80),
        binary in any::<bool>(),
        turn in 0_usize..80,
    ) {
        let evaluated = |rows: &[(i32, bool, f64)]| {
            let score: Vec<f64> = rows.iter().map(|r| f64::from(r.0)).collect();
            let treated: Vec<bool> = rows.iter().map(|r| r.1).collect();
            let outcome: Vec<f64> =
                rows.iter().map(|r| if binary { f64::from(r.2 > 0.0) } else { r.2 }).collect();
            evaluate(&Scored::new(&score, &treated, &outcome).expect("scored"), Level::P90).expect("evaluated")
        };
        let mut turned = rows.clone();
        turned.rotate_left(turn % rows.len());
        turned.reverse();
        let (a, b) = (evaluated(&rows), evaluated(&turned));
        prop_assert!(a.scores.qini_area.is_finite() && a.scores.uplift_area.is_finite());
        prop_assert_eq!(a, b);
    }
}

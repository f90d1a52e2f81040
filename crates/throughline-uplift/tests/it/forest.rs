//! The honest forest: known effects, coverage of its intervals, honesty, bits, files and bad input.

use std::num::NonZeroUsize;

use serde_json::{Value, json};
use throughline_core::Level;
use throughline_stats::dist::normal_sf;
use throughline_stats::stream::Stream;
use throughline_uplift::{
    Artefact, Effects, Encoder, FeatureMatrix, Forest, ForestParams, Grown, RawColumn, Training, UpliftError,
    uplift_model,
};

/// A market: two features in (0, 1), chance of treatment ½ or more for high x, outcome 2 x₀ + effect + noise.
struct Market {
    x: [Vec<f64>; 2],
    arm: Vec<u32>,
    outcome: Vec<f64>,
    weights: Option<Vec<f64>>,
}

/// How the market is drawn.
struct Draw {
    rows: usize,
    arms: u32,
    seed: u64,
    /// Effect of arm a at x₀, x₁.
    effect: fn(u32, f64, f64) -> f64,
    /// Chance of arm 1 at x₀ where there are two arms.
    chance: fn(f64) -> f64,
    noise: f64,
}

impl Draw {
    fn market(&self) -> Market {
        let uniform = |stream: u64, row: usize| Stream::new(self.seed, stream).uniform_at(row as u64);
        let x = [0, 1].map(|c| (0..self.rows).map(|r| uniform(c, r)).collect::<Vec<f64>>());
        let arm_of = |row: usize| {
            let u = uniform(2, row);
            if self.arms == 2 {
                u32::from(u < (self.chance)(x[0][row]))
            } else {
                (1..self.arms).filter(|a| u * f64::from(self.arms) >= f64::from(*a)).count().try_into().unwrap_or(0)
            }
        };
        let arm: Vec<u32> = (0..self.rows).map(arm_of).collect();
        let noise = |row: usize| self.noise * Stream::new(self.seed, 3).normal_at(row as u64);
        let outcome = (0..self.rows)
            .map(|r| 2.0 * x[0][r] + if arm[r] > 0 { (self.effect)(arm[r], x[0][r], x[1][r]) } else { 0.0 } + noise(r))
            .collect();
        Market { x, arm, outcome, weights: None }
    }
}

const HALF: fn(f64) -> f64 = |_| 0.5;

impl Market {
    fn features(&self) -> FeatureMatrix {
        let columns = self.x.iter().enumerate().map(|(i, x)| (format!("x{i}"), x.clone())).collect();
        FeatureMatrix::from_numbers(columns).expect("a matrix").0
    }

    fn grow(&self, params: &Value, threads: usize) -> Grown {
        self.try_grow(params, threads).expect("grows")
    }

    fn try_grow(&self, params: &Value, threads: usize) -> Result<Grown, UpliftError> {
        let features = self.features();
        let arms: Vec<String> = ["none", "mail", "call"].map(str::to_owned).to_vec();
        let named = 1 + self.arm.iter().max().map_or(0, |a| *a as usize);
        let arms = &arms[..named.max(2)];
        let (training, _) = Training::new(&features, &self.outcome, &self.arm, arms, self.weights.as_deref())?;
        let training = training.with_threads(NonZeroUsize::new(threads).expect("positive"));
        let params: ForestParams = serde_json::from_value(params.clone()).expect("parameters");
        Forest::new(params)?.grow(&training)
    }

    fn effects(&self, grown: &Grown) -> Effects {
        use throughline_uplift::FittedUplift;
        grown.forest.effects(&self.features()).expect("effects")
    }
}

/// Quick residuals for tests of the forest itself.
fn quick(trees: usize, seed: u64) -> Value {
    json!({ "trees": trees, "outcome_learner": "linear", "propensity": "shares", "seed": seed })
}

fn rms(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    (values.map(|v| v * v).sum::<f64>() / n).sqrt()
}

#[test]
fn effects_that_differ_are_found() {
    let effect = |arm: u32, x0: f64, x1: f64| if arm == 1 { 2.0 * x1 } else { f64::from(x0 > 0.5) };
    let market = Draw { rows: 6_000, arms: 3, seed: 5, effect, chance: HALF, noise: 1.0 }.market();
    let grown = market.grow(&quick(200, 1), 2);
    let effects = market.effects(&grown);
    for (arm, name) in [(1, "mail"), (2, "call")] {
        let got = effects.of(name).expect("the arm");
        let error = rms((0..got.len()).map(|i| got[i] - effect(arm, market.x[0][i], market.x[1][i])));
        assert!(error < 0.25, "{name}: {error}");
        let errors = effects.arms[arm as usize - 1].std_error.as_ref().expect("errors");
        assert!(errors.iter().all(|e| *e > 0.0 && *e < 1.0));
    }
    // The feature that moves the effect leads.
    let lead = |arm: &str| grown.forest.importance(arm).expect("the arm")[0].feature.clone();
    assert_eq!((lead("mail"), lead("call")), ("x1".to_owned(), "x0".to_owned()));
    assert_eq!(grown.forest.importance("none"), None);
    let average = &grown.forest.average_effects()[1];
    assert_eq!(average.arm, "call");
    assert!((average.estimate.value - 0.5).abs() < 4.0 * average.estimate.std_error.expect("an error"));
    // The outcome without treatment is 2 x₀.
    let baseline = rms((0..6_000).map(|i| effects.mu_control[i] - 2.0 * market.x[0][i]));
    assert!(baseline < 0.1, "{baseline}");
}

#[test]
fn confounding_is_taken_out() {
    // High x₀ has higher outcomes and is treated more often: the plain difference of arms is far above the effect of 1.
    let market =
        Draw { rows: 8_000, arms: 2, seed: 8, effect: |_, _, _| 1.0, chance: |x| 0.2 + 0.6 * x, noise: 0.5 }.market();
    let mean = |arm: u32| {
        let own: Vec<f64> = (0..8_000).filter(|&i| market.arm[i] == arm).map(|i| market.outcome[i]).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    assert!(mean(1) - mean(0) > 1.3);
    let known: Vec<Vec<f64>> = [false, true]
        .map(|treated| market.x[0].iter().map(|x| if treated { 0.2 + 0.6 * x } else { 0.8 - 0.6 * x }).collect())
        .to_vec();
    let features = market.features();
    let arms = ["none".to_owned(), "mail".to_owned()];
    let (training, _) = Training::new(&features, &market.outcome, &market.arm, &arms, None).expect("training");
    let params = || ForestParams { trees: 100, outcome_learner: "linear".to_owned(), ..ForestParams::default() };
    for training in [training, training.with_propensity(&known).expect("chances")] {
        let grown = Forest::new(params()).expect("parameters").grow(&training).expect("grows");
        let average = &grown.forest.average_effects()[0].estimate;
        assert!((average.value - 1.0).abs() < 0.06, "{}", average.value);
        let error = rms(market.effects(&grown).of("mail").expect("the arm").iter().map(|e| e - 1.0));
        assert!(error < 0.12, "{error}");
    }
    assert!(training.with_propensity(&known[..1]).is_err());
    let wrong = [vec![0.5; 8_000], vec![0.6; 8_000]];
    assert!(training.with_propensity(&wrong).expect_err("above 1").to_string().contains("at most 1"));
}

/// P(X ≤ k) or P(X ≥ k), the smaller, for a binomial count, by the normal approximation with continuity correction.
fn tail(hits: usize, n: usize, p: f64) -> f64 {
    let (k, mean, sd) = (hits as f64, n as f64 * p, (n as f64 * p * (1.0 - p)).sqrt());
    normal_sf(((k - mean).abs() - 0.5).max(0.0) / sd)
}

#[test]
fn intervals_cover_as_often_as_they_say() {
    const SETS: usize = 240;
    // Effects of 1 above x₁ = ½ and 0 below, so the groups have effects of 1 and 0.
    let effect: fn(u32, f64, f64) -> f64 = |_, _, x1| f64::from(x1 > 0.5);
    let (mut group_hits, mut one_hits) = ([0; 2], 0);
    for set in 0..SETS {
        let market = Draw { rows: 400, arms: 2, seed: 1_000 + set as u64, effect, chance: HALF, noise: 1.0 }.market();
        let grown = market.grow(&quick(50, set as u64), 2);
        for (group, hits) in group_hits.iter_mut().enumerate() {
            let member = |row: usize| usize::from(market.x[1][row] > 0.5) == group;
            let average = grown.out_of_bag[0].average_effect(Level::P90, member).expect("finite").expect("rows");
            *hits += usize::from(average.estimate.set.contains(group as f64));
        }
        // A person far from the step: the effect of the neighbourhood is that of the person.
        let flat =
            Draw { rows: 400, arms: 2, seed: 5_000 + set as u64, effect: |_, _, _| 1.0, chance: HALF, noise: 1.0 };
        let flat = flat.market();
        let effects = flat.effects(&flat.grow(&quick(200, set as u64), 2));
        let mail = &effects.arms[0];
        let error = mail.std_error.as_ref().expect("errors")[0];
        one_hits += usize::from((mail.effect[0] - 1.0).abs() <= 1.644_853_626_951_472 * error);
    }
    for hits in group_hits {
        assert!(tail(hits, SETS, 0.9) > 1e-3, "group intervals of 90 % cover {hits} of {SETS}");
    }
    assert!(tail(one_hits, SETS, 0.9) > 1e-3, "intervals of one person of 90 % cover {one_hits} of {SETS}");
}

#[test]
fn noise_gives_flat_effects() {
    let market = Draw { rows: 4_000, arms: 2, seed: 77, effect: |_, _, _| 0.0, chance: HALF, noise: 1.0 }.market();
    let grown = market.grow(&quick(400, 3), 2);
    let mail = &market.effects(&grown).arms[0];
    let errors = mail.std_error.as_ref().expect("errors");
    let scores: Vec<f64> = mail.effect.iter().zip(errors).map(|(e, s)| e / s).collect();
    let beyond = scores.iter().filter(|z| z.abs() > 1.96).count() as f64 / scores.len() as f64;
    assert!(beyond < 0.15, "{beyond}");
    let typical = rms(errors.iter().copied());
    assert!(rms(mail.effect.iter().copied()) < 1.3 * typical, "{typical}");
    // Honest: effects do not follow the outcomes of the very rows asked for. Out of bag the correlation with the row's own
    // score is that of noise.
    let outside = &grown.out_of_bag[0];
    let own: f64 = (0..4_000)
        .map(|i| outside.effect[i] * (f64::from(market.arm[i]) - 0.5) * (market.outcome[i] - 2.0 * market.x[0][i]))
        .sum();
    let bound = 4.0 * rms(outside.effect.iter().copied()) * 0.5 * 4_000_f64.sqrt();
    assert!(own.abs() < bound, "{own} against {bound}");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let market =
        Draw { rows: 6_000, arms: 3, seed: 4, effect: |a, x, _| f64::from(a) * x, chance: HALF, noise: 1.0 }.market();
    let mut params = quick(60, 5);
    params["propensity"] = json!("estimated");
    let state = |threads: usize, params: &Value| {
        use throughline_uplift::FittedUplift;
        let grown = market.grow(params, threads);
        (grown.forest.state().expect("saved").to_string(), grown.out_of_bag)
    };
    let one = state(1, &params);
    assert!(one == state(2, &params) && one == state(3, &params));
    params["seed"] = json!(6);
    assert!(one != state(2, &params));
}

#[test]
fn a_saved_forest_predicts_the_same_bits() {
    let market = Draw { rows: 1_000, arms: 3, seed: 6, effect: |_, x, _| x, chance: HALF, noise: 1.0 }.market();
    let channel: Vec<&str> = market.x[1].iter().map(|x| if *x < 0.3 { "web" } else { "shop" }).collect();
    let mut raw = vec![RawColumn::categories("channel", &channel)];
    raw.extend(market.x.iter().enumerate().map(|(i, x)| RawColumn::numbers(["x0", "x1"][i], x)));
    let (encoder, _) = Encoder::fit(&raw).expect("encoder");
    let (features, _) = encoder.transform(&raw).expect("features");
    let arms = ["none", "mail", "call"].map(str::to_owned);
    let (training, _) = Training::new(&features, &market.outcome, &market.arm, &arms, None).expect("training");
    let unfitted = (uplift_model("forest").expect("known").build)(&quick(20, 0)).expect("parameters");
    let (model, _) = unfitted.fit(&training).expect("fits");
    let fitted = Artefact { encoder, model };
    let bytes = fitted.to_bytes().expect("saved");
    let loaded = Artefact::from_bytes(&bytes).expect("loads");
    assert_eq!(loaded.score(&raw).expect("scores").0, fitted.score(&raw).expect("scores").0);
    assert_eq!(loaded.to_bytes().expect("saved"), bytes);
    assert_eq!(loaded.model.average_effects(), fitted.model.average_effects());
    assert_eq!(loaded.model.importance("call"), fitted.model.importance("call"));

    let mut document: Value = serde_json::from_slice(&bytes).expect("JSON");
    let trees = document["state"]["arms"][0]["trees"].as_str().expect("trees").to_owned();
    // The third byte of the root's child, and half a byte less.
    for broken in [format!("{}ff{}", &trees[..44], &trees[46..]), trees[1..].to_owned()] {
        document["state"]["arms"][0]["trees"] = json!(broken);
        assert!(Artefact::from_bytes(&serde_json::to_vec(&document).expect("JSON")).is_err());
    }
    document["state"]["arms"][0]["trees"] = json!(&trees[..trees.len() - 2]);
    let broken = serde_json::to_vec(&document).expect("JSON");
    assert!(Artefact::from_bytes(&broken).expect_err("cut").to_string().contains("trees is damaged"));
}

#[test]
fn missing_values_carry_information() {
    // The effect is 2 where x₁ is missing and 0 elsewhere.
    let mut market = Draw {
        rows: 4_000,
        arms: 2,
        seed: 9,
        effect: |_, _, x1| if x1 > 0.7 { 2.0 } else { 0.0 },
        chance: HALF,
        noise: 0.5,
    }
    .market();
    market.x[1].iter_mut().filter(|x| **x > 0.7).for_each(|x| *x = f64::NAN);
    let effects = market.effects(&market.grow(&quick(100, 2), 2));
    let mail = effects.of("mail").expect("the arm");
    let error = rms((0..4_000).map(|i| mail[i] - if market.x[1][i].is_nan() { 2.0 } else { 0.0 }));
    assert!(error < 0.25, "{error}");
    // A model that never saw missing values answers for them too.
    let whole = Draw { rows: 1_000, arms: 2, seed: 3, effect: |_, x, _| x, chance: HALF, noise: 0.5 }.market();
    let grown = whole.grow(&quick(20, 2), 2);
    let blank = Market { x: [vec![f64::NAN; 3], vec![f64::NAN; 3]], arm: vec![], outcome: vec![], weights: None };
    assert!(blank.effects(&grown).arms[0].effect.iter().all(|e| e.is_finite() && e.abs() < 2.0));
}

#[test]
fn weights_count_like_copies_and_zero_like_absence() {
    // Rows with x₁ > ½ have an effect of 2 and nine times the weight: the average is 1.8.
    let mut market =
        Draw { rows: 4_000, arms: 2, seed: 12, effect: |_, _, x1| 2.0 * f64::from(x1 > 0.5), chance: HALF, noise: 0.5 }
            .market();
    market.weights = Some(market.x[1].iter().map(|x| if *x > 0.5 { 9.0 } else { 1.0 }).collect());
    let grown = market.grow(&quick(100, 2), 2);
    let average = &grown.forest.average_effects()[0].estimate;
    assert!((average.value - 1.8).abs() < 0.1, "{}", average.value);
    // Poisoned rows without weight leave no trace.
    let clean = grown.out_of_bag[0].effect.clone();
    let size = clean.len();
    market.weights.as_mut().expect("weights").extend([0.0; 500]);
    market.outcome.extend([1e6; 500]);
    market.arm.extend((0..500).map(|i| i % 2));
    market.x.iter_mut().for_each(|x| x.extend((0..500).map(|i| f64::from(i) / 500.0)));
    let poisoned = market.grow(&quick(100, 2), 2);
    assert_eq!(poisoned.out_of_bag[0].rows.len(), size);
    assert!(poisoned.out_of_bag[0].effect.iter().all(|e| e.abs() < 4.0));
    // Multiplying all weights changes nothing that matters.
    let mut scaled = Draw { rows: 1_000, arms: 2, seed: 2, effect: |_, x, _| x, chance: HALF, noise: 0.5 }.market();
    scaled.weights = Some(vec![1.0; 1_000]);
    let (one, mut unweighted) = (scaled.grow(&quick(20, 1), 1), Market { weights: None, ..scaled });
    let none = unweighted.grow(&quick(20, 1), 1);
    let gap = rms(one.out_of_bag[0].effect.iter().zip(&none.out_of_bag[0].effect).map(|(a, b)| a - b));
    assert!(gap < 1e-9, "{gap}");
    unweighted.weights = Some(vec![1e-3; 1_000]);
    let small = unweighted.grow(&quick(20, 1), 1);
    let gap = rms(small.out_of_bag[0].effect.iter().zip(&none.out_of_bag[0].effect).map(|(a, b)| a - b));
    assert!(gap < 1e-6, "{gap}");
}

#[test]
fn bad_input_gets_a_word_or_a_finite_answer() {
    /// A market spoilt on purpose → codes of the findings, or the error.
    #[track_caller]
    fn check(rows: usize, spoil: impl Fn(&mut Market), params: &Value, expect: &str) {
        let mut market = Draw { rows, arms: 2, seed: 31, effect: |_, x, _| x, chance: HALF, noise: 0.5 }.market();
        spoil(&mut market);
        let got = match market.try_grow(params, 2) {
            Err(error) => error.to_string(),
            Ok(grown) => {
                let effects = market.effects(&grown);
                for arm in &effects.arms {
                    assert!(arm.effect.iter().all(|e| e.is_finite()));
                    assert!(arm.std_error.iter().flatten().all(|e| *e >= 0.0));
                }
                assert!(effects.mu_control.iter().all(|m| m.is_finite()));
                assert!(grown.out_of_bag[0].score.iter().all(|s| s.is_finite()));
                grown.diagnostics.iter().map(|d| d.code.as_str()).collect::<Vec<_>>().join(",")
            }
        };
        assert!(got.contains(expect) && got.is_empty() == expect.is_empty(), "{got}");
    }
    let forest = quick(20, 0);
    let estimated = json!({ "trees": 20, "seed": 1, "trim": 0.05 });
    check(500, |_| {}, &forest, "");
    check(100, |m| m.arm = (0..100).map(|i| i % 2).collect(), &forest, "");
    check(500, |m| m.x[0].fill(1.0), &forest, "");
    check(500, |m| m.x.iter_mut().for_each(|x| x.fill(1.0)), &estimated, "");
    check(500, |m| m.x.iter_mut().for_each(|x| x.fill(f64::NAN)), &estimated, "");
    check(500, |m| m.outcome.fill(3.0), &estimated, "");
    check(500, |m| m.outcome.iter_mut().for_each(|y| *y *= 1e30), &forest, "");
    check(500, |m| m.outcome.iter_mut().for_each(|y| *y *= 1e-200), &forest, "");
    check(500, |m| m.arm.fill(1), &forest, "arm `none` has 0 rows");
    check(500, |m| m.arm.fill(0), &forest, "arm `mail` has 0 rows");
    check(500, |m| m.weights = Some(vec![0.0; 500]), &forest, "arm `none` has 0 rows");
    check(
        500,
        |m| m.weights = Some(m.arm.iter().map(|a| f64::from(1 - a)).collect()),
        &forest,
        "arm `mail` has 0 rows",
    );
    // Nobody with x₀ > ½ is treated.
    let no_overlap =
        |m: &mut Market| m.arm.iter_mut().zip(&m.x[0]).filter(|(_, x)| **x > 0.5).for_each(|(a, _)| *a = 0);
    check(3_000, no_overlap, &estimated, "TL710");
    // Treatment follows a feature altogether.
    check(3_000, |m| m.arm = m.x[0].iter().map(|x| u32::from(*x > 0.5)).collect(), &estimated, "TL710");
    // Bags of hardly a row.
    let sparse = json!({ "trees": 4, "sample_fraction": 1e-6, "outcome_learner": "linear", "propensity": "shares" });
    check(500, |_| {}, &sparse, "TL711");
}

#[test]
fn parameters_out_of_bounds_are_named() {
    #[track_caller]
    fn check(params: &Value, expect: &str) {
        let built = (uplift_model("forest").expect("known").build)(params);
        let error = built.map(|_| ()).expect_err("refused").to_string();
        assert!(error.contains(expect), "{error}");
    }
    check(&json!({ "trees": 3 }), "trees of 3 is not an even number");
    check(&json!({ "trees": 0 }), "trees of 0");
    check(&json!({ "sample_fraction": 0.6 }), "sample_fraction of 0.6 is outside 0 (excluded) to 0.5");
    check(&json!({ "mtry": 0 }), "mtry of 0");
    check(&json!({ "min_node_size": 0 }), "min_node_size of 0");
    check(&json!({ "alpha": 0.3 }), "alpha of 0.3 is outside 0 to 0.25");
    check(&json!({ "imbalance_penalty": -1.0 }), "imbalance_penalty of -1");
    check(&json!({ "max_bins": 256 }), "max_bins of 256 is outside 2 to 255");
    check(&json!({ "folds": 1 }), "folds of 1 is outside 2 to 20");
    check(&json!({ "trim": 0.5 }), "trim of 0.5");
    check(&json!({ "tree": 5 }), "unknown field `tree`");
    check(&json!({ "outcome_learner": "oracle" }), "unknown learner `oracle`");
}

//! Intervals hold the truth as often as they say, on simulated people whose effects are known.

use throughline_core::{Estimate, Level};
use throughline_stats::stream::Stream;
use throughline_uplift::{
    EffectScores, GainCurve, Observed, PoissonBootstrap, Propensity, RateTarget, calibrate_effects,
    effect_losses_between, effects_by_quantile, gain_bands, paired_difference, rate, rate_between,
};

/// People with x uniform in 0 to 1; effect = `size` · x; outcome 1 + x + noise of ± 1; P(treated) = 0.3 + 0.4 x.
struct World {
    x: Vec<f64>,
    treated: Vec<bool>,
    outcome: Vec<f64>,
    propensity: Vec<f64>,
    mu: [Vec<f64>; 2],
}

fn world(n: u64, size: f64, seed: u64, randomised: bool) -> World {
    let (stream, rows) = (Stream::new(seed, 60), 0..n);
    let x: Vec<f64> = rows.clone().map(|i| stream.uniform_at(4 * i)).collect();
    let propensity: Vec<f64> = x.iter().map(|x| if randomised { 0.5 } else { 0.3 + 0.4 * x }).collect();
    let treated: Vec<bool> = rows.zip(&propensity).map(|(i, e)| stream.uniform_at(4 * i + 1) < *e).collect();
    let outcome = (0..x.len())
        .map(|i| {
            let noise = 2.0 * stream.uniform_at(4 * i as u64 + 2) - 1.0;
            1.0 + x[i] + noise + if treated[i] { size * x[i] } else { 0.0 }
        })
        .collect();
    let mu = [x.iter().map(|x| 1.0 + x).collect(), x.iter().map(|x| 1.0 + (1.0 + size) * x).collect()];
    World { x, treated, outcome, propensity, mu }
}

impl World {
    fn observed(&self) -> Observed<'_> {
        Observed { treated: &self.treated, outcome: &self.outcome }
    }

    /// Scores with the true propensity and regressions that are wrong by a constant and a slope.
    fn scores(&self) -> EffectScores {
        let wrong = |mu: &[f64]| -> Vec<f64> { mu.iter().zip(&self.x).map(|(m, x)| 0.8 * m + 0.1 - 0.1 * x).collect() };
        let (mu0, mu1) = (wrong(&self.mu[0]), wrong(&self.mu[1]));
        EffectScores::doubly_robust(self.observed(), Propensity::Known(&self.propensity), &mu0, &mu1).expect("scores")
    }
}

/// A coarser ranking, with ties: six values.
fn coarse(x: &[f64]) -> Vec<f64> {
    x.iter().map(|x| (x * 6.0).floor()).collect()
}

/// Of `runs` intervals at 90 %, the number that holds the truth lies where 99.9 % of binomial counts do, widened by what is
/// asymptotic in the intervals (1.5 points).
#[track_caller]
#[expect(clippy::print_stdout, reason = "the coverage, with --no-capture")]
fn check_coverage(what: &str, runs: u64, truth: f64, interval: impl Fn(u64) -> Estimate) {
    let held = (0..runs).filter(|seed| interval(*seed).set.contains(truth)).count() as f64 / runs as f64;
    println!("{what}: {held} of {runs} intervals hold {truth}");
    let slack = 3.3 * (0.9 * 0.1 / runs as f64).sqrt() + 0.015;
    assert!((held - 0.9).abs() < slack, "{what}: {held} of {runs} intervals hold {truth}, ± {slack}");
}

const RUNS: u64 = 1000;
const N: u64 = 500;

#[test]
fn rate_intervals_cover() {
    // Ranked by x: TOC(q) = size (1 − q)/2 − … = size ((1 + (1 − q))/2 − 1/2) = size (1 − q)/2; AUTOC = size/4, Qini = size/12.
    for (target, truth) in [(RateTarget::Autoc, 0.25), (RateTarget::Qini, 1.0 / 12.0)] {
        for randomised in [true, false] {
            let of = |seed: u64| {
                let w = world(N, 1.0, seed, randomised);
                rate(&w.scores(), &w.x, target, Level::P90).expect("a rate").estimate
            };
            check_coverage(target.name(), RUNS, truth, of);
        }
        // Six equal groups: the steps lie below the line; between groups the gain is linear.
        let steps = |f: &dyn Fn(f64) -> f64| {
            let cells = 6000;
            (0..cells).map(|c| f((f64::from(c) + 0.5) / f64::from(cells)) / f64::from(cells)).sum::<f64>()
        };
        let gain = |q: f64| {
            let full = (q * 6.0).floor();
            let mean = |k: f64| 1.0 - (k + 0.5) / 6.0;
            (0..6).take_while(|k| f64::from(*k) < full).map(|k| mean(f64::from(k)) / 6.0).sum::<f64>()
                + (q - full / 6.0) * mean(full)
        };
        let toc = |q: f64| gain(q) / q - 0.5;
        let truth = steps(&|q| if target == RateTarget::Autoc { toc(q) } else { q * toc(q) });
        check_coverage("tied", RUNS, truth, |seed| {
            let w = world(N, 1.0, seed, false);
            rate(&w.scores(), &coarse(&w.x), target, Level::P90).expect("a rate").estimate
        });
    }
}

#[test]
fn rates_without_regressions_cover_and_a_useless_ranking_has_none() {
    check_coverage("difference in means", RUNS, 0.25, |seed| {
        let w = world(N, 1.0, seed, true);
        let scores = EffectScores::randomised(w.observed(), Some(0.5)).expect("scores");
        rate(&scores, &w.x, RateTarget::Autoc, Level::P90).expect("a rate").estimate
    });
    check_coverage("useless", RUNS, 0.0, |seed| {
        let w = world(N, 1.0, seed, false);
        let other = world(N, 1.0, seed + 100_000, false);
        rate(&w.scores(), &other.x, RateTarget::Autoc, Level::P90).expect("a rate").estimate
    });
}

#[test]
fn paired_rates_cover_and_are_narrower_than_apart() {
    let noisy = |w: &World, seed: u64| -> Vec<f64> {
        let stream = Stream::new(seed, 61);
        w.x.iter().zip(0..).map(|(x, i)| x + 0.2 * (stream.uniform_at(i) - 0.5)).collect()
    };
    let pair = |seed: u64| {
        let w = world(N, 1.0, seed, false);
        let scores = w.scores();
        let a = rate(&scores, &w.x, RateTarget::Qini, Level::P90).expect("a rate");
        let b = rate(&scores, &noisy(&w, seed), RateTarget::Qini, Level::P90).expect("a rate");
        let both = rate_between(&scores, &a, &b, Level::P90).expect("a difference");
        (a.estimate, b.estimate, both)
    };
    let large = {
        let w = world(200_000, 1.0, 1_000_000, false);
        let scores = EffectScores::doubly_robust(w.observed(), Propensity::Known(&w.propensity), &w.mu[0], &w.mu[1]);
        let (scores, b) = (scores.expect("scores"), noisy(&w, 5));
        let of = |p: &[f64]| rate(&scores, p, RateTarget::Qini, Level::P90).expect("a rate");
        rate_between(&scores, &of(&w.x), &of(&b), Level::P90).expect("a difference").value
    };
    check_coverage("paired", RUNS, large, |seed| pair(seed).2);
    let (a, b, both) = pair(3);
    let error = |e: &Estimate| e.std_error.expect("wald");
    assert!(error(&both) < 0.5 * error(&a).hypot(error(&b)), "{both:?}");
}

#[test]
fn the_standard_error_is_that_of_half_samples() {
    // grf's: the rate on random halves of the rows, its standard deviation.
    // With large effects it is the noise of ranks that counts, with small ones that of outcomes.
    let cases = [1.0, 20.0].map(|size| [(size, RateTarget::Autoc), (size, RateTarget::Qini)]);
    for (size, target) in cases.into_iter().flatten() {
        let w = world(2_000, size, 7, false);
        let scores = w.scores();
        let draws: Vec<f64> = (0..300)
            .map(|draw| {
                let stream = Stream::new(draw, 62);
                let mut rows: Vec<usize> = (0..2_000).collect();
                rows.sort_by(|a, b| stream.uniform_at(*a as u64).total_cmp(&stream.uniform_at(*b as u64)));
                rows.truncate(1_000);
                let pick = |from: &[f64]| -> Vec<f64> { rows.iter().map(|&i| from[i]).collect() };
                let treated: Vec<bool> = rows.iter().map(|&i| w.treated[i]).collect();
                let outcome = pick(&w.outcome);
                let half = World {
                    x: pick(&w.x),
                    treated,
                    outcome,
                    propensity: pick(&w.propensity),
                    mu: [pick(&w.mu[0]), pick(&w.mu[1])],
                };
                rate(&half.scores(), &half.x, target, Level::P90).expect("a rate").estimate.value
            })
            .collect();
        let mean = draws.iter().sum::<f64>() / 300.0;
        let deviation = (draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 299.0).sqrt();
        let found = rate(&scores, &w.x, target, Level::P90).expect("a rate").estimate.std_error.expect("wald");
        assert!((found / deviation - 1.0).abs() < 0.15, "{size} {target:?}: {found} against {deviation}");
    }
}

#[test]
fn calibration_slopes_cover_and_say_what_is_wrong() {
    for (stretch, shift) in [(1.0, 0.0), (2.0, 0.3)] {
        // Predictions shift + stretch · effect: the slope is 1 / stretch, the intercept −shift / stretch.
        let of = |seed: u64| {
            let w = world(N, 1.0, seed, false);
            let predicted: Vec<f64> = w.x.iter().map(|x| shift + stretch * x).collect();
            calibrate_effects(&w.scores(), &predicted, Level::P90).expect("a calibration")
        };
        check_coverage("slope", RUNS, 1.0 / stretch, |seed| of(seed).slope.expect("a slope"));
        check_coverage("slope less 1", RUNS, 1.0 / stretch - 1.0, |seed| of(seed).slope_gap.expect("a slope"));
        check_coverage("intercept", RUNS, -shift / stretch, |seed| of(seed).intercept.expect("an intercept"));
        check_coverage("gap", RUNS, 0.5 - shift - stretch * 0.5, |seed| of(seed).average_gap);
    }
}

#[test]
fn group_effects_and_losses_cover() {
    let of = |seed: u64| {
        let w = world(N, 1.0, seed, false);
        (effects_by_quantile(&w.scores(), &coarse(&w.x), 6, Level::P90).expect("groups"), w)
    };
    check_coverage("best group", RUNS, 11.0 / 12.0, |seed| of(seed).0.groups[0].effect.clone().expect("an effect"));
    check_coverage("first less last", RUNS, 5.0 / 6.0, |seed| of(seed).0.first_less_last.expect("two groups"));
    // E(x − x)² − E(x − ½)² = −1/12.
    for robust in [true, false] {
        check_coverage("loss", RUNS, -1.0 / 12.0, |seed| {
            let w = world(N, 1.0, seed, false);
            let found = effect_losses_between(&w.scores(), &w.x, &vec![0.5; w.x.len()], Level::P90).expect("losses");
            if robust { found.doubly_robust } else { found.transformed_outcome }
        });
    }
    let p = |size: f64| {
        let small = (0..200).filter(|seed| {
            let w = world(N, size, *seed, false);
            let groups = effects_by_quantile(&w.scores(), &w.x, 5, Level::P90).expect("groups");
            groups.same_effect_p.expect("a test") < 0.1
        });
        small.count()
    };
    let (none, some) = (p(0.0), p(1.5));
    assert!((6..=38).contains(&none) && some > 150, "{none} {some}");
}

#[test]
fn bootstrap_areas_cover_and_pairs_share_their_draws() {
    let bootstrap = |seed| PoissonBootstrap { draws: 99, seed, persons: None };
    // Gain of the best q: Σ effects = q − q²/2 of the treated half, less q/2: area 1/12 per treated, 1/24 per person.
    check_coverage("qini area", 200, 1.0 / 24.0, |seed| {
        let w = world(N, 1.0, seed, true);
        let bands = gain_bands(GainCurve::Qini(w.observed()), &[&w.x], &bootstrap(seed)).expect("bands");
        bands[0].area(Level::P90).expect("an area")
    });
    check_coverage("doubly robust area", 200, 1.0 / 12.0, |seed| {
        let w = world(N, 1.0, seed, false);
        let bands = gain_bands(GainCurve::DoublyRobust(&w.scores()), &[&w.x], &bootstrap(seed)).expect("bands");
        bands[0].area(Level::P90).expect("an area")
    });
    let w = world(N, 1.0, 3, true);
    let noisy: Vec<f64> = w.x.iter().zip(0..).map(|(x, i)| x + 0.1 * Stream::new(3, 63).uniform_at(i)).collect();
    let bands = gain_bands(GainCurve::Qini(w.observed()), &[&w.x, &noisy], &bootstrap(1)).expect("bands");
    let paired = paired_difference(&bands[0], &bands[1], Level::P95).expect("a difference").std_error;
    let alone = bands[0].area(Level::P95).expect("an area").std_error;
    assert!(paired.expect("draws") < 0.7 * alone.expect("draws"), "{paired:?} {alone:?}");
    let itself = paired_difference(&bands[0], &bands[0], Level::P95).expect("a difference");
    assert_eq!((itself.value, itself.interval()), (0.0, (0.0, 0.0)));
    let other = gain_bands(GainCurve::Qini(w.observed()), &[&w.x], &bootstrap(2)).expect("bands");
    assert!(paired_difference(&bands[0], &other[0], Level::P95).is_err());
}

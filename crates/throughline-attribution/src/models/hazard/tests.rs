//! Closed forms, simulated journeys, and bad input.

use throughline_stats::stream::Stream;

use super::*;
use crate::Outcome;
use crate::models::testing::{check_credits, check_weights, table};

const DAY_US: f64 = 86_400_000_000.0;

/// (conversions per touch, decay per day) of the channels `a` and `b`.
const TRUTH: [(f64, f64); 2] = [(0.30, 0.8), (0.12, 0.1)];

/// Journeys of a month with one to four touches at random times, which convert at the rate of [`TRUTH`].
fn simulated(journeys: u64) -> PathTable {
    let mut builder = PathTable::builder();
    let numbers: Vec<u32> = ["a", "b"].iter().filter_map(|n| builder.intern(n)).collect();
    for journey in 0..journeys {
        let stream = Stream::new(5, journey);
        let touches = 1 + stream.index_at(0, 4);
        let mut times: Vec<(f64, usize)> = (0..touches)
            .map(|i| (20.0 * stream.uniform_at(10 + 2 * i), usize::from(stream.uniform_at(11 + 2 * i) < 0.5)))
            .collect();
        times.sort_by(|x, y| x.0.total_cmp(&y.0));
        // Each touch brings Poisson(β) conversions after exponential delays; the first of all counts.
        let delay = |i: usize, c: usize| {
            let k = 100 + 2 * i as u64;
            let comes = -(1.0 - stream.uniform_at(k)).ln();
            // The first of a Poisson process with mean β (1 − e^(−ωt)) up to t.
            (comes < TRUTH[c].0).then(|| -(1.0 - comes / TRUTH[c].0).ln() / TRUTH[c].1)
        };
        let moments = times.iter().enumerate().filter_map(|(i, &(t, c))| delay(i, c).map(|d| t + d));
        let end = moments.fold(30.0, f64::min);
        let seen: Vec<&(f64, usize)> = times.iter().filter(|(t, _)| *t < end).collect();
        let steps: Vec<u32> = seen.iter().map(|(_, c)| numbers[*c]).collect();
        #[expect(clippy::cast_possible_truncation, reason = "a month in microseconds")]
        let ages: Vec<i64> = seen.iter().map(|(t, _)| ((end - t) * DAY_US) as i64).collect();
        let conversions = f64::from(u8::from(end < 30.0));
        builder.push_numbers(&steps, Some(&ages), Outcome { conversions, value: 0.0, nulls: 1.0 - conversions });
    }
    builder.build().0
}

#[test]
fn parameters_of_simulated_journeys_are_found() {
    let fit = Hazard.fit(&simulated(40_000)).expect("fits");
    assert!(fit.converged && fit.passes <= 15, "{} passes", fit.passes);
    // About 14,000 and 6,500 conversions: four standard errors are some 5 % of β and 10 % of ω, less for the fast channel.
    for (got, (beta, omega)) in fit.channels.iter().zip(TRUTH) {
        assert!((got.conversions_per_touch / beta - 1.0).abs() < 0.06, "{got:?} against {beta}");
        assert!((got.decay_per_day / omega - 1.0).abs() < 0.10, "{got:?} against {omega}");
    }
}

#[test]
fn the_likelihood_never_falls() {
    let fit = Hazard.fit(&simulated(2_000)).expect("fits");
    assert!(fit.log_likelihoods.len() > 4);
    for pair in fit.log_likelihoods.windows(2) {
        assert!(pair[1] >= pair[0] - 1e-12 * pair[0].abs(), "{pair:?}");
    }
}

#[test]
fn newton_and_expectation_maximisation_agree() {
    // With more channels than products of pairs are kept for, all of them without journeys but two, steps are those of
    // expectation–maximisation.
    let table = simulated(3_000);
    let fit = Hazard.fit(&table).expect("fits");
    let mut builder = PathTable::builder();
    let names: Vec<String> =
        ["a", "b"].into_iter().map(str::to_owned).chain((0..80).map(|i| format!("c{i}"))).collect();
    let numbers: Vec<u32> = names.iter().filter_map(|n| builder.intern(n)).collect();
    let (units, mut row) = (table.units(), 0);
    for path in table.paths() {
        let steps: Vec<u32> = path.steps.iter().map(|s| numbers[*s as usize]).collect();
        let (conversions, nulls) = (units.conversions[row], units.nulls[row]);
        builder.push_numbers(&steps, path.ages, Outcome { conversions, value: 0.0, nulls });
        row += 1;
    }
    builder.push_numbers(&numbers[2..], Some(&vec![5; 80]), Outcome { conversions: 0.0, value: 0.0, nulls: 1.0 });
    let slow = Hazard.fit(&builder.build().0).expect("fits");
    assert!(slow.converged && slow.passes > fit.passes, "{} and {} passes", slow.passes, fit.passes);
    for (fast, slow) in fit.channels.iter().zip(&slow.channels) {
        let close = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-3;
        assert!(
            close(fast.conversions_per_touch, slow.conversions_per_touch)
                && close(fast.decay_per_day, slow.decay_per_day),
            "{fast:?} and {slow:?}"
        );
    }
    let last = |fit: &HazardFit| fit.log_likelihoods.last().copied().expect("a pass");
    assert!(last(&fit) >= last(&slow) - 1e-6, "{} and {}", last(&fit), last(&slow));
}

#[test]
fn the_score_vanishes_at_the_fit() {
    // ∂L/∂β = A/β − E and ∂L/∂ω = A/ω − B − β Σ Δ e^(−ωΔ), by differences of the likelihood itself.
    let table = table(&[
        ("a@3 b@1", 4.0, 0.0, 2.0),
        ("b@9 a@2", 3.0, 0.0, 5.0),
        ("a@20", 1.0, 0.0, 30.0),
        ("b@1", 2.0, 0.0, 8.0),
    ]);
    let fit = Hazard.fit(&table).expect("fits");
    let likelihood = |channels: &[ChannelHazard]| -> f64 {
        table
            .paths()
            .enumerate()
            .map(|(p, path)| {
                let of = |(&c, &age): (&u32, &i64)| (channels[c as usize], age as f64 / DAY_US);
                let touches = || path.steps.iter().zip(path.ages.unwrap_or_default()).map(of);
                let rate = |(c, age): (ChannelHazard, f64)| {
                    c.conversions_per_touch * c.decay_per_day * (-c.decay_per_day * age).exp()
                };
                let exposure =
                    |(c, age): (ChannelHazard, f64)| c.conversions_per_touch * (1.0 - (-c.decay_per_day * age).exp());
                let units = table.units();
                units.conversions[p] * touches().map(rate).sum::<f64>().ln()
                    - (units.conversions[p] + units.nulls[p]) * touches().map(exposure).sum::<f64>()
            })
            .sum()
    };
    let best = likelihood(&fit.channels);
    assert!((best - fit.log_likelihoods[fit.log_likelihoods.len() - 1]).abs() < 1e-9);
    for c in 0..2 {
        for factor in [0.99, 1.01] {
            let mut moved = fit.channels.clone();
            moved[c].conversions_per_touch *= factor;
            assert!(likelihood(&moved) < best, "β of {c} times {factor}");
            let mut moved = fit.channels.clone();
            moved[c].decay_per_day *= factor;
            assert!(moved[c].at_bound || likelihood(&moved) < best + 1e-9, "ω of {c} times {factor}");
        }
    }
}

#[test]
fn whole_days_count() {
    // `b` always converts a week after its touch, `a` within the hour: an old `a` cannot be behind a conversion.
    let rows = [
        ("a@0", 40.0, 0.0, 0.0),
        ("a@30", 0.0, 0.0, 40.0),
        ("b@7", 40.0, 0.0, 0.0),
        ("b@30", 0.0, 0.0, 10.0),
        ("a@7 b@7", 1.0, 0.0, 0.0),
    ];
    let table = table(&rows);
    let weights = Hazard.path_weights(&table).expect("weights");
    let old = weights.by_channel(&table, 4);
    assert!(old[1].0 == 1 && old[1].1 > 0.99, "{old:?}");
}

#[test]
fn ages_without_differences_leave_the_rates() {
    // All at the same age: β ω is conversions over journeys, 1/2 for a and 1/4 for b; a path of both is split 2 to 1.
    let rows = [("a@0", 50.0, 0.0, 50.0), ("b@0", 25.0, 0.0, 75.0), ("a@0 b@0", 0.0, 9.0, 0.0)];
    let table = table(&rows);
    let weights = Hazard.path_weights(&table).expect("weights").by_channel(&table, 2);
    assert!(
        (weights[0].1 - 2.0 / 3.0).abs() < 1e-6 && (weights[0].1 + weights[1].1 - 1.0).abs() < 1e-12,
        "{weights:?}"
    );
    let credits = Hazard.attribute(&table).expect("credits");
    let fit = Hazard.fit(&table).expect("fits");
    assert_eq!(
        credits.diagnostics()[0].code,
        "TL431",
        "{:?} {:?}",
        fit.channels,
        &fit.log_likelihoods[..40.min(fit.log_likelihoods.len())]
    );
}

#[test]
fn defined_answers() {
    check_credits("hazard", &[("a@1 b@0", 0.0, 0.0, 9.0)], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
    check_credits("hazard", &[("a@1 b@0", 0.0, -4.0, 9.0)], &[("a", 0.0, -2.0), ("b", 0.0, -2.0)]);
    check_credits("hazard", &[("a@3", 2.0, -7.0, 0.0)], &[("a", 2.0, -7.0)]);
    check_credits("hazard", &[], &[]);
    check_weights("hazard", "a@3 a@3", &[0.5, 0.5]);
    let error = Hazard.attribute(&table(&[("a b", 1.0, 0.0, 0.0)])).expect_err("no ages");
    assert!(error.to_string().contains("`hazard` needs the time of every touch"), "{error}");
}

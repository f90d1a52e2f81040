//! Reading experiments: published figures, properties of every comparison, coverage, and what happens to bad input.

use std::error::Error;
use std::path::PathBuf;

use proptest::prelude::*;
use throughline_core::{Estimate, EvidenceTier, Level};
use throughline_evidence::{Accumulator, Correction, EvidenceError, ExperimentSpec, Health, MetricKind, Reading};
use throughline_stats::goodness::{Alternative, binomial_test};
use throughline_stats::stream::Stream;

type Outcome = Result<(), Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "absent data must be said, not failed on")]
fn reference(path: &str) -> Option<PathBuf> {
    let root = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let file = PathBuf::from(root).join(path);
    if !file.exists() {
        println!("reference data absent, nothing checked: {}", file.display());
    }
    file.exists().then_some(file)
}

/// Within half a unit of the sixth printed digit.
#[track_caller]
fn printed(got: Option<f64>, expect: f64) {
    let got = got.expect("a number");
    assert!((got - expect).abs() <= 0.500_001e-6, "{got}, printed as {expect}");
}

fn codes(reading: &Reading) -> Vec<&str> {
    reading.diagnostics.iter().map(|d| d.code.as_str()).collect()
}

const HILLSTROM_ARMS: [&str; 3] = ["No E-Mail", "Mens E-Mail", "Womens E-Mail"];

fn hillstrom(file: PathBuf, parts: usize) -> Result<Reading, Box<dyn Error>> {
    let spec = ExperimentSpec::new(HILLSTROM_ARMS, "No E-Mail")
        .metric("visit", MetricKind::Proportion)
        .metric("conversion", MetricKind::Proportion)
        .metric("spend", MetricKind::Mean);
    let mut accumulators = vec![Accumulator::new(&spec)?; parts];
    let mut reader = csv::Reader::from_path(file)?;
    let headers = reader.headers()?.clone();
    let column = |name: &str| headers.iter().position(|h| h == name).ok_or(format!("no column {name}"));
    let segment = column("segment")?;
    let metrics = [column("visit")?, column("conversion")?, column("spend")?];
    for (i, row) in reader.records().enumerate() {
        let row = row?;
        let values = metrics.map(|m| row[m].parse().ok());
        let arm = spec.arm_index(&row[segment]).ok_or("unknown arm")?;
        accumulators[i * parts / 64_000].observe(arm, &values)?;
    }
    let mut all = Accumulator::new(&spec)?;
    accumulators.iter().try_for_each(|part| all.merge(part))?;
    Ok(all.finish())
}

#[test]
fn hillstrom_figures() -> Outcome {
    let Some(file) = reference("hillstrom/hillstrom.csv") else { return Ok(()) };
    let reading = hillstrom(file, 1)?;
    assert_eq!(reading.srm.observed, [21_306, 21_307, 21_387]);
    // χ² with 2 degrees of freedom has the upper tail exp(−x / 2).
    let gaps: f64 = reading.srm.observed.iter().map(|&n| (n as f64 - 64_000.0 / 3.0).powi(2)).sum();
    assert!((reading.srm.p_value - (-gaps * 3.0 / 64_000.0 / 2.0).exp()).abs() < 1e-12);
    assert!((reading.srm.p_value - 0.903_69).abs() < 1e-5 && !reading.srm.alarm);
    assert_eq!(
        (reading.health, reading.tier, reading.diagnostics.len()),
        (Health::Healthy, EvidenceTier::Randomised, 0)
    );

    let means = [
        [0.106_167, 122.0 / 21_306.0, 0.652_789],
        [0.182_757, 267.0 / 21_307.0, 1.422_617],
        [0.151_400, 189.0 / 21_387.0, 1.077_202],
    ];
    for (arm, expect) in reading.arms.iter().zip(means) {
        arm.metrics.iter().zip(expect).for_each(|(metric, expect)| printed(metric.mean, expect));
    }
    for (arm, metric, value, std_error) in [
        ("Mens E-Mail", "visit", 0.076_590, 0.003_386),
        ("Mens E-Mail", "conversion", 0.006_805, 0.000_921),
        ("Mens E-Mail", "spend", 0.769_827, 0.145_247),
        ("Womens E-Mail", "visit", 0.045_233, 0.003_234),
        ("Womens E-Mail", "conversion", 0.003_111, 0.000_823),
        ("Womens E-Mail", "spend", 0.424_412, 0.130_333),
    ] {
        let estimate = reading.comparison(arm, metric).and_then(|c| c.estimate.as_ref()).expect("an estimate");
        printed(Some(estimate.value), value);
        printed(estimate.std_error, std_error);
        assert!(estimate.p_value < 0.05 && !estimate.set.contains(0.0));
    }
    Ok(())
}

#[test]
fn parts_merge_to_the_same_reading() -> Outcome {
    let Some(file) = reference("hillstrom/hillstrom.csv") else { return Ok(()) };
    let (whole, parts) = (hillstrom(file.clone(), 1)?, hillstrom(file.clone(), 7)?);
    assert_eq!(parts, hillstrom(file, 7)?);
    assert_eq!(whole.srm, parts.srm);
    for (a, b) in whole.comparisons.iter().zip(&parts.comparisons) {
        let (a, b) = (a.estimate.as_ref().expect("one"), b.estimate.as_ref().expect("one"));
        assert!((a.value - b.value).abs() < 1e-13 && (a.p_value / b.p_value - 1.0).abs() < 1e-9);
    }
    Ok(())
}

/// GrowthBook prints .06667, interval −.47767 to .61101, standard error .2717, p .80707.
#[test]
fn growthbook_proportions() -> Outcome {
    let spec = ExperimentSpec::new(["a", "b"], "a").metric("m", MetricKind::Proportion);
    let mut seen = Accumulator::new(&spec)?;
    for (arm, successes, n) in [(0, 14, 28), (1, 16, 30)] {
        for i in 0..n {
            seen.observe(arm, &[Some(f64::from(u8::from(i < successes)))])?;
        }
    }
    let reading = seen.finish();
    let lift = reading.comparisons[0].relative.as_ref().expect("a lift");
    let (low, high) = lift.interval();
    let got = [lift.value, low, high, lift.std_error.expect("an error"), lift.p_value];
    for (got, expect) in got.into_iter().zip([0.06667, -0.47767, 0.61101, 0.2717, 0.80707]) {
        assert!((got - expect).abs() <= 0.500_001e-5, "{got}, printed as {expect}");
    }
    Ok(())
}

fn agrees(estimate: &Estimate, level: Level) -> bool {
    let (low, high) = estimate.interval();
    let finite = [estimate.value, low, high, estimate.p_value].iter().all(|v| v.is_finite());
    finite
        && low <= estimate.value
        && estimate.value <= high
        && estimate.set.contains(0.0) != (estimate.p_value < level.alpha())
}

proptest! {
    /// Whatever comes in: p-value and interval agree, units tie out, corrections only raise p, and nothing is NaN.
    #[test]
    fn every_comparison_keeps_the_contract(
        units in prop::collection::vec(
            (0..4_usize, prop_oneof![
                8 => (-3..9_i32).prop_map(|v| Some(f64::from(v) / 2.0)),
                1 => Just(None),
                1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, 1e308, -1e308, 1e-308]).prop_map(Some),
            ]),
            0..80,
        ),
        weights in prop::collection::vec(prop::sample::select(vec![0.0, 0.5, 1.0, 3.0]), 4),
        level in prop::sample::select(vec![0.5, 0.9, 0.95, 0.999]),
        correction in prop::sample::select(vec![Correction::None, Correction::Holm, Correction::BenjaminiHochberg]),
    ) {
        let mut spec = ExperimentSpec::new(["a", "b", "c", "d"], "b")
            .metric("mean", MetricKind::Mean)
            .metric("proportion", MetricKind::Proportion);
        spec.arms.iter_mut().zip(&weights).for_each(|(arm, w)| arm.weight = *w);
        spec.arms[0].weight += 1.0;
        spec.level = Level::new(level).unwrap();
        spec.correction = correction;
        let mut seen = Accumulator::new(&spec).unwrap();
        for (arm, value) in &units {
            seen.observe(*arm, &[*value, value.map(|v| if v.abs() < 2.0 { v.abs().floor() } else { v })]).unwrap();
        }
        let reading = seen.finish();
        prop_assert_eq!(reading.srm.observed.iter().sum::<u64>(), units.len() as u64);
        for arm in &reading.arms {
            prop_assert!(arm.metrics.iter().all(|m| m.n + m.missing + m.invalid == arm.units));
        }
        prop_assert_eq!(reading.comparisons.len(), 6);
        for comparison in &reading.comparisons {
            prop_assert_eq!(comparison.estimate.is_none(), comparison.estimate_absent.is_some());
            prop_assert_eq!(comparison.relative.is_none(), comparison.relative_absent.is_some());
            for estimate in comparison.estimate.iter().chain(&comparison.relative) {
                prop_assert!(agrees(estimate, spec.level), "{estimate:?}");
            }
            let p = comparison.estimate.as_ref().map(|e| e.p_value);
            prop_assert!(comparison.adjusted_p_value >= p);
            let bound = spec.level.alpha();
            prop_assert_eq!(comparison.significant, comparison.adjusted_p_value.is_some_and(|p| p < bound));
        }
        let text = serde_json::to_string(&reading).unwrap();
        let back: Reading = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(back.comparisons.len(), 6);
        prop_assert!(!text.contains("null"), "{text}");
    }
}

/// Over many experiments with a known effect the 95 % interval holds it as often as it says, and the sample-ratio check
/// rejects a true ratio as often as it says: neither nominal rate is rejected at 1 %.
#[test]
fn intervals_cover_and_checks_hold_their_level() -> Outcome {
    const EXPERIMENTS: u64 = 12_000;
    const UNITS: u64 = 60;
    let spec = ExperimentSpec::new(["a", "b", "c"], "a").metric("m", MetricKind::Mean);
    let (mut absolute, mut relative, mut ratio) = (0, 0, 0);
    for experiment in 0..EXPERIMENTS {
        let (assign, noise) = (Stream::new(11, 2 * experiment), Stream::new(11, 2 * experiment + 1));
        let mut seen = Accumulator::new(&spec)?;
        for unit in 0..UNITS {
            let arm = usize::try_from(assign.index_at(unit, 3))?;
            let mean = [20.0, 21.0, 25.0][arm];
            let spread = [1.0, 3.0, 0.5][arm];
            seen.observe(arm, &[Some(mean + spread * noise.normal_at(unit))])?;
        }
        let reading = seen.finish();
        let b = &reading.comparisons[0];
        absolute += u64::from(b.estimate.as_ref().is_some_and(|e| e.set.contains(1.0)));
        relative += u64::from(b.relative.as_ref().is_some_and(|e| e.set.contains(0.05)));
        ratio += u64::from(reading.srm.p_value >= 0.05);
    }
    for (what, covered) in [("absolute", absolute), ("relative", relative), ("sample ratio", ratio)] {
        let p = binomial_test(covered, EXPERIMENTS, 0.95, Alternative::TwoSided)?;
        assert!(p >= 0.01, "{what}: {covered} of {EXPERIMENTS} covered, p {p}");
    }
    Ok(())
}

fn filled(spec: &ExperimentSpec, units: &[(usize, u32, Option<f64>)]) -> Result<Accumulator, EvidenceError> {
    let mut seen = Accumulator::new(spec)?;
    for &(arm, times, value) in units {
        for _ in 0..times {
            seen.observe(arm, &[value])?;
        }
    }
    Ok(seen)
}

#[test]
fn a_failed_sample_ratio_lowers_the_claim() -> Outcome {
    let spec = ExperimentSpec::new(["a", "b"], "a").metric("m", MetricKind::Proportion);
    let some = Some(0.0);
    let passed = filled(&spec, &[(0, 490, some), (0, 10, Some(1.0)), (1, 580, some), (1, 20, Some(1.0))])?.finish();
    assert!((passed.srm.p_value - 0.002_568_83).abs() < 0.5e-8);
    assert_eq!((passed.srm.alarm, passed.health), (false, Health::Healthy));
    let failed = filled(&spec, &[(0, 490, some), (0, 10, Some(1.0)), (1, 680, some), (1, 20, Some(1.0))])?.finish();
    assert_eq!((failed.health, failed.tier), (Health::Suspect, EvidenceTier::Associational));
    assert_eq!(codes(&failed), ["TL301"]);
    assert!(failed.diagnostics[0].message.contains("a: 500 units, 600.0 expected"), "{}", failed.diagnostics[0]);
    Ok(())
}

#[test]
fn unusable_values_are_counted_and_checked_between_arms() -> Outcome {
    let spec = ExperimentSpec::new(["a", "b"], "a").metric("m", MetricKind::Proportion);
    let even = [
        (0, 300, Some(1.0)),
        (0, 180, Some(0.0)),
        (0, 20, None),
        (1, 300, Some(1.0)),
        (1, 178, Some(0.0)),
        (1, 20, Some(f64::NAN)),
        (1, 2, Some(2.0)),
    ];
    let mut seen = filled(&spec, &even)?;
    seen.observe_unknown_arm();
    let reading = seen.finish();
    assert_eq!(codes(&reading), ["TL308", "TL303", "TL304"]);
    assert_eq!(reading.health, Health::Healthy);
    let b = &reading.arms[1].metrics[0];
    assert_eq!((b.n, b.missing, b.invalid), (478, 20, 2));
    let uneven = [(0, 480, Some(1.0)), (0, 20, Some(0.0)), (1, 420, Some(1.0)), (1, 20, Some(0.0)), (1, 60, None)];
    let reading = filled(&spec, &uneven)?.finish();
    assert_eq!(codes(&reading), ["TL303", "TL305"]);
    assert_eq!((reading.health, reading.tier), (Health::Suspect, EvidenceTier::Associational));
    Ok(())
}

#[test]
fn degenerate_experiments_say_why() -> Outcome {
    let spec = ExperimentSpec::new(["a", "b"], "a").metric("m", MetricKind::Mean);
    let check =
        |units: &[(usize, u32, Option<f64>)], absolute: Option<&str>, relative: Option<&str>, expect: &[&str]| {
            let reading = filled(&spec, units)?.finish();
            let comparison = &reading.comparisons[0];
            assert_eq!(comparison.estimate_absent.as_deref(), absolute);
            assert_eq!(comparison.relative_absent.as_deref(), relative);
            assert_eq!(codes(&reading), expect);
            Ok::<_, EvidenceError>(())
        };
    let few = "0 baseline and 0 treated units are too few (at least 2 of each are needed)";
    check(&[], Some(few), Some(few), &["TL306"])?;
    let same = "neither sample varies: every baseline unit is 0 and every treated unit 1";
    check(&[(0, 9, Some(0.0)), (1, 9, Some(1.0))], Some(same), Some(same), &["TL306"])?;
    let zero = "the baseline mean is 0, so a relative lift is undefined";
    check(&[(0, 9, Some(0.0)), (1, 6, Some(1.0)), (1, 3, Some(0.0))], None, Some(zero), &["TL307"])?;
    let mut seen = Accumulator::new(&spec)?;
    assert!(matches!(seen.observe(2, &[None]), Err(EvidenceError::ArmOutOfRange { index: 2, arms: 2 })));
    assert!(matches!(seen.observe(0, &[]), Err(EvidenceError::MetricCount { got: 0, expected: 1 })));
    let other = Accumulator::new(&ExperimentSpec::new(["a", "b"], "b"))?;
    assert_eq!(seen.merge(&other), Err(EvidenceError::SpecMismatch));
    assert_eq!(seen.finish().srm.p_value, 1.0);
    Ok(())
}

#[test]
fn zero_weight_arms_stay_out_of_the_ratio() -> Outcome {
    let mut spec = ExperimentSpec::new(["a", "b", "closed"], "a").metric("m", MetricKind::Mean);
    spec.arms[2].weight = 0.0;
    let reading = filled(&spec, &[(0, 50, Some(1.0)), (1, 50, Some(2.0)), (2, 7, Some(1.0))])?.finish();
    assert_eq!((reading.srm.df, reading.srm.p_value, &*reading.srm.expected), (1, 1.0, &[50.0, 50.0, 0.0][..]));
    assert_eq!(codes(&reading), ["TL302", "TL306", "TL306"]);
    Ok(())
}

#[test]
fn corrections_decide_significance_together() -> Outcome {
    let mut spec = ExperimentSpec::new(["a", "b", "c"], "a").metric("m", MetricKind::Proportion);
    let arm = |arm, successes: u32| [(arm, successes, Some(1.0)), (arm, 1000 - successes, Some(0.0))];
    let units = [arm(0, 100), arm(1, 131), arm(2, 129)].concat();
    let mut significant = Vec::new();
    for correction in [Correction::None, Correction::Holm, Correction::BenjaminiHochberg] {
        spec.correction = correction;
        let reading = filled(&spec, &units)?.finish();
        significant.push(reading.comparisons.iter().filter(|c| c.significant).count());
    }
    // p of .03 and .04: Holm doubles the smaller, Benjamini–Hochberg keeps the larger.
    assert_eq!(significant, [2, 0, 2]);
    Ok(())
}

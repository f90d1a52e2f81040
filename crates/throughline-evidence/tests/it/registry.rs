//! What holds for every estimator of the registry.

use std::collections::BTreeSet;

use throughline_core::Level;
use throughline_evidence::estimators;

/// Data sets per estimator.
const SEEDS: u64 = 20;

#[test]
fn names_are_unique_and_say_the_family() {
    let names: Vec<&str> = estimators().map(|e| e.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    assert!(
        names.iter().all(|n| n.split_once('/').is_some_and(|(family, name)| !family.is_empty() && !name.is_empty()))
    );
}

#[test]
fn every_set_excludes_the_null_exactly_when_p_is_small() {
    for entry in estimators() {
        for seed in 0..SEEDS {
            for level in [Level::HALF, Level::P90, Level::P95] {
                let simulated = (entry.simulate)(seed, level).unwrap_or_else(|e| panic!("{} {seed}: {e}", entry.name));
                let e = &simulated.estimate;
                let place = format!("{} seed {seed} at {}: {e:?}", entry.name, level.get());
                assert!(simulated.truth.is_finite() && e.value.is_finite() && e.level == level, "{place}");
                assert!((0.0..=1.0).contains(&e.p_value), "{place}");
                assert!(e.set.0.iter().all(|(lo, hi)| lo <= hi), "{place}");
                assert_eq!(!e.set.contains(0.0), e.p_value < level.alpha(), "{place}");
            }
        }
    }
}

#[test]
fn the_same_data_give_the_same_bits() {
    for entry in estimators() {
        let run = || (entry.simulate)(7, Level::P95).unwrap_or_else(|e| panic!("{}: {e}", entry.name));
        let (a, b) = (run(), run());
        assert_eq!(a.estimate.value.to_bits(), b.estimate.value.to_bits(), "{}", entry.name);
        assert_eq!(a, b, "{}", entry.name);
    }
}

//! Synthetic controls and geo experiments over the crate's boundary.

use throughline_core::{InferenceKind, Level};
use throughline_evidence::geo::{DesignSpec, GeoSpec, design, read_geo};
use throughline_evidence::synth::conformal::Permutations;
use throughline_evidence::synth::control::{ControlSpec, Solver};
use throughline_evidence::synth::ridge::Ridge;
use throughline_evidence::synth::sdid::{Kind, SdidSpec, fit_all};
use throughline_evidence::synth::study::Study;
use throughline_evidence::synth::variance::Variance;
use throughline_evidence::synth::{Inference, ReadSpec, read_control, read_sdid};
use throughline_evidence::{EvidenceError, Panel, estimators};
use throughline_stats::stream::Stream;

/// Units × periods with common movements, levels of their own and noise.
fn values(seed: u64, units: usize, periods: usize) -> Vec<f64> {
    let stream = Stream::new(seed, 77);
    let at = |i: usize| stream.normal_at(i as u64);
    (0..units * periods)
        .map(|c| {
            let (i, t) = (c / periods, c % periods);
            20.0 + at(i) + (1.0 + 0.3 * at(1_000 + i)) * at(2_000 + t) + 0.2 * t as f64 + 0.5 * at(10_000 + c)
        })
        .collect()
}

fn panel(values: &[f64], periods: usize, starts: &[Option<usize>]) -> Panel {
    let times = (0..periods).map(|t| 2000.0 + t as f64).collect();
    Panel::from_matrix(values.to_vec(), times, starts, None).expect("a panel")
}

fn starts(units: usize, treated: &[(usize, usize)]) -> Vec<Option<usize>> {
    (0..units).map(|i| treated.iter().find(|t| t.0 == i).map(|t| t.1)).collect()
}

/// Coverage over the first data sets of every registered estimator of the two families, with a wide bound.
#[test]
fn sets_hold_the_truth_as_often_as_they_promise() {
    let seeds = 60_u32;
    for entry in estimators().filter(|e| e.name.starts_with("synth/") || e.name.starts_with("geo/")) {
        for level in [Level::P90, Level::P95] {
            let held = (0..seeds)
                .filter(|seed| {
                    let s = (entry.simulate)(u64::from(*seed), level).expect(entry.name);
                    s.estimate.set.contains(s.truth)
                })
                .count();
            let share = held as f64 / f64::from(seeds);
            let room = 4.5 * (level.get() * level.alpha() / f64::from(seeds)).sqrt();
            let low = share >= level.get() - room;
            assert!(low && (entry.conservative || share <= level.get() + room), "{} {share}", entry.name);
        }
    }
}

fn effect(values: &[f64], spec: &SdidSpec) -> f64 {
    let panel = panel(values, 16, &starts(14, &[(0, 11), (1, 11)]));
    fit_all(&Study::of(&panel).expect("a study"), spec).expect("a fit").0
}

/// The invariances the reference implementation promises.
#[test]
fn effects_do_not_depend_on_units_and_levels() {
    let periods = 16;
    let base = values(3, 14, periods);
    let changed = |f: &dyn Fn(usize, usize, f64) -> f64| -> Vec<f64> {
        base.iter().enumerate().map(|(c, y)| f(c / periods, c % periods, *y)).collect()
    };
    for kind in [Kind::Sdid, Kind::Sc, Kind::Did] {
        for solver in [Solver::Exact, Solver::FrankWolfe] {
            // The noise level scales the penalties and moves with period effects: it is held.
            let spec = SdidSpec { kind, solver, noise: Some(1.0) };
            let tau = effect(&base, &spec);
            let check = |what: &str, got: f64, expect: f64| {
                assert!(
                    (got - expect).abs() < 1e-6 * expect.abs().max(1.0),
                    "{kind:?} {solver:?} {what}: {got} {expect}"
                );
            };
            check("period effects", effect(&changed(&|_, t, y| y + 3.0 * t as f64 * t as f64), &spec), tau);
            if kind != Kind::Sc {
                check("unit effects", effect(&changed(&|i, _, y| y + 100.0 * i as f64), &spec), tau);
                let before = changed(&|i, t, y| if i < 2 && t < 11 { y + 7.0 } else { y });
                check("levels before", effect(&before, &spec), tau - 7.0);
            }
            check("effects", effect(&changed(&|i, t, y| if i < 2 && t >= 11 { y + 7.0 } else { y }), &spec), tau + 7.0);
            for scale in [2.0_f64.powi(-20), 2.0_f64.powi(20)] {
                let spec = SdidSpec { noise: Some(scale), ..spec };
                let got = effect(&changed(&|_, _, y| y * scale), &spec) / scale;
                check("scale", got, tau);
            }
        }
    }
}

#[test]
fn a_report_answers_with_every_inference_and_what_screens_show() {
    let base = values(5, 24, 30);
    let panel = panel(&base, 30, &starts(24, &[(0, 22)]));
    for (inference, kind) in [
        (Inference::Ratio, InferenceKind::InvertedTest),
        (Inference::Rank, InferenceKind::Rank),
        (Inference::Conformal, InferenceKind::InvertedTest),
    ] {
        let spec = ReadSpec { inference, ..ReadSpec::new(Level::P90) };
        let report = read_control(&panel, &spec).expect("a report");
        assert_eq!(report.estimate.inference, kind);
        assert_eq!(report.comparisons.len(), 2 + 8);
        let cohort = &report.details["cohorts"][0];
        assert_eq!(cohort["gaps"].as_array().map(Vec::len), Some(30));
        assert_eq!(cohort["placebo_gaps"].as_array().map(Vec::len), Some(23));
    }
    let ridge = ControlSpec { ridge: Some(Ridge::default()), ..ControlSpec::default() };
    let plain = read_control(&panel, &ReadSpec::new(Level::P90)).expect("a report");
    let augmented = read_control(&panel, &ReadSpec { control: ridge, ..ReadSpec::new(Level::P90) }).expect("a report");
    let l2 = |r: &throughline_evidence::Report| r.details["cohorts"][0]["fit"]["l2"].as_f64().expect("a number");
    assert!(l2(&augmented) <= l2(&plain) && augmented.details.contains_key("lambda"));
}

#[test]
fn several_treated_units_are_read_together_and_one_by_one() {
    let base = values(6, 20, 24);
    let together = panel(&base, 24, &starts(20, &[(3, 18), (9, 18)]));
    let report = read_control(&together, &ReadSpec::new(Level::P90)).expect("a report");
    assert!(
        report.comparisons.iter().any(|c| c.name == "unit=3") && report.comparisons.iter().any(|c| c.name == "unit=9")
    );
    let staggered = panel(&base, 24, &starts(20, &[(3, 18), (9, 14), (10, 14)]));
    let report = read_control(&staggered, &ReadSpec::new(Level::P90)).expect("a report");
    assert_eq!(report.details["cohorts"].as_array().map(Vec::len), Some(2));
    for variance in [Variance::Placebo { most: 60, seed: 1 }, Variance::Bootstrap { draws: 40, seed: 1 }] {
        let report = read_sdid(&staggered, &SdidSpec::default(), variance, Level::P95).expect("a report");
        let parts: Vec<f64> = report.details["cohorts"]
            .as_array()
            .expect("cohorts")
            .iter()
            .map(|c| c["att"].as_f64().expect("a number"))
            .collect();
        // Cohorts of 2 units for 10 periods and 1 unit for 6.
        assert!((report.estimate.value - (20.0 * parts[0] + 6.0 * parts[1]) / 26.0).abs() < 1e-12);
    }
    let jackknife = read_sdid(&together, &SdidSpec::default(), Variance::Jackknife, Level::P95).expect("a report");
    assert!(jackknife.estimate.std_error.is_some_and(|s| s > 0.0));
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, EvidenceError>, code: &str) {
    match answer {
        Err(EvidenceError::Data { code: got, help, .. }) => {
            assert!(got == code && !help.is_empty(), "{got} for {code}");
        }
        other => panic!("{code}: {other:?}"),
    }
}

type Answers = [Result<throughline_evidence::Report, EvidenceError>; 3];

/// The three readings of one panel of 20 periods.
fn answers(values: &[f64], units: usize, treated: &[(usize, usize)]) -> Answers {
    let panel = panel(&values[..units * 20], 20, &starts(units, treated));
    let placebo = Variance::Placebo { most: 50, seed: 1 };
    [
        read_control(&panel, &ReadSpec::new(Level::P95)),
        read_sdid(&panel, &SdidSpec::default(), placebo, Level::P95),
        read_geo(&panel, &GeoSpec::new(Level::P95)),
    ]
}

#[test]
fn hostile_panels_are_refused_by_name() {
    let base = values(7, 12, 20);
    let all = |values: &[f64], units: usize, treated: &[(usize, usize)], code: &str| {
        for answer in answers(values, units, treated) {
            refused(answer, code);
        }
    };
    all(&base, 12, &[], "TL354");
    all(&base, 2, &[(0, 10), (1, 10)], "TL354");
    all(&base, 2, &[(0, 10)], "TL360");
    all(&base, 12, &[(0, 1)], "TL361");
    all(&base, 12, &[(0, 0)], "TL361");
    let mut gappy = base.clone();
    gappy[3] = f64::NAN;
    all(&gappy, 12, &[(0, 10)], "TL351");
    for scale in [1e200, 1e-200] {
        let scaled: Vec<f64> = base.iter().map(|y| y * scale).collect();
        assert!(answers(&scaled, 12, &[(0, 10)]).iter().all(|a| matches!(a, Err(EvidenceError::Setting { .. }))));
    }
    let single = panel(&base, 20, &starts(12, &[(0, 10)]));
    refused(read_sdid(&single, &SdidSpec::default(), Variance::Jackknife, Level::P95), "TL360");
    refused(read_geo(&panel(&base, 20, &starts(12, &[(0, 10), (1, 12)])), &GeoSpec::new(Level::P95)), "TL360");
}

#[test]
fn doubtful_panels_are_answered_with_finite_numbers_and_the_doubt() {
    let base = values(7, 12, 20);
    let check = |values: &[f64], code: &str| {
        let [sc, _, geo] = answers(values, 12, &[(0, 10)]);
        let (sc, geo) = (sc.expect("an answer"), geo.expect("an answer"));
        for e in sc.comparisons.iter().chain(&geo.comparisons).map(|f| &f.estimate).chain([&sc.estimate, &geo.estimate])
        {
            assert!(e.value.is_finite() && e.p_value > 0.0 && e.p_value <= 1.0, "{e:?}");
        }
        assert!(sc.diagnostics.iter().any(|d| d.code == code && d.help.is_some()), "{code}: {:?}", sc.diagnostics);
    };
    let change = |f: &dyn Fn(&mut Vec<f64>)| {
        let mut values = base.clone();
        f(&mut values);
        values
    };
    check(&change(&|v| v[..20].iter_mut().for_each(|y| *y += 500.0)), "TL365");
    check(&change(&|v| v[25] = f64::NAN), "TL366");
    check(&change(&|v| v[..20].fill(5.0)), "TL368");
    check(&[5.0; 240], "TL368");
    check(&change(&|v| v.copy_within(20..40, 0)), "TL367");
    // 11 donors cannot reach 95 %.
    check(&base, "TL369");
}

#[test]
fn a_geo_reading_says_one_thing_in_every_unit() {
    let mut base = values(8, 30, 60);
    for unit in 0..2 {
        base[unit * 60 + 50..(unit + 1) * 60].iter_mut().for_each(|y| *y *= 1.1);
    }
    let panel = panel(&base, 60, &starts(30, &[(0, 50), (1, 50)]));
    for permutations in [Permutations::Block, Permutations::Iid { draws: 499, seed: 2 }] {
        let spec = GeoSpec { spend: Some(-250.0), permutations, ..GeoSpec::new(Level::P90) };
        let report = read_geo(&panel, &spec).expect("a report");
        let find = |name: &str| &report.comparisons.iter().find(|c| c.name == name).expect(name).estimate;
        let (main, lift) = (&report.estimate, find("lift"));
        assert!(main.p_value < 0.1 && (lift.value - 0.1).abs() < 0.05, "{main:?} {lift:?}");
        let (total, per) = (find("incremental"), find("incremental per spend"));
        assert!((total.value - 20.0 * main.value).abs() < 1e-9 && (per.value + total.value / 250.0).abs() < 1e-9);
        for e in [lift, total, per] {
            assert_eq!(e.p_value, main.p_value);
            assert_eq!(e.set.contains(0.0), main.set.contains(0.0));
            // No constant effect may fit where a relative one was put in: then all sets are empty.
            assert!(e.set.contains(e.value) || main.set.0.is_empty(), "{e:?}");
        }
    }
}

#[test]
fn designs_obey_their_constraints() {
    let panel = panel(&values(9, 25, 80), 80, &starts(25, &[]));
    let name = |i: usize| panel.unit_name(i);
    let mut spec = DesignSpec::new(vec![8, 12], vec![2, 3]);
    spec.include = vec![name(4)];
    spec.exclude = vec![name(7)];
    spec.cpic = Some(2.0);
    spec.lookback = 2;
    let found = design(&panel, None, &spec).expect("designs");
    assert!(found.designs.iter().all(|d| d.markets.contains(&name(4)) && !d.markets.contains(&name(7))));
    assert!(found.designs.windows(2).all(|d| d[0].rank <= d[1].rank) && found.designs[0].rank == 1);
    let costs: Vec<f64> = found.designs.iter().filter_map(|d| d.at.investment).collect();
    let budget = costs.iter().sum::<f64>() / costs.len() as f64;
    let less = design(&panel, None, &DesignSpec { budget: Some(budget), ..spec.clone() }).expect("designs");
    assert!(less.designs.len() < found.designs.len());
    assert!(less.designs.iter().all(|d| d.at.investment.is_some_and(|i| i < budget)));
    // A cut of spend: negative effects, the test markets are the holdout, and what is saved is not bounded by the budget.
    let spend = vec![3.0; panel.outcomes().len()];
    let effects = spec.effects.iter().map(|e| -e).collect();
    let cut = DesignSpec { effects, spend_change: Some(-1.0), cpic: None, budget: Some(1.0), ..spec.clone() };
    let cut = design(&panel, Some(&spend), &cut).expect("designs");
    for d in &cut.designs {
        assert_eq!((d.holdout, d.spend_change), (d.share, Some(-3.0 * (d.markets.len() * d.duration) as f64)));
        assert!(d.minimum_detectable_effect < 0.0 && d.cost_per_incremental.is_some_and(|c| c > 0.0));
    }
    refused(design(&panel, None, &DesignSpec { budget: Some(0.0), ..spec.clone() }), "TL364");
    refused(design(&panel, None, &DesignSpec { include: vec!["nowhere".into()], ..spec.clone() }), "TL362");
    refused(design(&panel, None, &DesignSpec { durations: vec![79], ..spec.clone() }), "TL361");
    assert!(design(&panel, None, &DesignSpec { effects: vec![-0.1, 0.1], ..spec }).is_err());
}

/// The power of a design is that of the reading: the same test on the same numbers.
#[test]
fn a_design_promises_what_a_reading_says() {
    let base = values(10, 20, 50);
    let untouched = panel(&base, 50, &starts(20, &[]));
    let permutations = Permutations::Iid { draws: 199, seed: 1 };
    let spec = DesignSpec {
        effects: vec![0.0, 0.3],
        permutations,
        include: vec![untouched.unit_name(2)],
        ..DesignSpec::new(vec![10], vec![1])
    };
    let found = design(&untouched, None, &spec).expect("designs");
    let mut lifted = base.clone();
    lifted[2 * 50 + 40..3 * 50].iter_mut().for_each(|y| *y *= 1.3);
    let treated = panel(&lifted, 50, &starts(20, &[(2, 40)]));
    let read = read_geo(&treated, &GeoSpec { permutations, ..GeoSpec::new(Level::P90) }).expect("a report");
    let at = found.designs[0].at;
    assert!(
        (at.att - read.estimate.value).abs() < 1e-9 && at.power == f64::from(u8::from(read.estimate.p_value < 0.1))
    );
    let scaled = read.details["cohorts"][0]["fit"]["scaled_l2"].as_f64().expect("a number");
    assert!((scaled - found.designs[0].scaled_l2).abs() < 1e-9);
}

use throughline_core::Level;
use throughline_stats::ols::ols;
use throughline_stats::stream::Stream;

use super::design::Design;
use super::*;
use crate::{EvidenceError, Panel};

/// Units × 6 periods, starts in 2, 3 or 4 or never, a covariate that drives trend and start, clusters of five.
fn drawn(seed: u64, units: usize, holes: bool) -> Panel {
    let stream = Stream::new(seed, 1);
    let (mut y, mut x, mut starts, mut clusters) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for i in 0..units {
        let at = |k: u64| stream.normal_at(i as u64 * 100 + k);
        let covariate = at(0);
        let start = match at(1) + 0.4 * covariate {
            v if v < -0.2 => None,
            v if v < 0.3 => Some(2),
            v if v < 0.9 => Some(3),
            _ => Some(4),
        };
        for t in 0..6_usize {
            let gain = start.filter(|s| t >= *s).map_or(0.0, |s| 1.0 + 0.5 * (t - s) as f64);
            let hole = holes && (i * 7 + t * 3) % 11 == 0;
            y.push(if hole { f64::NAN } else { at(2) + 0.3 * t as f64 * covariate + gain + at(10 + t as u64) });
            x.push(covariate);
        }
        starts.push(start);
        clusters.push(u32::try_from(i / 5).expect("few"));
    }
    let times = (0..6).map(f64::from).collect();
    let panel = Panel::from_matrix(y, times, &starts, Some(clusters)).expect("a panel");
    panel.with_covariate("x", x).expect("a covariate")
}

fn plain(panel: &Panel, clustered: bool) -> Panel {
    let starts: Vec<Option<usize>> = (0..panel.units()).map(|i| panel.start(i)).collect();
    let times = (0..panel.periods()).map(|t| panel.time(t)).collect();
    let clusters = panel.clusters().filter(|_| clustered).map(<[u32]>::to_vec);
    Panel::from_matrix(panel.outcomes().to_vec(), times, &starts, clusters).expect("a panel")
}

#[track_caller]
fn close(a: f64, b: f64, within: f64) {
    assert!((a - b).abs() <= within * (1.0 + b.abs()), "{a} and {b}");
}

#[test]
fn sums_say_what_columns_say() {
    for (controls, base, clustered) in [
        (Controls::Never, Base::Varying, false),
        (Controls::NotYet, Base::Universal, false),
        (Controls::NotYet, Base::Varying, true),
    ] {
        let panel = plain(&drawn(3, 120, false), clustered);
        let options = CsOptions { controls, base, ..CsOptions::default() };
        let design = Design::of(&panel, &options).expect("a design");
        let of = |by_sums: bool| {
            let most = if by_sums { 0 } else { usize::MAX };
            let found = GroupTime::of_design(&panel, &options, &design, most).expect("effects");
            let kinds = Aggregate::ALL.map(|k| found.aggregate(k).expect("an aggregation").joint);
            (found, kinds)
        };
        let ((a, all_a), (b, all_b)) = (of(true), of(false));
        assert!(clustered || a.joint.influence(0).is_empty() && !b.joint.influence(0).is_empty());
        for i in 0..a.joint.len() {
            close(a.joint.values()[i], b.joint.values()[i], 1e-12);
            (0..=i).for_each(|j| close(a.joint.covariance(i, j), b.joint.covariance(i, j), 1e-12));
        }
        for (a, b) in all_a.iter().zip(&all_b) {
            (0..a.len()).for_each(|j| close(a.std_error(j), b.std_error(j), 1e-10));
        }
    }
}

/// Every cell from means computed unit by unit.
#[test]
fn cells_are_differences_of_mean_changes() {
    let panel = plain(&drawn(4, 90, true), false);
    let options =
        CsOptions { controls: Controls::NotYet, base: Base::Varying, anticipation: 1.0, ..CsOptions::default() };
    let found = GroupTime::of(&panel, &options).expect("effects");
    assert!(found.cells.iter().any(|c| c.phase == Phase::Anticipation));
    for (k, cell) in found.cells.iter().enumerate() {
        let g: usize = found.groups[cell.group].parse().expect("a period");
        let base = if cell.time + 1 >= g { g - 2 } else { cell.time - 1 };
        assert_eq!(cell.base, base);
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for i in 0..panel.units() {
            let change = panel.outcomes_of(i)[cell.time] - panel.outcomes_of(i)[base];
            match panel.start(i) {
                _ if change.is_nan() => {}
                Some(s) if s == g => own.push(change),
                Some(s) if s <= cell.time.max(base) + 1 => {}
                _ => other.push(change),
            }
        }
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        close(found.joint.values()[k], mean(&own) - mean(&other), 1e-12);
        assert_eq!(found.counts[k], (own.len(), other.len()));
    }
    assert_eq!(found.diagnostics[0].code, "TL351");
}

/// Leaving out one unit at a time knows nothing of influence functions: errors must agree up to O(1 / n).
#[test]
fn influence_values_agree_with_the_jackknife() {
    let panel = drawn(5, 300, false).of_units(&(0..300).collect::<Vec<_>>());
    let values = |panel: &Panel, adjustment| {
        let options = CsOptions { controls: Controls::NotYet, adjustment, ..CsOptions::default() };
        let found = GroupTime::of(panel, &options).expect("effects");
        let all = Aggregate::ALL.map(|k| found.aggregate(k).expect("an aggregation"));
        let overall = |a: &Aggregation| (a.joint.values()[a.overall()], a.joint.influence(a.overall()).to_vec());
        all.iter().map(overall).collect::<Vec<_>>()
    };
    for adjustment in [Adjustment::Regression, Adjustment::Weighting, Adjustment::DoublyRobust] {
        let panel = unclustered(&panel);
        let whole = values(&panel, adjustment);
        let n = panel.units();
        let without = |i: usize| panel.of_units(&(0..n).filter(|j| *j != i).collect::<Vec<_>>());
        let left: Vec<Vec<f64>> =
            (0..n).step_by(7).map(|i| values(&without(i), adjustment).iter().map(|v| v.0).collect()).collect();
        for (k, (value, influence)) in whole.iter().enumerate() {
            let scale = influence.iter().map(|p| p * p).sum::<f64>().sqrt() / (n as f64).sqrt();
            for (row, i) in left.iter().zip((0..n).step_by(7)) {
                // θ − θ₍₋ᵢ₎ ≈ φᵢ.
                let gap = (value - row[k]) - influence[i];
                assert!(
                    gap.abs() < 0.25 * scale + 0.1 * influence[i].abs(),
                    "{adjustment:?} {k} {i}: {gap} of {scale}"
                );
            }
        }
    }
}

fn unclustered(panel: &Panel) -> Panel {
    let x = panel.covariates().next().map(|(_, v)| v.to_vec()).expect("x");
    plain(panel, false).with_covariate("x", x).expect("a covariate")
}

#[test]
fn the_regression_is_that_with_dummies() {
    for holes in [false, true] {
        let panel = plain(&drawn(6, 25, holes), false);
        let (n, t) = (panel.units(), panel.periods());
        let cells: Vec<usize> = (0..n * t).filter(|c| !panel.outcomes()[*c].is_nan()).collect();
        let indicator =
            |f: &dyn Fn(usize) -> bool| cells.iter().map(|c| f64::from(u8::from(f(*c)))).collect::<Vec<_>>();
        let mut columns = vec![indicator(&|c| panel.start(c / t).is_some_and(|s| c % t >= s))];
        columns.extend((0..n).map(|i| indicator(&|c| c / t == i)));
        columns.extend((1..t).map(|p| indicator(&|c| c % t == p)));
        let refs: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let y: Vec<f64> = cells.iter().map(|c| panel.outcomes()[*c]).collect();
        let fit = ols(&refs, &y, None).expect("a fit");
        let found = twfe(&panel).expect("a coefficient");
        close(found.joint.values()[0], fit.coefficients[0], 1e-9);
        let units: Vec<u32> = cells.iter().map(|c| u32::try_from(c / t).expect("few")).collect();
        let phi = throughline_stats::ols::sums_within(&fit.influence(&refs, None, 0), &units, n);
        let expect = (phi.iter().map(|p| p * p).sum::<f64>() * n as f64 / (n as f64 - 1.0)).sqrt();
        close(found.joint.std_error(0), expect, 1e-8);
    }
}

/// With one beginning and no holes all of them are one number, but for the periods they average over.
#[test]
fn one_beginning_is_one_difference() {
    let y: Vec<f64> = (0..40 * 2).map(|i| Stream::new(9, 0).normal_at(i)).collect();
    let starts: Vec<Option<usize>> = (0..40).map(|i| (i % 3 == 0).then_some(1)).collect();
    let panel = Panel::from_matrix(y, vec![0.0, 1.0], &starts, None).expect("a panel");
    let two = two_by_two(&panel).expect("an effect");
    let cs = GroupTime::of(&panel, &CsOptions::default()).expect("effects");
    close(two.values()[0], twfe(&panel).expect("a coefficient").joint.values()[0], 1e-12);
    close(two.values()[0], cs.joint.values()[0], 1e-12);
    let report = difference_in_differences(&panel, Level::P95, 1).expect("a report");
    assert!(report.diagnostics.iter().any(|d| d.code == "TL355"), "no earlier period: untested");
}

fn code(result: Result<impl std::fmt::Debug, EvidenceError>) -> &'static str {
    match result {
        Err(EvidenceError::Data { code, message, help }) => {
            assert!(!message.is_empty() && !help.is_empty());
            code
        }
        other => panic!("{other:?}"),
    }
}

fn panel_of(starts: &[Option<usize>]) -> Panel {
    let y = (0..starts.len() as u64 * 4).map(|i| Stream::new(2, 0).normal_at(i)).collect();
    Panel::from_matrix(y, vec![0.0, 1.0, 2.0, 3.0], starts, None).expect("a panel")
}

#[test]
fn faults_are_named() {
    let cs = |starts: &[Option<usize>], controls| {
        GroupTime::of(&panel_of(starts), &CsOptions { controls, ..CsOptions::default() })
    };
    let (never, not_yet) = (Controls::Never, Controls::NotYet);
    assert_eq!(code(cs(&[None; 5], never)), "TL354");
    assert_eq!(code(cs(&[Some(2), Some(2), Some(3), Some(3)], never)), "TL354");
    assert_eq!(code(cs(&[Some(2); 4], not_yet)), "TL354");
    assert_eq!(code(cs(&[Some(0), Some(0), None, None], never)), "TL354");
    assert_eq!(code(cs(&[Some(2), None, None, None], never)), "TL356");
    assert_eq!(code(cs(&[Some(2), Some(2), None], never)), "TL356");
    assert_eq!(code(two_by_two(&panel_of(&[Some(1), Some(1), Some(2), Some(2), None, None]))), "TL359");
    let found = cs(&[Some(2), Some(2), Some(3), Some(0), None, None], never).expect("one group is left");
    let codes: Vec<&str> = found.diagnostics.iter().map(|d| d.code.as_str()).collect();
    assert_eq!(codes, ["TL354", "TL356", "TL356"]);
    let options = CsOptions { anticipation: -1.0, ..CsOptions::default() };
    assert!(matches!(GroupTime::of(&panel_of(&[Some(2), None]), &options), Err(EvidenceError::Setting { .. })));
}

#[test]
fn covariates_that_do_not_work_are_named() {
    let starts: Vec<Option<usize>> = (0..60).map(|i| (i % 2 == 0).then_some(2)).collect();
    let with = |f: &dyn Fn(usize) -> f64, adjustment| {
        let panel = panel_of(&starts).with_covariate("x", (0..240).map(|c| f(c / 4)).collect()).expect("a covariate");
        GroupTime::of(&panel, &CsOptions { adjustment, ..CsOptions::default() })
    };
    let all = [Adjustment::Regression, Adjustment::Weighting, Adjustment::DoublyRobust];
    for adjustment in all {
        assert_eq!(code(with(&|_| 7.0, adjustment)), "TL357");
        assert_eq!(code(with(&|_| f64::NAN, adjustment)), "TL356");
        let noise = |i: usize| Stream::new(8, 0).normal_at(i as u64);
        let whole = with(&noise, adjustment).expect("effects");
        let holes = with(&|i| if i == 3 { f64::NAN } else { noise(i) }, adjustment).expect("effects");
        assert_eq!((whole.diagnostics.len(), holes.diagnostics[0].code.as_str()), (0, "TL357"));
    }
    let apart = |i: usize| if i.is_multiple_of(2) { 1.0 + i as f64 } else { -1.0 - i as f64 };
    assert_eq!(code(with(&apart, Adjustment::Weighting)), "TL358");
    assert_eq!(code(with(&apart, Adjustment::DoublyRobust)), "TL358");
    assert!(with(&apart, Adjustment::Regression).is_ok());
}

#[test]
fn staggered_data_warn_and_show_the_spread() {
    let report = difference_in_differences(&plain(&drawn(7, 150, false), false), Level::P95, 1).expect("a report");
    assert!(report.diagnostics.iter().any(|d| d.code == "TL359"));
    assert!(
        ["twfe", "simple", "group", "dynamic", "calendar"]
            .iter()
            .all(|n| report.comparisons.iter().any(|f| f.name == *n))
    );
    let text = serde_json::to_string(&report.details).expect("JSON");
    assert!(text.contains("breakdown_mbar") && !text.contains("NaN"), "{text}");
}

/// Coverage of every entry over 150 data sets, within a wide binomial bound; 2,000 are published.
#[test]
fn sets_hold_the_truth_as_often_as_they_promise() {
    for entry in ESTIMATORS {
        let n = 150;
        let hits = (0..n).filter(|seed| {
            let s = (entry.simulate)(*seed, Level::P90).expect("an estimate");
            s.estimate.set.contains(s.truth)
        });
        let rate = hits.count() as f64 / n as f64;
        let most = if entry.conservative { 1.0 } else { 0.98 };
        assert!((0.81..=most).contains(&rate), "{}: {rate}", entry.name);
    }
}

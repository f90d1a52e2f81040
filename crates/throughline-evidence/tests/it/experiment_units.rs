//! Reading tables of units: coverage, slow references, and hostile input.

use proptest::prelude::*;
use throughline_core::{Estimate, Level};
use throughline_evidence::experiment::{Alternative, Cap, Kind, Looks, Margin, Metric, Plan, read, sums};
use throughline_evidence::sequential::Spending;
use throughline_evidence::{Accumulator, Column, Correction, ExperimentSpec, MetricKind, Reading, Table, estimators};
use throughline_stats::goodness::{Alternative as Tail, binomial_test};
use throughline_stats::moments::CoMoments;
use throughline_stats::ols::{Covariance, ols};
use throughline_stats::stream::Stream;

/// Coverage of every estimator of the family. `THROUGHLINE_SEEDS` sets how many data sets (100 without).
#[test]
#[expect(clippy::print_stdout, reason = "the figures are what the test is run for by hand")]
fn nominal_coverage_holds() {
    let seeds = std::env::var("THROUGHLINE_SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(100_u64);
    for entry in estimators().filter(|e| e.name.starts_with("experiment/")) {
        let level = Level::P95;
        let started = std::time::Instant::now();
        let held = (0..seeds).filter(|seed| {
            let s = (entry.simulate)(*seed, level).unwrap_or_else(|e| panic!("{} {seed}: {e}", entry.name));
            s.estimate.set.contains(s.truth)
        });
        let held = held.count() as u64;
        let side = if entry.conservative { Tail::Less } else { Tail::TwoSided };
        let p = binomial_test(held, seeds, level.get(), side).expect("counts");
        let each = started.elapsed().as_secs_f64() * 1e3 / seeds as f64;
        println!("{:34} {held:5} of {seeds} = {:.4}, p {p:.3}, {each:.2} ms", entry.name, held as f64 / seeds as f64);
        assert!(p > 1e-4, "{}: {held} of {seeds} hold the truth, p {p}", entry.name);
    }
}

/// A table of units with an arm (0 is the control `a`) and named columns.
pub(crate) fn table(arms: &[u32], columns: &[(&str, Vec<f64>)]) -> Table {
    table_of(arms.iter().max().map_or(2, |m| (*m as usize + 1).max(2)), arms, columns)
}

/// The same with a number of arms, some of which may be empty.
fn table_of(count: usize, arms: &[u32], columns: &[(&str, Vec<f64>)]) -> Table {
    let mut out = Table::new();
    let names = ["a", "b", "c"][..count].iter().map(|n| (*n).to_owned()).collect();
    out.push("arm", Column::Texts { codes: arms.to_vec(), names }).expect("a column");
    for (name, values) in columns {
        out.push(*name, Column::Numbers(values.clone())).expect("a column");
    }
    out
}

fn plan(metric: Metric) -> Plan {
    Plan::new("arm", "a").metric(metric)
}

fn first(table: &Table, plan: &Plan) -> Estimate {
    let reading = read(table, plan).expect("a reading");
    let c = &reading.comparisons[0];
    c.estimate.clone().unwrap_or_else(|| panic!("{c:?}"))
}

/// `n` units in arms `a` and `b` with x, z, a denominator and an outcome that depends on them.
fn data(n: u64, seed: u64) -> (Vec<u32>, Vec<(&'static str, Vec<f64>)>) {
    let s = |k| Stream::new(seed, k);
    let arms: Vec<u32> = (0..n).map(|i| u32::from(s(0).index_at(i, 2) == 1)).collect();
    let normal = |k: u64| (0..n).map(|i| s(k).normal_at(i)).collect::<Vec<f64>>();
    let (x, z, e) = (normal(1), normal(2), normal(3));
    let d: Vec<f64> = (0..n).map(|i| 1.0 + s(4).index_at(i, 4) as f64).collect();
    let of = |i: usize| {
        let arm = f64::from(arms[i]);
        3.0 + arm * (1.0 + x[i]) + 2.0 * x[i] - z[i] + d[i] + (1.0 + arm) * e[i]
    };
    let y = (0..arms.len()).map(of).collect();
    (arms, vec![("y", y), ("x", x), ("z", z), ("d", d)])
}

#[track_caller]
fn close(got: f64, expect: f64) {
    assert!((got - expect).abs() <= 1e-9 * expect.abs().max(1e-3), "{got} for {expect}");
}

/// Lin's estimator the long way: one regression on arm, centred covariates and their products, with HC2 errors; plus the
/// error of the covariates' mean.
#[test]
fn regression_adjustment_is_the_interacted_regression() {
    let (arms, columns) = data(60, 5);
    let [y, x, z] = [0, 1, 2].map(|i: usize| columns[i].1.clone());
    let n = y.len() as f64;
    let centred = |c: &[f64]| c.iter().map(|v| v - c.iter().sum::<f64>() / n).collect::<Vec<f64>>();
    let (x, z) = (centred(&x), centred(&z));
    let d: Vec<f64> = arms.iter().map(|a| f64::from(*a)).collect();
    let times = |c: &[f64]| c.iter().zip(&d).map(|(c, d)| c * d).collect::<Vec<f64>>();
    let (one, dx, dz) = (vec![1.0; y.len()], times(&x), times(&z));
    let design: [&[f64]; 6] = [&one, &d, &x, &z, &dx, &dz];
    let fit = ols(&design, &y, None).expect("a fit");
    let hc2 = fit.covariance(&design, None, Covariance::Hc2)[7];
    let (bx, bz) = (fit.coefficients[4], fit.coefficients[5]);
    let spread: f64 = x.iter().zip(&z).map(|(x, z)| (bx * x + bz * z).powi(2)).sum::<f64>() / n / n;
    // Cross terms of residuals and covariates vanish: residuals are orthogonal within each arm, up to leverage.
    let plan = Plan { covariates: vec!["x".into(), "z".into()], ..plan(Metric::column("y")) };
    let e = first(&table(&arms, &columns), &plan);
    close(e.value, fit.coefficients[1]);
    let got = e.std_error.expect("an error").powi(2);
    assert!((got / (hc2 + spread) - 1.0).abs() < 0.02, "{got} for {hc2} + {spread}");
}

/// The delta method as it stands in textbooks, with sample variances and the covariance.
#[test]
fn ratios_are_the_delta_method() {
    let (arms, columns) = data(80, 6);
    let (y, d) = (&columns[0].1, &columns[3].1);
    let of = |arm: u32| {
        let mut m = CoMoments::default();
        arms.iter().enumerate().filter(|(_, a)| **a == arm).for_each(|(i, _)| m.push(y[i], d[i]));
        let (n, r) = (m.x().n() as f64, m.x().sum() / m.y().sum());
        let mean = m.y().mean().expect("units");
        let v = |m: &throughline_stats::moments::Moments| m.variance().expect("units");
        (r, (v(m.x()) - 2.0 * r * m.covariance().expect("pairs") + r * r * v(m.y())) / (mean * mean) / n)
    };
    let ((r0, v0), (r1, v1)) = (of(0), of(1));
    let kind = Kind::Ratio { numerator: "y".into(), denominator: "d".into() };
    let e = first(&table(&arms, &columns), &plan(Metric::new("r", kind)));
    close(e.value, r1 - r0);
    close(e.std_error.expect("an error"), (v0 + v1).sqrt());
}

#[test]
fn cuped_is_that_of_sums() {
    let (arms, columns) = data(80, 7);
    let (y, x) = (&columns[0].1, &columns[1].1);
    let of = |arm: u32| {
        let mut m = CoMoments::default();
        arms.iter().enumerate().filter(|(_, a)| **a == arm).for_each(|(i, _)| m.push(x[i], y[i]));
        m
    };
    let metric = Metric { cuped: Some("x".into()), ..Metric::column("y") };
    let reading = read(&table(&arms, &columns), &plan(metric)).expect("a reading");
    let c = &reading.comparisons[0];
    let absolute = sums::cuped_absolute(&of(0), &of(1)).expect("a difference");
    let relative = sums::cuped_relative(&of(0), &of(1)).expect("a difference");
    for (got, expect) in [(&c.estimate, absolute), (&c.relative, relative)] {
        let e = got.as_ref().expect("an estimate");
        close(e.value, expect.value);
        close(e.std_error.expect("an error"), expect.std_error);
    }
    assert!(c.variance_reduction.is_some_and(|r| r > 0.3), "{c:?}");
}

/// Every unit three times, as a cluster, says exactly what the units say once.
#[test]
fn copies_in_clusters_add_nothing() {
    let (arms, columns) = data(70, 8);
    let thrice = |v: &[f64]| v.iter().flat_map(|v| [*v; 3]).collect::<Vec<f64>>();
    let more: Vec<u32> = arms.iter().flat_map(|a| [*a; 3]).collect();
    let mut copied: Vec<(&str, Vec<f64>)> = columns.iter().map(|(n, v)| (*n, thrice(v))).collect();
    copied.push(("id", thrice(&(0..70).map(f64::from).collect::<Vec<_>>())));
    let ratio = Kind::Ratio { numerator: "y".into(), denominator: "d".into() };
    let cuped = Metric { cuped: Some("x".into()), ..Metric::column("y") };
    for metric in [Metric::column("y"), Metric::new("r", ratio), cuped] {
        let once = first(&table(&arms, &columns), &plan(metric.clone()));
        let clustered = Plan { cluster: Some("id".into()), unit: Some("id".into()), ..plan(metric) };
        let all = first(&table(&more, &copied), &clustered);
        close(all.value, once.value);
        close(all.std_error.expect("an error"), once.std_error.expect("an error"));
        close(all.p_value, once.p_value);
        assert_eq!(all.n, 3 * once.n);
    }
}

#[test]
fn one_stratum_changes_nothing_and_many_only_what_they_explain() {
    let (arms, mut columns) = data(200, 9);
    columns.push(("one", vec![4.0; 200]));
    columns.push(("sign", columns[1].1.iter().map(|x| f64::from(u8::from(*x > 0.0))).collect()));
    let table = table(&arms, &columns);
    let of = |strata: &str| first(&table, &Plan { strata: Some(strata.into()), ..plan(Metric::column("y")) });
    let plain = first(&table, &plan(Metric::column("y")));
    close(of("one").value, plain.value);
    close(of("one").std_error.expect("an error"), plain.std_error.expect("an error"));
    assert!(of("sign").std_error < plain.std_error);
}

/// Estimates agree with their own p-values, nothing is NaN, and what is written can be read.
fn keeps_the_contract(reading: &Reading, alpha: f64) -> Result<(), TestCaseError> {
    let agrees = |e: &Estimate| {
        e.value.is_finite() && (0.0..=1.0).contains(&e.p_value) && e.set.contains(0.0) != (e.p_value < alpha)
    };
    for c in &reading.comparisons {
        prop_assert_eq!(c.estimate.is_none(), c.estimate_absent.is_some());
        prop_assert_eq!(c.relative.is_none(), c.relative_absent.is_some());
        let margin = c.non_inferiority.as_ref().map(|m| &m.estimate);
        prop_assert!(c.estimate.iter().chain(&c.relative).chain(margin).all(agrees), "{c:?}");
        prop_assert!(!c.verdict.is_empty() && !c.verdict.contains("NaN"), "{}", c.verdict);
        prop_assert_eq!(c.significant, c.adjusted_p_value.is_some_and(|p| p < alpha));
        if let Some((low, high)) = c.band {
            prop_assert_eq!(c.significant, !(low..=high).contains(&0.0), "{:?}", c);
        }
    }
    for s in &reading.segments {
        prop_assert!(s.effects.iter().all(|e| agrees(&e.estimate) && agrees(&e.shrunk)), "{s:?}");
    }
    let checks = reading.checks.as_ref().unwrap();
    prop_assert!(checks.trends.iter().all(|t| agrees(&t.slope)));
    prop_assert!(checks.outliers.iter().all(|o| o.variance_share.is_finite() && o.effect_without.is_finite()));
    let text = serde_json::to_string(reading).unwrap();
    let back: Reading = serde_json::from_str(&text).unwrap();
    prop_assert_eq!(back.comparisons.len(), reading.comparisons.len());
    Ok(())
}

proptest! {
    /// Units one by one and sums in a stream give the same comparisons.
    #[test]
    fn both_readings_agree(
        units in prop::collection::vec((0..3_u32, prop::sample::select(vec![0.0, 1.0, 2.5, -4.0, f64::NAN])), 0..60),
        correction in prop::sample::select(vec![Correction::None, Correction::Holm, Correction::BenjaminiHochberg]),
    ) {
        let arms: Vec<u32> = units.iter().map(|u| u.0).collect();
        let y: Vec<f64> = units.iter().map(|u| u.1).collect();
        let binary: Vec<f64> = y.iter().map(|v| if v.is_nan() { *v } else { f64::from(u8::from(*v > 0.5)) }).collect();
        let mut spec = ExperimentSpec::new(["a", "b", "c"], "a")
            .metric("y", MetricKind::Mean)
            .metric("binary", MetricKind::Proportion);
        spec.correction = correction;
        let mut seen = Accumulator::new(&spec).unwrap();
        for i in 0..units.len() {
            seen.observe(arms[i] as usize, &[Some(y[i]), Some(binary[i])]).unwrap();
        }
        let sums = seen.finish();
        let mean = Metric::new("y", Kind::Column { column: "y".into(), kind: Some(MetricKind::Mean) });
        let plan = Plan { correction, ..plan(mean).metric(Metric::column("binary")) };
        let single = read(&table_of(3, &arms, &[("y", y), ("binary", binary)]), &plan).unwrap();
        prop_assert_eq!((&sums.srm, sums.health), (&single.srm, single.health));
        for (a, b) in sums.comparisons.iter().zip(&single.comparisons) {
            prop_assert_eq!((&a.arm, &a.metric), (&b.arm, &b.metric));
            prop_assert_eq!(a.relative_absent.is_some(), b.relative_absent.is_some());
            for (a, b) in [(&a.estimate, &b.estimate), (&a.relative, &b.relative)] {
                let (Some(a), Some(b)) = (a, b) else {
                    prop_assert!(a.is_none() && b.is_none(), "{a:?} {b:?}");
                    continue;
                };
                let near = |x: f64, y: f64| (x - y).abs() <= 1e-9 * x.abs().max(1.0);
                prop_assert!(near(a.value, b.value) && near(a.p_value, b.p_value), "{a:?} {b:?}");
                prop_assert!(near(a.interval().0, b.interval().0) && a.n == b.n, "{a:?} {b:?}");
            }
        }
    }

    /// Whatever comes in, whatever is asked: no panic, no NaN, and every estimate agrees with itself.
    #[test]
    fn nothing_breaks_a_reading(
        units in prop::collection::vec(
            (0..3_u32, prop::array::uniform4(prop::sample::select(
                vec![0.0, 1.0, 1.0, 2.0, -1.0, 3.5, f64::NAN, f64::INFINITY, 1e308, -1e308, 1e-308],
            ))),
            0..60,
        ),
        flags in prop::array::uniform8(any::<bool>()),
        kind in 0..5_u8,
        side in 0..3_u8,
        fix in prop::option::of(0..4_usize),
    ) {
        let arms: Vec<u32> = units.iter().map(|u| u.0).collect();
        let names = ["p", "q", "r", "s"];
        let columns: Vec<(&str, Vec<f64>)> = (0..4)
            .map(|c| (names[c], units.iter().map(|u| if fix == Some(c) { 1.0 } else { u.1[c] }).collect()))
            .collect();
        let metric = |name: &str| {
            let kind = match kind {
                0 => Kind::Column { column: "p".into(), kind: None },
                1 => Kind::Ratio { numerator: "p".into(), denominator: "q".into() },
                2 => Kind::Quantile { column: "p".into(), at: 0.5 },
                3 => Kind::Conversion { time: "p".into(), exposed: "q".into(), within: 2.0, until: Some(4.0) },
                _ => Kind::Column { column: "p".into(), kind: Some(MetricKind::Mean) },
            };
            let mut metric = Metric::new(name, kind);
            metric.cap = flags[0].then_some(Cap::Quantile(0.9));
            metric.margin = flags[1].then_some(Margin::Relative(0.1));
            metric.lower_is_better = flags[2];
            metric
        };
        let mut plan = plan(metric("m")).metric(Metric { cap: None, ..metric("n") });
        match (flags[3], flags[4]) {
            (true, false) => plan.covariates = vec!["q".into(), "r".into(), "s".into()],
            (true, true) => plan.strata = Some("r".into()),
            (false, true) => plan.metrics[0].cuped = Some(if kind == 1 { "r/s" } else { "r" }.into()),
            _ => {}
        }
        plan.cluster = flags[5].then(|| "s".into());
        plan.unit = flags[6].then(|| "r".into());
        plan.segments = if flags[7] { vec!["r".into(), "arm".into()] } else { Vec::new() };
        plan.time = Some("s".into());
        let groups = |look| Looks::GroupSequential { fractions: vec![0.3, 1.0], look, spending: Spending::Pocock };
        plan.sequential = flags[0].then(|| match (flags[5], flags[3]) {
            (true, _) => Looks::ConfidenceSequence { tuned_at: 500.0 },
            (false, true) => Looks::Msprt { expected_effect: 0.5 },
            (false, false) => groups(1 + usize::from(flags[4])),
        });
        plan.alternative = [Alternative::TwoSided, Alternative::Greater, Alternative::Less][side as usize];
        let bands = side == 0 && plan.sequential.is_none();
        plan.correction = if bands { Correction::Bands } else { Correction::Holm };
        let reading = read(&table_of(3, &arms, &columns), &plan).unwrap();
        keeps_the_contract(&reading, plan.level.alpha())?;
    }
}

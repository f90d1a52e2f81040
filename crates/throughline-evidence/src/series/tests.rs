//! The filter against dense matrices, and what the posterior must be in cases with a known answer.

use throughline_core::Level;
use throughline_stats::hac::newey_west;

use super::components::{Season, Structure, Trend};
use super::filter::{Rows, collapse};
use super::model::{Fit, Series, Settings, Window};
use super::random::Cursor;
use super::segmented::segmented;
use super::small::{backward, factorise, forward};
use super::structural::{analyse, answer};
use super::{History, history, ljung_box};

fn columns_of(structure: &Structure, n: usize, start: &dyn Fn(usize) -> Vec<f64>) -> Vec<Vec<f64>> {
    // The state at times 0, …, n when it starts as given at time `start` and nothing else happens.
    let m = structure.dim();
    (0..m)
        .flat_map(|j| {
            let mut state = start(j);
            (0..=n).map(move |_| {
                let now = state.clone();
                structure.advance(&mut state, 1);
                now
            })
        })
        .collect()
}

/// V⁻¹ b.
fn solve(v: &[f64], n: usize, b: &[f64]) -> Vec<f64> {
    let mut l = v.to_vec();
    assert!(factorise(&mut l, n));
    let mut x = b.to_vec();
    forward(&l, n, &mut x);
    backward(&l, n, &mut x);
    x
}

fn log_det(v: &[f64], n: usize) -> f64 {
    let mut l = v.to_vec();
    assert!(factorise(&mut l, n));
    2.0 * (0..n).map(|i| l[i * n + i].ln()).sum::<f64>()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Everything `collapse` gives, by generalised least squares with the covariance of all times written out.
fn dense(structure: &Structure, ratios: &[f64], rows: &Rows) -> (Vec<f64>, f64, Vec<f64>, Vec<f64>) {
    let (n, m) = (rows.seen.len(), structure.dim());
    let unit = |j: usize| (0..m).map(|i| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
    let moves = columns_of(structure, n, &unit);
    let seen_of = |state: &[f64]| structure.seen().iter().map(|i| state[*i]).sum::<f64>();
    let at: Vec<usize> = (0..n).filter(|t| rows.seen[*t]).collect();
    // An innovation of state j after time s is seen at t > s as Z T^(t − s − 1) e_j.
    let response = |j: usize, s: usize, t: usize| if t > s { seen_of(&moves[j * (n + 1) + t - s - 1]) } else { 0.0 };
    let q = |j: usize| ratios[structure.driver()[j]];
    let pairs: Vec<(usize, usize)> = (0..m).flat_map(|j| (0..n).map(move |s| (j, s))).collect();
    let k = at.len();
    let mut v = vec![0.0; k * k];
    for (a, ta) in at.iter().enumerate() {
        for (b, tb) in at.iter().enumerate() {
            let sum: f64 = pairs.iter().map(|(j, s)| q(*j) * response(*j, *s, *ta) * response(*j, *s, *tb)).sum();
            v[a * k + b] = sum + f64::from(u8::from(a == b));
        }
    }
    let d: Vec<Vec<f64>> = (0..m).map(|j| at.iter().map(|t| seen_of(&moves[j * (n + 1) + t])).collect()).collect();
    let data: Vec<Vec<f64>> =
        (0..rows.width).map(|c| at.iter().map(|t| rows.values[t * rows.width + c]).collect()).collect();
    let vd: Vec<Vec<f64>> = d.iter().map(|c| solve(&v, k, c)).collect();
    let dd: Vec<f64> = (0..m * m).map(|e| dot(&d[e / m], &vd[e % m])).collect();
    let start_of = |c: &[f64]| solve(&dd, m, &vd.iter().map(|w| dot(w, c)).collect::<Vec<_>>());
    let rest_of = |c: &[f64]| {
        let start = start_of(c);
        let mut out = c.to_vec();
        for (s, d) in start.iter().zip(&d) {
            out.iter_mut().zip(d).for_each(|(o, d)| *o -= s * d);
        }
        out
    };
    let products: Vec<f64> = (0..rows.width * rows.width)
        .map(|e| dot(&rest_of(&data[e / rows.width]), &solve(&v, k, &rest_of(&data[e % rows.width]))))
        .collect();
    // The next state: T^n start plus what the innovations, known from the data, add.
    let ends = |j: usize, s: usize| moves[j * (n + 1) + n - s - 1].clone();
    let cross: Vec<Vec<f64>> = (0..m)
        .map(|i| {
            at.iter().map(|t| pairs.iter().map(|(j, s)| q(*j) * ends(*j, *s)[i] * response(*j, *s, *t)).sum()).collect()
        })
        .collect();
    let (start, rest) = (start_of(&data[0]), solve(&v, k, &rest_of(&data[0])));
    let state = (0..m)
        .map(|i| (0..m).map(|j| moves[j * (n + 1) + n][i] * start[j]).sum::<f64>() + dot(&cross[i], &rest))
        .collect();
    let left: Vec<Vec<f64>> =
        (0..m).map(|i| (0..m).map(|j| moves[j * (n + 1) + n][i] - dot(&cross[i], &vd[j])).collect()).collect();
    let covariance = (0..m * m)
        .map(|e| {
            let (i, l) = (e / m, e % m);
            let free: f64 = pairs.iter().map(|(j, s)| q(*j) * ends(*j, *s)[i] * ends(*j, *s)[l]).sum();
            free - dot(&cross[i], &solve(&v, k, &cross[l])) + dot(&left[i], &solve(&dd, m, &left[l]))
        })
        .collect();
    (products, log_det(&v, k) + log_det(&dd, m), state, covariance)
}

#[test]
fn the_filter_is_generalised_least_squares() {
    let week = Season::new(4.0).expect("a season");
    let cases: [(Trend, Vec<Season>, Vec<f64>); 4] = [
        (Trend::Level, vec![], vec![0.3]),
        (Trend::Level, vec![], vec![1e-6]),
        (Trend::LocalLinear, vec![], vec![0.2, 0.05]),
        (Trend::LocalLinear, vec![week, Season { period: 5.5, waves: 1 }], vec![0.4, 0.01, 0.1, 0.02]),
    ];
    for (seed, (trend, seasons, ratios)) in (0_u64..).zip(cases) {
        let structure = Structure::new(trend, &seasons).expect("a structure");
        let mut cursor = Cursor::new(seed, 5);
        let (n, width) = (17, 3);
        let values: Vec<f64> = (0..n * width).map(|_| 2.0 + cursor.normal()).collect();
        let seen: Vec<bool> = (0..n).map(|t| t != 0 && t != 6 && t != 7).collect();
        let rows = Rows { values, width, seen };
        let got = collapse(&structure, &ratios, &rows).expect("enough rows");
        let (products, log_det, state, covariance) = dense(&structure, &ratios, &rows);
        let close = |a: f64, b: f64, what: &str| assert!((a - b).abs() < 1e-8 * (1.0 + b.abs()), "{what}: {a} {b}");
        close(got.yy, products[0], "yy");
        (0..2).for_each(|j| close(got.xy[j], products[j + 1], "xy"));
        (0..4).for_each(|e| close(got.xx[e], products[(e / 2 + 1) * 3 + e % 2 + 1], "xx"));
        close(got.log_det, log_det, "log determinant");
        state.iter().zip(&got.state).for_each(|(b, a)| close(*a, *b, "state"));
        covariance.iter().zip(&got.covariance).for_each(|(b, a)| close(*a, *b, "covariance"));
    }
}

#[test]
fn too_few_rows_are_no_model() {
    let structure = Structure::new(Trend::LocalLinear, &[]).expect("a structure");
    let rows = Rows { values: vec![1.0, 2.0, 3.0], width: 1, seen: vec![false, true, false] };
    assert!(collapse(&structure, &[0.1, 0.1], &rows).is_none());
}

fn series(n: usize, outcome: impl Fn(usize) -> f64, controls: Vec<(String, Vec<f64>)>) -> Series {
    let times = (0..n).map(|t| t.to_string()).collect();
    Series::new(times, (0..n).map(outcome).collect(), controls).expect("a series")
}

#[test]
fn useful_controls_are_found_among_useless_ones() {
    let n = 120;
    let mut cursor = Cursor::new(4, 0);
    let controls: Vec<(String, Vec<f64>)> =
        (0..12).map(|j| (format!("x{j}"), (0..n).map(|_| cursor.normal()).collect())).collect();
    let noise: Vec<f64> = (0..n).map(|_| cursor.normal()).collect();
    let y = |t: usize| 50.0 + 2.0 * controls[3].1[t] - 1.5 * controls[8].1[t] + 0.5 * noise[t];
    let data = series(n, y, controls.clone());
    let window = Window { intervention: 100, start: 100, end: 120 };
    let fit = Fit::new(&data, window, &[], &Settings::default()).expect("a fit");
    let share = |j: usize| fit.draws.iter().filter(|d| d.beta[j] != 0.0).count() as f64 / fit.draws.len() as f64;
    assert!(share(3) > 0.99 && share(8) > 0.99, "{} {}", share(3), share(8));
    let others: f64 = (0..12).filter(|j| ![3, 8].contains(j)).map(share).sum::<f64>() / 10.0;
    assert!(others < 0.2, "{others}");
    let mean = fit.draws.iter().map(|d| d.beta[3]).sum::<f64>() / fit.draws.len() as f64;
    let slope = mean * fit.outcome.sd / fit.controls[3].1.sd;
    assert!((slope - 2.0).abs() < 0.2, "{slope}");
}

#[test]
fn units_of_measurement_do_not_matter() {
    let n = 60;
    let mut cursor = Cursor::new(8, 0);
    let x: Vec<f64> = (0..n).map(|_| cursor.normal()).collect();
    let y: Vec<f64> = x.iter().map(|x| x + cursor.normal()).collect();
    let window = Window { intervention: 45, start: 45, end: 60 };
    let of = |scale: f64, shift: f64| {
        let control = x.iter().map(|x| 3.0 * x - 7.0).collect();
        let data = series(n, |t| shift + scale * y[t], vec![("x".into(), control)]);
        let fit = Fit::new(&data, window, &[], &Settings { draws: 200, ..Settings::default() }).expect("a fit");
        fit.forecast(&data, window)
    };
    let (plain, moved) = (of(1.0, 0.0), of(1000.0, 5e4));
    for (a, b) in plain.paths.iter().flatten().zip(moved.paths.iter().flatten()) {
        assert!((a * 1000.0 + 5e4 - b).abs() < 1e-4, "{a} {b}");
    }
}

fn walk(n: usize, seed: u64) -> Vec<f64> {
    let mut cursor = Cursor::new(seed, 3);
    let mut level = 20.0;
    (0..n)
        .map(|_| {
            level += 0.3 * cursor.normal();
            level + cursor.normal()
        })
        .collect()
}

/// The smoothed level minimises Σ (y − l)² + Σ (l_{t+1} − l_t)² / q, whose derivative is 0.
#[test]
fn the_smoothed_level_solves_its_normal_equations() {
    let y = walk(40, 2);
    let data = series(40, |t| if t == 9 { f64::NAN } else { y[t] }, vec![]);
    let window = Window { intervention: 35, start: 35, end: 40 };
    let fit = Fit::new(&data, window, &[], &Settings { draws: 100, ..Settings::default() }).expect("a fit");
    let q = super::smooth::means(&fit).0[0];
    let History { level: l, errors, predicted, .. } = history(&fit, &data).expect("a history");
    for t in 1..34 {
        let pull = if t == 9 { 0.0 } else { l[t] - y[t] };
        assert!((pull + (2.0 * l[t] - l[t - 1] - l[t + 1]) / q).abs() < 1e-8, "{t}");
    }
    assert!(errors.len() == 33 && predicted[9].is_nan() && predicted[10].is_finite());
}

#[test]
fn dependence_of_errors_is_tested() {
    let e = [1.0, -1.0, 2.0, -2.0, 1.0, -1.0, 2.0, -2.0, 1.0, -1.0];
    // By hand: Σ e² = 22, Σ e_t e_{t−1} = −19, Σ e_t e_{t−2} = 16; 10 / 5 = 2 lags; Q = 120 (r₁² / 9 + r₂² / 8).
    let expect = 120.0 * ((19.0_f64 / 22.0).powi(2) / 9.0 + (16.0_f64 / 22.0).powi(2) / 8.0);
    let got = ljung_box(&e).expect("a test");
    assert!((got.statistic - expect).abs() < 1e-12 && got.p_value < 0.01, "{got:?} {expect}");
    assert!(ljung_box(&[1.0; 20]).is_none() && ljung_box(&e[..9]).is_none());
}

#[test]
fn newey_west_is_its_double_sum() {
    let mut cursor = Cursor::new(5, 5);
    let influence: Vec<Vec<f64>> = (0..2).map(|_| (0..9).map(|_| cursor.normal()).collect()).collect();
    let times = [0, 1, 2, 4, 5, 6, 9, 10, 11];
    for lag in [0, 1, 3] {
        let got = newey_west(&influence, &times, lag);
        for (i, j) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut sum = 0.0;
            for (a, ta) in times.iter().enumerate() {
                for (b, tb) in times.iter().enumerate() {
                    let weight = 1.0 - (*ta as f64 - *tb as f64).abs() / (lag + 1) as f64;
                    sum += weight.max(0.0) * influence[i][a] * influence[j][b];
                }
            }
            assert!((got[i * 2 + j] - sum).abs() < 1e-12, "{lag} {i} {j}");
        }
    }
}

#[test]
fn a_change_of_level_and_slope_is_read_exactly() {
    let noise = walk(60, 7);
    let y = |t: usize| {
        let since = t as f64 - 45.0;
        2.0 + 0.5 * t as f64 + 1e-7 * noise[t] + if t >= 45 { 3.0 + 0.25 * since } else { 0.0 }
    };
    let data = series(60, y, vec![]);
    let report =
        segmented(&data, Window { intervention: 45, start: 45, end: 60 }, &[], None, Level::P95).expect("a report");
    assert!((report.estimate.value - 4.75).abs() < 1e-5, "{:?}", report.estimate);
    let of = |name: &str| report.comparisons.iter().find(|f| f.name == name).map(|f| f.estimate.value);
    assert!((of("level change").expect("there") - 3.0).abs() < 1e-5);
    assert!((of("slope change").expect("there") - 0.25).abs() < 1e-6);
}

#[test]
fn each_fault_has_its_name() {
    let quick = Settings { draws: 200, ..Settings::default() };
    let code = |data: &Series, window: Window| match answer(data, window, &[], &quick, Level::P95) {
        Err(crate::EvidenceError::Data { code, .. }) => code,
        other => panic!("{other:?}"),
    };
    let window = Window { intervention: 20, start: 20, end: 30 };
    let y = walk(30, 1);
    assert_eq!(code(&series(30, |_| 4.0, vec![]), window), "TL319");
    assert_eq!(code(&series(30, |t| y[t], vec![]), Window { intervention: 2, start: 2, end: 30 }), "TL310");
    assert_eq!(code(&series(30, |t| if t < 20 { f64::NAN } else { y[t] }, vec![]), window), "TL310");
    assert_eq!(code(&series(30, |t| if t < 20 { y[t] } else { f64::NAN }, vec![]), window), "TL312");
    assert_eq!(code(&series(30, |t| y[t], vec![]), Window { intervention: 20, start: 30, end: 30 }), "TL310");
    let times: Vec<String> = (0..3).map(|t| t.to_string()).collect();
    assert!(Series::new(times.clone(), vec![1.0, f64::INFINITY, 2.0], vec![]).is_err());
    assert!(Series::new(times, vec![1.0, 2.0], vec![]).is_err());
    let huge = series(30, |t| y[t] * 1e200, vec![]);
    assert!(matches!(answer(&huge, window, &[], &quick, Level::P95), Err(crate::EvidenceError::NotFinite { .. })));
    for wrong in [
        Settings { level_sd: 0.0, ..quick.clone() },
        Settings { draws: 1, ..quick.clone() },
        Settings { scale: Some(f64::NAN), ..quick.clone() },
    ] {
        assert!(answer(&series(30, |t| y[t], vec![]), window, &[], &wrong, Level::P95).is_err());
    }
}

#[test]
fn every_check_speaks_up_when_it_should() {
    let n = 80;
    let mut cursor = Cursor::new(6, 0);
    let jumping: Vec<f64> = (0..n).map(|t| cursor.normal() + if t >= 60 { 9.0 } else { 0.0 }).collect();
    let wave = |t: usize| 4.0 * (t as f64 * 0.9).sin();
    let y: Vec<f64> = (0..n).map(|t| 50.0 + jumping[t] + wave(t) + 0.3 * cursor.normal()).collect();
    let hole = |t: usize| if t == 5 || t == 70 { f64::NAN } else { y[t] };
    let data = series(n, hole, vec![("jumping".into(), jumping.clone()), ("flat".into(), vec![1.0; n])]);
    let window = Window { intervention: 60, start: 60, end: n };
    let quick = Settings { draws: 400, ..Settings::default() };
    let report = analyse(&data, &[window], &quick, 2, Level::P95).expect("a report");
    let codes: Vec<&str> = report.diagnostics.iter().map(|d| d.code.as_str()).collect();
    for code in ["TL311", "TL312", "TL313", "TL315", "TL316", "TL319"] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    let short = Window { intervention: 12, start: 12, end: n };
    let report = analyse(&data, &[short], &quick, 0, Level::P95).expect("a report");
    assert!(report.diagnostics.iter().any(|d| d.code == "TL310"));
}

#[test]
fn interventions_are_read_one_by_one() {
    let y = walk(120, 11);
    let effect = |t: usize| if (60..70).contains(&t) { 8.0 } else { f64::from(u8::from(t >= 100)) * -8.0 };
    let data = series(120, |t| y[t] + effect(t), vec![]);
    let windows = [Window { intervention: 60, start: 62, end: 70 }, Window { intervention: 100, start: 100, end: 110 }];
    let quick = Settings { draws: 400, ..Settings::default() };
    let report = analyse(&data, &windows, &quick, 0, Level::P95).expect("a report");
    let of =
        |name: &str| report.comparisons.iter().find(|f| f.name == name).map(|f| f.estimate.clone()).expect("there");
    for (name, truth) in [("average 1", 8.0), ("average 2", -8.0)] {
        assert!((of(name).value - truth).abs() < 2.0 && !of(name).set.contains(0.0), "{:?}", of(name));
    }
    assert_eq!(report.estimate, of("average 1"));
    let overlapping = [windows[0], Window { intervention: 65, start: 65, end: 80 }];
    assert!(analyse(&data, &overlapping, &quick, 0, Level::P95).is_err());
    assert!(analyse(&data, &[], &quick, 0, Level::P95).is_err());
}

#[test]
fn words_say_what_the_numbers_say() {
    for (seed, jump) in (0..12).zip([0.0, 0.0, 0.0, 1.0, 2.0, 4.0, -4.0, -2.0, -1.0, 0.5, -0.5, 0.0]) {
        let y = walk(60, seed);
        let data = series(60, |t| y[t] + if t >= 50 { jump } else { 0.0 }, vec![]);
        let window = Window { intervention: 50, start: 50, end: 60 };
        let report = analyse(&data, &[window], &Settings { draws: 300, ..Settings::default() }, 0, Level::P95)
            .expect("a report");
        let text = report.details["windows"][0]["text"].as_str().expect("a text").to_owned();
        let e = &report.estimate;
        assert_eq!(text.contains("interval includes 0"), e.set.contains(0.0), "{text}");
        assert_eq!(text.contains("caused an increase"), !e.set.contains(0.0) && e.value > 0.0, "{text}");
        assert_eq!(text.contains("caused a decrease"), !e.set.contains(0.0) && e.value < 0.0, "{text}");
        for finding in &report.comparisons {
            let excludes = !finding.estimate.set.contains(0.0);
            assert_eq!(excludes, !e.set.contains(0.0), "{} disagrees with the average", finding.name);
        }
    }
}

//! Conformal intervals keep their promise.

use serde_json::json;
use throughline_core::Level;
use throughline_learn::SplitConformal;
use throughline_stats::stream::Stream;

/// A skewed error whose size grows with x; the predictions are wrong on purpose.
fn draw(stream: &Stream, i: u64) -> (f64, f64, f64) {
    let x = stream.uniform_at(2 * i);
    let error = -(1.0 - stream.uniform_at(2 * i + 1)).ln();
    (0.5 * x, 1.0 + x + (0.2 + x) * error, 0.2 + x)
}

#[test]
fn a_new_observation_is_held_as_often_as_promised() {
    // For each n one new row per calibration set: the guarantee is over both. Between level and level + 1 / (n + 1).
    for (n, level) in [(19_u64, Level::P95), (20, Level::P90), (7, Level::HALF)] {
        for normalised in [false, true] {
            let runs = 4_000_u64;
            let held = (0..runs).filter(|run| {
                let stream = Stream::new(*run, 90 + n);
                let rows: Vec<(f64, f64, f64)> = (0..=n).map(|i| draw(&stream, i)).collect();
                let column = |f: fn(&(f64, f64, f64)) -> f64| -> Vec<f64> { rows.iter().map(f).collect() };
                let (p, y, s) = (column(|r| r.0), column(|r| r.1), column(|r| r.2));
                let (last, scale) = (rows.len() - 1, normalised.then_some(s.as_slice()));
                let (fitted, found) =
                    SplitConformal::fit(&p[..last], &y[..last], scale.map(|s| &s[..last]), level).expect("a fit");
                assert!(found.is_empty());
                let new = fitted.intervals(&p[last..], scale.map(|s| &s[last..])).expect("an interval");
                new[0].contains(y[last])
            });
            let (share, l) = (held.count() as f64 / runs as f64, level.get());
            let slack = 3.3 * (l * (1.0 - l) / runs as f64).sqrt();
            let most = l + 1.0 / (n + 1) as f64;
            assert!((l - slack..=most + slack).contains(&share), "{n} {l} {normalised}: {share}");
        }
    }
}

#[test]
fn the_quantile_is_the_stated_order_statistic() {
    let y: Vec<f64> = (1..=19).map(f64::from).collect();
    let (fitted, _) = SplitConformal::fit(&[0.0; 19], &y, None, Level::P90).expect("a fit");
    assert_eq!(fitted.quantile(), Some(18.0));
    let intervals = fitted.intervals(&[100.0], None).expect("an interval");
    assert_eq!((intervals[0].low, intervals[0].high), (82.0, 118.0));
    let scale: Vec<f64> = y.iter().map(|y| y / 2.0).collect();
    let (scaled, _) = SplitConformal::fit(&[0.0; 19], &y, Some(&scale), Level::P90).expect("a fit");
    let interval = scaled.intervals(&[0.0], Some(&[3.0])).expect("an interval")[0];
    assert_eq!((scaled.quantile(), interval.high), (Some(2.0), 6.0));
}

#[test]
fn too_few_rows_and_bad_input() {
    let (fitted, found) = SplitConformal::fit(&[0.0; 18], &[1.0; 18], None, Level::P95).expect("a fit");
    assert_eq!((fitted.quantile(), found[0].code.as_str()), (None, "TL754"));
    let interval = fitted.intervals(&[1.0], None).expect("an interval")[0];
    assert!(interval.low == f64::NEG_INFINITY && interval.high == f64::INFINITY && interval.contains(1e300));
    let fails = |p: &[f64], y: &[f64], s: Option<&[f64]>| SplitConformal::fit(p, y, s, Level::P90).is_err();
    assert!(fails(&[], &[], None) && fails(&[1.0], &[1.0, 2.0], None) && fails(&[f64::NAN], &[1.0], None));
    assert!(fails(&[1.0], &[f64::INFINITY], None) && fails(&[1.0], &[1.0], Some(&[0.0])));
    assert!(fitted.intervals(&[1.0], Some(&[1.0])).is_err() && fitted.intervals(&[f64::NAN], None).is_err());
    // Errors beyond the range of numbers: the whole line.
    let (wide, found) = SplitConformal::fit(&[-1e308; 9], &[1e308; 9], None, Level::HALF).expect("a fit");
    assert!(wide.quantile().is_none() && !found.is_empty());
}

#[test]
fn a_saved_one_gives_the_same_bits() {
    let y: Vec<f64> = (0..50).map(|i| f64::from(i).sqrt() / 3.0).collect();
    for (fitted, scale) in [
        (SplitConformal::fit(&[0.1; 50], &y, None, Level::P90).expect("a fit").0, None),
        (SplitConformal::fit(&[0.1; 50], &y, Some(&[0.7; 50]), Level::P90).expect("a fit").0, Some(&[0.3][..])),
        (SplitConformal::fit(&[0.1; 2], &y[..2], None, Level::P90).expect("a fit").0, None),
    ] {
        let text = fitted.state().to_string();
        let restored = SplitConformal::load(&serde_json::from_str(&text).expect("JSON")).expect("loads");
        assert_eq!(restored, fitted);
        assert_eq!(restored.intervals(&[0.2], scale).expect("one"), fitted.intervals(&[0.2], scale).expect("one"));
    }
    for bad in [json!({}), json!({ "bits": "" }), json!({ "bits": "00", "rows": 1, "normalised": false })] {
        assert!(SplitConformal::load(&bad).is_err(), "{bad}");
    }
}

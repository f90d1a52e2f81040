//! Learners against the regressions they are made of, and saved learners against themselves.

mod calibration;
mod conformal;

use serde_json::{Value, json};
use throughline_learn::{FeatureMatrix, FittedLearner, LEARNERS, LearnError, LearnerInput, Task, learner};
use throughline_stats::logistic::{LogisticRegression, Rows};
use throughline_stats::ols::ols;
use throughline_stats::stream::Stream;

const N: usize = 400;

fn normals(id: u64) -> Vec<f64> {
    let stream = Stream::new(11, id);
    (0..N as u64).map(|i| stream.normal_at(i)).collect()
}

type Columns = Vec<(String, Vec<f64>)>;

/// Two features of very different size, a mean and an event that depend on them.
fn world() -> (Columns, Vec<f64>, Vec<f64>) {
    let (a, b) = (normals(1), normals(2).iter().map(|x| 1e4 + 300.0 * x).collect::<Vec<_>>());
    let noise = normals(3);
    let mean: Vec<f64> = (0..N).map(|i| 1.0 + 2.0 * a[i] - 0.01 * b[i] + noise[i]).collect();
    let event = (0..N).map(|i| f64::from(u8::from(0.8 * a[i] + (b[i] - 1e4) / 300.0 > noise[i]))).collect();
    (vec![("a".into(), a), ("b".into(), b)], mean, event)
}

fn fit(
    name: &str,
    params: &Value,
    x: &FeatureMatrix,
    y: &[f64],
    task: Task,
) -> Result<Box<dyn FittedLearner>, LearnError> {
    let rows: Vec<usize> = (0..300).collect();
    let input = LearnerInput { features: x, rows: &rows, target: y, weights: None, task, threads: None };
    (learner(name)?.build)(params)?.fit(&input)
}

#[test]
fn linear_is_least_squares() {
    let (columns, y, _) = world();
    let (x, _) = FeatureMatrix::exact(columns.clone()).expect("a matrix");
    let fitted = fit("linear", &Value::Null, &x, &y, Task::Mean).expect("a fit");
    let one = vec![1.0; 300];
    let reference = ols(&[&one, &columns[0].1[..300], &columns[1].1[..300]], &y[..300], None).expect("a fit");
    let b = &reference.coefficients;
    for (i, got) in fitted.predict(&x).expect("predictions").into_iter().enumerate() {
        let expect = b[0] + b[1] * columns[0].1[i] + b[2] * columns[1].1[i];
        assert!((got - expect).abs() < 1e-9, "row {i}: {got} against {expect}");
    }
}

#[test]
fn logistic_is_maximum_likelihood() {
    let (columns, mean, y) = world();
    let (x, _) = FeatureMatrix::exact(columns.clone()).expect("a matrix");
    let fitted = fit("logistic", &Value::Null, &x, &y, Task::Probability).expect("a fit");
    let rows: Vec<f64> = (0..300).flat_map(|i| [columns[0].1[i], columns[1].1[i]]).collect();
    let rows = Rows { x: &rows, columns: 2, y: &y[..300], weights: None };
    let reference = LogisticRegression::default().fit(&rows).expect("a fit");
    for (i, got) in fitted.predict(&x).expect("predictions").into_iter().enumerate() {
        let expect = reference.probability(&[columns[0].1[i], columns[1].1[i]]);
        assert!((got - expect).abs() < 1e-9, "row {i}: {got} against {expect}");
    }
    let error = fit("logistic", &Value::Null, &x, &mean, Task::Mean).expect_err("a mean").to_string();
    assert_eq!(error, "learner `logistic` predicts probabilities only");
}

#[test]
fn a_ridge_shrinks_towards_the_mean() {
    let (columns, y, _) = world();
    let (x, _) = FeatureMatrix::exact(columns).expect("a matrix");
    let spread = |ridge: f64| {
        let fitted = fit("linear", &json!({ "ridge": ridge }), &x, &y, Task::Mean).expect("a fit");
        let p = fitted.predict_rows(&x, &(0..300).collect::<Vec<_>>()).expect("predictions");
        let mean = p.iter().sum::<f64>() / 300.0;
        p.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    assert!(spread(0.0) > 2.0 * spread(1.0) && spread(1.0) > spread(1e3) && spread(1e9) < 1e-6);
    let error = learner("linear").and_then(|e| (e.build)(&json!({ "ridge": -1.0 }))).expect_err("negative");
    assert_eq!(error.to_string(), "parameters of `linear`: ridge of -1 is outside 0 to 1e100");
}

#[test]
fn useless_columns_and_missing_values_do_no_harm() {
    let (mut columns, mean, event) = world();
    let plain = FeatureMatrix::exact(columns.clone()).expect("a matrix").0;
    columns.push(("twice".into(), columns[0].1.iter().map(|x| 3.0 - 2.0 * x).collect()));
    columns.push(("same".into(), vec![7.1; N]));
    columns.push(("none".into(), vec![f64::NAN; N]));
    let (x, _) = FeatureMatrix::exact(columns).expect("a matrix");
    for (name, y, task) in [("linear", &mean, Task::Mean), ("logistic", &event, Task::Probability)] {
        let p =
            |x: &FeatureMatrix| fit(name, &Value::Null, x, y, task).and_then(|f| f.predict(x)).expect("predictions");
        assert!(p(&plain).iter().zip(p(&x)).all(|(a, b)| (a - b).abs() < 1e-9), "{name}");
    }
}

#[test]
fn weights_repeat_rows() {
    let x = FeatureMatrix::exact(vec![("x".into(), vec![0.0, 1.0, 2.0, 3.0, 3.0])]).expect("a matrix").0;
    for (name, task, y) in
        [("linear", Task::Mean, [1.0, 2.0, 2.5, 5.0, 5.0]), ("logistic", Task::Probability, [0.0, 1.0, 0.0, 1.0, 1.0])]
    {
        let p = |rows: &[usize], weights: Option<&[f64]>| {
            let input = LearnerInput { features: &x, rows, target: &y, weights, task, threads: None };
            let fitted = learner(name).and_then(|e| (e.build)(&Value::Null)).and_then(|l| l.fit(&input));
            fitted.and_then(|f| f.predict(&x)).expect("predictions")
        };
        let (repeated, weighted) = (p(&[0, 1, 2, 3, 4], None), p(&[0, 1, 2, 3], Some(&[1.0, 1.0, 1.0, 2.0, 0.0])));
        assert!(repeated.iter().zip(&weighted).all(|(a, b)| (a - b).abs() < 1e-8), "{name} {repeated:?} {weighted:?}");
    }
}

#[test]
fn a_restored_learner_predicts_the_same_bits() {
    let (columns, _, event) = world();
    let (x, _) = FeatureMatrix::exact(columns).expect("a matrix");
    for entry in LEARNERS {
        let fitted = fit(entry.name, &Value::Null, &x, &event, Task::Probability).expect("a fit");
        let text = serde_json::to_string(&fitted.state().expect("a state")).expect("text");
        let restored = (entry.load)(&serde_json::from_str(&text).expect("JSON")).expect("the same learner");
        let (a, b) = (fitted.predict(&x).expect("predictions"), restored.predict(&x).expect("predictions"));
        assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", entry.name);
        assert!(a.iter().all(|p| (0.0..=1.0).contains(p)), "{}", entry.name);
        assert!((entry.load)(&json!({ "bits": "00" })).is_err(), "{}", entry.name);
    }
}

#[test]
fn unknown_learners_answer_with_the_known() {
    let error = learner("forest").expect_err("unknown").to_string();
    assert_eq!(error, "unknown learner `forest` (known: boosted_trees, linear, logistic)");
}

use proptest::prelude::*;

use super::*;

/// Weight, horsepower and transmission of the 32 cars in R's `mtcars`.
const CARS: [(f64, f64, f64); 32] = [
    (2.62, 110.0, 1.0),
    (2.875, 110.0, 1.0),
    (2.32, 93.0, 1.0),
    (3.215, 110.0, 0.0),
    (3.44, 175.0, 0.0),
    (3.46, 105.0, 0.0),
    (3.57, 245.0, 0.0),
    (3.19, 62.0, 0.0),
    (3.15, 95.0, 0.0),
    (3.44, 123.0, 0.0),
    (3.44, 123.0, 0.0),
    (4.07, 180.0, 0.0),
    (3.73, 180.0, 0.0),
    (3.78, 180.0, 0.0),
    (5.25, 205.0, 0.0),
    (5.424, 215.0, 0.0),
    (5.345, 230.0, 0.0),
    (2.2, 66.0, 1.0),
    (1.615, 52.0, 1.0),
    (1.835, 65.0, 1.0),
    (2.465, 97.0, 0.0),
    (3.52, 150.0, 0.0),
    (3.435, 150.0, 0.0),
    (3.84, 245.0, 0.0),
    (3.845, 175.0, 0.0),
    (1.935, 66.0, 1.0),
    (2.14, 91.0, 1.0),
    (1.513, 113.0, 1.0),
    (3.17, 264.0, 1.0),
    (2.77, 175.0, 1.0),
    (3.57, 335.0, 1.0),
    (2.78, 109.0, 1.0),
];

fn cars(columns: usize) -> (Vec<f64>, Vec<f64>) {
    (CARS.iter().flat_map(|c| [c.0, c.1].into_iter().take(columns)).collect(), CARS.iter().map(|c| c.2).collect())
}

fn fit(model: &LogisticRegression, x: &[f64], columns: usize, y: &[f64], weights: Option<&[f64]>) -> LogisticFit {
    let fit = model.fit(&Rows { x, columns, y, weights }).expect("valid rows");
    assert!(fit.coefficients.iter().all(|b| b.is_finite()) && fit.log_likelihood.is_finite());
    fit
}

#[track_caller]
fn near(got: &[f64], expect: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expect.len());
    for (got, expect) in got.iter().zip(expect) {
        assert!((got - expect).abs() <= tolerance * expect.abs(), "{got}, expected {expect}");
    }
}

#[track_caller]
fn check(fit: &LogisticFit, coefficients: &[f64], std_errors: &[f64], log_likelihood: f64) {
    near(&fit.coefficients, coefficients, 1e-10);
    near(&fit.std_errors.iter().map(|e| e.expect("an error")).collect::<Vec<_>>(), std_errors, 1e-9);
    near(&[fit.log_likelihood], &[log_likelihood], 1e-12);
    assert_eq!(fit.findings, []);
}

/// Newton's method in 40 digits; the first agrees with R's `glm(am ~ wt, binomial, mtcars)`: 12.040 (4.510), −4.024 (1.436).
#[test]
fn reference_fits() {
    let plain = LogisticRegression::default();
    let (x, y) = cars(1);
    check(
        &fit(&plain, &x, 1, &y, None),
        &[12.040_369_728_657_322, -4.023_969_962_173_201],
        &[4.510_066_238_966_76, 1.436_527_752_623_558_4],
        -9.588_042_403_722_542,
    );
    let weights: Vec<f64> = (0..32).map(|i| f64::from(1 + i % 3)).collect();
    check(
        &fit(&plain, &x, 1, &y, Some(&weights)),
        &[11.642_195_021_387_864, -3.970_990_866_205_043],
        &[2.949_864_492_443_602_4, 0.972_148_101_933_695_7],
        -18.926_953_974_656_148,
    );
    let (x, y) = cars(2);
    check(
        &fit(&plain, &x, 2, &y, None),
        &[18.866_298_717_204_155, -8.083_475_182_444_65, 0.036_255_596_082_216_615],
        &[7.443_558_427_981_728, 3.068_675_275_390_592, 0.017_734_154_331_947_037],
        -5.029_555_236_133_494,
    );
    check(
        &fit(&LogisticRegression { ridge: 2.0, ..plain }, &x, 2, &y, None),
        &[4.117_831_370_992_762, -1.708_987_614_349_162_2, 0.005_564_585_039_253_583],
        &[1.468_666_460_799_410_5, 0.520_977_413_877_233_5, 0.006_762_228_949_080_573],
        -11.393_034_654_984_877,
    );
}

/// For a 2 × 2 table the slope is the log odds ratio with variance 1/a + 1/b + 1/c + 1/d.
#[test]
fn a_table_has_a_closed_form() {
    let (a, b, c, d): (f64, f64, f64, f64) = (30.0, 70.0, 45.0, 55.0);
    let fit = fit(&LogisticRegression::default(), &[0.0, 0.0, 1.0, 1.0], 1, &[1.0, 0.0, 1.0, 0.0], Some(&[a, b, c, d]));
    near(&fit.coefficients, &[(a / b).ln(), (c / d * b / a).ln()], 1e-12);
    let slope_variance: f64 = 1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d;
    near(&[fit.std_errors[1].unwrap()], &[slope_variance.sqrt()], 1e-12);
    near(&[fit.probability(&[1.0])], &[0.45], 1e-12);
    near(&[fit.probability(&[])], &[0.3], 1e-12);
}

#[test]
fn shares_with_weights_equal_single_trials() {
    let model = LogisticRegression::default();
    let single = fit(&model, &[1.0, 1.0, 1.0, 2.0, 2.0], 1, &[1.0, 0.0, 0.0, 1.0, 0.0], None);
    let grouped = fit(&model, &[1.0, 2.0], 1, &[1.0 / 3.0, 0.5], Some(&[3.0, 2.0]));
    near(&grouped.coefficients, &single.coefficients, 1e-9);
    near(&[grouped.std_errors[1].unwrap()], &[single.std_errors[1].unwrap()], 1e-9);
}

#[test]
fn collinear_columns_are_left_out_and_named() {
    let (x, y) = cars(1);
    let alone = fit(&LogisticRegression::default(), &x, 1, &y, None);
    // Weight in pounds, then in other units with an offset, then a constant.
    let wide: Vec<f64> = x.iter().flat_map(|w| [*w, 453.6 * w + 7.0, 3.1]).collect();
    let got = fit(&LogisticRegression::default(), &wide, 3, &y, None);
    assert_eq!(got.findings, [Finding::Collinear { coefficients: vec![2, 3] }]);
    near(&got.coefficients[..2], &alone.coefficients, 1e-9);
    assert_eq!((&got.coefficients[2..], &got.std_errors[2..]), (&[0.0, 0.0][..], &[None, None][..]));
    // A ridge shares the effect between two equal columns.
    let twice: Vec<f64> = x.iter().flat_map(|w| [*w, *w]).collect();
    let got = fit(&LogisticRegression { ridge: 0.1, ..LogisticRegression::default() }, &twice, 2, &y, None);
    assert_eq!(got.findings, []);
    near(&got.coefficients[1..2], &got.coefficients[2..], 1e-9);
}

#[test]
fn separated_outcomes_are_named() {
    let model = LogisticRegression::default();
    let separated = |coefficients: &[usize]| vec![Finding::Separated { coefficients: coefficients.to_vec() }];
    let complete = fit(&model, &[1.0, 2.0, 3.0, 4.0], 1, &[0.0, 0.0, 1.0, 1.0], None);
    assert_eq!(complete.findings, separated(&[0, 1]));
    assert_eq!(complete.std_errors, [None, None]);
    assert!(complete.probability(&[1.0]) < 0.001 && complete.probability(&[4.0]) > 0.999);
    // Only those with the flag set always succeed; the other column is well behaved.
    let x = [0.0, 0.1, 0.0, 0.5, 0.0, 0.2, 0.0, 0.9, 1.0, 0.3, 1.0, 0.6];
    let quasi = fit(&model, &x, 2, &[0.0, 1.0, 1.0, 0.0, 1.0, 1.0], None);
    assert_eq!(quasi.findings, separated(&[1]));
    let constant = fit(&model, &[], 0, &[1.0; 5], None);
    assert_eq!(constant.findings, separated(&[0]));
    let ridge = LogisticRegression { ridge: 1.0, ..model };
    assert_eq!(fit(&ridge, &[1.0, 2.0, 3.0, 4.0], 1, &[0.0, 0.0, 1.0, 1.0], None).findings, []);
}

/// A steep but regular fit must not be called separated.
#[test]
fn extreme_rows_are_not_separation() {
    let x = [-400.0, -1.0, -0.5, 0.0, 0.5, 1.0, 400.0];
    let got = fit(&LogisticRegression::default(), &x, 1, &[0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0], None);
    assert_eq!(got.findings, []);
}

#[test]
fn an_iteration_limit_is_reported() {
    let (x, y) = cars(2);
    let got = fit(&LogisticRegression { max_iterations: 2, ..LogisticRegression::default() }, &x, 2, &y, None);
    assert_eq!(got.findings, [Finding::NotConverged { iterations: 2 }]);
}

#[test]
fn bad_input_is_refused() {
    let message = |model: &LogisticRegression, x: &[f64], y: &[f64], weights: Option<&[f64]>| {
        model.fit(&Rows { x, columns: 1, y, weights }).map_or_else(|e| e.to_string(), |_| "fitted".into())
    };
    let model = LogisticRegression::default();
    assert_eq!(message(&model, &[1.0], &[0.0, 1.0], None), "`x` has 1 entries, expected 2");
    assert_eq!(message(&model, &[1.0, f64::NAN], &[0.0, 1.0], None), "`x` entry 1 of NaN is outside -1e100 to 1e100");
    assert_eq!(message(&model, &[1.0], &[1.5], None), "`y` entry 0 of 1.5 is outside 0 to 1");
    assert_eq!(message(&model, &[1.0], &[1.0], Some(&[0.0])), "no row has a positive weight");
    assert_eq!(message(&model, &[], &[], None), "no row has a positive weight");
    let negative = LogisticRegression { ridge: -1.0, ..model };
    assert_eq!(message(&negative, &[1.0], &[1.0], None), "`ridge` entry 0 of -1 is outside 0 to 1e100");
}

proptest! {
    /// At the maximum the score equations hold, in the original units and for any scale of the columns.
    #[test]
    fn the_score_vanishes(
        rows in prop::collection::vec((-1.0..1.0_f64, -1.0..1.0_f64, any::<bool>()), 12..40),
        scale in prop::sample::select(vec![1e-6, 1.0, 1e6]),
        ridge in prop::sample::select(vec![0.0, 0.5]),
    ) {
        let x: Vec<f64> = rows.iter().flat_map(|r| [r.0, 5.0 + scale * r.1]).collect();
        let y: Vec<f64> = rows.iter().map(|r| f64::from(u8::from(r.2))).collect();
        let model = LogisticRegression { ridge, ..LogisticRegression::default() };
        let got = fit(&model, &x, 2, &y, None);
        if got.findings.is_empty() {
            let mut score = [0.0, -ridge * got.coefficients[1], -ridge * got.coefficients[2]];
            for (row, y) in x.chunks(2).zip(&y) {
                let residual = y - got.probability(row);
                [1.0, row[0], row[1]].iter().zip(&mut score).for_each(|(x, s)| *s += x * residual);
            }
            let size = x.iter().map(|v| v.abs()).fold(1.0, f64::max);
            prop_assert!(score.iter().all(|s| s.abs() < 1e-6 * size), "{score:?}");
            prop_assert!(got.std_errors.iter().all(|e| e.is_some_and(|e| e > 0.0)));
        } else {
            prop_assert!(got.std_errors.iter().any(Option::is_none));
        }
    }
}

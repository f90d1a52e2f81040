//! Effects adjusted for covariates: against another program, against themselves, and on data that allow no answer.

use throughline_core::Level;
use throughline_evidence::adjust::{
    AdjustSettings, Estimand, Folds, HiddenConfounding, LearnerSpec, MatchMetric, MatchSettings, Method, PlrScore,
    Study, aipw, balance, effect, entropy_balancing, ipw, matching, plr,
};
use throughline_evidence::{EvidenceError, Joint};
use throughline_stats::linalg::dot;

const N: usize = 500;

/// The generator that the comparison with DoubleML uses in both languages: s ← (1103515245 s + 12345) mod 2³¹.
fn uniforms() -> Vec<[f64; 6]> {
    let mut s = 12_345_u64;
    let mut next = || {
        s = (1_103_515_245 * s + 12_345) % (1 << 31);
        s as f64 / 2_f64.powi(31)
    };
    (0..N).map(|_| std::array::from_fn(|_| next())).collect()
}

struct Data {
    covariates: Vec<(String, Vec<f64>)>,
    treatment: Vec<f64>,
    amount: Vec<f64>,
    outcome: Vec<f64>,
    event: Vec<f64>,
    of_amount: Vec<f64>,
}

fn data() -> Data {
    let u = uniforms();
    let x = |j: usize| u.iter().map(|r| 2.0 * r[j] - 1.0).collect::<Vec<f64>>();
    let (a, b, c) = (x(0), x(1), x(2));
    let p = |i: usize| 1.0 / (1.0 + (-(0.2 + 0.8 * a[i] - 0.5 * b[i])).exp());
    let treatment: Vec<f64> = (0..N).map(|i| f64::from(u8::from(u[i][3] < p(i)))).collect();
    let base = |i: usize| 1.0 + 0.5 * a[i] - 0.3 * b[i] + 0.8 * c[i] + u[i][4] + u[i][5] - 1.0;
    let outcome: Vec<f64> = (0..N).map(|i| base(i) + treatment[i] * (0.7 + 0.4 * a[i])).collect();
    let amount: Vec<f64> = (0..N).map(|i| 0.4 * a[i] + 0.1 * b[i] - 0.6 * c[i] + u[i][3]).collect();
    Data {
        event: outcome.iter().map(|y| f64::from(u8::from(*y > 1.3))).collect(),
        of_amount: (0..N).map(|i| base(i) + 0.7 * amount[i]).collect(),
        covariates: vec![("a".into(), a), ("b".into(), b), ("c".into(), c)],
        treatment,
        amount,
        outcome,
    }
}

impl Data {
    fn study(&self, outcome: &[f64], treatment: &[f64]) -> Study {
        Study::new(outcome.to_vec(), treatment.to_vec(), self.covariates.clone()).expect("a study")
    }
}

fn folds() -> Folds {
    Folds::given((0..N).map(|i| u32::try_from(i % 5).expect("small")).collect())
}

#[track_caller]
fn close(got: f64, expect: f64, tolerance: f64) {
    assert!((got - expect).abs() < tolerance, "{got} against {expect}");
}

#[track_caller]
fn check(joint: &Joint, expect: (f64, f64)) {
    close(joint.values()[0], expect.0, 1e-8);
    close(joint.std_error(0), expect.1, 1e-8);
}

/// DoubleML 0.11.4 for Python with scikit-learn's LinearRegression and unpenalised LogisticRegression (tolerance 1e-14), rows
/// dealt to five folds in turn, propensities within 0.01 and 0.99.
#[test]
fn aipw_is_that_of_doubleml() {
    let data = data();
    let settings = AdjustSettings::default();
    for (outcome, estimand, expect) in [
        (&data.outcome, Estimand::Ate, (0.757_356_404_939_025, 0.040_231_526_804_863_55)),
        (&data.outcome, Estimand::Att, (0.791_279_457_504_603_5, 0.042_533_186_190_851_835)),
        (&data.event, Estimand::Ate, (0.374_364_237_331_236_25, 0.035_702_811_185_679_61)),
        (&data.event, Estimand::Att, (0.372_506_378_393_841_5, 0.037_701_178_133_456_14)),
    ] {
        let study = data.study(outcome, &data.treatment);
        check(&aipw(&study, estimand, &settings, Some(&folds())).expect("a fit").joint, expect);
    }
}

#[test]
fn the_partially_linear_model_is_that_of_doubleml() {
    let data = data();
    let settings = AdjustSettings::default();
    for (outcome, treatment, kind, expect) in [
        (&data.of_amount, &data.amount, PlrScore::PartiallingOut, (0.596_884_885_683_550_1, 0.062_048_144_066_985_7)),
        (&data.of_amount, &data.amount, PlrScore::IvType, (0.596_884_885_683_550_2, 0.062_830_654_801_447_13)),
        (
            &data.outcome,
            &data.treatment,
            PlrScore::PartiallingOut,
            (0.748_311_854_986_713_4, 0.039_064_803_874_342_593),
        ),
        (&data.outcome, &data.treatment, PlrScore::IvType, (0.748_812_653_816_63, 0.039_520_485_897_217_79)),
    ] {
        let study = data.study(outcome, treatment);
        check(&plr(&study, kind, &settings, Some(&folds())).expect("a fit").joint, expect);
    }
}

/// S = √(σ² ν²) and the robustness value of the point by DoubleML's `sensitivity_analysis` of the same fits.
#[test]
fn hidden_confounding_is_that_of_doubleml() {
    let data = data();
    let settings = AdjustSettings::default();
    let study = data.study(&data.outcome, &data.treatment);
    for (estimand, sigma2, nu2) in
        [(Estimand::Ate, 0.162_056_27, 4.254_182_52_f64), (Estimand::Att, 0.162_056_27, 4.575_802_64)]
    {
        let joint = aipw(&study, estimand, &settings, Some(&folds())).expect("a fit").joint;
        close(joint.values()[joint.len() - 1], (sigma2 * nu2).sqrt(), 1e-7);
    }
    let amount = data.study(&data.of_amount, &data.amount);
    let joint = plr(&amount, PlrScore::PartiallingOut, &settings, Some(&folds())).expect("a fit").joint;
    // Bounds at strengths 0.03: 0.5559 and 0.6379.
    let factor = (0.03_f64 * 0.03 / 0.97).sqrt();
    close(joint.values()[0] - factor * joint.values()[joint.len() - 1], 0.555_872_650_869_162_6, 1e-8);
}

#[test]
fn robustness_values_are_reported() {
    let data = data();
    let study = data.study(&data.of_amount, &data.amount);
    let report = effect(
        &study,
        Method::Plr(PlrScore::PartiallingOut),
        Estimand::Ate,
        &AdjustSettings::default(),
        &[],
        Level::P95,
    )
    .expect("a report");
    let dml: HiddenConfounding =
        serde_json::from_value(report.details["sensitivity"]["dml"].clone()).expect("what was written");
    // DoubleML, other folds: 0.356 for the point and 0.305 for the end of a one-sided interval.
    close(dml.robustness_value, 0.356, 0.02);
    assert!(dml.robustness_value_alpha > 0.25 && dml.robustness_value_alpha < 0.305, "{dml:?}");
}

type Fit = fn(&Study) -> Result<Joint, EvidenceError>;

/// The influence values of weighting against a jackknife, which knows nothing of them.
#[test]
fn errors_are_those_of_the_jackknife() {
    let data = data();
    let methods: [(&str, Fit); 3] = [
        ("ipw ate", |s| ipw(s, Estimand::Ate, 0.01).map(|f| f.joint)),
        ("ipw att", |s| ipw(s, Estimand::Att, 0.01).map(|f| f.joint)),
        ("entropy", |s| entropy_balancing(s).map(|f| f.joint)),
    ];
    for (name, fit) in methods {
        let whole = fit(&data.study(&data.outcome, &data.treatment)).expect("a fit");
        // Twenty-five groups of twenty, left out in turn.
        let without = |group: usize| {
            let keep = |v: &[f64]| v.iter().enumerate().filter(|(i, _)| i % 25 != group).map(|(_, v)| *v).collect();
            let covariates = data.covariates.iter().map(|(n, v)| (n.clone(), keep(v))).collect();
            let study = Study::new(keep(&data.outcome), keep(&data.treatment), covariates).expect("a study");
            fit(&study).expect("a fit").values()[0]
        };
        let values: Vec<f64> = (0..25).map(without).collect();
        let mean = values.iter().sum::<f64>() / 25.0;
        let jackknife = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() * 24.0 / 25.0).sqrt();
        let ratio = jackknife / whole.std_error(0);
        assert!((0.7..1.4).contains(&ratio), "{name}: {jackknife} against {}", whole.std_error(0));
    }
}

/// Matching with one covariate by looking at all pairs.
#[test]
fn matching_is_that_of_a_full_search() {
    let data = data();
    // Two decimals: many ties.
    let x: Vec<f64> = data.covariates[0].1.iter().map(|x| (x * 20.0).round() / 20.0).collect();
    let study =
        Study::new(data.outcome.clone(), data.treatment.clone(), vec![("x".into(), x.clone())]).expect("a study");
    let pairs = [(MatchMetric::Mahalanobis, Estimand::Att), (MatchMetric::Scaled, Estimand::Ate)];
    for (metric, estimand) in pairs {
        let settings = MatchSettings { neighbours: 2, metric, bias_correction: false, threads: None };
        let got = matching(&study, estimand, &settings).expect("a fit");
        let mut effects = Vec::new();
        for i in (0..N).filter(|i| estimand == Estimand::Ate || data.treatment[*i] == 1.0) {
            let mut others: Vec<(f64, f64)> = (0..N)
                .filter(|j| data.treatment[*j] != data.treatment[i])
                .map(|j| ((x[i] - x[j]).abs(), data.outcome[j]))
                .collect();
            others.sort_by(|a, b| a.0.total_cmp(&b.0));
            let bound = others[1].0 + 1e-6;
            let near: Vec<f64> = others.iter().filter(|o| o.0 <= bound).map(|o| o.1).collect();
            let sign = 2.0 * data.treatment[i] - 1.0;
            effects.push(sign * (data.outcome[i] - near.iter().sum::<f64>() / near.len() as f64));
        }
        close(got.joint.values()[0], effects.iter().sum::<f64>() / effects.len() as f64, 1e-12);
    }
}

/// A unit in K copies of itself is what K says: weights of matching add up to the other arm.
#[test]
fn weights_add_up_and_order_does_not_matter() {
    let data = data();
    let study = data.study(&data.outcome, &data.treatment);
    let settings = MatchSettings::default();
    let fit = matching(&study, Estimand::Ate, &settings).expect("a fit");
    close(fit.weights.iter().zip(&data.treatment).map(|(w, d)| w * d).sum(), N as f64, 1e-9);
    let entropy = entropy_balancing(&study).expect("a fit");
    for (name, x) in &data.covariates {
        let mean = |arm: f64| {
            let w: Vec<f64> =
                entropy.weights.iter().zip(&data.treatment).map(|(w, d)| if *d == arm { *w } else { 0.0 }).collect();
            dot(&w, x) / w.iter().sum::<f64>()
        };
        close(mean(1.0), mean(0.0), 1e-7);
        assert!(balance(&study, Estimand::Att, None).rows.iter().any(|r| r.covariate == *name));
    }
    let back = |v: &[f64]| v.iter().rev().copied().collect::<Vec<f64>>();
    let covariates = data.covariates.iter().rev().map(|(n, v)| (n.clone(), back(v))).collect();
    let reversed = Study::new(back(&data.outcome), back(&data.treatment), covariates).expect("a study");
    let other = matching(&reversed, Estimand::Ate, &settings).expect("a fit");
    close(other.joint.values()[0], fit.joint.values()[0], 1e-9);
    close(other.joint.std_error(0), fit.joint.std_error(0), 1e-9);
}

#[test]
fn repetitions_take_the_median_and_widen_the_error() {
    let data = data();
    let study = data.study(&data.outcome, &data.treatment);
    let of = |repetitions: usize, seed: u64| {
        let settings = AdjustSettings { repetitions, seed, ..AdjustSettings::default() };
        aipw(&study, Estimand::Ate, &settings, None).expect("a fit").joint
    };
    let (three, one) = (of(3, 1), of(1, 1));
    assert_eq!(three, of(3, 1));
    assert_ne!(three.values()[0], one.values()[0]);
    let spread = |r: usize| {
        let values: Vec<f64> = (0..8).map(|seed| of(r, seed).values()[0]).collect();
        let mean = values.iter().sum::<f64>() / 8.0;
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
    };
    assert!(spread(15) < 0.5 * spread(1), "{} {}", spread(15), spread(1));
    close(three.std_error(0) / one.std_error(0), 1.0, 0.1);
}

/// Every unit twice, in one cluster: the error is that of the units once, but for G / (G − 1).
#[test]
fn copies_in_a_cluster_add_no_precision() {
    let data = data();
    let twice = |v: &[f64]| v.iter().flat_map(|v| [*v, *v]).collect::<Vec<f64>>();
    let covariates = data.covariates.iter().map(|(n, v)| (n.clone(), twice(v))).collect();
    let codes: Vec<u32> = (0..2 * N).map(|i| u32::try_from(i / 2).expect("small")).collect();
    let double = Study::new(twice(&data.outcome), twice(&data.treatment), covariates).expect("a study");
    let clustered = ipw(&double.with_clusters(&codes).expect("clusters"), Estimand::Ate, 0.01).expect("a fit").joint;
    let single = ipw(&data.study(&data.outcome, &data.treatment), Estimand::Ate, 0.01).expect("a fit").joint;
    let correction = (N as f64 / (N as f64 - 1.0)).sqrt();
    close(clustered.std_error(0), single.std_error(0) * correction, 1e-9);
    assert_eq!(clustered.df(), Some(N as f64 - 1.0));
}

#[test]
fn folds_keep_clusters_together_and_arms_apart() {
    let data = data();
    let study = data.study(&data.outcome, &data.treatment);
    let folds = Folds::deal(&study, 4, 9, 0).expect("folds");
    for arm in [0.0, 1.0] {
        let counts = (0..4_u32)
            .map(|f| folds.codes().iter().zip(&data.treatment).filter(|(c, d)| **c == f && **d == arm).count());
        let counts: Vec<usize> = counts.collect();
        assert!(counts.iter().max().expect("four") - counts.iter().min().expect("four") <= 1, "{counts:?}");
    }
    let codes: Vec<u32> = (0..N).map(|i| u32::try_from(i % 37).expect("small")).collect();
    let clustered = study.clone().with_clusters(&codes).expect("clusters");
    let folds = Folds::deal(&clustered, 4, 9, 0).expect("folds");
    assert!((0..N).all(|i| folds.codes()[i] == folds.codes()[i % 37]));
    let few: Vec<u32> = (0..N).map(|i| u32::from(i > 250)).collect();
    let error = Folds::deal(&study.with_clusters(&few).expect("two"), 4, 9, 0).expect_err("too few");
    assert!(matches!(error, EvidenceError::Data { code: "TL397", .. }), "{error}");
}

#[test]
fn nonlinear_worlds_need_trees() {
    let u = uniforms();
    let n = 4 * N;
    let x: Vec<f64> = (0..n).map(|i| 4.0 * u[i % N][i / N] - 2.0).collect();
    let v: Vec<f64> = (0..n).map(|i| u[(i * 7 + 3) % N][4]).collect();
    let p = |x: f64| if x.abs() < 1.0 { 0.75 } else { 0.25 };
    let d: Vec<f64> = (0..n).map(|i| f64::from(u8::from(v[i] < p(x[i])))).collect();
    let y: Vec<f64> = (0..n).map(|i| 3.0 * p(x[i]) + d[i] + u[(i * 11 + 5) % N][5]).collect();
    let study = Study::new(y, d, vec![("x".into(), x)]).expect("a study");
    let of = |learner: &str| {
        let learner = LearnerSpec::named(learner);
        let settings = AdjustSettings { outcome: learner.clone(), treatment: learner, ..AdjustSettings::default() };
        aipw(&study, Estimand::Ate, &settings, None).expect("a fit").joint.values()[0]
    };
    let (linear, trees) = (of("linear"), of("boosted_trees"));
    assert!((linear - 1.0).abs() > 0.4 && (trees - 1.0).abs() < 0.1, "linear {linear}, trees {trees}");
}

//! Regression discontinuity against rdrobust 2.1.1 and rddensity 3.0 (Python), and inputs that must be refused.

use std::error::Error;

use throughline_core::Estimate;
use throughline_evidence::iv::Named;
use throughline_evidence::rd::{Kernel, RdColumns, RdData, RdSettings, RdVariance, analyse};
use throughline_evidence::{EvidenceError, Report, Table};

type Outcome = Result<(), Box<dyn Error>>;

/// Numbers in 0 to 1 of a linear congruential generator, for data that any language can make again.
fn uniforms(n: usize) -> Vec<f64> {
    let mut state = 42_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..n).map(|_| next()).collect()
}

struct Sample {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    t: Vec<f64>,
    fuzzy: Vec<f64>,
}

fn sample() -> Sample {
    let n = 1000;
    let u = uniforms(4 * n);
    let x: Vec<f64> = (0..n).map(|i| 2.0 * u[i] - 1.0).collect();
    let e = |i: usize| u[n + i] + u[2 * n + i] - 1.0;
    let z = u[3 * n..].to_vec();
    let above = |i: usize| f64::from(u8::from(x[i] >= 0.0));
    let y = (0..n).map(|i| 0.5 * x[i] + 0.8 * x[i] * x[i] + above(i) + 0.3 * e(i) + 0.4 * z[i]).collect();
    let treated = |i: usize| if x[i] >= 0.0 { u[n + i] < 0.8 } else { u[n + i] < 0.15 };
    let t: Vec<f64> = (0..n).map(|i| f64::from(u8::from(treated(i)))).collect();
    let fuzzy = (0..n).map(|i| 0.5 * x[i] + 0.7 * t[i] + 0.3 * e(i)).collect();
    Sample { x, y, z, t, fuzzy }
}

fn data<'a>(y: &'a [f64], x: &'a [f64], t: Option<&'a [f64]>, z: &[&'a [f64]]) -> RdData<'a> {
    RdData {
        outcome: Named::new("y", y),
        score: Named::new("x", x),
        treatment: t.map(|t| Named::new("t", t)),
        covariates: z.iter().enumerate().map(|(i, z)| Named::new(format!("z{i}"), *z)).collect(),
        clusters: None,
        cutoff: 0.0,
        left_out: 0,
    }
}

#[track_caller]
fn near(got: f64, expect: f64) {
    assert!((got - expect).abs() <= 1e-6 * expect.abs(), "{got}, expected {expect}");
}

fn found<'r>(report: &'r Report, name: &str) -> Result<&'r Estimate, String> {
    report.comparisons.iter().find(|f| f.name.starts_with(name)).map(|f| &f.estimate).ok_or(format!("no {name}"))
}

/// h, b, conventional estimate and error, corrected estimate and error.
#[track_caller]
fn check(data: &RdData<'_>, settings: RdSettings, expect: [f64; 6]) -> Result<Report, Box<dyn Error>> {
    let report = analyse(data, &settings)?;
    let bandwidth = |which: &str| report.details["bandwidth"][which].as_f64().unwrap_or(f64::NAN);
    let conventional = found(&report, "conventional")?;
    let error = |e: &Estimate| e.std_error.unwrap_or(f64::NAN);
    let got = [
        bandwidth("h"),
        bandwidth("b"),
        conventional.value,
        error(conventional),
        report.estimate.value,
        error(&report.estimate),
    ];
    for (got, expect) in got.into_iter().zip(expect) {
        near(got, expect);
    }
    Ok(report)
}

#[test]
fn sharp_estimates_agree_with_rdrobust() -> Outcome {
    let s = sample();
    let (plain, with_z) = (data(&s.y, &s.x, None, &[]), data(&s.y, &s.x, None, &[&s.z]));
    let new = RdSettings::new();
    let kernel = |kernel| RdSettings { kernel, ..new };
    let variance = |variance| RdSettings { variance, ..new };
    #[rustfmt::skip]
    let cases = [
        (&plain, new, [0.305_612_004_186_336_77, 0.487_135_613_153_380_2, 1.021_658_160_377_658_9, 0.035_316_311_458_480_96, 1.026_765_293_912_257, 0.041_326_015_686_404_97]),
        (&plain, kernel(Kernel::Epanechnikov), [0.309_923_381_009_861_05, 0.503_914_622_632_075_1, 1.019_612_673_215_557_5, 0.034_851_415_470_682_57, 1.022_883_005_424_663, 0.040_667_019_188_421_97]),
        (&plain, kernel(Kernel::Uniform), [0.289_814_355_268_035_73, 0.490_990_624_880_241_64, 1.020_015_258_084_834_3, 0.035_268_474_925_799_89, 1.016_222_062_474_762_2, 0.040_913_381_433_832_434]),
        (&plain, variance(RdVariance::Hc1), [0.307_856_254_493_398_04, 0.490_380_340_690_397_9, 1.021_609_983_214_657_5, 0.038_430_309_628_422_16, 1.026_517_232_324_252, 0.045_843_843_533_800_39]),
        (&plain, variance(RdVariance::Hc3), [0.312_406_233_282_574_5, 0.496_004_521_033_573_7, 1.021_538_223_145_944, 0.039_039_449_443_520_78, 1.026_043_818_531_723_6, 0.046_797_071_103_820_79]),
        (&plain, RdSettings { h: Some(0.3), b: Some(0.5), ..new }, [0.3, 0.5, 1.021_701_595_881_077_1, 0.035_593_118_745_741_19, 1.025_582_943_268_331_2, 0.041_097_739_185_200_49]),
        (&with_z, new, [0.322_399_383_120_982_26, 0.509_857_141_095_342_9, 0.988_033_748_124_622_2, 0.029_705_973_371_964_758, 0.980_632_777_250_112, 0.034_494_451_636_215_34]),
    ];
    for (data, settings, expect) in cases {
        let report = check(data, settings, expect)?;
        assert_eq!(report.estimate.n, 1000);
    }
    let report = analyse(&plain, &new)?;
    assert_eq!(
        (&report.details["units"]["below_used"], &report.details["units"]["above_used"]),
        (&164.into(), &135.into())
    );
    Ok(())
}

#[test]
fn fuzzy_and_heaped_estimates_agree_with_rdrobust() -> Outcome {
    let s = sample();
    let new = RdSettings::new();
    #[rustfmt::skip]
    let report = check(&data(&s.fuzzy, &s.x, Some(&s.t), &[]), new, [0.300_710_523_874_412_6, 0.460_221_404_858_733_75, 0.676_153_431_911_818_4, 0.043_377_020_416_973_77, 0.669_927_641_031_72, 0.050_802_136_364_492_28])?;
    let first = found(&report, "jump of the treatment")?;
    assert!((first.value - 0.703_985_7).abs() < 1e-7 && (first.std_error.unwrap_or(0.0) - 0.112_168_87).abs() < 1e-7);
    #[rustfmt::skip]
    check(&data(&s.fuzzy, &s.x, Some(&s.t), &[&s.z]), new, [0.301_738_338_235_156_5, 0.463_783_862_705_018_8, 0.678_785_742_417_239_9, 0.043_780_367_556_759_42, 0.673_027_794_303_996_6, 0.051_258_264_808_901_86])?;
    let rounded: Vec<f64> = s.x.iter().map(|x| (x * 50.0).round_ties_even() / 50.0).collect();
    #[rustfmt::skip]
    let report = check(&data(&s.y, &rounded, None, &[]), new, [0.161_679_023_881_058_95, 0.303_799_763_679_735_55, 0.729_624_307_473_198_1, 0.108_019_659_360_891_85, 0.710_404_009_016_096_5, 0.118_356_328_481_401_18])?;
    assert!(report.diagnostics.iter().any(|d| d.code == "TL381"), "few distinct scores are said");
    Ok(())
}

#[test]
fn the_density_test_agrees_with_rddensity() -> Outcome {
    let s = sample();
    let report = analyse(&data(&s.y, &s.x, None, &[]), &RdSettings::new())?;
    let density = &report.details["density"];
    let at = |v: &serde_json::Value| v.as_f64().unwrap_or(f64::NAN);
    for (got, expect) in [
        (at(&density["bandwidths"][0]), 0.260_313_66),
        (at(&density["bandwidths"][1]), 0.355_653_83),
        (at(&density["left"]), 0.325_216_66),
        (at(&density["right"]), 0.649_375_88),
        (at(&density["std_error"]), 0.193_304_54),
        (at(&density["p_value"]), 0.093_555_11),
    ] {
        assert!((got - expect).abs() < 1e-7, "{got}, expected {expect}");
    }
    // Every other unit just below moved just above: the test sees it.
    let near = |i: usize| i.is_multiple_of(2) && (-0.3..0.0).contains(&s.x[i]);
    let moved: Vec<f64> = (0..s.x.len()).map(|i| if near(i) { -s.x[i] } else { s.x[i] }).collect();
    let report = analyse(&data(&s.y, &moved, None, &[]), &RdSettings::new())?;
    assert!(report.diagnostics.iter().any(|d| d.code == "TL382") && report.tier.number() == 1);
    Ok(())
}

#[test]
fn bad_inputs_are_named() -> Outcome {
    let s = sample();
    let code = |data: &RdData<'_>| match analyse(data, &RdSettings::new()) {
        Err(EvidenceError::Data { code, help, .. }) => {
            assert!(!help.is_empty());
            code
        }
        other => panic!("{other:?}"),
    };
    let mut nobody = data(&s.y, &s.x, None, &[]);
    nobody.cutoff = 5.0;
    assert_eq!(code(&nobody), "TL380");
    let binary: Vec<f64> = s.x.iter().map(|x| x.signum()).collect();
    assert_eq!(code(&data(&s.y, &binary, None, &[])), "TL381");
    let never = vec![0.0; s.x.len()];
    assert_eq!(code(&data(&s.y, &s.x, Some(&never), &[])), "TL384");
    assert_eq!(code(&data(&s.y, &s.x, None, &[&s.z, &s.z])), "TL371");
    let report = analyse(&data(&never, &s.x, None, &[]), &RdSettings { h: Some(0.5), ..RdSettings::new() })?;
    assert_eq!((report.estimate.value, report.estimate.std_error), (0.0, Some(0.0)));
    let table = Table::new()
        .with("y", s.y.clone())?
        .with("x", s.x.iter().map(|x| if *x > 0.9 { f64::NAN } else { *x }).collect())?;
    let columns = RdColumns { outcome: "y", score: "x", treatment: None, covariates: &[], cluster: None, cutoff: 0.0 };
    let (kept, found) = RdData::from_table(&table, &columns)?;
    assert!(kept.left_out > 20 && found[0].code == "TL375");
    assert!(RdData::from_table(&table, &RdColumns { cutoff: f64::NAN, ..columns }).is_err());
    Ok(())
}

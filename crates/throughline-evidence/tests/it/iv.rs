//! Instrumental variables against linearmodels 7.1 on Card's data, and inputs that must be refused.

use std::error::Error;
use std::path::PathBuf;

use serde_json::Value;
use throughline_core::Level;
use throughline_evidence::iv::{IvColumns, IvCovariance, IvData, IvMethod, IvSettings, Named, analyse};
use throughline_evidence::{Column, EvidenceError, Report, Table};
use throughline_stats::stream::Stream;

type Outcome = Result<(), Box<dyn Error>>;

#[expect(clippy::print_stdout, reason = "absent data must be said, not failed on")]
fn reference(path: &str) -> Option<PathBuf> {
    let root = std::env::var("THROUGHLINE_REFERENCE")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data").to_owned());
    let file = PathBuf::from(root).join(path);
    if !file.exists() {
        println!("reference data absent, nothing checked: {}", file.display());
    }
    file.exists().then_some(file)
}

const CONTROLS: [&str; 14] = [
    "exper", "expersq", "black", "smsa", "south", "smsa66", "reg662", "reg663", "reg664", "reg665", "reg666", "reg667",
    "reg668", "reg669",
];

fn card() -> Result<Option<Table>, Box<dyn Error>> {
    let Some(path) = reference("card/card.csv") else { return Ok(None) };
    let mut reader = csv::Reader::from_path(path)?;
    let header: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut columns = vec![Vec::new(); header.len()];
    for record in reader.records() {
        for (column, field) in columns.iter_mut().zip(&record?) {
            column.push(field.parse().unwrap_or(f64::NAN));
        }
    }
    let mut table = Table::new();
    for (name, column) in header.into_iter().zip(columns) {
        table.push(name, Column::Numbers(column))?;
    }
    Ok(Some(table))
}

struct Model<'a> {
    endogenous: &'a [&'a str],
    instruments: &'a [&'a str],
    controls: &'a [&'a str],
}

impl Model<'_> {
    fn analyse(&self, table: &Table, settings: IvSettings) -> Result<Report, EvidenceError> {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<String>>();
        let (endogenous, instruments, controls) = (own(self.endogenous), own(self.instruments), own(self.controls));
        let columns = IvColumns {
            outcome: "lwage",
            endogenous: &endogenous,
            instruments: &instruments,
            controls: &controls,
            cluster: (settings.covariance == IvCovariance::Cluster).then_some("age"),
        };
        let (data, _) = IvData::from_table(table, &columns)?;
        analyse(&data, &settings)
    }
}

#[track_caller]
fn near(got: f64, expect: f64) {
    assert!((got - expect).abs() <= 1e-8 * expect.abs(), "{got}, expected {expect}");
}

fn at<'v>(details: &'v serde_json::Map<String, Value>, path: &str) -> f64 {
    let value: &'v Value =
        path.split('/').skip(1).fold(&details[path.split('/').next().unwrap_or_default()], |v, key| {
            key.parse::<usize>().map_or_else(|_| &v[key], |i| &v[i])
        });
    value.as_f64().unwrap_or_else(|| panic!("{path}: {value}"))
}

fn se(report: &Report) -> f64 {
    report.estimate.std_error.unwrap_or(f64::NAN)
}

const fn settings(method: IvMethod, covariance: IvCovariance, small_sample: bool) -> IvSettings {
    IvSettings { method, covariance, small_sample, level: Level::P95 }
}

use IvCovariance::{Classical, Cluster, Robust};
use IvMethod::{Fuller, Gmm, GmmIterated, Liml, Tsls};

#[test]
fn two_stage_least_squares_agrees_with_linearmodels() -> Outcome {
    let Some(table) = card()? else { return Ok(()) };
    let just = Model { endogenous: &["educ"], instruments: &["nearc4"], controls: &CONTROLS };
    let over = Model { instruments: &["nearc2", "nearc4"], ..just };
    for (model, covariance, small, value, error) in [
        (&just, Classical, false, 0.131_503_775_461_169_43, 0.054_817_390_380_403_96),
        (&just, Classical, true, 0.131_503_775_461_169_43, 0.054_963_667_866_349_06),
        (&just, Robust, false, 0.131_503_775_461_169_43, 0.053_999_521_432_304_52),
        (&just, Robust, true, 0.131_503_775_461_169_43, 0.054_143_616_475_595_13),
        (&over, Classical, false, 0.157_059_327_277_238_48, 0.052_438_308_566_068_8),
        (&over, Robust, false, 0.157_059_327_277_238_48, 0.052_412_689_281_456_78),
        (&over, Robust, true, 0.157_059_327_277_238_48, 0.052_552_549_941_923_384),
    ] {
        let report = model.analyse(&table, settings(Tsls, covariance, small))?;
        near(report.estimate.value, value);
        near(se(&report), error);
        assert_eq!(report.estimate.n, 3010);
    }
    // linearmodels' clustered covariance without its correction; ours has G / (G − 1), 11 ages.
    let report = over.analyse(&table, settings(Tsls, Cluster, false))?;
    near(se(&report), 0.041_547_489_456_332_38 * (11.0_f64 / 10.0).sqrt());
    assert!(report.diagnostics.iter().any(|d| d.code == "TL378"));
    let ols = &just.analyse(&table, settings(Tsls, Classical, true))?.comparisons;
    let ols = ols.iter().find(|f| f.name == "OLS").ok_or("no OLS")?;
    near(ols.estimate.value, 0.074_693_250_773_655_96);
    near(ols.estimate.std_error.ok_or("none")?, 0.003_498_345_634_101_157);
    Ok(())
}

#[test]
fn liml_fuller_and_gmm_agree_with_linearmodels() -> Outcome {
    let Some(table) = card()? else { return Ok(()) };
    let over = Model { endogenous: &["educ"], instruments: &["nearc2", "nearc4"], controls: &CONTROLS };
    for (method, covariance, value, error) in [
        (Liml, Classical, 0.164_027_721_897_582_52, 0.055_347_378_532_066_63),
        (Liml, Robust, 0.164_027_721_897_582_52, 0.057_608_179_156_801_76),
        (Fuller, Classical, 0.158_258_799_311_624_9, 0.052_937_657_829_949_95),
        (Fuller, Robust, 0.158_258_799_311_624_9, 0.053_294_946_762_145_93),
        (Gmm, Robust, 0.155_210_105_735_022_8, 0.052_202_278_027_159_02),
        (GmmIterated, Robust, 0.155_207_308_660_465_06, 0.052_202_000_253_958_04),
    ] {
        let report = over.analyse(&table, settings(method, covariance, false))?;
        near(report.estimate.value, value);
        near(se(&report), error);
    }
    let two = Model {
        endogenous: &["educ", "black"],
        instruments: &["nearc2", "nearc4", "momdad14", "sinmom14"],
        controls: &[&CONTROLS[..2], &CONTROLS[3..]].concat(),
    };
    for (method, covariance, educ, black) in [
        (
            Tsls,
            Classical,
            (0.154_848_747_649_225_52, 0.037_403_839_996_788_41),
            (-0.063_099_639_107_349_5, 0.119_830_184_242_854_34),
        ),
        (
            Tsls,
            Robust,
            (0.154_848_747_649_225_52, 0.037_643_990_316_950_544),
            (-0.063_099_639_107_349_5, 0.119_724_161_877_815_82),
        ),
        (
            Liml,
            Robust,
            (0.157_728_929_421_296_02, 0.039_277_210_714_999_26),
            (-0.055_504_150_023_580_22, 0.123_944_589_061_333_86),
        ),
        (
            Gmm,
            Robust,
            (0.153_357_895_075_714_62, 0.037_503_991_390_395_01),
            (-0.066_181_165_615_034_84, 0.119_317_912_125_967_86),
        ),
    ] {
        let report = two.analyse(&table, settings(method, covariance, false))?;
        near(report.estimate.value, educ.0);
        near(se(&report), educ.1);
        let other = report.comparisons.iter().find(|f| f.name == "black").ok_or("no second")?;
        near(other.estimate.value, black.0);
        near(other.estimate.std_error.ok_or("none")?, black.1);
    }
    let report = two.analyse(&table, settings(Tsls, Classical, false))?;
    near(at(&report.details, "tests/sargan/statistic"), 1.026_870_307_628_294);
    near(at(&report.details, "tests/wu_hausman/statistic"), 3.259_733_055_452_002);
    assert!((at(&report.details, "first_stage/0/f") - 20.235_368 * 2992.0 / 3010.0).abs() < 1e-5);
    Ok(())
}

#[test]
fn tests_of_the_model_agree_with_linearmodels() -> Outcome {
    let Some(table) = card()? else { return Ok(()) };
    let over = Model { endogenous: &["educ"], instruments: &["nearc2", "nearc4"], controls: &CONTROLS };
    let report = over.analyse(&table, settings(Tsls, Robust, false))?;
    for (path, expect) in [
        ("tests/sargan/statistic", 1.248_155_389_617_135),
        ("tests/sargan/p_value", 0.263_905_080_509_958_37),
        ("tests/basmann/statistic", 1.241_620_869_403_352_8),
        ("tests/hansen_j/statistic", 1.268_912_945_430_359_6),
        ("tests/wu_hausman/statistic", 2.925_642_258_137_064_5),
        ("tests/wu_hausman/p_value", 0.087_286_159_247_294_53),
        ("tests/wooldridge/statistic", 2.977_945_020_424_948_5),
        ("first_stage/0/robust_f_hc0", 8.366_225_850_118_633),
        ("weak_instruments/effective_f", 8.130_199_735_505_714),
        ("kappa", 1.000_409_427_953_487_6),
    ] {
        near(at(&report.details, path), expect);
    }
    Ok(())
}

#[test]
fn the_anderson_rubin_set_is_where_the_statistic_crosses() -> Outcome {
    let Some(table) = card()? else { return Ok(()) };
    let just = Model { endogenous: &["educ"], instruments: &["nearc4"], controls: &CONTROLS };
    let over = Model { instruments: &["nearc2", "nearc4"], ..just };
    // Ends by Brent's method on the statistic, in numpy with scipy's F quantile.
    for (model, covariance, lo, hi) in [
        (&just, Classical, 0.024_804_767_175_192, 0.284_823_494_634_356),
        (&just, Robust, 0.028_129_998_360_577, 0.281_248_508_882_843),
        (&over, Classical, 0.053_600_241_471_212, 0.361_980_678_574_984),
        (&over, Robust, 0.052_623_801_723_618, 0.355_154_665_598_438),
    ] {
        let report = model.analyse(&table, settings(Tsls, covariance, false))?;
        let set = &report.comparisons.iter().find(|f| f.name == "Anderson–Rubin set").ok_or("no set")?.estimate.set.0;
        assert_eq!(set.len(), 1);
        near(set[0].0, lo);
        near(set[0].1, hi);
    }
    let report = just.analyse(&table, settings(Tsls, Classical, true))?;
    assert!((at(&report.details, "first_stage/0/f") - 13.255_785_330_6).abs() < 1e-9);
    assert!((at(&report.details, "first_stage/0/robust_f_hc0") - 14.2142).abs() < 1e-4);
    assert!((at(&report.details, "first_stage/0/robust_f_hc1") - 14.1387).abs() < 1e-4);
    assert!(report.diagnostics.iter().any(|d| d.code == "TL370"), "weak instruments are said");
    assert_eq!(report.tier.number(), 1);
    Ok(())
}

fn columns(n: usize, k: usize, seed: u64) -> Vec<Vec<f64>> {
    let stream = Stream::new(seed, 8);
    (0..k).map(|j| (0..n).map(|i| stream.normal_at((i * k + j) as u64)).collect()).collect()
}

fn model(outcome: Vec<f64>, d: &[Vec<f64>], z: &[Vec<f64>], x: &[Vec<f64>]) -> IvData<'static> {
    let named = |prefix: &str, columns: &[Vec<f64>]| {
        columns.iter().enumerate().map(|(i, c)| Named::new(format!("{prefix}{i}"), c.clone())).collect()
    };
    IvData {
        outcome: Named::new("y", outcome),
        endogenous: named("d", d),
        instruments: named("z", z),
        controls: named("x", x),
        clusters: None,
        left_out: 0,
    }
}

#[test]
fn bad_inputs_are_named() {
    let c = columns(60, 6, 1);
    let sum: Vec<f64> = c[4].iter().zip(&c[5]).map(|(a, b)| a - 2.0 * b).collect();
    let constant = vec![0.3; 60];
    let code = |data: IvData<'_>| match analyse(&data, &IvSettings::new()) {
        Err(EvidenceError::Data { code, message, help }) => {
            assert!(!help.is_empty());
            (code, message)
        }
        other => panic!("{other:?}"),
    };
    let (y, d, z, x) = (c[0].clone(), &c[1..2], &c[2..4], &c[4..6]);
    let with = |extra: &Vec<f64>, of: &[Vec<f64>]| [of, std::slice::from_ref(extra)].concat();
    let (got, message) = code(model(y.clone(), d, z, &with(&sum, x)));
    assert!(got == "TL371" && message.ends_with(": x2"), "{message}");
    let (got, message) = code(model(y.clone(), d, z, &with(&constant, x)));
    assert!(got == "TL371" && message.ends_with(": x2"), "{message}");
    let (got, message) = code(model(y.clone(), d, &with(&sum, z), x));
    assert!(got == "TL372" && message.ends_with(": z2"), "{message}");
    let (got, message) = code(model(y.clone(), d, &with(&constant, z), x));
    assert!(got == "TL372" && message.ends_with(": z2"), "{message}");
    let (got, message) = code(model(y.clone(), d, &with(&z[0], z), x));
    assert!(got == "TL372" && message.ends_with(": z2"), "{message}");
    assert_eq!(code(model(y.clone(), d, &[], x)).0, "TL373");
    assert_eq!(code(model(constant.clone(), d, z, x)).0, "TL374");
    assert_eq!(code(model(y.clone(), std::slice::from_ref(&sum), z, x)).0, "TL374");
    let cut = |c: &[Vec<f64>]| c.iter().map(|c| c[..5].to_vec()).collect::<Vec<_>>();
    assert_eq!(code(model(y[..5].to_vec(), &cut(d), &cut(z), &cut(x))).0, "TL376");
    assert_eq!(code(model(y.clone(), &[d[0].clone(), d[0].clone()], z, x)).0, "TL370");
}

#[test]
fn perfect_fits_and_odd_scales_give_finite_answers() -> Outcome {
    let c = columns(200, 5, 2);
    // y is exactly 2 d: no residual at all.
    let y: Vec<f64> = c[0].iter().map(|d| 2.0 * d).collect();
    match analyse(&model(y, &c[..1], &c[1..3], &c[3..4]), &IvSettings::new()) {
        Ok(report) => assert!(report.estimate.value.is_finite()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // Units of a column change only its coefficient.
    let d: Vec<f64> = (0..200).map(|i| c[1][i] + c[2][i] + c[0][i]).collect();
    let y: Vec<f64> = (0..200).map(|i| d[i] + c[3][i] + 0.5 * c[0][i] + c[4][i]).collect();
    let scaled = |c: &[f64], by: f64| c.iter().map(|v| v * by + 7.0).collect::<Vec<f64>>();
    for method in [Tsls, Liml, Fuller, Gmm, GmmIterated] {
        let run = |s: f64| {
            let z = [scaled(&c[1], 1e-9 * s), scaled(&c[2], 1e6)];
            let data = model(scaled(&y, s), &[scaled(&d, 1e3)], &z, &c[3..4]);
            analyse(&data, &settings(method, Robust, false))
        };
        let (plain, big) = (run(1.0)?, run(1e5)?);
        assert!((big.estimate.value / plain.estimate.value / 1e5 - 1.0).abs() < 1e-6, "{method:?}");
        assert!((big.estimate.p_value - plain.estimate.p_value).abs() < 1e-6);
        let names = |r: &Report| r.comparisons.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&plain), names(&big), "{method:?}");
    }
    Ok(())
}

#[test]
fn tables_lose_incomplete_rows_and_texts_become_columns() -> Outcome {
    let c = columns(100, 3, 3);
    let region = |i: usize| u32::try_from(i % 3).unwrap_or(0);
    let mut y = c[0].clone();
    y[5] = f64::NAN;
    let mut table =
        Table::new().with("y", y)?.with("d", c[1].clone())?.with("z", c[1].iter().map(|v| v + 1.0).collect())?;
    let mut codes: Vec<u32> = (0..100).map(region).collect();
    codes[7] = u32::MAX;
    table.push("region", Column::Texts { codes, names: vec!["north".into(), "east".into(), "west".into()] })?;
    let (d, z, x) = (vec!["d".to_owned()], vec!["z".to_owned()], vec!["region".to_owned()]);
    let columns = IvColumns { outcome: "y", endogenous: &d, instruments: &z, controls: &x, cluster: Some("region") };
    let (data, found) = IvData::from_table(&table, &columns)?;
    assert_eq!((data.left_out, data.outcome.values.len()), (2, 98));
    assert_eq!(data.controls.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["region=north", "region=west"]);
    assert_eq!(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["TL375", "TL379"]);
    let wrong = IvColumns { outcome: "d", ..columns };
    assert!(matches!(IvData::from_table(&table, &wrong), Err(EvidenceError::Duplicate { .. })));
    Ok(())
}

//! Sequential testing: boundaries, constants and confidence sequences as published.

use std::path::Path;

use throughline_core::{Estimate, Level};
use throughline_evidence::sequential::{Boundaries, GroupSequential, Sides, Spending};
use throughline_stats::dist;
use throughline_stats::moments::Moments;
use throughline_stats::noncentral::noncentral_t_sf;
use throughline_stats::two_sample::{Difference, Uninformative, welch, welch_relative};

use super::Check;
use crate::OneShotError;

/// Spending, α, sides, boundaries at equal looks, printed digits as tolerance, source.
type Published = (&'static str, f64, Sides, &'static [f64], f64, &'static str);

const GSDESIGN: &str = "R gsDesign::gsDesign(test.type = 1, alpha = 0.025)$upper$bound";

const BOUNDARIES: [Published; 6] = [
    ("obrien-fleming", 0.025, Sides::One, &[4.332_634, 2.963_131, 2.359_044, 2.014_090], 5e-6, GSDESIGN),
    ("pocock", 0.025, Sides::One, &[2.368_328, 2.367_524, 2.358_168, 2.350_036], 5e-6, GSDESIGN),
    ("hwang-shih-decani:1", 0.025, Sides::One, &[2.283_141, 2.284_441, 2.301_255], 5e-6, GSDESIGN),
    ("power:2", 0.025, Sides::One, &[3.090_232, 2.714_112, 2.472_777, 2.279_863, 2.114_028], 5e-6, GSDESIGN),
    (
        "obrien-fleming",
        0.05,
        Sides::Two,
        &[4.877, 3.357, 2.680, 2.290, 2.031],
        5.1e-4,
        "R ldbounds::ldBounds(5), printed to 3 digits; Reboussin et al. 2000",
    ),
    (
        "obrien-fleming",
        0.05,
        Sides::One,
        &[3.749_55, 2.539_93, 2.016_04, 1.720_14],
        1e-4,
        "SeqBounds.jl, bounds([0.25, 0.5, 0.75, 1], 0.05)",
    ),
];

/// Looks, Pocock's constant C_P and O'Brien and Fleming's C_B, two-sided α = 0.05.
const CONSTANTS: [(usize, f64, f64); 6] = [
    (2, 2.178, 1.977),
    (3, 2.289, 2.004),
    (4, 2.361, 2.024),
    (5, 2.413, 2.040),
    (10, 2.555, 2.087),
    (20, 2.672, 2.126),
];

/// Information of 181 daily looks of a real experiment, in units of 1e-7.
#[rustfmt::skip]
const DAILY: [u32; 181] = [
    16_170, 57_858, 122_004, 201_996, 295_644, 404_710, 529_298, 658_009, 787_844, 914_850, 1_028_893, 1_128_435,
    1_229_893, 1_328_098, 1_426_800, 1_528_196, 1_629_318, 1_719_878, 1_799_675, 1_878_611, 1_955_670, 2_033_501,
    2_127_706, 2_214_833, 2_295_913, 2_364_059, 2_431_235, 2_498_729, 2_568_336, 2_649_272, 2_728_272, 2_799_895,
    2_862_801, 2_925_686, 2_988_295, 3_051_315, 3_118_994, 3_188_730, 3_252_358, 3_307_398, 3_361_620, 3_415_132,
    3_478_405, 3_546_239, 3_613_076, 3_675_119, 3_730_572, 3_786_528, 3_842_899, 3_900_128, 3_964_718, 4_030_612,
    4_091_456, 4_144_983, 4_198_850, 4_256_404, 4_315_384, 4_380_159, 4_444_516, 4_503_437, 4_556_808, 4_610_488,
    4_663_304, 4_717_294, 4_776_950, 4_836_976, 4_892_945, 4_943_179, 4_993_542, 5_043_010, 5_093_263, 5_149_099,
    5_205_835, 5_261_172, 5_310_141, 5_359_027, 5_400_689, 5_451_621, 5_506_753, 5_562_356, 5_614_758, 5_660_462,
    5_706_617, 5_750_453, 5_795_939, 5_861_802, 5_913_273, 5_958_977, 6_001_503, 6_042_404, 6_082_964, 6_124_735,
    6_174_918, 6_223_867, 6_268_875, 6_308_342, 6_348_490, 6_388_764, 6_430_405, 6_476_617, 6_525_750, 6_570_690,
    6_610_428, 6_649_727, 6_689_672, 6_730_191, 6_776_959, 6_825_336, 6_869_984, 6_908_781, 6_949_984, 6_991_746,
    7_033_416, 7_082_722, 7_131_064, 7_176_507, 7_216_193, 7_256_178, 7_296_113, 7_336_775, 7_383_860, 7_431_864,
    7_475_115, 7_513_221, 7_551_652, 7_591_155, 7_635_880, 7_688_896, 7_740_750, 7_788_235, 7_829_338, 7_870_690,
    7_912_445, 7_954_865, 8_002_680, 8_051_865, 8_097_255, 8_137_210, 8_175_460, 8_214_445, 8_256_005, 8_302_889,
    8_351_109, 8_395_421, 8_433_706, 8_472_835, 8_513_248, 8_556_694, 8_606_610, 8_654_996, 8_699_232, 8_737_654,
    8_776_996, 8_816_179, 8_856_027, 8_900_849, 8_947_121, 8_993_599, 9_035_026, 9_075_820, 9_115_700, 9_158_137,
    9_207_252, 9_257_497, 9_303_560, 9_343_408, 9_384_800, 9_426_168, 9_475_247, 9_523_910, 9_573_336, 9_618_665,
    9_657_568, 9_697_356, 9_737_369, 9_778_354, 9_828_379, 9_877_032, 9_921_586, 9_960_385, 10_000_000,
];

/// Some of its boundaries by α t², two-sided α = 0.003333333: number of the look and boundary. The published search stops
/// within 1e-7 of a probability, up to 2 % of what these looks spend, which moves a boundary by some 1e-3; earlier
/// looks spend less and differ by more. An independent dense-grid recursion (Gauss–Legendre, 1,600 nodes a look) agrees with ours to 1e-6.
const DAILY_BOUNDARIES: [(usize, f64); 7] = [
    (10, 4.388_990_83),
    (15, 4.245_135_91),
    (20, 4.137_963_52),
    (177, 3.307_923_67),
    (179, 3.303_392_38),
    (180, 3.302_964_21),
    (181, 3.300_415_34),
];

const SPOTIFY: &str = "spotify/confidence tests/frequentist/test_bounds.py, equal to R ldbounds";

const TEXTBOOK: &str = "Jennison, Turnbull (2000), tables 2.1 and 2.3, printed to 3 digits";

const GROWTHBOOK: &str = "growthbook packages/stats tests, printed to 5 digits";

const R_POWER: &str = "R power.t.test, printed to 7 digits";

pub(super) fn checks(_: &Path) -> Result<Vec<Check>, OneShotError> {
    let mut out = Vec::new();
    for (spending, alpha, sides, expected, tolerance, source) in BOUNDARIES {
        let bounds = GroupSequential::equal(expected.len(), spending.parse()?, alpha, sides).boundaries()?;
        for (i, (expected, got)) in expected.iter().zip(&bounds.critical).enumerate() {
            let name = format!("{spending} boundary {} of {}, α {alpha} {sides:?}-sided", i + 1, bounds.looks.len());
            out.push(Check::absolute(name, *expected, *got, tolerance, source));
        }
    }
    let looks = DAILY.iter().map(|t| f64::from(*t) / 1e7).collect();
    let plan =
        GroupSequential { looks, spending: Spending::Power { rho: 2.0 }, alpha: 0.003_333_333, sides: Sides::Two };
    let daily = plan.boundaries()?.critical;
    for (look, expected) in DAILY_BOUNDARIES {
        let name = format!("boundary {look} of {} daily looks", DAILY.len());
        out.push(Check::absolute(name, expected, daily[look - 1], 5e-3, SPOTIFY));
    }
    for (k, pocock, obrien) in CONSTANTS {
        for (name, power, expected) in [("Pocock", 0.0, pocock), ("O'Brien–Fleming", 0.5, obrien)] {
            let got = constant(k, power);
            out.push(Check::absolute(format!("{name}'s constant, {k} looks"), expected, got, 5.1e-4, TEXTBOOK));
        }
    }
    sequences(&mut out)?;
    for (n, expected) in [(20.0, 0.868_952_8), (22.021_10, 0.9), (393.405_7, 0.8)] {
        let (df, delta): (f64, f64) = (2.0 * (n - 1.0), if n > 100.0 { 0.2 } else { 1.0 });
        let got = noncentral_t_sf(dist::t_quantile(0.975, df), df, delta * (n / 2.0_f64).sqrt());
        out.push(Check::absolute(format!("power of a t test with {n} an arm"), expected, got, 1e-6, R_POWER));
    }
    Ok(out)
}

/// Boundaries c · t^(−power) at equal looks.
fn shaped(k: usize, power: f64, c: f64) -> Boundaries {
    let looks: Vec<f64> = (1..=k).map(|i| i as f64 / k as f64).collect();
    let critical = looks.iter().map(|t| c * t.powf(-power)).collect();
    Boundaries { spent: vec![0.0; k], looks, critical, sides: Sides::Two }
}

/// The constant that spends 0.05.
fn constant(k: usize, power: f64) -> f64 {
    let (mut low, mut high) = (1.5, 4.0);
    for _ in 0..45 {
        let middle = f64::midpoint(low, high);
        if shaped(k, power, middle).power(0.0) > 0.05 { low = middle } else { high = middle }
    }
    low
}

/// GrowthBook's confidence sequences on its second pair of samples.
fn sequences(out: &mut Vec<Check>) -> Result<(), OneShotError> {
    let summary = |n, sum, squares| Moments::from_sums(n, sum, squares).summary();
    let (a, b) = (summary(3000, 1396.87, 52_377.976_7), summary(3461, 2422.7, 134_698.29));
    let wald = |d: Result<Difference, Uninformative>| {
        let d = d.unwrap_or(Difference { value: 0.0, std_error: 0.0, df: 1.0 });
        Estimate::wald(d.value, d.std_error, None, 6461, Level::P95, "welch")
            .map_err(throughline_evidence::EvidenceError::from)
    };
    let (absolute, relative) = (wald(welch(&a, &b))?, wald(welch_relative(&a, &b))?);
    let sequence = |e: &Estimate, n| e.sequential(n).map_err(throughline_evidence::EvidenceError::from);
    let greater = |e: &Estimate| e.sequential_greater(5000.0).map_err(throughline_evidence::EvidenceError::from);
    let two = sequence(&relative, 1000.0)?.interval();
    let (one, one_absolute) = (greater(&relative)?, greater(&absolute)?);
    for (what, expected, got, tolerance) in [
        ("two-sided lower end", -0.558_44, two.0, 1e-5),
        ("two-sided upper end", 1.565_16, two.1, 1e-5),
        ("one-sided lower end, relative", -0.423_56, one.interval().0, 1e-5),
        ("one-sided lower end, absolute", -0.126_57, one_absolute.interval().0, 1e-5),
        // Its search for p stops when the end is near 0, ours is exact.
        ("one-sided p, absolute", 0.463_16, one_absolute.p_value, 2e-4),
    ] {
        out.push(Check::absolute(format!("confidence sequence, {what}"), expected, got, tolerance, GROWTHBOOK));
    }
    Ok(())
}

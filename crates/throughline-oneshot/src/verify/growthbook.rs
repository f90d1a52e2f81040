//! GrowthBook's statistics engine: Welch differences and sample-ratio checks with the figures of its tests.

use std::path::Path;

use throughline_stats::dist;
use throughline_stats::goodness::chi_squared_fit;
use throughline_stats::moments::Moments;
use throughline_stats::two_sample::{Difference, Summary, welch, welch_relative};

use super::Check;
use crate::OneShotError;

const SOURCE: &str = "growthbook packages/stats tests, printed to 5 digits";

#[expect(clippy::unnecessary_wraps, reason = "every group answers the same way")]
pub(super) fn checks(_: &Path) -> Result<Vec<Check>, OneShotError> {
    let mut out = Vec::new();
    let summary = |n, sum, squares| Moments::from_sums(n, sum, squares).summary();
    let (a, b) = (summary(3407, 1396.87, 52_377.976_7), summary(3461, 2422.7, 134_698.29));
    let mut compare = |name: &str, answer: Option<Difference>, expected: [f64; 4]| {
        let d = answer.unwrap_or(Difference { value: f64::NAN, std_error: f64::NAN, df: f64::NAN });
        let half = dist::critical_value(0.95, Some(d.df)) * d.std_error;
        let p = dist::two_sided_p(d.value / d.std_error, Some(d.df));
        for (what, expected, got) in [
            ("effect", expected[0], d.value),
            ("lower end", expected[1], d.value - half),
            ("upper end", expected[2], d.value + half),
            ("p-value", expected[3], p),
        ] {
            out.push(Check::absolute(format!("growthbook {name}, {what}"), expected, got, 6e-6, SOURCE));
        }
    };
    compare("absolute", welch(&a, &b).ok(), [0.29, 0.045_38, 0.534_62, 0.020_16]);
    compare("relative", welch_relative(&a, &b).ok(), [0.707_32, -0.035_26, 1.449_89, 0.061_91]);
    let (p, q) = (Summary::proportion(14, 14), Summary::proportion(16, 14));
    compare("proportions", welch_relative(&p, &q).ok(), [0.066_67, -0.477_67, 0.611_01, 0.807_07]);
    for (counts, expected) in [([500, 600], 0.002_568_83), ([1000, 900], 0.021_781_46)] {
        let got = chi_squared_fit(&counts, &[1.0, 1.0]).map_or(f64::NAN, |g| g.p_value);
        out.push(Check::absolute(format!("sample ratio {counts:?} at 50/50"), expected, got, 1e-8, SOURCE));
    }
    Ok(out)
}

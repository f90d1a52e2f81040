//! How strong instruments must be: critical values of first-stage statistics.

use throughline_stats::dist;

/// Upper tail of the non-central χ² with `df` degrees of freedom (any positive number) and non-centrality `lambda`: a
/// Poisson mixture of central ones, summed outward from its mode until what is left is below 1e-17.
fn noncentral_sf(x: f64, df: f64, lambda: f64) -> f64 {
    let half = lambda / 2.0;
    let mode = half.floor();
    let log_weight = |j: f64| -half + j * half.max(f64::MIN_POSITIVE).ln() - ln_factorial(j);
    let mut total = 0.0;
    let mut weight = log_weight(mode).exp();
    let start = weight;
    let mut j = mode;
    while weight > 1e-17 {
        total += weight * dist::chi_squared_sf(x, df + 2.0 * j);
        j += 1.0;
        weight *= half / j;
    }
    (weight, j) = (start, mode);
    while j > 0.0 && weight > 1e-17 {
        weight *= j / half;
        j -= 1.0;
        total += weight * dist::chi_squared_sf(x, df + 2.0 * j);
    }
    total
}

fn ln_factorial(j: f64) -> f64 {
    if j < 20.0 {
        let mut product = 1.0;
        let mut i = 2.0;
        while i <= j {
            product *= i;
            i += 1.0;
        }
        return f64::ln(product);
    }
    // Stirling with three terms of its series: better than 1e-12 from 20 on.
    let i = 1.0 / j;
    (j + 0.5) * j.ln() - j + 0.5 * (2.0 * std::f64::consts::PI).ln() + i / 12.0 - i.powi(3) / 360.0 + i.powi(5) / 1260.0
}

/// The value above which non-central χ² lies with probability `alpha`.
fn noncentral_quantile(alpha: f64, df: f64, lambda: f64) -> f64 {
    let (mut lo, mut hi) = (0.0, df + lambda + 10.0 * (2.0 * (df + 2.0 * lambda)).sqrt() + 10.0);
    while noncentral_sf(hi, df, lambda) > alpha {
        hi *= 2.0;
    }
    for _ in 0..100 {
        let middle = f64::midpoint(lo, hi);
        if noncentral_sf(middle, df, lambda) > alpha { lo = middle } else { hi = middle }
    }
    f64::midpoint(lo, hi)
}

/// The critical value of the effective F: instruments are strong where it is exceeded, that is, the hypothesis is rejected at 5 %
/// that the bias of 2SLS exceeds a share `tau` of the worst case. `w` is the covariance of the first-stage coefficients of
/// orthonormal instruments (any scale), by its trace, the trace of its square and its largest eigenvalue. Patnaik's
/// approximation with K = tr(W)²(1 + 2x) / (tr(W²) + 2x tr(W) max eig W), x = 1/τ: χ²(K, xK) / K. Source: Montiel Olea,
/// Pflueger (2013), JBES 31(3), the simplified procedure, which is conservative.
pub(super) fn effective_f_critical(trace: f64, trace_of_square: f64, largest: f64, tau: f64) -> f64 {
    let x = 1.0 / tau;
    let k = trace.powi(2) * (1.0 + 2.0 * x) / (trace_of_square + 2.0 * x * trace * largest);
    noncentral_quantile(0.05, k, k * x) / k
}

/// Critical values of Cragg–Donald's statistic for a maximal size of 10, 15, 20 and 25 % of a 5 % test after 2SLS, by
/// instruments (1 to 10) for one endogenous variable. Source: Stock, Yogo (2005), table 5.2.
const SIZE_ONE: [[f64; 4]; 10] = [
    [16.38, 8.96, 6.66, 5.53],
    [19.93, 11.59, 8.75, 7.25],
    [22.30, 12.83, 9.54, 7.80],
    [24.58, 13.96, 10.26, 8.31],
    [26.87, 15.09, 10.98, 8.84],
    [29.18, 16.23, 11.72, 9.38],
    [31.50, 17.38, 12.48, 9.93],
    [33.84, 18.54, 13.24, 10.50],
    [36.19, 19.71, 14.01, 11.07],
    [38.54, 20.88, 14.78, 11.65],
];

/// The same for two endogenous variables, from 2 instruments.
#[expect(clippy::approx_constant, reason = "6.28 is the table's")]
const SIZE_TWO: [[f64; 4]; 9] = [
    [7.03, 4.58, 3.95, 3.63],
    [13.43, 8.18, 6.40, 5.45],
    [16.87, 9.93, 7.54, 6.28],
    [19.45, 11.22, 8.38, 6.89],
    [21.68, 12.33, 9.10, 7.42],
    [23.72, 13.34, 9.77, 7.91],
    [25.64, 14.31, 10.41, 8.39],
    [27.51, 15.24, 11.03, 8.85],
    [29.32, 16.16, 11.65, 9.31],
];

/// The critical values of Stock and Yogo for so many endogenous variables and instruments, for sizes of 10, 15, 20 and 25 %.
pub(super) fn stock_yogo(p: usize, q: usize) -> Option<[f64; 4]> {
    match p {
        1 => SIZE_ONE.get(q.checked_sub(1)?).copied(),
        2 => SIZE_TWO.get(q.checked_sub(2)?).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_shifted_squares() {
        // One degree: P((Z + √λ)² > x) = P(Z > √x − √λ) + P(Z < −√x − √λ).
        for (x, lambda) in [(1.0, 0.5), (9.0, 4.0), (23.1, 10.0), (400.0, 300.0)] {
            let (a, b) = (f64::sqrt(x), f64::sqrt(lambda));
            let exact = dist::normal_sf(a - b) + dist::normal_sf(a + b);
            let got = noncentral_sf(x, 1.0, lambda);
            assert!((got - exact).abs() < 1e-12, "{x} {lambda}: {got} {exact}");
        }
    }

    #[test]
    fn critical_values_are_those_of_the_paper() {
        // Table 1 of Montiel Olea, Pflueger (2013): K = 1, τ of 5, 10, 20 and 30 %.
        for (tau, expect) in [(0.05, 37.42), (0.1, 23.11), (0.2, 15.06), (0.3, 12.05)] {
            let got = effective_f_critical(1.0, 1.0, 1.0, tau);
            assert!((got - expect).abs() < 0.01, "{tau}: {got}");
        }
        assert_eq!(stock_yogo(1, 1).map(|v| v[0]), Some(16.38));
        assert_eq!(stock_yogo(2, 1), None);
    }
}

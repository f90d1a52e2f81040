//! Covariances of coefficients whose errors depend on those before them.
//!
//! W. K. Newey and K. D. West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
//! matrix", Econometrica 55 (1987); the lag by the rule of thumb of their 1994 paper.

/// The covariance of coefficients by Newey and West with Bartlett weights up to `lag`: Γ₀ + Σ (1 − l / (lag + 1)) (Γ_l + Γ_l'),
/// Γ_l = Σ_t φ_t φ_{t−l}' of the influence values φ. `times` are the positions of the rows: rows that are not `l` apart do not
/// meet.
pub fn newey_west(influence: &[Vec<f64>], times: &[usize], lag: usize) -> Vec<f64> {
    let k = influence.len();
    let mut out = vec![0.0; k * k];
    for (row, t) in times.iter().enumerate() {
        let mut before = row;
        loop {
            let l = t - times[before];
            if l > lag {
                break;
            }
            let weight = 1.0 - l as f64 / (lag + 1) as f64;
            for i in 0..k {
                for j in 0..k {
                    let (a, b) = (influence[i][row] * influence[j][before], influence[i][before] * influence[j][row]);
                    out[i * k + j] += if l == 0 { a } else { weight * (a + b) };
                }
            }
            if before == 0 {
                break;
            }
            before -= 1;
        }
    }
    out
}

/// ⌊4 (n / 100)^(2/9)⌋.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
pub fn rule_of_thumb(n: usize) -> usize {
    (4.0 * (n as f64 / 100.0).powf(2.0 / 9.0)).floor() as usize
}

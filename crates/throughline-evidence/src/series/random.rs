//! Random numbers one after the other from a counter-based stream.

use throughline_stats::stream::Stream;

/// A place in a stream.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    stream: Stream,
    at: u64,
}

impl Cursor {
    pub(super) const fn new(seed: u64, id: u64) -> Self {
        Self { stream: Stream::new(seed, id), at: 0 }
    }

    /// Uniform on (0, 1): never 0.
    pub(super) fn uniform(&mut self) -> f64 {
        self.at += 1;
        self.stream.uniform_at(self.at - 1) + f64::EPSILON / 4.0
    }

    /// Uniform on 0, …, `n` − 1.
    #[expect(clippy::cast_possible_truncation, reason = "below a length")]
    pub(super) fn below(&mut self, n: usize) -> usize {
        self.at += 1;
        self.stream.index_at(self.at - 1, n as u64) as usize
    }

    pub(super) fn normal(&mut self) -> f64 {
        self.at += 1;
        self.stream.normal_at(self.at - 1)
    }

    /// Gamma with a rate of 1. Source: G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables",
    /// ACM Transactions on Mathematical Software 26 (2000).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let boost = self.uniform().powf(1.0 / shape);
            return self.gamma(shape + 1.0) * boost;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
                return d * v;
            }
        }
    }

    /// A variance σ² with ν s² / σ² ~ χ²_ν.
    pub(super) fn scaled_inverse_chi_squared(&mut self, df: f64, scale: f64) -> f64 {
        0.5 * df * scale * scale / self.gamma(0.5 * df)
    }

    /// A position with the given log weights, none of which is NaN and one of which is finite.
    pub(super) fn choose(&mut self, log_weights: &[f64]) -> usize {
        let top = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = log_weights.iter().map(|w| (w - top).exp()).collect();
        let mut left = self.uniform() * weights.iter().sum::<f64>();
        for (i, w) in weights.iter().enumerate() {
            left -= w;
            if left <= 0.0 {
                return i;
            }
        }
        weights.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_has_its_moments() {
        for shape in [0.4, 1.0, 7.5] {
            let mut cursor = Cursor::new(3, 9);
            let draws: Vec<f64> = (0..40_000).map(|_| cursor.gamma(shape)).collect();
            let mean = draws.iter().sum::<f64>() / 4e4;
            let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 4e4;
            assert!((mean - shape).abs() < 5.0 * (shape / 4e4).sqrt(), "{shape} {mean}");
            assert!((variance / shape - 1.0).abs() < 0.1, "{shape} {variance}");
        }
    }

    #[test]
    fn choices_follow_their_weights() {
        let mut cursor = Cursor::new(1, 1);
        let weights = [0.0, f64::NEG_INFINITY, 3.0_f64.ln()];
        let mut seen = [0; 3];
        (0..8000).for_each(|_| seen[cursor.choose(&weights)] += 1);
        assert!(seen[1] == 0 && (seen[0] - 2000_i32).abs() < 200, "{seen:?}");
    }
}

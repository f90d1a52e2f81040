//! The weight algorithm with which the published synthetic difference-in-differences figures were made.
//!
//! Source: Arkhangelsky, Athey, Hirshberg, Imbens, Wager (2021), AER 111(12), and the definitions its reference
//! implementation documents: Frank–Wolfe steps with exact line search from equal weights until the objective falls by less
//! than `decrease`², at most 100; weights of at most a quarter of the largest are set to 0; then at most 10,000 steps more.
//! The published weights are thus near the optimum, not at it: on California's Proposition 99 the optimum is −15.6054 where
//! −15.6038 is published (synthetic difference-in-differences), and −19.5136 where −19.6197 is (synthetic control).

/// Steps before weights are made sparse.
const FIRST_STEPS: usize = 100;

/// Steps at most after.
const STEPS: usize = 10_000;

/// Weights that min ‖A w − b‖² / rows + ζ²‖w‖² is approached with. `gram` holds the inner products of aⱼ − b *without* ζ², n × n;
/// `decrease` is the documented stopping rule (1e-5 times the noise level).
pub fn frank_wolfe(gram: &[f64], n: usize, rows: usize, zeta_squared: f64, decrease: f64) -> Vec<f64> {
    let problem = Problem { gram, n, rows: rows as f64, zeta_squared, least: decrease * decrease };
    let first = problem.descend(vec![1.0 / n as f64; n], FIRST_STEPS);
    let bound = first.iter().copied().fold(0.0, f64::max) / 4.0;
    let kept: Vec<f64> = first.iter().map(|w| if *w <= bound { 0.0 } else { *w }).collect();
    let total: f64 = kept.iter().sum();
    problem.descend(kept.iter().map(|w| w / total).collect(), STEPS)
}

struct Problem<'a> {
    gram: &'a [f64],
    n: usize,
    rows: f64,
    zeta_squared: f64,
    least: f64,
}

impl Problem<'_> {
    /// Steps towards the corner of steepest descent, each as far as the objective falls.
    fn descend(&self, mut w: Vec<f64>, steps: usize) -> Vec<f64> {
        let n = self.n;
        let eta = self.rows * self.zeta_squared;
        // G w is carried along: a step costs a few passes over n numbers.
        let mut image: Vec<f64> =
            self.gram.chunks_exact(n).map(|row| row.iter().zip(&w).map(|(g, w)| g * w).sum()).collect();
        let mut before = f64::INFINITY;
        for _ in 0..steps {
            let gradient = |i: usize, image: &[f64], w: &[f64]| image[i] + eta * w[i];
            let corner = (0..n).min_by(|i, j| gradient(*i, &image, &w).total_cmp(&gradient(*j, &image, &w)));
            let corner = corner.unwrap_or(0);
            let fit: f64 = w.iter().zip(&image).map(|(w, g)| w * g).sum();
            let norm: f64 = w.iter().map(|w| w * w).sum();
            // Along d = e − w: the slope is half the derivative, the bend half the second derivative.
            let slope = gradient(corner, &image, &w) - fit - eta * norm;
            let bend =
                self.gram[corner * n + corner] - 2.0 * image[corner] + fit + eta * (1.0 - 2.0 * w[corner] + norm);
            if !(slope < 0.0 && bend > 0.0) {
                break;
            }
            let step = (-slope / bend).clamp(0.0, 1.0);
            let row = &self.gram[corner * n..(corner + 1) * n];
            image.iter_mut().zip(row).for_each(|(g, r)| *g += step * (r - *g));
            for w in &mut w {
                *w *= 1.0 - step;
            }
            w[corner] += step;
            let norm: f64 = w.iter().map(|w| w * w).sum();
            let fit: f64 = w.iter().zip(&image).map(|(w, g)| w * g).sum();
            let value = self.zeta_squared * norm + fit / self.rows;
            if before - value <= self.least {
                break;
            }
            before = value;
        }
        w
    }
}

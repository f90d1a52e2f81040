//! The point of a convex hull nearest to the origin: every weight problem of synthetic controls is one.
//!
//! min ‖A w − b‖² + ζ²‖w‖² over w ≥ 0, Σ w = 1 is the search for the smallest vector in the hull of the points
//! pⱼ = (aⱼ − b, ζ eⱼ), of which only the inner products Gᵢⱼ = (aᵢ − b)·(aⱼ − b) + ζ² δᵢⱼ are needed. An intercept is the same
//! problem with every column and b less their means.

/// What a pivot must exceed, as a share of its diagonal entry, for a point to count as affinely independent.
const PIVOT: f64 = 1e-13;

/// Share of the largest squared length below which a gain is rounding.
const GAIN: f64 = 1e-14;

/// Weights and how good they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Nearest {
    /// One weight per point, none negative, summing to 1.
    pub weights: Vec<f64>,
    /// wᵀ G w: the squared distance.
    pub objective: f64,
    /// wᵀ G w − minⱼ (G w)ⱼ ≥ 0: twice the duality gap; the objective exceeds the least possible by at most twice this.
    pub gap: f64,
    /// The points with weight, in the order in which they came in.
    pub support: Vec<usize>,
}

/// Finds the nearest point exactly by Wolfe's active-set method: finite, deterministic, without step sizes or stopping
/// rules. Source: Wolfe (1976), "Finding the nearest point in a polytope", Mathematical Programming 11.
///
/// `gram` is n × n, row-major, n ≥ 1; `start` may hold feasible weights to begin from (any is right, a near one is fast).
/// Where several weights are optimal (the origin inside the hull), one whose points are affinely independent is returned,
/// always the same. Work: about |support| steps of n |support| + |support|² each.
pub fn nearest(gram: &[f64], n: usize, start: Option<&[f64]>) -> Nearest {
    let scale = (0..n).map(|j| gram[j * n + j]).fold(0.0, f64::max);
    let mut active = Active::new(gram, n, scale);
    active.begin(start);
    let mut best = f64::INFINITY;
    let mut image = vec![0.0; n];
    let mut spent = vec![false; n];
    // Every pass lowers the objective, so no support comes back; the bound only guards against rounding.
    for _ in 0..100 * n + 100 {
        active.image(&mut image);
        let objective = active.objective(&image);
        if objective < best * (1.0 - 1e-15) {
            spent.fill(false);
        }
        best = best.min(objective);
        let candidate = (0..n).filter(|j| !spent[*j]).min_by(|i, j| image[*i].total_cmp(&image[*j]));
        let Some(j) = candidate.filter(|j| image[*j] < objective - GAIN * scale) else { break };
        // A point that does not help (dependent, or in already) is not tried again until something else has.
        spent[j] = true;
        if !active.contains(j) && active.push(j) {
            active.settle();
        }
    }
    active.finish()
}

/// The points with weight and the factor of G_S + σ 11ᵀ.
struct Active<'a> {
    gram: &'a [f64],
    n: usize,
    /// σ: makes the factor exist exactly when the points are affinely independent.
    shift: f64,
    support: Vec<usize>,
    weights: Vec<f64>,
    lower: Vec<Vec<f64>>,
}

impl<'a> Active<'a> {
    fn new(gram: &'a [f64], n: usize, scale: f64) -> Self {
        let shift = if scale > 0.0 { scale } else { 1.0 };
        Self { gram, n, shift, support: Vec::new(), weights: Vec::new(), lower: Vec::new() }
    }

    fn begin(&mut self, start: Option<&[f64]>) {
        let given = start.filter(|w| w.len() == self.n && w.iter().all(|x| *x >= 0.0 && x.is_finite()));
        if let Some(w) = given {
            for j in (0..self.n).filter(|j| w[*j] > 0.0) {
                if self.push(j)
                    && let Some(last) = self.weights.last_mut()
                {
                    *last = w[j];
                }
            }
            let total: f64 = self.weights.iter().sum();
            if total > 0.0 {
                for w in &mut self.weights {
                    *w /= total;
                }
                return self.settle();
            }
            (self.support, self.weights, self.lower) = (Vec::new(), Vec::new(), Vec::new());
        }
        let n = self.n;
        let first = (0..n).min_by(|i, j| self.gram[i * n + i].total_cmp(&self.gram[j * n + j])).unwrap_or(0);
        self.push(first);
        self.weights.fill(1.0);
    }

    fn contains(&self, j: usize) -> bool {
        self.support.contains(&j)
    }

    /// Adds a point with weight 0; false when it is affinely dependent on the others.
    fn push(&mut self, j: usize) -> bool {
        let Some(row) = self.row(j, self.support.len()) else { return false };
        self.lower.push(row);
        self.support.push(j);
        self.weights.push(0.0);
        true
    }

    /// The row of the factor that point `j` adds to the first `size`.
    fn row(&self, j: usize, size: usize) -> Option<Vec<f64>> {
        let mut row = Vec::with_capacity(size + 1);
        for (i, (other, point)) in self.lower.iter().zip(&self.support).take(size).enumerate() {
            let done: f64 = other.iter().zip(&row).map(|(a, b)| a * b).sum();
            row.push((self.gram[j * self.n + point] + self.shift - done) / other[i]);
        }
        let diagonal = self.gram[j * self.n + j] + self.shift;
        let rest = diagonal - row.iter().map(|x| x * x).sum::<f64>();
        (rest > PIVOT * diagonal).then(|| {
            row.push(rest.sqrt());
            row
        })
    }

    /// Takes out the points whose weight is 0 and restores the factor.
    fn drop_zeros(&mut self) {
        let Some(first) = self.weights.iter().position(|w| *w <= 0.0) else { return };
        let kept: Vec<(usize, f64)> =
            self.support.iter().copied().zip(self.weights.iter().copied()).filter(|(_, w)| *w > 0.0).collect();
        self.lower.truncate(first);
        self.support = kept.iter().map(|k| k.0).collect();
        self.weights = kept.iter().map(|k| k.1).collect();
        for i in first..self.support.len() {
            // The kept points were independent with more around them, so a row exists; rounding may say otherwise.
            let j = self.support[i];
            let row = self.row(j, i).unwrap_or_else(|| {
                let mut row = vec![0.0; i];
                row.push(self.shift.sqrt());
                row
            });
            self.lower.push(row);
        }
    }

    /// Weights of the point of the affine hull nearest to the origin: M u = 1, w = u / 1ᵀu, with one step of refinement.
    fn affine(&self) -> Vec<f64> {
        let k = self.support.len();
        let ones = vec![1.0; k];
        let mut u = self.solve(&ones);
        let residual: Vec<f64> = (0..k)
            .map(|i| {
                let row = &self.gram[self.support[i] * self.n..];
                1.0 - self.support.iter().zip(&u).map(|(j, u)| (row[*j] + self.shift) * u).sum::<f64>()
            })
            .collect();
        u.iter_mut().zip(self.solve(&residual)).for_each(|(u, d)| *u += d);
        let total: f64 = u.iter().sum();
        for u in &mut u {
            *u /= total;
        }
        u
    }

    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let k = b.len();
        let mut x = b.to_vec();
        for (i, row) in self.lower.iter().enumerate().take(k) {
            let done: f64 = row.iter().zip(&x[..i]).map(|(l, x)| l * x).sum();
            x[i] = (x[i] - done) / row[i];
        }
        for (i, row) in self.lower.iter().enumerate().take(k).rev() {
            x[i] /= row[i];
            let value = x[i];
            for (x, l) in x[..i].iter_mut().zip(row) {
                *x -= l * value;
            }
        }
        x
    }

    /// Moves to the nearest point of the affine hull, leaving points behind where that would need negative weights.
    fn settle(&mut self) {
        while self.support.len() > 1 {
            let target = self.affine();
            if target.iter().all(|w| *w > 0.0) {
                self.weights = target;
                return;
            }
            let blocked = |(w, v): (&f64, &f64)| (*v <= 0.0).then(|| if w > v { w / (w - v) } else { 0.0 });
            let step = self.weights.iter().zip(&target).filter_map(blocked).fold(1.0, f64::min);
            for (w, v) in self.weights.iter_mut().zip(&target) {
                let stopped = *v <= 0.0 && (if *w > *v { *w / (*w - *v) } else { 0.0 }) <= step;
                *w = if stopped { 0.0 } else { (*w + step * (v - *w)).max(0.0) };
            }
            self.drop_zeros();
        }
        self.weights.fill(1.0);
    }

    fn image(&self, out: &mut [f64]) {
        out.fill(0.0);
        for (j, w) in self.support.iter().zip(&self.weights) {
            let row = &self.gram[j * self.n..(j + 1) * self.n];
            out.iter_mut().zip(row).for_each(|(o, g)| *o += w * g);
        }
    }

    fn objective(&self, image: &[f64]) -> f64 {
        self.support.iter().zip(&self.weights).map(|(j, w)| w * image[*j]).sum()
    }

    fn finish(self) -> Nearest {
        let mut image = vec![0.0; self.n];
        self.image(&mut image);
        let objective = self.objective(&image).max(0.0);
        let least = image.iter().copied().fold(f64::INFINITY, f64::min);
        let mut weights = vec![0.0; self.n];
        self.support.iter().zip(&self.weights).for_each(|(j, w)| weights[*j] = *w);
        Nearest { weights, objective, gap: (objective - least).max(0.0), support: self.support }
    }
}

/// The inner products of the points aⱼ − b with ζ² added to the diagonal.
pub fn gram_of(columns: &[&[f64]], b: &[f64], zeta_squared: f64) -> Vec<f64> {
    let n = columns.len();
    let points: Vec<Vec<f64>> = columns.iter().map(|c| c.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
    let rows: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
    let mut gram = throughline_stats::linalg::gram(&rows);
    (0..n).for_each(|j| gram[j * n + j] += zeta_squared);
    gram
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Projection on the simplex by sorting: Held, Wolfe, Crowder (1974).
    fn project(v: &[f64]) -> Vec<f64> {
        let mut sorted = v.to_vec();
        sorted.sort_by(|a, b| b.total_cmp(a));
        let (mut sum, mut shift) = (0.0, 0.0);
        for (k, x) in sorted.iter().enumerate() {
            sum += x;
            let t = (sum - 1.0) / (k + 1) as f64;
            if *x > t {
                shift = t;
            }
        }
        v.iter().map(|x| (x - shift).max(0.0)).collect()
    }

    /// Projected gradient with restarts of the momentum: slow and obvious.
    fn slow(gram: &[f64], n: usize) -> f64 {
        let lipschitz: f64 = (0..n).map(|j| gram[j * n + j]).sum::<f64>().max(1e-300);
        let value =
            |w: &[f64]| -> f64 { (0..n).map(|i| w[i] * (0..n).map(|j| gram[i * n + j] * w[j]).sum::<f64>()).sum() };
        let (mut w, mut y, mut t) = (vec![1.0 / n as f64; n], vec![1.0 / n as f64; n], 1.0_f64);
        for _ in 0..20_000 {
            let step: Vec<f64> =
                (0..n).map(|i| y[i] - (0..n).map(|j| gram[i * n + j] * y[j]).sum::<f64>() / lipschitz).collect();
            let next = project(&step);
            let t_next = f64::midpoint(1.0, (4.0 * t * t).ln_1p().exp().sqrt());
            let worse = value(&next) > value(&w);
            let momentum = if worse { 0.0 } else { (t - 1.0) / t_next };
            y = next.iter().zip(&w).map(|(a, b)| a + momentum * (a - b)).collect();
            (w, t) = (next, if worse { 1.0 } else { t_next });
        }
        value(&w)
    }

    fn check(columns: &[Vec<f64>], b: &[f64], zeta_squared: f64) {
        let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let n = views.len();
        let gram = gram_of(&views, b, zeta_squared);
        let scale = (0..n).map(|j| gram[j * n + j]).fold(1e-300, f64::max);
        let found = nearest(&gram, n, None);
        assert!((found.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && found.weights.iter().all(|w| *w >= 0.0));
        assert!(found.gap <= 1e-10 * scale, "gap {} of {scale}", found.gap);
        let reference = slow(&gram, n);
        assert!(found.objective <= reference + 1e-9 * scale, "{} against {reference}", found.objective);
        // From any start the same objective.
        let start: Vec<f64> = (0..n).map(|j| (j + 1) as f64).collect();
        let warm = nearest(&gram, n, Some(&start));
        assert!((warm.objective - found.objective).abs() <= 1e-9 * scale);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn no_slower_search_finds_better_weights(
            rows in 1_usize..9, n in 1_usize..10, zeta in prop_oneof![Just(0.0), 0.01_f64..2.0],
            values in prop::collection::vec(-3.0_f64..3.0, 100), twins in any::<bool>(),
        ) {
            let mut columns: Vec<Vec<f64>> = (0..n).map(|j| values[j * rows..(j + 1) * rows].to_vec()).collect();
            if twins && n > 2 {
                // Equal donors and a donor between two others: dependent points.
                columns[1] = columns[0].clone();
                columns[2] = columns[0].iter().zip(&columns[n - 1]).map(|(a, b)| f64::midpoint(*a, *b)).collect();
            }
            check(&columns, &values[90..90 + rows], zeta * zeta);
        }
    }

    #[test]
    fn known_points() {
        // The nearest point of the segment from (−1, 1) to (3, 1) is (0, 1); a third point behind takes no part.
        let found = nearest(&[2.0, -2.0, -2.0, -2.0, 10.0, 26.0, -2.0, 26.0, 74.0], 3, None);
        assert!((found.objective - 1.0).abs() < 1e-14, "{found:?}");
        let one = nearest(&[4.0], 1, None);
        assert_eq!((one.weights, one.objective), (vec![1.0], 4.0));
        let zero = nearest(&[0.0; 4], 2, None);
        assert_eq!((zero.objective, zero.weights.iter().sum::<f64>()), (0.0, 1.0));
    }
}

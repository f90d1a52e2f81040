//! All nearest points at once, while the target moves along a line.
//!
//! With the target b − θ g the weights are piecewise linear in θ and so are the residuals, which are unique even where the
//! weights are not. A test that refits for every θ can therefore be inverted exactly, without a grid.

use throughline_stats::linalg::{Cholesky, dot};

use super::simplex::{gram_of, nearest};
use crate::EvidenceError;

/// Residuals u(θ) = constant + θ · slope for θ from `from` to `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// Lower end, −∞ for the first.
    pub from: f64,
    /// Upper end, +∞ for the last.
    pub to: f64,
    /// Residual of every row at θ = 0.
    pub constant: Vec<f64>,
    /// Its change with θ.
    pub slope: Vec<f64>,
}

/// Pieces after which the search gives up; a few times the points suffice in practice.
const MOST: usize = 20_000;

/// Share of the scale of θ by which the search steps over an end.
const STEP: f64 = 1e-9;

/// The residuals b − θ g − A w(θ) of the best weights for every θ, in order of θ. `columns` are the donors, `zeta_squared` the
/// penalty on the weights. Errors: no donor, lengths that differ, a direction of zeros.
pub fn residual_path(
    columns: &[&[f64]],
    b: &[f64],
    g: &[f64],
    zeta_squared: f64,
    around: f64,
) -> Result<Vec<Piece>, EvidenceError> {
    let gamma = dot(g, g);
    if columns.is_empty() || columns.iter().any(|c| c.len() != b.len()) || g.len() != b.len() || gamma <= 0.0 {
        return Err(EvidenceError::Shape { what: "donors and the direction of the target" });
    }
    let points: Vec<Vec<f64>> = columns.iter().map(|c| c.iter().zip(b).map(|(a, b)| a - b).collect()).collect();
    let path = Path {
        columns,
        b,
        g,
        n: columns.len(),
        gram: gram_of(columns, b, zeta_squared),
        h: points.iter().map(|p| dot(p, g)).collect(),
        gamma,
    };
    let spread = (0..path.n).map(|j| path.gram[j * path.n + j]).fold(0.0, f64::max);
    let unit = (spread / gamma).sqrt().max(around.abs()).max(f64::MIN_POSITIVE);
    let middle = path.piece(around, None, unit);
    let mut up = vec![];
    path.walk(&middle, 1.0, unit, &mut up)?;
    let mut pieces = vec![];
    path.walk(&middle, -1.0, unit, &mut pieces)?;
    pieces.reverse();
    pieces.push(middle.0);
    pieces.extend(up);
    join(&mut pieces);
    Ok(pieces)
}

/// Makes neighbours meet where the search has stepped over an end.
fn join(pieces: &mut [Piece]) {
    for i in 1..pieces.len() {
        let meet = f64::midpoint(pieces[i - 1].to, pieces[i].from);
        pieces[i - 1].to = meet.max(pieces[i - 1].from);
        pieces[i].from = pieces[i - 1].to;
    }
}

struct Path<'a> {
    columns: &'a [&'a [f64]],
    b: &'a [f64],
    g: &'a [f64],
    n: usize,
    gram: Vec<f64>,
    /// (aⱼ − b)·g.
    h: Vec<f64>,
    gamma: f64,
}

impl Path<'_> {
    fn walk(
        &self,
        start: &(Piece, Vec<f64>),
        direction: f64,
        unit: f64,
        out: &mut Vec<Piece>,
    ) -> Result<(), EvidenceError> {
        let mut end = if direction > 0.0 { start.0.to } else { start.0.from };
        let (mut weights, mut step) = (start.1.clone(), STEP);
        while end.is_finite() {
            if out.len() > MOST {
                return Err(EvidenceError::NotFinite { what: "path of the weights".to_owned() });
            }
            let at = end + direction * step * unit.max(end.abs());
            let (mut piece, found) = self.piece(at, Some(&weights), unit);
            weights = found;
            // Rounding may leave an end behind the point it was found from: then step further.
            let next = if direction > 0.0 { piece.to.max(at) } else { piece.from.min(at) };
            step = if next == at { (step * 2.0).min(1e-3) } else { STEP };
            (piece.from, piece.to) = if direction > 0.0 { (end, next) } else { (next, end) };
            end = next;
            out.push(piece);
        }
        Ok(())
    }

    /// The piece around θ and the weights there.
    fn piece(&self, theta: f64, start: Option<&[f64]>, unit: f64) -> (Piece, Vec<f64>) {
        let n = self.n;
        let mut gram = self.gram.clone();
        for (row, a) in gram.chunks_exact_mut(n).zip(&self.h) {
            row.iter_mut().zip(&self.h).for_each(|(g, b)| *g += theta * (a + b) + theta * theta * self.gamma);
        }
        let found = nearest(&gram, n, start);
        let support = &found.support;
        let (alpha, beta) = self.weights_of(support, theta, &found.weights);
        let (from, to) = self.ends(support, &alpha, &beta, theta, unit);
        let sum = |w: &[f64], t: usize| support.iter().zip(w).map(|(j, w)| w * self.columns[*j][t]).sum::<f64>();
        let constant = self.b.iter().enumerate().map(|(t, b)| b - sum(&alpha, t)).collect();
        let slope = self.g.iter().enumerate().map(|(t, g)| -g - sum(&beta, t)).collect();
        (Piece { from, to, constant, slope }, found.weights)
    }

    /// w(θ) = α + θ β on a support: M w = ν 1 − θ h with 1ᵀw = 1.
    fn weights_of(&self, support: &[usize], theta: f64, weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let k = support.len();
        let shift = support.iter().map(|j| self.gram[j * self.n + j]).fold(0.0, f64::max);
        let shift = if shift > 0.0 { shift } else { 1.0 };
        let m: Vec<f64> =
            support.iter().flat_map(|i| support.iter().map(move |j| self.gram[i * self.n + j] + shift)).collect();
        let Some(factor) = Cholesky::new(&m, k, 1e-14) else {
            // The weights cannot be moved apart: they stay where they are until the next point.
            return (support.iter().map(|j| weights[*j]).collect(), vec![0.0; k]);
        };
        let refined = |b: &[f64]| {
            let mut x = factor.solve(b);
            let rest: Vec<f64> = (0..k).map(|i| b[i] - dot(&m[i * k..(i + 1) * k], &x)).collect();
            x.iter_mut().zip(factor.solve(&rest)).for_each(|(x, d)| *x += d);
            x
        };
        let u = refined(&vec![1.0; k]);
        let h: Vec<f64> = support.iter().map(|j| self.h[*j]).collect();
        let z = refined(&h);
        let (su, sz) = (u.iter().sum::<f64>(), z.iter().sum::<f64>());
        let beta: Vec<f64> = u.iter().zip(&z).map(|(u, z)| sz / su * u - z).collect();
        // Anchored at the weights found, which are more exact than the intercept far away.
        let alpha = support.iter().zip(&beta).map(|(j, b)| weights[*j] - theta * b).collect();
        (alpha, beta)
    }

    /// Where a weight would turn negative or a point outside the support would help.
    fn ends(&self, support: &[usize], alpha: &[f64], beta: &[f64], theta: f64, unit: f64) -> (f64, f64) {
        let n = self.n;
        let image = |w: &[f64], i: usize| support.iter().zip(w).map(|(j, w)| w * self.gram[i * n + j]).sum::<f64>();
        let (mut from, mut to) = (f64::NEG_INFINITY, f64::INFINITY);
        let mut limit = |value: f64, slope: f64, least: f64| {
            // value + (t − θ) slope must not fall below 0; a value at 0 already, by rounding, stops at θ.
            if slope.abs() <= least {
                return;
            }
            let at = theta - value.max(0.0) / slope;
            if slope < 0.0 { to = to.min(at) } else { from = from.max(at) }
        };
        for (a, b) in alpha.iter().zip(beta) {
            limit(a + theta * b, *b, 1e-13 / unit);
        }
        // Slack of point i: (G w + θ h)ᵢ − ν with ν the common value on the support, weighted by w for accuracy.
        let here: Vec<f64> = alpha.iter().zip(beta).map(|(a, b)| a + theta * b).collect();
        let on = |i: usize| (image(&here, i) + theta * self.h[i], image(beta, i) + self.h[i]);
        let (mut nu, mut nu_slope) = (0.0, 0.0);
        for (i, w) in support.iter().zip(&here) {
            let (value, slope) = on(*i);
            nu += w * value;
            nu_slope += w * slope;
        }
        let scale = (0..n).map(|j| self.gram[j * n + j]).fold(0.0, f64::max);
        for i in (0..n).filter(|i| !support.contains(i)) {
            let (value, slope) = on(i);
            limit(value - nu, slope - nu_slope, 1e-13 * scale / unit);
        }
        (from.min(theta), to.max(theta))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refit(columns: &[&[f64]], b: &[f64], g: &[f64], zeta_squared: f64, theta: f64) -> Vec<f64> {
        let target: Vec<f64> = b.iter().zip(g).map(|(b, g)| b - theta * g).collect();
        let found = nearest(&gram_of(columns, &target, zeta_squared), columns.len(), None);
        (0..b.len())
            .map(|t| target[t] - columns.iter().zip(&found.weights).map(|(c, w)| w * c[t]).sum::<f64>())
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_point_of_the_path_is_a_refit(
            rows in 2_usize..12, n in 1_usize..9, post in 1_usize..4, ridge in any::<bool>(),
            values in prop::collection::vec(-3.0_f64..3.0, 120), at in prop::collection::vec(-20.0_f64..20.0, 12),
        ) {
            let columns: Vec<&[f64]> = (0..n).map(|j| &values[j * rows..(j + 1) * rows]).collect();
            let b = &values[108..108 + rows];
            let g: Vec<f64> = (0..rows).map(|t| f64::from(u8::from(t + post >= rows))).collect();
            let zeta_squared = if ridge { 0.5 } else { 0.0 };
            let pieces = residual_path(&columns, b, &g, zeta_squared, 0.3).expect("a path");
            prop_assert!(pieces[0].from == f64::NEG_INFINITY && pieces[pieces.len() - 1].to == f64::INFINITY);
            prop_assert!(pieces.windows(2).all(|p| p[0].to == p[1].from && p[0].from <= p[0].to));
            for theta in at {
                let piece = pieces.iter().find(|p| p.from <= theta && theta <= p.to).expect("covered");
                let expect = refit(&columns, b, &g, zeta_squared, theta);
                for (t, e) in expect.iter().enumerate() {
                    let got = piece.constant[t] + theta * piece.slope[t];
                    prop_assert!((got - e).abs() < 1e-5, "θ {theta} row {t}: {got} against {e}");
                }
            }
        }
    }
}

//! Anderson and Rubin's test and its confidence set: right however weak the instruments are.

use std::f64::consts::{FRAC_PI_2, PI};

use throughline_core::{ConfidenceSet, Estimate, Level};
use throughline_stats::dist;
use throughline_stats::linalg::{Cholesky, dot};

use super::IvCovariance;
use super::reduced::Reduced;
use super::roots::zeros_on_circle;
use super::scores::Score;
use crate::small;
use crate::{EvidenceError, Joint};

/// The test of β = b for all endogenous variables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ArTest {
    /// The statistic over its numerator's degrees of freedom.
    pub(super) f: f64,
    pub(super) df: (f64, f64),
    pub(super) p_value: f64,
}

/// The statistic as a function of b, for one endogenous variable: coefficients of y and D on the instruments and their joint
/// covariance.
#[derive(Debug)]
pub(super) struct AndersonRubin {
    /// Coefficients δ of y on Z̃.
    outcome: Vec<f64>,
    /// Coefficients π of D on Z̃.
    first: Vec<f64>,
    /// Covariances of δ with δ, of δ with π made symmetric, of π with π.
    middle: [Vec<f64>; 3],
    /// Denominator degrees of freedom.
    df: f64,
    q: usize,
}

/// The reduced form: coefficients of y, then of each endogenous variable, on the instruments, with their covariance; robust ones
/// times n / (n − k), clustered ones times G / (G − 1) · (n − 1) / (n − k), k all coefficients of a first stage.
pub(super) fn reduced_form(reduced: &Reduced<'_>, covariance: IvCovariance) -> Result<Joint, EvidenceError> {
    let (p, q, n, df) = (reduced.p, reduced.q, reduced.n, reduced.first_stage_df());
    let coefficients = small::transpose(&reduced.on_instruments(0, 1 + p), 1 + p);
    let sources = std::iter::once(&reduced.data.outcome).chain(&reduced.data.endogenous);
    let names = sources
        .flat_map(|s| reduced.data.instruments.iter().map(move |z| format!("{} on {}", s.name, z.name)))
        .collect();
    if covariance == IvCovariance::Classical {
        let (whole, zs) = (reduced.block(0, 1 + p, 0, 1 + p), reduced.block(1 + p, q, 0, 1 + p));
        let explained = small::mul(&coefficients, &zs, q, 1 + p);
        let width = (1 + p) * q;
        let mut cells = vec![0.0; width * width];
        for (a, b) in (0..=p).flat_map(|a| (0..=p).map(move |b| (a, b))) {
            let sigma = (whole[a * (1 + p) + b] - explained[a * (1 + p) + b]) / df;
            for (i, j) in (0..q).flat_map(|i| (0..q).map(move |j| (i, j))) {
                cells[(a * q + i) * width + b * q + j] = sigma * reduced.zz_inverse[i * q + j];
            }
        }
        return Ok(Joint::from_covariance(names, coefficients, cells, n as u64, "reduced_form")?.with_df(df));
    }
    let mut scores = Vec::new();
    for source in 0..=p {
        let mut residual = reduced.weights(source, &[1.0]);
        residual[1 + p..].iter_mut().zip(&coefficients[source * q..]).for_each(|(w, c)| *w = -c);
        let row = |i: usize| reduced.weights(1 + p, &reduced.zz_inverse[i * q..(i + 1) * q]);
        scores.extend((0..q).map(|i| Score { loading: row(i), residual: residual.clone() }));
    }
    let cells = reduced.score_covariance(&scores, covariance);
    let joint = Joint::from_covariance(names, coefficients, cells, n as u64, "reduced_form")?;
    if let (IvCovariance::Cluster, Some((_, groups))) = (covariance, reduced.clusters()) {
        let g = groups as f64;
        return Ok(joint.with_factor(g / (g - 1.0) * (n as f64 - 1.0) / df).with_df(g - 1.0));
    }
    Ok(joint.with_factor(n as f64 / df).with_df(df))
}

/// The covariance of coefficients `rows` with `columns` of a joint.
pub(super) fn covariances(joint: &Joint, rows: std::ops::Range<usize>, columns: std::ops::Range<usize>) -> Vec<f64> {
    rows.flat_map(|i| columns.clone().map(move |j| (i, j))).map(|(i, j)| joint.covariance(i, j)).collect()
}

/// The test that all endogenous coefficients are 0: that the instruments say nothing about y.
pub(super) fn test_of_zero(form: &Joint, q: usize) -> Option<ArTest> {
    let df = form.df().unwrap_or(f64::INFINITY);
    let f = small::wald(&form.values()[..q], &covariances(form, 0..q, 0..q))? / q as f64;
    Some(ArTest { f, df: (q as f64, df), p_value: dist::f_sf(f, q as f64, df) })
}

impl AndersonRubin {
    /// From the reduced form of one endogenous variable.
    pub(super) fn new(form: &Joint, q: usize) -> Self {
        let cross = covariances(form, 0..q, q..2 * q);
        let twice: Vec<f64> = cross.iter().zip(small::transpose(&cross, q)).map(|(a, b)| a + b).collect();
        Self {
            outcome: form.values()[..q].to_vec(),
            first: form.values()[q..2 * q].to_vec(),
            middle: [covariances(form, 0..q, 0..q), twice, covariances(form, q..2 * q, q..2 * q)],
            df: form.df().unwrap_or(f64::INFINITY),
            q,
        }
    }

    /// g and V of the direction (cos θ, sin θ), b = unit · tan θ: δ cos θ − π unit sin θ and its covariance.
    fn at(&self, theta: f64, unit: f64) -> (Vec<f64>, Vec<f64>) {
        let (s, c) = theta.sin_cos();
        let s = s * unit;
        let g = self.outcome.iter().zip(&self.first).map(|(d, p)| c * d - s * p).collect();
        let [v0, v1, v2] = &self.middle;
        let v = (0..v0.len()).map(|i| c * c * v0[i] - c * s * v1[i] + s * s * v2[i]).collect();
        (g, v)
    }

    /// The statistic over q at b, for tests; F with q and `df` degrees of freedom judges.
    #[cfg(test)]
    fn f(&self, b: f64) -> Option<f64> {
        let (g, v) = self.at(b.atan(), 1.0);
        Some(small::wald(&g, &v)? / self.q as f64)
    }

    /// All b whose statistic is at most the critical value at `level`: an interval, two rays, the whole line or nothing, or several
    /// intervals where errors are robust. With b = unit · tan θ the condition is a trigonometric polynomial of degree q in 2θ;
    /// its zeros bound the set exactly. `None` where the covariance is singular.
    pub(super) fn set(&self, level: Level) -> Option<ConfidenceSet> {
        let q = self.q;
        let limit = dist::f_quantile(level.get(), q as f64, self.df) * q as f64;
        let unit = (small::trace(&self.middle[0], q) / small::trace(&self.middle[2], q)).sqrt();
        if !unit.is_finite() || unit <= 0.0 {
            return None;
        }
        // Instruments in units in which the covariance at b = 0 plus at b = ∞ is the identity: determinants stay near 1.
        let whole: Vec<f64> = self.middle[0].iter().zip(&self.middle[2]).map(|(a, b)| a + unit * unit * b).collect();
        let root = small::invert_lower(&small::lower(&whole, q)?, q);
        let excess = |theta: f64| {
            let (g, v) = self.at(theta, unit);
            let g = small::mul(&root, &g, q, 1);
            let v = small::mul(&small::mul(&root, &v, q, q), &small::transpose(&root, q), q, q);
            let determinant = small::lower(&v, q).map_or(0.0, |l| (0..q).map(|i| l[i * q + i].powi(2)).product());
            let wald = Cholesky::new(&v, q, 0.0).map_or(f64::INFINITY, |factor| dot(&g, &factor.solve(&g)));
            if determinant > 0.0 { determinant * (wald - limit) } else { f64::MAX }
        };
        let angles = zeros_on_circle(q, |phi| excess(phi / 2.0));
        Some(Self::between(&angles, unit, excess))
    }

    /// The set from angles φ = 2θ between which the excess keeps its sign.
    fn between(angles: &[f64], unit: f64, excess: impl Fn(f64) -> f64) -> ConfidenceSet {
        let whole = || ConfidenceSet(vec![(f64::NEG_INFINITY, f64::INFINITY)]);
        if angles.is_empty() {
            return if excess(0.0) <= 0.0 { whole() } else { ConfidenceSet(Vec::new()) };
        }
        // θ over one turn of π from the first angle; arcs between neighbours, the last closing the circle.
        let mut cuts: Vec<f64> = angles.iter().map(|phi| phi / 2.0).collect();
        cuts.push(cuts[0] + PI);
        let inside: Vec<bool> =
            cuts.windows(2).map(|w| w[1] > w[0] && excess(f64::midpoint(w[0], w[1])) <= 0.0).collect();
        let arcs = inside.len();
        if inside.iter().all(|i| *i) {
            return whole();
        }
        // Ends where membership changes, brought to the zero itself.
        let middle = |i: usize| f64::midpoint(cuts[i], cuts[i + 1]);
        let end = |before: usize, after: usize| {
            let (lo, hi) = (middle(before), if after == 0 { middle(0) + PI } else { middle(after) });
            let rising = excess(lo) <= 0.0;
            let (mut lo, mut hi) = (lo, hi);
            for _ in 0..200 {
                let half = f64::midpoint(lo, hi);
                if half <= lo || half >= hi {
                    break;
                }
                if (excess(half) <= 0.0) == rising { lo = half } else { hi = half }
            }
            if rising { lo } else { hi }
        };
        let mut parts = Vec::new();
        for first in (0..arcs).filter(|i| inside[*i] && !inside[(i + arcs - 1) % arcs]) {
            let mut last = first;
            while inside[(last + 1) % arcs] {
                last = (last + 1) % arcs;
            }
            let from = if first == 0 { end(arcs - 1, 0) - PI } else { end(first - 1, first) };
            let mut to = if last + 1 == arcs { end(last, 0) } else { end(last, last + 1) };
            if to < from {
                to += PI;
            }
            parts.push((from, to));
        }
        on_the_line(&parts, unit)
    }
}

/// Arcs of θ, of period π, as intervals of b = unit · tan θ; an arc over ±π/2 is two rays.
fn on_the_line(arcs: &[(f64, f64)], unit: f64) -> ConfidenceSet {
    let mut out: Vec<(f64, f64)> = Vec::new();
    for (from, to) in arcs {
        // Into (−π/2, π/2].
        let turns = ((from + FRAC_PI_2) / PI).floor() * PI;
        let (from, to) = (from - turns, to - turns);
        let b = |theta: f64| unit * theta.tan();
        if to < FRAC_PI_2 {
            out.push((b(from), b(to)));
        } else {
            out.push((b(from), f64::INFINITY));
            out.push((f64::NEG_INFINITY, b(to - PI)));
        }
    }
    out.sort_by(|a, b| a.0.total_cmp(&b.0));
    // Arcs that touch are one.
    let mut joined: Vec<(f64, f64)> = Vec::new();
    for (lo, hi) in out {
        match joined.last_mut().filter(|last| last.1 >= lo) {
            Some(last) => last.1 = last.1.max(hi),
            None => joined.push((lo, hi)),
        }
    }
    ConfidenceSet(joined)
}

/// The set of classical errors in closed form: A b² − 2 B b + C ≤ 0 with (A, B, C) the (DD, yD, yy) cells of YᵀPY − c YᵀMY,
/// c = F critical · q / (n − k).
pub(super) fn classical_set(reduced: &Reduced<'_>, level: Level) -> ConfidenceSet {
    let (q, df) = (reduced.q, reduced.first_stage_df());
    let c = dist::f_quantile(level.get(), q as f64, df) * q as f64 / df;
    let whole = reduced.block(0, 2, 0, 2);
    let coefficients = small::transpose(&reduced.on_instruments(0, 2), 2);
    let explained = small::mul(&coefficients, &reduced.block(2, q, 0, 2), q, 2);
    let cell = |i: usize| explained[i] - c * (whole[i] - explained[i]);
    let (a, b, constant) = (cell(3), cell(1), cell(0));
    let discriminant = b * b - a * constant;
    let line = (f64::NEG_INFINITY, f64::INFINITY);
    if discriminant < 0.0 {
        return ConfidenceSet(if a < 0.0 { vec![line] } else { Vec::new() });
    }
    // The root of larger size first, the other from the product of the roots: no cancellation.
    let sum = b + if b >= 0.0 { discriminant.sqrt() } else { -discriminant.sqrt() };
    let (one, other) = (sum / a, if sum == 0.0 { 0.0 } else { constant / sum });
    let (lo, hi) = (one.min(other), one.max(other));
    match (a == 0.0, a > 0.0) {
        (true, _) if b == 0.0 => ConfidenceSet(if constant <= 0.0 { vec![line] } else { Vec::new() }),
        (true, _) if b > 0.0 => ConfidenceSet(vec![(constant / (2.0 * b), line.1)]),
        (true, _) => ConfidenceSet(vec![(line.0, constant / (2.0 * b))]),
        (_, true) => ConfidenceSet(vec![(lo, hi)]),
        _ if lo < hi => ConfidenceSet(vec![(line.0, lo), (hi, line.1)]),
        _ => ConfidenceSet(vec![line]),
    }
}

/// The set as an estimate; `value` is what minimises the classical statistic, LIML's coefficient.
pub(super) fn estimate(
    reduced: &Reduced<'_>,
    form: &Joint,
    covariance: IvCovariance,
    value: f64,
    level: Level,
) -> Result<Option<Estimate>, EvidenceError> {
    let function = AndersonRubin::new(form, reduced.q);
    let set =
        if covariance == IvCovariance::Classical { Some(classical_set(reduced, level)) } else { function.set(level) };
    let (Some(set), Some(test)) = (set, test_of_zero(form, reduced.q)) else { return Ok(None) };
    let n = reduced.n as u64;
    Ok(Some(Estimate::inverted(value, None, set, test.p_value, n, level, "anderson_rubin")?))
}

/// The shape of a set in words.
pub(super) fn shape(set: &ConfidenceSet) -> &'static str {
    match set.0.as_slice() {
        [] => "empty",
        [(lo, hi)] if lo.is_infinite() && hi.is_infinite() => "line",
        [(lo, hi)] if lo.is_finite() && hi.is_finite() => "interval",
        [_] => "ray",
        [first, .., last] if first.0.is_infinite() && last.1.is_infinite() => "two_rays",
        _ => "several_intervals",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::stream::Stream;

    fn random(seed: u64, q: usize, strength: f64) -> AndersonRubin {
        let stream = Stream::new(seed, 3);
        let width = 2 * q;
        let loadings: Vec<f64> = (0..width * (width + 2)).map(|i| stream.normal_at(i as u64)).collect();
        let rows: Vec<&[f64]> = loadings.chunks(width + 2).collect();
        let cells: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect();
        let values = (0..width).map(|i| strength * stream.normal_at(1000 + i as u64)).collect();
        let names = (0..width).map(|i| i.to_string()).collect();
        AndersonRubin::new(&Joint::from_covariance(names, values, cells, 100, "t").expect("finite"), q)
    }

    /// The set holds b exactly when the statistic says so, for every shape, on a fine grid of the whole line.
    #[test]
    fn the_set_is_what_the_test_does_not_reject() {
        let mut shapes = std::collections::BTreeMap::new();
        for seed in 0..180 {
            let q = 1 + (seed % 6) as usize;
            let ar = random(seed, q, if seed % 2 == 0 { 3.0 } else { 12.0 });
            for level in [Level::HALF, Level::P95] {
                let set = ar.set(level).expect("regular");
                *shapes.entry(shape(&set)).or_insert(0) += 1;
                let limit = dist::f_quantile(level.get(), q as f64, f64::INFINITY);
                for i in -400..400 {
                    let b = (f64::from(i) / 400.0 * FRAC_PI_2).tan();
                    let f = ar.f(b).expect("regular");
                    if (f - limit).abs() > 1e-7 * limit {
                        assert_eq!(set.contains(b), f <= limit, "seed {seed} q {q} b {b}: {f} {limit} {set:?}");
                    }
                }
            }
        }
        assert!(
            ["empty", "line", "interval", "two_rays"].iter().all(|s| shapes.get(s).is_some_and(|n| *n > 3)),
            "{shapes:?}"
        );
    }
}

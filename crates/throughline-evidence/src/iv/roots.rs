//! Zeros of trigonometric polynomials on the circle.

/// A complex number.
type Complex = (f64, f64);

fn times((a, b): Complex, (c, d): Complex) -> Complex {
    (a * c - b * d, a * d + b * c)
}

fn over(x: Complex, (c, d): Complex) -> Complex {
    let size = c * c + d * d;
    let (re, im) = times(x, (c, -d));
    (re / size, im / size)
}

fn minus(a: Complex, b: Complex) -> Complex {
    (a.0 - b.0, a.1 - b.1)
}

/// Roots farther from the circle than this cannot be zeros on it, even double ones that rounding moved.
const NEAR: f64 = 0.02;

/// Angles in [0, 2π) among which all zeros of f stand, f a trigonometric polynomial of degree `m`: f(φ) = Σ aₖ e^{ikφ},
/// |k| ≤ m. The coefficients come from 2m + 1 values on the circle, where interpolation loses no digits; the zeros are those
/// of a polynomial of degree 2m in e^{iφ} that lie on the circle, all found at once by the iteration of Ehrlich and Aberth.
/// A returned angle need not be a zero: between two neighbours f keeps its sign, which is what a caller needs.
pub(super) fn zeros_on_circle(m: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
    let count = 2 * m + 1;
    let angle = |j: usize| std::f64::consts::TAU * j as f64 / count as f64;
    let values: Vec<f64> = (0..count).map(|j| f(angle(j))).collect();
    // Coefficient of z^(k): a_{k − m}.
    let coefficients: Vec<Complex> = (0..count)
        .map(|k| {
            let turn = |j: usize| -angle(j) * (k as f64 - m as f64);
            let part = |of: fn(f64) -> f64| (0..count).map(|j| values[j] * of(turn(j))).sum::<f64>() / count as f64;
            (part(f64::cos), part(f64::sin))
        })
        .collect();
    let largest = coefficients.iter().map(|c| c.0.hypot(c.1)).fold(0.0, f64::max);
    // Coefficients of ±k vanish together; a root at the centre and one at infinity go with each pair.
    let small = |c: &&Complex| c.0.hypot(c.1) <= 1e-14 * largest;
    let skip = coefficients.iter().rev().take_while(small).count().min(m);
    let polynomial = &coefficients[skip..count - skip];
    let mut out: Vec<f64> = all_roots(polynomial)
        .into_iter()
        .filter(|z| (z.0.hypot(z.1) - 1.0).abs() < NEAR)
        .map(|z| z.1.atan2(z.0).rem_euclid(std::f64::consts::TAU))
        .collect();
    out.sort_by(f64::total_cmp);
    out
}

/// All roots of a polynomial, lowest coefficient first, by simultaneous Newton steps that repel each other. Source: Aberth
/// (1973), Math. Comp. 27.
fn all_roots(polynomial: &[Complex]) -> Vec<Complex> {
    let degree = polynomial.len() - 1;
    // Evenly around the circle and a little off it, in no symmetry with it.
    let start = |j: usize| {
        let (radius, turn) =
            (1.0 + 0.1 * (j as f64 + 0.5) / degree as f64, std::f64::consts::TAU * j as f64 / degree as f64 + 0.4);
        (radius * turn.cos(), radius * turn.sin())
    };
    let mut roots: Vec<Complex> = (0..degree).map(start).collect();
    for _ in 0..500 {
        let mut largest: f64 = 0.0;
        for j in 0..degree {
            let z = roots[j];
            let (mut value, mut slope) = ((0.0, 0.0), (0.0, 0.0));
            for c in polynomial.iter().rev() {
                slope = {
                    let s = times(slope, z);
                    (s.0 + value.0, s.1 + value.1)
                };
                value = {
                    let v = times(value, z);
                    (v.0 + c.0, v.1 + c.1)
                };
            }
            if value == (0.0, 0.0) {
                continue;
            }
            let newton = over(value, slope);
            let push = (0..degree).filter(|i| *i != j).map(|i| over((1.0, 0.0), minus(z, roots[i])));
            let push = push.fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
            let step = over(newton, minus((1.0, 0.0), times(newton, push)));
            if step.0.is_finite() && step.1.is_finite() {
                roots[j] = minus(z, step);
                largest = largest.max(step.0.hypot(step.1));
            }
        }
        if largest < 1e-15 {
            break;
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    #[test]
    fn zeros_of_known_waves_are_found() {
        let near = |got: &[f64], expect: &[f64]| {
            assert_eq!(got.len(), expect.len(), "{got:?} {expect:?}");
            assert!(got.iter().zip(expect).all(|(g, e)| (g - e).abs() < 1e-9), "{got:?} {expect:?}");
        };
        near(&zeros_on_circle(1, |x| (x - 0.3).sin()), &[0.3, PI + 0.3]);
        near(
            &zeros_on_circle(3, |x| (3.0 * x).cos()),
            &(0..6).map(|j| PI * (2.0 * f64::from(j) + 1.0) / 6.0).collect::<Vec<_>>(),
        );
        near(&zeros_on_circle(4, |x| x.cos() - 0.5), &[PI / 3.0, 5.0 * PI / 3.0]);
        near(&zeros_on_circle(2, |x| x.cos() + 1.5), &[]);
        near(&zeros_on_circle(2, |_| 1.0), &[]);
    }
}

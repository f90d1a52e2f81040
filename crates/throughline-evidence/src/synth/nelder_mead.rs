//! Downhill simplex search without derivatives.

/// Minimises `value` from `start`: reflection 1, expansion 2, contraction and shrinkage ½; the first corners are the start and
/// the start with one coordinate 5 % larger. Stops when corners agree to `x_tolerance` and values to a relative
/// `f_tolerance`, or after `steps`. Source: Nelder, Mead (1965), Computer Journal 7(4); Lagarias et al. (1998), SIAM J. Optim. 9(1).
pub fn nelder_mead(
    start: &[f64],
    steps: usize,
    x_tolerance: f64,
    f_tolerance: f64,
    value: &mut dyn FnMut(&[f64]) -> f64,
) -> (Vec<f64>, f64) {
    let n = start.len();
    let mut corners: Vec<(f64, Vec<f64>)> = Vec::with_capacity(n + 1);
    corners.push((value(start), start.to_vec()));
    for i in 0..n {
        let mut x = start.to_vec();
        x[i] = if x[i] == 0.0 { 0.000_25 } else { x[i] * 1.05 };
        corners.push((value(&x), x));
    }
    // Where the least value is 0, values agree when they do so to the square of the tolerance.
    let floor = f_tolerance * corners[0].0.abs();
    for _ in 0..steps {
        corners.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (best, worst) = (&corners[0], &corners[n]);
        let apart = corners[1..].iter().flat_map(|c| c.1.iter().zip(&best.1)).map(|(a, b)| (a - b).abs());
        if apart.fold(0.0, f64::max) <= x_tolerance && worst.0 - best.0 <= f_tolerance * best.0.abs().max(floor) {
            break;
        }
        let mut centre = vec![0.0; n];
        corners[..n].iter().for_each(|c| centre.iter_mut().zip(&c.1).for_each(|(m, x)| *m += x / n as f64));
        let towards = |t: f64| -> Vec<f64> { centre.iter().zip(&worst.1).map(|(c, w)| c + t * (c - w)).collect() };
        let mut at = |t: f64| {
            let x = towards(t);
            (value(&x), x)
        };
        let reflected = at(1.0);
        let next = if reflected.0 < best.0 {
            let expanded = at(2.0);
            Some(if expanded.0 < reflected.0 { expanded } else { reflected })
        } else if reflected.0 < corners[n - 1].0 {
            Some(reflected)
        } else {
            let (bound, contracted) = if reflected.0 < worst.0 { (reflected.0, at(0.5)) } else { (worst.0, at(-0.5)) };
            (contracted.0 <= bound).then_some(contracted)
        };
        if let Some(corner) = next {
            corners[n] = corner;
            continue;
        }
        let best = corners[0].1.clone();
        for corner in &mut corners[1..] {
            corner.1.iter_mut().zip(&best).for_each(|(x, b)| *x = b + 0.5 * (*x - b));
            corner.0 = value(&corner.1);
        }
    }
    corners.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (least, x) = corners.swap_remove(0);
    (x, least)
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_the_bottom_of_a_bent_valley() {
        let mut calls = 0;
        let mut valley = |x: &[f64]| {
            calls += 1;
            (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2)
        };
        let (x, value) = super::nelder_mead(&[-1.2, 1.0], 1000, 1e-8, 1e-8, &mut valley);
        assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6 && value < 1e-12);
        assert!(calls < 600, "{calls}");
    }
}

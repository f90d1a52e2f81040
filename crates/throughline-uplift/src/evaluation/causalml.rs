//! AUUC and Qini score as CausalML names them, in expectation over all orders of tied rows.
//!
//! CausalML keeps tied rows in the order of the sort, so that its scores change when rows are shuffled. Here each is the
//! mean over all orders of the tied rows, by a closed form. In a random order of a block of t treated and c control rows
//! the runs of treated rows between the control rows are a uniform composition of t into c + 1 parts; hence, with G the
//! length of a run and S the treated rows before it, K = c + 1: E G = t / K, E G(G − 1) = 2 t(t − 1) / (K(K + 1)) and
//! E G·S after k control rows = k t(t − 1) / (K(K + 1)), while the outcomes seen are independent of the runs. A curve's sum
//! over the positions of a block then takes one term per control (or treated) row.

use crate::ranking::{Block, Scored, Tally};

/// CausalML's named scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CausalMlScores {
    /// `auuc_score(normalize=False)`: mean over the n + 1 points of the gain (mean_t − mean_c) · rows, in the unit of the
    /// outcome times rows.
    pub auuc: f64,
    /// `auuc_score(normalize=True)`: the same over the absolute gain of all rows; about ½ for a random ranking, and not
    /// bounded by 1. `None` where the two arms have the same mean.
    pub auuc_normalised: Option<f64>,
    /// `qini_score(normalize=False)`: mean over the n + 1 points of Y_t − Y_c · n_t / n_c less that of the straight line to
    /// its end, in the unit of the outcome times rows.
    pub qini: f64,
    /// `qini_score(normalize=True)`: the same over the absolute end of the curve. `None` where that is 0.
    pub qini_normalised: Option<f64>,
}

/// CausalML's `auuc_score` and `qini_score` of a ranking, each in expectation over all orders of its tied rows.
///
/// Points before both arms (AUUC) or the control (Qini) have been seen lie on the straight line from 0 to the first point
/// that exists, as in the published functions; there the line of AUUC is that of the lift, not of the gain. The
/// comparison of `qini_score` is the straight line, which its random columns approach. `None` without treated or without
/// control rows. Work: proportional to the rows, after the sort.
pub fn causalml_scores(scored: &Scored) -> Option<CausalMlScores> {
    let (treated, control) = scored
        .blocks
        .iter()
        .fold(Default::default(), |(t, c): (Tally, Tally), block| (t.plus(block.treated), c.plus(block.control)));
    if treated.rows == 0 || control.rows == 0 {
        return None;
    }
    let (mut gains, mut qini) = (0.0, 0.0);
    let mut before = Block::default();
    for block in &scored.blocks {
        gains += sum_of_gains(&before, block);
        qini += sum_of_qini(&before, block);
        before.end = block.end;
        before.treated = before.treated.plus(block.treated);
        before.control = before.control.plus(block.control);
    }
    let n = scored.n() as f64;
    let end_of_gain = (treated.mean() - control.mean()) * n;
    let end_of_qini = treated.total - control.total * treated.rows as f64 / control.rows as f64;
    let auuc = gains / (n + 1.0);
    let qini = qini / (n + 1.0) - end_of_qini / 2.0;
    let over = |score: f64, end: f64| (end != 0.0).then(|| score / end.abs()).filter(|s| s.is_finite());
    Some(CausalMlScores {
        auuc,
        auuc_normalised: over(auuc, end_of_gain),
        qini,
        qini_normalised: over(qini, end_of_qini),
    })
}

/// E Σ of the gain over the positions of a block: (Y_t / n_t − Y_c / n_c)(n_t + n_c) = Y_t − Y_c + Y_t n_c / n_t − Y_c n_t / n_c.
fn sum_of_gains(before: &Block, block: &Block) -> f64 {
    let (t0, c0, t, c) = (before.treated, before.control, block.treated, block.control);
    if t0.rows + t.rows == 0 || c0.rows + c.rows == 0 {
        return 0.0;
    }
    let defined = linear(t0, t, t.rows + c.rows) - linear(c0, c, t.rows + c.rows) + ratio(t0, c0.rows, t, c.rows)
        - ratio(c0, t0.rows, c, t.rows);
    let mut start = 0.0;
    // Runs of one arm before the other is first seen. Where neither stands before, the run has at least one row.
    let least = usize::from(t0.rows + c0.rows == 0);
    if c0.rows == 0 {
        for (s, p) in runs(t.rows, c.rows).skip(least) {
            let (seen, rows) = (t0.total + t.mean() * s, t0.rows as f64 + s);
            start += p * (lift_line(seen / rows - c.mean(), rows) - within(t0, t, s));
        }
    }
    if t0.rows == 0 {
        for (s, p) in runs(c.rows, t.rows).skip(least) {
            let (seen, rows) = (c0.total + c.mean() * s, c0.rows as f64 + s);
            start += p * (lift_line(t.mean() - seen / rows, rows) + within(c0, c, s));
        }
    }
    defined + start
}

/// E Σ of Y_t − Y_c n_t / n_c over the positions of a block.
fn sum_of_qini(before: &Block, block: &Block) -> f64 {
    let (t0, c0, t, c) = (before.treated, before.control, block.treated, block.control);
    if c0.rows + c.rows == 0 {
        return 0.0;
    }
    let mut sum = linear(t0, t, t.rows + c.rows) - ratio(c0, t0.rows, c, t.rows);
    if c0.rows == 0 {
        for (s, p) in runs(t.rows, c.rows) {
            let rows = t0.rows as f64 + s;
            let first = t0.total + t.mean() * s - c.mean() * rows;
            // Σ of first · i / (rows + 1) over i = 1 … rows, in place of the points that do not exist.
            sum += p * (first * rows / 2.0 - within(t0, t, s));
        }
    }
    sum
}

/// Σ of lift · (i / (m + 1)) · i over i = 1 … m: the gain on a line of the lift that ends after m + 1 rows.
fn lift_line(lift: f64, m: f64) -> f64 {
    lift * m * (2.0 * m + 1.0) / 6.0
}

/// E Σ over all positions of a block of the outcomes of one arm so far.
fn linear(before: Tally, own: Tally, rows: usize) -> f64 {
    rows as f64 * before.total + own.total * (rows as f64 + 1.0) / 2.0
}

/// Σ over the first s rows, all of one arm, of its outcomes so far.
fn within(before: Tally, own: Tally, s: f64) -> f64 {
    s * before.total + own.mean() * s * (s + 1.0) / 2.0
}

/// E Σ of Y_own · n_other / n_own over the positions of a block at which a row of the own arm has been seen.
fn ratio(own_before: Tally, other_before: usize, own: Tally, other: usize) -> f64 {
    let (t, before, parts) = (other as f64, other_before as f64, own.rows as f64 + 1.0);
    let pairs = t * (t - 1.0).max(0.0) / (parts * (parts + 1.0));
    let first = usize::from(own_before.rows == 0);
    (first..=own.rows)
        .map(|seen| {
            let k = seen as f64;
            // The position at which the block starts belongs to the block before.
            let starts = if seen == 0 { before } else { 0.0 };
            let others = before * (1.0 + t / parts) + (k + 1.0) * (t / parts + pairs) - starts;
            (own_before.total + own.mean() * k) / (own_before.rows as f64 + k) * others
        })
        .sum()
}

/// (s, P(s)): the chance that a block starts with exactly s rows of one arm and then a row of the other, over all orders.
fn runs(own: usize, other: usize) -> impl Iterator<Item = (f64, f64)> {
    let mut left = 1.0;
    (0..=own).map(move |s| {
        let rows = (own + other - s) as f64;
        let p = if rows > 0.0 { left * other as f64 / rows } else { 0.0 };
        left *= if rows > 0.0 { (own - s) as f64 / rows } else { 0.0 };
        (s as f64, p)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published functions for one order of rows, as plainly as possible.
    fn plain(rows: &[(f64, bool, f64)]) -> (f64, f64) {
        let n = rows.len();
        let (mut lift, mut qini) = (vec![None; n], vec![None; n]);
        let (mut t, mut c) = ((0.0, 0.0), (0.0, 0.0));
        for (i, (_, treated, y)) in rows.iter().enumerate() {
            let arm = if *treated { &mut t } else { &mut c };
            *arm = (arm.0 + 1.0, arm.1 + y);
            lift[i] = (t.0 > 0.0 && c.0 > 0.0).then(|| t.1 / t.0 - c.1 / c.0);
            qini[i] = (c.0 > 0.0).then(|| t.1 - c.1 * t.0 / c.0);
        }
        let filled = |curve: &[Option<f64>]| -> Vec<f64> {
            let first = curve.iter().position(Option::is_some).expect("both arms");
            let end = curve[first].expect("a value");
            (0..n).map(|i| curve[i].unwrap_or(end * (i + 1) as f64 / (first + 1) as f64)).collect()
        };
        let gains = filled(&lift).iter().enumerate().map(|(i, l)| l * (i + 1) as f64).sum::<f64>();
        let qini = filled(&qini);
        (gains / (n + 1) as f64, qini.iter().sum::<f64>() / (n + 1) as f64 - qini[n - 1] / 2.0)
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![Vec::new()];
        }
        let shorter = permutations(n - 1);
        let insert =
            |p: &Vec<usize>| -> Vec<Vec<usize>> { (0..n).map(|at| [&p[..at], &[n - 1], &p[at..]].concat()).collect() };
        shorter.iter().flat_map(insert).collect()
    }

    /// Every order of up to six rows, put into the order of their scores by a stable sort.
    #[track_caller]
    fn check(rows: &[(f64, bool, f64)]) {
        let orders = permutations(rows.len());
        let (mut auuc, mut qini) = (0.0, 0.0);
        for order in &orders {
            let mut sorted: Vec<_> = order.iter().map(|&i| rows[i]).collect();
            sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
            let (a, q) = plain(&sorted);
            auuc += a / orders.len() as f64;
            qini += q / orders.len() as f64;
        }
        let column = |f: fn(&(f64, bool, f64)) -> f64| -> Vec<f64> { rows.iter().map(f).collect() };
        let treated: Vec<bool> = rows.iter().map(|r| r.1).collect();
        let scored = Scored::new(&column(|r| r.0), &treated, &column(|r| r.2)).expect("scored");
        let got = causalml_scores(&scored).expect("both arms");
        assert!((got.auuc - auuc).abs() < 1e-12 && (got.qini - qini).abs() < 1e-12, "{rows:?}: {got:?} {auuc} {qini}");
    }

    #[test]
    fn equals_the_mean_over_all_orders_of_tied_rows() {
        use throughline_stats::stream::Stream;
        // One block; the control first; the treated first; one arm absent from a block; no ties at all.
        check(&[(1.0, true, 2.0), (1.0, false, 1.0), (1.0, true, -1.0), (1.0, false, 4.0), (1.0, true, 0.5)]);
        check(&[(3.0, false, 1.0), (3.0, false, 2.0), (2.0, true, 5.0), (2.0, true, 1.0), (2.0, false, 3.0)]);
        check(&[(3.0, true, 1.0), (2.0, true, 2.0), (2.0, true, 5.0), (1.0, false, 1.0), (1.0, true, 3.0)]);
        check(&[(4.0, true, 1.0), (3.0, false, 2.0), (2.0, true, 5.0), (1.0, false, 1.0)]);
        for seed in 0..150 {
            let stream = Stream::new(seed, 40);
            let n = 2 + stream.index_at(0, 5);
            let row = |i: u64| {
                let score = stream.index_at(10 * i + 11, 1 + seed % 4) as f64;
                let treated = if i < 2 { i == 0 } else { stream.index_at(10 * i + 12, 2) == 0 };
                (score, treated, (stream.index_at(10 * i + 13, 9) as f64) / 2.0 - 1.0)
            };
            check(&(0..n).map(row).collect::<Vec<_>>());
        }
    }

    #[test]
    fn absent_arms_and_equal_means_have_no_score() {
        let scores = |treated: &[bool], y: &[f64]| {
            causalml_scores(&Scored::new(&vec![1.0; y.len()], treated, y).expect("scored"))
        };
        assert_eq!(scores(&[true, true], &[1.0, 0.0]), None);
        let equal = scores(&[true, false], &[1.0, 1.0]).expect("both arms");
        assert_eq!((equal.auuc_normalised, equal.qini_normalised), (None, None));
        assert!(equal.auuc.is_finite() && equal.qini.is_finite());
    }

    #[test]
    fn the_random_ranking_has_one_half() {
        let n = 20_000;
        let treated: Vec<bool> = (0..n).map(|i| i % 2 == 0).collect();
        let y: Vec<f64> = (0..n).map(|i| f64::from(i % 10 == 0)).collect();
        let scored = Scored::new(&vec![0.0; n], &treated, &y).expect("scored");
        let got = causalml_scores(&scored).expect("both arms");
        assert!((got.auuc_normalised.expect("a gain") - 0.5).abs() < 1e-3, "{got:?}");
        assert!(got.qini_normalised.expect("a gain").abs() < 1e-3, "{got:?}");
    }
}

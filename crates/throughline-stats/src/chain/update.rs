//! Removal of groups by low-rank updates of one factorisation.
//!
//! With v = start · M⁻¹ and B the block of M⁻¹ on the states of a group, the walks that first enter the group at its states
//! are e = v · B⁻¹ (M. A. Woodbury, "Inverting modified matrices", 1950: removal changes M in the rank of the group). v and
//! B come from sums and products of numbers of at least 0. B⁻¹ = S is an M-matrix, the chain watched in the group only, so
//! that e is a difference unless the group is one state: to first order, relative errors ε of v and B move e by at most
//! 2 ε v |S|, with v |S| = 2 v diag S − e. What that does to a loss is known when the loss is, and a group whose loss
//! would lose more than [`AMPLIFICATION`] times the rounding is left to elimination.

use super::Counts;
use super::axpy;
use super::dense::Dense;
use super::removal::Watched;

/// Accepted growth of relative rounding errors in one loss: two decimal digits of sixteen.
const AMPLIFICATION: f64 = 100.0;

/// For each of `groups` the number of walks that first enter it at each of its states; `visits` is start · M⁻¹, `rewards`
/// are what states lead to, by which losses are weighed.
pub(super) fn entries(
    dense: &Dense,
    counts: &Counts,
    visits: &[f64],
    rewards: &[Vec<f64>],
    groups: &[Vec<usize>],
) -> Vec<Vec<f64>> {
    let n = counts.start.len();
    // Blocks cost size² · n each; beyond n² together, elimination with its shared work is cheaper.
    if groups.iter().map(|g| g.len() * g.len()).sum::<usize>() > n * n {
        return Watched::whole(counts).entries(groups);
    }
    let (lower, upper) = dense.inverse_factors();
    let mut entries: Vec<Option<Vec<f64>>> =
        groups.iter().map(|group| safe_entries(&block(&lower, &upper, n, group), visits, rewards, group)).collect();
    let open: Vec<usize> = (0..groups.len()).filter(|&g| entries[g].is_none()).collect();
    let left: Vec<Vec<usize>> = open.iter().map(|&g| groups[g].clone()).collect();
    if !left.is_empty() {
        for (g, eliminated) in open.into_iter().zip(Watched::whole(counts).entries(&left)) {
            entries[g] = Some(eliminated);
        }
    }
    entries.into_iter().map(Option::unwrap_or_default).collect()
}

/// The rows and columns of M⁻¹ = U⁻¹ · L⁻¹ in a group, row-major.
fn block(lower: &[f64], upper: &[f64], n: usize, group: &[usize]) -> Vec<f64> {
    let m = group.len();
    let Some(&first) = group.first() else { return Vec::new() };
    let panel: Vec<f64> = (first..n).flat_map(|k| group.iter().map(move |&j| lower[k * n + j])).collect();
    let mut block = vec![0.0; m * m];
    for (row, &i) in block.chunks_exact_mut(m).zip(group) {
        for k in i..n {
            axpy(row, upper[i * n + k], &panel[(k - first) * m..(k - first + 1) * m]);
        }
    }
    block
}

/// v · B⁻¹; `None` where a loss would lose too many digits.
fn safe_entries(block: &[f64], visits: &[f64], rewards: &[Vec<f64>], group: &[usize]) -> Option<Vec<f64>> {
    let m = group.len();
    let mut watched = block.to_vec();
    invert(&mut watched, m)?;
    let mut entries = vec![0.0; m];
    for (row, &s) in watched.chunks_exact(m.max(1)).zip(group) {
        axpy(&mut entries, visits[s], row);
    }
    // |v| |S| of each state.
    let moved: Vec<f64> =
        (0..m).map(|k| (2.0 * visits[group[k]] * watched[k * m + k] - entries[k]).max(entries[k].abs())).collect();
    let safe = rewards.iter().all(|reward| {
        let weigh = |of: &[f64]| of.iter().zip(group).map(|(e, &s)| e * reward[s].abs()).sum::<f64>();
        let (rounded, loss) = (weigh(&moved), weigh(&entries));
        rounded.is_finite() && rounded <= AMPLIFICATION * loss
    });
    safe.then(|| entries.into_iter().map(|e| e.max(0.0)).collect())
}

/// Inverts in place by elimination without pivoting, which inverses of M-matrices do not need; `None` for a pivot that is
/// not positive.
fn invert(a: &mut [f64], m: usize) -> Option<()> {
    for k in 0..m {
        let pivot = a[k * m + k];
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        a[k * m + k] = 1.0;
        a[k * m..(k + 1) * m].iter_mut().for_each(|x| *x /= pivot);
        let row = a[k * m..(k + 1) * m].to_vec();
        for (i, other) in a.chunks_exact_mut(m).enumerate() {
            if i != k {
                let factor = -std::mem::take(&mut other[k]);
                axpy(other, factor, &row);
            }
        }
    }
    Some(())
}

//! Post-stratification.

use std::collections::HashMap;

use throughline_core::Diagnostic;

use super::adjust::{Adjusted, Pair};
use super::arm::Arm;

/// Fewest units of a stratum in either arm for a variance of its own.
const FEWEST: u64 = 2;

/// The post-stratified numbers of two arms: Σ wₛ ȳₐₛ, with wₛ the share of stratum s among both arms' units, variance
/// Σ wₛ² s²ₐₛ / nₐₛ, and for the difference Σ wₛ (Δₛ − Δ)² / n for the weights. Strata with fewer than 2 units in one of
/// the arms are merged into one; if that has too few as well, into the largest. Ratios and quantiles are linearised
/// first. Source: Miratrix, Sekhon, Yu (2013), JRSS B 75(2); the last term is that of a sample from a population.
pub(crate) fn pair(codes: &[u32], control: &Arm, treated: &Arm) -> Result<Pair, String> {
    let merged = merge(codes, control, treated)?;
    let groups = merged.values().max().map_or(0, |m| m + 1);
    let of = |arm: &Arm| -> Vec<usize> { arm.rows.iter().map(|r| merged[&codes[*r as usize]]).collect() };
    let (in_control, in_treated) = (of(control), of(treated));
    let (first, second) = (Within::of(control, &in_control, groups), Within::of(treated, &in_treated, groups));
    let n = control.n() + treated.n();
    let weights: Vec<f64> = first.counts.iter().zip(&second.counts).map(|(a, b)| (a + b) / n).collect();
    let difference: Vec<f64> = second.means.iter().zip(&first.means).map(|(b, a)| b - a).collect();
    let whole: f64 = weights.iter().zip(&difference).map(|(w, d)| w * d).sum();
    let shared = |codes: &[usize]| codes.iter().map(|s| (difference[*s] - whole) / n).collect();
    Ok(Pair {
        control: first.adjusted(control, &in_control, &weights),
        treated: second.adjusted(treated, &in_treated, &weights),
        shared: (shared(&in_control), shared(&in_treated)),
    })
}

/// Counts and means of one arm's strata.
struct Within {
    counts: Vec<f64>,
    means: Vec<f64>,
}

impl Within {
    fn of(arm: &Arm, codes: &[usize], groups: usize) -> Self {
        let (mut counts, mut means) = (vec![0.0; groups], vec![0.0; groups]);
        for (code, u) in codes.iter().zip(&arm.units) {
            counts[*code] += 1.0;
            means[*code] += u + arm.value;
        }
        means.iter_mut().zip(&counts).for_each(|(m, n)| *m /= f64::max(*n, 1.0));
        Self { counts, means }
    }

    fn adjusted(&self, arm: &Arm, codes: &[usize], weights: &[f64]) -> Adjusted {
        let unit = |(code, u): (&usize, &f64)| {
            let n = self.counts[*code];
            weights[*code] * (u + arm.value - self.means[*code]) / n * (n / (n - 1.0)).sqrt()
        };
        let influence = codes.iter().zip(&arm.units).map(unit).collect();
        let value = weights.iter().zip(&self.means).map(|(w, m)| w * m).sum();
        Adjusted { value, influence, df: arm.n() - self.counts.len() as f64 }
    }
}

/// Each code's stratum after merging; codes without a stratum (`u32::MAX`) are one of their own.
fn merge(codes: &[u32], control: &Arm, treated: &Arm) -> Result<HashMap<u32, usize>, String> {
    let mut order: Vec<(u32, [u64; 2])> = Vec::new();
    let mut place: HashMap<u32, usize> = HashMap::new();
    for (side, arm) in [control, treated].into_iter().enumerate() {
        for row in &arm.rows {
            let code = codes[*row as usize];
            let at = *place.entry(code).or_insert_with(|| {
                order.push((code, [0, 0]));
                order.len() - 1
            });
            order[at].1[side] += 1;
        }
    }
    let enough = |counts: &[u64; 2]| counts.iter().all(|n| *n >= FEWEST);
    let largest = order.iter().filter(|(_, n)| enough(n)).max_by_key(|(code, n)| (n[0] + n[1], *code)).copied();
    let Some((largest, _)) = largest else {
        return Err("no stratum has 2 units in both arms".into());
    };
    let small = order.iter().filter(|(_, n)| !enough(n)).fold([0, 0], |s, (_, n)| [s[0] + n[0], s[1] + n[1]]);
    let mut next = 0;
    let mut out: HashMap<u32, usize> = HashMap::new();
    for (code, _) in order.iter().filter(|(_, n)| enough(n)) {
        out.insert(*code, next);
        next += 1;
    }
    let rest = if enough(&small) { next } else { out[&largest] };
    for (code, _) in order.iter().filter(|(_, n)| !enough(n)) {
        out.insert(*code, rest);
    }
    Ok(out)
}

/// Says which strata are merged, over all arms together.
pub(crate) fn report(name: &str, codes: &[u32], arms: &[u32], arm_count: usize, found: &mut Vec<Diagnostic>) {
    let strata = codes.iter().filter(|c| **c != u32::MAX).max().map_or(0, |m| *m as usize + 1);
    // The last place is that of units without a stratum.
    let mut counts = vec![0_u64; (strata + 1) * arm_count];
    for (code, arm) in codes.iter().zip(arms).filter(|(_, arm)| (**arm as usize) < arm_count) {
        counts[(*code as usize).min(strata) * arm_count + *arm as usize] += 1;
    }
    let small = counts.chunks(arm_count).filter(|n| n.iter().any(|n| *n > 0) && n.iter().any(|n| *n < FEWEST));
    let small = small.count();
    if small > 0 {
        let message = format!("{small} strata of `{name}` have fewer than {FEWEST} units in an arm and are merged");
        let help = "use fewer, larger strata; a stratum needs units in every arm";
        found.push(Diagnostic::warning("TL326", message).help(help));
    }
}

//! Expectation–maximisation for the model of Fellegi and Sunter, on counted patterns.

use std::collections::BTreeMap;

use crate::compare::LEVELS;

/// Three bits a column: the levels of a pair, level 0 where a value is missing.
pub type Pattern = u64;

/// Probabilities of levels, one row a column; level 0 (missing) is left out of the sum.
pub type Levels = Vec<[f64; LEVELS]>;

/// Where the rounds begin, and when they end.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Probabilities of levels in true pairs.
    pub m: Levels,
    /// In others.
    pub u: Levels,
    /// The share of true pairs.
    pub share: f64,
    /// Whether `u` is found as well, or held.
    pub free_u: bool,
    /// Pairs that are added to every level: nothing is impossible.
    pub added: f64,
    /// True pairs are equal in a column at least so often, and different at most so often; 0 and 1 where nothing is asked. Without it
    /// people who merely resemble each other pass for true pairs where there are none.
    pub equal_and_different: (f64, f64),
    /// The largest change of a probability at which the rounds end.
    pub still: f64,
    /// Rounds, at most.
    pub rounds: usize,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Probabilities of levels in true pairs.
    pub m: Levels,
    /// In others.
    pub u: Levels,
    /// The share of true pairs.
    pub share: f64,
    /// The expected number of true pairs.
    pub matches: f64,
    /// Rounds that were made.
    pub rounds: usize,
}

/// The level of a column in a pattern.
pub(crate) const fn level_of(pattern: Pattern, column: usize) -> usize {
    (pattern >> (3 * column) & 7) as usize
}

/// Finds the probabilities from counted patterns, on some of the columns.
///
/// With `λ` the share of true pairs, a pattern is of a true pair with odds `λ / (1 − λ) · Π_c m_c(l_c) / u_c(l_c)`, missing
/// values left out; then `m_c(l)` is the expected share of level `l` in true pairs, `u_c(l)` in others, and `λ` the expected
/// share of true pairs. Cost: patterns × columns a round.
pub fn expect_and_maximise(patterns: &BTreeMap<Pattern, f64>, free: &[usize], begin: &Begin) -> Found {
    let total: f64 = patterns.values().sum();
    let (m, u) = (begin.m.clone(), begin.u.clone());
    let mut now = Found { m, u, share: begin.share, matches: 0.0, rounds: 0 };
    while now.rounds < begin.rounds {
        now.rounds += 1;
        let (mut of_true, mut of_others) = (vec![[0.0; LEVELS]; now.m.len()], vec![[0.0; LEVELS]; now.m.len()]);
        now.matches = 0.0;
        for (pattern, count) in patterns {
            let p = count * probability(&now, *pattern, free);
            now.matches += p;
            for c in free {
                let l = level_of(*pattern, *c);
                of_true[*c][l] += p;
                of_others[*c][l] += count - p;
            }
        }
        now.share = (now.matches / total.max(1.0)).clamp(1e-6, 1.0 - 1e-6);
        let mut moved = 0.0_f64;
        for c in free {
            let before = now.m[*c];
            maximise(&mut now.m[*c], &of_true[*c], begin.added);
            plausible(&mut now.m[*c], begin.equal_and_different);
            moved = before.iter().zip(&now.m[*c]).fold(moved, |moved, (b, n)| moved.max((b - n).abs()));
            if begin.free_u {
                moved = f64::max(moved, maximise(&mut now.u[*c], &of_others[*c], begin.added));
            }
        }
        if moved < begin.still {
            break;
        }
    }
    now
}

/// How probable it is that a pattern is of a true pair.
pub(crate) fn probability(now: &Found, pattern: Pattern, free: &[usize]) -> f64 {
    let mut odds = now.share / (1.0 - now.share);
    for c in free {
        let l = level_of(pattern, *c);
        if l > 0 {
            odds *= now.m[*c][l] / now.u[*c][l];
        }
    }
    let p = odds / (1.0 + odds);
    // Odds beyond all numbers are those of a certain pair.
    if p.is_finite() { p } else { 1.0 }
}

/// Sets probabilities to shares; the largest change.
fn maximise(probabilities: &mut [f64; LEVELS], expected: &[f64; LEVELS], added: f64) -> f64 {
    let seen: f64 = expected[1..].iter().sum();
    let whole = seen + added * (LEVELS - 1) as f64;
    if whole <= 0.0 {
        return 0.0;
    }
    let mut moved = 0.0_f64;
    for l in 1..LEVELS {
        let next = (expected[l] + added) / whole;
        moved = f64::max(moved, (next - probabilities[l]).abs());
        probabilities[l] = next;
    }
    moved
}

/// Brings probabilities of true pairs within bounds: equal at least so often, different at most so often; the levels between keep
/// their proportions where there is room for them.
pub(crate) fn plausible(m: &mut [f64; LEVELS], (equal, different): (f64, f64)) {
    const SAME: usize = LEVELS - 1;
    if m[1] > different {
        m[SAME] += m[1] - different;
        m[1] = different;
    }
    if m[SAME] < equal {
        let rest = 1.0 - m[SAME];
        let scale = (1.0 - equal) / rest.max(1e-12);
        m[1..SAME].iter_mut().for_each(|p| *p *= scale);
        m[SAME] = equal;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three columns, true and other pairs in equal parts, independent: expected counts of every pattern.
    fn known(m: [f64; 3], u: [f64; 3]) -> BTreeMap<Pattern, f64> {
        let mut patterns = BTreeMap::new();
        for bits in 0_u64..8 {
            let (mut of_true, mut of_others, mut pattern) = (1.0, 1.0, 0);
            for c in 0..3 {
                let equal = bits >> c & 1 == 1;
                pattern |= (if equal { 5 } else { 1 }) << (3 * c);
                of_true *= if equal { m[c] } else { 1.0 - m[c] };
                of_others *= if equal { u[c] } else { 1.0 - u[c] };
            }
            patterns.insert(pattern, 2e6 * (0.5 * of_true + 0.5 * of_others));
        }
        patterns
    }

    fn two(equal: [f64; 3]) -> Levels {
        equal.iter().map(|e| [0.0, 1.0 - e, 0.0, 0.0, 0.0, *e]).collect()
    }

    #[test]
    fn parameters_are_recovered_from_patterns() {
        let (m, u) = ([0.7, 0.9, 0.95], [0.1, 0.025, 0.2]);
        for free_u in [false, true] {
            let from_u = if free_u { two([0.3; 3]) } else { two(u) };
            let begin = Begin {
                m: two([0.8; 3]),
                u: from_u,
                share: 0.3,
                free_u,
                added: 0.0,
                equal_and_different: (0.0, 1.0),
                still: 1e-10,
                rounds: 5_000,
            };
            let found = expect_and_maximise(&known(m, u), &[0, 1, 2], &begin);
            for c in 0..3 {
                assert!((found.m[c][5] - m[c]).abs() < 1e-6, "{c}: {found:?}");
                assert!((found.u[c][5] - u[c]).abs() < 1e-6, "{c}: {found:?}");
            }
            assert!((found.share - 0.5).abs() < 1e-6, "{found:?}");
        }
    }

    #[test]
    fn true_pairs_are_mostly_alike() {
        let bounded = |mut m: [f64; LEVELS]| {
            plausible(&mut m, (0.2, 0.4));
            assert!((m.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{m:?}");
            m
        };
        let close = |m: [f64; LEVELS], expect: [f64; LEVELS]| m.iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close(bounded([0.0, 0.9, 0.0, 0.0, 0.1, 0.0]), [0.0, 0.4, 0.0, 0.0, 0.1, 0.5]));
        assert!(close(bounded([0.0, 0.0, 0.5, 0.5, 0.0, 0.0]), [0.0, 0.0, 0.4, 0.4, 0.0, 0.2]));
        assert!(close(bounded([0.0, 0.1, 0.1, 0.1, 0.1, 0.6]), [0.0, 0.1, 0.1, 0.1, 0.1, 0.6]));
    }

    #[test]
    fn no_pairs_say_nothing() {
        let begin = Begin {
            m: two([0.8; 3]),
            u: two([0.3; 3]),
            share: 0.3,
            free_u: true,
            added: 0.0,
            equal_and_different: (0.0, 1.0),
            still: 1e-10,
            rounds: 50,
        };
        let found = expect_and_maximise(&BTreeMap::new(), &[0, 1, 2], &begin);
        assert_eq!((found.m, found.u, found.matches), (begin.m, begin.u, 0.0));
    }
}

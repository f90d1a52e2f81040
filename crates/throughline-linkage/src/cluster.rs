//! From pairs to people: the strongest pair first, and two groups become one only when what all their pairs say together is for
//! it. A single bridge between groups that otherwise disagree is cut; connected components would follow it.

/// Pairs across two groups that are asked, at most; of larger groups every so-manieth.
const ASKED: usize = 400;

/// Groups of records. `edges` are pairs with the log-odds that they are of one person; `odds` tells those of any pair. Returns one
/// label a record: the smallest record of its group.
pub(crate) fn cluster(records: usize, mut edges: Vec<(u32, u32, f64)>, odds: impl Fn(u32, u32) -> f64) -> Vec<u32> {
    edges.sort_unstable_by(|x, y| y.2.total_cmp(&x.2).then((x.0, x.1).cmp(&(y.0, y.1))));
    let mut group: Vec<u32> = (0..u32::try_from(records).unwrap_or(u32::MAX)).collect();
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); records];
    for (a, b, strength) in edges {
        let (x, y) = (group[a as usize], group[b as usize]);
        if x == y || strength <= 0.0 {
            continue;
        }
        let (x, y) = (x.min(y), x.max(y));
        let of = |g: u32| if members[g as usize].is_empty() { vec![g] } else { members[g as usize].clone() };
        let (ours, theirs) = (of(x), of(y));
        if ours.len() * theirs.len() > 1 && mean(&ours, &theirs, &odds) <= 0.0 {
            continue;
        }
        for record in &theirs {
            group[*record as usize] = x;
        }
        members[y as usize] = Vec::new();
        members[x as usize] = ours;
        members[x as usize].extend(theirs);
    }
    group
}

/// The mean log-odds across two groups; one pair counts within bounds, so that none decides alone.
fn mean(ours: &[u32], theirs: &[u32], odds: &impl Fn(u32, u32) -> f64) -> f64 {
    let all = ours.len() * theirs.len();
    let step = all.div_ceil(ASKED).max(1);
    let asked: Vec<f64> = (0..all)
        .step_by(step)
        .map(|place| odds(ours[place / theirs.len()], theirs[place % theirs.len()]).clamp(-10.0, 10.0))
        .collect();
    asked.iter().sum::<f64>() / asked.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weak_bridge_between_groups_is_cut_and_a_missing_pair_is_not_missed() {
        let strong = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7), (7, 8)];
        let odds = |a: u32, b: u32| match (a.min(b), a.max(b)) {
            (2, 3) => 3.0,
            (6, 8) => -2.0,
            pair if strong.contains(&pair) => 6.0,
            _ => -8.0,
        };
        let mut edges: Vec<(u32, u32, f64)> = strong.iter().map(|(a, b)| (*a, *b, 6.0)).collect();
        edges.push((2, 3, 3.0));
        assert_eq!(cluster(9, edges, odds), [0, 0, 0, 3, 3, 3, 6, 6, 6]);
    }

    #[test]
    fn without_pairs_everybody_is_alone() {
        assert_eq!(cluster(3, vec![(0, 1, -1.0)], |_, _| 0.0), [0, 1, 2]);
        assert!(cluster(0, Vec::new(), |_, _| 0.0).is_empty());
    }
}

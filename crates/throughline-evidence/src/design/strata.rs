//! Assignment in balance within strata.

use std::collections::BTreeMap;

use super::{Assigner, Placed};

/// Where units go, and how balanced the strata are.
#[derive(Debug, Clone, PartialEq)]
pub struct Stratified {
    /// Where each unit goes, in the order given.
    pub places: Vec<Placed>,
    /// Units of each arm by stratum.
    pub strata: BTreeMap<String, Vec<u64>>,
}

/// Assigns units (or clusters) in balance within strata: the units of a stratum, ordered by a salted hash, stand at the points
/// (r + o) / n of the unit interval, r their rank and o the stratum's own salted offset, and the arms divide the interval
/// by their weights. Each arm gets its share of every stratum to within one unit, and each unit every arm with
/// exactly its probability. Source: systematic sampling from a random start, Madow (1949), Annals of Mathematical Statistics 20(3).
///
/// Units held out or outside the layer's part take no rank. A unit given twice keeps its first place. Unlike
/// [`Assigner::place`], a place depends on the list: a unit that comes later can move others.
pub fn stratified(assigner: &Assigner, units: &[(&[u8], &str)]) -> Stratified {
    let mut places: Vec<Placed> = Vec::with_capacity(units.len());
    let mut by_stratum: BTreeMap<&str, Vec<(u64, usize)>> = BTreeMap::new();
    for (index, (unit, stratum)) in units.iter().enumerate() {
        let excluded = assigner.excluded(unit);
        places.push(excluded.unwrap_or(Placed::Arm(0)));
        if excluded.is_none() {
            by_stratum.entry(stratum).or_default().push((assigner.rank(unit), index));
        }
    }
    let cumulative: Vec<f64> = (0..assigner.arms().len())
        .scan(0.0, |sum, arm| {
            *sum += assigner.probability(arm);
            Some(*sum)
        })
        .collect();
    let last = (0..cumulative.len()).rfind(|arm| assigner.probability(*arm) > 0.0).unwrap_or(0);
    let mut strata = BTreeMap::new();
    for (stratum, mut ranked) in by_stratum {
        ranked.sort_by(|a, b| (a.0, units[a.1].0, a.1).cmp(&(b.0, units[b.1].0, b.1)));
        let same = |a: usize, b: usize| units[a].0 == units[b].0;
        let distinct = 1 + ranked.windows(2).filter(|pair| !same(pair[0].1, pair[1].1)).count();
        let (offset, mut counts, mut rank) = (assigner.offset(stratum), vec![0_u64; cumulative.len()], 0_usize);
        let mut before: Option<(usize, usize)> = None;
        for (_, index) in ranked {
            if let Some((_, arm)) = before.filter(|(i, _)| same(*i, index)) {
                places[index] = Placed::Arm(arm);
                continue;
            }
            let point = (rank as f64 + offset) / distinct as f64;
            let arm = cumulative.partition_point(|c| *c <= point).min(last);
            places[index] = Placed::Arm(arm);
            counts[arm] += 1;
            rank += 1;
            before = Some((index, arm));
        }
        strata.insert(stratum.to_owned(), counts);
    }
    Stratified { places, strata }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Arm;

    fn assigner(salt: &str, weights: &[f64]) -> Assigner {
        let arm = |(i, w): (usize, &f64)| Arm { name: format!("arm{i}"), weight: *w };
        Assigner::new(salt, weights.iter().enumerate().map(arm).collect(), None, None).expect("valid")
    }

    #[test]
    fn every_stratum_is_balanced_to_a_unit_and_every_unit_fair() {
        let names: Vec<String> = (0..103).map(|i| format!("u{i}")).collect();
        let units: Vec<(&[u8], &str)> =
            names.iter().enumerate().map(|(i, n)| (n.as_bytes(), if i < 7 { "small" } else { "large" })).collect();
        let mut first = [0_u32; 3];
        for salt in 0..2000 {
            let got = stratified(&assigner(&salt.to_string(), &[0.5, 0.3, 0.2]), &units);
            for counts in got.strata.values() {
                let n = counts.iter().sum::<u64>() as f64;
                for (count, share) in counts.iter().zip([0.5, 0.3, 0.2]) {
                    assert!((*count as f64 - n * share).abs() < 1.0 + 1e-9, "{counts:?}");
                }
            }
            let Placed::Arm(arm) = got.places[3] else { panic!("outside") };
            first[arm] += 1;
        }
        for (count, share) in first.iter().zip([0.5, 0.3, 0.2]) {
            assert!((f64::from(*count) / 2000.0 - share).abs() < 0.05, "{first:?}");
        }
    }

    #[test]
    fn order_and_repeats_change_nothing() {
        let names: Vec<String> = (0..50).map(|i| format!("u{i}")).collect();
        let units: Vec<(&[u8], &str)> = names.iter().map(|n| (n.as_bytes(), "s")).collect();
        let got = stratified(&assigner("x", &[1.0, 1.0]), &units);
        let mut back = units.clone();
        back.reverse();
        back.push(units[9]);
        let again = stratified(&assigner("x", &[1.0, 1.0]), &back);
        assert!(got.places.iter().eq(again.places[..50].iter().rev()));
        assert_eq!((again.places[50], &again.strata), (got.places[9], &got.strata));
    }
}

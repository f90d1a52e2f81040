//! Shao and Li's probabilistic model of second order.

use std::collections::HashMap;

use throughline_core::Diagnostic;

use crate::sets::{SetOutcome, Sets};
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit by conversion rates of channels and of pairs of channels.
///
/// With p(c) the conversion rate of journeys that hold channel c, and p(c, j) of those that hold both, a channel of a
/// path with k different channels contributes
///
/// V(c) = p(c) + 1 / (2 (k − 1)) · Σ_{j ≠ c in the path} [p(c, j) − p(c) − p(j)],
///
/// and p(c) when it is alone. Its raw credit is Σ over paths of conversions × V(c) ([`raw`]). Source: X. Shao, L. Li,
/// "Data-driven multi-touch attribution models", KDD (2011), as `eeghor/mta` computes it.
///
/// Raw credits do not add up to anything: a path counts by its own rate. Here they are scaled to the conversions, negative
/// ones at 0 first (TL416); where none is above 0, paths split evenly over their different channels (TL417). **Value
/// follows conversions**: each channel's share of the conversions is its share of the value; without conversions, value
/// is split evenly within paths.
///
/// A path's own outcome is split in proportion to V, below 0 as 0, evenly when none is above; touches of one channel share.
///
/// Failure modes: p(c) is a rate over everyone who met c, whatever else they met, so channels that accompany others share
/// their success; interactions of more than two channels are not seen. Cost: pairs of channels, k² / 2 a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShaoLi;

/// The unscaled credits of a table's conversions, by channel.
pub fn raw(table: &PathTable) -> Vec<f64> {
    let pairs = Pairs::new(table);
    let outcomes = pairs.sets.outcomes(table.units(), Summation::Exact);
    pairs.raw(&outcomes, &pairs.contributions(&outcomes))
}

/// The sets of a table and the pairs within them.
struct Pairs<'t> {
    table: &'t PathTable,
    sets: Sets,
    /// Numbers of the pairs of each set in turn: members (0, 1), (0, 2), … (1, 2), …
    numbers: Vec<u32>,
    different: usize,
}

impl<'t> Pairs<'t> {
    fn new(table: &'t PathTable) -> Self {
        let sets = Sets::new(table);
        let mut numbers: HashMap<(u32, u32), u32> = HashMap::new();
        let mut pairs = Vec::new();
        for members in sets.iter() {
            for (i, &a) in members.iter().enumerate() {
                for &b in &members[i + 1..] {
                    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                    pairs.push(*numbers.entry((a, b)).or_insert(next));
                }
            }
        }
        Self { table, sets, numbers: pairs, different: numbers.len() }
    }

    /// V of each member of each set.
    fn contributions(&self, outcomes: &[SetOutcome]) -> Vec<f64> {
        let mut single = vec![SetOutcome::default(); self.sets.channels()];
        let mut double = vec![SetOutcome::default(); self.different];
        let add = |to: &mut SetOutcome, from: &SetOutcome| {
            to.conversions += from.conversions;
            to.journeys += from.journeys;
        };
        let mut pairs = self.numbers.iter();
        for (members, outcome) in self.sets.iter().zip(outcomes) {
            for &member in members {
                add(&mut single[member as usize], outcome);
            }
            let size = members.len();
            pairs.by_ref().take(size * size.saturating_sub(1) / 2).for_each(|&p| add(&mut double[p as usize], outcome));
        }
        let mut out = Vec::with_capacity(self.sets.members.len());
        let mut pairs = self.numbers.iter();
        for members in self.sets.iter() {
            let start = out.len();
            out.extend(members.iter().map(|&m| single[m as usize].rate()));
            let half = 0.5 / (members.len().max(2) - 1) as f64;
            for (i, &a) in members.iter().enumerate() {
                for (j, &b) in members.iter().enumerate().skip(i + 1) {
                    let both = pairs.next().map_or(0.0, |&p| double[p as usize].rate());
                    let joint = half * (both - single[a as usize].rate() - single[b as usize].rate());
                    out[start + i] += joint;
                    out[start + j] += joint;
                }
            }
        }
        out
    }

    /// Σ conversions × `shares` by channel.
    fn raw(&self, outcomes: &[SetOutcome], shares: &[f64]) -> Vec<f64> {
        self.sum(shares, |set| outcomes[set].conversions)
    }

    fn sum(&self, shares: &[f64], amount: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.sets.channels()];
        let mut shares = shares.iter();
        for (set, members) in self.sets.iter().enumerate() {
            for (&member, share) in members.iter().zip(shares.by_ref()) {
                sums[member as usize] += amount(set) * share;
            }
        }
        sums
    }

    fn even(&self) -> Vec<f64> {
        self.sets.iter().flat_map(|members| members.iter().map(|_| 1.0 / members.len() as f64)).collect()
    }
}

impl Prepared for Pairs<'_> {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        let outcomes = self.sets.outcomes(units, summation);
        let raw = self.raw(&outcomes, &self.contributions(&outcomes));
        let conversions: f64 = outcomes.iter().map(|o| o.conversions).sum();
        let value: f64 = outcomes.iter().map(|o| o.value).sum();
        let mut diagnostics = Vec::new();
        let negative = raw.iter().filter(|r| **r < 0.0).count();
        let above: f64 = raw.iter().map(|r| r.max(0.0)).sum();
        let credited: Vec<f64> = if above > 0.0 {
            if negative > 0 {
                let message = format!("{negative} of {} channels have negative raw credit, counted as 0", raw.len());
                diagnostics.push(Diagnostic::warning("TL416", message));
            }
            raw.iter().map(|r| r.max(0.0) / above * conversions).collect()
        } else {
            if conversions > 0.0 {
                let message = "no channel has raw credit above 0, so paths split evenly over their channels";
                diagnostics.push(Diagnostic::warning("TL417", message));
            }
            self.raw(&outcomes, &self.even())
        };
        let by_value = if conversions > 0.0 {
            credited.iter().map(|c| c / conversions * value).collect()
        } else {
            self.sum(&self.even(), |set| outcomes[set].value)
        };
        Ok(Split { conversions: credited, value: by_value, removal_effect: None, diagnostics })
    }

    fn path_weights(&self, units: Units<'_>, summation: Summation) -> Result<Option<Vec<f64>>, AttributionError> {
        let outcomes = self.sets.outcomes(units, summation);
        Ok(Some(self.sets.touch_weights(self.table, &self.contributions(&outcomes))))
    }
}

impl Model for ShaoLi {
    fn name(&self) -> &'static str {
        "shao_li"
    }

    fn spec(&self) -> String {
        self.name().to_owned()
    }

    fn reads_ages(&self) -> bool {
        false
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(Pairs::new(table)))
    }

    fn path_weights(&self, table: &PathTable) -> Result<PathWeights, AttributionError> {
        PathWeights::prepared(&*self.prepare(table)?, table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_credits, table};

    #[test]
    fn by_hand() {
        // p(a) = 4/8, p(b) = 3/6, p(a, b) = 2/4: V = p + (p(a, b) − p(a) − p(b)) / 2 = 1/4 each in a b.
        let rows = [("a b a", 2.0, 20.0, 2.0), ("a", 2.0, 4.0, 2.0), ("b", 1.0, 0.0, 1.0)];
        let table = table(&rows);
        assert_eq!(raw(&table), [2.0 * 0.25 + 2.0 * 0.5, 2.0 * 0.25 + 0.5]);
        check_credits("shao_li", &rows, &[("a", 3.0, 14.4), ("b", 2.0, 9.6)]);
        let weights = ShaoLi.path_weights(&table).expect("weights");
        assert_eq!((weights.of(0), weights.of(2)), ([0.25, 0.5, 0.25].as_slice(), [1.0].as_slice()));
    }

    #[test]
    fn what_is_negative_counts_as_nothing() {
        // p(a) = 1/11, p(b) = 10/20, p(a, b) = 1/11: in a b, V(a) = 1/11 − 1/4 < 0.
        let rows = [("a b", 1.0, 0.0, 10.0), ("b", 9.0, 0.0, 0.0)];
        check_credits("shao_li", &rows, &[("a", 0.0, 0.0), ("b", 10.0, 0.0)]);
        let credits = ShaoLi.attribute(&table(&rows)).expect("credits");
        assert_eq!(credits.diagnostics()[0].code, "TL416");
    }

    #[test]
    fn without_rates_paths_split_evenly() {
        check_credits(
            "shao_li",
            &[("a b", 0.0, -5.0, 1.0), ("c", 0.0, 0.0, 1.0)],
            &[("a", 0.0, -2.5), ("b", 0.0, -2.5), ("c", 0.0, 0.0)],
        );
        check_credits("shao_li", &[], &[]);
    }
}

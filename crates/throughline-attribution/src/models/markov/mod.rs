//! Markov chain attribution with exact removal effects.

mod codes;
mod order;
mod states;

use throughline_core::{Diagnostic, Severity};
use throughline_stats::chain::{Chain, Counts};
use throughline_stats::sum::exact_sum;

pub use self::order::{OrderChoice, OrderScore, choose_order};
use self::states::States;
use crate::rule::Tally;
use crate::{AttributionError, Model, PathTable, PathWeights, Prepared, Split, Summation, Units};

/// Credit in proportion to removal effects in the Markov chain fitted to all paths.
///
/// A state is a window of the last `order` channels (a shorter path is one state); equal states in a row count once.
/// Every path is walked with weight conversions + nulls and ends in conversion or in nothing; without nulls every walk
/// converts. The removal effect of a channel is RE = 1 − P(conversion, avoiding every state that holds the channel) /
/// P(conversion), solved exactly, for all channels from one shared elimination. Conversions are credited in proportion to RE.
/// Value is credited in proportion to the same effect on the expected value, where a conversion from a last state is
/// worth the mean value of the conversions observed there.
///
/// Source: E. Anderl, I. Becker, F. von Wangenheim, J. H. Schumann, "Mapping the customer journey", International
/// Journal of Research in Marketing 33 (2016), in the semantics of `ChannelAttribution`, which simulates what is solved
/// here. The fitted chain's P(conversion) equals the observed conversion rate for every order.
///
/// Assumptions: what comes next depends on the last `order` channels only, and removed touches lead to nothing (nobody
/// finds another way). Removal effects therefore overstate every channel together, and credits only use their ratios.
///
/// Defined answers: without conversions all credits are 0. Where some last state's value is negative (refunds), effects
/// on value have no order, and value follows the conversions' shares instead, with a diagnostic (TL411). Where all
/// removal effects vanish, the last touch takes everything (TL412).
///
/// A path's own outcome is split over its different channels in proportion to their removal effects, equally over
/// repeated touches. That is one choice: the chain does not define a split by path, and sums over paths differ from the
/// credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Markov {
    /// `None`: chosen by the data.
    order: Option<usize>,
}

impl Default for Markov {
    fn default() -> Self {
        Self { order: Some(1) }
    }
}

/// Orders accepted.
const ORDERS: std::ops::RangeInclusive<usize> = 1..=4;

/// Multiplications beyond which removal effects are refused: about an hour on two cores.
const MOST_UPDATES: f64 = 1e13;

impl Markov {
    /// With an order of 1 to 4.
    pub fn new(order: usize) -> Option<Self> {
        ORDERS.contains(&order).then_some(Self { order: Some(order) })
    }

    /// With the order that [`choose_order`] finds for each table. In a bootstrap it is chosen once, from what was
    /// observed: intervals do not hold the doubt about it.
    pub const fn auto() -> Self {
        Self { order: None }
    }

    /// The probability that a walk of the fitted chain converts: equal to the observed rate, a check of the fit.
    pub fn conversion_probability(self, table: &PathTable) -> Result<f64, AttributionError> {
        let fit = self.bind(table)?.fit(table.units(), Summation::Exact);
        Ok(Chain::new(fit.counts)?.success_probability())
    }

    /// Reads the part of a specification after the colon.
    pub(crate) fn read(parameter: Option<&str>) -> Result<Self, AttributionError> {
        let Some(given) = parameter else { return Ok(Self::default()) };
        if given.trim() == "auto" {
            return Ok(Self::auto());
        }
        given.trim().parse().ok().and_then(Self::new).ok_or_else(|| AttributionError::BadParameter {
            model: "markov",
            given: given.chars().take(80).collect(),
            expected: "an order of 1 to 4, or auto",
        })
    }

    fn bind(self, table: &PathTable) -> Result<Walks<'_>, AttributionError> {
        let choice = if self.order.is_some() { None } else { Some(choose_order(table)?) };
        let order = self.order.or(choice.as_ref().map(|c| c.order)).unwrap_or(1);
        Ok(Walks { table, states: States::new(table, order)?, order, choice })
    }
}

/// Paths as walks between states.
struct Walks<'t> {
    table: &'t PathTable,
    states: States,
    order: usize,
    /// How the order was chosen, if it was.
    choice: Option<OrderChoice>,
}

/// Counts of the chain, and the value paid on leaving each state by conversion.
struct Fit {
    counts: Counts,
    value: Vec<f64>,
}

impl Walks<'_> {
    fn fit(&self, units: Units<'_>, summation: Summation) -> Fit {
        // Whole numbers that stay below 2^53 add up exactly in any order, which is the usual case.
        let whole = |column: &[f64]| column.iter().all(|c| c.fract() == 0.0) && column.iter().sum::<f64>() < 4.5e15;
        let exact = summation == Summation::Exact;
        let counts = if exact && !(whole(units.conversions) && whole(units.nulls)) {
            self.exact_counts(units)
        } else {
            self.counts(units)
        };
        let last = |path: usize| self.states.walk(path).1;
        let value = if exact {
            grouped(self.states.count(), || units.values.iter().enumerate().map(|(p, v)| (last(p), *v)))
        } else {
            let mut value = vec![0.0; self.states.count()];
            units.values.iter().enumerate().for_each(|(p, v)| value[last(p) as usize] += v);
            value
        };
        Fit { counts, value }
    }

    /// Counts summed in the order of the table.
    fn counts(&self, units: Units<'_>) -> Counts {
        let states = &self.states;
        let mut ends = vec![[0.0; 3]; states.count()];
        let mut between = vec![0.0; states.pairs.len()];
        for (path, (&conversions, &nulls)) in units.conversions.iter().zip(units.nulls).enumerate() {
            let weight = conversions + nulls;
            if weight > 0.0 {
                let (first, last, moves) = states.walk(path);
                ends[first as usize][0] += weight;
                ends[last as usize][1] += conversions;
                ends[last as usize][2] += nulls;
                for &pair in moves {
                    between[pair as usize] += weight;
                }
            }
        }
        let column = |k: usize| ends.iter().map(|e| e[k]).collect();
        self.assemble(column(0), column(1), column(2), &between)
    }

    /// Counts summed exactly.
    fn exact_counts(&self, units: Units<'_>) -> Counts {
        let states = &self.states;
        let paths = 0..units.conversions.len();
        let weight = |path: usize| units.conversions[path] + units.nulls[path];
        let last = |column: &[f64]| grouped(states.count(), || paths.clone().map(|p| (states.walk(p).1, column[p])));
        let between = grouped(states.pairs.len(), || {
            paths.clone().flat_map(|p| states.walk(p).2.iter().map(move |&pair| (pair, weight(p))))
        });
        let start = grouped(states.count(), || paths.clone().map(|p| (states.walk(p).0, weight(p))));
        self.assemble(start, last(units.conversions), last(units.nulls), &between)
    }

    fn assemble(&self, start: Vec<f64>, success: Vec<f64>, failure: Vec<f64>, between: &[f64]) -> Counts {
        let pairs = self.states.pairs.iter().zip(between);
        Counts { start, success, failure, transitions: pairs.map(|(&(from, to), c)| (from, to, *c)).collect() }
    }

    fn credit(&self, fit: Fit) -> Result<Split, AttributionError> {
        let conversions: f64 = fit.counts.success.iter().sum();
        let Fit { counts, value } = fit;
        let success = counts.success.clone();
        let chain = Chain::new(counts)?;
        let probability = chain.success_probability();
        let groups = &self.states.groups;
        let updates = chain.removal_cost(groups.len());
        if updates > MOST_UPDATES {
            let (order, channels) = (self.order, groups.len());
            return Err(AttributionError::TooMuchWork { order, channels, updates, limit: MOST_UPDATES });
        }
        let losses = chain.removal_losses(&[&success, &value], groups);
        let effects: Vec<f64> = losses[0]
            .iter()
            .map(|loss| if probability > 0.0 { (loss / probability).clamp(0.0, 1.0) } else { 0.0 })
            .collect();
        let mut diagnostics: Vec<Diagnostic> = self.choice.iter().map(say_choice).collect();
        let by_last = |amounts: &[f64]| {
            let mut credit = vec![0.0; groups.len()];
            amounts.iter().zip(&self.states.last_channel).for_each(|(a, &c)| credit[c as usize] += a);
            credit
        };
        let shares = shares(&effects);
        let credited = match &shares {
            Some(shares) => shares.iter().map(|s| s * conversions).collect(),
            None => by_last(&success),
        };
        if shares.is_none() && conversions > 0.0 {
            let message = "all removal effects are 0, so the last touch takes all credit";
            diagnostics.push(Diagnostic::warning("TL412", message));
        }
        let total: f64 = value.iter().sum();
        let negative = value.iter().any(|v| *v < 0.0);
        let by_value = if negative { None } else { self::shares(&losses[1]) };
        let value = match (by_value.as_ref(), shares.as_ref()) {
            (Some(shares), _) | (None, Some(shares)) => shares.iter().map(|s| s * total).collect(),
            (None, None) => by_last(&value),
        };
        if negative {
            let message = "some last states have negative value, so value follows the credit of conversions";
            diagnostics.push(Diagnostic::warning("TL411", message));
        }
        Ok(Split { conversions: credited, value, removal_effect: Some(effects), diagnostics })
    }
}

fn say_choice(choice: &OrderChoice) -> Diagnostic {
    let scores: Vec<String> = choice.scores.iter().map(|s| format!("{}: {:.5}", s.order, s.score)).collect();
    let message = format!(
        "order {} predicts held-out journeys best; penalised log-loss of a journey by order: {}",
        choice.order,
        scores.join(", ")
    );
    Diagnostic::new(Severity::Info, "TL435", message)
}

/// The exact sum of the amounts given to each of `count` targets. Amounts are sorted by target first, so that one exact sum
/// is in memory at a time.
fn grouped<I: Iterator<Item = (u32, f64)>>(count: usize, amounts: impl Fn() -> I) -> Vec<f64> {
    let given = || amounts().filter(|(_, amount)| *amount != 0.0);
    let mut next = vec![0_usize; count + 1];
    given().for_each(|(target, _)| next[target as usize + 1] += 1);
    for target in 0..count {
        next[target + 1] += next[target];
    }
    let mut sorted = vec![0.0; next[count]];
    for (target, amount) in given() {
        sorted[next[target as usize]] = amount;
        next[target as usize] += 1;
    }
    let mut start = 0;
    let sum = |&end: &usize| match &sorted[std::mem::replace(&mut start, end)..end] {
        [] => 0.0,
        [one] => *one,
        several => exact_sum(several.iter().copied()),
    };
    next[..count].iter().map(sum).collect()
}

/// Amounts as shares of their sum; `None` when there is nothing to share by.
fn shares(amounts: &[f64]) -> Option<Vec<f64>> {
    let floored = || amounts.iter().map(|a| a.max(0.0));
    let sum: f64 = floored().sum();
    (sum > 0.0 && sum.is_finite()).then(|| floored().map(|a| a / sum).collect())
}

impl Prepared for Walks<'_> {
    fn split(&self, units: Units<'_>, summation: Summation) -> Result<Split, AttributionError> {
        self.credit(self.fit(units, summation))
    }

    fn path_weights(&self, units: Units<'_>, summation: Summation) -> Result<Option<Vec<f64>>, AttributionError> {
        let effects = self.split(units, summation)?.removal_effect.unwrap_or_default();
        let mut weights = Vec::with_capacity(self.table.steps.len());
        let mut tally = Tally::new(effects.len());
        for path in self.table.paths() {
            let start = weights.len();
            // Touches of one channel divide its effect, so their sum counts it once.
            tally.each(path.steps, |i, different, count| {
                weights
                    .push([effects[path.steps[i] as usize], 1.0 / f64::from(different)].map(|e| e / f64::from(count)));
            });
            let sum: f64 = weights[start..].iter().map(|w| w[0]).sum();
            for weight in &mut weights[start..] {
                *weight = if sum > 0.0 { [weight[0] / sum; 2] } else { [weight[1]; 2] };
            }
        }
        Ok(Some(weights.into_iter().map(|w| w[0]).collect()))
    }
}

impl Model for Markov {
    fn name(&self) -> &'static str {
        "markov"
    }

    fn spec(&self) -> String {
        self.order.map_or_else(|| "markov:auto".to_owned(), |order| format!("markov:{order}"))
    }

    fn reads_ages(&self) -> bool {
        false
    }

    fn prepare<'t>(&self, table: &'t PathTable) -> Result<Box<dyn Prepared + 't>, AttributionError> {
        Ok(Box::new(self.bind(table)?))
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
        // a > b converts 1 of 2, b alone 1 of 2. P = 1/2. Without a: only b's walks, 1/2 · 1/2. Without b: nothing.
        let rows = [("a b", 1.0, 8.0, 1.0), ("b", 1.0, 4.0, 1.0)];
        check_credits("markov", &rows, &[("a", 2.0 / 3.0, 4.0), ("b", 4.0 / 3.0, 8.0)]);
        let credits = Markov::default().attribute(&table(&rows)).expect("credits");
        let effects: Vec<_> = credits.channels().iter().map(|c| c.removal_effect).collect();
        assert_eq!(effects, [Some(0.5), Some(1.0)]);
    }

    #[test]
    fn repeats_collapse() {
        let plain = [("a b", 3.0, 8.0, 1.0), ("b a", 1.0, 4.0, 9.0)];
        let repeated = [("a a b b b", 3.0, 8.0, 1.0), ("b a a", 1.0, 4.0, 9.0)];
        let credits = |rows: &[_]| Markov::default().attribute(&table(rows)).expect("credits");
        assert_eq!(credits(&plain), credits(&repeated));
    }

    #[test]
    fn degenerate_tables_are_defined() {
        check_credits("markov", &[("a", 5.0, 2.0, 0.0)], &[("a", 5.0, 2.0)]);
        check_credits("markov", &[("a b", 0.0, 0.0, 7.0)], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
        check_credits("markov", &[("a b", 0.0, 0.0, 0.0)], &[("a", 0.0, 0.0), ("b", 0.0, 0.0)]);
        check_credits("markov", &[("a b", 0.0, -3.0, 1.0)], &[("a", 0.0, 0.0), ("b", 0.0, -3.0)]);
        check_credits("markov", &[], &[]);
    }

    #[test]
    fn refunds_follow_conversions() {
        let table = table(&[("a", 1.0, -30.0, 0.0), ("b", 3.0, 10.0, 0.0)]);
        let credits = Markov::default().attribute(&table).expect("credits");
        assert_eq!(credits.diagnostics()[0].code, "TL411");
        let values: Vec<f64> = credits.channels().iter().map(|c| c.value).collect();
        assert_eq!(values, [-5.0, -15.0]);
    }

    #[test]
    fn paths_split_by_removal_effect() {
        let table = table(&[("a b", 1.0, 8.0, 1.0), ("b", 1.0, 4.0, 1.0), ("b a b", 0.0, 0.0, 0.0)]);
        let weights = Markov::default().path_weights(&table).expect("weights");
        assert_eq!(weights.by_channel(&table, 0), [(0, 1.0 / 3.0), (1, 2.0 / 3.0)]);
        assert_eq!(weights.of(1), [1.0]);
        assert_eq!(weights.of(2), [1.0 / 3.0; 3]);
    }

    #[test]
    fn higher_orders() {
        // Order 2: a b is one state and c another; removing a or b both stop the walks through (a, b).
        let rows = [("a b", 1.0, 0.0, 1.0), ("c", 1.0, 0.0, 1.0)];
        check_credits("markov:2", &rows, &[("a", 2.0 / 3.0, 0.0), ("b", 2.0 / 3.0, 0.0), ("c", 2.0 / 3.0, 0.0)]);
        for bad in ["0", "5", "-1", "two", ""] {
            let error = Markov::read(Some(bad)).expect_err("refused").to_string();
            assert!(error.contains("an order of 1 to 4"), "{error}");
        }
    }
}

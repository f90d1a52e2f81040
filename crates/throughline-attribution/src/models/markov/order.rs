//! The order of a Markov chain chosen by held-out prediction.

use serde::Serialize;
use throughline_stats::chain::MAX_STATES;

use super::ORDERS;
use super::codes::{Codes, Intern};
use crate::distinct::{Distinct, Total};
use crate::{AttributionError, PathTable, Summation};

/// Parts of the journeys, each predicted from the others.
const FOLDS: usize = 5;

/// How well a chain of one order predicts journeys that did not help to fit it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OrderScore {
    /// The order.
    pub order: usize,
    /// Mean log-loss of a journey, in nats.
    pub log_loss: f64,
    /// Different transitions (context, successor) that occur. Unlike the number of free probabilities, which is 0 for
    /// contexts seen once, it never falls from one order to the next.
    pub parameters: usize,
    /// `log_loss` + `parameters` / journeys: the least wins.
    pub score: f64,
}

/// The order that predicts best, and the scores of all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OrderChoice {
    /// The order chosen; the lower one of two that score the same, 1 without journeys.
    pub order: usize,
    /// One entry for each order that fits the solver, ascending.
    pub scores: Vec<OrderScore>,
}

/// Chooses among orders 1 to 4.
///
/// A journey is its touches and its end, conversion or not. Under order k each of them is predicted from the k before it
/// (all of them, near the start) by (n(context, next) + q(next)) / (n(context) + 1), where n counts outside the journey's
/// fold and q is the frequency of `next` there, each possible step or end counted once more: one observation of what is
/// common stands against contexts that are rare. Five folds: the conversions and the nulls of a path are dealt out one by one, from a fold that the path's
/// channels decide, so that neither the order of rows nor merging them changes anything. The score is
///
/// mean log-loss of a journey + parameters / journeys,
///
/// since held-out losses differ by chance and each parameter costs about one nat of it (M. Stone, "An asymptotic equivalence of
/// choice of model by cross-validation and Akaike's criterion", Journal of the Royal Statistical Society B 39, 1977; R. W.
/// Katz, "On some criteria for estimating the order of a Markov chain", Technometrics 23, 1981). `ChannelAttribution`
/// penalises an area under the curve by parameters as well; the log-loss says more, because orders differ in all of a
/// journey and not only in its end.
///
/// Repetitions of a channel count as steps here, so that all orders predict the same events; in the chains, states that
/// repeat count once. An order whose contexts exceed the solver's states has no score.
pub fn choose_order(table: &PathTable) -> Result<OrderChoice, AttributionError> {
    let journeys = Journeys::new(table);
    let mut scores: Vec<OrderScore> = Vec::new();
    for order in ORDERS {
        // Each order has the states of the one before, or more.
        match journeys.score(order) {
            Some(score) => scores.push(score),
            None => break,
        }
    }
    let Some(first) = scores.first() else {
        let channels = table.channels().len();
        return Err(AttributionError::TooManyStates { order: 1, channels, states: channels, limit: MAX_STATES });
    };
    let best = scores.iter().fold(first, |best, score| if score.score < best.score { score } else { best });
    Ok(OrderChoice { order: best.order, scores })
}

/// The different paths with the journeys of each fold.
struct Journeys<'t> {
    table: &'t PathTable,
    distinct: Distinct,
    /// Conversions and nulls of each path by fold.
    folds: Vec<[[f64; FOLDS]; 2]>,
    total: f64,
}

/// One kind of event: a context, what follows, and how often in each fold.
struct Events {
    /// Context and successor in one word.
    words: Intern,
    counts: Vec<[f64; FOLDS]>,
}

impl Events {
    fn add(&mut self, context: u32, next: u32, counts: &[f64; FOLDS]) {
        let number = self.words.number(u64::from(context) << 32 | u64::from(next)) as usize;
        if number == self.counts.len() {
            self.counts.push([0.0; FOLDS]);
        }
        add(&mut self.counts[number], counts);
    }
}

impl<'t> Journeys<'t> {
    fn new(table: &'t PathTable) -> Self {
        let distinct = Distinct::new(table, |a, b| a.steps.cmp(b.steps));
        let totals = distinct.totals(table.units(), Summation::Exact);
        let steps = |path: usize| table.path(distinct.rows(path)[0]).steps;
        let folds = totals.iter().enumerate().map(|(path, &Total { conversions, nulls, .. })| {
            let first = steps(path).iter().fold(0xcbf2_9ce4_8422_2325, |hash: u64, &step| {
                (hash ^ u64::from(step)).wrapping_mul(0x0100_0000_01b3)
            });
            [deal(conversions, first >> 40), deal(nulls, first >> 20)]
        });
        Self { folds: folds.collect(), total: totals.iter().map(|t| t.walks()).sum(), table, distinct }
    }

    fn score(&self, order: usize) -> Option<OrderScore> {
        let channels = u32::try_from(self.table.channels().len()).ok()?;
        let (contexts, events, marginal) = self.count(order, channels)?;
        // By context and successor, so that sums do not depend on which came first.
        let words: Vec<(u64, u32)> = {
            let (_, places) = contexts.sorted(|code| code);
            let (words, numbers) = (events.words.words(), 0_u32..);
            let place = |word: u64| u64::from(places[usize::try_from(word >> 32).unwrap_or(usize::MAX)]) << 32;
            let mut words: Vec<_> =
                words.iter().zip(numbers).map(|(&w, n)| (place(w) | w & u64::from(u32::MAX), n)).collect();
            words.sort_unstable();
            words
        };
        let all = marginal.iter().fold([0.0; FOLDS], |mut all, counts| {
            add(&mut all, counts);
            all
        });
        let (mut loss, mut parameters) = (0.0, 0);
        for context in words.chunk_by(|a, b| a.0 >> 32 == b.0 >> 32) {
            let mut sums = [0.0; FOLDS];
            for &(_, number) in context {
                add(&mut sums, &events.counts[number as usize]);
            }
            let occurs = |number: u32| events.counts[number as usize].iter().any(|count| *count > 0.0);
            parameters += context.iter().filter(|(_, number)| occurs(*number)).count();
            for &(word, number) in context {
                let next = usize::try_from(word & u64::from(u32::MAX)).unwrap_or(0);
                let counts = &events.counts[number as usize];
                loss += held_out_loss(counts, &sums, &marginal[next], &all, marginal.len());
            }
        }
        let journeys = if self.total > 0.0 { self.total } else { 1.0 };
        let log_loss = loss / journeys;
        Some(OrderScore { order, log_loss, parameters, score: log_loss + parameters as f64 / journeys })
    }

    /// Contexts, events and the counts of each successor alone; `None` when the solver could not hold the contexts.
    fn count(&self, order: usize, channels: u32) -> Option<(Intern, Events, Vec<[f64; FOLDS]>)> {
        let codes = Codes::new(channels as usize, order)?;
        let mut contexts = Intern::default();
        let mut events = Events { words: Intern::default(), counts: Vec::new() };
        let mut marginal = vec![[0.0; FOLDS]; channels as usize + 2];
        for (path, [won, lost]) in self.folds.iter().enumerate() {
            let mut walks = *won;
            add(&mut walks, lost);
            let mut code = 0;
            for &step in self.table.path(self.distinct.rows(path)[0]).steps {
                events.add(contexts.number(code), step, &walks);
                add(&mut marginal[step as usize], &walks);
                code = codes.to_next(code, step);
            }
            let last = contexts.number(code);
            for (end, counts) in [(channels, won), (channels + 1, lost)] {
                events.add(last, end, counts);
                add(&mut marginal[end as usize], counts);
            }
            if contexts.len() > MAX_STATES {
                return None;
            }
        }
        Some((contexts, events, marginal))
    }
}

/// −Σ over folds: its events × ln of their probability by the other folds.
fn held_out_loss(
    counts: &[f64; FOLDS],
    context: &[f64; FOLDS],
    marginal: &[f64; FOLDS],
    all: &[f64; FOLDS],
    successors: usize,
) -> f64 {
    let sum = |of: &[f64; FOLDS]| of.iter().sum::<f64>();
    let outside = |of: &[f64; FOLDS], fold: usize| (sum(of) - of[fold]).max(0.0);
    let loss = |fold: usize| {
        // What the other folds never saw has the chance of one event more among all successors.
        let common = (outside(marginal, fold) + 1.0) / (outside(all, fold) + successors as f64);
        let probability = (outside(counts, fold) + common) / (outside(context, fold) + 1.0);
        -counts[fold] * probability.ln()
    };
    (0..FOLDS).filter(|&fold| counts[fold] > 0.0).map(loss).sum()
}

fn add(to: &mut [f64; FOLDS], counts: &[f64; FOLDS]) {
    to.iter_mut().zip(counts).for_each(|(to, count)| *to += count);
}

/// A count dealt to the folds one by one, beginning at `first`; a fraction of one goes where the next would.
fn deal(count: f64, first: u64) -> [f64; FOLDS] {
    let rounds = (count / FOLDS as f64).floor();
    let mut folds = [rounds; FOLDS];
    let mut left = count - rounds * FOLDS as f64;
    let mut fold = usize::try_from(first % FOLDS as u64).unwrap_or(0);
    while left > 0.0 {
        folds[fold] += left.min(1.0);
        left -= 1.0;
        fold = (fold + 1) % FOLDS;
    }
    folds
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;
    use crate::models::testing::table;
    use crate::{Outcome, read_spec};

    /// Journeys over four channels from a chain of order `order` with uneven random rows.
    fn simulated(order: usize, journeys: u64, seed: u64) -> PathTable {
        let names = ["a", "b", "c", "d"];
        let mut builder = PathTable::builder();
        for journey in 0..journeys {
            let stream = Stream::new(seed, journey);
            let mut steps: Vec<usize> = Vec::new();
            let converts = loop {
                let recent = &steps[steps.len().saturating_sub(order)..];
                let context = recent.iter().fold(1, |code, step| code * 5 + *step as u64 + 1);
                let row = Stream::new(99, context);
                // Four channels, conversion, none.
                let weights: Vec<f64> =
                    (0..6).map(|k| row.uniform_at(k).powi(3) + if k > 3 { 0.15 } else { 0.02 }).collect();
                let mut left = stream.uniform_at(steps.len() as u64) * weights.iter().sum::<f64>();
                let next = weights
                    .iter()
                    .position(|w| {
                        left -= w;
                        left < 0.0
                    })
                    .unwrap_or(5);
                match next {
                    4 | 5 if !steps.is_empty() => break next == 4,
                    4 | 5 => steps.push(0),
                    channel => steps.push(channel),
                }
                if steps.len() > 60 {
                    break false;
                }
            };
            let named: Vec<&str> = steps.iter().map(|s| names[*s]).collect();
            let conversions = f64::from(u8::from(converts));
            builder.push(&named, None, Outcome { conversions, value: conversions, nulls: 1.0 - conversions });
        }
        builder.build().0
    }

    #[test]
    fn the_order_of_simulated_chains_is_found() {
        for order in 1..=3 {
            for seed in 1..=2 {
                let choice = choose_order(&simulated(order, 8_000, seed)).expect("few states");
                assert_eq!((choice.order, choice.scores.len()), (order, 4), "seed {seed}: {choice:?}");
            }
        }
    }

    #[test]
    fn few_journeys_support_a_low_order_only() {
        let choice = choose_order(&simulated(3, 60, 1)).expect("few states");
        assert_eq!(choice.order, 1, "{choice:?}");
    }

    #[test]
    fn merged_and_single_rows_choose_alike() {
        let table = simulated(2, 3_000, 4);
        assert_eq!(choose_order(&table), choose_order(&table.aggregated()));
        let spec = read_spec("markov:auto").expect("a model");
        assert_eq!(spec.spec(), "markov:auto");
        let (single, merged) = (spec.attribute(&table), spec.attribute(&table.aggregated()));
        assert_eq!(single, merged);
        let said = &single.expect("credits").diagnostics()[0].clone();
        assert!(
            said.code == "TL435" && said.message.starts_with("order 2 predicts held-out journeys best"),
            "{said:?}"
        );
    }

    #[test]
    fn a_loss_by_hand() {
        // Two journeys, each predicted from the other: `a` then conversion, in different folds.
        let choice = choose_order(&table(&[("a", 2.0, 0.0, 0.0)])).expect("few states");
        // Outside: one start → a, one a → conversion, two events over three successors: q = 2/5, probabilities (1 + 2/5) / 2.
        let each = -f64::midpoint(1.0, 0.4).ln();
        assert!((choice.scores[0].log_loss - 2.0 * each).abs() < 1e-14, "{choice:?}");
        assert_eq!((choice.order, choice.scores[0].parameters), (1, 2));
    }

    #[test]
    fn nothing_to_predict_is_order_one() {
        assert_eq!(choose_order(&PathTable::default()).expect("defined").order, 1);
        assert_eq!(choose_order(&table(&[("a b", 0.0, 0.0, 0.0)])).expect("defined").order, 1);
    }

    #[test]
    fn counts_are_dealt_out() {
        assert_eq!(deal(7.0, 4), [2.0, 1.0, 1.0, 1.0, 2.0]);
        assert_eq!(deal(0.5, 11), [0.0, 0.5, 0.0, 0.0, 0.0]);
        assert_eq!(deal(0.0, 3), [0.0; FOLDS]);
    }
}

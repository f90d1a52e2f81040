//! Records to people, from columns alone.

use std::num::NonZeroUsize;

use serde::Serialize;

use crate::apart::Apart;
use crate::block::{self, Blocking, Key};
use crate::cluster::cluster;
use crate::column::Kind;
use crate::em::{Pattern, level_of};
use crate::fields::{self, LeftOut};
use crate::fit::fit;
use crate::model::{self, Model, Probabilities};
use crate::pairs::{self, Comes};
use crate::parallel::map;
use crate::records::Records;
use crate::table::Table;

/// How records are linked.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LinkOptions {
    /// Threads; they change the time and nothing else.
    pub threads: NonZeroUsize,
    /// Pairs that may be compared; a multiple of the records where none is given.
    pub most_pairs: Option<u64>,
    /// The source of each record, where some may not be of one person with others.
    pub sources: Vec<u16>,
    /// Sources whose records are never compared and never of one person; a source with itself where it has one record a person.
    pub apart: Vec<(u16, u16)>,
}

impl LinkOptions {
    /// Nothing but threads.
    pub const fn new(threads: NonZeroUsize) -> Self {
        Self { threads, most_pairs: None, sources: Vec::new(), apart: Vec::new() }
    }
}

/// Why records were not linked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Columns of different lengths.
    #[error("column `{column}` has {found} values, the first one {expected}")]
    Ragged {
        /// The column.
        column: String,
        /// Its values.
        found: usize,
        /// Those of the first column.
        expected: usize,
    },
    /// Two columns of one name.
    #[error("column `{column}` comes twice")]
    Twice {
        /// The column.
        column: String,
    },
    /// Sources are not told for every record.
    #[error("the sources of {sources} records are told, there are {records}")]
    Sources {
        /// Records whose source is told.
        sources: usize,
        /// Records.
        records: usize,
    },
    /// More records than can be numbered.
    #[error("{records} records are more than {most}")]
    TooMany {
        /// How many.
        records: usize,
        /// The limit.
        most: usize,
    },
    /// More columns than a pattern holds.
    #[error("{columns} columns to compare are more than {most}")]
    TooWide {
        /// How many.
        columns: usize,
        /// The limit.
        most: usize,
    },
}

/// Records at most: positions are of four bytes, with room for groups.
const MOST_RECORDS: usize = 500_000_000;
/// Columns at most: a pattern has three bits for each.
const MOST_COLUMNS: usize = 21;
/// Keys from whose pairs the model is learnt, at most: the best.
const LEARNT: usize = 8;
/// Log-odds below which a pair is not kept: it would not be merged by any rule.
const KEPT: f64 = -3.0;

/// A blocking key, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BlockingKey {
    /// Its columns; `name[..]` is a column's beginning.
    pub columns: Vec<String>,
    /// Pairs that it gives, those of other keys included; in a large table estimated from some records.
    pub pairs: u64,
}

/// Two records that may be of one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// The smaller record.
    pub a: u32,
    /// The larger.
    pub b: u32,
    /// The probability that they are of one person.
    pub probability: f64,
    /// The weight of what their columns say, in bits: what multiplies the odds, as a power of two.
    pub weight_bits: f64,
    /// The levels of the columns, three bits each.
    pub levels: Pattern,
}

impl Pair {
    /// The level of a column, by its place in [`Linked::kinds`]: 0 missing, 1 different, 5 equal.
    pub const fn level(&self, column: usize) -> usize {
        level_of(self.levels, column)
    }
}

/// Records and the people found.
#[derive(Debug, Clone)]
pub struct Linked {
    /// One label a record: the smallest record of the person.
    pub persons: Vec<u32>,
    /// Pairs of records that may be of one person, the first the smaller.
    pub pairs: Vec<Pair>,
    /// Pairs compared.
    pub compared: u64,
    /// What columns were taken for.
    pub kinds: Vec<(String, Kind)>,
    /// Columns left out, and why.
    pub left_out: Vec<(String, LeftOut)>,
    /// The keys by which pairs were found.
    pub keys: Vec<BlockingKey>,
    /// Share of true pairs that agree on one of the keys, where columns fail independently of each other.
    pub blocking_recall: f64,
    /// The share of true pairs among all pairs of records.
    pub prior: f64,
    /// The model's probabilities.
    pub probabilities: Vec<Probabilities>,
}

/// Links records: which of them are of one person. Deterministic, for any number of threads.
///
/// Time grows with the pairs compared, at most a fixed multiple of the records; memory with records and distinct values.
pub fn link(records: Records, options: &LinkOptions) -> Result<Linked, LinkError> {
    let count = records.len();
    if count > MOST_RECORDS {
        return Err(LinkError::TooMany { records: count, most: MOST_RECORDS });
    }
    let threads = options.threads;
    let (columns, left_out) = fields::choose(records.settle(threads));
    if columns.len() > MOST_COLUMNS {
        return Err(LinkError::TooWide { columns: columns.len(), most: MOST_COLUMNS });
    }
    if !options.sources.is_empty() && options.sources.len() != count {
        return Err(LinkError::Sources { sources: options.sources.len(), records: count });
    }
    let table = Table::new(columns, Apart::new(options.sources.clone(), &options.apart), threads);
    let budget = options.most_pairs.unwrap_or_else(|| (10 * count as u64).max(4_000_000));
    let candidates = block::candidates(&table, budget, threads);
    let first = block::choose(&table, &candidates, &block::first_guess(&table.columns), budget);
    let model = fit(&table, &first.keys[..first.keys.len().min(LEARNT)], threads);
    let Blocking { keys, recall } = block::choose(&table, &candidates, &model.agreeing(&table.columns), budget);
    let all = (count as f64 * (count as f64 - 1.0) / 2.0).max(1.0);
    // No pair is true at a prior below one true pair: weights that could not reach it even at the largest prior are left.
    let least = KEPT - (1.0 / count.max(2) as f64).ln();
    let (compared, weighed) = weigh(&table, &keys, &model, least.max(0.0), threads);
    let weights: Vec<f64> = weighed.iter().map(|(.., w)| *w).collect();
    let log_odds = model::prior(&weights, all);
    let mut edges: Vec<(u32, u32, f64)> = weighed.into_iter().map(|(a, b, w)| (a, b, w + log_odds)).collect();
    edges.retain(|(.., odds)| *odds > KEPT);
    let odds = |a, b| model.weigh(&table, a, b, f64::MIN).unwrap_or(0.0) + log_odds;
    let persons = cluster(count, edges.clone(), odds, &table.apart, threads);
    Ok(Linked {
        persons,
        pairs: map(&edges, threads, |(a, b, odds)| Pair {
            a: *a,
            b: *b,
            probability: 1.0 / (1.0 + (-odds).exp()),
            weight_bits: (odds - log_odds) / std::f64::consts::LN_2,
            levels: model::pattern(&table, *a, *b),
        }),
        compared,
        kinds: table.columns.iter().map(|c| (c.name.clone(), c.kind)).collect(),
        left_out,
        keys: keys.iter().map(|k| told(&table, k)).collect(),
        blocking_recall: recall,
        prior: 1.0 / (1.0 + (-log_odds).exp()),
        probabilities: model.told(&table.columns),
    })
}

/// Weighs the pairs of all keys; how many there were, and those of at least a weight.
fn weigh(table: &Table, keys: &[Key], model: &Model, least: f64, threads: NonZeroUsize) -> (u64, Vec<(u32, u32, f64)>) {
    let parts = pairs::each(
        table,
        keys,
        Comes::Once,
        threads,
        |_| (0_u64, Vec::new()),
        |(seen, kept): &mut (u64, Vec<(u32, u32, f64)>), a, b| {
            *seen += 1;
            if let Some(weight) = model.weigh(table, a, b, least) {
                kept.push((a.min(b), a.max(b), weight));
            }
        },
    );
    let seen = parts.iter().map(|p| p.0).sum();
    (seen, parts.into_iter().flat_map(|p| p.1).collect())
}

fn told(table: &Table, key: &Key) -> BlockingKey {
    let name = |slot: &usize| {
        let (column, beginning) = table.column_of(*slot);
        let name = &table.columns[column].name;
        if beginning { format!("{name}[..]") } else { name.clone() }
    };
    BlockingKey { columns: key.slots.iter().map(name).collect(), pairs: key.pairs }
}

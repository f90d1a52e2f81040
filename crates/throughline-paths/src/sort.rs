//! One part of the signals: sorted by person and time, then in columns.

use std::cmp::Ordering;

use crate::outcomes::index;
use crate::shard::{Bin, Extra, Held, NO_EXTRA, Row};
use crate::{EntityKey, NONE, PathsError, Signals};

/// Signals of one bucket of the first pass of sorting, about.
const ROWS_A_BUCKET: usize = 8;

/// What numbers of each shard become, when names are in order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ranks<'a> {
    pub(crate) channels: &'a [Vec<u32>],
    pub(crate) campaigns: &'a [Vec<u32>],
}

/// Rows of one part in order.
#[derive(Debug)]
pub(crate) struct Sorter<K: EntityKey> {
    rows: Vec<Row<K::Mixed>>,
    extras: Vec<Extra>,
    starts: Vec<u32>,
}

impl<K: EntityKey> Sorter<K> {
    pub(crate) const fn new() -> Self {
        Self { rows: Vec::new(), extras: Vec::new(), starts: Vec::new() }
    }

    /// One pass by the next bits of the key, then a sort of each bucket.
    pub(crate) fn sort(&mut self, bins: Vec<Bin<K::Mixed>>, ranks: Ranks<'_>, bits: u32) -> Result<(), PathsError> {
        let total: usize = bins.iter().flat_map(Bin::blocks).map(<[_]>::len).sum();
        if total >= NONE as usize {
            return Err(PathsError::Shape { what: "signals of one part", got: total, expected: NONE as usize - 1 });
        }
        let wanted = (total / ROWS_A_BUCKET).max(1);
        let more = (usize::BITS - (wanted - 1).leading_zeros()).clamp(1, 20);
        #[expect(clippy::cast_possible_truncation, reason = "at most 20 bits")]
        let bucket = |key: K::Mixed| (K::top(key) << bits >> (64 - more)) as usize;
        self.starts.clear();
        self.starts.resize((1 << more) + 1, 0);
        for row in bins.iter().flat_map(Bin::blocks).flatten() {
            self.starts[bucket(row.key) + 1] += 1;
        }
        let mut sum = 0;
        self.starts.iter_mut().for_each(|start| {
            sum += *start;
            *start = sum;
        });
        self.rows.clear();
        self.rows.resize(total, Row::default());
        self.extras.clear();
        for ((bin, channels), campaigns) in bins.into_iter().zip(ranks.channels).zip(ranks.campaigns) {
            let base = index(self.extras.len());
            self.extras.extend(
                bin.extras.iter().map(|e| Extra {
                    campaign: campaigns.get(e.campaign as usize).copied().unwrap_or(e.campaign),
                    ..*e
                }),
            );
            for row in bin.blocks().flatten() {
                let place = &mut self.starts[bucket(row.key)];
                let mut row = row.ranked(channels);
                if row.extra != NONE {
                    row.extra += base;
                }
                self.rows[*place as usize] = row;
                *place += 1;
            }
        }
        // Each start has moved to the end of its bucket.
        let mut start = 0;
        let extras = &self.extras;
        for end in &self.starts[..1 << more] {
            let end = *end as usize;
            if end - start > 1 {
                self.rows[start..end].sort_unstable_by(|a, b| order(a, b, extras));
            }
            start = end;
        }
        Ok(())
    }

    fn extra(&self, row: &Row<K::Mixed>) -> Extra {
        self.extras.get(row.extra as usize).copied().unwrap_or(NO_EXTRA)
    }
}

#[inline]
fn order<M: Ord>(a: &Row<M>, b: &Row<M>, extras: &[Extra]) -> Ordering {
    a.key.cmp(&b.key).then_with(|| a.at.cmp(&b.at)).then_with(|| a.meta.cmp(&b.meta)).then_with(|| {
        let extra = |row: &Row<M>| extras.get(row.extra as usize).copied().unwrap_or(NO_EXTRA);
        extra(a).cmp(&extra(b))
    })
}

/// Rows of one part in columns.
#[derive(Debug)]
pub(crate) struct Sorted<K: EntityKey> {
    pub(crate) keys: Vec<K::Mixed>,
    persons: Vec<u32>,
    at: Vec<i64>,
    channel: Vec<u32>,
    role: Vec<u8>,
    interaction: Vec<u8>,
    campaign: Vec<u32>,
    value: Vec<i64>,
    order: Vec<u64>,
    pub(crate) tags: Vec<u32>,
}

impl<K: EntityKey> Sorted<K> {
    pub(crate) const fn new() -> Self {
        Self {
            keys: Vec::new(),
            persons: Vec::new(),
            at: Vec::new(),
            channel: Vec::new(),
            role: Vec::new(),
            interaction: Vec::new(),
            campaign: Vec::new(),
            value: Vec::new(),
            order: Vec::new(),
            tags: Vec::new(),
        }
    }

    pub(crate) fn fill(&mut self, sorter: &Sorter<K>, held: Held) {
        let rows = &sorter.rows;
        self.keys.clear();
        self.persons.clear();
        for (place, row) in rows.iter().enumerate() {
            if self.keys.last() != Some(&row.key) {
                self.keys.push(row.key);
                self.persons.push(index(place));
            }
        }
        self.persons.push(index(rows.len()));
        refill(&mut self.at, rows.iter().map(|r| r.at));
        refill(&mut self.channel, rows.iter().map(Row::channel));
        refill(&mut self.role, rows.iter().map(Row::role));
        if held.interaction {
            refill(&mut self.interaction, rows.iter().map(Row::interaction));
        }
        if held.campaign {
            refill(&mut self.campaign, rows.iter().map(|r| sorter.extra(r).campaign));
        }
        if held.value {
            refill(&mut self.value, rows.iter().map(|r| sorter.extra(r).value));
        }
        if held.order {
            refill(&mut self.order, rows.iter().map(|r| sorter.extra(r).order));
        }
        if held.tag {
            refill(&mut self.tags, rows.iter().map(|r| sorter.extra(r).tag));
        }
    }

    pub(crate) fn signals(&self, held: Held) -> Signals<'_> {
        Signals {
            persons: &self.persons,
            at: &self.at,
            channel: &self.channel,
            role: &self.role,
            interaction: held.interaction.then_some(&self.interaction),
            campaign: held.campaign.then_some(&self.campaign),
            value: held.value.then_some(&self.value),
            order: held.order.then_some(&self.order),
        }
    }
}

fn refill<T>(column: &mut Vec<T>, values: impl Iterator<Item = T>) {
    column.clear();
    column.extend(values);
}

//! Columns in memory, in any order: sorted, built, and put together again.

use throughline_stats::parallel::map_parts;

use crate::assemble::{Built, Gathered};
use crate::outcomes::index;
use crate::{EntityKey, Event, Interaction, NO_ORDER, NONE, Output, Parts, PathsError, Plan, Shard};

/// Signals of people in any order; all columns have one length.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a, K> {
    /// The person of each.
    pub entity: &'a [K],
    /// Occurrence in µs.
    pub at: &'a [i64],
    /// Channel number or [`NONE`]. At one instant, lower numbers come first: number channels by name.
    pub channel: &'a [u32],
    /// Bits of [`Role`](crate::Role).
    pub role: &'a [u8],
    /// Numbers of [`Interaction`].
    pub interaction: Option<&'a [u8]>,
    /// Campaign number or [`NONE`].
    pub campaign: Option<&'a [u32]>,
    /// Value in millionths.
    pub value: Option<&'a [i64]>,
    /// Order number or hash, or [`NO_ORDER`].
    pub order: Option<&'a [u64]>,
}

/// Journeys of signals in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembled<K> {
    /// Keys of the people of the output.
    pub people: Vec<K>,
    /// For each place in the order of people and time, the row of the columns. Rows of `output` are such places.
    pub rows: Vec<u32>,
    /// Journeys and ledgers.
    pub output: Output,
}

/// Sorts signals and builds their journeys, on up to `threads` threads. Errors: columns of different lengths, channels beyond
/// the plan, more than 2³² − 1 signals.
pub fn assemble<K: EntityKey>(
    columns: &Columns<'_, K>,
    plan: &Plan,
    threads: usize,
) -> Result<Assembled<K>, PathsError> {
    let shards = columns.shards(threads.max(1))?;
    let parts = Gathered::new(shards)?.build(plan, threads, |_, group| {
        let mut piece = Assembled { people: Vec::new(), rows: Vec::new(), output: Output::default() };
        group.each(|built| piece.append(built)).map(|()| piece)
    });
    let mut whole = Assembled { people: Vec::new(), rows: Vec::new(), output: Output::default() };
    for piece in parts {
        let piece = piece?;
        let touches = whole.output.touch_row.len() + piece.output.touch_row.len();
        if touches >= NONE as usize {
            return Err(PathsError::Shape { what: "touches", got: touches, expected: NONE as usize - 1 });
        }
        whole.output.append(&piece.output, index(whole.rows.len()), index(whole.people.len()));
        whole.people.extend(piece.people);
        whole.rows.extend(piece.rows);
    }
    Ok(whole)
}

impl<K: EntityKey> Assembled<K> {
    fn append(&mut self, built: &Built<'_, K>) {
        self.output.append(built.output, index(self.rows.len()), index(self.people.len()));
        self.people.extend(built.keys.iter().map(|key| K::unmix(*key)));
        self.rows.extend(built.tags);
    }
}

impl<K: EntityKey> Columns<'_, K> {
    fn shards(&self, threads: usize) -> Result<Vec<Shard<K>>, PathsError> {
        let rows = self.entity.len();
        let lengths = [
            ("at", Some(self.at.len())),
            ("channel", Some(self.channel.len())),
            ("role", Some(self.role.len())),
            ("interaction", self.interaction.map(<[u8]>::len)),
            ("campaign", self.campaign.map(<[u32]>::len)),
            ("value", self.value.map(<[i64]>::len)),
            ("order", self.order.map(<[u64]>::len)),
        ];
        if let Some((what, got)) = lengths.into_iter().find_map(|(w, n)| n.filter(|n| *n != rows).map(|n| (w, n))) {
            return Err(PathsError::Shape { what, got, expected: rows });
        }
        if rows >= NONE as usize {
            return Err(PathsError::Shape { what: "rows", got: rows, expected: NONE as usize - 1 });
        }
        let parts = Parts::for_rows(rows as u64);
        let slice = rows.div_ceil(threads).max(1);
        let ranges: Vec<_> = (0..rows).step_by(slice).map(|from| from..(from + slice).min(rows)).collect();
        let filled = map_parts(ranges, threads, |range| {
            let mut shard = Shard::new(parts);
            for row in range {
                shard.push(&Event {
                    interaction: self.interaction.map_or(Interaction::Other, |c| Interaction::from_code(c[row])),
                    campaign: self.campaign.map_or(NONE, |c| c[row]),
                    value_micros: self.value.map_or(0, |c| c[row]),
                    order: self.order.map_or(NO_ORDER, |c| c[row]),
                    tag: index(row),
                    ..Event::new(self.entity[row], self.at[row], self.channel[row], self.role[row])
                })?;
            }
            Ok(shard)
        });
        filled.into_iter().collect()
    }
}

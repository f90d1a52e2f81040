//! Signals as they are read, by anyone in any order: rows of 24 bytes in parts by person.

use crate::names::Names;
use crate::{EntityKey, Interaction, NO_ORDER, NONE, PathsError, Role};

/// Rows that are sorted at once: as many as fit into a core's own memory.
const ROWS_A_PART: u64 = 1 << 15;
/// More parts than this cost more than they save.
const MOST_BITS: u32 = 12;
/// Rows that are allocated at once.
const BLOCK: usize = 1024;
const CHANNEL_BITS: u32 = 22;
/// No channel, as a row holds it; also the limit of their number.
const NO_CHANNEL: u32 = (1 << CHANNEL_BITS) - 1;

/// Into how many parts signals are divided, so that people lie in one part. It depends on the number of signals alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts(u32);

impl Parts {
    /// For about so many signals.
    pub fn for_rows(rows: u64) -> Self {
        let parts = rows.div_ceil(ROWS_A_PART).max(1);
        Self((u64::BITS - (parts - 1).leading_zeros()).min(MOST_BITS))
    }

    /// Their number, a power of two.
    pub const fn count(self) -> usize {
        1 << self.0
    }

    /// The number of bits that choose a part.
    pub(crate) const fn bits(self) -> u32 {
        self.0
    }

    #[inline]
    fn of(self, top: u64) -> usize {
        // Two shifts, since one by 64 bits is undefined when there is one part.
        ((top >> 1) >> (63 - self.0)) as usize
    }
}

/// A signal with its person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<K> {
    /// The person.
    pub entity: K,
    /// Occurrence in µs.
    pub at: i64,
    /// Channel number of the shard, or [`NONE`].
    pub channel: u32,
    /// Bits of [`Role`].
    pub role: u8,
    /// The interaction.
    pub interaction: Interaction,
    /// Campaign number of the shard, or [`NONE`].
    pub campaign: u32,
    /// Value in millionths.
    pub value_micros: i64,
    /// Order number or hash, or [`NO_ORDER`].
    pub order: u64,
    /// What the caller calls the row, or [`NONE`].
    pub tag: u32,
}

impl<K> Event<K> {
    /// A signal without anything that may be absent.
    pub const fn new(entity: K, at: i64, channel: u32, role: u8) -> Self {
        let interaction = Interaction::Other;
        Self { entity, at, channel, role, interaction, campaign: NONE, value_micros: 0, order: NO_ORDER, tag: NONE }
    }
}

/// A signal at rest. `meta` holds, from the top: class, channel, interaction, role; so that equal times are ordered by it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row<M> {
    pub(crate) key: M,
    pub(crate) at: i64,
    pub(crate) meta: u32,
    pub(crate) extra: u32,
}

impl<M> Row<M> {
    pub(crate) fn channel(&self) -> u32 {
        let held = self.meta >> 8 & NO_CHANNEL;
        if held == NO_CHANNEL { NONE } else { held }
    }

    pub(crate) const fn interaction(&self) -> u8 {
        (self.meta >> 4 & 15) as u8
    }

    pub(crate) const fn role(&self) -> u8 {
        (self.meta & 15) as u8
    }

    /// The row with its channel's number exchanged.
    pub(crate) fn ranked(mut self, ranks: &[u32]) -> Self {
        let held = self.meta >> 8 & NO_CHANNEL;
        if let Some(rank) = ranks.get(held as usize) {
            self.meta = self.meta & !(NO_CHANNEL << 8) | rank << 8;
        }
        self
    }
}

/// What few signals have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Extra {
    pub(crate) campaign: u32,
    pub(crate) order: u64,
    pub(crate) value: i64,
    pub(crate) tag: u32,
}

pub(crate) const NO_EXTRA: Extra = Extra { campaign: NONE, order: NO_ORDER, value: 0, tag: NONE };

/// The rows of one part.
#[derive(Debug)]
pub(crate) struct Bin<M> {
    open: Vec<Row<M>>,
    full: Vec<Vec<Row<M>>>,
    pub(crate) extras: Vec<Extra>,
}

impl<M> Bin<M> {
    const fn new() -> Self {
        Self { open: Vec::new(), full: Vec::new(), extras: Vec::new() }
    }

    pub(crate) fn blocks(&self) -> impl Iterator<Item = &[Row<M>]> {
        self.full.iter().map(Vec::as_slice).chain([self.open.as_slice()])
    }
}

/// Which columns hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one a column")]
pub(crate) struct Held {
    pub(crate) interaction: bool,
    pub(crate) campaign: bool,
    pub(crate) value: bool,
    pub(crate) order: bool,
    pub(crate) tag: bool,
}

impl Held {
    pub(crate) const fn or(self, other: Self) -> Self {
        Self {
            interaction: self.interaction || other.interaction,
            campaign: self.campaign || other.campaign,
            value: self.value || other.value,
            order: self.order || other.order,
            tag: self.tag || other.tag,
        }
    }
}

/// What one reader has read. Each thread fills its own; which signal is in which changes nothing.
#[derive(Debug)]
pub struct Shard<K: EntityKey> {
    parts: Parts,
    pub(crate) bins: Vec<Bin<K::Mixed>>,
    /// Channels by the numbers of this shard.
    pub channels: Names,
    /// Campaigns by the numbers of this shard.
    pub campaigns: Names,
    pub(crate) held: Held,
    rows: u64,
}

impl<K: EntityKey> Shard<K> {
    /// An empty shard; all shards of one assembly have the same parts.
    pub fn new(parts: Parts) -> Self {
        let bins = (0..parts.count()).map(|_| Bin::new()).collect();
        let (channels, campaigns) = (Names::default(), Names::default());
        Self { parts, bins, channels, campaigns, held: Held::default(), rows: 0 }
    }

    /// Signals taken in.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) const fn parts(&self) -> Parts {
        self.parts
    }

    /// Takes a signal in. Errors: more than 4,194,303 channels, or 2³² signals with values, orders or campaigns in one part.
    #[inline]
    pub fn push(&mut self, event: &Event<K>) -> Result<(), PathsError> {
        if event.channel >= NO_CHANNEL && event.channel != NONE {
            return Err(too_many("channels", event.channel as usize, NO_CHANNEL as usize));
        }
        let key = event.entity.mix();
        let bin = &mut self.bins[self.parts.of(K::top(key))];
        let mut extra = NONE;
        if event.value_micros != 0 || event.order != NO_ORDER || event.campaign != NONE || event.tag != NONE {
            extra = u32::try_from(bin.extras.len())
                .ok()
                .filter(|place| *place != NONE)
                .ok_or_else(|| too_many("signals with values in one part", bin.extras.len(), NONE as usize))?;
            self.held.value |= event.value_micros != 0;
            self.held.order |= event.order != NO_ORDER;
            self.held.campaign |= event.campaign != NONE;
            self.held.tag |= event.tag != NONE;
            let Event { campaign, order, value_micros: value, tag, .. } = *event;
            bin.extras.push(Extra { campaign, order, value, tag });
        }
        self.held.interaction |= event.interaction != Interaction::Other;
        let meta = u32::from(Role::class(event.role)) << (8 + CHANNEL_BITS)
            | (event.channel & NO_CHANNEL) << 8
            | u32::from(event.interaction.code()) << 4
            | u32::from(event.role & 15);
        if bin.open.len() == bin.open.capacity() {
            let next = Vec::with_capacity(BLOCK);
            let full = std::mem::replace(&mut bin.open, next);
            if !full.is_empty() {
                bin.full.push(full);
            }
        }
        bin.open.push(Row { key, at: event.at, meta, extra });
        self.rows += 1;
        Ok(())
    }
}

const fn too_many(what: &'static str, got: usize, expected: usize) -> PathsError {
    PathsError::Shape { what, got, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_the_number_of_rows() {
        let counts: Vec<usize> =
            [0, 1, 1 << 15, (1 << 15) + 1, 10_000_000, u64::MAX].map(|rows| Parts::for_rows(rows).count()).to_vec();
        assert_eq!(counts, [1, 1, 1, 2, 512, 4096]);
        assert_eq!((Parts(0).of(u64::MAX), Parts(3).of(u64::MAX), Parts(3).of(1 << 61)), (0, 7, 1));
        assert_eq!(size_of::<Row<u64>>(), 24);
    }

    #[test]
    fn a_row_gives_back_what_it_holds() {
        let mut shard = Shard::<u64>::new(Parts(0));
        let interaction = Interaction::StoreVisit;
        let role = Role::TOUCH | Role::NO_CONSENT;
        shard.push(&Event { interaction, ..Event::new(9, -5, 77, role) }).expect("taken");
        shard.push(&Event::new(9, -5, NONE, Role::REFUND)).expect("taken");
        assert!(shard.push(&Event::new(9, -5, NO_CHANNEL, role)).is_err());
        let row = shard.bins[0].blocks().flatten().next().copied().expect("a row");
        assert_eq!((row.channel(), row.interaction(), row.role(), row.at), (77, interaction.code(), role, -5));
        assert_eq!(row.ranked(&[5; 78]).channel(), 5);
        let other = shard.bins[0].blocks().flatten().nth(1).copied().expect("a row");
        assert_eq!((other.channel(), other.ranked(&[5; 78]).channel(), shard.rows()), (NONE, NONE, 2));
    }
}

//! From signals in any order to journeys: parts by person, sorted and built one after the other.
//!
//! A part is a range of the mixed keys, so people come in the order of their mixed keys whatever the number of parts. At one
//! instant the signals of a person are ordered by what they are: touches, conversions, refunds; then by the name of the
//! channel, interaction, role, campaign, order and value. Signals that agree in all of it are equal, so no order of rows and
//! no number of threads changes a bit of the result. Memory is that of all signals plus one part a thread; a part is freed once
//! it is built.

use throughline_stats::parallel::map_parts;

use crate::names::Names;
use crate::shard::{Bin, Held};
use crate::sort::{Ranks, Sorted, Sorter};
use crate::{Builder, EntityKey, Output, Parts, PathsError, Plan, Shard, Signals};

/// Parts that are handed out at once.
const PARTS_A_GROUP: usize = 16;

/// All signals, with channels in the order of their names.
#[derive(Debug)]
pub struct Gathered<K: EntityKey> {
    bins: Vec<Vec<Bin<K::Mixed>>>,
    channel_ranks: Vec<Vec<u32>>,
    campaign_ranks: Vec<Vec<u32>>,
    /// Names of channels by number.
    pub channels: Vec<String>,
    /// Names of campaigns by number.
    pub campaigns: Vec<String>,
    held: Held,
    bits: u32,
    rows: u64,
}

impl<K: EntityKey> Gathered<K> {
    /// Of the shards of all readers. Errors: shards of different parts; too many channels.
    pub fn new(shards: Vec<Shard<K>>) -> Result<Self, PathsError> {
        let parts = shards.first().map_or(Parts::for_rows(0), Shard::parts);
        if let Some(other) = shards.iter().find(|s| s.parts() != parts) {
            return Err(PathsError::Shape { what: "parts", got: other.parts().count(), expected: parts.count() });
        }
        let (channels, channel_ranks) = Names::rank(&shards.iter().map(|s| &s.channels).collect::<Vec<_>>());
        let (campaigns, campaign_ranks) = Names::rank(&shards.iter().map(|s| &s.campaigns).collect::<Vec<_>>());
        let held = shards.iter().fold(Held::default(), |held, s| held.or(s.held));
        let rows = shards.iter().map(Shard::rows).sum();
        let mut bins: Vec<Vec<Bin<K::Mixed>>> = (0..parts.count()).map(|_| Vec::with_capacity(shards.len())).collect();
        for shard in shards {
            bins.iter_mut().zip(shard.bins).for_each(|(bins, bin)| bins.push(bin));
        }
        Ok(Self { bins, channel_ranks, campaign_ranks, channels, campaigns, held, bits: parts.bits(), rows })
    }

    /// Number of signals.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands groups of parts to `work`, on up to `threads` threads, and gives the results in the order of the groups. What
    /// is in a group depends on the signals only.
    pub fn build<T: Send>(self, plan: &Plan, threads: usize, work: impl Fn(usize, Group<'_, K>) -> T + Sync) -> Vec<T> {
        let mut bins = self.bins.into_iter();
        let mut groups = Vec::new();
        loop {
            let parts: Vec<Vec<Bin<K::Mixed>>> = bins.by_ref().take(PARTS_A_GROUP).collect();
            if parts.is_empty() {
                break;
            }
            groups.push((groups.len(), parts));
        }
        let ranks = Ranks { channels: &self.channel_ranks, campaigns: &self.campaign_ranks };
        let (held, bits) = (self.held, self.bits);
        map_parts(groups, threads, |(number, parts)| work(number, Group { parts, ranks, held, bits, plan }))
    }
}

/// Some parts, to be built one after the other.
#[derive(Debug)]
pub struct Group<'a, K: EntityKey> {
    parts: Vec<Vec<Bin<K::Mixed>>>,
    ranks: Ranks<'a>,
    held: Held,
    bits: u32,
    plan: &'a Plan,
}

/// What was built from one part.
#[derive(Debug)]
pub struct Built<'a, K: EntityKey> {
    pub(crate) keys: &'a [K::Mixed],
    /// The signals, by person and time.
    pub signals: Signals<'a>,
    /// What the caller called each of them; empty if nothing.
    pub tags: &'a [u32],
    /// Journeys and ledgers over them.
    pub output: &'a Output,
}

impl<K: EntityKey> Built<'_, K> {
    /// Number of people.
    pub const fn people(&self) -> usize {
        self.keys.len()
    }

    /// The key of a person of the output.
    pub fn entity(&self, person: u32) -> Option<K> {
        self.keys.get(person as usize).map(|key| K::unmix(*key))
    }
}

impl<K: EntityKey> Group<'_, K> {
    /// Builds every part and shows it. Errors: see [`Builder::build`].
    pub fn each(self, mut show: impl FnMut(&Built<'_, K>)) -> Result<(), PathsError> {
        let mut sorter = Sorter::<K>::new();
        let mut columns = Sorted::<K>::new();
        let mut builder = Builder::new(self.plan);
        let mut output = Output::default();
        for part in self.parts {
            sorter.sort(part, self.ranks, self.bits)?;
            columns.fill(&sorter, self.held);
            output.clear();
            let signals = columns.signals(self.held);
            builder.build(&signals, &mut output)?;
            show(&Built { keys: &columns.keys, signals, tags: &columns.tags, output: &output });
        }
        Ok(())
    }
}

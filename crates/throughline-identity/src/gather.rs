//! One pass over the events: their tokens and the links they show.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, BinaryArray};
use throughline_core::consent::{Refusal, RemovedByConsent, Withdrawal};
use throughline_core::{ConsentState, Purpose, RunContext, SubjectToken};
use throughline_lake::{LakeError, Snapshot, columns};

use crate::error::IdentityError;
use crate::resolve::Link;
use crate::withdrawn::{Withdrawn, state_of};

/// What the events say about identifiers.
#[derive(Debug)]
pub struct Gathered {
    /// Every token, sorted; indices elsewhere point here.
    pub tokens: Vec<SubjectToken>,
    /// When each token was first seen (occurrence, µs).
    pub first_seen: Vec<i64>,
    /// Links by (a, b, source), with observations and first occurrence.
    pub links: BTreeMap<(u32, u32, String), (u64, i64)>,
    /// Events read.
    pub events: u64,
    /// Events with several identifiers, and those not linked for want of consent to linking.
    pub removed_by_consent: RemovedByConsent,
    /// Events whose identifiers were not linked because their source may not be linked.
    pub unlinked_by_source: u64,
    /// Who refuses linking now.
    pub(crate) withdrawn: Withdrawn,
}

impl Gathered {
    fn new() -> Self {
        Self {
            tokens: Vec::new(),
            first_seen: Vec::new(),
            links: BTreeMap::new(),
            events: 0,
            removed_by_consent: RemovedByConsent::new("events with several identifiers", Purpose::Linking),
            unlinked_by_source: 0,
            withdrawn: Withdrawn::default(),
        }
    }

    /// Links summed over sources, apart from those to which `bit` gives a bit: theirs stand by themselves.
    pub fn summed_links(&self, bit: impl Fn(&str) -> u64) -> Vec<Link> {
        let mut sums: BTreeMap<(u32, u32, u64), u64> = BTreeMap::new();
        for ((a, b, source), (n, _)) in &self.links {
            *sums.entry((*a, *b, bit(source))).or_default() += n;
        }
        sums.into_iter().map(|((a, b, sources), n)| Link::new(a, b, n).of(sources)).collect()
    }

    /// The index of a token.
    pub fn index_of(&self, token: SubjectToken) -> Option<usize> {
        self.tokens.binary_search(&token).ok()
    }
}

/// Reads the events known as of the run and gathers their tokens. Identifiers of one event are linked only when its
/// consent grants `linking`, none of them refuses it in another place, and its source is in none of `unlinkable`.
///
/// Memory: 24 bytes a token and about 64 bytes a distinct link.
pub async fn gather(
    events: &Snapshot,
    unlinkable: &[String],
    withdrawal: Withdrawal,
    context: &RunContext,
) -> Result<Gathered, IdentityError> {
    let withdrawn = Withdrawn::read(events, withdrawal, context).await?;
    let mut seen: HashMap<SubjectToken, i64> = HashMap::new();
    let mut links: HashMap<(SubjectToken, SubjectToken, u32), (u64, i64)> = HashMap::new();
    let mut sources: Vec<String> = Vec::new();
    let mut gathered = Gathered::new();
    let mut consents: HashMap<String, ConsentState> = HashMap::new();
    for file in events.files() {
        if context.is_cancelled() {
            return Err(IdentityError::Cancelled);
        }
        let wanted = ["source", "occurred_at", "available_at", "consent", "tokens"];
        for batch in events.read_file(file, Some(&wanted)).await? {
            let source = columns::text(&batch, "source")?;
            let occurred = columns::time(&batch, "occurred_at")?;
            let available = columns::time(&batch, "available_at")?;
            let consent = columns::text(&batch, "consent")?;
            let tokens = columns::list(&batch, "tokens")?;
            for row in 0..batch.num_rows() {
                if available.value(row) > context.as_of.micros() {
                    continue;
                }
                gathered.events += 1;
                let ids = row_tokens(tokens, row)?;
                let at = occurred.value(row);
                for id in &ids {
                    let first = seen.entry(*id).or_insert(at);
                    *first = (*first).min(at);
                }
                if ids.len() < 2 {
                    continue;
                }
                if unlinkable.iter().any(|s| s == source.value(row)) {
                    gathered.unlinked_by_source += 1;
                    continue;
                }
                let refusal = match state_of(consent.value(row), &mut consents) {
                    ConsentState::Unknown => Some(Refusal::Unknown),
                    ConsentState::Denied => Some(Refusal::Denied),
                    ConsentState::Granted => {
                        ids.iter().any(|id| withdrawn.refuses(*id, at)).then_some(Refusal::Withdrawn)
                    }
                };
                gathered.removed_by_consent.count(refusal);
                if refusal.is_some() {
                    continue;
                }
                let source_index = index_of_source(&mut sources, source.value(row));
                for other in &ids[1..] {
                    let (a, b) = (ids[0].min(*other), ids[0].max(*other));
                    let entry = links.entry((a, b, source_index)).or_insert((0, at));
                    entry.0 += 1;
                    entry.1 = entry.1.min(at);
                }
            }
        }
    }
    gathered.withdrawn = withdrawn;
    gathered.settle(seen, links, &sources)
}

impl Gathered {
    /// Turns the hash maps of the pass into sorted vectors, so that nothing depends on hashing order.
    fn settle(
        mut self,
        seen: HashMap<SubjectToken, i64>,
        links: HashMap<(SubjectToken, SubjectToken, u32), (u64, i64)>,
        sources: &[String],
    ) -> Result<Self, IdentityError> {
        let limit = u32::MAX as usize - 1;
        if seen.len() > limit {
            return Err(IdentityError::TooManyTokens { tokens: seen.len(), limit });
        }
        let mut sorted: Vec<(SubjectToken, i64)> = seen.into_iter().collect();
        sorted.sort_unstable();
        self.first_seen = sorted.iter().map(|(_, at)| *at).collect();
        self.tokens = sorted.into_iter().map(|(token, _)| token).collect();
        let mut pairs: Vec<_> = links.into_iter().collect();
        pairs.sort_unstable();
        for ((a, b, source), value) in pairs {
            if let (Some(a), Some(b)) = (self.index_of(a), self.index_of(b)) {
                // Both fit in 32 bits: checked above.
                let key = (u32::try_from(a).unwrap_or(0), u32::try_from(b).unwrap_or(0));
                self.links.insert((key.0, key.1, sources[source as usize].clone()), value);
            }
        }
        Ok(self)
    }
}

/// The number of a source.
pub(crate) fn index_of_source(sources: &mut Vec<String>, name: &str) -> u32 {
    let found = sources.iter().position(|s| s == name).unwrap_or_else(|| {
        sources.push(name.to_owned());
        sources.len() - 1
    });
    u32::try_from(found).unwrap_or(u32::MAX)
}

/// The tokens of one row of a list column.
pub(crate) fn row_tokens(tokens: &arrow::array::ListArray, row: usize) -> Result<Vec<SubjectToken>, LakeError> {
    if tokens.is_null(row) {
        return Ok(Vec::new());
    }
    let values = tokens.value(row);
    let Some(values) = values.as_any().downcast_ref::<BinaryArray>() else {
        return Err(LakeError::Schema { table: "events".into(), reason: "tokens are not binary".into() });
    };
    values.iter().flatten().map(|bytes| columns::id16(bytes).map(SubjectToken)).collect()
}

//! What stands of each person after everything they said.

use std::collections::BTreeMap;

use throughline_core::consent::{Refusal, RemovedByConsent, Standing};
use throughline_core::{Consent, ConsentState, PersonId, Purpose, Timestamp};
use throughline_decide::Action;
use throughline_lake::{LakeError, Snapshot, columns};

/// The people of one bucket of the timeline with what they said, by source.
pub(super) async fn standings(timeline: &Snapshot, bucket: &str) -> Result<BTreeMap<PersonId, Standing>, LakeError> {
    let mut out: BTreeMap<PersonId, Standing> = BTreeMap::new();
    // Sources have few different texts.
    let mut texts: BTreeMap<String, Consent> = BTreeMap::new();
    let wanted = ["person_id", "source", "occurred_at", "consent"];
    for batch in timeline.read_partition(bucket, Some(&wanted)).await? {
        let (person, source) = (columns::binary(&batch, "person_id")?, columns::text(&batch, "source")?);
        let (at, consent) = (columns::time(&batch, "occurred_at")?, columns::text(&batch, "consent")?);
        for row in 0..batch.num_rows() {
            let text = consent.value(row);
            if !texts.contains_key(text) {
                texts.insert(text.to_owned(), text.parse().unwrap_or_default());
            }
            let standing = out.entry(PersonId(columns::id16(person.value(row))?)).or_default();
            if let Some(said) = texts.get(text) {
                standing.say(source.value(row), Timestamp::from_micros(at.value(row)), said);
            }
        }
    }
    Ok(out)
}

/// For each action that needs consent and each purpose it needs: people asked about, and those whom consent excludes.
#[derive(Debug)]
pub(super) struct Excluded<'a> {
    actions: &'a [Action],
    counts: Vec<RemovedByConsent>,
}

impl<'a> Excluded<'a> {
    pub(super) fn new(actions: &'a [Action]) -> Self {
        let of_action = |action: &'a Action| {
            action.consent.iter().map(|purpose| RemovedByConsent::new(format!("people for {}", action.name), *purpose))
        };
        Self { actions, counts: actions.iter().flat_map(of_action).collect() }
    }

    /// Counts one person.
    pub(super) fn count(&mut self, consent: &Consent) {
        let needed = self.actions.iter().flat_map(|action| action.consent.iter());
        for (count, purpose) in self.counts.iter_mut().zip(needed) {
            count.count(refusal(consent, *purpose));
        }
    }

    pub(super) fn finish(self) -> Vec<RemovedByConsent> {
        self.counts
    }
}

/// Why what stands forbids a purpose.
pub(crate) fn refusal(consent: &Consent, purpose: Purpose) -> Option<Refusal> {
    match consent.state(purpose) {
        ConsentState::Granted => None,
        ConsentState::Denied => Some(Refusal::Denied),
        ConsentState::Unknown => Some(Refusal::Unknown),
    }
}

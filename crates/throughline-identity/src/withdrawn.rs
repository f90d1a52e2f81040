//! Identifiers that refused linking at some time: an event of theirs is not linked where that refusal stands, whatever
//! consent the event itself came with.

use std::collections::{BTreeMap, HashMap, HashSet};

use throughline_core::consent::Withdrawal;
use throughline_core::{Consent, ConsentState, Purpose, RunContext, SubjectToken};
use throughline_lake::{Snapshot, columns};

use crate::error::IdentityError;
use crate::gather::row_tokens;

/// What an identifier said about linking: (source, when, state), sorted.
type Statements = Vec<(u32, i64, ConsentState)>;

/// The identifiers that ever refused, with everything they said. Identifiers that never did take no memory; the others
/// 16 bytes a statement.
#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    statements: BTreeMap<SubjectToken, Statements>,
    withdrawal: Withdrawal,
}

impl Withdrawn {
    /// Reads the events known as of the run: once for who ever refused, and once more for what those said.
    pub(crate) async fn read(
        events: &Snapshot,
        withdrawal: Withdrawal,
        context: &RunContext,
    ) -> Result<Self, IdentityError> {
        let mut refused: HashSet<SubjectToken> = HashSet::new();
        let mut sources = Vec::new();
        each_statement(events, context, &mut sources, |tokens, (_, _, state)| {
            if state == ConsentState::Denied {
                refused.extend(tokens);
            }
        })
        .await?;
        let mut found = Self { statements: BTreeMap::new(), withdrawal };
        if refused.is_empty() {
            return Ok(found);
        }
        each_statement(events, context, &mut sources, |tokens, said| {
            for token in tokens.iter().filter(|token| refused.contains(token)) {
                found.statements.entry(*token).or_default().push(said);
            }
        })
        .await?;
        for said in found.statements.values_mut() {
            said.sort_unstable();
        }
        Ok(found)
    }

    /// Whether an identifier's refusal stands at an instant or, where withdrawals recompute, after all.
    pub(crate) fn refuses(&self, token: SubjectToken, at: i64) -> bool {
        let Some(said) = self.statements.get(&token) else { return false };
        denies(said, at) || self.withdrawal == Withdrawal::Recompute && denies(said, i64::MAX)
    }
}

/// Whether the latest statement of any source up to an instant is a refusal. Sorted statements of one instant end in the
/// strictest.
fn denies(said: &Statements, until: i64) -> bool {
    said.chunk_by(|a, b| a.0 == b.0).any(|of_source| {
        let heard = of_source.partition_point(|(_, at, _)| *at <= until);
        of_source[..heard].last().is_some_and(|(_, _, state)| *state == ConsentState::Denied)
    })
}

/// Calls `each` with the tokens and the statement of every event that says anything about linking.
async fn each_statement(
    events: &Snapshot,
    context: &RunContext,
    sources: &mut Vec<String>,
    mut each: impl FnMut(&[SubjectToken], (u32, i64, ConsentState)),
) -> Result<(), IdentityError> {
    let mut known: HashMap<String, ConsentState> = HashMap::new();
    for file in events.files() {
        if context.is_cancelled() {
            return Err(IdentityError::Cancelled);
        }
        let wanted = ["source", "occurred_at", "available_at", "consent", "tokens"];
        for batch in events.read_file(file, Some(&wanted)).await? {
            let (source, consent) = (columns::text(&batch, "source")?, columns::text(&batch, "consent")?);
            let (at, available) = (columns::time(&batch, "occurred_at")?, columns::time(&batch, "available_at")?);
            let tokens = columns::list(&batch, "tokens")?;
            for row in (0..batch.num_rows()).filter(|row| available.value(*row) <= context.as_of.micros()) {
                let state = state_of(consent.value(row), &mut known);
                if state != ConsentState::Unknown {
                    let source = crate::gather::index_of_source(sources, source.value(row));
                    each(&row_tokens(tokens, row)?, (source, at.value(row), state));
                }
            }
        }
    }
    Ok(())
}

/// What a consent text says about linking; one that cannot be read says nothing. Sources have few different texts.
pub(crate) fn state_of(text: &str, known: &mut HashMap<String, ConsentState>) -> ConsentState {
    if let Some(state) = known.get(text) {
        return *state;
    }
    let state = text.parse::<Consent>().unwrap_or_default().state(Purpose::Linking);
    known.insert(text.to_owned(), state);
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stands_until_its_source_agrees_again() {
        let token = SubjectToken([1; 16]);
        let mut said = vec![
            (0, 10, ConsentState::Granted),
            (1, 20, ConsentState::Denied),
            (0, 30, ConsentState::Granted),
            (1, 40, ConsentState::Granted),
            (1, 40, ConsentState::Denied),
            (1, 50, ConsentState::Granted),
            (0, 60, ConsentState::Denied),
        ];
        said.sort_unstable();
        let of = |withdrawal| Withdrawn { statements: [(token, said.clone())].into_iter().collect(), withdrawal };
        let forward = of(Withdrawal::Forward);
        let refused: Vec<bool> = [9, 10, 19, 20, 30, 40, 50, 60].map(|at| forward.refuses(token, at)).to_vec();
        assert_eq!(refused, [false, false, false, true, true, true, false, true]);
        assert!(of(Withdrawal::Recompute).refuses(token, 9));
        assert!(!forward.refuses(SubjectToken([2; 16]), 20));
    }
}

//! From a decision's entity to the tokens of the person, and to the consent as it stands now.

use std::collections::BTreeMap;

use throughline_core::{Consent, PersonId, SubjectToken, Timestamp};
use throughline_lake::{Snapshot, columns};

use crate::error::ActivateError;

/// What is known about entities at the moment of sending.
pub trait People: Sync {
    /// The tokens of an entity, the preferred one first.
    fn tokens(&self, entity_id: &str) -> Vec<SubjectToken>;

    /// What the entity said since the decision. It overrides the decision's consent where it says anything.
    fn consent(&self, entity_id: &str) -> Option<Consent> {
        let _ = entity_id;
        None
    }
}

impl<F: Fn(&str) -> Vec<SubjectToken> + Sync> People for F {
    fn tokens(&self, entity_id: &str) -> Vec<SubjectToken> {
        self(entity_id)
    }
}

/// Tokens and consents in memory: about 60 bytes per identifier.
#[derive(Debug, Clone, Default)]
pub struct Persons {
    tokens: BTreeMap<PersonId, Vec<SubjectToken>>,
    consents: BTreeMap<PersonId, Consent>,
}

impl Persons {
    /// Reads the table `persons` as of an instant: each token belongs to the person of its latest row that was valid
    /// then. A person's tokens come in order of validity, the newest first, ties by token.
    pub async fn read(persons: &Snapshot, as_of: Timestamp) -> Result<Self, ActivateError> {
        let mut owner: BTreeMap<SubjectToken, (i64, PersonId)> = BTreeMap::new();
        for batch in persons.read_all(Some(&["token", "person_id", "valid_from"])).await? {
            let (tokens, people) = (columns::binary(&batch, "token")?, columns::binary(&batch, "person_id")?);
            let since = columns::time(&batch, "valid_from")?;
            for row in (0..batch.num_rows()).filter(|row| since.value(*row) <= as_of.micros()) {
                let token = SubjectToken(columns::id16(tokens.value(row))?);
                let claim = (since.value(row), PersonId(columns::id16(people.value(row))?));
                owner.entry(token).and_modify(|known| *known = claim.max(*known)).or_insert(claim);
            }
        }
        let mut dated: BTreeMap<PersonId, Vec<(i64, SubjectToken)>> = BTreeMap::new();
        for (token, (since, person)) in owner {
            dated.entry(person).or_default().push((since, token));
        }
        let newest_first = |mut tokens: Vec<(i64, SubjectToken)>| {
            tokens.sort_by_key(|(since, token)| (std::cmp::Reverse(*since), *token));
            tokens.into_iter().map(|(_, token)| token).collect()
        };
        let tokens = dated.into_iter().map(|(person, tokens)| (person, newest_first(tokens))).collect();
        Ok(Self { tokens, consents: BTreeMap::new() })
    }

    /// Adds a token of a person, after those already known.
    pub fn insert(&mut self, person: PersonId, token: SubjectToken) {
        self.tokens.entry(person).or_default().push(token);
    }

    /// States what a person said since the decisions were made.
    pub fn set_consent(&mut self, person: PersonId, consent: Consent) {
        self.consents.insert(person, consent);
    }
}

impl People for Persons {
    fn tokens(&self, entity_id: &str) -> Vec<SubjectToken> {
        entity_id.parse().ok().and_then(|person| self.tokens.get(&person)).cloned().unwrap_or_default()
    }

    fn consent(&self, entity_id: &str) -> Option<Consent> {
        entity_id.parse().ok().and_then(|person| self.consents.get(&person)).cloned()
    }
}

//! Stable names: who keeps an id, who merged, who split.
//!
//! A component takes over the previous id of which it holds the most tokens (ties: the smaller id). An id claimed by
//! several components stays with the one that holds most of it (ties: the one with the smallest token); the others are
//! founded anew by their smallest token. Every claim that lost is recorded.

use std::collections::{BTreeMap, BTreeSet};

use throughline_core::{PersonId, SubjectToken};

/// What happened to an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IdChange {
    /// `old` is now part of `new`.
    Merged,
    /// Some tokens of `old` are now the separate person `new`.
    Split,
    /// Nothing of `old` is left: its identifiers were erased, or no source names them any more. `new` repeats `old`.
    Retired,
}

/// The ids of the components of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StableIds {
    /// Id of each component.
    pub person_of: Vec<PersonId>,
    /// (old, new, what), sorted.
    pub changes: Vec<(PersonId, PersonId, IdChange)>,
}

/// Names the components. `tokens[i]` belongs to component `component_of[i]`; `previous(token)` is the id it had.
pub fn name_people(
    tokens: &[SubjectToken],
    component_of: &[u32],
    count: u32,
    previous: impl Fn(SubjectToken) -> Option<PersonId>,
) -> StableIds {
    let mut founder: Vec<Option<SubjectToken>> = vec![None; count as usize];
    let mut held: BTreeMap<(u32, PersonId), u64> = BTreeMap::new();
    for (token, &component) in tokens.iter().zip(component_of) {
        let slot = &mut founder[component as usize];
        *slot = Some(slot.map_or(*token, |t| t.min(*token)));
        if let Some(id) = previous(*token) {
            *held.entry((component, id)).or_default() += 1;
        }
    }
    // Strongest claims first; a claim wins when neither the component nor the id is taken.
    let mut claims: Vec<(u64, SubjectToken, PersonId, u32)> = held
        .iter()
        .filter_map(|(&(component, id), &n)| founder[component as usize].map(|f| (n, f, id, component)))
        .collect();
    claims.sort_by(|x, y| y.0.cmp(&x.0).then(x.2.cmp(&y.2)).then(x.1.cmp(&y.1)));
    let mut person_of: Vec<Option<PersonId>> = vec![None; count as usize];
    let mut owner: BTreeMap<PersonId, u32> = BTreeMap::new();
    for &(_, _, id, component) in &claims {
        if person_of[component as usize].is_none() && !owner.contains_key(&id) {
            person_of[component as usize] = Some(id);
            owner.insert(id, component);
        }
    }
    let taken: BTreeSet<PersonId> = held.keys().map(|&(_, id)| id).collect();
    let person_of: Vec<PersonId> = person_of
        .into_iter()
        .zip(&founder)
        .map(|(id, founder)| id.unwrap_or_else(|| fresh_id(*founder, &taken)))
        .collect();
    let mut changes = Vec::new();
    for &(component, old) in held.keys() {
        let new = person_of[component as usize];
        if new != old {
            let change = if owner.contains_key(&old) { IdChange::Split } else { IdChange::Merged };
            changes.push((old, new, change));
        }
    }
    changes.sort_unstable();
    StableIds { person_of, changes }
}

impl StableIds {
    /// Records the ids of which nothing is left: those of `previous` that none of the present tokens had, and the `erased`
    /// ones.
    pub fn retire(&mut self, previous: impl Iterator<Item = PersonId>, erased: &[PersonId]) {
        let mut gone: BTreeSet<PersonId> = previous.chain(erased.iter().copied()).collect();
        for id in &self.person_of {
            gone.remove(id);
        }
        for (old, _, _) in &self.changes {
            gone.remove(old);
        }
        self.changes.extend(gone.into_iter().map(|id| (id, id, IdChange::Retired)));
        self.changes.sort_unstable();
    }
}

/// The founder's id, or, when another person carries that id already, the id founded by a hash of it.
fn fresh_id(founder: Option<SubjectToken>, taken: &BTreeSet<PersonId>) -> PersonId {
    let mut id = PersonId::founded_by(founder.unwrap_or(SubjectToken([0; 16])));
    while taken.contains(&id) {
        id = PersonId::founded_by(SubjectToken(id.0));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(i: u8) -> SubjectToken {
        SubjectToken([i; 16])
    }

    fn id(i: u8) -> PersonId {
        PersonId([i; 16])
    }

    #[test]
    fn unchanged_evidence_keeps_ids_and_newcomers_are_founded() {
        let tokens = [token(1), token(2), token(9)];
        let first = name_people(&tokens, &[0, 0, 1], 2, |_| None);
        let again = name_people(&tokens, &[0, 0, 1], 2, |t| {
            Some(if t == token(9) { first.person_of[1] } else { first.person_of[0] })
        });
        assert_eq!(first.person_of, again.person_of);
        assert!(again.changes.is_empty());
    }

    #[test]
    fn a_merge_keeps_the_larger_person() {
        let tokens = [token(1), token(2), token(3)];
        let named = name_people(&tokens, &[0, 0, 0], 1, |t| Some(if t == token(3) { id(7) } else { id(8) }));
        assert_eq!(named.person_of, [id(8)]);
        assert_eq!(named.changes, [(id(7), id(8), IdChange::Merged)]);
    }

    #[test]
    fn ids_of_which_nothing_is_left_are_retired() {
        let tokens = [token(1), token(2), token(3)];
        let mut named = name_people(&tokens, &[0, 0, 1], 2, |t| Some(if t == token(3) { id(7) } else { id(8) }));
        named.retire([id(7), id(8), id(9)].into_iter(), &[id(4)]);
        assert_eq!(named.changes, [(id(4), id(4), IdChange::Retired), (id(9), id(9), IdChange::Retired)]);
        // An id that merged is not gone besides.
        let mut merged = name_people(&tokens, &[0, 0, 0], 1, |t| Some(if t == token(3) { id(7) } else { id(8) }));
        merged.retire([id(7), id(8)].into_iter(), &[]);
        assert_eq!(merged.changes, [(id(7), id(8), IdChange::Merged)]);
    }

    #[test]
    fn a_split_leaves_the_id_with_the_larger_part() {
        let tokens = [token(1), token(2), token(3)];
        let named = name_people(&tokens, &[0, 0, 1], 2, |_| Some(id(7)));
        assert_eq!(named.person_of[0], id(7));
        assert_ne!(named.person_of[1], id(7));
        assert_eq!(named.changes, [(id(7), named.person_of[1], IdChange::Split)]);
    }
}

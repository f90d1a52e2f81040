//! What sources say about people: one profile for each holder and source, the latest.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroUsize;

use serde_json::{Map, Value};
use throughline_core::{Consent, Purpose, RunContext, SubjectToken};
use throughline_lake::{Snapshot, columns};
use throughline_linkage::{RawColumn, Records};
use throughline_vault::{Opening, Vault};

use crate::error::IdentityError;

/// Values opened at a time.
const CHUNK: usize = 65_536;
/// Who opens the vault.
const ACTOR: &str = "link";

/// Whose profile stands where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Holder {
    /// The place of the source's name.
    pub(crate) source: u16,
    /// The identifier that the profile is about.
    pub(crate) token: SubjectToken,
}

/// Profiles that may be compared.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    /// Names of sources, sorted.
    pub(crate) sources: Vec<String>,
    /// In order, each with where its text is sealed.
    pub(crate) holders: Vec<(Holder, SubjectToken)>,
    /// Profiles that are not compared because consent to linking was not granted.
    pub(crate) without_consent: u64,
    /// Profiles of sources that may not be linked.
    pub(crate) by_source: u64,
}

impl Profiles {
    /// Finds the latest profile of each holder and source that could be known as of the run. What was said last counts, its consent
    /// with it: a withdrawal takes the profile away.
    ///
    /// Memory: about 80 bytes a holder and source.
    pub(crate) async fn gather(
        table: &Snapshot,
        unlinkable: &[String],
        context: &RunContext,
    ) -> Result<Self, IdentityError> {
        // Source, holder → time, sealed profile, whether it may be linked.
        let mut latest: HashMap<(String, SubjectToken), (i64, SubjectToken, bool)> = HashMap::new();
        for file in table.files() {
            if context.is_cancelled() {
                return Err(IdentityError::Cancelled);
            }
            for batch in table.read_file(file, None).await? {
                let (source, consent) = (columns::text(&batch, "source")?, columns::text(&batch, "consent")?);
                let (token, profile) = (columns::binary(&batch, "token")?, columns::binary(&batch, "profile_token")?);
                let occurred = columns::time(&batch, "occurred_at")?;
                let available = columns::time(&batch, "available_at")?;
                for row in (0..batch.num_rows()).filter(|row| available.value(*row) <= context.as_of.micros()) {
                    let holder = SubjectToken(columns::id16(token.value(row))?);
                    let said = SubjectToken(columns::id16(profile.value(row))?);
                    let allowed = consent.value(row).parse::<Consent>().is_ok_and(|c| c.allows(Purpose::Linking));
                    let next = (occurred.value(row), said, allowed);
                    let entry = latest.entry((source.value(row).to_owned(), holder)).or_insert(next);
                    // Of two said at one time the one with the larger token, so that the order of files does not matter.
                    *entry = (*entry).max(next);
                }
            }
        }
        Self::settle(latest, unlinkable)
    }

    fn settle(
        latest: HashMap<(String, SubjectToken), (i64, SubjectToken, bool)>,
        unlinkable: &[String],
    ) -> Result<Self, IdentityError> {
        let mut found = Self::default();
        let mut latest: Vec<_> = latest.into_iter().collect();
        latest.sort_unstable();
        found.sources = latest.iter().map(|((source, _), _)| source.clone()).collect();
        found.sources.dedup();
        let most = usize::from(u16::MAX);
        if found.sources.len() > most {
            return Err(IdentityError::TooManySources { sources: found.sources.len(), limit: most });
        }
        for ((name, token), (_, said, allowed)) in latest {
            if unlinkable.contains(&name) {
                found.by_source += 1;
            } else if !allowed {
                found.without_consent += 1;
            } else if let Some(source) = found.place(&name) {
                found.holders.push((Holder { source, token }, said));
            }
        }
        found.holders.sort_unstable();
        Ok(found)
    }

    /// Leaves those out who refuse linking in another place.
    pub(crate) fn leave_out(&mut self, refuses: impl Fn(SubjectToken) -> bool) {
        let before = self.holders.len();
        self.holders.retain(|(holder, _)| !refuses(holder.token));
        self.without_consent += (before - self.holders.len()) as u64;
    }

    /// The place of a source's name.
    pub(crate) fn place(&self, source: &str) -> Option<u16> {
        let place = self.sources.binary_search_by(|s| s.as_str().cmp(source)).ok()?;
        u16::try_from(place).ok()
    }

    /// Opens the profiles, and the records of the openings. Erased ones have no value left and are kept as empty records.
    pub(crate) async fn open(
        &self,
        vault: &Vault,
        context: &RunContext,
        threads: NonZeroUsize,
    ) -> Result<(Records, Vec<Opening>), IdentityError> {
        let mut records = Records::default();
        let mut openings = Vec::new();
        let sealed: Vec<SubjectToken> = self.holders.iter().map(|(_, said)| *said).collect();
        for chunk in sealed.chunks(CHUNK) {
            if context.is_cancelled() {
                return Err(IdentityError::Cancelled);
            }
            let revealed = vault.reveal(chunk, Purpose::Linking, ACTOR, context.now).await?;
            openings.push(revealed.opening);
            let texts = revealed.values.iter().map(|v| v.as_ref().map_or("", |v| v.expose()));
            let columns = batch(texts);
            if columns.is_empty() { records.skip(chunk.len()) } else { records.extend(&columns, threads)? }
        }
        Ok((records, openings))
    }
}

/// Profiles as columns, by name.
fn batch<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<RawColumn> {
    let mut columns: BTreeMap<String, RawColumn> = BTreeMap::new();
    let mut count = 0;
    for text in texts {
        let fields: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        for (name, value) in &fields {
            let column = columns.entry(name.clone()).or_insert_with(|| RawColumn::new(name));
            (column.len()..count).for_each(|_| column.push(""));
            match value {
                Value::String(text) => column.push(text),
                other => column.push(&other.to_string()),
            }
        }
        count += 1;
    }
    for column in columns.values_mut() {
        (column.len()..count).for_each(|_| column.push(""));
    }
    columns.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_become_columns() {
        let texts = ["", r#"{"born":"1971-06-24","n":7}"#, "not json", r#"{"name":"Ann"}"#];
        let columns = batch(texts.into_iter());
        let told: Vec<(&str, Vec<&str>)> =
            columns.iter().map(|c| (c.name.as_str(), c.texts().collect::<Vec<_>>())).collect();
        assert_eq!(
            told,
            [("born", vec!["", "1971-06-24", "", ""]), ("n", vec!["", "7", "", ""]), ("name", vec!["", "", "", "Ann"])]
        );
    }

    #[test]
    fn what_was_said_last_counts_and_its_consent_with_it() {
        let (a, b, old, new) =
            (SubjectToken([1; 16]), SubjectToken([2; 16]), SubjectToken([8; 16]), SubjectToken([9; 16]));
        let latest = HashMap::from([
            (("crm".to_owned(), a), (1, old, true)),
            (("crm".to_owned(), b), (2, new, false)),
            (("ads".to_owned(), a), (2, new, true)),
        ]);
        let found = Profiles::settle(latest, &["ads".to_owned()]).expect("profiles");
        assert_eq!((found.without_consent, found.by_source), (1, 1));
        assert_eq!(found.holders, [(Holder { source: 1, token: a }, old)]);
        let mut found = found;
        found.leave_out(|token| token == a);
        assert_eq!((found.without_consent, found.holders.len()), (2, 0));
    }
}

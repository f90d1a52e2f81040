//! Consent as it stood when an event happened: purpose → granted, denied or unknown. Unknown is not permission.
//!
//! One file reads one signal (Google Consent Mode, IAB TCF and GPP, …) into a [`Signal`]: a state for each purpose, with
//! its basis and the reason. Three laws combine what was said, see `docs/methods/consent.md`:
//!
//! 1. two statements at one time: the strictest counts ([`Consent::strictest`]);
//! 2. statements of one source: a later one supersedes an earlier one where it says anything ([`Consent::then`]);
//! 3. statements of different sources: a denial outranks ([`Standing`]).

mod adobe;
mod bits;
mod categories;
mod consent_mode;
mod gpc;
mod gpp;
mod purpose;
mod segment;
mod signal;
mod snowplow;
mod standing;
mod tcf;
mod us_privacy;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use adobe::adobe;
pub use categories::Categories;
pub use consent_mode::{ConsentMode, gcd, gcs};
pub use gpc::gpc;
pub use gpp::{GppString, gpp};
pub use purpose::{ConsentError, ConsentState, Purpose};
pub use segment::segment;
pub use signal::{Basis, Signal, SignalError, Stance};
pub use snowplow::snowplow;
pub use standing::Standing;
pub use tcf::{Restriction, RestrictionKind, TcString, VendorSet, tcf};
pub use us_privacy::us_privacy;

/// How the text of a consent begins whose signal could not be read; the reason follows. Expressions give it, ingest keeps
/// the event with nothing granted and counts it. It is not a [`Consent`].
pub const UNREADABLE: &str = "unreadable";

/// A consent snapshot. Its text form is `purpose=state` pairs joined by `;` in purpose order; unknown purposes are left
/// out, and the single words `granted` and `denied` stand for all purposes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Consent(BTreeMap<Purpose, ConsentState>);

impl Consent {
    /// The same state for every purpose.
    pub fn all(state: ConsentState) -> Self {
        Self(Purpose::ALL.into_iter().map(|p| (p, state)).collect())
    }

    /// The state of a purpose.
    pub fn state(&self, purpose: Purpose) -> ConsentState {
        self.0.get(&purpose).copied().unwrap_or_default()
    }

    /// Whether the purpose was granted. Unknown is not permission.
    pub fn allows(&self, purpose: Purpose) -> bool {
        self.state(purpose) == ConsentState::Granted
    }

    /// Of two statements made at one time, the stricter for each purpose: a denial outranks a grant, and a purpose that
    /// only one of them speaks of is as that one says. Commutative, associative, idempotent; neutral element: the empty
    /// snapshot.
    #[must_use]
    pub fn strictest(mut self, other: &Self) -> Self {
        for (&purpose, &state) in &other.0 {
            let known = self.0.entry(purpose).or_default();
            *known = (*known).max(state);
        }
        self
    }

    /// The purposes something is known about, in their order.
    pub fn stated(&self) -> impl Iterator<Item = (Purpose, ConsentState)> {
        self.0.iter().map(|(p, s)| (*p, *s)).filter(|(_, s)| *s != ConsentState::Unknown)
    }

    /// States one purpose.
    pub fn set(&mut self, purpose: Purpose, state: ConsentState) {
        self.0.insert(purpose, state);
    }

    /// This snapshot overridden by what a later one says; what the later one does not know stays.
    #[must_use]
    pub fn then(mut self, later: &Self) -> Self {
        for (&purpose, &state) in &later.0 {
            if state != ConsentState::Unknown {
                self.0.insert(purpose, state);
            }
        }
        self
    }
}

impl FromStr for Consent {
    type Err = ConsentError;
    fn from_str(text: &str) -> Result<Self, ConsentError> {
        let text = text.trim();
        match text {
            "" | "unknown" => return Ok(Self::default()),
            "granted" => return Ok(Self::all(ConsentState::Granted)),
            "denied" => return Ok(Self::all(ConsentState::Denied)),
            _ => {}
        }
        let mut states = BTreeMap::new();
        for pair in text.split(';').filter(|p| !p.trim().is_empty()) {
            let (purpose, state) = pair.split_once('=').unwrap_or((pair, "granted"));
            let state = match state.trim() {
                "granted" => ConsentState::Granted,
                "denied" => ConsentState::Denied,
                "unknown" => ConsentState::Unknown,
                other => return Err(ConsentError::UnknownState { name: other.to_owned() }),
            };
            states.insert(purpose.trim().parse()?, state);
        }
        Ok(Self(states))
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (purpose, state) in &self.0 {
            let word = match state {
                ConsentState::Granted => "granted",
                ConsentState::Denied => "denied",
                ConsentState::Unknown => continue,
            };
            if !first {
                f.write_str(";")?;
            }
            first = false;
            write!(f, "{purpose}={word}")?;
        }
        Ok(())
    }
}

impl TryFrom<String> for Consent {
    type Error = ConsentError;
    fn try_from(text: String) -> Result<Self, ConsentError> {
        text.parse()
    }
}

impl From<Consent> for String {
    fn from(c: Consent) -> Self {
        c.to_string()
    }
}

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
mod usage;

#[cfg(test)]
mod tests;

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
pub use usage::{Hearing, Refusal, RemovedByConsent, Said, Withdrawal, judge};

/// How the text of a consent begins whose signal could not be read; the reason follows. Expressions give it, ingest keeps
/// the event with nothing granted and counts it. It is not a [`Consent`].
pub const UNREADABLE: &str = "unreadable";

/// A consent snapshot. Its text form is `purpose=state` pairs joined by `;` in purpose order; unknown purposes are left
/// out, and the single words `granted` and `denied` stand for all purposes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Consent([ConsentState; Purpose::ALL.len()]);

impl Consent {
    /// The same state for every purpose.
    pub const fn all(state: ConsentState) -> Self {
        Self([state; Purpose::ALL.len()])
    }

    /// The state of a purpose.
    pub const fn state(&self, purpose: Purpose) -> ConsentState {
        self.0[purpose.index()]
    }

    /// Whether the purpose was granted. Unknown is not permission.
    pub fn allows(&self, purpose: Purpose) -> bool {
        self.state(purpose) == ConsentState::Granted
    }

    /// States one purpose.
    pub const fn set(&mut self, purpose: Purpose, state: ConsentState) {
        self.0[purpose.index()] = state;
    }

    /// The purposes something is known about, in their order.
    pub fn stated(&self) -> impl Iterator<Item = (Purpose, ConsentState)> {
        let states = Purpose::ALL.into_iter().zip(self.0);
        states.filter(|(_, state)| *state != ConsentState::Unknown)
    }

    /// Of two statements made at one time, the stricter for each purpose: a denial outranks a grant, and a purpose that
    /// only one of them speaks of is as that one says. Commutative, associative, idempotent; neutral element: the empty
    /// snapshot.
    #[must_use]
    pub fn strictest(self, other: &Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].max(other.0[i])))
    }

    /// This snapshot overridden by what a later one says; what the later one does not know stays.
    #[must_use]
    pub fn then(mut self, later: &Self) -> Self {
        for (purpose, state) in later.stated() {
            self.set(purpose, state);
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
        let mut consent = Self::default();
        for pair in text.split(';').filter(|p| !p.trim().is_empty()) {
            let (purpose, state) = pair.split_once('=').unwrap_or((pair, "granted"));
            consent.set(purpose.trim().parse()?, state.trim().parse()?);
        }
        Ok(consent)
    }
}

impl fmt::Display for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (purpose, state)) in self.stated().enumerate() {
            let separator = if n == 0 { "" } else { ";" };
            write!(f, "{separator}{purpose}={}", state.name())?;
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

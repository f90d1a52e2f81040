//! What a consent signal says: a state for each purpose, on which basis, and why.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::{Consent, ConsentState, Purpose};

/// The ground on which a purpose is granted or denied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// None: nothing was said.
    #[default]
    None,
    /// The person agreed or refused.
    Consent,
    /// A legitimate interest that was made known and not objected to.
    LegitimateInterest,
    /// A regime in which use is permitted until the person opts out (states of the USA).
    OptOut,
}

impl Basis {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Consent => "consent",
            Self::LegitimateInterest => "legitimate_interest",
            Self::OptOut => "opt_out",
        }
    }
}

/// What a signal says about one purpose. The order makes [`Signal::strictest`] lawful: the greater of two stances counts,
/// by state first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Default)]
pub struct Stance {
    /// Granted, denied or unknown.
    pub state: ConsentState,
    /// On which ground.
    pub basis: Basis,
    /// Which field of the signal says so, in words.
    pub why: Cow<'static, str>,
}

impl Stance {
    /// A grant.
    pub fn granted(basis: Basis, why: impl Into<Cow<'static, str>>) -> Self {
        Self { state: ConsentState::Granted, basis, why: why.into() }
    }

    /// A denial.
    pub fn denied(basis: Basis, why: impl Into<Cow<'static, str>>) -> Self {
        Self { state: ConsentState::Denied, basis, why: why.into() }
    }

    /// No statement that would permit.
    pub fn unknown(why: impl Into<Cow<'static, str>>) -> Self {
        Self { state: ConsentState::Unknown, basis: Basis::None, why: why.into() }
    }

    /// What holds when a use needs several permissions at once: denied when one of them is, granted when all are, else
    /// unknown. The first that decides gives basis and reason; of grants the weakest basis is told, so that a use resting
    /// on a legitimate interest is not called consented.
    pub fn all_of(parts: impl IntoIterator<Item = Self>) -> Self {
        let rank = |stance: &Self| match stance.state {
            ConsentState::Denied => (0, Basis::None),
            ConsentState::Unknown => (1, Basis::None),
            ConsentState::Granted => (2, stance.basis),
        };
        // Later bases are weaker, so among grants the greatest basis is wanted, and the first part of equal ones.
        let decides = |best: Self, next: Self| match (rank(&best), rank(&next)) {
            ((2, a), (2, b)) if b > a => next,
            ((a, _), (b, _)) if b < a => next,
            _ => best,
        };
        parts.into_iter().reduce(decides).unwrap_or_default()
    }
}

/// A signal that was read. Purposes it does not speak of are absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Signal(BTreeMap<Purpose, Stance>);

impl Signal {
    /// A signal out of stances; of two for one purpose the strictest counts.
    pub fn new(stances: impl IntoIterator<Item = (Purpose, Stance)>) -> Self {
        let mut signal = Self::default();
        for (purpose, stance) in stances {
            signal.add(purpose, stance);
        }
        signal
    }

    /// Adds a stance; the strictest counts.
    pub fn add(&mut self, purpose: Purpose, stance: Stance) {
        let known = self.0.entry(purpose).or_default();
        if stance > *known {
            *known = stance;
        }
    }

    /// What it says about a purpose; `None` when it is silent.
    pub fn stance(&self, purpose: Purpose) -> Option<&Stance> {
        self.0.get(&purpose)
    }

    /// Every stance, in the order of purposes.
    pub fn stances(&self) -> impl Iterator<Item = (Purpose, &Stance)> {
        self.0.iter().map(|(purpose, stance)| (*purpose, stance))
    }

    /// The states alone.
    pub fn consent(&self) -> Consent {
        let mut consent = Consent::default();
        for (purpose, stance) in &self.0 {
            if stance.state != ConsentState::Unknown {
                consent.set(*purpose, stance.state);
            }
        }
        consent
    }

    /// Two signals at one time: the strictest for each purpose. Commutative, associative, idempotent.
    #[must_use]
    pub fn strictest(mut self, other: &Self) -> Self {
        for (purpose, stance) in &other.0 {
            self.add(*purpose, stance.clone());
        }
        self
    }

    /// The same with every grant turned into silence: for signals that may not permit, but may forbid.
    #[must_use]
    pub(super) fn without_grants(mut self, why: &'static str) -> Self {
        for stance in self.0.values_mut().filter(|s| s.state == ConsentState::Granted) {
            *stance = Stance::unknown(why);
        }
        self
    }
}

/// A signal that cannot be read. The messages never quote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignalError {
    /// A character outside base64url.
    #[error("{what} is not base64url text")]
    Encoding {
        /// Which string.
        what: &'static str,
    },
    /// The string ends within a field.
    #[error("{what} has {bits} bits and ends within the field {field}")]
    TooShort {
        /// Which string.
        what: &'static str,
        /// The field that was being read.
        field: &'static str,
        /// Bits there are.
        bits: usize,
    },
    /// A version or type this library does not read.
    #[error("{what} has version {found}, known is {known}")]
    Version {
        /// Which string.
        what: &'static str,
        /// The version found.
        found: u32,
        /// The versions read.
        known: &'static str,
    },
    /// A field holds a value it may not have.
    #[error("the field {field} of {what} has the value {found}, expected {expected}")]
    Value {
        /// Which signal.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// The value found, for numbers only; texts are not quoted.
        found: u32,
        /// What it may be.
        expected: &'static str,
    },
    /// A text holds a word it may not have.
    #[error("{field} of {what} is none of {expected}")]
    Word {
        /// Which signal.
        what: &'static str,
        /// The field.
        field: &'static str,
        /// What it may be.
        expected: &'static str,
    },
    /// The text has another shape.
    #[error("{what} has not the form {expected}")]
    Form {
        /// Which signal.
        what: &'static str,
        /// The expected form.
        expected: &'static str,
    },
    /// The header of a GPP string names more or fewer sections than it has.
    #[error("the header names {named} sections, the string has {found}")]
    Sections {
        /// Sections the header names.
        named: usize,
        /// Sections there are.
        found: usize,
    },
}

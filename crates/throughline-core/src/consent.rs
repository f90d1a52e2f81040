//! Consent as it stood when an event happened: purpose → granted, denied or unknown. Unknown is not permission.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What personal data may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Purpose {
    /// Measuring and attributing.
    Measurement,
    /// Linking signals of one person across sources.
    Linking,
    /// Choosing content or offers for a person.
    Personalisation,
    /// Sending to advertising platforms.
    Advertising,
    /// Writing to a person by e-mail, SMS or post.
    Messaging,
}

/// The state of one purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Nobody said; treated as no permission.
    #[default]
    Unknown,
    /// Refused or withdrawn.
    Denied,
    /// Given.
    Granted,
}

impl ConsentState {
    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Denied => "denied",
            Self::Granted => "granted",
        }
    }
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] =
        [Self::Measurement, Self::Linking, Self::Personalisation, Self::Advertising, Self::Messaging];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measurement => "measurement",
            Self::Linking => "linking",
            Self::Personalisation => "personalisation",
            Self::Advertising => "advertising",
            Self::Messaging => "messaging",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A consent text that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    /// No such purpose.
    #[error("unknown consent purpose `{name}` (known: measurement, linking, personalisation, advertising, messaging)")]
    UnknownPurpose {
        /// What was given.
        name: String,
    },
    /// No such state.
    #[error("unknown consent state `{name}` (known: granted, denied, unknown)")]
    UnknownState {
        /// What was given.
        name: String,
    },
}

impl FromStr for Purpose {
    type Err = ConsentError;
    fn from_str(text: &str) -> Result<Self, ConsentError> {
        Self::ALL
            .into_iter()
            .find(|p| p.name() == text)
            .ok_or_else(|| ConsentError::UnknownPurpose { name: text.to_owned() })
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_permission() -> Result<(), ConsentError> {
        let consent: Consent = "messaging=granted;advertising=denied".parse()?;
        assert!(consent.allows(Purpose::Messaging));
        assert!(!consent.allows(Purpose::Advertising));
        assert!(!consent.allows(Purpose::Measurement));
        assert_eq!(consent.to_string(), "advertising=denied;messaging=granted");
        assert_eq!(consent.to_string().parse::<Consent>()?, consent);
        Ok(())
    }

    #[test]
    fn a_withdrawal_outranks_an_earlier_grant() -> Result<(), ConsentError> {
        let before: Consent = "granted".parse()?;
        let after = before.then(&"messaging=denied".parse()?);
        assert!(!after.allows(Purpose::Messaging) && after.allows(Purpose::Linking));
        assert!("messaging=perhaps".parse::<Consent>().is_err());
        assert!("mail=granted".parse::<Consent>().is_err());
        Ok(())
    }
}

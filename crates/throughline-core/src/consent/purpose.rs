//! What data may be used for, and what was said about it.

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

/// The state of one purpose, ordered by which of two statements counts: a denial outranks a grant, and saying something
/// outranks silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Nobody said; treated as no permission.
    #[default]
    Unknown,
    /// Given.
    Granted,
    /// Refused or withdrawn.
    Denied,
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

    /// Its position in [`Purpose::ALL`].
    pub(super) const fn index(self) -> usize {
        self as usize
    }

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

impl FromStr for ConsentState {
    type Err = ConsentError;
    fn from_str(text: &str) -> Result<Self, ConsentError> {
        match text {
            "granted" => Ok(Self::Granted),
            "denied" => Ok(Self::Denied),
            "unknown" => Ok(Self::Unknown),
            other => Err(ConsentError::UnknownState { name: other.to_owned() }),
        }
    }
}

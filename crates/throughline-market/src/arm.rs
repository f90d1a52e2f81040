//! The arms of the e-mail test and the actions of a policy: the same three.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is done to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// Nothing is sent.
    None,
    /// An e-mail with a discount.
    EmailOffer,
    /// An e-mail with news.
    EmailNews,
}

impl Arm {
    /// Every arm.
    pub const ALL: [Self; 3] = [Self::None, Self::EmailOffer, Self::EmailNews];

    /// The name used in files and decisions.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::EmailOffer => "email_offer",
            Self::EmailNews => "email_news",
        }
    }

    /// The position in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the arms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown action `{name}` (known: none, email_offer, email_news)")]
pub struct UnknownAction {
    /// What was given.
    pub name: String,
}

impl FromStr for Arm {
    type Err = UnknownAction;
    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        Self::ALL.into_iter().find(|a| a.name() == text).ok_or_else(|| UnknownAction { name: text.to_owned() })
    }
}

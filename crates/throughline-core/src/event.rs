//! Event kinds and the part each plays on the line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The standardised kinds of signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventKind {
    /// An advertisement was shown.
    Impression,
    /// An advertisement was clicked.
    Click,
    /// A visit (session start).
    Visit,
    /// A page was viewed.
    PageView,
    /// A phone call.
    Call,
    /// An e-mail was sent.
    EmailSent,
    /// An e-mail was opened.
    EmailOpened,
    /// A link in an e-mail was clicked.
    EmailClicked,
    /// A visit to a store.
    StoreVisit,
    /// A purchase, with value.
    Purchase,
    /// A registration.
    Signup,
    /// Money given back, with value.
    Refund,
    /// A person was assigned to an arm of an experiment.
    Assignment,
    /// A record about a person (CRM row, attributes at a time).
    Profile,
    /// Anything else, named by the `name` column.
    Custom,
}

/// What a kind is on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventRole {
    /// Something the business did to or with the person; may earn credit.
    Touch,
    /// Something the person did that a project may declare a conversion.
    Outcome,
    /// Context: profiles and assignments.
    Context,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Impression,
        Self::Click,
        Self::Visit,
        Self::PageView,
        Self::Call,
        Self::EmailSent,
        Self::EmailOpened,
        Self::EmailClicked,
        Self::StoreVisit,
        Self::Purchase,
        Self::Signup,
        Self::Refund,
        Self::Assignment,
        Self::Profile,
        Self::Custom,
    ];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Impression => "impression",
            Self::Click => "click",
            Self::Visit => "visit",
            Self::PageView => "page_view",
            Self::Call => "call",
            Self::EmailSent => "email_sent",
            Self::EmailOpened => "email_opened",
            Self::EmailClicked => "email_clicked",
            Self::StoreVisit => "store_visit",
            Self::Purchase => "purchase",
            Self::Signup => "signup",
            Self::Refund => "refund",
            Self::Assignment => "assignment",
            Self::Profile => "profile",
            Self::Custom => "custom",
        }
    }

    /// The part this kind plays.
    pub const fn role(self) -> EventRole {
        match self {
            Self::Purchase | Self::Signup | Self::Refund => EventRole::Outcome,
            Self::Assignment | Self::Profile | Self::Custom => EventRole::Context,
            _ => EventRole::Touch,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the known kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown event kind `{name}`")]
pub struct UnknownEventKind {
    /// What was given.
    pub name: String,
}

impl FromStr for EventKind {
    type Err = UnknownEventKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownEventKind { name: text.to_owned() })
    }
}

//! How a person met a channel: what windows and precedence look at.

use serde::{Deserialize, Serialize};
use throughline_core::{EventKind, EventRole};

/// The interaction behind a touch. The other names are accepted in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Interaction {
    /// An advertisement was clicked.
    #[serde(alias = "click_through")]
    Click,
    /// An advertisement was shown.
    #[serde(alias = "impression", alias = "view_through")]
    View,
    /// A video advertisement was watched, and not clicked.
    EngagedView,
    /// A visit of the site or the app.
    Visit,
    /// A page was viewed.
    PageView,
    /// A phone call.
    Call,
    /// A message was sent.
    #[serde(alias = "email_sent")]
    MessageSent,
    /// A message was opened.
    #[serde(alias = "email_opened")]
    MessageOpened,
    /// A link in a message was clicked.
    #[serde(alias = "email_clicked")]
    MessageClicked,
    /// A visit of a store.
    StoreVisit,
    /// Anything else.
    #[default]
    Other,
}

impl Interaction {
    /// Every interaction; the place is the number in columns.
    pub const ALL: [Self; 11] = [
        Self::Click,
        Self::View,
        Self::EngagedView,
        Self::Visit,
        Self::PageView,
        Self::Call,
        Self::MessageSent,
        Self::MessageOpened,
        Self::MessageClicked,
        Self::StoreVisit,
        Self::Other,
    ];

    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Click => "click",
            Self::View => "view",
            Self::EngagedView => "engaged_view",
            Self::Visit => "visit",
            Self::PageView => "page_view",
            Self::Call => "call",
            Self::MessageSent => "message_sent",
            Self::MessageOpened => "message_opened",
            Self::MessageClicked => "message_clicked",
            Self::StoreVisit => "store_visit",
            Self::Other => "other",
        }
    }

    /// The number in columns.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Of a number in a column; numbers beyond the last are [`Other`](Self::Other).
    pub fn from_code(code: u8) -> Self {
        Self::ALL.get(usize::from(code)).copied().unwrap_or_default()
    }

    /// Of a name in a file, one of ours or the kind of an event.
    pub fn from_name(name: &str) -> Option<Self> {
        let named = Self::ALL.into_iter().find(|i| i.name() == name);
        named.or_else(|| match name {
            "click_through" => Some(Self::Click),
            "view_through" => Some(Self::View),
            _ => name.parse::<EventKind>().ok().and_then(Self::of),
        })
    }

    /// Of the kind of an event; `None` for kinds that are no touch.
    pub fn of(kind: EventKind) -> Option<Self> {
        match kind {
            EventKind::Click => Some(Self::Click),
            EventKind::Impression => Some(Self::View),
            EventKind::Visit => Some(Self::Visit),
            EventKind::PageView => Some(Self::PageView),
            EventKind::Call => Some(Self::Call),
            EventKind::EmailSent => Some(Self::MessageSent),
            EventKind::EmailOpened => Some(Self::MessageOpened),
            EventKind::EmailClicked => Some(Self::MessageClicked),
            EventKind::StoreVisit => Some(Self::StoreVisit),
            kind => (kind.role() == EventRole::Touch).then_some(Self::Other),
        }
    }

    /// 0 for a view, 1 for an engaged view, 2 for what a person did: a higher one outranks a lower one where a
    /// configuration says so.
    pub const fn rank(self) -> u8 {
        match self {
            Self::View => 0,
            Self::EngagedView => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_places_in_the_list() {
        for (place, interaction) in Interaction::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(interaction.code()), place);
            assert_eq!(Interaction::from_code(interaction.code()), interaction);
            assert_eq!(Interaction::from_name(interaction.name()), Some(interaction));
            let written = serde_json::to_value(interaction).expect("a name");
            assert_eq!(written, interaction.name());
        }
        assert_eq!(Interaction::from_code(200), Interaction::Other);
        assert_eq!(Interaction::from_name("email_opened"), Some(Interaction::MessageOpened));
        assert_eq!(Interaction::from_name("purchase"), None);
        let touches = EventKind::ALL.into_iter().filter(|k| k.role() == EventRole::Touch);
        assert!(touches.into_iter().all(|k| Interaction::of(k).is_some_and(|i| i != Interaction::Other)));
    }
}

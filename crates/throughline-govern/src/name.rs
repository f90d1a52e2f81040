//! Closed sets of names: one declaration gives the enum, its texts, and reading with a suggestion.

use throughline_core::diagnostic::closest;

use crate::GovernError;

/// `named! { /// doc⏎ Name, "what it is", { /// doc⏎ Variant = "text", … } }`
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in files, in stores and on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::GovernError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let found = Self::ALL.iter().find(|known| known.name() == text);
                found.copied().ok_or_else(|| $crate::name::unknown($what, text, Self::ALL.iter().map(|n| n.name())))
            }
        }
    };
}
pub(crate) use named;

/// The answer to a name outside the set.
pub(crate) fn unknown<'a>(what: &'static str, name: &str, known: impl Iterator<Item = &'a str> + Clone) -> GovernError {
    GovernError::UnknownName {
        what,
        name: name.to_owned(),
        known: known.clone().collect::<Vec<_>>().join(", "),
        suggestion: closest(name, known).map(str::to_owned),
    }
}

/// `finance, legal`, or `none`.
pub(crate) fn list<T: std::fmt::Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

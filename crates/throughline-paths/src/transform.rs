//! Transforms of the path in Snowplow's semantics, over channel numbers.
//!
//! Definitions: the path transforms of Google's and Snowplow's fractribution packages (Apache-2.0), whose examples are
//! the tests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::PathsError;

/// One transform of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum Transform {
    /// The path as it is (`unique` in fractribution, `none` in older files).
    Unique,
    /// Runs of one channel count once: D A B B C C → D A B C.
    Exposure,
    /// Each channel counts once, where it first stood: D A B D → D A B.
    First,
    /// As `First`; how often the channel stood in the path is beside the step: D A B D → D(2) A(1) B(1).
    Frequency,
    /// Drops a channel everywhere, unless the path has nothing else.
    RemoveIfNotAll(String),
    /// Drops a channel from the end of the path, unless the path has nothing else.
    RemoveIfLastAndNotAll(String),
}

const KNOWN: [&str; 7] =
    ["none", "unique", "exposure", "first", "frequency", "remove_if_not_all", "remove_if_last_and_not_all"];

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unique => f.write_str("none"),
            Self::Exposure => f.write_str("exposure"),
            Self::First => f.write_str("first"),
            Self::Frequency => f.write_str("frequency"),
            Self::RemoveIfNotAll(channel) => write!(f, "remove_if_not_all:{channel}"),
            Self::RemoveIfLastAndNotAll(channel) => write!(f, "remove_if_last_and_not_all:{channel}"),
        }
    }
}

impl FromStr for Transform {
    type Err = PathsError;

    fn from_str(text: &str) -> Result<Self, PathsError> {
        let (name, channel) = text.split_once(':').map_or((text, None), |(n, c)| (n, Some(c.trim())));
        let name = name.trim();
        match (name, channel.filter(|c| !c.is_empty())) {
            ("none" | "unique", None) => Ok(Self::Unique),
            ("exposure", None) => Ok(Self::Exposure),
            ("first", None) => Ok(Self::First),
            ("frequency", None) => Ok(Self::Frequency),
            ("remove_if_not_all", Some(channel)) => Ok(Self::RemoveIfNotAll(channel.to_owned())),
            ("remove_if_last_and_not_all", Some(channel)) => Ok(Self::RemoveIfLastAndNotAll(channel.to_owned())),
            _ => Err(PathsError::UnknownTransform {
                given: text.chars().take(80).collect(),
                suggestion: throughline_core::diagnostic::closest(name, KNOWN).map(str::to_owned),
            }),
        }
    }
}

impl TryFrom<String> for Transform {
    type Error = PathsError;
    fn try_from(text: String) -> Result<Self, PathsError> {
        text.parse()
    }
}

impl From<Transform> for String {
    fn from(transform: Transform) -> Self {
        transform.to_string()
    }
}

/// One transform or several in order; a single one may be written without a list.
pub(crate) mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Transform;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Transform>, D::Error> {
        let texts = match OneOrMany::deserialize(from)? {
            OneOrMany::One(text) => vec![text],
            OneOrMany::Many(texts) => texts,
        };
        texts.iter().map(|t| t.parse().map_err(serde::de::Error::custom)).collect()
    }

    pub(crate) fn serialize<S: Serializer>(transforms: &[Transform], to: S) -> Result<S::Ok, S::Error> {
        match transforms {
            [] => Transform::Unique.serialize(to),
            [one] => one.serialize(to),
            many => many.serialize(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in
            ["none", "exposure", "first", "frequency", "remove_if_not_all:A b:c", "remove_if_last_and_not_all:D"]
        {
            assert_eq!(text.parse::<Transform>().map(|t| t.to_string()).as_deref(), Ok(text));
        }
        assert_eq!("unique".parse(), Ok(Transform::Unique));
        let error = "exposre".parse::<Transform>().expect_err("unknown").to_string();
        assert_eq!(error, "`exposre` is no path transform: did you mean `exposure`?");
        for text in ["remove_if_not_all", "remove_if_not_all: ", "first:A", ""] {
            assert!(text.parse::<Transform>().is_err(), "{text}");
        }
    }
}

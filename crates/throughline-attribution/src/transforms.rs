//! Path transforms: what repeats of a channel count for, decided before any model sees the path.
//!
//! Definitions: the `path transforms` of Google's and Snowplow's fractribution packages (Apache-2.0), whose examples
//! are the tests.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::AttributionError;

/// One transform of a path. Apply several in order with [`Transform::apply_all`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transform {
    /// The path as it is (called `unique_path` in fractribution).
    Unique,
    /// Runs of one channel count once: D A B B C C → D A B C.
    Exposure,
    /// Each channel counts once, where it first stood: D A B D → D A B.
    First,
    /// As `First`, with the number of occurrences in the name: D A B D → D(2) A(1) B(1).
    Frequency,
    /// Drops a channel everywhere, unless the path has nothing else.
    RemoveIfNotAll(String),
    /// Drops a channel from the end of the path, unless the path has nothing else.
    RemoveIfLastAndNotAll(String),
}

const KNOWN: [&str; 6] =
    ["unique", "exposure", "first", "frequency", "remove_if_not_all", "remove_if_last_and_not_all"];

impl Transform {
    /// The indices of the steps that stay, ascending. Times and other columns of the touches follow these.
    pub fn kept<S: AsRef<str>>(&self, steps: &[S]) -> Vec<usize> {
        let name = |i: usize| steps[i].as_ref();
        let all = 0..steps.len();
        match self {
            Self::Unique => all.collect(),
            Self::Exposure => all.filter(|&i| i == 0 || name(i) != name(i - 1)).collect(),
            Self::First | Self::Frequency => {
                let mut seen = std::collections::BTreeSet::new();
                all.filter(|&i| seen.insert(name(i))).collect()
            }
            Self::RemoveIfNotAll(channel) => {
                let rest: Vec<usize> = all.clone().filter(|&i| name(i) != channel).collect();
                if rest.is_empty() { all.collect() } else { rest }
            }
            Self::RemoveIfLastAndNotAll(channel) => match all.clone().rposition(|i| name(i) != channel) {
                Some(last) => (0..=last).collect(),
                None => all.collect(),
            },
        }
    }

    /// The transformed path.
    pub fn apply<'a>(&self, steps: &[Cow<'a, str>]) -> Vec<Cow<'a, str>> {
        let kept = self.kept(steps).into_iter().map(|i| &steps[i]);
        match self {
            Self::Frequency => {
                let mut counts = std::collections::BTreeMap::<&str, usize>::new();
                for step in steps {
                    *counts.entry(step.as_ref()).or_default() += 1;
                }
                kept.map(|s| Cow::Owned(format!("{s}({})", counts.get(s.as_ref()).copied().unwrap_or(1)))).collect()
            }
            _ => kept.cloned().collect(),
        }
    }

    /// Applies transforms in order.
    pub fn apply_all<'a>(transforms: &[Self], steps: &[Cow<'a, str>]) -> Vec<Cow<'a, str>> {
        transforms.iter().fold(steps.to_vec(), |path, transform| transform.apply(&path))
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unique => f.write_str("unique"),
            Self::Exposure => f.write_str("exposure"),
            Self::First => f.write_str("first"),
            Self::Frequency => f.write_str("frequency"),
            Self::RemoveIfNotAll(channel) => write!(f, "remove_if_not_all:{channel}"),
            Self::RemoveIfLastAndNotAll(channel) => write!(f, "remove_if_last_and_not_all:{channel}"),
        }
    }
}

impl FromStr for Transform {
    type Err = AttributionError;

    /// Reads `exposure`, `remove_if_not_all:Direct` and so on, as [`Display`](fmt::Display) writes them.
    fn from_str(text: &str) -> Result<Self, AttributionError> {
        let (name, channel) = text.split_once(':').map_or((text, None), |(n, c)| (n, Some(c.trim())));
        let name = name.trim();
        let channel = channel.filter(|c| !c.is_empty());
        match (name, channel) {
            ("unique", None) => Ok(Self::Unique),
            ("exposure", None) => Ok(Self::Exposure),
            ("first", None) => Ok(Self::First),
            ("frequency", None) => Ok(Self::Frequency),
            ("remove_if_not_all", Some(channel)) => Ok(Self::RemoveIfNotAll(channel.to_owned())),
            ("remove_if_last_and_not_all", Some(channel)) => Ok(Self::RemoveIfLastAndNotAll(channel.to_owned())),
            _ => Err(AttributionError::UnknownTransform {
                given: text.chars().take(80).collect(),
                suggestion: throughline_core::diagnostic::closest(name, KNOWN).map(str::to_owned),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(transform: &str, path: &str, expect: &str) {
        let transform: Transform = transform.parse().expect("a transform");
        let steps = crate::parse_path(path, " ");
        assert_eq!(transform.apply(&steps).join(" "), expect, "{transform} of {path}");
    }

    #[test]
    fn transforms() {
        check("exposure", "A", "A");
        check("first", "A A A", "A");
        check("frequency", "A B A", "A(2) B(1)");
        check("remove_if_not_all:A", "A A", "A A");
        check("remove_if_not_all:X", "A B", "A B");
        check("remove_if_last_and_not_all:A", "A A", "A A");
        check("remove_if_last_and_not_all:A", "A B", "A B");
    }

    #[test]
    fn a_chain_of_transforms() {
        let chain = ["remove_if_not_all:D", "exposure"].map(|t| t.parse().expect("a transform"));
        let steps = crate::parse_path("D A D A B", " ");
        assert_eq!(Transform::apply_all(&chain, &steps), ["A", "B"]);
        assert!(Transform::apply_all(&chain, &[]).is_empty());
    }

    #[test]
    fn unknown_transforms_suggest() {
        let error = "exposre".parse::<Transform>().expect_err("unknown").to_string();
        assert!(error.contains("did you mean `exposure`?"), "{error}");
        assert!("remove_if_not_all".parse::<Transform>().is_err());
        assert!("first:A".parse::<Transform>().is_err());
    }
}

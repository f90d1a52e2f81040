//! `linking` of `throughline.yaml`: which sources may be linked for which purpose.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Purpose};

use super::Project;

/// Sources that rules may name: people are joined by a bit for each.
const MOST_NAMED: usize = 64;

/// What a purpose permits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkingConfig {
    /// The sources that may be linked for it; all where nothing is said.
    #[serde(default)]
    pub sources: Option<Vec<String>>,
    /// Pairs of sources that may not be linked with each other.
    #[serde(default)]
    pub never: Vec<[String; 2]>,
}

/// A link that may not be made, and what forbids it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ForbiddenLink {
    /// One source that is linked with nothing, or two that are not linked with each other.
    pub sources: Vec<String>,
    /// The purposes that forbid it, the source itself (`linkable: false`), or `identity.yaml` (profiles are not compared).
    pub forbidden_by: BTreeSet<String>,
}

/// What may not be linked. People are one graph for every purpose, so what one purpose forbids is linked for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    alone: BTreeMap<String, BTreeSet<String>>,
    never: BTreeMap<[String; 2], BTreeSet<String>>,
}

impl Permissions {
    fn of(rules: &BTreeMap<Purpose, LinkingConfig>, sources: &[&str]) -> Self {
        let mut permissions = Self::default();
        for (purpose, rule) in rules {
            for source in sources.iter().filter(|s| rule.sources.as_ref().is_some_and(|p| !p.iter().any(|x| x == **s)))
            {
                permissions.alone.entry((*source).to_owned()).or_default().insert(purpose.name().to_owned());
            }
            for pair in &rule.never {
                permissions.never.entry(ordered(pair)).or_default().insert(purpose.name().to_owned());
            }
        }
        permissions
    }

    /// Sources that are linked with nothing.
    pub fn unlinkable_names(&self) -> Vec<String> {
        self.alone.keys().cloned().collect()
    }

    /// Pairs of sources that are not linked with each other.
    pub fn never_pairs(&self) -> Vec<[String; 2]> {
        self.never.keys().cloned().collect()
    }
}

fn ordered([a, b]: &[String; 2]) -> [String; 2] {
    if a <= b { [a.clone(), b.clone()] } else { [b.clone(), a.clone()] }
}

impl Project {
    /// What may not be linked.
    pub fn permissions(&self) -> Permissions {
        let names: Vec<&str> = self.sources.iter().map(|s| s.value.name.value.as_str()).collect();
        let mut permissions = Permissions::of(&self.config.value.linking, &names);
        for source in self.sources.iter().filter(|s| !s.value.linkable) {
            let name = source.value.name.value.clone();
            permissions.alone.entry(name).or_default().insert("the source".into());
        }
        permissions
    }

    /// Every link that may not be made, for reports: also profiles that `identity.yaml` keeps from being compared.
    pub fn forbidden_links(&self) -> Vec<ForbiddenLink> {
        let Permissions { alone, mut never } = self.permissions();
        for pair in &self.identity.value.matching.never_compare {
            never.entry(ordered(pair)).or_default().insert("identity.yaml".into());
        }
        let alone = alone.into_iter().map(|(s, forbidden_by)| ForbiddenLink { sources: vec![s], forbidden_by });
        let never = never.into_iter().map(|(pair, forbidden_by)| ForbiddenLink { sources: pair.into(), forbidden_by });
        alone.chain(never).collect()
    }
}

/// Findings: sources that do not exist would permit and forbid nothing.
pub(super) fn check(rules: &BTreeMap<Purpose, LinkingConfig>, known: &[&str], file: &str) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (purpose, rule) in rules {
        let named = rule.sources.iter().flatten().chain(rule.never.iter().flatten());
        for name in named.filter(|name| !known.contains(&name.as_str())) {
            let message =
                format!("linking for {} names the source `{name}`, which the project does not have", purpose.name());
            let help = format!("known sources: {}", known.join(", "));
            found.push(Diagnostic::error("TL018", message).help(help).at(file, None, None));
        }
        for [a, _] in rule.never.iter().filter(|[a, b]| a == b) {
            let message = format!("linking for {} forbids to link `{a}` with itself", purpose.name());
            let help = "leave it out of `sources`, or say `linkable: false` in the source";
            found.push(Diagnostic::error("TL018", message).help(help).at(file, None, None));
        }
    }
    let named: BTreeSet<&String> = rules.values().flat_map(|rule| rule.never.iter().flatten()).collect();
    if named.len() > MOST_NAMED {
        let message = format!("linking forbids pairs of {} sources, more than {MOST_NAMED}", named.len());
        found.push(
            Diagnostic::error("TL018", message).help("leave sources out of `sources` instead").at(file, None, None),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_purpose_forbids_is_linked_for_none() {
        let rule = |sources: Option<&[&str]>, never: &[[&str; 2]]| LinkingConfig {
            sources: sources.map(|s| s.iter().map(ToString::to_string).collect()),
            never: never.iter().map(|pair| pair.map(str::to_owned)).collect(),
        };
        let rules = BTreeMap::from([
            (Purpose::Measurement, rule(None, &[["till", "crm"]])),
            (Purpose::Advertising, rule(Some(&["crm", "web"]), &[["crm", "till"], ["web", "crm"]])),
        ]);
        let permissions = Permissions::of(&rules, &["crm", "till", "web"]);
        assert_eq!(permissions.unlinkable_names(), ["till"]);
        assert_eq!(permissions.never_pairs(), [["crm", "till"], ["crm", "web"]]);
        assert_eq!(permissions.never[&["crm".to_owned(), "till".to_owned()]].len(), 2);
        let found = check(&rules, &["crm", "till"], "throughline.yaml");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(check(&rules, &["crm", "till", "web"], "throughline.yaml").is_empty());
    }
}

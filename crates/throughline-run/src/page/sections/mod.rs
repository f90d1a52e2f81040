//! The sections of the page, in order. A new section is one file and one line in [`SECTIONS`].

pub(super) mod findings;
pub(super) mod header;
pub(super) mod stages;

mod attribution;
mod consent;
mod credit_tables;
mod credit_truth;
mod decisions;
mod deliveries;
mod experiments;
mod health;
mod journeys;
mod model;
mod people;
mod policy;
mod policy_truth;
mod reproduce;
mod scores;
mod sources;
mod studies;

use serde_json::Value;

use super::html::Html;
use findings::Finding;

/// What a section says.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    /// What it shows and what to conclude, in plain sentences.
    pub(super) lede: Html,
    /// The rest.
    pub(super) body: Html,
}

/// A section in its place.
#[derive(Debug, Clone)]
pub(super) struct Built {
    /// Its anchor.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What it says.
    pub(super) section: Section,
}

type Build = fn(&Value) -> Option<Section>;

const SECTIONS: &[(&str, &str, Build)] = &[
    ("sources", "Sources", sources::section),
    ("people", "People", people::section),
    ("consent", "Consent", consent::section),
    ("journeys", "Journeys", journeys::section),
    ("attribution", "Attribution", attribution::section),
    ("experiments", "Experiments", experiments::section),
    ("studies", "Studies", studies::section),
    ("model", "Model: whom an action changes", model::section),
    ("policy", "Policy: what it is worth", policy::section),
    ("decisions", "Decisions", decisions::section),
    ("deliveries", "Deliveries", deliveries::section),
    ("truth", "Against the truth", scores::section),
    ("health", "Health of the data", health::section),
    ("reproduce", "Reproducibility", reproduce::section),
];

/// Every section that has data.
pub(super) fn build(report: &Value, found: &[Finding]) -> Vec<Built> {
    let first = findings::section(found).map(|section| Built { id: "findings", title: "Findings", section });
    let rest = SECTIONS.iter().filter_map(|(id, title, build)| Some(Built { id, title, section: build(report)? }));
    first.into_iter().chain(rest).collect()
}

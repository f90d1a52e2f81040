//! `destinations/*.yaml` as written.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;
use throughline_core::Diagnostic;

use crate::diagnostics::codes;

/// The version of the format.
const API_VERSION: &str = "throughline/v1";
/// The kind of document.
const KIND: &str = "Destination";
/// Longest name.
const MAX_NAME: usize = 64;

/// One destination, as written. What it says is checked by [`Route::compile`](crate::Route::compile).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// `throughline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: Spanned<String>,
    /// `Destination`.
    pub kind: Spanned<String>,
    /// Name: letters, digits, `_` and `-`, at most 64.
    pub name: Spanned<String>,
    /// Name of the adapter, for example `file`.
    pub adapter: Spanned<String>,
    /// Options of the adapter.
    pub options: Spanned<serde_json::Value>,
    /// The consent purpose that must be granted at the moment of sending.
    pub purpose: Spanned<String>,
    /// The kind of identifier that is opened for each row; absent, rows carry the entity id only.
    #[serde(default)]
    pub identifier: Option<Spanned<String>>,
    /// Which decisions go there: a condition over the columns of `decisions`. NULL does not pass. Absent: all.
    #[serde(default)]
    pub filter: Option<Spanned<String>>,
    /// Output column → expression over the columns of `decisions` and `identifier`, in the order of the output.
    pub fields: Fields,
    /// What happens to expired decisions.
    #[serde(default)]
    pub on_stale: OnStale,
    /// The file as the user named it, for messages.
    #[serde(skip)]
    pub file: String,
}

/// What happens to decisions whose `expires_at` has come. There is one answer, written down so that it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStale {
    /// They are suppressed and never sent.
    #[default]
    Skip,
}

/// Output columns in the order written.
#[derive(Debug, Clone, Default)]
pub struct Fields(pub Vec<(Spanned<String>, Spanned<String>)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of output columns to expressions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl DestinationConfig {
    /// Reads one `destinations/*.yaml`; `file` is its name for messages.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut config: Self = serde_saphyr::from_str(text).map_err(|error| vec![yaml_error(&error, file)])?;
        file.clone_into(&mut config.file);
        let mut found = Vec::new();
        for (key, value, expected) in [("apiVersion", &config.api_version, API_VERSION), ("kind", &config.kind, KIND)] {
            if value.value != expected {
                let message = format!("{key} is `{}`, expected `{expected}`", value.value);
                found.push(at(Diagnostic::error(codes::VERSION, message), file, value));
            }
        }
        if !plain_word(&config.name.value) {
            let message = format!("destination name `{}` is not a plain word", config.name.value);
            let help = format!("use letters, digits, `_` and `-`, at most {MAX_NAME}");
            found.push(at(Diagnostic::error(codes::NAME, message).help(help), file, &config.name));
        }
        if found.is_empty() { Ok(config) } else { Err(found) }
    }

    /// Names used twice: two destinations of one name would own each other's deliveries.
    pub fn check_names(configs: &[Self]) -> Vec<Diagnostic> {
        let mut seen = BTreeSet::new();
        let twice = configs.iter().filter(|config| !seen.insert(config.name.value.as_str()));
        let finding = |config: &Self| {
            let message = format!("destination `{}` is declared twice", config.name.value);
            at(Diagnostic::error(codes::NAME, message), &config.file, &config.name)
        };
        twice.map(finding).collect()
    }
}

/// Letters, digits, `_` and `-`.
pub(crate) fn plain_word(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_NAME
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// A finding at the place of a value.
pub(crate) fn at<T>(finding: Diagnostic, file: &str, value: &Spanned<T>) -> Diagnostic {
    let (line, column) = (value.referenced.line(), value.referenced.column());
    finding.at(file, (line > 0).then_some(line), (column > 0).then_some(column))
}

fn yaml_error(error: &serde_saphyr::Error, file: &str) -> Diagnostic {
    let place = error.location();
    let finding = Diagnostic::error(codes::YAML, error.without_snippet().to_string());
    finding.at(file, place.map(|p| p.line()), place.map(|p| p.column()))
}

//! `sources/*.yaml`: where data lies and how its rows become events and spend.

mod written;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::Spanned;
use sha2::{Digest as _, Sha256};
use throughline_core::diagnostic::closest;
use throughline_core::{Diagnostic, Share};

use crate::channels::Channels;
use crate::connector::{self, Connector};
use crate::diagnostics::codes;
use written::Written;

/// The version of the format.
const API_VERSION: &str = "throughline/v1";
/// The kind of document.
const KIND: &str = "Source";
/// Share of rows that may be refused when the source does not say.
const FAILURE_LIMIT: f64 = 0.05;
/// Longest declared latency: ten years of hours.
const MAX_LATENCY_HOURS: f64 = 87_600.0;

/// One source, as written, with what its connector's preset adds. Expressions are checked later, against the columns of
/// its files ([`CompiledSource::compile`](crate::CompiledSource::compile)).
#[derive(Debug, Clone)]
pub struct SourceConfig {
    /// Name: letters, digits, `_` and `-`, at most 64.
    pub name: Spanned<String>,
    /// Name of the connector, for example `csv`.
    pub connector: Spanned<String>,
    /// Path or glob, relative to the project; `${NAME}` is replaced.
    pub location: Spanned<String>,
    /// Options of the connector.
    pub options: BTreeMap<String, Spanned<String>>,
    /// Types of raw columns: text, int, float, bool, timestamp. Text formats give text where nothing is said; a value
    /// that does not fit refuses its row. A column named here may be absent from JSON lines.
    pub columns: BTreeMap<String, Spanned<String>>,
    /// Share of rows that may be refused before the whole file is; duplicates do not count.
    /// 0.05 when absent; then a file below 100 rows may have as many as one of 100, but no more than half.
    pub failure_limit: Option<Share>,
    /// Hours until an event could be known: `available_at = occurred_at + latency`.
    pub latency_hours: f64,
    /// Whether identifiers of this source may be linked with others.
    pub linkable: bool,
    /// What becomes of the rows of a file that is gone.
    pub vanished: Vanished,
    /// Expression of the consent text; absent or NULL means unknown.
    pub consent: Option<Spanned<String>>,
    /// Where a row says how somebody came to a page. It gives the columns of [`TRAFFIC_COLUMNS`].
    pub traffic: Option<TrafficConfig>,
    /// What a row becomes.
    pub emits: Spanned<Vec<EmitConfig>>,
    /// Whether `emits` is that of the connector.
    pub preset: bool,
    /// The file as the user named it, for messages.
    pub file: String,
    /// SHA-256 of the text, of the connector's preset and of the rules of channels where they are asked, for fingerprints.
    pub digest: String,
    /// The rules of channels.
    pub channels: Arc<Channels>,
}

/// What becomes of the rows of a file that is no longer at the location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vanished {
    /// They stay: exports are moved away once they were read.
    #[default]
    Keep,
    /// They go with it: the location is the truth.
    Drop,
}

/// The columns that `traffic` adds to those of the file: the channel by the rules of [`Channels`], the source, medium and
/// campaign they went by, the click id and its parameter. NULL where nobody came.
pub const TRAFFIC_COLUMNS: [&str; 6] = ["_channel", "_source", "_medium", "_campaign", "_click_id", "_click_id_name"];

/// Where a row says how somebody came to a page. Each field is an expression over the raw columns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrafficConfig {
    /// Source of the visit, as `utm_source`.
    pub source: Option<Spanned<String>>,
    /// Medium, as `utm_medium`.
    pub medium: Option<Spanned<String>>,
    /// Campaign, as `utm_campaign`.
    pub campaign: Option<Spanned<String>>,
    /// Address of the page, with its parameters.
    pub page: Option<Spanned<String>>,
    /// Address of the page before.
    pub referrer: Option<Spanned<String>>,
    /// Click ids in columns of their own, by parameter.
    #[serde(default)]
    pub click_ids: BTreeMap<String, Spanned<String>>,
}

/// One thing that a row becomes. Each field is an expression over the raw columns.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmitConfig {
    /// Only rows for which this holds.
    pub when: Option<Spanned<String>>,
    /// `events` (default) or `spend`.
    pub table: Option<Spanned<String>>,
    /// Id within the source.
    pub id: Option<Spanned<String>>,
    /// Revision of that id: a whole number or a time; 1 when absent.
    pub revision: Option<Spanned<String>>,
    /// Kind of event.
    pub kind: Option<Spanned<String>>,
    /// Name of a custom event, variant, form, ….
    pub name: Option<Spanned<String>>,
    /// When it happened.
    pub occurred_at: Option<Spanned<String>>,
    /// When it could have been known; `occurred_at` plus the latency when absent or NULL, and never before it.
    pub available_at: Option<Spanned<String>>,
    /// Identifier kind → expression; at least one must have a value.
    #[serde(default)]
    pub subjects: BTreeMap<String, Spanned<String>>,
    /// Marketing channel.
    pub channel: Option<Spanned<String>>,
    /// Campaign.
    pub campaign: Option<Spanned<String>>,
    /// Advertisement.
    pub ad: Option<Spanned<String>>,
    /// Place.
    pub geo: Option<Spanned<String>>,
    /// Device.
    pub device: Option<Spanned<String>>,
    /// Cost in currency units.
    pub cost: Option<Spanned<String>>,
    /// Value in currency units.
    pub value: Option<Spanned<String>>,
    /// ISO 4217 code of cost and value.
    pub currency: Option<Spanned<String>>,
    /// Name → expression, kept as a JSON object without NULLs.
    #[serde(default)]
    pub properties: BTreeMap<String, Spanned<String>>,
    /// What the row says about the holder of its first identifier (name, address, date of birth, …): name → expression. Sealed in
    /// the vault, and compared where people consented to linking.
    #[serde(default)]
    pub profile: BTreeMap<String, Spanned<String>>,
    /// Business date of spend: text `YYYY-MM-DD` or a time.
    pub date: Option<Spanned<String>>,
    /// Impressions bought.
    pub impressions: Option<Spanned<String>>,
    /// Clicks bought.
    pub clicks: Option<Spanned<String>>,
    /// Conversions that the platform claims; they are compared with ours and never counted as such.
    pub reported_conversions: Option<Spanned<String>>,
    /// Their value in currency units.
    pub reported_value: Option<Spanned<String>>,
}

impl SourceConfig {
    /// Reads one `sources/*.yaml`; `file` is its name for messages.
    ///
    /// Checks everything that needs no data: syntax, keys, version, name, bounds. What the file does not say comes from
    /// the preset of its connector, key by key.
    pub fn parse(text: &str, file: &str) -> Result<Self, Vec<Diagnostic>> {
        let written: Written = serde_saphyr::from_str(text).map_err(|e| vec![yaml_error(&e, file)])?;
        let preset = connector::find(&written.connector.value).and_then(Connector::preset);
        let mut found = Vec::new();
        for (key, value, expected) in [("apiVersion", &written.api_version, API_VERSION), ("kind", &written.kind, KIND)]
        {
            if value.value != expected {
                let message = format!("{key} is `{}`, expected `{expected}`", value.value);
                found.push(at(Diagnostic::error(codes::VERSION, message), file, value));
            }
        }
        let config = written.complete(preset, text, file).map_err(|finding| vec![finding])?;
        if !plain_word(&config.name.value) {
            let message = format!("source name `{}` is not a plain word", config.name.value);
            let help = "use letters, digits, `_` and `-`, at most 64 of them";
            found.push(at(Diagnostic::error(codes::NAME, message).help(help), file, &config.name));
        }
        if !(0.0..=MAX_LATENCY_HOURS).contains(&config.latency_hours) {
            let message = format!("latency_hours of {} is outside 0 to {MAX_LATENCY_HOURS}", config.latency_hours);
            found.push(Diagnostic::error(codes::NUMBER, message).at(file, None, None));
        }
        if config.emits.value.is_empty() {
            let message = "`emits` is empty, so no row becomes anything";
            let help = "write at least one entry with id, kind, occurred_at and subjects";
            found.push(at(Diagnostic::error(codes::FIELD, message).help(help), file, &config.emits));
        }
        if found.is_empty() { Ok(config) } else { Err(found) }
    }

    fn with_traffic(self, traffic: Option<TrafficConfig>) -> Self {
        let channels = Arc::new(Channels::built_in());
        Self { traffic, ..self }.with_channels(&channels)
    }

    /// The source with a project's rules of channels. They are part of its digest where it asks them.
    #[must_use]
    pub fn with_channels(mut self, channels: &Arc<Channels>) -> Self {
        self.channels = Arc::clone(channels);
        if self.traffic.is_some() {
            let both = format!("{}\n{}", self.digest, channels.digest());
            self.digest = hex::encode(Sha256::digest(both));
        }
        self
    }

    /// The share of rows that may be refused.
    pub fn failure_limit(&self) -> f64 {
        self.failure_limit.map_or(FAILURE_LIMIT, Share::get)
    }

    /// The declared latency in microseconds.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by ten years when parsed")]
    pub(crate) fn latency_micros(&self) -> i64 {
        (self.latency_hours * 3.6e9).round() as i64
    }
}

/// Puts the place of a value into a finding.
pub(crate) fn at<T>(finding: Diagnostic, file: &str, place: &Spanned<T>) -> Diagnostic {
    let known = |n: u64| (n > 0).then_some(n);
    finding.at(file, known(place.referenced.line()), known(place.referenced.column()))
}

fn plain_word(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

fn yaml_error(error: &serde_saphyr::Error, file: &str) -> Diagnostic {
    let place = error.location();
    let text = error.without_snippet().to_string();
    let line = text.lines().next().unwrap_or("not YAML");
    // The parser repeats the place in its message; ours stands in front.
    let message = line.split(" at line ").next().unwrap_or(line).to_owned();
    let help = misspelt(&message);
    let finding = Diagnostic::error(codes::YAML, message).at(file, place.map(|p| p.line()), place.map(|p| p.column()));
    match help {
        Some(help) => finding.help(help),
        None => finding,
    }
}

/// For "unknown field `x`, expected one of a, b": the name that was probably meant.
fn misspelt(message: &str) -> Option<String> {
    let rest = message.split_once("unknown field `")?.1;
    let (given, known) = rest.split_once("`, expected ")?;
    let known = known.trim_start_matches("one of ").split(", ").map(|name| name.trim_matches('`'));
    closest(given, known).map(|name| format!("did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "apiVersion: throughline/v1\nkind: Source\nname: orders\nconnector: csv\nlocation: a.csv\n\
                        emits:\n  - id: order_id\n    revision: 1\n";

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let findings = SourceConfig::parse(text, "sources/x.yaml").expect_err("refused");
        let shown = findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(shown.contains(expect), "{shown}");
    }

    #[test]
    fn defaults_and_places() {
        let config = SourceConfig::parse(GOOD, "sources/orders.yaml").expect("a source");
        assert_eq!((config.failure_limit(), config.latency_hours, config.linkable), (0.05, 0.0, true));
        let revision = config.emits.value[0].revision.as_ref().expect("given");
        assert_eq!((revision.value.as_str(), revision.referenced.line()), ("1", 8));
    }

    #[test]
    fn a_preset_fills_in_what_is_not_written() {
        let short = "apiVersion: throughline/v1\nkind: Source\nname: ads\nconnector: google_ads\nlocation: a.csv\n";
        let parse = |text: &str| SourceConfig::parse(text, "sources/ads.yaml").expect("a source");
        let config = parse(short);
        assert!(config.preset && !config.emits.value.is_empty() && config.latency_hours > 0.0);
        let id = config.emits.value[0].id.as_ref().expect("given");
        assert_eq!((id.referenced.line(), id.referenced.column()), (4, 12), "it stands at the connector");
        let own = parse(&format!("{short}latency_hours: 1\ncolumns: {{ cost: text }}\nemits:\n  - id: x\n"));
        assert_eq!((own.preset, own.latency_hours, own.emits.value.len()), (false, 1.0, 1));
        let (cost, clicks) = (&own.columns["cost"].value, &own.columns["clicks"].value);
        assert_eq!((cost.as_str(), clicks.as_str()), ("text", "int"), "key by key");
        assert_ne!(config.digest, own.digest);
    }

    #[test]
    fn refused_with_place_and_suggestion() {
        check(&GOOD.replace("location:", "locaton:"), "sources/x.yaml:5:1: error[TL101]");
        check(&GOOD.replace("location:", "locaton:"), "did you mean `location`?");
        check(&GOOD.replace("throughline/v1", "v9"), "sources/x.yaml:1:13: error[TL102]: apiVersion is `v9`");
        check(&GOOD.replace("name: orders", "name: my orders"), "sources/x.yaml:3:7: error[TL103]");
        check(&format!("{GOOD}latency_hours: -1\n"), "latency_hours of -1 is outside 0 to 87600");
        check(&format!("{GOOD}failure_limit: 5\n"), "share of 5 is outside 0 to 1");
        check("a: [", "sources/x.yaml:");
        check(GOOD.split("emits").next().expect("a head"), "missing field `emits`");
    }
}

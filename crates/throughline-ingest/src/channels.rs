//! Which channel a visit came through: rules in a readable table (`channels.yaml`), tried from the top.

mod address;

mod pattern;

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use throughline_core::Diagnostic;

use crate::diagnostics::codes;
use address::Address;
use pattern::{Lists, Pattern};

/// The table that comes along.
const BUILT_IN: &str = include_str!("channels.yaml");
/// A project's table that adds nothing.
const NOTHING: &str = "apiVersion: throughline/v1\nkind: Channels\n";
/// The channel of what no rule names.
const UNASSIGNED: &str = "unassigned";

/// What is known of how somebody came to a page. Empty text is nothing known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic<'a> {
    /// `utm_source` or what a tool calls so.
    pub source: Option<&'a str>,
    /// `utm_medium` or what a tool calls so.
    pub medium: Option<&'a str>,
    /// `utm_campaign` or what a tool calls so.
    pub campaign: Option<&'a str>,
    /// The address of the page, with its parameters.
    pub page: Option<&'a str>,
    /// The address of the page before.
    pub referrer: Option<&'a str>,
    /// Click ids that the tool found itself, by parameter.
    pub click_ids: BTreeMap<&'a str, &'a str>,
}

/// How somebody came, by the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The channel.
    pub channel: String,
    /// Source, from the tool, the address, the click id or the referrer.
    pub source: String,
    /// Medium, from the same.
    pub medium: String,
    /// Campaign.
    pub campaign: Option<String>,
    /// Parameter and value of the click id.
    pub click_id: Option<(String, String)>,
}

/// The table: click ids, sites and rules.
#[derive(Debug, Clone)]
pub struct Channels {
    click_ids: Vec<ClickId>,
    lists: Lists,
    rules: Vec<Rule>,
    digest: String,
}

#[derive(Debug, Clone)]
struct ClickId {
    parameter: String,
    source: String,
    medium: String,
    not: Option<Pattern>,
}

#[derive(Debug, Clone)]
struct Rule {
    channel: String,
    source: Option<Pattern>,
    medium: Option<Pattern>,
    campaign: Option<Pattern>,
    click_id: Option<Pattern>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    #[serde(default)]
    click_ids: Vec<WrittenClickId>,
    #[serde(default)]
    lists: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    rules: Vec<WrittenRule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClickId {
    parameter: String,
    source: String,
    medium: String,
    not: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    channel: String,
    source: Option<String>,
    medium: Option<String>,
    campaign: Option<String>,
    click_id: Option<String>,
}

impl Channels {
    /// The table that comes along. A test reads it; should it be unreadable, no rule would name a channel.
    pub fn built_in() -> Self {
        Self::parse(NOTHING, "channels.yaml").unwrap_or_else(|_| Self {
            click_ids: Vec::new(),
            lists: Lists::default(),
            rules: Vec::new(),
            digest: String::new(),
        })
    }

    /// A project's `channels.yaml`, put in front of the table that comes along.
    pub fn parse(text: &str, file: &str) -> Result<Self, Diagnostic> {
        let finding = |message: String| Diagnostic::error(codes::CHANNELS, message).at(file, None, None);
        let read = |text: &str| {
            serde_saphyr::from_str::<Written>(text).map_err(|e| {
                let place = e.location();
                Diagnostic::error(codes::CHANNELS, e.without_snippet().to_string()).at(
                    file,
                    place.map(|p| p.line()),
                    place.map(|p| p.column()),
                )
            })
        };
        let (own, built_in) = (read(text)?, read(BUILT_IN)?);
        if own.api_version != "throughline/v1" || own.kind != "Channels" {
            return Err(finding("apiVersion must be `throughline/v1` and kind `Channels`".to_owned()));
        }
        let mut lists = Lists::default();
        for (name, sites) in built_in.lists.into_iter().chain(own.lists) {
            lists.add(&name, &sites);
        }
        let mut channels = Self {
            click_ids: Vec::new(),
            lists,
            rules: Vec::new(),
            digest: hex::encode(Sha256::new().chain_update(BUILT_IN).chain_update(text).finalize()),
        };
        for rule in own.rules.into_iter().chain(built_in.rules) {
            channels.rules.push(channels.rule(rule).map_err(&finding)?);
        }
        for id in own.click_ids.into_iter().chain(built_in.click_ids) {
            let not = channels.pattern(id.not.as_deref()).map_err(&finding)?;
            channels.click_ids.push(ClickId { parameter: id.parameter, source: id.source, medium: id.medium, not });
        }
        Ok(channels)
    }

    fn pattern(&self, text: Option<&str>) -> Result<Option<Pattern>, String> {
        text.map(|text| Pattern::parse(text, &self.lists)).transpose()
    }

    fn rule(&self, written: WrittenRule) -> Result<Rule, String> {
        let rule = Rule {
            source: self.pattern(written.source.as_deref())?,
            medium: self.pattern(written.medium.as_deref())?,
            campaign: self.pattern(written.campaign.as_deref())?,
            click_id: self.pattern(written.click_id.as_deref())?,
            channel: written.channel,
        };
        if rule.channel.trim().is_empty() {
            return Err("a rule names no channel".to_owned());
        }
        if [&rule.source, &rule.medium, &rule.campaign, &rule.click_id].iter().all(|p| p.is_none()) {
            return Err(format!("the rule for `{}` has no condition, so that no rule below it counts", rule.channel));
        }
        Ok(rule)
    }

    /// SHA-256 of the table, for fingerprints.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// How somebody came to a page; nothing where nobody came: the page before was of the same site and no parameter says
    /// otherwise, or nothing is known at all.
    ///
    /// Source, medium and campaign are those given, else the parameters `utm_source`, `utm_medium` and `utm_campaign` of
    /// the page's address. A click id replaces them where they are missing or among those it rules out. Else another
    /// site's referrer gives its host and `organic` for search engines, `social` for social networks or `referral`. Else
    /// the address was typed: `(direct)`, `(none)`.
    pub fn arrival(&self, traffic: &Traffic<'_>) -> Option<Arrival> {
        let page = traffic.page.and_then(Address::parse);
        let given = |value: Option<&str>| value.map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned);
        let told = |value: Option<&str>, parameter: &str| {
            given(value).or_else(|| page.as_ref().and_then(|p| p.parameter(parameter)))
        };
        let mut source = told(traffic.source, "utm_source");
        let mut medium = told(traffic.medium, "utm_medium");
        let campaign = told(traffic.campaign, "utm_campaign");
        let click = self.click_ids.iter().find_map(|id| {
            let of_tool = traffic.click_ids.get(id.parameter.as_str()).map(|value| (*value).to_owned());
            let value = of_tool.or_else(|| page.as_ref()?.parameter(&id.parameter))?;
            (!value.trim().is_empty()).then_some((id, value))
        });
        if let Some((id, _)) = &click {
            let ruled_out = |m: &str| id.not.as_ref().is_some_and(|not| not.matches(m));
            if medium.as_deref().is_none_or(ruled_out) {
                source = Some(id.source.clone());
                medium = Some(id.medium.clone());
            }
        }
        let referrer = traffic.referrer.and_then(Address::parse);
        if source.is_none() && medium.is_none() {
            let known = traffic.page.is_some() || traffic.referrer.is_some() || campaign.is_some();
            match &referrer {
                Some(from) if page.as_ref().is_some_and(|p| p.same_site(from)) => return None,
                Some(from) => {
                    medium = Some(self.medium_of(&from.host).to_owned());
                    source = Some(from.host.clone());
                }
                None if !known => return None,
                None => {
                    source = Some("(direct)".to_owned());
                    medium = Some("(none)".to_owned());
                }
            }
        }
        let source = source.unwrap_or_else(|| "(not set)".to_owned());
        let medium = medium.unwrap_or_else(|| "(not set)".to_owned());
        let click_id = click.map(|(id, value)| (id.parameter.clone(), value));
        let channel = self.channel(&source, &medium, campaign.as_deref(), click_id.as_ref().map(|(p, _)| p.as_str()));
        Some(Arrival { channel, source, medium, campaign, click_id })
    }

    fn medium_of(&self, host: &str) -> &'static str {
        if self.lists.has("webmail", host) {
            "referral"
        } else if self.lists.has("search", host) {
            "organic"
        } else if self.lists.has("social", host) {
            "social"
        } else {
            "referral"
        }
    }

    fn channel(&self, source: &str, medium: &str, campaign: Option<&str>, click_id: Option<&str>) -> String {
        let fits = |pattern: &Option<Pattern>, text: Option<&str>| {
            pattern.as_ref().is_none_or(|pattern| text.is_some_and(|text| pattern.matches_lower(text)))
        };
        let [source, medium] = [source, medium].map(|text| text.trim().to_lowercase());
        let campaign = campaign.map(|text| text.trim().to_lowercase());
        let rule = self.rules.iter().find(|rule| {
            fits(&rule.source, Some(&source))
                && fits(&rule.medium, Some(&medium))
                && fits(&rule.campaign, campaign.as_deref())
                && fits(&rule.click_id, click_id)
        });
        rule.map_or(UNASSIGNED, |rule| &rule.channel).to_owned()
    }
}

impl Default for Channels {
    fn default() -> Self {
        Self::built_in()
    }
}

#[cfg(test)]
mod tests;

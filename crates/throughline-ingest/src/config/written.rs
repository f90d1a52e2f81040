//! What a source's file says itself, and how a preset completes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use sha2::{Digest as _, Sha256};
use throughline_core::{Diagnostic, Share};

use super::{EmitConfig, SourceConfig, TrafficConfig, Vanished};
use crate::connector;
use crate::diagnostics::codes;

/// A source's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(rename = "apiVersion")]
    pub(super) api_version: Spanned<String>,
    pub(super) kind: Spanned<String>,
    name: Spanned<String>,
    pub(super) connector: Spanned<String>,
    location: Spanned<String>,
    #[serde(default)]
    options: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    columns: BTreeMap<String, Spanned<String>>,
    failure_limit: Option<Share>,
    latency_hours: Option<f64>,
    #[serde(default = "default_linkable")]
    linkable: bool,
    vanished: Option<Vanished>,
    consent: Option<Spanned<String>>,
    traffic: Option<TrafficConfig>,
    emits: Option<Spanned<Vec<EmitConfig>>>,
}

const fn default_linkable() -> bool {
    true
}

/// The preset of a connector.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Preset {
    #[serde(default)]
    columns: BTreeMap<String, Spanned<String>>,
    latency_hours: Option<f64>,
    consent: Option<Spanned<String>>,
    traffic: Option<TrafficConfig>,
    emits: Option<Spanned<Vec<EmitConfig>>>,
}

impl Written {
    /// The source, completed by the preset of its connector. What the preset says stands, for messages, where the
    /// connector is named.
    pub(super) fn complete(self, preset: Option<&str>, text: &str, file: &str) -> Result<SourceConfig, Diagnostic> {
        let mut added: Preset = match preset {
            None => Preset::default(),
            Some(yaml) => serde_saphyr::from_str(yaml).map_err(|e| {
                let message = format!("the preset of connector `{}` is unreadable: {e}", self.connector.value);
                Diagnostic::error(codes::YAML, message)
            })?,
        };
        added.place(self.connector.referenced);
        let is_preset = self.emits.is_none();
        let Some(emits) = self.emits.or(added.emits) else {
            let message = "missing field `emits`";
            let help = "say what a row becomes; connectors of vendors bring it with them";
            return Err(Diagnostic::error(codes::YAML, message).help(help).at(file, None, None));
        };
        let mut columns = added.columns;
        columns.extend(self.columns);
        let is_truth = connector::find(&self.connector.value).is_some_and(connector::Connector::location_is_truth);
        let vanished = if is_truth { Vanished::Drop } else { Vanished::Keep };
        let traffic = TrafficConfig::merge(self.traffic, added.traffic);
        let digest = Sha256::new().chain_update(text).chain_update(preset.unwrap_or_default()).finalize();
        Ok(SourceConfig {
            name: self.name,
            connector: self.connector,
            location: self.location,
            options: self.options,
            columns,
            failure_limit: self.failure_limit,
            latency_hours: self.latency_hours.or(added.latency_hours).unwrap_or(0.0),
            linkable: self.linkable,
            vanished: self.vanished.unwrap_or(vanished),
            consent: self.consent.or(added.consent),
            traffic: None,
            emits,
            preset: is_preset,
            file: file.to_owned(),
            digest: hex::encode(digest),
            channels: Arc::default(),
        }
        .with_traffic(traffic))
    }
}

impl Preset {
    /// Moves everything to one place.
    fn place(&mut self, place: Location) {
        let emits = self.emits.iter_mut().flat_map(|emits| {
            emits.referenced = place;
            &mut emits.value
        });
        let fields = emits.flat_map(EmitConfig::fields_mut);
        let traffic = self.traffic.iter_mut().flat_map(TrafficConfig::fields_mut);
        for field in fields.chain(self.columns.values_mut()).chain(&mut self.consent).chain(traffic) {
            field.referenced = place;
        }
    }
}

impl TrafficConfig {
    /// What is written, completed by what is added.
    fn merge(written: Option<Self>, added: Option<Self>) -> Option<Self> {
        let (Some(own), Some(added)) = (&written, &added) else { return written.or(added) };
        let mut click_ids = added.click_ids.clone();
        click_ids.extend(own.click_ids.clone());
        let either = |a: &Option<Spanned<String>>, b: &Option<Spanned<String>>| a.as_ref().or(b.as_ref()).cloned();
        Some(Self {
            source: either(&own.source, &added.source),
            medium: either(&own.medium, &added.medium),
            campaign: either(&own.campaign, &added.campaign),
            page: either(&own.page, &added.page),
            referrer: either(&own.referrer, &added.referrer),
            click_ids,
        })
    }

    fn fields_mut(&mut self) -> impl Iterator<Item = &mut Spanned<String>> {
        let single = [&mut self.source, &mut self.medium, &mut self.campaign, &mut self.page, &mut self.referrer];
        single.into_iter().flatten().chain(self.click_ids.values_mut())
    }
}

impl EmitConfig {
    /// Every expression.
    fn fields_mut(&mut self) -> impl Iterator<Item = &mut Spanned<String>> {
        let single = [
            &mut self.when,
            &mut self.table,
            &mut self.id,
            &mut self.revision,
            &mut self.kind,
            &mut self.name,
            &mut self.occurred_at,
            &mut self.available_at,
            &mut self.channel,
            &mut self.campaign,
            &mut self.ad,
            &mut self.geo,
            &mut self.device,
            &mut self.cost,
            &mut self.value,
            &mut self.currency,
            &mut self.date,
            &mut self.impressions,
            &mut self.clicks,
            &mut self.reported_conversions,
            &mut self.reported_value,
        ];
        single.into_iter().flatten().chain(self.subjects.values_mut()).chain(self.properties.values_mut())
    }
}

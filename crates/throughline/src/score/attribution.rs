//! What each model credits, against what each channel caused.

use serde_json::{Value, json};
use throughline_market::ChannelTruth;

use super::shares::{Given, bias, share_error};
use super::{Found, Row, Score, View};

pub(super) const SCORE: Score = Score {
    part: "attribution",
    about: "Conversions credited to each channel against those it caused: this market minus the same market without the \
            channel. `bias` is credited less caused, over all channels, as a share of what they caused; rule-based models \
            credit every conversion that had a touch, so theirs is the share of conversions that would have come anyway. \
            `share_error` is the total variation distance of the shares, the part of the credit that lies with the wrong \
            channel, from 0 to 1. `coverage` is the share of channels whose interval holds the truth; the channels of one \
            market are not independent.",
    take: |view| Box::pin(std::future::ready(Ok(found(view)))),
};

/// One channel under one model: what was credited with its interval, and what is true.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line<'v> {
    pub(super) channel: &'v str,
    pub(super) credited: f64,
    pub(super) interval: Option<(f64, f64)>,
    pub(super) value: f64,
    /// `None` for a channel that the market does not know.
    pub(super) truth: Option<&'v ChannelTruth>,
}

/// A model and its channels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Credited<'v> {
    pub(super) model: &'v str,
    pub(super) level: f64,
    pub(super) lines: Vec<Line<'v>>,
}

impl Line<'_> {
    fn given(&self) -> Given {
        Given { credited: self.credited, truth: self.caused() }
    }

    fn caused(&self) -> f64 {
        self.truth.map_or(0.0, |t| t.true_conversions)
    }

    fn holds_truth(&self) -> Option<bool> {
        self.interval.map(|(low, high)| low <= self.caused() && self.caused() <= high)
    }
}

/// The models of the last report beside the truth, or why there are none.
pub(super) fn credited<'v>(view: &View<'v>) -> Result<Vec<Credited<'v>>, String> {
    let stage = view.metrics("attribute");
    let conversions: Vec<&Value> =
        stage.iter().flat_map(|m| m["conversions"].as_array().into_iter().flatten()).collect();
    match conversions.as_slice() {
        [] => Err("the last run attributed nothing".to_owned()),
        [one] => Ok(models(one, &view.truth.channels)),
        all => Err(format!("the project has {} conversions, and the truth speaks of all purchases", all.len())),
    }
}

fn models<'v>(conversion: &'v Value, truth: &'v [ChannelTruth]) -> Vec<Credited<'v>> {
    let models = conversion["models"].as_array().into_iter().flatten();
    let read = models.filter_map(|m| {
        let found = m["channels"].as_array()?;
        let mut lines: Vec<Line<'v>> = found.iter().filter_map(|c| line(c, truth)).collect();
        let unseen = truth.iter().filter(|t| !found.iter().any(|c| c["channel"] == t.channel.name()));
        lines.extend(unseen.map(|t| Line {
            channel: t.channel.name(),
            credited: 0.0,
            interval: None,
            value: 0.0,
            truth: Some(t),
        }));
        Some(Credited { model: m["model"].as_str()?, level: m["level"].as_f64().unwrap_or(0.9), lines })
    });
    read.collect()
}

fn line<'v>(channel: &'v Value, truth: &'v [ChannelTruth]) -> Option<Line<'v>> {
    let name = channel["channel"].as_str()?;
    let interval = &channel["conversions_interval"];
    Some(Line {
        channel: name,
        credited: channel["conversions"].as_f64()?,
        interval: interval[0].as_f64().zip(interval[1].as_f64()),
        value: channel["value"].as_f64().unwrap_or(0.0),
        truth: truth.iter().find(|t| t.channel.name() == name),
    })
}

fn found(view: &View<'_>) -> Found {
    match credited(view) {
        Ok(models) => Found::Rows {
            rows: models.iter().flat_map(rows).collect(),
            details: models.iter().flat_map(|m| m.lines.iter().map(|l| detail(m, l))).collect(),
        },
        Err(why) => Found::Nothing(why),
    }
}

fn rows(of: &Credited<'_>) -> Vec<Row> {
    let given: Vec<Given> = of.lines.iter().map(Line::given).collect();
    let held: Vec<bool> = of.lines.iter().filter_map(Line::holds_truth).collect();
    let (n, none) = (given.len(), "the channels caused or were credited with nothing");
    vec![
        Row::of(of.model, "bias", bias(&given), n, none).in_unit("share of caused"),
        Row::of(of.model, "share_error", share_error(&given), n, none).in_unit("share of credit"),
        Row::covered(of.model, held.iter().filter(|h| **h).count(), held.len(), of.level),
    ]
}

fn detail(of: &Credited<'_>, line: &Line<'_>) -> Value {
    json!({
        "model": of.model,
        "channel": line.channel,
        "credited": line.credited,
        "interval": line.interval,
        "caused": line.caused(),
        "covered": line.holds_truth(),
        "known_to_the_market": line.truth.is_some(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_market::Channel;

    fn truth(channel: Channel, true_conversions: f64) -> ChannelTruth {
        let zero = json!({ "channel": channel, "true_conversions": true_conversions, "true_value": 0.0,
                           "realised_conversions": 0, "realised_value": 0.0, "cost": 0.0 });
        serde_json::from_value(zero).expect("a truth")
    }

    #[test]
    fn every_channel_counts_on_either_side() {
        let truth = [truth(Channel::Display, 10.0), truth(Channel::Email, 30.0)];
        let conversion = json!({ "models": [{ "model": "last", "level": 0.9, "channels": [
            { "channel": "display", "conversions": 40.0, "conversions_interval": [8.0, 50.0], "value": 1.0 },
            { "channel": "fax", "conversions": 40.0, "conversions_interval": [30.0, 50.0], "value": 1.0 },
        ] }] });
        let models = models(&conversion, &truth);
        let rows = rows(&models[0]);
        let value = |measure: &str| rows.iter().find(|r| r.measure == measure).and_then(|r| r.value);
        assert_eq!(value("bias"), Some(1.0));
        // Shares ½, ½, 0 against ¼, 0, ¾ of display, fax and e-mail.
        assert_eq!(value("share_error"), Some(0.75));
        // E-mail has no interval; fax caused nothing, which its interval leaves out.
        assert_eq!(value("coverage"), Some(0.5));
        assert!(rows.iter().all(|r| r.measure == "coverage" || r.n == 3));
    }
}

//! Credits beside what a simulated market truly caused.

use serde_json::Value;

use crate::page::format::{conversions, percent};
use crate::page::html::{Html, p, prose, text};
use crate::page::read::Read;

/// The true effects of the channels, where they are known.
pub(super) struct Truth<'a> {
    truth: &'a Value,
    applies: bool,
}

/// How far a model is from the truth.
struct Distance<'a> {
    model: &'a str,
    /// Σ |credited − caused| over the channels.
    misses: f64,
    /// The channel it misses by most, what it credits there and what was caused.
    worst: (&'a str, f64, f64),
}

impl<'a> Truth<'a> {
    /// The truth of a conversion. It names its conversion where there is more than one.
    pub(super) fn read(report: &'a Value, conversion: Option<&str>, conversions: usize) -> Self {
        let truth = report.at("truth");
        let named = truth.word("conversion");
        let applies = if named.is_some() { named == conversion } else { conversions == 1 };
        Self { truth, applies: applies && truth.list("channels").iter().any(|c| c.num("true_conversions").is_some()) }
    }

    /// Whether there is a truth.
    pub(super) fn is_known(&self) -> bool {
        self.applies
    }

    /// Conversions that would be missing without a channel.
    pub(super) fn caused(&self, channel: &str) -> Option<f64> {
        let all = self.truth.list("channels").iter();
        let mut found = all.filter(|c| self.applies && c.word("channel") == Some(channel));
        found.next()?.num("true_conversions")
    }

    /// All conversions caused by a channel.
    fn total(&self) -> f64 {
        self.truth.list("channels").iter().filter_map(|c| c.num("true_conversions")).sum()
    }

    fn distance(&self, model: &'a Value) -> Option<Distance<'a>> {
        let name = model.word("model")?;
        let credited = |channel: &str| {
            let found = model.list("channels").iter().find(|c| c.word("channel") == Some(channel));
            found.and_then(|c| c.num("conversions"))
        };
        let known = self.truth.list("channels").iter().filter_map(|c| {
            let (channel, caused) = (c.word("channel")?, c.num("true_conversions")?);
            Some((channel, credited(channel).unwrap_or(0.0), caused))
        });
        let unknown = model.list("channels").iter().filter_map(|c| {
            let (channel, credit) = (c.word("channel")?, c.num("conversions")?);
            self.caused(channel).is_none().then_some((channel, credit, 0.0))
        });
        let mut all: Vec<(&str, f64, f64)> = known.collect();
        all.extend(unknown);
        let miss = |(_, credit, caused): &(&str, f64, f64)| (credit - caused).abs();
        let worst = *all.iter().max_by(|a, b| miss(a).total_cmp(&miss(b)))?;
        Some(Distance { model: name, misses: all.iter().map(miss).sum(), worst })
    }

    /// Which model is furthest from the truth, and by how much.
    pub(super) fn verdict(&self, of: &'a Value) -> Option<Html> {
        if !self.applies {
            return None;
        }
        let distances: Vec<Distance<'a>> = of.list("models").iter().filter_map(|m| self.distance(m)).collect();
        let by = |a: &&Distance<'_>, b: &&Distance<'_>| a.misses.total_cmp(&b.misses);
        let (near, far) = (distances.iter().min_by(by)?, distances.iter().max_by(by)?);
        let (channel, credit, caused) = far.worst;
        let mut out = text("Because the market is simulated, the truth is known: the channels caused ")
            .strong(conversions(self.total()))
            .text(" of these conversions. ")
            .strong(far.model)
            .text(format!(
                " is furthest from it: added up over the channels it misses by {} conversions",
                conversions(far.misses)
            ))
            .text(format!(", most at {channel} ({} credited, {} caused)", conversions(credit), conversions(caused)));
        if near.model != far.model {
            out = out.text(format!("; {} comes closest and still misses by {}", near.model, conversions(near.misses)));
        }
        Some(out.text("."))
    }

    /// What the truth is, and how much credit goes beyond it.
    pub(super) fn note(&self, of: &Value) -> Option<Html> {
        if !self.applies {
            return None;
        }
        let mut words =
            "A diamond marks the conversions that would be missing without the channel. They are known from the \
                         simulation, so they have no interval."
                .to_owned();
        let credited = self.truth.num("credited_conversions_total").or_else(|| of.at("totals").num("conversions"));
        if let Some(credited) = credited.filter(|c| *c > 0.0) {
            let share = percent(self.total() / credited);
            let all = conversions(credited);
            let more = format!(
                " Every model credits all {all} conversions, yet only {share} of them were caused by a channel."
            );
            words.push_str(&more);
        }
        let note = self.truth.word("note").map(|n| p("note", prose(n)));
        Some(p("note", text(words)).with_some(note))
    }
}

//! From what was handed over to what can be used: every refusal is named.

use std::collections::BTreeSet;

use throughline_core::{Diagnostic, EvidenceTier};

use super::heterogeneity::{CONFLICT, Heterogeneity};
use super::input::{Credit, Effect, Evidence, Period, Span};
use crate::AttributionError;

/// The place of something in time and scope, for one channel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The channel's position among all channels.
    pub(super) channel: usize,
    pub(super) span: Span,
    pub(super) scope: Option<String>,
    /// The cell it is, where it is exactly one: what its credit is off by is shared with it.
    pub(super) cell: Option<usize>,
    /// Variance of the ratio from the sampling error of the credit, in units of the squared ratio.
    pub(super) credit_error: f64,
    /// Whether channels that were tested say something about it.
    pub(super) exchangeable: bool,
    /// The channel's credit a day over that of the mean channel; 1 where it is not known.
    pub(super) size: f64,
}

/// Evidence as a ratio.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) place: Place,
    pub(super) ratio: f64,
    /// Sampling variance, widened where pieces of one cell disagree.
    pub(super) variance: f64,
    /// The credit it is relative to.
    pub(super) credit: f64,
}

/// What can be calibrated, and with what.
#[derive(Debug)]
pub(super) struct Selected<'a> {
    /// Cells by the position of their credit; none where the credit is refused or 0.
    pub(super) cells: Vec<Option<Place>>,
    pub(super) items: Vec<Item<'a>>,
    pub(super) channels: Vec<String>,
    pub(super) within: Vec<Heterogeneity>,
    pub(super) between: Option<Heterogeneity>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Mean-square deviation of draws around their mean; 0 for fewer than two.
pub(super) fn variance(draws: &[f64]) -> f64 {
    if draws.len() < 2 {
        return 0.0;
    }
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (draws.len() as f64 - 1.0)
}

pub(super) fn select<'a>(
    periods: &[Period],
    credits: &[Credit],
    evidence: &'a [Evidence],
) -> Result<Selected<'a>, AttributionError> {
    if let Some(credit) = credits.iter().find(|c| c.period >= periods.len()) {
        return Err(AttributionError::NoPeriod { channel: credit.channel.clone(), period: credit.period });
    }
    let mut diagnostics = Vec::new();
    let mut channels: Vec<String> = credits.iter().map(|c| c.channel.clone()).collect();
    channels.extend(evidence.iter().map(|e| e.channel.clone()));
    channels.sort_unstable();
    channels.dedup();
    let number = |name: &str| channels.binary_search_by(|c| c.as_str().cmp(name)).unwrap_or(0);
    let mut seen = BTreeSet::new();
    let mut cells = Vec::with_capacity(credits.len());
    for (index, credit) in credits.iter().enumerate() {
        let key = (number(&credit.channel), credit.period);
        let fault = if seen.insert(key) { fault(credit) } else { Some("is there twice") };
        let place = Place {
            channel: key.0,
            span: periods[credit.period].span,
            scope: None,
            cell: Some(index),
            credit_error: variance(&credit.conversions_draws) / credit.conversions.powi(2).max(f64::MIN_POSITIVE),
            exchangeable: credit.exchangeable,
            size: 1.0,
        };
        if let Some(fault) = fault {
            let message =
                format!("the credit of `{}` in period {} {fault}; it is left out", credit.channel, credit.period);
            diagnostics.push(Diagnostic::warning("TL491", message));
        }
        cells.push((fault.is_none() && credit.conversions > 0.0).then_some(place));
    }
    let mut selected = Selected { cells, items: Vec::new(), channels, within: Vec::new(), between: None, diagnostics };
    for evidence in counted_once(evidence, &mut selected.diagnostics) {
        if let Some(item) = selected.item(periods, credits, evidence) {
            selected.items.push(item);
        }
    }
    selected.compare();
    selected.measure(credits);
    Ok(selected)
}

/// What is wrong with a credit.
fn fault(credit: &Credit) -> Option<&'static str> {
    let draws = || credit.conversions_draws.iter().chain(&credit.value_draws);
    if !(credit.conversions.is_finite() && credit.value.is_finite() && draws().all(|d| d.is_finite())) {
        Some("is not a finite number")
    } else if credit.conversions < 0.0 {
        Some("is negative")
    } else if credit.conversions_draws.len() != credit.value_draws.len() {
        Some("has not as many draws of value as of conversions")
    } else {
        None
    }
}

/// Usable evidence in the order of its ids, each id once, and of one source each channel and span once: that of the higher tier, then
/// of the smaller variance relative to its estimate's unit, then of the smaller id.
fn counted_once<'a>(evidence: &'a [Evidence], diagnostics: &mut Vec<Diagnostic>) -> Vec<&'a Evidence> {
    let mut sorted: Vec<&Evidence> = evidence.iter().collect();
    let variance = |e: &Evidence| match e.effect {
        Effect::Conversions { variance, .. } | Effect::PerCredit { variance, .. } => variance,
    };
    // The order depends on content only, also among copies of one id.
    sorted.sort_by(|a, b| {
        a.id.cmp(&b.id).then(b.tier.cmp(&a.tier)).then(variance(a).total_cmp(&variance(b))).then_with(|| {
            let key = |e: &Evidence| (e.channel.clone(), e.span.start(), e.span.end());
            key(a).cmp(&key(b))
        })
    });
    let mut kept: Vec<&Evidence> = Vec::new();
    let mut last_id: Option<&str> = None;
    for e in sorted {
        if last_id == Some(e.id.as_str()) {
            diagnostics
                .push(Diagnostic::warning("TL493", format!("evidence `{}` is there twice and counts once", e.id)));
            continue;
        }
        last_id = Some(&e.id);
        if let Some(reason) = unusable(e) {
            let message = format!("evidence `{}` on `{}` is not used: {reason}", e.id, e.channel);
            diagnostics.push(Diagnostic::warning("TL492", message));
            continue;
        }
        let same = |k: &&Evidence| {
            k.source == e.source
                && k.channel == e.channel
                && k.span.overlaps(e.span)
                && (k.scope == e.scope || k.scope.is_none() || e.scope.is_none())
        };
        match kept.iter().position(same) {
            None => kept.push(e),
            Some(at) => {
                let rank = |x: &Evidence| (x.tier, x.scope.is_none());
                let (winner, loser) = if rank(e) > rank(kept[at]) { (e, kept[at]) } else { (kept[at], e) };
                let message = format!(
                    "evidence `{}` rests on the same people as `{}` of experiment `{}`; only the latter counts",
                    loser.id, winner.id, e.source
                );
                diagnostics.push(Diagnostic::warning("TL493", message));
                kept[at] = winner;
            }
        }
    }
    kept
}

/// Why evidence cannot be used, apart from its credit.
fn unusable(e: &Evidence) -> Option<String> {
    let (estimate, variance) = match e.effect {
        Effect::Conversions { estimate, variance } | Effect::PerCredit { estimate, variance } => (estimate, variance),
    };
    if e.tier < EvidenceTier::QuasiExperiment {
        Some(format!(
            "it is of tier {}, and only experiments and quasi-experiments say what was caused",
            e.tier.number()
        ))
    } else if !e.healthy {
        Some("a check of its design failed".to_owned())
    } else if !e.current {
        Some("it is too old".to_owned())
    } else if !estimate.is_finite() || variance.is_nan() {
        Some("its estimate is not a finite number".to_owned())
    } else if variance == f64::INFINITY {
        Some("its variance is infinite: it says nothing".to_owned())
    } else if variance <= 0.0 {
        Some(format!("a variance of {variance} is not one of a measurement"))
    } else if !(e.credit_variance >= 0.0 && e.credit_variance.is_finite()) {
        Some(format!("the variance of its credit is {}", e.credit_variance))
    } else {
        None
    }
}

impl<'a> Selected<'a> {
    /// Evidence as a ratio to the credit of its own scope and span.
    fn item(&mut self, periods: &[Period], credits: &[Credit], e: &'a Evidence) -> Option<Item<'a>> {
        let channel = self.channels.binary_search(&e.channel).ok()?;
        let here = |i: &usize| {
            let c = &credits[*i];
            c.channel == e.channel && periods[c.period].span == e.span && e.scope.is_none() && fault(c).is_none()
        };
        let cell = (0..credits.len()).find(here);
        let own = cell.map(|i| credits[i].conversions);
        let cell = cell.filter(|i| e.credit.is_none_or(|credit| credit == credits[*i].conversions));
        let needed = matches!(e.effect, Effect::Conversions { .. });
        let credit = match e.credit.or(own) {
            Some(credit) if credit.is_finite() && credit >= 0.0 => credit,
            Some(credit) => {
                self.refuse(e, &format!("its credit is {credit}"));
                return None;
            }
            None if needed => {
                self.refuse(e, "the channel's credit in its scope and span is not known, so that there is no ratio");
                return None;
            }
            None => 1.0,
        };
        let (ratio, variance) = match e.effect {
            Effect::PerCredit { estimate, variance } => (estimate, variance),
            Effect::Conversions { .. } if credit == 0.0 => {
                let message = format!(
                    "evidence `{}` found an effect of `{}`, which has no credit there: the ratio is not defined",
                    e.id, e.channel
                );
                let help = "compare the journeys' settings with what the experiment changed: its touches are not seen";
                self.diagnostics.push(Diagnostic::warning("TL495", message).help(help));
                return None;
            }
            Effect::Conversions { estimate, variance } => (estimate / credit, variance / (credit * credit)),
        };
        if !(ratio.is_finite() && variance.is_finite() && variance > 0.0) {
            self.refuse(e, "its ratio to the credit is beyond what can be computed with");
            return None;
        }
        let exchangeable = credits.iter().filter(|c| c.channel == e.channel).all(|c| c.exchangeable);
        let credit_error = match cell.and_then(|i| self.cells[i].as_ref()) {
            Some(place) => place.credit_error,
            None => e.credit_variance / (credit * credit).max(f64::MIN_POSITIVE),
        };
        let place =
            Place { channel, span: e.span, scope: e.scope.clone(), cell, credit_error, exchangeable, size: 1.0 };
        Some(Item { evidence: e, place, ratio, variance, credit })
    }

    fn refuse(&mut self, e: &Evidence, reason: &str) {
        let message = format!("evidence `{}` on `{}` is not used: {reason}", e.id, e.channel);
        self.diagnostics.push(Diagnostic::warning("TL492", message));
    }

    /// Holds pieces of evidence against each other; those of one channel, scope and time that disagree are widened.
    fn compare(&mut self) {
        let mut widened = vec![1.0; self.items.len()];
        for channel in 0..self.channels.len() {
            let all: Vec<usize> = (0..self.items.len()).filter(|i| self.items[*i].place.channel == channel).collect();
            let Some(found) = Heterogeneity::of(self.channels[channel].clone(), &self.pieces(&all)) else { continue };
            if found.p_value < CONFLICT {
                let message = format!(
                    "evidence on `{}` is in conflict: {} say {} (Q = {:.1} on {}, p = {:.4}, I² = {:.0} %)",
                    found.of,
                    found.ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
                    all.iter().map(|i| format!("{:.3}", self.items[*i].ratio)).collect::<Vec<_>>().join(", "),
                    found.q,
                    found.df,
                    found.p_value,
                    100.0 * found.i_squared
                );
                let help = "nothing is averaged away: intervals are wider; find out which experiment is wrong";
                self.diagnostics.push(Diagnostic::warning("TL494", message).help(help));
            }
            self.within.push(found);
            for group in self.together(&all) {
                if let Some(found) = Heterogeneity::of("", &self.pieces(&group)) {
                    for i in group {
                        widened[i] = found.widening();
                    }
                }
            }
        }
        let all: Vec<usize> = (0..self.items.len()).filter(|i| self.items[*i].place.exchangeable).collect();
        self.between = Heterogeneity::of("all channels", &self.pieces(&all));
        self.items.iter_mut().zip(widened).for_each(|(item, factor)| item.variance *= factor);
    }

    /// Sizes of the channels: mean credit a day over the periods they have credit in, or over their evidence.
    fn measure(&mut self, credits: &[Credit]) {
        let rate = |channel: usize| {
            let cells = self.cells.iter().zip(credits).filter_map(|(place, credit)| Some((place.as_ref()?, credit)));
            let own = cells.filter(|(p, _)| p.channel == channel);
            let mut rates: Vec<f64> = own.map(|(p, c)| c.conversions / p.span.days()).collect();
            if rates.is_empty() {
                let items = self.items.iter().filter(|i| i.place.channel == channel && i.place.scope.is_none());
                rates = items.map(|i| i.credit / i.place.span.days()).collect();
            }
            let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
            (mean > 0.0 && mean.is_finite()).then_some(mean)
        };
        let rates: Vec<Option<f64>> = (0..self.channels.len()).map(rate).collect();
        let pooled: BTreeSet<usize> =
            self.cells.iter().flatten().filter(|p| p.exchangeable).map(|p| p.channel).collect();
        let known: Vec<f64> = pooled.iter().filter_map(|c| rates[*c]).collect();
        let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
        let size = |channel: usize| match rates[channel] {
            Some(rate) if mean > 0.0 => rate / mean,
            _ => 1.0,
        };
        let places = self.cells.iter_mut().flatten().chain(self.items.iter_mut().map(|i| &mut i.place));
        for place in places {
            place.size = size(place.channel);
        }
    }

    fn pieces(&self, of: &[usize]) -> Vec<(&'a str, f64, f64)> {
        of.iter()
            .map(|i| (self.items[*i].evidence.id.as_str(), self.items[*i].ratio, self.items[*i].variance))
            .collect()
    }

    /// Groups of the same scope whose spans overlap, directly or through others.
    fn together(&self, of: &[usize]) -> Vec<Vec<usize>> {
        let mut sorted = of.to_vec();
        sorted.sort_by_key(|i| (self.items[*i].place.scope.clone(), self.items[*i].place.span.start(), *i));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut until = None;
        for i in sorted {
            let place = &self.items[i].place;
            let joins = groups.last().and_then(|g| g.last()).is_some_and(|last| {
                self.items[*last].place.scope == place.scope && until.is_some_and(|end| place.span.start() < end)
            });
            match groups.last_mut() {
                Some(group) if joins => group.push(i),
                _ => {
                    groups.push(vec![i]);
                    until = None;
                }
            }
            until = until.max(Some(place.span.end()));
        }
        groups
    }
}

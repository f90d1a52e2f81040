//! How accurate matching is: from labels of a draw, and from later logins.

use std::collections::BTreeMap;

use serde::Serialize;
use throughline_identity::Decision;
use throughline_stats::survey::{Drawn, SampledShare, sampled_share};

use super::calibration::{Reliability, reliability};
use super::draw::{MatchDraw, draws, standing_decisions};
use super::logins::{Logins, later_logins};
use crate::engine::Stores;
use crate::error::RunError;
use crate::project::Project;

/// Level of the intervals.
pub(super) const LEVEL: f64 = 0.95;

/// A share of all pairs, estimated from those that were drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sampled {
    /// The estimate.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Labels it rests on.
    pub labels: u64,
    /// How many equally probable draws would tell as much.
    pub effective: f64,
}

impl From<SampledShare> for Sampled {
    fn from(share: SampledShare) -> Self {
        let SampledShare { value, low, high, effective, units } = share;
        Self { value, low, high, labels: units, effective }
    }
}

/// How accurate matching is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// Level of the intervals.
    pub level: f64,
    /// The draw whose labels tell it.
    pub draw: Option<u32>,
    /// Pairs that were drawn from, by what had become of them.
    pub population: BTreeMap<String, u64>,
    /// Pairs drawn.
    pub drawn: u64,
    /// Of them, decided about.
    pub labelled: u64,
    /// The share of linked pairs that are of one person.
    pub precision: Option<Sampled>,
    /// The share of pairs of one person that were linked, among the pairs that were compared.
    pub recall: Option<Sampled>,
    /// What has to be said about the two.
    pub note: String,
    /// Whether probabilities mean what they say.
    pub calibration: Reliability,
    /// What later logins say.
    pub logins: Logins,
}

/// Estimates the accuracy of matching.
pub async fn match_accuracy(project: &Project, stores: &Stores) -> Result<Accuracy, RunError> {
    let ledger = stores.ledger.as_ref();
    let decisions = standing_decisions(ledger).await?;
    let draws = draws(ledger).await?;
    let labels_of = |draw: &MatchDraw| of_draw(&decisions, draw.draw).count();
    // The latest draw that has labels: they are about the matches as they are.
    let draw = draws.iter().rfind(|d| labels_of(d) > 0).or(draws.last());
    let sample = |whole: fn(bool, bool) -> bool| -> Vec<Drawn> {
        let of = |(drawn, same): (&throughline_identity::DrawnFrom, bool)| Drawn {
            inclusion: drawn.inclusion,
            part: same && drawn.linked,
            whole: whole(same, drawn.linked),
        };
        draw.into_iter().flat_map(|d| of_draw(&decisions, d.draw)).map(of).collect()
    };
    let labelled = draw.map_or(0, labels_of) as u64;
    Ok(Accuracy {
        level: LEVEL,
        draw: draw.map(|d| d.draw),
        population: draw.map(|d| d.population.clone()).unwrap_or_default(),
        drawn: draw.map_or(0, |d| d.pairs.len() as u64),
        labelled,
        precision: sampled_share(&sample(|_, linked| linked), LEVEL).map(Into::into),
        recall: sampled_share(&sample(|same, _| same), LEVEL).map(Into::into),
        note: note(draw, labelled),
        calibration: reliability(&decisions),
        logins: later_logins(project, stores).await?,
    })
}

fn of_draw(decisions: &[Decision], draw: u32) -> impl Iterator<Item = (&throughline_identity::DrawnFrom, bool)> {
    decisions.iter().filter_map(move |d| Some((d.drawn.as_ref().filter(|drawn| drawn.draw == draw)?, d.same?)))
}

fn note(draw: Option<&MatchDraw>, labelled: u64) -> String {
    let Some(draw) = draw else {
        return "no pairs were drawn yet: `throughline identity draw` draws some, `identity review` shows them"
            .to_owned();
    };
    if labelled == 0 {
        return format!("nobody decided about a pair of draw {} yet", draw.draw);
    }
    let open = draw.pairs.len() as u64 - labelled.min(draw.pairs.len() as u64);
    let missing = if open > 0 {
        format!("; {open} drawn pairs are not decided about, taken to be missing by chance")
    } else {
        String::new()
    };
    format!(
        "of the pairs that were compared and nobody had decided about before; pairs that blocking never brought together are not in it{missing}"
    )
}

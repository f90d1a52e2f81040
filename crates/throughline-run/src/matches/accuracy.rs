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
    let decisions = responding(decisions, &draws);
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

/// Decisions whose pairs count as drawn with the probability that they were drawn *and* decided about: π times the share of the draw
/// that was decided about, as what is missing is taken to be missing by chance.
fn responding(mut decisions: Vec<Decision>, draws: &[MatchDraw]) -> Vec<Decision> {
    let shares: BTreeMap<u32, f64> = draws
        .iter()
        .map(|d| (d.draw, of_draw(&decisions, d.draw).count() as f64 / d.pairs.len().max(1) as f64))
        .collect();
    for drawn in decisions.iter_mut().filter_map(|d| d.drawn.as_mut()) {
        drawn.inclusion *= shares.get(&drawn.draw).copied().unwrap_or(1.0).min(1.0);
    }
    decisions
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

#[cfg(test)]
mod tests {
    use throughline_core::{SubjectToken, Timestamp};
    use throughline_identity::DrawnFrom;

    use super::*;
    use crate::matches::draw::DrawnPair;

    #[test]
    fn few_answers_of_a_certain_draw_are_no_certainty() {
        let token = SubjectToken([1; 16]);
        let pair = DrawnPair {
            token,
            other_token: token,
            outcome: "linked".into(),
            probability: 0.9,
            weight_bits: 9.0,
            inclusion: 1.0,
        };
        let draw = MatchDraw {
            draw: 1,
            matches_version: None,
            seed: 1,
            expected: 10.0,
            floor: 0.1,
            population: BTreeMap::new(),
            pairs: vec![pair; 10],
            drawn_at: Timestamp::MIN,
        };
        let drawn = DrawnFrom { draw: 1, inclusion: 1.0, probability: 0.9, weight_bits: 9.0, linked: true };
        let decision =
            Decision { token, other_token: token, same: Some(true), reason: String::new(), drawn: Some(drawn) };
        let answers = |n: usize| {
            let decisions = responding(vec![decision.clone(); n], std::slice::from_ref(&draw));
            let sample: Vec<Drawn> = of_draw(&decisions, 1)
                .map(|(d, same)| Drawn { inclusion: d.inclusion, part: same, whole: true })
                .collect();
            sampled_share(&sample, LEVEL).expect("a share")
        };
        assert!(answers(1).low < 0.5 && answers(5).low > answers(1).low);
        assert_eq!((answers(10).low, answers(10).value), (1.0, 1.0), "all of them are known");
    }
}

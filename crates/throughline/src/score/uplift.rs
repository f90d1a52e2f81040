//! Predicted effects of actions on people, against their true ones.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use throughline_market::{Arm, Moment};
use throughline_run::project::CompiledPolicy;
use throughline_run::{each_row, tables};

use super::evidence::metric_of;
use super::known::{Known, UNKNOWN};
use super::ranking::{Pair, mean_effect, mean_error, pehe, pehe_of_mean, qini, rank_correlation};
use super::view::Match;
use super::{Found, Row, Score, View};
use crate::failure::Failure;

pub(super) const SCORE: Score = Score {
    part: "uplift",
    about: "The effects that the policy's model promises as of the run, person by person, against the true effects on the \
            same outcome from then on. `pehe` is the root of the mean squared error; `pehe_of_mean` is what one would have \
            by promising everybody the true mean effect, so a model above it says less about people than their average \
            does. `mean_error` is the mean promise less the mean effect. `qini` is the area between ranking by the \
            promise and random order, over that of ranking by the true effect: 1 is perfect, 0 is random. \
            `rank_correlation` is Spearman's. People are those who may be written to; whom a person of the line really is \
            is told by the customer record that lies on their timeline, or else by most of their purchases. `not_matched` \
            counts scored people of whom neither says anything.",
    take: |view| Box::pin(found(view)),
};

/// Predicted effects of one arm, by place of the true person; in an order that does not depend on person ids.
type ByArm = BTreeMap<String, Vec<(Match, f64)>>;

async fn found(view: &View<'_>) -> Result<Found, Failure> {
    if view.project.policies.is_empty() {
        return Ok(Found::nothing("no policy"));
    }
    let Some(matches) = view.matches() else {
        return Ok(Found::nothing("the truth of this project does not say whose the records are (truth/identity.csv)"));
    };
    let (mut rows, mut details) = (Vec::new(), Vec::new());
    for policy in view.project.policies.iter().map(|p| &p.value) {
        let (arms, unmatched) = predictions(view, policy, &matches).await?;
        if arms.is_empty() {
            rows.push(Row::undefined(policy.name(), "pehe", 0, "the last run scored nobody for this policy"));
            continue;
        }
        let people = arms.values().map(Vec::len).max().unwrap_or(0);
        for (arm, predicted) in arms {
            let several = view.project.policies.len() > 1;
            let name = if several { format!("{}: {arm}", policy.name()) } else { arm.clone() };
            rows.extend(of_arm(view, policy, &name, &arm, &predicted));
        }
        rows.push(Row::new(policy.name(), "not_matched", unmatched as f64, people + unmatched).in_unit("people"));
        details.push(json!({ "policy": policy.name(), "matched": people, "not_matched": unmatched }));
    }
    Ok(Found::Rows { rows, details })
}

/// The effects of a policy's last model as of the run, and how many people could not be matched.
async fn predictions(
    view: &View<'_>,
    policy: &CompiledPolicy,
    matches: &BTreeMap<&str, Match>,
) -> Result<(ByArm, usize), Failure> {
    let stage = view.metrics("model");
    let version = stage.iter().find(|m| m["policy"] == policy.name()).map(|m| &m["version"]);
    let (mut arms, mut unmatched) = (ByArm::new(), 0);
    let columns = ["person_id", "model_id", "model_version", "arm", "effect", "fold"];
    each_row(view.stores, &tables::scores(), &columns, |row| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        let current = version.is_none_or(|v| row.get("model_version") == Some(v));
        let Some(effect) = row.get("effect").and_then(Value::as_f64) else { return };
        if text("fold") != "score" || text("model_id") != policy.name() || !current {
            return;
        }
        let of_arm = arms.entry(text("arm").to_owned()).or_default();
        match matches.get(text("person_id")) {
            Some(found) => of_arm.push((*found, effect)),
            None => unmatched += 1,
        }
    })
    .await?;
    // Every person has a row an arm.
    unmatched /= arms.len().max(1);
    for predicted in arms.values_mut() {
        predicted.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    }
    Ok((arms, unmatched))
}

fn of_arm(view: &View<'_>, policy: &CompiledPolicy, name: &str, arm: &str, predicted: &[(Match, f64)]) -> Vec<Row> {
    let experiment = &view.project.experiments[policy.experiment].value.config;
    let outcome = &policy.config.model.outcome.value;
    let known = metric_of(view, &experiment.name.value, outcome).and_then(Known::of);
    let parsed = arm.parse::<Arm>().and_then(|arm| Ok((arm, experiment.control.value.parse::<Arm>()?)));
    let (known, (arm, control)) = match (known, parsed) {
        (None, _) => return vec![Row::undefined(name, "pehe", 0, UNKNOWN)],
        (_, Err(unknown)) => return vec![Row::undefined(name, "pehe", 0, unknown.to_string())],
        (Some(known), Ok(arms)) => (known, arms),
    };
    let people = predicted.iter().map(|(found, effect)| (&view.truth.persons[found.truth], *effect));
    let pairs: Vec<Pair> = people
        .filter(|(person, _)| person.reachable(Moment::Decision))
        .map(|(person, predicted)| Pair { predicted, truth: known.effect(person.at(Moment::Decision), arm, control) })
        .collect();
    measures(name, &pairs, &known.unit(view.currency()))
}

fn measures(name: &str, pairs: &[Pair], unit: &str) -> Vec<Row> {
    let n = pairs.len();
    let (nobody, same) =
        ("nobody was scored who may be written to", "all true effects, or all predicted ones, are equal");
    vec![
        Row::of(name, "pehe", pehe(pairs), n, nobody).in_unit(unit),
        Row::of(name, "pehe_of_mean", pehe_of_mean(pairs), n, nobody).in_unit(unit),
        Row::of(name, "mean_effect", mean_effect(pairs), n, nobody).in_unit(unit),
        Row::of(name, "mean_error", mean_error(pairs), n, nobody).in_unit(unit),
        Row::of(name, "qini", qini(pairs), n, same),
        Row::of(name, "rank_correlation", rank_correlation(pairs), n, same),
    ]
}

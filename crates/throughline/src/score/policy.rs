//! What the decisions truly earn.

use std::collections::BTreeMap;

use serde_json::Value;
use throughline_market::{Arm, PolicyScore, score_policy};
use throughline_run::project::CompiledPolicy;
use throughline_run::{each_row, tables};

use super::{Found, Row, Score, View};
use crate::failure::Failure;
use crate::truth::sent;

pub(super) const SCORE: Score = Score {
    part: "policy",
    about: "Expected profit, over the window after the decision, of what the policy does with everybody, against an oracle \
            that knows everybody. `regret` is what the oracle earns beyond it. `best_constant` is the best of doing the \
            same with everybody who may be written to, named beside it; `beyond_constant` is what the policy earns more. \
            `not_permitted` counts decisions to write to people who may not be written to; they count as sending nothing. \
            These are expectations, not draws: they have no sampling error. Scored is what was delivered; where nothing \
            was, because people have yet to agree, the decisions themselves.",
    take: |view| Box::pin(found(view)),
};

/// Decisions that can be scored: a customer number or an address, and an action.
type Decisions = Vec<(String, String)>;

async fn found(view: &View<'_>) -> Result<Found, Failure> {
    if view.project.policies.is_empty() {
        return Ok(Found::nothing("no policy"));
    }
    let delivered = sent(view.project, view.report)?;
    let mut rows = Vec::new();
    for policy in view.project.policies.iter().map(|p| &p.value) {
        let (decisions, note) = match delivered.get(policy.name()) {
            Some(sent) => (Ok(sent.clone()), "what was delivered"),
            None => (decided(view, policy).await?, "nothing was delivered: the decisions are scored"),
        };
        let scored = decisions.and_then(|d| score_policy(view.truth, &d).map_err(|e| e.to_string()));
        rows.extend(match scored {
            Ok(score) => measures(policy.name(), &score, view.currency(), note),
            Err(why) => vec![Row::undefined(policy.name(), "profit", 0, why)],
        });
    }
    Ok(Found::rows(rows))
}

/// The decisions of the policy's last cycle under the true customer numbers, or why there are none.
async fn decided(view: &View<'_>, policy: &CompiledPolicy) -> Result<Result<Decisions, String>, Failure> {
    let stage = view.metrics("decide");
    let Some(cycle) = stage.iter().find(|m| m["policy"] == policy.name()).and_then(|m| m["cycle_id"].as_str()) else {
        return Ok(Err("the last run decided nothing for this policy".to_owned()));
    };
    let Some(matches) = view.matches() else {
        return Ok(Err("the truth of this project does not say whose the records are (truth/identity.csv)".to_owned()));
    };
    let mut found = BTreeMap::new();
    each_row(view.stores, &tables::decisions(), &["entity_id", "cycle_id", "action"], |row| {
        let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
        if let Some(person) = matches.get(text("entity_id")).filter(|_| text("cycle_id") == cycle) {
            // A person who was split has one mail address: of several decisions that of the customer record counts.
            let place = found.entry(person.truth).or_insert_with(|| (person.by_purchases, text("action").to_owned()));
            if !person.by_purchases && place.0 {
                *place = (false, text("action").to_owned());
            }
        }
    })
    .await?;
    Ok(Ok(found.into_iter().map(|(truth, (_, action))| (view.truth.persons[truth].crm_id.clone(), action)).collect()))
}

fn measures(name: &str, score: &PolicyScore, currency: &str, note: &str) -> Vec<Row> {
    let row = |measure, value: f64| Row::new(name, measure, value, score.decided).in_unit(currency);
    // Of equal ones the first arm: sending nothing wins.
    let best = score.constant.iter().fold(None, |best: Option<(&Arm, f64)>, (arm, profit)| match best {
        Some((_, most)) if most >= *profit => best,
        _ => Some((arm, *profit)),
    });
    let mut rows = vec![
        row("profit", score.profit).say(note),
        row("oracle_profit", score.oracle_profit),
        row("regret", score.regret),
    ];
    if let Some((arm, profit)) = best {
        rows.push(row("best_constant", profit).say(arm.name()));
        rows.push(row("beyond_constant", score.profit - profit));
    }
    let row_of_people = |measure, n: usize, of| Row::new(name, measure, n as f64, of).in_unit("people");
    rows.push(row_of_people("decided", score.decided, score.people));
    rows.push(row_of_people("not_permitted", score.not_permitted, score.decided));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_constant_is_named_and_nothing_wins_ties() {
        let check = |constant: [f64; 3], best: (f64, &str)| {
            let score = PolicyScore {
                profit: 7.0,
                oracle_profit: 9.0,
                regret: 2.0,
                constant: Arm::ALL.into_iter().zip(constant).collect(),
                people: 10,
                decided: 8,
                not_permitted: 0,
                unknown_or_repeated: 0,
            };
            let rows = measures("p", &score, "EUR", "");
            let row = |measure: &str| rows.iter().find(|r| r.measure == measure).cloned().expect("the measure");
            assert_eq!((row("best_constant").value, row("best_constant").note.as_str()), (Some(best.0), best.1));
            assert_eq!(row("beyond_constant").value, Some(7.0 - best.0));
            assert_eq!(row("not_permitted").value, Some(0.0));
        };
        check([5.0, 6.0, 5.5], (6.0, "email_offer"));
        check([6.0, 6.0, 6.0], (6.0, "none"));
    }
}

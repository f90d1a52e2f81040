//! A policy against the truth.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Arm, MarketError, Moment, PersonTruth, Truth};

/// What a policy is worth, in expected profit over the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyScore {
    /// Expected profit of the decisions; people without a decision get nothing sent.
    pub profit: f64,
    /// Expected profit of the best action for everyone.
    pub oracle_profit: f64,
    /// `oracle_profit − profit`, never negative.
    pub regret: f64,
    /// Expected profit of doing the same with everyone who may be written to.
    pub constant: BTreeMap<Arm, f64>,
    /// People in the market.
    pub people: usize,
    /// People with a decision.
    pub decided: usize,
    /// Decisions to send to people who may not be written to; counted as sending nothing.
    pub not_permitted: usize,
    /// Decisions for people the market does not know, and second decisions for one person; left out.
    pub unknown_or_repeated: usize,
}

/// Scores decisions taken at the end of the written days: pairs of an e-mail address or customer number and an action.
pub fn score_policy<K: AsRef<str>, A: AsRef<str>>(
    truth: &Truth,
    decisions: &[(K, A)],
) -> Result<PolicyScore, MarketError> {
    score_policy_at(truth, Moment::Decision, decisions)
}

/// Scores decisions taken at a given time. The first decision for a person counts.
pub fn score_policy_at<K: AsRef<str>, A: AsRef<str>>(
    truth: &Truth,
    moment: Moment,
    decisions: &[(K, A)],
) -> Result<PolicyScore, MarketError> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, person) in truth.persons.iter().enumerate() {
        places.insert(person.email.as_str(), place);
        places.insert(person.crm_id.as_str(), place);
    }
    let mut actions = vec![Arm::None; truth.persons.len()];
    let mut seen = BTreeSet::new();
    let (mut not_permitted, mut unknown_or_repeated) = (0, 0);
    for (key, action) in decisions {
        let action: Arm = action.as_ref().parse()?;
        match places.get(key.as_ref().trim().to_lowercase().as_str()).or_else(|| places.get(key.as_ref().trim())) {
            Some(place) if seen.insert(*place) => {
                let permitted = action == Arm::None || truth.persons[*place].reachable(moment);
                not_permitted += usize::from(!permitted);
                actions[*place] = if permitted { action } else { Arm::None };
            }
            _ => unknown_or_repeated += 1,
        }
    }
    let profit = total(truth, moment, |place, _| actions[place]);
    let oracle_profit = total(truth, moment, |_, person| person.best(moment));
    Ok(PolicyScore {
        profit,
        oracle_profit,
        regret: (oracle_profit - profit).max(0.0),
        constant: constant_profits(truth, moment),
        people: truth.persons.len(),
        decided: seen.len(),
        not_permitted,
        unknown_or_repeated,
    })
}

/// Expected profit of doing the same with everyone who may be written to, by action.
fn constant_profits(truth: &Truth, moment: Moment) -> BTreeMap<Arm, f64> {
    let same = |arm: Arm| total(truth, moment, |_, person| if person.reachable(moment) { arm } else { Arm::None });
    Arm::ALL.into_iter().map(|arm| (arm, same(arm))).collect()
}

fn total(truth: &Truth, moment: Moment, action: impl Fn(usize, &PersonTruth) -> Arm) -> f64 {
    truth.persons.iter().enumerate().map(|(place, p)| p.at(moment).profit[action(place, p).index()]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Outlook;

    fn person(name: &str, contactable: bool, profit: [f64; 3]) -> PersonTruth {
        let outlook = Outlook { probability: [0.1; 3], value: [0.0; 3], profit };
        PersonTruth {
            crm_id: name.to_uppercase(),
            email: format!("{name}@people.example"),
            contactable,
            tested: contactable,
            churn_day: None,
            value_next_year: 0.0,
            test: Outlook::default(),
            decision: outlook,
        }
    }

    fn truth() -> Truth {
        let persons = vec![
            person("a", true, [1.0, 3.0, 2.0]),
            person("b", true, [2.0, 1.0, 1.5]),
            person("c", false, [1.0, 9.0, 0.0]),
        ];
        Truth { channels: Vec::new(), persons }
    }

    #[track_caller]
    fn check(decisions: &[(&str, &str)], profit: f64, counts: [usize; 3]) {
        let score = score_policy(&truth(), decisions).expect("known actions");
        assert_eq!((score.profit, score.oracle_profit, score.regret), (profit, 6.0, 6.0 - profit));
        assert_eq!([score.decided, score.not_permitted, score.unknown_or_repeated], counts);
    }

    #[test]
    fn policies_are_scored_against_the_oracle() {
        check(&[], 4.0, [0, 0, 0]);
        check(&[("a@people.example", "email_offer"), ("B", "none")], 6.0, [2, 0, 0]);
        check(&[(" A@People.example ", "email_news"), ("A", "email_offer")], 5.0, [1, 0, 1]);
        check(&[("C", "email_offer"), ("nobody", "none")], 4.0, [1, 1, 1]);
        let constant = score_policy::<&str, &str>(&truth(), &[]).expect("nothing to refuse").constant;
        assert_eq!(
            constant.into_iter().collect::<Vec<_>>(),
            [(Arm::None, 4.0), (Arm::EmailOffer, 5.0), (Arm::EmailNews, 4.5)]
        );
    }

    #[test]
    fn unknown_actions_are_refused() {
        let error = score_policy(&truth(), &[("A", "fax")]).expect_err("no such action");
        assert_eq!(error.to_string(), "unknown action `fax` (known: none, email_offer, email_news)");
    }
}

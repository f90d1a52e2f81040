//! A cycle in two passes over the people: plan (who gets what, within the budget), then decide one by one.

use std::collections::BTreeSet;

use throughline_core::{Diagnostic, EvidenceTier, Level, PersonId, Severity};

use crate::allocate::{Allocation, Allocator, Certificate};
use crate::check::check_policy;
use crate::decision::{Decision, DecisionArm, Ranked, Rationale, RationaleCode};
use crate::explore::{Explorable, Exploration, Salts};
use crate::feasible::{Assessed, Rules, feasible};
use crate::{Candidate, DecideError, Policy};

/// The facts of a scoring cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// Its id; exploration is drawn anew for each.
    pub id: String,
    /// Evidence behind the scores.
    pub evidence_tier: EvidenceTier,
    /// Level of the intervals.
    pub level: Level,
    /// How many of the best actions each decision lists.
    pub top_n: usize,
    /// Actions that are held because evidence does not pass the bar of the policy: nobody gets them, explored or not.
    pub held: BTreeSet<String>,
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanSummary {
    /// People, the holdout included.
    pub people: usize,
    /// People held out.
    pub held_out: usize,
    /// People of the policy arm with at least two feasible actions: those who may be explored.
    pub explorable: usize,
    /// People explored in this cycle.
    pub explored: usize,
    /// `explored / explorable`: the exact probability of being explored.
    pub exploration_rate: f64,
    /// Part of the budget set aside for exploration, in micros.
    pub reserved_micros: i64,
    /// Of the allocation of the rest of the budget, before exploration.
    pub certificate: Certificate,
    /// People of whom no action had a usable score.
    pub without_score: usize,
    /// What to know about the plan.
    pub diagnostics: Vec<Diagnostic>,
}

/// First pass: takes every candidate once, in any order, and keeps little of each.
#[derive(Debug)]
pub struct Planner<'a> {
    rules: Rules<'a>,
    cycle: Cycle,
    salts: Salts,
    people: Vec<PersonId>,
    held_out: usize,
    without_score: usize,
    allocator: Allocator<PersonId>,
    explorable: Vec<Explorable>,
}

impl<'a> Planner<'a> {
    /// Refuses a policy with errors.
    pub fn new(policy: &'a Policy, cycle: Cycle) -> Result<Self, DecideError> {
        let errors: Vec<Diagnostic> =
            check_policy(policy, None).into_iter().filter(|d| d.severity == Severity::Error).collect();
        if !errors.is_empty() {
            return Err(DecideError::BadPolicy { version: policy.version.clone(), errors });
        }
        let salts = Salts::new(&policy.salt, &cycle.id);
        Ok(Self {
            rules: Rules::new(policy, &cycle.held),
            cycle,
            salts,
            people: Vec::new(),
            held_out: 0,
            without_score: 0,
            allocator: Allocator::new(),
            explorable: Vec::new(),
        })
    }

    /// Takes a candidate into the plan.
    pub fn add(&mut self, candidate: &Candidate) -> Result<(), DecideError> {
        let assessed = self.rules.assess(candidate)?;
        self.people.push(candidate.person);
        if assessed.iter().all(|a| a.effect.is_none()) {
            self.without_score += 1;
        }
        if self.salts.holds_out(candidate.person, self.rules.policy.constraints.holdout_share()) {
            self.held_out += 1;
            return Ok(());
        }
        self.allocator.add(candidate.person, &self.rules.offers(&assessed))?;
        let feasible = feasible(&assessed);
        if feasible.len() > 1 {
            let costs = feasible.iter().map(|&i| self.rules.policy.actions[i].cost_micros);
            self.explorable.push(Explorable::new(candidate.person, costs.max().unwrap_or(0), &self.salts));
        }
        Ok(())
    }

    /// Allocates the budget and fixes who is explored.
    pub fn solve(mut self) -> Result<Plan<'a>, DecideError> {
        self.people.sort_unstable();
        if let Some(pair) = self.people.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(DecideError::DuplicatePerson { person: pair[0] });
        }
        let limits = &self.rules.policy.constraints;
        let exploration = Exploration::fix(self.explorable, limits.exploration_share(), limits.budget_micros);
        let rest = limits.budget_micros.map(|budget| budget - exploration.reserved_micros);
        let Allocation { choices, certificate } = self.allocator.solve(rest)?;
        let summary = PlanSummary {
            people: self.people.len(),
            held_out: self.held_out,
            explorable: exploration.explorable,
            explored: exploration.explored,
            exploration_rate: exploration.rate(),
            reserved_micros: exploration.reserved_micros,
            certificate,
            without_score: self.without_score,
            diagnostics: exploration.diagnostics(limits.exploration_share()),
        };
        let cycle = self.cycle;
        Ok(Plan { rules: self.rules, cycle, salts: self.salts, choices, exploration, summary })
    }
}

/// Second pass: the decision for each candidate of the plan, in any order and as often as wanted.
#[derive(Debug)]
pub struct Plan<'a> {
    rules: Rules<'a>,
    cycle: Cycle,
    salts: Salts,
    choices: Vec<(PersonId, Option<u32>)>,
    exploration: Exploration,
    summary: PlanSummary,
}

impl Plan<'_> {
    /// What the plan comes to.
    pub fn summary(&self) -> &PlanSummary {
        &self.summary
    }

    /// The decision for a candidate, who must be the same as in the first pass.
    pub fn decide(&self, candidate: &Candidate) -> Result<Decision, DecideError> {
        let assessed = self.rules.assess(candidate)?;
        let holdout_share = self.rules.policy.constraints.holdout_share();
        let none = self.rules.none;
        if self.salts.holds_out(candidate.person, self.rules.policy.constraints.holdout_share()) {
            let reason = vec![Rationale { code: RationaleCode::Holdout, action: None }];
            let arm = (DecisionArm::Holdout, holdout_share);
            return Ok(self.decision(candidate, &assessed, none, &[(none, 1.0)], arm, reason));
        }
        let chosen = self.chosen(candidate.person)?;
        let feasible = feasible(&assessed);
        let rate = if feasible.len() > 1 { self.summary.exploration_rate } else { 0.0 };
        let probabilities: Vec<(usize, f64)> = feasible
            .iter()
            .map(|&i| (i, rate / feasible.len() as f64 + if i == chosen { 1.0 - rate } else { 0.0 }))
            .collect();
        let explored = feasible.len() > 1 && self.exploration.includes(candidate.person, &self.salts);
        let (action, code) = if explored {
            (feasible[self.salts.draw(candidate.person, feasible.len())], Some(RationaleCode::Explore))
        } else {
            (chosen, self.reason(&assessed, chosen))
        };
        let mut rationale: Vec<Rationale> = code.map(|code| Rationale { code, action: None }).into_iter().collect();
        rationale.extend(self.left_out(&assessed));
        let arm = (DecisionArm::Policy, 1.0 - holdout_share);
        Ok(self.decision(candidate, &assessed, action, &probabilities, arm, rationale))
    }

    /// The action the allocation gave a person.
    fn chosen(&self, person: PersonId) -> Result<usize, DecideError> {
        let found = self.choices.binary_search_by_key(&person, |(key, _)| *key).ok();
        let choice = found.and_then(|i| self.choices.get(i)).ok_or(DecideError::UnplannedPerson { person })?;
        Ok(self.rules.action_of(choice.1))
    }

    /// Why the chosen action was chosen; `None` when rules left nothing else, which the other reasons then say.
    fn reason(&self, assessed: &[Assessed], chosen: usize) -> Option<RationaleCode> {
        let ranked = self.rules.ranked(assessed);
        let best = ranked.iter().find(|(i, net)| self.rules.passes(*i, *net)).map_or(self.rules.none, |(i, _)| *i);
        if best != chosen {
            return Some(RationaleCode::BudgetExhausted);
        }
        if chosen != self.rules.none || assessed.len() == 1 {
            return Some(RationaleCode::BestNetValue);
        }
        if ranked.len() > 1 {
            return Some(RationaleCode::BelowThreshold);
        }
        let unscored = assessed.iter().any(|a| a.forbidden.is_none() && a.net_micros.is_none());
        unscored.then_some(RationaleCode::NoScore)
    }

    /// What kept each other action out: a rule, or the lack of a score.
    fn left_out(&self, assessed: &[Assessed]) -> Vec<Rationale> {
        let reason = |a: &Assessed| a.forbidden.or(a.net_micros.is_none().then_some(RationaleCode::NoScore));
        let named = self.rules.policy.names().zip(assessed);
        named.filter_map(|(name, a)| Some(Rationale { code: reason(a)?, action: Some(name.to_owned()) })).collect()
    }

    fn decision(
        &self,
        candidate: &Candidate,
        assessed: &[Assessed],
        action: usize,
        probabilities: &[(usize, f64)],
        (arm, arm_probability): (DecisionArm, f64),
        rationale: Vec<Rationale>,
    ) -> Decision {
        let name = |i: usize| self.rules.policy.actions[i].name.clone();
        let of = &assessed[action];
        let net = of.net_micros.unwrap_or(0);
        let ranked = self.rules.ranked(assessed);
        let top = ranked.iter().take(self.cycle.top_n).map(|&(i, net)| Ranked {
            action: name(i),
            expected_net_value_micros: net,
            lower_bound_micros: assessed[i].error.map(|error| self.bounds(net, error).0),
        });
        Decision {
            entity: candidate.person,
            cycle_id: self.cycle.id.clone(),
            action: name(action),
            cost_micros: self.rules.policy.actions[action].cost_micros,
            top_n: top.collect(),
            score: of.effect,
            expected_net_value_micros: net,
            interval_micros: of.error.map(|error| self.bounds(net, error)),
            interval_absent: match of.error {
                Some(_) => None,
                None if action == self.rules.none => Some("baseline"),
                None => Some("no_std_error"),
            },
            action_probabilities: probabilities.iter().map(|&(i, p)| (name(i), p)).collect(),
            arm,
            arm_probability,
            eligibility: self.rules.eligibility(assessed),
            rationale,
            confidence: of.error.map(|error| positive_probability(net, error)),
            evidence_tier: self.cycle.evidence_tier,
        }
    }

    /// Net value ± critical value × standard error, in micros; the error is in units of money.
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates, and an interval that wide is as good")]
    fn bounds(&self, net_micros: i64, error: f64) -> (i64, i64) {
        let half = throughline_stats::dist::critical_value(self.cycle.level.get(), None) * error * 1e6;
        ((net_micros as f64 - half).round() as i64, (net_micros as f64 + half).round() as i64)
    }
}

fn positive_probability(net_micros: i64, error: f64) -> f64 {
    if error == 0.0 {
        return if net_micros > 0 { 1.0 } else { 0.0 };
    }
    throughline_stats::dist::normal_cdf(net_micros as f64 / 1e6 / error)
}

/// All decisions of a cycle.
#[derive(Debug, Clone, PartialEq)]
pub struct Decisions {
    /// In order of person.
    pub decisions: Vec<Decision>,
    /// What they come to.
    pub summary: PlanSummary,
}

/// Both passes over candidates in memory. The answer does not depend on their order.
pub fn decide(policy: &Policy, cycle: Cycle, candidates: &[Candidate]) -> Result<Decisions, DecideError> {
    let mut planner = Planner::new(policy, cycle)?;
    for candidate in candidates {
        planner.add(candidate)?;
    }
    let plan = planner.solve()?;
    let mut decisions = candidates.iter().map(|c| plan.decide(c)).collect::<Result<Vec<Decision>, DecideError>>()?;
    decisions.sort_unstable_by_key(|d| d.entity);
    Ok(Decisions { decisions, summary: plan.summary })
}

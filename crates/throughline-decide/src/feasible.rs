//! Which actions are open to one person, and what each is worth.

use std::collections::{BTreeMap, BTreeSet};

use throughline_core::money::micros_from_units;

use crate::allocate::{MAX_MICROS, Offer};
use crate::decision::RationaleCode;
use crate::{ActionKind, ActionView, Candidate, DecideError, Policy};

/// What one action is for one person.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Assessed {
    /// The rule that forbids it, when one does.
    pub(crate) forbidden: Option<RationaleCode>,
    /// Expected net value in micros; `None` without a usable score.
    pub(crate) net_micros: Option<i64>,
    /// The effect behind it; `None` for `none`, and for actions without an arm.
    pub(crate) effect: Option<f64>,
    /// Standard error of the net value, in units of money.
    pub(crate) error: Option<f64>,
}

impl Assessed {
    /// Allowed by the rules and scored: it may be chosen or explored.
    pub(crate) fn feasible_net(&self) -> Option<i64> {
        if self.forbidden.is_some() { None } else { self.net_micros }
    }
}

/// The policy as the planner uses it: actions numbered so that the lower number wins a tie.
#[derive(Debug, Clone)]
pub(crate) struct Rules<'a> {
    pub(crate) policy: &'a Policy,
    /// Position of the `none` action.
    pub(crate) none: usize,
    /// Tie number of each action: `none` first, then by name.
    tie: Vec<u32>,
    /// Action of each tie number.
    by_tie: Vec<usize>,
    /// Whether each action is held for want of evidence.
    held: Vec<bool>,
}

impl<'a> Rules<'a> {
    /// For a policy that passed its check.
    pub(crate) fn new(policy: &'a Policy, held: &BTreeSet<String>) -> Self {
        let none = policy.actions.iter().position(|a| a.kind == ActionKind::None).unwrap_or(0);
        let mut by_tie: Vec<usize> = (0..policy.actions.len()).collect();
        by_tie.sort_by_key(|&a| (a != none, &policy.actions[a].name));
        let mut tie = vec![0; by_tie.len()];
        for (number, &action) in (0_u32..).zip(&by_tie) {
            tie[action] = number;
        }
        let held = policy.actions.iter().map(|a| held.contains(&a.name)).collect();
        Self { policy, none, tie, by_tie, held }
    }

    /// The action behind a tie number of the allocation; nothing means `none`.
    pub(crate) fn action_of(&self, choice: Option<u32>) -> usize {
        choice.and_then(|number| self.by_tie.get(number as usize).copied()).unwrap_or(self.none)
    }

    pub(crate) fn assess(&self, candidate: &Candidate) -> Result<Vec<Assessed>, DecideError> {
        let expected = self.policy.actions.len();
        if candidate.actions.len() != expected {
            let got = candidate.actions.len();
            return Err(DecideError::ActionCount { person: candidate.person, expected, got });
        }
        Ok((0..expected).map(|i| self.assess_action(i, &candidate.actions[i], candidate)).collect())
    }

    fn assess_action(&self, index: usize, view: &ActionView, candidate: &Candidate) -> Assessed {
        let action = &self.policy.actions[index];
        let nothing = Assessed { forbidden: None, net_micros: Some(0), effect: None, error: None };
        if index == self.none {
            return nothing;
        }
        let forbidden = self.forbidden(index, view, candidate);
        if action.arm.is_none() {
            return Assessed { forbidden, net_micros: Some(-action.cost_micros), ..nothing };
        }
        let usable = view.effect.filter(|e| e.is_finite() && !candidate.score_expired);
        let net = usable.and_then(|effect| self.net_micros(effect, action.cost_micros));
        let error = view.std_error.filter(|e| e.is_finite() && *e >= 0.0).map(|e| e * self.policy.margin);
        Assessed {
            forbidden,
            net_micros: net,
            effect: usable.filter(|_| net.is_some()),
            error: error.filter(|_| net.is_some()),
        }
    }

    /// uplift × margin − cost in micros; `None` when it is beyond what an allocation accepts, which is no real score.
    fn net_micros(&self, effect: f64, cost_micros: i64) -> Option<i64> {
        let gain = micros_from_units(effect * self.policy.margin).ok()?;
        let net = gain.checked_sub(cost_micros)?;
        (-MAX_MICROS..=MAX_MICROS).contains(&net).then_some(net)
    }

    fn forbidden(&self, index: usize, view: &ActionView, candidate: &Candidate) -> Option<RationaleCode> {
        let action = &self.policy.actions[index];
        if self.held[index] {
            return Some(RationaleCode::EvidenceGate);
        }
        if action.eligibility.is_some() && view.eligible != Some(true) {
            return Some(RationaleCode::NotEligible);
        }
        if !action.consent.iter().all(|purpose| candidate.consent.allows(*purpose)) {
            return Some(RationaleCode::NoConsent);
        }
        let cap = self.policy.constraints.frequency_cap;
        if action.kind.is_contact() && cap.is_some_and(|c| candidate.contacts_in_window >= c.max) {
            return Some(RationaleCode::FrequencyCap);
        }
        // A last time that is not a number is treated as too recent: the safe side.
        let recent = |days: f64| days.is_nan() || days < action.cooldown_days;
        (action.cooldown_days > 0.0 && view.days_since_last.is_some_and(recent)).then_some(RationaleCode::Cooldown)
    }

    /// Whether an action is worth enough to be chosen; `none` always is.
    pub(crate) fn passes(&self, index: usize, net_micros: i64) -> bool {
        index == self.none || net_micros >= self.policy.constraints.min_expected_net_value_micros
    }

    /// What the allocation may choose from, `none` left out because it is doing nothing.
    pub(crate) fn offers(&self, assessed: &[Assessed]) -> Vec<Offer> {
        let open = assessed.iter().enumerate().filter(|(i, _)| *i != self.none);
        open.filter_map(|(i, a)| Some((i, a.feasible_net()?)))
            .filter(|(i, net)| self.passes(*i, *net))
            .map(|(i, net)| Offer {
                action: self.tie[i],
                value_micros: net,
                cost_micros: self.policy.actions[i].cost_micros,
            })
            .collect()
    }

    /// Feasible actions with their net value, best first: higher value, then lower cost, then name with `none` first.
    pub(crate) fn ranked(&self, assessed: &[Assessed]) -> Vec<(usize, i64)> {
        let mut ranked: Vec<(usize, i64)> =
            assessed.iter().enumerate().filter_map(|(i, a)| Some((i, a.feasible_net()?))).collect();
        ranked.sort_by_key(|&(i, net)| (std::cmp::Reverse(net), self.policy.actions[i].cost_micros, self.tie[i]));
        ranked
    }

    pub(crate) fn eligibility(&self, assessed: &[Assessed]) -> BTreeMap<String, bool> {
        self.policy.names().map(str::to_owned).zip(assessed.iter().map(|a| a.forbidden.is_none())).collect()
    }
}

/// Feasible actions in the order of the policy; `none` is always among them.
pub(crate) fn feasible(assessed: &[Assessed]) -> Vec<usize> {
    (0..assessed.len()).filter(|&i| assessed[i].feasible_net().is_some()).collect()
}

//! Decisions: the model's side of the canonical output table.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};
use throughline_core::{EvidenceTier, PersonId};

/// Which arm of the rollout a person is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionArm {
    /// The policy decides, exploration included.
    Policy,
    /// Held out: always `none`.
    Holdout,
}

impl DecisionArm {
    /// Name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Holdout => "holdout",
        }
    }
}

/// Why something was decided or left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RationaleCode {
    /// It has the highest expected net value of all feasible actions.
    BestNetValue,
    /// Drawn at random to keep learning.
    Explore,
    /// The person is held out.
    Holdout,
    /// A better action exists, but the budget buys more elsewhere.
    BudgetExhausted,
    /// Its expected net value is below the policy's threshold.
    BelowThreshold,
    /// There is no usable score, or it is too old.
    NoScore,
    /// The eligibility rule denies it.
    NotEligible,
    /// A purpose it needs is not consented to.
    NoConsent,
    /// The person had as many contacts as the cap allows.
    FrequencyCap,
    /// It was taken too recently.
    Cooldown,
    /// Evidence does not pass the bar of the policy, so it is held.
    EvidenceGate,
}

impl RationaleCode {
    /// Name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BestNetValue => "best_net_value",
            Self::Explore => "explore",
            Self::Holdout => "holdout",
            Self::BudgetExhausted => "budget_exhausted",
            Self::BelowThreshold => "below_threshold",
            Self::NoScore => "no_score",
            Self::NotEligible => "not_eligible",
            Self::NoConsent => "no_consent",
            Self::FrequencyCap => "frequency_cap",
            Self::Cooldown => "cooldown",
            Self::EvidenceGate => "evidence_gate",
        }
    }
}

/// A code, and the action it is about where it is not the one decided. Its text is `code` or `code:action`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rationale {
    /// The code.
    pub code: RationaleCode,
    /// The action it is about; `None` for the decision itself.
    pub action: Option<String>,
}

impl fmt::Display for Rationale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.name())?;
        self.action.as_ref().map_or(Ok(()), |action| write!(f, ":{action}"))
    }
}

impl Serialize for Rationale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One of the best actions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ranked {
    /// The action.
    pub action: String,
    /// Expected net value in micros.
    pub expected_net_value_micros: i64,
    /// Lower end of its interval in micros, where the effect carries an error.
    pub lower_bound_micros: Option<i64>,
}

/// What was decided for one person. The caller adds ids and versions of model, policy and features, and times.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    /// The person.
    pub entity: PersonId,
    /// The scoring cycle.
    pub cycle_id: String,
    /// The action.
    pub action: String,
    /// What it costs, in micros.
    pub cost_micros: i64,
    /// The best feasible actions by expected net value, best first.
    pub top_n: Vec<Ranked>,
    /// Predicted effect of the action on the outcome; `None` for `none` and without a score.
    pub score: Option<f64>,
    /// Expected net value of the action in micros: uplift × margin − cost.
    pub expected_net_value_micros: i64,
    /// Its interval in micros; `None` with the reason in `interval_absent`.
    pub interval_micros: Option<(i64, i64)>,
    /// Why there is no interval: `baseline` (the action is `none`) or `no_std_error`.
    pub interval_absent: Option<&'static str>,
    /// Probability of each feasible action under the final rule given the person's arm, in the order of the policy; they
    /// sum to one.
    pub action_probabilities: Vec<(String, f64)>,
    /// The rollout arm.
    pub arm: DecisionArm,
    /// Probability of that arm.
    pub arm_probability: f64,
    /// Per action: whether rules, consent, caps and cool-downs allow it.
    pub eligibility: BTreeMap<String, bool>,
    /// Reasons: first that of the decision, then what kept other actions out.
    pub rationale: Vec<Rationale>,
    /// Probability that the action's net value is above 0, from its standard error; absent without one.
    pub confidence: Option<f64>,
    /// Evidence behind the scores.
    pub evidence_tier: EvidenceTier,
}

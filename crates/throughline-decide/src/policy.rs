//! Policies: what may be done, what it costs, and within which limits. A version never changes once it is used.

use serde::{Deserialize, Serialize};
use throughline_core::diagnostic::closest;
use throughline_core::{Purpose, Share};

use crate::DecideError;

/// What is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Objective {
    /// Σ (uplift × margin − cost).
    #[default]
    IncrementalProfit,
}

/// What kind of thing an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// Do nothing: the baseline of every effect.
    None,
    /// Send a message.
    Send,
    /// Keep others from sending.
    Suppress,
    /// Wait for the next cycle.
    Delay,
    /// Show a chosen content or offer.
    Personalise,
    /// Give a discount.
    Discount,
    /// Address through an advertising platform.
    Retarget,
}

impl ActionKind {
    /// Whether the person notices it, so that frequency caps count it.
    pub const fn is_contact(self) -> bool {
        match self {
            Self::None | Self::Suppress | Self::Delay => false,
            Self::Send | Self::Personalise | Self::Discount | Self::Retarget => true,
        }
    }
}

/// One thing that can be done to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Unique name.
    pub name: String,
    /// Its kind.
    pub kind: ActionKind,
    /// Arm of the uplift model that predicts its effect. Not for `none`, and optional for `suppress` and `delay`, whose
    /// effect is 0 without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// Cost of doing it once, in micros of the project's currency.
    #[serde(default)]
    pub cost_micros: i64,
    /// Channel it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Purposes that must all be consented to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consent: Vec<Purpose>,
    /// SQL condition a person must meet; compiled and evaluated by the caller. NULL means deny.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
    /// Days that must pass before the same action is taken again for a person; 0 for none.
    #[serde(default)]
    pub cooldown_days: f64,
}

/// At most `max` contacts within `window_days`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyCap {
    /// Contacts allowed in the window, those of this cycle included.
    pub max: u32,
    /// Length of the window in days.
    pub window_days: f64,
}

/// The limits of a policy. By default there are none.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Constraints {
    /// Most that one cycle may cost; absent for no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_micros: Option<i64>,
    /// Cap on contacts per person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency_cap: Option<FrequencyCap>,
    /// Share of people held out for ever: they get `none`. Absent for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Share>,
    /// Share of the remaining people whose action is drawn at random in a cycle. Absent for nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Share>,
    /// An action must be worth at least this to be chosen (it may still be explored).
    pub min_expected_net_value_micros: i64,
}

impl Constraints {
    /// The holdout's share, 0 when absent.
    pub fn holdout_share(&self) -> f64 {
        self.holdout.map_or(0.0, Share::get)
    }

    /// The explored share, 0 when absent.
    pub fn exploration_share(&self) -> f64 {
        self.exploration.map_or(0.0, Share::get)
    }
}

/// A policy. Its parts are public for configuration; a [`Planner`](crate::Planner) takes only one that passes
/// [`check_policy`](crate::check_policy).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Version; the same version always means the same policy.
    pub version: String,
    /// What is maximised.
    #[serde(default)]
    pub objective: Objective,
    /// All actions, exactly one of kind `none` among them.
    pub actions: Vec<Action>,
    /// Money earned per unit of outcome. Where the outcome is money already, the share of it that is margin, 0 to 1.
    pub margin: f64,
    /// Whether the outcome is money, so that `margin` is a share.
    #[serde(default)]
    pub outcome_is_money: bool,
    /// The limits.
    #[serde(default)]
    pub constraints: Constraints,
    /// Salt of holdout and exploration. Changing it draws another holdout.
    pub salt: String,
}

impl Policy {
    /// The position of an action; an unknown name answers with the known ones and the closest.
    pub fn action(&self, name: &str) -> Result<usize, DecideError> {
        self.actions.iter().position(|a| a.name == name).ok_or_else(|| DecideError::UnknownAction {
            name: name.to_owned(),
            known: self.names().collect::<Vec<_>>().join(", "),
            suggestion: closest(name, self.names()).map(str::to_owned),
        })
    }

    /// Names of the actions, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.actions.iter().map(|a| a.name.as_str())
    }
}

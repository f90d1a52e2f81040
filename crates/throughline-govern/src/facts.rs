//! What a request is about, in numbers that a rule's condition can read.

use serde_json::Map;
use throughline_core::expr::{MemoryRow, Schema, Type, Value};

use crate::name::named;

named! {
    /// What a rule asks agreement for.
    ApprovalKind, "kind of approval", {
        /// A new version of a policy takes effect.
        Policy = "policy",
        /// Deliveries start again after a freeze.
        Unfreeze = "unfreeze",
        /// A person gets other roles or sign-offs.
        Role = "role",
        /// Anything else somebody asks agreement for.
        Other = "other",
    }
}

impl ApprovalKind {
    /// The columns that a condition of this kind may read.
    pub fn columns(self) -> &'static [(&'static str, Type)] {
        match self {
            Self::Policy => &[
                ("is_new", Type::Bool),
                ("people", Type::Int),
                ("deliveries", Type::Int),
                ("cost", Type::Float),
                ("cost_before", Type::Float),
                ("expected_value", Type::Float),
                ("expected_value_low", Type::Float),
                ("budget", Type::Float),
                ("budget_before", Type::Float),
                ("policy", Type::Text),
                ("destinations", Type::Int),
            ],
            Self::Unfreeze => &[("frozen_hours", Type::Float)],
            Self::Role => &[("role", Type::Text), ("grants_admin", Type::Bool)],
            Self::Other => &[],
        }
    }

    /// The same as a schema of the expression language.
    pub fn schema(self) -> Schema {
        Schema::new(self.columns().iter().copied())
    }
}

/// The facts of one request. Money is in units of the project's currency.
#[derive(Debug, Clone, PartialEq)]
pub enum Facts {
    /// Of a policy.
    Policy(PolicyFacts),
    /// Of starting deliveries again.
    Unfreeze {
        /// How long they were frozen.
        frozen_hours: f64,
    },
    /// Of a change of roles.
    Role {
        /// The roles afterwards, as text.
        role: String,
        /// Whether somebody becomes an administrator.
        grants_admin: bool,
    },
    /// Of anything else: none.
    Other,
}

/// What a policy would do in its next cycle, beside what its predecessor did. What is absent is NULL to conditions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PolicyFacts {
    /// Whether no version of the policy was ever applied.
    pub is_new: bool,
    /// People decided for.
    pub people: u64,
    /// People with an action other than none.
    pub deliveries: u64,
    /// What the cycle costs.
    pub cost: f64,
    /// What the last cycle cost; absent for a new policy.
    pub cost_before: Option<f64>,
    /// Expected net value against doing nothing.
    pub expected_value: f64,
    /// Lower end of its interval; absent where there is none.
    pub expected_value_low: Option<f64>,
    /// The budget; absent without one.
    pub budget: Option<f64>,
    /// The budget before; absent without one, and for a new policy.
    pub budget_before: Option<f64>,
    /// Name of the policy.
    pub policy: String,
    /// Destinations that deliver its decisions.
    pub destinations: u64,
}

impl Facts {
    /// What they are about.
    pub const fn kind(&self) -> ApprovalKind {
        match self {
            Self::Policy(_) => ApprovalKind::Policy,
            Self::Unfreeze { .. } => ApprovalKind::Unfreeze,
            Self::Role { .. } => ApprovalKind::Role,
            Self::Other => ApprovalKind::Other,
        }
    }

    /// By name, for people and for the record; what is NULL is left out.
    pub fn to_map(&self) -> Map<String, serde_json::Value> {
        let columns = self.kind().columns().iter().map(|(name, _)| (*name).to_owned());
        let known = columns.zip(self.values()).filter_map(|(name, value)| Some((name, json(&value)?)));
        known.collect()
    }

    /// As a row of [`ApprovalKind::schema`].
    pub(crate) fn row(&self) -> MemoryRow {
        MemoryRow { columns: self.values(), properties: Map::new() }
    }

    /// In the order of [`ApprovalKind::columns`].
    fn values(&self) -> Vec<Value> {
        match self {
            Self::Policy(facts) => vec![
                facts.is_new.into(),
                count(facts.people),
                count(facts.deliveries),
                Value::float(facts.cost),
                optional(facts.cost_before),
                Value::float(facts.expected_value),
                optional(facts.expected_value_low),
                optional(facts.budget),
                optional(facts.budget_before),
                facts.policy.as_str().into(),
                count(facts.destinations),
            ],
            Self::Unfreeze { frozen_hours } => vec![Value::float(*frozen_hours)],
            Self::Role { role, grants_admin } => vec![role.as_str().into(), (*grants_admin).into()],
            Self::Other => Vec::new(),
        }
    }
}

fn count(n: u64) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn optional(value: Option<f64>) -> Value {
    value.map_or(Value::Null, Value::float)
}

fn json(value: &Value) -> Option<serde_json::Value> {
    match value {
        Value::Null => None,
        Value::Bool(b) => Some((*b).into()),
        Value::Int(i) => Some((*i).into()),
        Value::Float(x) => Some((*x).into()),
        Value::Text(text) => Some((**text).into()),
        Value::Time(at) => Some(at.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> PolicyFacts {
        PolicyFacts {
            is_new: true,
            people: 1_000,
            deliveries: 400,
            cost: 90.5,
            cost_before: Some(1.0),
            expected_value: 300.0,
            expected_value_low: Some(2.0),
            budget: Some(3.0),
            budget_before: Some(4.0),
            policy: "spring".to_owned(),
            destinations: 2,
        }
    }

    #[test]
    fn values_fit_their_columns() {
        let every = [
            Facts::Policy(policy()),
            Facts::Unfreeze { frozen_hours: 1.5 },
            Facts::Role { role: "admin".to_owned(), grants_admin: true },
            Facts::Other,
        ];
        assert_eq!(every.each_ref().map(Facts::kind), ApprovalKind::ALL);
        for facts in every {
            let types: Vec<_> = facts.values().iter().map(Value::ty).collect();
            let expect: Vec<_> = facts.kind().columns().iter().map(|(_, ty)| Some(*ty)).collect();
            assert_eq!(types, expect, "{facts:?}");
        }
    }

    #[test]
    fn the_record_names_each_fact_and_leaves_nulls_out() {
        let facts = PolicyFacts { cost_before: None, budget_before: None, expected_value_low: None, ..policy() };
        let text = serde_json::to_string(&Facts::Policy(facts).to_map()).expect("JSON");
        assert_eq!(
            text,
            r#"{"is_new":true,"people":1000,"deliveries":400,"cost":90.5,"expected_value":300.0,"budget":3.0,"policy":"spring","destinations":2}"#
        );
        assert!(Facts::Unfreeze { frozen_hours: f64::NAN }.to_map().is_empty());
    }
}

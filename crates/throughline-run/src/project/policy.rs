//! A policy file, checked against the experiment it learns from, the features and the decisions table.

use serde_saphyr::Spanned;
use throughline_core::expr::{Expr, Schema, Type, TypedExpr};
use throughline_core::{Diagnostic, Severity};
use throughline_decide::{Policy, check_policy};
use throughline_features::{CompiledExperiment, CompiledFeatures, MetricKind, features_table};
use throughline_lake::expression_schema;

use super::config::PolicyConfig;
use super::{Hashed, unknown_name};

/// A policy ready to decide.
#[derive(Debug, Clone)]
pub struct CompiledPolicy {
    /// As configured.
    pub config: PolicyConfig,
    /// The rules.
    pub policy: Policy,
    /// Eligibility per action, over the features table.
    pub eligibility: Vec<Option<TypedExpr>>,
    /// The schema eligibility was parsed against.
    pub schema: Schema,
    /// Position of the experiment in the project.
    pub experiment: usize,
    /// Position of the outcome among the experiment's metrics.
    pub outcome: usize,
}

impl CompiledPolicy {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name.value
    }

    pub(super) fn compile(
        file: &str,
        hash: &str,
        config: PolicyConfig,
        experiments: &[Hashed<CompiledExperiment>],
        features: &CompiledFeatures,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut found: Vec<Diagnostic> = Vec::new();
        let policy = Policy {
            version: hash.chars().take(12).collect(),
            objective: throughline_decide::Objective::default(),
            actions: config.actions.clone(),
            margin: config.margin,
            outcome_is_money: config.outcome_is_money,
            constraints: config.constraints.clone(),
            salt: config.salt.clone().unwrap_or_else(|| config.name.value.clone()),
        };
        let place =
            |d: Diagnostic, at: &Spanned<String>| d.at(file, Some(at.referenced.line()), Some(at.referenced.column()));
        if !plain_word(&config.name.value) {
            let message = format!("the policy name `{}` is not a plain word", config.name.value);
            let finding = Diagnostic::error("TL014", message).help("use letters, digits, `_` and `-`");
            found.push(place(finding, &config.name));
        }
        let names: Vec<&str> = experiments.iter().map(|e| e.value.config.name.value.as_str()).collect();
        let experiment = names.iter().position(|n| *n == config.model.experiment.value);
        let mut outcome = None;
        if let Some(index) = experiment {
            let metrics: Vec<&str> = experiments[index].value.metrics.iter().map(|m| m.name.as_str()).collect();
            outcome = metrics.iter().position(|m| *m == config.model.outcome.value);
            let kind = outcome.map(|o| experiments[index].value.config.metrics[o].kind);
            if matches!(kind, Some(MetricKind::Ratio | MetricKind::Quantile)) {
                let message =
                    format!("the metric `{}` is of all people together, not of each", metrics[outcome.unwrap_or(0)]);
                let finding =
                    Diagnostic::error("TL011", message).help("a policy's outcome is a `proportion` or a `mean`");
                found.push(place(finding, &config.model.outcome));
            }
            if outcome.is_none() {
                let finding = unknown_name("TL011", "metric", &config.model.outcome.value, &metrics);
                found.push(place(finding, &config.model.outcome));
            }
            let arms: Vec<&str> = experiments[index].value.config.arms.keys().map(String::as_str).collect();
            found.extend(check_policy(&policy, Some(&arms)).into_iter().map(|d| d.at(file, None, None)));
        } else {
            let finding = unknown_name("TL010", "experiment", &config.model.experiment.value, &names);
            found.push(place(finding, &config.model.experiment));
        }
        if let Err(error) = throughline_uplift::uplift_model(&config.model.name) {
            found.push(Diagnostic::error("TL012", error.to_string()).at(file, None, None));
        }
        let schema = expression_schema(&features_table(features).file_schema);
        let eligibility = config
            .actions
            .iter()
            .map(|action| {
                let text = action.eligibility.as_ref()?;
                Expr::parse_as(text, &schema, Type::Bool)
                    .map_err(|e| found.push(e.diagnostic("TL013").at(file, None, None)))
                    .ok()
            })
            .collect();
        let (Some(experiment), Some(outcome)) = (experiment, outcome) else { return Err(found) };
        if found.iter().any(|d| d.severity == Severity::Error) {
            return Err(found);
        }
        Ok(Self { config, policy, eligibility, schema, experiment, outcome })
    }
}

/// Letters, digits, `_` and `-`: a policy's name is part of cycle ids and file names.
fn plain_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

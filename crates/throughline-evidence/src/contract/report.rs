//! What a one-shot analysis says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use throughline_core::{Diagnostic, Estimate, EvidenceTier};

/// One named estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is of, for example `ATT` or `g=2004, t=2006`.
    pub name: String,
    /// The estimate.
    pub estimate: Estimate,
}

/// The answer of an estimator: its main estimate, everything beside it, and what a reader must know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The method in the field's words, for example `synthetic_did`.
    pub method: String,
    /// What the estimate may be used as when its checks pass.
    pub tier: EvidenceTier,
    /// The estimate that answers the question.
    pub estimate: Estimate,
    /// Further estimates, in a fixed order.
    pub comparisons: Vec<Finding>,
    /// What must hold, in plain language.
    pub assumptions: Vec<String>,
    /// What the checks found.
    pub diagnostics: Vec<Diagnostic>,
    /// Weights, paths, tests: what belongs to the method.
    pub details: Map<String, Value>,
}

impl Report {
    /// A report of one estimate; its assumptions are the report's.
    pub fn new(method: impl Into<String>, tier: EvidenceTier, estimate: Estimate) -> Self {
        Self {
            method: method.into(),
            tier,
            assumptions: estimate.assumptions.clone(),
            estimate,
            comparisons: Vec::new(),
            diagnostics: Vec::new(),
            details: Map::new(),
        }
    }

    /// Adds an estimate.
    pub fn find(&mut self, name: impl Into<String>, estimate: Estimate) {
        self.comparisons.push(Finding { name: name.into(), estimate });
    }

    /// Adds a detail.
    pub fn detail(&mut self, name: &str, value: impl Into<Value>) {
        self.details.insert(name.to_owned(), value.into());
    }

    /// Adds an assumption in plain language.
    pub fn assume(&mut self, assumption: &str) {
        self.assumptions.push(assumption.to_owned());
    }

    /// Adds a finding of a check.
    pub fn diagnose(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

//! An answer of a command as evidence for a ledger.

use serde::Deserialize;
use serde_json::{Map, Value};
use throughline_core::{ConfidenceSet, Diagnostic, Estimate, EstimateError, EvidenceTier, InferenceKind, Level};
use throughline_evidence::{Design, Report};

use crate::OneShotError;

/// The part of an answer that becomes evidence.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    tier: Option<u8>,
    estimate: ToldEstimate,
    #[serde(default)]
    comparisons: Vec<Value>,
    #[serde(default)]
    assumptions: Vec<String>,
    #[serde(default)]
    diagnostics: Vec<Diagnostic>,
    #[serde(default)]
    details: Map<String, Value>,
}

/// What stands beside it, where it has the shape of [`Answer::of`](crate::Answer::of).
#[derive(Debug, Deserialize)]
struct ToldFinding {
    name: String,
    estimate: ToldEstimate,
}

#[derive(Debug, Deserialize)]
struct ToldEstimate {
    value: f64,
    std_error: Option<f64>,
    interval: (Option<f64>, Option<f64>),
    #[serde(default)]
    set: Option<ConfidenceSet>,
    p_value: f64,
    n: u64,
    level: Level,
    method: String,
    inference: InferenceKind,
}

impl ToldEstimate {
    /// The estimate, p-value and set held against each other as the constructor of inverted tests does.
    fn checked(self) -> Result<Estimate, EstimateError> {
        let set = self.set.unwrap_or_else(|| vec![self.interval].into());
        let checked =
            Estimate::inverted(self.value, self.std_error, set, self.p_value, self.n, self.level, self.method)?;
        Ok(Estimate { inference: self.inference, ..checked })
    }
}

/// The report behind the JSON of an answer. Its p-value and set must agree about 0, as every answer's do. Errors: no answer
/// of a command that estimates an effect, or one that contradicts itself.
pub fn report_of(json: &Value) -> Result<Report, OneShotError> {
    let refused = |message: String| {
        let help =
            "give the JSON that `throughline panel`, `iv`, `rd`, `effect` or `experiment read` printed with --json";
        OneShotError::finding(Diagnostic::error("TL067", message).help(help))
    };
    let told: Told = Told::deserialize(json).map_err(|e| refused(format!("this is no answer of a command: {e}")))?;
    let checked = told.estimate.checked().map_err(|error| refused(error.to_string()))?;
    let tier = match told.tier {
        Some(3) => EvidenceTier::Randomised,
        Some(2) => EvidenceTier::QuasiExperiment,
        Some(1) => EvidenceTier::Modelled,
        _ => EvidenceTier::Associational,
    };
    let method = told.method.unwrap_or_else(|| checked.method.clone());
    let mut report = Report::new(method, tier, checked);
    // Those of experiments are of another shape: each has a record of its own when a project reads it.
    for finding in told.comparisons.into_iter().filter_map(|c| serde_json::from_value::<ToldFinding>(c).ok()) {
        let estimate = finding.estimate.checked().map_err(|error| refused(format!("{}: {error}", finding.name)))?;
        report.find(finding.name, estimate);
    }
    report.assumptions = told.assumptions;
    report.diagnostics = told.diagnostics;
    report.details = told.details;
    Ok(report)
}

/// The design behind a command and its method. `None` for a command that estimates no effect.
pub fn design_of(words: &str, method: &str) -> Option<Design> {
    let has = |part: &str| method.contains(part);
    Some(match words.split_whitespace().next()? {
        "experiment" if words.contains("switchback") => Design::Switchback,
        "experiment" => Design::RandomisedExperiment,
        "iv" => Design::InstrumentalVariable,
        "rd" => Design::RegressionDiscontinuity,
        "effect" => Design::Adjustment,
        "panel" if has("geo") => Design::GeoExperiment,
        "panel" if has("sdid") || has("synthetic_did") => Design::SyntheticDifferenceInDifferences,
        "panel" if has("its") || has("structural") || has("segmented") => Design::InterruptedTimeSeries,
        "panel" if has("sc") || has("synth") => Design::SyntheticControl,
        "panel" => Design::DifferenceInDifferences,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        json!({ "method": "synthetic_did", "tier": 2, "assumptions": ["parallel"], "details": { "weights": [1] },
                "estimate": { "value": -15.6, "std_error": null, "interval": [null, -1.0], "p_value": 0.03, "n": 39,
                              "level": 0.95, "method": "sdid", "inference": "rank" } })
    }

    #[test]
    fn an_answer_becomes_a_report() {
        let report = report_of(&answer()).expect("an answer");
        assert_eq!(report.estimate.interval(), (f64::NEG_INFINITY, -1.0));
        assert_eq!((report.tier, report.estimate.inference), (EvidenceTier::QuasiExperiment, InferenceKind::Rank));
    }

    #[test]
    fn an_answer_that_contradicts_itself_is_refused() {
        let mut wrong = answer();
        wrong["estimate"]["p_value"] = json!(0.5);
        assert!(report_of(&wrong).is_err_and(|e| e.to_string().contains("disagree")));
        assert!(report_of(&json!({ "x": 1 })).is_err_and(|e| e.to_string().contains("no answer")));
    }
}

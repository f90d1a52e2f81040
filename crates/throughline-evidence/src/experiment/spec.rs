//! What an experiment promised: arms with their shares of units, the control, the metrics and how to judge them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use throughline_core::Level;
use throughline_core::diagnostic::closest;

use crate::EvidenceError;

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// Name as it stands in the assignment.
    pub name: String,
    /// Share of units promised, relative to the other arms.
    #[serde(default = "one")]
    pub weight: f64,
}

/// How a metric varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// Any number per unit; sample variance.
    Mean,
    /// 0 or 1 per unit; variance p (1 − p).
    Proportion,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// Name.
    pub name: String,
    /// Kind.
    pub kind: MetricKind,
}

/// How p-values account for the number of comparisons in the reading (arms × metrics).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// Not at all.
    #[default]
    None,
    /// Holm: the chance of any false discovery stays at α.
    Holm,
    /// Benjamini–Hochberg: the expected share of false discoveries stays at α.
    BenjaminiHochberg,
    /// Simultaneous bands over arms and metrics, which account for their correlation (as Dunnett's test does for arms that
    /// share a control). They need single units; a reading of sums alone uses Holm in their place.
    Bands,
}

/// An experiment with one control and one or more treated arms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Arms; an observation names its arm by position here.
    pub arms: Vec<ArmSpec>,
    /// Name of the arm the others are compared with.
    pub control: String,
    /// Metrics; an observation lists its values in this order.
    pub metrics: Vec<MetricSpec>,
    /// Confidence level of intervals; α = 1 − level decides significance.
    #[serde(default = "p95")]
    pub level: Level,
    /// Correction for several comparisons.
    #[serde(default)]
    pub correction: Correction,
}

const fn one() -> f64 {
    1.0
}

const fn p95() -> Level {
    Level::P95
}

impl ExperimentSpec {
    /// Equally weighted arms, no metrics yet, 95 % intervals, no correction.
    pub fn new<N: Into<String>>(arms: impl IntoIterator<Item = N>, control: impl Into<String>) -> Self {
        Self {
            arms: arms.into_iter().map(|name| ArmSpec { name: name.into(), weight: 1.0 }).collect(),
            control: control.into(),
            metrics: Vec::new(),
            level: Level::P95,
            correction: Correction::None,
        }
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, name: impl Into<String>, kind: MetricKind) -> Self {
        self.metrics.push(MetricSpec { name: name.into(), kind });
        self
    }

    /// Position of an arm by name.
    pub fn arm_index(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|arm| arm.name == name)
    }

    /// Checks the specification and gives the position of the control.
    pub fn validate(&self) -> Result<usize, EvidenceError> {
        if self.arms.len() < 2 {
            return Err(EvidenceError::TooFewArms { arms: self.arms.len() });
        }
        first_duplicate("arm", self.arms.iter().map(|arm| arm.name.as_str()))?;
        first_duplicate("metric", self.metrics.iter().map(|metric| metric.name.as_str()))?;
        if let Some(arm) = self.arms.iter().find(|arm| !(arm.weight.is_finite() && arm.weight >= 0.0)) {
            return Err(EvidenceError::BadWeight { arm: arm.name.clone(), weight: arm.weight });
        }
        if self.arms.iter().all(|arm| arm.weight == 0.0) {
            return Err(EvidenceError::NoWeight { arms: self.arms.len() });
        }
        let names = || self.arms.iter().map(|arm| arm.name.as_str());
        self.arm_index(&self.control).ok_or_else(|| EvidenceError::UnknownControl {
            control: self.control.clone(),
            suggestion: closest(&self.control, names()).map(str::to_owned),
            arms: names().collect::<Vec<_>>().join(", "),
        })
    }
}

fn first_duplicate<'a>(what: &'static str, names: impl Iterator<Item = &'a str>) -> Result<(), EvidenceError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(EvidenceError::Duplicate { what, name: name.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(spec: &ExperimentSpec, expect: &str) {
        let got = spec.validate().map_or_else(|e| e.to_string(), |control| format!("control {control}"));
        assert_eq!(got, expect);
    }

    #[test]
    fn specifications_are_checked() {
        let spec = ExperimentSpec::new(["none", "mail"], "none").metric("visit", MetricKind::Proportion);
        check(&spec, "control 0");
        check(&ExperimentSpec::new(["mail"], "mail"), "experiment has 1 arms, at least 2 are needed");
        check(
            &ExperimentSpec { control: "non".into(), ..spec.clone() },
            "control `non` is not an arm, did you mean `none`? (arms: none, mail)",
        );
        check(&ExperimentSpec::new(["a", "b", "a"], "b"), "arm `a` is listed twice");
        check(&spec.clone().metric("visit", MetricKind::Mean), "metric `visit` is listed twice");
        let mut weighted = spec;
        weighted.arms[1].weight = -1.0;
        check(&weighted, "weight of arm `mail` is -1, expected a finite number of at least 0");
        weighted.arms[1].weight = 0.0;
        check(&weighted, "control 0");
        weighted.arms[0].weight = 0.0;
        check(&weighted, "all 2 arms have a weight of 0, at least one must be above 0");
    }

    #[test]
    fn files_may_leave_out_the_usual() -> Result<(), serde_json::Error> {
        let text = r#"{"arms":[{"name":"a"},{"name":"b","weight":2}],"control":"a",
                       "metrics":[{"name":"m","kind":"mean"}],"correction":"benjamini_hochberg"}"#;
        let spec: ExperimentSpec = serde_json::from_str(text)?;
        assert_eq!(
            (spec.arms[0].weight, spec.level, spec.correction),
            (1.0, Level::P95, Correction::BenjaminiHochberg)
        );
        assert!(serde_json::from_str::<ExperimentSpec>(&text.replace("weight", "wieght")).is_err());
        assert!(
            serde_json::from_str::<ExperimentSpec>(&text.replace(r#""metrics""#, r#""level":1.5,"metrics""#)).is_err()
        );
        Ok(())
    }
}

//! Which truth belongs to a metric of an experiment.

use throughline_market::{Arm, Outlook};
use throughline_run::{Aggregate, MetricConfig, MetricKind};

/// An outcome whose expectation the market states for every person and action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// At least one purchase in the window.
    Purchase,
    /// What is paid in the window.
    Spend,
}

/// Why a metric cannot be scored.
pub(super) const UNKNOWN: &str =
    "the market states no truth for this metric: it does for `any` purchase and for the `sum` of their `value`";

impl Known {
    /// The outcome of a metric over purchases: a `proportion` of `any`, or a `mean` of the `sum` of `value`.
    pub(super) fn of(metric: &MetricConfig) -> Option<Self> {
        let condition = metric.condition.as_ref().map(|c| c.value.split_whitespace().collect::<String>());
        let value = metric.value.as_ref().map(|v| v.value.trim());
        if condition.as_deref() != Some("kind='purchase'") {
            return None;
        }
        match (metric.kind, metric.agg, value) {
            (MetricKind::Proportion, Aggregate::Any, None) => Some(Self::Purchase),
            (MetricKind::Mean, Aggregate::Sum, Some("value")) => Some(Self::Spend),
            _ => None,
        }
    }

    /// What an arm changes against a control for one person, in the outcome's unit.
    pub(super) fn effect(self, outlook: &Outlook, arm: Arm, control: Arm) -> f64 {
        let expected = match self {
            Self::Purchase => &outlook.probability,
            Self::Spend => &outlook.value,
        };
        expected[arm.index()] - expected[control.index()]
    }

    /// Its unit.
    pub(super) fn unit(self, currency: &str) -> String {
        match self {
            Self::Purchase => "probability".to_owned(),
            Self::Spend => currency.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_effect_is_the_arm_less_the_control() {
        let outlook = Outlook { probability: [0.1, 0.3, 0.15], profit: [9.0; 3], value: [4.0, 7.0, 3.5] };
        assert_eq!(Known::Spend.effect(&outlook, Arm::EmailOffer, Arm::None), 3.0);
        assert_eq!(Known::Spend.effect(&outlook, Arm::EmailNews, Arm::None), -0.5);
        assert_eq!(Known::Purchase.effect(&outlook, Arm::EmailNews, Arm::EmailOffer), -0.15);
    }
}

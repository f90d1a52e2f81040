//! Reading before the end: what makes an interval hold although it is looked at more than once.

use serde::{Deserialize, Serialize};
use throughline_core::{ConfidenceSet, Estimate, Side};

use crate::EvidenceError;
use crate::sequential::{GroupSequential, Msprt, Sides, Spending};

/// How an experiment is looked at more than once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method", deny_unknown_fields)]
pub enum Looks {
    /// At any time, by an asymptotic confidence sequence that is tightest at `tuned_at` independent units.
    ConfidenceSequence {
        /// Units, at least 1.
        tuned_at: f64,
    },
    /// At any time, by a mixture sequential probability ratio test.
    Msprt {
        /// Standard deviation τ of the mixture in the metric's unit, above 0: the size of effect one expects.
        expected_effect: f64,
    },
    /// At planned looks, by repeated confidence intervals.
    GroupSequential {
        /// Fractions of the planned information at which the experiment is looked at, increasing to at most 1. Looks that
        /// are past stand where they were taken.
        fractions: Vec<f64>,
        /// Which of them this look is, counted from 1.
        look: usize,
        /// How the error rate is spent.
        spending: Spending,
    },
}

impl Looks {
    /// Refuses what no look can be. Errors: an unusable size or effect (TL310), a look that is not planned (TL336), fractions that
    /// do not increase or a spending outside its range (TL335).
    pub fn validate(&self) -> Result<(), EvidenceError> {
        let setting = |what, value, bounds| Err(EvidenceError::Setting { what, value, bounds });
        match self {
            Self::ConfidenceSequence { tuned_at } if !(*tuned_at >= 1.0 && tuned_at.is_finite()) => {
                setting("tuning size of the confidence sequence", *tuned_at, "1 and above")
            }
            Self::Msprt { expected_effect: e } if !(*e > 0.0 && e.is_finite()) => {
                setting("expected effect of the mixture test", *e, "the numbers above 0")
            }
            Self::GroupSequential { fractions, look, .. } => {
                self.plan(0.05, Sides::Two).validate()?;
                if *look == 0 || *look > fractions.len() {
                    return setting("number of the look", *look as f64, "1 to the number of planned looks");
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn plan(&self, alpha: f64, sides: Sides) -> GroupSequential {
        match self {
            Self::GroupSequential { fractions, spending, .. } => {
                GroupSequential { looks: fractions.clone(), spending: *spending, alpha, sides }
            }
            _ => GroupSequential { looks: vec![1.0], spending: Spending::ObrienFleming, alpha, sides },
        }
    }

    /// A Wald estimate as this look. `independent` counts what is independent in it, `scale` turns the metric's unit into
    /// that of the estimate (1 over the control's mean for a lift). Errors: an estimate without standard error.
    pub(crate) fn at(
        &self,
        look: Estimate,
        independent: u64,
        scale: f64,
        side: Option<Side>,
    ) -> Result<Estimate, EvidenceError> {
        match self {
            Self::ConfidenceSequence { tuned_at } => {
                let n = look.n;
                let counted = Estimate { n: independent, ..look };
                let seen = match side {
                    None => counted.sequential(*tuned_at)?,
                    Some(side) => counted.sequential_one_sided(*tuned_at, side)?,
                };
                Ok(Estimate { n, ..seen })
            }
            Self::Msprt { expected_effect } => {
                let two_sided = Msprt::new((expected_effect * scale).powi(2))?.look(&look)?;
                side.map_or(Ok(two_sided.clone()), |side| half(&look, &two_sided, side))
            }
            Self::GroupSequential { look: number, .. } => {
                let alpha = look.level.alpha();
                match side {
                    None => self.plan(alpha, Sides::Two).repeated(&look, number - 1),
                    Some(Side::Greater) => self.plan(alpha, Sides::One).repeated(&look, number - 1),
                    Some(Side::Less) => {
                        let turned = Estimate { value: -look.value, ..look.clone() };
                        let seen = self.plan(alpha, Sides::One).repeated(&turned, number - 1)?;
                        let parts = seen.set.0.iter().rev().map(|(low, high)| (-high, -low)).collect();
                        Ok(look.at_look(ConfidenceSet(parts), seen.p_value, seen.method.clone())?)
                    }
                }
            }
        }
    }
}

/// One side of a two-sided look: the same bound, and a p-value of 1 on the wrong side of 0. It holds because the two-sided set
/// holds; it does not use the error rate of the other side.
fn half(look: &Estimate, two_sided: &Estimate, side: Side) -> Result<Estimate, EvidenceError> {
    let (low, high) = two_sided.interval();
    let (part, right) = match side {
        Side::Greater => ((low, f64::INFINITY), look.value > 0.0),
        Side::Less => ((f64::NEG_INFINITY, high), look.value < 0.0),
    };
    let p = if right { two_sided.p_value } else { 1.0 };
    Ok(look.at_look(ConfidenceSet(vec![part]), p, format!("{}_one_sided", two_sided.method))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_core::Level;

    fn wald(value: f64) -> Estimate {
        Estimate::wald(value, 1.0, None, 400, Level::P95, "mean").expect("an estimate")
    }

    fn groups(look: usize) -> Looks {
        Looks::GroupSequential { fractions: vec![0.5, 1.0], look, spending: Spending::ObrienFleming }
    }

    #[test]
    fn every_look_is_wider_than_one_look_and_excludes_zero_exactly_when_p_is_small() {
        let all = [
            Looks::ConfidenceSequence { tuned_at: 400.0 },
            Looks::Msprt { expected_effect: 2.0 },
            groups(1),
            groups(2),
        ];
        for looks in &all {
            for value in [-9.0, -3.5, -2.0, 0.0, 1.5, 2.5, 4.0, 9.0] {
                for side in [None, Some(Side::Greater), Some(Side::Less)] {
                    let once = wald(value);
                    let seen = looks.at(once.clone(), 400, 1.0, side).expect("a look");
                    let (low, high) = seen.interval();
                    assert_eq!(!seen.set.contains(0.0), seen.p_value < 0.05, "{looks:?} {side:?} {seen:?}");
                    match side {
                        None => assert!(low < once.interval().0 && high > once.interval().1, "{looks:?} {seen:?}"),
                        Some(Side::Greater) => assert!(high.is_infinite() && low < value),
                        Some(Side::Less) => assert!(low.is_infinite() && high > value),
                    }
                }
            }
        }
    }

    #[test]
    fn boundaries_are_those_of_the_plan() {
        // O'Brien–Fleming with two looks at 5 %, two-sided: 2.9626 and 1.9686 (ldbounds).
        for (look, critical) in [(1, 2.9626), (2, 1.9686)] {
            let (low, high) = groups(look).at(wald(5.0), 400, 1.0, None).expect("a look").interval();
            assert!((low - (5.0 - critical)).abs() < 1e-4 && (high - (5.0 + critical)).abs() < 1e-4, "{low} {high}");
        }
        let less = groups(1).at(wald(-5.0), 400, 1.0, Some(Side::Less)).expect("a look");
        let greater = groups(1).at(wald(5.0), 400, 1.0, Some(Side::Greater)).expect("a look");
        assert_eq!((less.interval().1, less.p_value), (-greater.interval().0, greater.p_value));
    }

    #[test]
    fn what_no_look_can_be_is_refused() {
        let bad = [
            Looks::ConfidenceSequence { tuned_at: 0.5 },
            Looks::Msprt { expected_effect: 0.0 },
            Looks::Msprt { expected_effect: f64::NAN },
            groups(0),
            groups(3),
            Looks::GroupSequential { fractions: vec![0.5, 0.5], look: 1, spending: Spending::Pocock },
            Looks::GroupSequential { fractions: vec![1.0], look: 1, spending: Spending::Power { rho: 0.0 } },
        ];
        for looks in bad {
            assert!(looks.validate().is_err(), "{looks:?}");
        }
    }
}

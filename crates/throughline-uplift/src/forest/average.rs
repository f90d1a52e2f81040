//! Average effects of an arm, by the doubly robust score of every row.

use throughline_core::{Estimate, Level};

use crate::UpliftError;

/// What the forest says of its own training rows, each from the trees that did not see it, and the doubly robust scores
/// that follow: the material for average effects of everybody or of any group fixed beforehand.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfBag {
    /// Name of the arm.
    pub arm: String,
    /// Rows of the training data: those of the arm and of the control with positive weight, ascending.
    pub rows: Vec<usize>,
    /// Effect τ̂ of each row from the trees whose bag it is not in.
    pub effect: Vec<f64>,
    /// Γ = τ̂ + (W − ê) / (ê (1 − ê)) · (Y − ŷ − (W − ê) τ̂) of each row, with ŷ and ê out of fold.
    pub score: Vec<f64>,
    /// P(arm | x, arm or control) ê, before it was held away from 0 and 1.
    pub propensity: Vec<f64>,
    /// Weight of each row.
    pub weight: Vec<f64>,
    /// Share [trim, 1 − trim] of propensities that enter averages.
    pub trim: f64,
}

/// An average effect.
#[derive(Debug, Clone, PartialEq)]
pub struct AverageEffect {
    /// Name of the arm.
    pub arm: String,
    /// Mean of the scores, in the unit of the outcome, with its standard error.
    pub estimate: Estimate,
    /// Rows left out because their chance of treatment is too close to 0 or 1. The effect is that of the others.
    pub trimmed: usize,
}

impl OutOfBag {
    /// The average effect Σ s Γ / Σ s over the rows of the training data that `member` names, with standard error
    /// √Σ s² (Γ − mean)² / Σ s · √(n / (n − 1)) (Robins, Rotnitzky, Zhao 1994; in forests Athey and Wager 2019).
    ///
    /// Rows with a chance of treatment outside [trim, 1 − trim] are left out and counted: the answer is then about people
    /// who could have been in either arm. `member` must not depend on the outcome. `None` where fewer than two rows are
    /// left.
    pub fn average_effect(
        &self,
        level: Level,
        member: impl Fn(usize) -> bool,
    ) -> Result<Option<AverageEffect>, UpliftError> {
        let inside = |p: f64| p >= self.trim && p <= 1.0 - self.trim;
        let asked = (0..self.rows.len()).filter(|&i| member(self.rows[i]));
        let (kept, trimmed): (Vec<usize>, Vec<usize>) = asked.partition(|&i| inside(self.propensity[i]));
        let weight: f64 = kept.iter().map(|&i| self.weight[i]).sum();
        if kept.len() < 2 || weight <= 0.0 {
            return Ok(None);
        }
        let mean = kept.iter().map(|&i| self.weight[i] / weight * self.score[i]).sum::<f64>();
        let squares: f64 = kept.iter().map(|&i| (self.weight[i] / weight * (self.score[i] - mean)).powi(2)).sum();
        let n = kept.len() as f64;
        let error = (squares * n / (n - 1.0)).sqrt();
        let mut estimate = Estimate::wald(mean, error, None, kept.len() as u64, level, "forest_aipw")?;
        if !trimmed.is_empty() {
            estimate = estimate.assuming(format!(
                "{} rows with a chance of treatment outside {} to {} left out",
                trimmed.len(),
                self.trim,
                1.0 - self.trim
            ));
        }
        Ok(Some(AverageEffect { arm: self.arm.clone(), estimate, trimmed: trimmed.len() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(propensity: Vec<f64>) -> OutOfBag {
        let n = propensity.len();
        OutOfBag {
            arm: "mail".to_owned(),
            rows: (0..n).map(|i| 2 * i).collect(),
            effect: vec![0.0; n],
            score: (0..n).map(|i| i as f64).collect(),
            propensity,
            weight: vec![2.0; n],
            trim: 0.1,
        }
    }

    #[test]
    fn averages_are_means_of_scores_inside_the_overlap() {
        let all = sample(vec![0.5, 0.1, 0.9, 0.5, 0.05]);
        let average = all.average_effect(Level::P95, |_| true).expect("finite").expect("rows");
        // Scores 0, 1, 2, 3: mean 1.5, standard error √(5/3 / 4).
        assert_eq!((average.estimate.value, average.trimmed, average.estimate.n), (1.5, 1, 4));
        let error = average.estimate.std_error.expect("an error");
        assert!((error - (5.0_f64 / 12.0).sqrt()).abs() < 1e-12, "{error}");
        assert!(average.estimate.assumptions[0].contains("1 rows with a chance of treatment outside 0.1 to 0.9"));
        let group = all.average_effect(Level::P95, |row| row < 4).expect("finite").expect("rows");
        assert_eq!(group.estimate.value, 0.5);
        assert_eq!(all.average_effect(Level::P95, |row| row == 8).expect("finite"), None);
    }
}

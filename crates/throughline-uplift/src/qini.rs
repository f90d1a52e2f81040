//! Qini and uplift curves in the variants in use, each under its own name: they are different numbers.
//!
//! All group tied scores into one point of the curve, so that the order of rows cannot change them.

use crate::evaluation::{PercentileStrategy, uplift_at};
use crate::ranking::{Block, Scored, Tally};

/// A cumulative gain curve over the ranking, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Rows treated so far: 0, then the end of each block of tied scores.
    pub rows: Vec<usize>,
    /// Gain so far, in the unit of the outcome times rows.
    pub gain: Vec<f64>,
}

impl Curve {
    /// Area under the curve by the trapezoid rule.
    pub fn area(&self) -> f64 {
        let pairs = self.rows.windows(2).zip(self.gain.windows(2));
        pairs.map(|(x, y)| (x[1] - x[0]) as f64 * f64::midpoint(y[0], y[1])).sum()
    }

    /// Area under the straight line to the curve's end: the expectation of a random ranking.
    pub fn random_area(&self) -> f64 {
        let rows = self.rows.last().copied().unwrap_or(0) as f64;
        rows * self.gain.last().copied().unwrap_or(0.0) / 2.0
    }

    fn of(blocks: impl IntoIterator<Item = (Tally, Tally)>, gain: fn(Tally, Tally) -> f64) -> Self {
        let mut curve = Self { rows: vec![0], gain: vec![0.0] };
        let (mut treated, mut control) = (Tally::default(), Tally::default());
        for (more_treated, more_control) in blocks {
            treated = treated.plus(more_treated);
            control = control.plus(more_control);
            curve.rows.push(treated.rows + control.rows);
            curve.gain.push(gain(treated, control));
        }
        curve
    }
}

/// Gain = `Y_t − Y_c · n_t / n_c` over the rows so far (Radcliffe 2007; `qini_curve` of scikit-uplift).
pub(crate) fn qini_gain(treated: Tally, control: Tally) -> f64 {
    let ratio = if control.rows == 0 { 0.0 } else { treated.rows as f64 / control.rows as f64 };
    treated.total - control.total * ratio
}

/// Gain = `(mean_t − mean_c) · n` over the rows so far (`uplift_curve` of scikit-uplift).
pub(crate) fn uplift_gain(treated: Tally, control: Tally) -> f64 {
    (treated.mean() - control.mean()) * (treated.rows + control.rows) as f64
}

/// The Qini curve.
pub fn qini_curve(scored: &Scored) -> Curve {
    Curve::of(scored.blocks.iter().map(arms), qini_gain)
}

/// The uplift curve.
pub fn uplift_curve(scored: &Scored) -> Curve {
    Curve::of(scored.blocks.iter().map(arms), uplift_gain)
}

fn arms(block: &Block) -> (Tally, Tally) {
    (block.treated, block.control)
}

/// The named scores of one ranking. Normalised scores exist for outcomes of 0 and 1 only, and where the perfect ranking
/// differs from a random one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QiniScores {
    /// Area between Qini curve and random line, in the unit of the outcome times rows².
    pub qini_area: f64,
    /// Area between uplift curve and random line, in the unit of the outcome times rows².
    pub uplift_area: f64,
    /// `qini_auc_score(negative_effect=True)` of scikit-uplift: Qini area over that of the perfect ranking (all treated
    /// responders first, all control responders last).
    pub qini_auc: Option<f64>,
    /// `qini_auc_score(negative_effect=False)`: the perfect ranking assumes that treatment never harms.
    pub qini_auc_no_negative: Option<f64>,
    /// `uplift_auc_score` of scikit-uplift: uplift area over that of its perfect ranking.
    pub uplift_auc: Option<f64>,
    /// `uplift_at_k(strategy="overall", k=0.3)`: effect among the best 30 % of all rows.
    pub uplift_at_30_overall: Option<f64>,
    /// `uplift_at_k(strategy="by_group", k=0.3)`: mean of the best 30 % of the treated less that of the best 30 % of the
    /// control.
    pub uplift_at_30_by_group: Option<f64>,
}

/// All named scores of a ranking. Where a cut falls into tied rows, the score is the mean over all orders of those rows.
pub fn qini_scores(scored: &Scored) -> QiniScores {
    let (qini, uplift) = (qini_curve(scored), uplift_curve(scored));
    let qini_area = qini.area() - qini.random_area();
    let uplift_area = uplift.area() - uplift.random_area();
    let cells = scored.binary.then(|| Cells::count(scored));
    let over = |area: f64, perfect: f64| (perfect != 0.0).then(|| area / perfect);
    QiniScores {
        qini_area,
        uplift_area,
        qini_auc: cells.and_then(|c| over(qini_area, c.perfect_qini())),
        qini_auc_no_negative: cells.and_then(|c| over(qini_area, c.perfect_qini_no_negative()?)),
        uplift_auc: cells.and_then(|c| over(uplift_area, c.perfect_uplift())),
        uplift_at_30_overall: uplift_at(scored, 0.3, PercentileStrategy::Overall),
        uplift_at_30_by_group: uplift_at(scored, 0.3, PercentileStrategy::ByGroup),
    }
}

/// How many rows there are of each arm and outcome.
#[derive(Debug, Clone, Copy)]
struct Cells {
    treated: Tally,
    control: Tally,
}

impl Cells {
    fn count(scored: &Scored) -> Self {
        let start = Self { treated: Tally::default(), control: Tally::default() };
        scored
            .blocks
            .iter()
            .fold(start, |c, b| Self { treated: c.treated.plus(b.treated), control: c.control.plus(b.control) })
    }

    /// The four blocks (arm, outcome) of a perfect ranking.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the sum of zeros and ones is a count")]
    fn split(self) -> [(Tally, Tally); 4] {
        let one = |t: Tally| Tally { rows: t.total as usize, total: t.total };
        let zero = |t: Tally| Tally { rows: t.rows - t.total as usize, total: 0.0 };
        let none = Tally::default();
        [(one(self.treated), none), (zero(self.treated), none), (none, one(self.control)), (none, zero(self.control))]
    }

    fn perfect_qini(self) -> f64 {
        let [treated_one, treated_zero, control_one, control_zero] = self.split();
        let curve = Curve::of([treated_one, (treated_zero.0, control_zero.1), control_one], qini_gain);
        curve.area() - curve.random_area()
    }

    fn perfect_qini_no_negative(self) -> Option<f64> {
        let n = (self.treated.rows + self.control.rows) as f64;
        let gain = qini_gain(self.treated, self.control);
        // Up to the gain with slope one, then flat; without a positive gain there is no such curve.
        (gain > 0.0 && gain <= n).then(|| gain * gain / 2.0 + (n - gain) * gain - n * gain / 2.0)
    }

    fn perfect_uplift(self) -> f64 {
        let [treated_one, treated_zero, control_one, control_zero] = self.split();
        let order = if control_one.1.rows > treated_zero.0.rows {
            [treated_one, control_zero, control_one, treated_zero]
        } else {
            [treated_one, control_zero, treated_zero, control_one]
        };
        let curve = Curve::of(order, uplift_gain);
        curve.area() - curve.random_area()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(score: &[f64], treated: &[bool], outcome: &[f64]) -> QiniScores {
        qini_scores(&Scored::new(score, treated, outcome).expect("scored"))
    }

    #[test]
    fn perfect_reversed_and_constant_rankings() {
        let treated = [true, true, false, false];
        let outcome = [1.0, 0.0, 0.0, 1.0];
        let perfect = scores(&[3.0, 2.0, 2.0, 1.0], &treated, &outcome);
        assert_eq!(perfect.qini_auc, Some(1.0));
        let reversed = scores(&[1.0, 2.0, 2.0, 3.0], &treated, &outcome);
        assert!(reversed.qini_auc < Some(0.0));
        let constant = scores(&[1.0; 4], &treated, &outcome);
        assert_eq!((constant.qini_auc, constant.uplift_auc), (Some(0.0), Some(0.0)));
    }

    #[test]
    fn undefined_scores_are_absent_and_never_nan() {
        let continuous = scores(&[2.0, 1.0], &[true, false], &[5.5, 1.0]);
        assert_eq!((continuous.qini_auc, continuous.uplift_auc), (None, None));
        assert!(continuous.qini_area.is_finite());
        let one_arm = scores(&[2.0, 1.0], &[true, true], &[1.0, 0.0]);
        assert_eq!(one_arm.uplift_at_30_overall, None);
        assert!(one_arm.qini_area.is_finite() && one_arm.qini_auc.is_none_or(f64::is_finite));
    }
}

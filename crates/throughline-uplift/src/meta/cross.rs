//! Cross-fitting: every row is predicted by models that have not seen it.

use throughline_core::Diagnostic;
use throughline_stats::stream::Stream;

use super::{Pair, PropensitySource};
use crate::{Task, UpliftError};

/// Stream of the folds.
const FOLDS: u64 = 0x666f_6c64;

impl Pair<'_> {
    /// The fold of every row of the matrix, dealt within each arm so that arms are alike in all folds. It depends on seed and
    /// row only.
    pub(super) fn folds(&self) -> Vec<u8> {
        let stream = Stream::new(self.meta.params.seed, FOLDS);
        let mut out = vec![0; self.training.outcome.len()];
        for rows in [self.control, self.treated] {
            let mut order: Vec<(u64, usize)> = rows.iter().map(|&r| (stream.u64_at(r as u64), r)).collect();
            order.sort_unstable();
            for (place, (_, row)) in order.into_iter().enumerate() {
                out[row] = u8::try_from(place % self.meta.params.folds).unwrap_or(0);
            }
        }
        out
    }

    /// The outcome of `among` (rows of one arm, or of both), predicted out of fold for every row of both arms; 0 elsewhere.
    pub(super) fn outcome_out_of_fold(&self, among: &[usize], folds: &[u8]) -> Result<Vec<f64>, UpliftError> {
        self.out_of_fold(among, folds, self.training.outcome, self.task)
    }

    fn out_of_fold(&self, among: &[usize], folds: &[u8], target: &[f64], task: Task) -> Result<Vec<f64>, UpliftError> {
        let mut out = vec![0.0; self.training.outcome.len()];
        for fold in 0..u8::try_from(self.meta.params.folds).unwrap_or(2) {
            let learn: Vec<usize> = among.iter().copied().filter(|&row| folds[row] != fold).collect();
            let apply: Vec<usize> = self.both.iter().copied().filter(|&row| folds[row] == fold).collect();
            if learn.is_empty() || apply.is_empty() {
                continue;
            }
            let fitted = self.fit(self.meta.outcome.as_ref(), &learn, target, None, task)?;
            let predicted = fitted.predict_rows(self.training.features, &apply)?;
            apply.iter().zip(predicted).for_each(|(&row, value)| out[row] = value);
        }
        Ok(out)
    }

    /// The probability of the arm for every row of both, out of fold and trimmed where it is learnt.
    pub(super) fn propensity(&self, folds: &[u8], found: &mut Vec<Diagnostic>) -> Result<Vec<f64>, UpliftError> {
        let trim = self.meta.params.trim;
        if let Some(known) = self.known() {
            return Ok(known);
        }
        if self.meta.params.propensity == PropensitySource::Shares {
            return Ok(vec![self.share(); self.training.outcome.len()]);
        }
        let mut out = self.out_of_fold(&self.both, folds, &self.indicator(), Task::Probability)?;
        let outside = self.both.iter().filter(|&&row| out[row] < trim || out[row] > 1.0 - trim).count();
        for e in &mut out {
            *e = e.clamp(trim, 1.0 - trim);
        }
        if outside > 0 {
            let (arm, rows) = (&self.training.arms[self.arm], self.both.len());
            let message =
                format!("{outside} of {rows} rows have a propensity of arm `{arm}` beyond {trim} and are held there");
            found.push(
                Diagnostic::warning("TL740", message)
                    .help("their effect rests on what the models assume: look at overlap before acting on it"),
            );
        }
        Ok(out)
    }

    /// Chances of the arm among the two, where the training data state those of every arm.
    pub(super) fn known(&self) -> Option<Vec<f64>> {
        let chances = self.training.propensity?;
        let (control, arm) = (&chances[0], &chances[self.arm]);
        Some(control.iter().zip(arm).map(|(zero, one)| one / (zero + one)).collect())
    }

    /// 1 for rows of the arm.
    pub(super) fn indicator(&self) -> Vec<f64> {
        let arm = |a: &u32| f64::from(u8::from(*a as usize == self.arm));
        self.training.arm.iter().map(arm).collect()
    }
}

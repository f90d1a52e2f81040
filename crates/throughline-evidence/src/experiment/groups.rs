//! The same effect within groups of units.

use super::adjust::Adjustment;
use super::effect::{Arms, Effect, arm_of};
use super::outcome::Outcome;
use super::rows::Rows;
use crate::{EvidenceError, Joint};

/// Effects by group, with their joint distribution.
#[derive(Debug, Clone)]
pub(crate) struct GroupEffects {
    /// Codes of the groups that have an effect.
    pub(crate) groups: Vec<u32>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) joint: Joint,
    /// Groups without, and why.
    pub(crate) absent: Vec<(u32, String)>,
}

/// What is compared in each group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) outcome: &'a Outcome<'a>,
    pub(crate) adjustment: &'a Adjustment<'a>,
    pub(crate) rows: &'a Rows,
    pub(crate) control: usize,
    pub(crate) treated: usize,
}

impl Question<'_> {
    /// The effect in each group of rows with the same code; rows with `u32::MAX` take no part. Errors: no group with an
    /// effect.
    pub(crate) fn by(&self, codes: &[u32], groups: usize, names: &[String]) -> Result<GroupEffects, EvidenceError> {
        let split = |arm: usize| {
            let mut out = vec![Vec::new(); groups];
            for row in &self.rows.by_arm[arm] {
                if let Some(rows) = out.get_mut(codes[*row as usize] as usize) {
                    rows.push(*row);
                }
            }
            out
        };
        let clusters = self.rows.clusters.as_ref();
        let one = |control: Vec<u32>, treated: Vec<u32>| {
            let arm = |rows: Vec<u32>| arm_of(self.outcome, rows.into_iter(), clusters.is_some());
            let (control, treated) = (arm(control)?, arm(treated)?);
            let arms = Arms { control: &control, treated: &treated };
            Effect::of(self.outcome.summing, self.adjustment, arms, clusters)
        };
        let (mut kept, mut effects, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for ((group, control), treated) in (0_u32..).zip(split(self.control)).zip(split(self.treated)) {
            match one(control, treated) {
                Ok(effect) => {
                    kept.push(group);
                    effects.push(effect);
                }
                Err(why) => absent.push((group, why)),
            }
        }
        let joint = self.joint(&kept, &effects, names)?;
        Ok(GroupEffects { groups: kept, effects, joint, absent })
    }

    fn joint(&self, kept: &[u32], effects: &[Effect], names: &[String]) -> Result<Joint, EvidenceError> {
        if effects.is_empty() {
            return Err(EvidenceError::TooFew { what: "groups with an effect", got: 0, needed: 1 });
        }
        let names = kept.iter().map(|g| names.get(*g as usize).cloned().unwrap_or_default()).collect();
        let values: Vec<f64> = effects.iter().map(|e| e.value).collect();
        let n = effects.iter().map(|e| e.n).sum();
        let method = effects[0].method.clone();
        if let Some(clusters) = &self.rows.clusters {
            let influence = effects.iter().map(|e| e.dense(clusters.count)).collect();
            return Joint::from_influence(names, values, influence, n, method);
        }
        // Groups share no unit.
        let k = effects.len();
        let mut covariance = vec![0.0; k * k];
        effects.iter().enumerate().for_each(|(i, e)| covariance[i * k + i] = e.variance());
        Joint::from_covariance(names, values, covariance, n, method)
    }
}

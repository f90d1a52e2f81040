//! Fitted forests: effects with standard errors for new rows.

use throughline_stats::parallel::{map_parts, threads_for};

use super::average::AverageEffect;
use super::bins::{Bins, Codes};
use super::importance::{FeatureImportance, importance};
use super::moments::{Leaf, Moments, Spread};
use super::params::{GROUP, NAME};
use super::tree::{Tree, number, walk};
use crate::{ArmEffect, Effects, FeatureMatrix, FittedLearner, FittedUplift, UpliftError};

/// Rows coded and predicted at a time; the leaves they fall into are remembered, four bytes a row and tree.
const BLOCK: usize = 1 << 8;

/// A fitted forest for every arm.
#[derive(Debug)]
pub struct FittedForest {
    pub(crate) features: Vec<String>,
    pub(crate) bins: Bins,
    /// Predicts the outcome without treatment.
    pub(crate) control: Box<dyn FittedLearner>,
    pub(crate) arms: Vec<FittedArm>,
    pub(crate) averages: Vec<AverageEffect>,
}

/// The trees of one arm against the control, group after group.
#[derive(Debug)]
pub(crate) struct FittedArm {
    pub(crate) name: String,
    /// The unit of the outcomes in the leaves.
    pub(crate) scale: f64,
    /// The one effect of everybody, for rows of which the trees know nothing.
    pub(crate) overall: f64,
    pub(crate) trees: Vec<Tree>,
}

impl FittedForest {
    /// The average effect of every arm over the training data, see
    /// [`OutOfBag::average_effect`](crate::OutOfBag::average_effect).
    pub fn average_effects(&self) -> &[AverageEffect] {
        &self.averages
    }

    /// Which features the trees of an arm split on, see [`FeatureImportance`]; `None` for an arm without effects.
    pub fn importance(&self, arm: &str) -> Option<Vec<FeatureImportance>> {
        let arm = self.arms.iter().find(|a| a.name == arm)?;
        Some(importance(&arm.trees, &self.features))
    }
}

impl FittedUplift for FittedForest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn features(&self) -> &[String] {
        &self.features
    }

    fn arms(&self) -> Vec<&str> {
        self.arms.iter().map(|a| a.name.as_str()).collect()
    }

    fn effects(&self, features: &FeatureMatrix) -> Result<Effects, UpliftError> {
        features.expect_names(&self.features)?;
        let mu_control = self.control.predict(features)?;
        let rows = features.n_rows();
        let starts: Vec<usize> = (0..rows).step_by(BLOCK).collect();
        let threads = threads_for(starts.len());
        let blocks = map_parts(starts, threads, |start| {
            let codes = self.bins.encode_range(features, start..rows.min(start + BLOCK));
            self.arms.iter().map(|arm| arm.predict(&codes)).collect::<Vec<_>>()
        });
        let mut arms: Vec<ArmEffect> = self
            .arms
            .iter()
            .map(|arm| ArmEffect { arm: arm.name.clone(), effect: Vec::with_capacity(rows), std_error: None })
            .collect();
        for block in blocks {
            for (arm, (effect, error)) in arms.iter_mut().zip(block) {
                arm.effect.extend(effect);
                arm.std_error.get_or_insert_with(|| Vec::with_capacity(rows)).extend(error);
            }
        }
        Ok(Effects { mu_control, arms })
    }

    fn average_effects(&self) -> &[AverageEffect] {
        Self::average_effects(self)
    }

    fn importance(&self, arm: &str) -> Option<Vec<FeatureImportance>> {
        Self::importance(self, arm)
    }

    fn state(&self) -> Result<serde_json::Value, UpliftError> {
        super::state::save(self)
    }
}

impl FittedArm {
    /// Effects and standard errors of coded rows.
    fn predict(&self, codes: &Codes) -> (Vec<f64>, Vec<f64>) {
        let rows = codes.data.len() / codes.width.max(1);
        let mut moments = vec![Moments::default(); rows];
        // The leaf of every tree and row, tree after tree.
        let mut fallen: Vec<u32> = Vec::with_capacity(rows * self.trees.len());
        let numbers: Vec<u32> = (0..rows).map(number).collect();
        let mut one = Vec::with_capacity(rows);
        for tree in &self.trees {
            walk(&tree.nodes, codes, &numbers, &mut one);
            moments.iter_mut().zip(&one).for_each(|(moments, leaf)| moments.add(&tree.leaves[*leaf as usize]));
            fallen.extend_from_slice(&one);
        }
        let solutions: Vec<_> = moments.iter().map(Moments::solve).collect();
        let mut spreads = vec![Spread::default(); rows];
        for (trees, fallen) in self.trees.chunks_exact(GROUP).zip(fallen.chunks_exact((rows * GROUP).max(1))) {
            for (row, (spread, solution)) in spreads.iter_mut().zip(&solutions).enumerate() {
                let Some(solution) = solution else { continue };
                let leaf = |tree: usize| -> &Leaf { &trees[tree].leaves[fallen[tree * rows + row] as usize] };
                spread.add([solution.influence(leaf(0)), solution.influence(leaf(1))]);
            }
        }
        let effect = solutions.iter().map(|s| s.map_or(self.overall, |s| s.effect * self.scale)).collect();
        let error = |(spread, solution): (&Spread, &Option<_>)| match solution {
            Some(_) => spread.variance().sqrt() * self.scale,
            None => f64::INFINITY,
        };
        (effect, spreads.iter().zip(&solutions).map(error).collect())
    }
}

//! From training data to a fitted forest.

use throughline_core::{Diagnostic, Level};
use throughline_stats::parallel::map_parts;

use super::average::OutOfBag;
use super::bag::HalfSample;
use super::bins::{Bins, Codes};
use super::fitted::{FittedArm, FittedForest};
use super::grow::{ArmRows, Grower, Plan, missing_of};
use super::moments::Moments;
use super::nuisance::{Learners, Nuisance, threads_of};
use super::params::{ForestParams, GROUP, NAME};
use super::tree::{MOST_FEATURES, Tree, number, walk};
use crate::training::MIN_ARM_ROWS;
use crate::{FittedUplift, LearnerInput, Task, Training, UpliftError, UpliftModel};

/// Groups grown one after the other in the same memory.
const GROUPS_AT_A_TIME: usize = 4;

/// Rows whose out-of-bag moments are summed at a time; a multiple of the 64 rows of a word of a half-sample.
const BLOCK: usize = 1 << 12;

/// The honest forest: see [the module](crate::forest).
#[derive(Debug)]
pub struct Forest {
    params: ForestParams,
    learners: Learners,
}

/// A fitted forest together with what it says of its training rows.
#[derive(Debug)]
pub struct Grown {
    /// The forest.
    pub forest: FittedForest,
    /// One for every arm with effects, in their order.
    pub out_of_bag: Vec<OutOfBag>,
    /// Findings (`TL707`, `TL710`, `TL711`).
    pub diagnostics: Vec<Diagnostic>,
}

impl Forest {
    /// Checks the parameters.
    pub fn new(params: ForestParams) -> Result<Self, UpliftError> {
        params.check()?;
        let learners = Learners::new(&params)?;
        Ok(Self { params, learners })
    }

    /// Fits one forest per arm, on the rows of the arm and of the control, and keeps the out-of-bag effects of the rows.
    ///
    /// Rows without weight take no part. Work: trees × rows × features × depth / 8 at most; memory: features + 60 bytes a
    /// row beside the features themselves, features + 40 bytes a split row and thread, 32 bytes a leaf.
    ///
    /// # Errors
    /// More than 65,535 features or 2³¹ rows, a control or every arm with fewer than [`MIN_ARM_ROWS`] rows of positive
    /// weight, and the faults of the base learners.
    pub fn grow(&self, training: &Training<'_>) -> Result<Grown, UpliftError> {
        let features = training.features;
        let width = features.names().len();
        let fault = |message: String| UpliftError::Params { name: NAME, message };
        if width > MOST_FEATURES || features.n_rows() > i32::MAX as usize {
            return Err(fault(format!("{} rows of {width} features are beyond 2^31 rows of 65535", features.n_rows())));
        }
        let weighted = |row: &usize| training.weights.is_none_or(|w| w[*row] > 0.0);
        let rows_of = |arm: usize| -> Vec<usize> { training.rows_of(arm).into_iter().filter(weighted).collect() };
        let control = rows_of(0);
        let small = |arm: usize, rows: usize| UpliftError::TooFewRows {
            arm: training.arms[arm].clone(),
            rows,
            bound: MIN_ARM_ROWS,
        };
        if control.len() < MIN_ARM_ROWS {
            return Err(small(0, control.len()));
        }
        let bins = Bins::learn(features, self.params.max_bins, threads_of(training, width));
        let (mut arms, mut out_of_bag, mut diagnostics) = (Vec::new(), Vec::new(), Vec::new());
        for arm in 1..training.arms.len() {
            let own = rows_of(arm);
            if own.len() < MIN_ARM_ROWS {
                // Arms that are small whatever the weights have been named with the training data.
                if training.rows_of(arm).len() >= MIN_ARM_ROWS {
                    let finding = format!("{} with positive weight: it gets no effects", small(arm, own.len()));
                    diagnostics.push(Diagnostic::warning("TL707", finding));
                }
                continue;
            }
            let mut rows = [control.as_slice(), &own].concat();
            rows.sort_unstable();
            let (fitted, outside) = self.one_arm(training, &bins, arm, rows, &mut diagnostics)?;
            arms.push(fitted);
            out_of_bag.push(outside);
        }
        if arms.is_empty() {
            return Err(small(1, rows_of(1).len()));
        }
        let control = self.learners.outcome.fit(&LearnerInput {
            features,
            rows: &control,
            target: training.outcome,
            weights: training.weights,
            task: Task::of(training.outcome),
            threads: training.threads,
        })?;
        let mut forest =
            FittedForest { features: features.names().to_vec(), bins, control, arms, averages: Vec::new() };
        for outside in &out_of_bag {
            forest.averages.extend(outside.average_effect(Level::P95, |_| true)?);
        }
        Ok(Grown { forest, out_of_bag, diagnostics })
    }

    fn one_arm(
        &self,
        training: &Training<'_>,
        bins: &Bins,
        arm: usize,
        rows: Vec<usize>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<(FittedArm, OutOfBag), UpliftError> {
        let nuisance = Nuisance::of_rows(training, &rows, arm, &self.params, &self.learners)?;
        let residuals = Residuals::new(training, &rows, arm, &nuisance);
        let threads = threads_of(training, usize::MAX);
        let codes = bins.encode(training.features, &rows, threads);
        let data = ArmRows {
            bins: &(0..codes.width).map(|f| bins.len_of(f)).collect::<Vec<_>>(),
            missing: &missing_of(&codes),
            codes: &codes,
            treated: &residuals.treated,
            w: &residuals.w,
            y: &residuals.y,
            s: residuals.s.as_deref(),
        };
        let plan = Plan::new(&self.params, arm, rows.len(), codes.width);
        let groups = grow_groups(&plan, &data, self.params.trees / GROUP, threads);
        let overall = residuals.overall();
        let effect = out_of_bag(&plan, &codes, &groups, overall, threads);
        let trees: Vec<Tree> = groups.into_iter().flatten().flatten().collect();
        let name = training.arms[arm].clone();
        let outside = residuals.out_of_bag(name.clone(), rows, &nuisance, &effect, self.params.trim);
        diagnostics.extend(overlap(&outside));
        if trees.is_empty() {
            let message = format!("no tree of arm `{name}` has rows to estimate from: every effect is the overall one");
            diagnostics.push(Diagnostic::warning("TL711", message));
        }
        Ok((FittedArm { name, scale: residuals.scale, overall: overall * residuals.scale, trees }, outside))
    }
}

impl UpliftModel for Forest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fit(&self, training: &Training<'_>) -> Result<(Box<dyn FittedUplift>, Vec<Diagnostic>), UpliftError> {
        let grown = self.grow(training)?;
        Ok((Box::new(grown.forest), grown.diagnostics))
    }
}

/// Residual treatment and outcome of the rows of an arm and the control.
struct Residuals {
    treated: Vec<bool>,
    w: Vec<f64>,
    /// In units of `scale`.
    y: Vec<f64>,
    s: Option<Vec<f64>>,
    /// The largest residual outcome, so that single precision neither overflows nor vanishes.
    scale: f64,
}

impl Residuals {
    fn new(training: &Training<'_>, rows: &[usize], arm: usize, nuisance: &Nuisance) -> Self {
        let treated: Vec<bool> = rows.iter().map(|&r| training.arm[r] as usize == arm).collect();
        let w = treated.iter().enumerate().map(|(i, t)| f64::from(*t) - nuisance.clipped(i)).collect();
        let mut y: Vec<f64> = rows.iter().zip(&nuisance.outcome).map(|(&r, m)| training.outcome[r] - m).collect();
        let largest = y.iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
        let scale = if largest > 0.0 && largest.is_finite() { largest } else { 1.0 };
        for y in &mut y {
            *y /= scale;
        }
        // Weights are brought to a mean of 1: their size is not to matter.
        let mean = training.weights.map(|s| rows.iter().map(|&r| s[r] / rows.len() as f64).sum::<f64>());
        let s = training.weights.zip(mean).map(|(s, mean)| rows.iter().map(|&r| s[r] / mean).collect());
        Self { treated, w, y, s, scale }
    }

    fn weight(&self, i: usize) -> f64 {
        self.s.as_ref().map_or(1.0, |s| s[i])
    }

    /// The one effect of all rows Σ s W̃ Ỹ / Σ s W̃², in units of the scale.
    fn overall(&self) -> f64 {
        let sum = |f: &dyn Fn(usize) -> f64| (0..self.w.len()).map(|i| self.weight(i) * f(i)).sum::<f64>();
        let effect = sum(&|i| self.w[i] * self.y[i]) / sum(&|i| self.w[i] * self.w[i]);
        if effect.is_finite() { effect } else { 0.0 }
    }

    fn out_of_bag(&self, arm: String, rows: Vec<usize>, nuisance: &Nuisance, effect: &[f64], trim: f64) -> OutOfBag {
        let score = |(i, effect): (usize, &f64)| {
            let (chance, w) = (nuisance.clipped(i), self.w[i]);
            self.scale * (effect + w / (chance * (1.0 - chance)) * (self.y[i] - w * effect))
        };
        OutOfBag {
            arm,
            score: effect.iter().enumerate().map(score).collect(),
            effect: effect.iter().map(|e| e * self.scale).collect(),
            propensity: nuisance.propensity.clone(),
            weight: (0..rows.len()).map(|i| self.weight(i)).collect(),
            rows,
            trim,
        }
    }
}

/// All groups in order, grown in parallel.
fn grow_groups(plan: &Plan, data: &ArmRows<'_>, groups: usize, threads: usize) -> Vec<Option<[Tree; GROUP]>> {
    let numbers: Vec<usize> = (0..groups).collect();
    let parts: Vec<&[usize]> = numbers.chunks(GROUPS_AT_A_TIME).collect();
    let grown = map_parts(parts, threads, |part| {
        let mut grower = Grower::new(plan, data);
        part.iter().map(|&group| grower.group(group)).collect::<Vec<_>>()
    });
    grown.into_iter().flatten().collect()
}

/// The effect of every row from the groups whose half-sample it is not in, in units of the scale; the overall effect where
/// these know nothing of it. Only sums per row are kept, block by block.
fn out_of_bag(plan: &Plan, codes: &Codes, groups: &[Option<[Tree; GROUP]>], overall: f64, threads: usize) -> Vec<f64> {
    let rows = codes.data.len() / codes.width.max(1);
    let starts: Vec<usize> = (0..rows).step_by(BLOCK).collect();
    let blocks = map_parts(starts, threads, |start| {
        let mut moments = vec![Moments::default(); BLOCK.min(rows - start)];
        let (mut outside, mut fallen) = (Vec::new(), Vec::new());
        for (group, trees) in groups.iter().enumerate().filter_map(|(g, t)| t.as_ref().map(|t| (g, t))) {
            let half = HalfSample::new(plan.seed, plan.arm, group);
            outside.clear();
            for first in (start..start + moments.len()).step_by(64) {
                let drawn = half.word(first / 64);
                let last = rows.min(first + 64);
                outside.extend((first..last).filter(|row| drawn >> (row % 64) & 1 == 0).map(number));
            }
            for tree in trees {
                walk(&tree.nodes, codes, &outside, &mut fallen);
                for (row, leaf) in outside.iter().zip(&fallen) {
                    moments[*row as usize - start].add(&tree.leaves[*leaf as usize]);
                }
            }
        }
        moments.iter().map(|m| m.solve().map_or(overall, |s| s.effect)).collect::<Vec<f64>>()
    });
    blocks.concat()
}

fn overlap(outside: &OutOfBag) -> Option<Diagnostic> {
    let beyond = |p: &&f64| !(outside.trim..=1.0 - outside.trim).contains(*p);
    let count = outside.propensity.iter().filter(beyond).count();
    (count > 0).then(|| {
        let message = format!(
            "{count} of {} rows have a chance of arm `{}` against the control outside {} to {}: they are not in its \
             average effect, and effects near them rest on one arm",
            outside.rows.len(),
            outside.arm,
            outside.trim,
            1.0 - outside.trim
        );
        Diagnostic::warning("TL710", message).help("exclude people who could only be in one of the arms")
    })
}

//! Fitted forests as JSON: everything that is not a name is packed into bytes, so that the same bits come back.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use throughline_core::Estimate;

use super::average::AverageEffect;
use super::bins::Bins;
use super::fitted::{FittedArm, FittedForest};
use super::moments::Leaf;
use super::params::GROUP;
use super::tree::{Node, Tree};
use crate::{FittedUplift, UpliftError, learner};

#[derive(Serialize, Deserialize)]
struct Saved {
    features: Vec<String>,
    /// For each feature the bits of its cuts.
    cuts: Vec<String>,
    control: SavedLearner,
    arms: Vec<SavedArm>,
    averages: Vec<SavedAverage>,
}

#[derive(Serialize, Deserialize)]
struct SavedLearner {
    learner: String,
    state: Value,
}

#[derive(Serialize, Deserialize)]
struct SavedArm {
    arm: String,
    /// Bits of the scale and of the overall effect.
    numbers: String,
    /// Tree after tree: number of nodes, number of leaves, nodes, leaves; little endian.
    trees: String,
}

/// An average effect. Its numbers stand as bits; level, method and the rest of the estimate follow from them.
#[derive(Serialize, Deserialize)]
struct SavedAverage {
    arm: String,
    /// Bits of the value and of the standard error.
    numbers: String,
    n: u64,
    level: throughline_core::Level,
    method: String,
    assumptions: Vec<String>,
    trimmed: usize,
}

pub(crate) fn save(forest: &FittedForest) -> Result<Value, UpliftError> {
    let cuts = |cuts: &Vec<f32>| hex::encode(cuts.iter().flat_map(|c| c.to_le_bytes()).collect::<Vec<u8>>());
    let saved = Saved {
        features: forest.features.clone(),
        cuts: forest.bins.cuts.iter().map(cuts).collect(),
        control: SavedLearner { learner: forest.control.name().to_owned(), state: forest.control.state()? },
        arms: forest.arms.iter().map(save_arm).collect(),
        averages: forest.averages.iter().map(save_average).collect(),
    };
    serde_json::to_value(saved).map_err(|e| damaged(e.to_string()))
}

fn save_arm(arm: &FittedArm) -> SavedArm {
    let mut bytes = Vec::new();
    for tree in &arm.trees {
        for length in [tree.nodes.len(), tree.leaves.len()] {
            bytes.extend((length as u64).to_le_bytes());
        }
        for node in &tree.nodes {
            bytes.extend(node.feature.to_le_bytes());
            bytes.extend([node.bin, node.last]);
            bytes.extend(node.child.to_le_bytes());
        }
        tree.leaves.iter().flat_map(|leaf| leaf.0).for_each(|x| bytes.extend(x.to_le_bytes()));
    }
    SavedArm { arm: arm.name.clone(), numbers: bits(&[arm.scale, arm.overall]), trees: hex::encode(bytes) }
}

fn save_average(average: &AverageEffect) -> SavedAverage {
    let estimate = &average.estimate;
    SavedAverage {
        arm: average.arm.clone(),
        numbers: bits(&[estimate.value, estimate.std_error.unwrap_or_default()]),
        n: estimate.n,
        level: estimate.level,
        method: estimate.method.clone(),
        assumptions: estimate.assumptions.clone(),
        trimmed: average.trimmed,
    }
}

pub(crate) fn load(state: &Value) -> Result<Box<dyn FittedUplift>, UpliftError> {
    let saved = Saved::deserialize(state).map_err(|e| damaged(e.to_string()))?;
    if saved.cuts.len() != saved.features.len() {
        return Err(damaged("it has not one list of cuts for each feature".to_owned()));
    }
    let cuts: Result<Vec<Vec<f32>>, UpliftError> = saved.cuts.iter().map(|text| load_cuts(text)).collect();
    let width = saved.features.len();
    let arms: Result<Vec<FittedArm>, UpliftError> = saved.arms.into_iter().map(|a| load_arm(a, width)).collect();
    let averages: Result<Vec<AverageEffect>, UpliftError> = saved.averages.into_iter().map(load_average).collect();
    Ok(Box::new(FittedForest {
        features: saved.features,
        bins: Bins { cuts: cuts? },
        control: (learner(&saved.control.learner)?.load)(&saved.control.state)?,
        arms: arms?,
        averages: averages?,
    }))
}

fn load_cuts(text: &str) -> Result<Vec<f32>, UpliftError> {
    let bytes = unhex(text)?;
    let (chunks, rest) = bytes.as_chunks::<4>();
    let cuts: Vec<f32> = chunks.iter().map(|c| f32::from_le_bytes(*c)).collect();
    if !rest.is_empty() || cuts.len() > 254 || !cuts.is_sorted_by(|a, b| a < b) {
        return Err(damaged("its cuts do not ascend".to_owned()));
    }
    Ok(cuts)
}

fn load_arm(saved: SavedArm, width: usize) -> Result<FittedArm, UpliftError> {
    let [scale, overall] = numbers(&saved.numbers)?;
    let bytes = unhex(&saved.trees)?;
    let (mut rest, mut trees) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let tree;
        (tree, rest) = load_tree(rest, width).ok_or_else(|| damaged("one of its trees is damaged".to_owned()))?;
        trees.push(tree);
    }
    if !trees.len().is_multiple_of(GROUP) {
        return Err(damaged("a tree is missing from its group".to_owned()));
    }
    Ok(FittedArm { name: saved.arm, scale, overall, trees })
}

/// A tree and the bytes behind it. `None` where bytes are missing or a walk could leave the tree or the features, or go round.
fn load_tree(bytes: &[u8], width: usize) -> Option<(Tree, &[u8])> {
    let (lengths, rest) = bytes.split_at_checked(16)?;
    let length =
        |at: usize| -> Option<usize> { usize::try_from(u64::from_le_bytes(lengths[at..at + 8].try_into().ok()?)).ok() };
    let (n, leaves) = (length(0)?, length(8)?);
    let (node_bytes, rest) = rest.split_at_checked(n.checked_mul(8)?)?;
    let (leaf_bytes, rest) = rest.split_at_checked(leaves.checked_mul(16)?)?;
    let node = |b: &[u8; 8]| Node {
        feature: u16::from_le_bytes([b[0], b[1]]),
        bin: b[2],
        last: b[3],
        child: u32::from_le_bytes([b[4], b[5], b[6], b[7]]),
    };
    let nodes: Vec<Node> = node_bytes.as_chunks::<8>().0.iter().map(node).collect();
    let sound = |(at, node): (usize, &Node)| {
        let child = node.child as usize;
        let inside = if node.is_leaf() { child < leaves } else { child > at && child + 1 < n };
        inside && usize::from(node.feature) < width
    };
    let mean = |b: &[u8]| b.try_into().map_or(f32::NAN, f32::from_le_bytes);
    let leaf = |b: &[u8; 16]| Leaf(std::array::from_fn(|i| mean(&b[4 * i..4 * i + 4])));
    let leaves: Vec<Leaf> = leaf_bytes.as_chunks::<16>().0.iter().map(leaf).collect();
    let finite = leaves.iter().all(|leaf| leaf.0.iter().all(|x| x.is_finite()));
    (n > 0 && finite && nodes.iter().enumerate().all(sound)).then_some((Tree { nodes, leaves }, rest))
}

fn load_average(saved: SavedAverage) -> Result<AverageEffect, UpliftError> {
    let [value, error] = numbers(&saved.numbers)?;
    let mut estimate = Estimate::wald(value, error, None, saved.n, saved.level, saved.method)?;
    for assumption in saved.assumptions {
        estimate = estimate.assuming(assumption);
    }
    Ok(AverageEffect { arm: saved.arm, estimate, trimmed: saved.trimmed })
}

fn bits(numbers: &[f64; 2]) -> String {
    hex::encode(numbers.map(f64::to_le_bytes).concat())
}

fn numbers(text: &str) -> Result<[f64; 2], UpliftError> {
    let bytes = unhex(text)?;
    match bytes.as_chunks::<8>() {
        ([a, b], []) => Ok([f64::from_le_bytes(*a), f64::from_le_bytes(*b)]),
        _ => Err(damaged("it has not two numbers where two are expected".to_owned())),
    }
    .and_then(|pair: [f64; 2]| {
        if pair.iter().all(|x| x.is_finite()) {
            Ok(pair)
        } else {
            Err(damaged("its numbers are not finite".to_owned()))
        }
    })
}

fn unhex(text: &str) -> Result<Vec<u8>, UpliftError> {
    hex::decode(text).map_err(|e| damaged(e.to_string()))
}

fn damaged(message: String) -> UpliftError {
    UpliftError::ArtefactFormat { message }
}

//! Which features the trees of a forest split on.

use super::tree::Tree;

/// How much of the splitting near the roots falls to a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureImportance {
    /// Name of the feature.
    pub feature: String,
    /// Σ over depths d = 1 … 4 of d⁻² × the share of splits at depth d that use the feature, divided by its sum over
    /// features: at least 0, and 1 in total. All 0 where no tree splits.
    ///
    /// It says where effects were searched for, not that they differ: a noise feature has a share too.
    pub share: f64,
}

/// Depths that count.
const DEPTHS: usize = 4;

/// Importance of every feature, the most important first, equal ones in the order of the features.
pub(crate) fn importance(trees: &[Tree], features: &[String]) -> Vec<FeatureImportance> {
    // Splits of each feature, depth by depth.
    let mut splits = vec![vec![0_u64; features.len()]; DEPTHS];
    for tree in trees {
        let mut level = vec![0];
        for counts in &mut splits {
            let mut below = Vec::new();
            for node in level.iter().map(|&i: &usize| tree.nodes[i]).filter(|node| !node.is_leaf()) {
                counts[usize::from(node.feature)] += 1;
                below.extend([node.child as usize, node.child as usize + 1]);
            }
            level = below;
        }
    }
    let totals: Vec<u64> = splits.iter().map(|counts| counts.iter().sum()).collect();
    let score = |feature: usize| -> f64 {
        let share = |d: usize| if totals[d] == 0 { 0.0 } else { splits[d][feature] as f64 / totals[d] as f64 };
        (0..DEPTHS).map(|d| share(d) / ((d + 1) * (d + 1)) as f64).sum()
    };
    let scores: Vec<f64> = (0..features.len()).map(score).collect();
    let all: f64 = scores.iter().sum();
    let share = |score: f64| if all > 0.0 { score / all } else { 0.0 };
    let named = features.iter().zip(scores);
    let mut out: Vec<FeatureImportance> =
        named.map(|(feature, score)| FeatureImportance { feature: feature.clone(), share: share(score) }).collect();
    out.sort_by(|a, b| b.share.total_cmp(&a.share));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::tree::Node;

    #[test]
    fn shares_follow_depth_and_count() {
        let tree = Tree {
            nodes: vec![
                Node::split(1, 3, false, 1),
                Node::leaf(0),
                Node::split(0, 3, false, 3),
                Node::leaf(1),
                Node::leaf(2),
            ],
            leaves: Vec::new(),
        };
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let got = importance(&[tree], &names);
        // b: 1 at depth 1; a: 1 / 4 at depth 2.
        assert_eq!(
            got.iter().map(|i| (i.feature.as_str(), i.share)).collect::<Vec<_>>(),
            [("b", 0.8), ("a", 0.2), ("c", 0.0)]
        );
        assert!(importance(&[], &names).iter().all(|i| i.share == 0.0));
    }
}

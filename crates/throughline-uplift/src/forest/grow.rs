//! Growing one tree: bag, splits, estimation rows.

use throughline_stats::stream::{Poisson, Stream};

use super::bag::{Bag, Purpose, stream};
use super::bins::{Codes, MISSING};
use super::label::{Labels, SplitRow};
use super::moments::LeafSums;
use super::params::{ForestParams, GROUP};
use super::split::{Column, Rules, SLOTS, Search, Split};
use super::tree::{Node, Tree, walk};

/// Rows of the split half of a tree: more would not leave bits for the labels beside their counts, and are not needed.
const MOST_SPLIT_ROWS: f64 = 1_048_576.0;

/// The rows of one arm and the control, in residuals.
#[derive(Debug)]
pub(crate) struct ArmRows<'a> {
    pub(crate) codes: &'a Codes,
    /// Bins of every feature.
    pub(crate) bins: &'a [usize],
    /// Whether a feature has missing values.
    pub(crate) missing: &'a [bool],
    pub(crate) treated: &'a [bool],
    /// W̃ = W − ê.
    pub(crate) w: &'a [f64],
    /// Ỹ = Y − ŷ, at most 1 in size.
    pub(crate) y: &'a [f64],
    /// Weights, all positive.
    pub(crate) s: Option<&'a [f64]>,
}

impl ArmRows<'_> {
    pub(crate) fn len(&self) -> usize {
        self.treated.len()
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.s.map_or(1.0, |s| s[row])
    }
}

/// How the trees of one arm are grown.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) arm: usize,
    fraction: f64,
    rules: Rules,
    features: usize,
    /// Features tried at a node: a Poisson number, so that every feature is left out now and then.
    tried: Option<Poisson>,
}

impl Plan {
    pub(crate) fn new(params: &ForestParams, arm: usize, rows: usize, features: usize) -> Self {
        Self {
            seed: params.seed,
            arm,
            fraction: params.sample_fraction.min(2.0 * MOST_SPLIT_ROWS / rows as f64),
            rules: Rules {
                min_arm_rows: params.min_node_size,
                alpha: params.alpha,
                imbalance_penalty: params.imbalance_penalty,
            },
            features,
            tried: Poisson::new(params.tried(features) as f64),
        }
    }
}

/// A part of the rows that waits for its split.
#[derive(Debug, Clone, Copy)]
struct Pending {
    node: usize,
    from: usize,
    to: usize,
}

/// Grows tree after tree in the same memory: 30 bytes and one per feature for every row of a split half.
#[derive(Debug)]
pub(crate) struct Grower<'a> {
    plan: &'a Plan,
    rows: &'a ArmRows<'a>,
    bag: Bag,
    fallen: Vec<u32>,
    /// Codes of the split half, feature by feature.
    columns: Vec<u8>,
    split: Vec<SplitRow>,
    spare: Vec<SplitRow>,
    labels: Labels,
    order: Vec<u16>,
    histogram: [u64; SLOTS],
}

impl<'a> Grower<'a> {
    pub(crate) fn new(plan: &'a Plan, rows: &'a ArmRows<'a>) -> Self {
        Self {
            plan,
            rows,
            bag: Bag::default(),
            fallen: Vec::new(),
            columns: Vec::new(),
            split: Vec::new(),
            spare: Vec::new(),
            labels: Labels::default(),
            order: Vec::new(),
            histogram: [0; SLOTS],
        }
    }

    /// The trees of a group; `None` when one of them has no estimation rows.
    pub(crate) fn group(&mut self, group: usize) -> Option<[Tree; GROUP]> {
        let first = self.tree(group, GROUP * group)?;
        Some([first, self.tree(group, GROUP * group + 1)?])
    }

    fn tree(&mut self, group: usize, tree: usize) -> Option<Tree> {
        let plan = self.plan;
        self.bag.draw(self.rows.len(), plan.fraction, plan.seed, plan.arm, group, tree);
        self.gather();
        let nodes = self.grow(&stream(plan.seed, plan.arm, Purpose::Features, tree));
        let mut sums = vec![LeafSums::default(); nodes.len()];
        walk(&nodes, self.rows.codes, &self.bag.estimate, &mut self.fallen);
        for (row, leaf) in self.bag.estimate.iter().map(|r| *r as usize).zip(&self.fallen) {
            sums[*leaf as usize].add(self.rows.weight(row), self.rows.w[row], self.rows.y[row]);
        }
        Tree::prune(&nodes, &sums)
    }

    /// Copies the split half, so that a column of it fits into the cache.
    #[expect(clippy::cast_possible_truncation, reason = "splits need no double precision")]
    fn gather(&mut self) {
        let (n, width) = (self.bag.split.len(), self.plan.features);
        self.columns.resize(n * width, 0);
        self.split.clear();
        for (id, row) in (0_u32..).zip(&self.bag.split) {
            let row = *row as usize;
            let (s, w, y) = (self.rows.weight(row), self.rows.w[row], self.rows.y[row]);
            let id = 2 * id + u32::from(self.rows.treated[row]);
            self.split.push(SplitRow { id, s: s as f32, w: w as f32, y: y as f32 });
            let mut slot = id as usize / 2;
            for code in self.rows.codes.row(row) {
                self.columns[slot] = *code;
                slot += n;
            }
        }
    }

    /// Splits until nothing can be gained. Leaves carry their own index.
    fn grow(&mut self, draws: &Stream) -> Vec<Node> {
        let mut nodes = vec![Node::leaf(0)];
        let mut waiting = vec![Pending { node: 0, from: 0, to: self.split.len() }];
        while let Some(at) = waiting.pop() {
            let Some(split) = self.best_split(at, draws) else { continue };
            let middle = self.partition(at, &split);
            let left = nodes.len();
            let Ok(child) = u32::try_from(left) else { continue };
            nodes[at.node] = Node::split(split.feature, split.bin, split.missing_left, child);
            nodes.extend([Node::leaf(child), Node::leaf(child + 1)]);
            waiting.push(Pending { node: left + 1, from: middle, to: at.to });
            waiting.push(Pending { node: left, from: at.from, to: middle });
        }
        nodes
    }

    fn best_split(&mut self, at: Pending, draws: &Stream) -> Option<Split> {
        let rows = &self.split[at.from..at.to];
        let least = 2 * self.plan.rules.min_arm_rows as usize;
        let treated = rows.iter().filter(|r| r.treated()).count();
        if treated < least || rows.len() - treated < least {
            return None;
        }
        let packing = self.labels.of_node(rows)?;
        let tried = self.draw_features(at.node, draws);
        let mut search = Search::new(&self.labels, packing, self.plan.rules);
        let n = self.bag.split.len();
        for &feature in &self.order[..tried] {
            let f = usize::from(feature);
            let bins = self.rows.bins[f];
            let has_missing = self.rows.missing[f];
            if bins < 2 && !has_missing {
                continue;
            }
            let codes = &self.columns[f * n..(f + 1) * n];
            search.try_feature(&Column { feature, codes, bins, has_missing }, &mut self.histogram);
        }
        search.best()
    }

    /// Puts the features of a node first in `order` and counts them. A pure function of tree and node.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of features")]
    fn draw_features(&mut self, node: usize, draws: &Stream) -> usize {
        let width = self.plan.features;
        self.order.clear();
        self.order.extend((0..width).map(|f| f as u16));
        let base = (node * (width + 1)) as u64;
        let tried = self.plan.tried.as_ref().map_or(width, |p| p.draw(draws.u64_at(base)) as usize).clamp(1, width);
        if tried < width {
            for i in 0..tried {
                let other = draws.index_at(base + 1 + i as u64, (width - i) as u64) as usize;
                self.order.swap(i, i + other);
            }
        }
        tried
    }

    /// Moves the rows that go left before those that go right, each in their order; returns where the right ones start.
    fn partition(&mut self, at: Pending, split: &Split) -> usize {
        let n = self.bag.split.len();
        let codes = &self.columns[usize::from(split.feature) * n..][..n];
        let node = Node::split(split.feature, split.bin, split.missing_left, 0);
        self.spare.clear();
        let mut middle = at.from;
        for index in at.from..at.to {
            let row = self.split[index];
            if node.goes_right(codes[row.local()]) {
                self.spare.push(row);
            } else {
                self.split[middle] = row;
                middle += 1;
            }
        }
        self.split[middle..at.to].copy_from_slice(&self.spare);
        middle
    }
}

/// Which features have missing values.
pub(crate) fn missing_of(codes: &Codes) -> Vec<bool> {
    let mut missing = vec![false; codes.width];
    for row in codes.data.chunks_exact(codes.width.max(1)) {
        missing.iter_mut().zip(row).for_each(|(m, code)| *m |= *code == MISSING);
    }
    missing
}

//! Grown trees: compact nodes, and the moments of the estimation rows in every leaf.

use super::bins::{Codes, MISSING};
use super::moments::{Leaf, LeafSums};

/// Features a tree can name.
pub(crate) const MOST_FEATURES: usize = u16::MAX as usize;

/// Rows walked side by side: one waits for memory while the others move.
const LANES: usize = 8;

/// Eight bytes a node. A row goes right when `bin` < code ≤ `last`; `last` is 254 where missing values go left. A leaf has
/// the bin 255, which no code exceeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) feature: u16,
    pub(crate) bin: u8,
    pub(crate) last: u8,
    /// The left child, with the right one behind it; in a leaf the number of the leaf.
    pub(crate) child: u32,
}

impl Node {
    pub(crate) const fn leaf(number: u32) -> Self {
        Self { feature: 0, bin: MISSING, last: 0, child: number }
    }

    pub(crate) const fn split(feature: u16, bin: u8, missing_left: bool, child: u32) -> Self {
        Self { feature, bin, last: if missing_left { MISSING - 1 } else { MISSING }, child }
    }

    pub(crate) const fn is_leaf(self) -> bool {
        self.bin == MISSING
    }

    #[inline]
    pub(crate) const fn goes_right(self, code: u8) -> bool {
        code > self.bin && code <= self.last
    }
}

/// The number that stands in the leaf of each of some rows, in the order of `rows`, into `fallen`.
pub(crate) fn walk(nodes: &[Node], codes: &Codes, rows: &[u32], fallen: &mut Vec<u32>) {
    fallen.clear();
    let mut starts = [0; LANES];
    for rows in rows.chunks(LANES) {
        // The last chunk leaves old rows in its idle lanes.
        for (start, row) in starts.iter_mut().zip(rows) {
            *start = *row as usize * codes.width;
        }
        let numbers = walk_lanes(nodes, &codes.data, &starts);
        fallen.extend_from_slice(&numbers[..rows.len()]);
    }
}

/// The leaves of all lanes, whose codes start at `starts`. Loops count lanes, because zipped iterators were not inlined
/// here.
#[inline]
fn walk_lanes(nodes: &[Node], data: &[u8], starts: &[usize; LANES]) -> [u32; LANES] {
    let mut at = [nodes[0]; LANES];
    loop {
        let mut moving = false;
        for lane in 0..LANES {
            let node = at[lane];
            if node.is_leaf() {
                continue;
            }
            let code = data[starts[lane] + usize::from(node.feature)];
            at[lane] = nodes[node.child as usize + usize::from(node.goes_right(code))];
            moving = true;
        }
        if !moving {
            break;
        }
    }
    let mut numbers = [0; LANES];
    for lane in 0..LANES {
        numbers[lane] = at[lane].child;
    }
    numbers
}

/// One honest tree. Node 0 is the root; parents stand before their children.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    pub(crate) leaves: Vec<Leaf>,
}

impl Tree {
    /// From nodes grown on the split half, whose leaves carry their own index, and the sums of the estimation half per node
    /// (those of inner nodes are ignored). A leaf without estimation rows is pruned: its sibling takes the place of their
    /// parent. `None` when there are no estimation rows at all.
    pub(crate) fn prune(grown: &[Node], sums: &[LeafSums]) -> Option<Self> {
        let mut filled: Vec<bool> = sums.iter().map(|s| !s.is_empty()).collect();
        // Children stand behind their parents.
        for index in (0..grown.len()).rev().filter(|&i| !grown[i].is_leaf()) {
            let child = grown[index].child as usize;
            filled[index] = filled[child] || filled[child + 1];
        }
        if !filled[0] {
            return None;
        }
        let resolve = |mut index: usize| {
            while !grown[index].is_leaf() {
                let child = grown[index].child as usize;
                index = match (filled[child], filled[child + 1]) {
                    (true, true) => break,
                    (left, _) => child + usize::from(!left),
                };
            }
            index
        };
        let (mut nodes, mut leaves, mut sources) = (Vec::new(), Vec::new(), vec![resolve(0)]);
        while nodes.len() < sources.len() {
            let source = sources[nodes.len()];
            let node = grown[source];
            if node.is_leaf() {
                nodes.push(Node::leaf(number(leaves.len())));
                leaves.push(sums[source].means());
            } else {
                nodes.push(Node { child: number(sources.len()), ..node });
                sources.push(resolve(node.child as usize));
                sources.push(resolve(node.child as usize + 1));
            }
        }
        // Thousands of trees are kept: no room for growth.
        nodes.shrink_to_fit();
        leaves.shrink_to_fit();
        Some(Self { nodes, leaves })
    }
}

/// A row or node in 32 bits: fits refuse 2³¹ rows, and a tree has fewer nodes than rows.
pub(crate) fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(weight: f64) -> LeafSums {
        let mut sums = LeafSums::default();
        if weight > 0.0 {
            sums.add(weight, 0.5, weight);
        }
        sums
    }

    /// The leaf of one row, step by step.
    fn slow_walk(nodes: &[Node], row: &[u8]) -> u32 {
        let mut node = nodes[0];
        while !node.is_leaf() {
            node = nodes[node.child as usize + usize::from(node.goes_right(row[usize::from(node.feature)]))];
        }
        node.child
    }

    fn leaves_of(tree: &Tree, rows: &[[u8; 2]]) -> Vec<u32> {
        let codes = Codes { width: 2, data: rows.concat() };
        let (numbers, mut fallen) = ((0_u32..).take(rows.len()).collect::<Vec<_>>(), vec![7]);
        walk(&tree.nodes, &codes, &numbers, &mut fallen);
        assert_eq!(fallen, rows.iter().map(|row| slow_walk(&tree.nodes, row)).collect::<Vec<_>>());
        fallen
    }

    #[test]
    fn missing_codes_follow_the_side_of_their_split() {
        for (missing_left, expect) in [(true, false), (false, true)] {
            let node = Node::split(0, 3, missing_left, 1);
            assert_eq!([3, 4, 254, MISSING].map(|c| node.goes_right(c)), [false, true, true, expect]);
        }
    }

    #[test]
    fn empty_leaves_give_way_to_their_siblings() {
        // 0 → (1, 2); 2 → (3, 4); the leaf 3 is empty, so 4 takes the place of 2.
        let grown =
            [Node::split(0, 3, false, 1), Node::leaf(1), Node::split(1, 5, false, 3), Node::leaf(3), Node::leaf(4)];
        let filled = |weights: [f64; 5]| Tree::prune(&grown, &weights.map(sums));
        let tree = filled([0.0, 1.0, 0.0, 0.0, 4.0]).expect("a tree");
        assert_eq!(tree.nodes, [Node::split(0, 3, false, 1), Node::leaf(0), Node::leaf(1)]);
        assert_eq!(leaves_of(&tree, &[[0, 0], [9, 0], [9, 9]]), [0, 1, 1]);
        // Only one leaf is left: it is the root.
        assert_eq!(filled([0.0, 0.0, 0.0, 2.0, 0.0]).expect("a tree").nodes, [Node::leaf(0)]);
        assert_eq!(filled([0.0; 5]), None);
        let whole = filled([0.0, 1.0, 0.0, 1.0, 1.0]).expect("a tree");
        assert_eq!(whole.nodes.len(), 5);
        let rows: Vec<[u8; 2]> = (0_u8..21).map(|i| [i % 7, (i * 5) % 9]).collect();
        assert!(leaves_of(&whole, &rows).contains(&2));
        assert!(leaves_of(&whole, &[]).is_empty());
    }
}

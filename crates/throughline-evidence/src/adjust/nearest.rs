//! Nearest neighbours with all ties, by a k-d tree over distinct points.

/// Points below which a node is searched one by one.
const LEAF: usize = 12;

/// Distances this close, relatively, are ties.
const TIE: f64 = 1e-9;

/// Distinct points with the units at each, and a tree over them.
#[derive(Debug)]
pub(crate) struct Nearest {
    width: usize,
    /// Coordinates of the distinct points, point by point.
    points: Vec<f64>,
    /// Units at point p: `units[starts[p]..starts[p + 1]]`.
    starts: Vec<usize>,
    units: Vec<usize>,
    /// Points in the order of the tree's leaves.
    order: Vec<usize>,
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Node {
    Leaf {
        from: usize,
        to: usize,
    },
    /// Points with coordinate `axis` at most `at` are on the left, the others at least `at`.
    Split {
        axis: usize,
        at: f64,
        left: usize,
        right: usize,
    },
}

/// Points found, nearest first, with their squared distances.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    pub(crate) points: Vec<(f64, usize)>,
}

impl Nearest {
    /// Of units with coordinates (`width` each, unit by unit); `members` are those to be found.
    pub(crate) fn new(coordinates: &[f64], width: usize, members: &[usize]) -> Self {
        let at = |unit: usize| &coordinates[unit * width..(unit + 1) * width];
        let mut sorted = members.to_vec();
        let compare = |a: &usize, b: &usize| {
            let order = at(*a).iter().zip(at(*b)).map(|(x, y)| x.total_cmp(y)).find(|o| o.is_ne());
            order.unwrap_or(std::cmp::Ordering::Equal)
        };
        sorted.sort_by(|a, b| compare(a, b).then(a.cmp(b)));
        let (mut points, mut starts) = (Vec::new(), Vec::new());
        for (k, unit) in sorted.iter().enumerate() {
            if k == 0 || compare(&sorted[k - 1], unit).is_ne() {
                starts.push(k);
                points.extend_from_slice(at(*unit));
            }
        }
        let count = starts.len();
        starts.push(sorted.len());
        let order = (0..count).collect();
        let mut tree = Self { width, points, starts, units: sorted, order, nodes: Vec::new() };
        if count > 0 {
            tree.build(0, count);
        }
        tree
    }

    /// Distinct points.
    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The units at a point.
    pub(crate) fn units(&self, point: usize) -> &[usize] {
        &self.units[self.starts[point]..self.starts[point + 1]]
    }

    fn point(&self, p: usize) -> &[f64] {
        &self.points[p * self.width..(p + 1) * self.width]
    }

    fn build(&mut self, from: usize, to: usize) -> usize {
        let id = self.nodes.len();
        self.nodes.push(Node::Leaf { from, to });
        if to - from <= LEAF || self.width == 0 {
            return id;
        }
        let spread = |axis: usize| {
            let values = self.order[from..to].iter().map(|p| self.points[p * self.width + axis]);
            let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
            hi - lo
        };
        let axis = (0..self.width).max_by(|a, b| spread(*a).total_cmp(&spread(*b)).then(b.cmp(a))).unwrap_or(0);
        let middle = (to - from) / 2;
        let (points, width) = (&self.points, self.width);
        let coordinate = |p: usize| points[p * width + axis];
        self.order[from..to]
            .select_nth_unstable_by(middle, |a, b| coordinate(*a).total_cmp(&coordinate(*b)).then(a.cmp(b)));
        let at = coordinate(self.order[from + middle]);
        let (left, right) = (self.build(from, from + middle), self.build(from + middle, to));
        self.nodes[id] = Node::Split { axis, at, left, right };
        id
    }

    /// The points that hold the `wanted` nearest units, with all that tie with the last of them. The unit `except` is not
    /// found. Work: about log(points) in few dimensions; up to all points in many.
    pub(crate) fn find(&self, at: &[f64], wanted: usize, except: Option<usize>) -> Found {
        let mut search = Search { tree: self, at, wanted, except, found: Found::default(), bound: f64::INFINITY };
        if !self.nodes.is_empty() {
            search.visit(0, 0.0);
        }
        search.found
    }

    /// How many units of a found point count.
    pub(crate) fn count(&self, point: usize, except: Option<usize>) -> usize {
        let units = self.units(point);
        units.len() - usize::from(except.is_some_and(|e| units.binary_search(&e).is_ok()))
    }
}

struct Search<'a> {
    tree: &'a Nearest,
    at: &'a [f64],
    wanted: usize,
    except: Option<usize>,
    found: Found,
    /// Squared distance beyond which nothing is wanted.
    bound: f64,
}

impl Search<'_> {
    /// `least` is a lower bound of the squared distance to the node.
    fn visit(&mut self, node: usize, least: f64) {
        if least > self.bound {
            return;
        }
        match self.tree.nodes[node] {
            Node::Leaf { from, to } => (from..to).for_each(|k| self.consider(self.tree.order[k])),
            Node::Split { axis, at, left, right } => {
                let gap = self.at[axis] - at;
                let (near, far) = if gap < 0.0 { (left, right) } else { (right, left) };
                self.visit(near, least);
                self.visit(far, least.max(gap * gap));
            }
        }
    }

    fn consider(&mut self, point: usize) {
        let mut distance = 0.0;
        for (a, b) in self.tree.point(point).iter().zip(self.at) {
            distance += (a - b) * (a - b);
            if distance > self.bound {
                return;
            }
        }
        if self.tree.count(point, self.except) == 0 {
            return;
        }
        let found = &mut self.found.points;
        let place = found.partition_point(|(d, p)| (*d, *p) < (distance, point));
        found.insert(place, (distance, point));
        let mut units = 0;
        for k in 0..found.len() {
            units += self.tree.count(found[k].1, self.except);
            if units >= self.wanted {
                self.bound = found[k].0 * (1.0 + TIE);
                let bound = self.bound;
                found.retain(|(d, _)| *d <= bound);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_stats::stream::Stream;

    /// Every unit at most as far as the `wanted`-th, by looking at all.
    fn slow(
        coordinates: &[f64],
        width: usize,
        members: &[usize],
        at: &[f64],
        wanted: usize,
        except: usize,
    ) -> Vec<usize> {
        let distance = |u: usize| -> f64 { (0..width).map(|a| (coordinates[u * width + a] - at[a]).powi(2)).sum() };
        let others: Vec<usize> = members.iter().copied().filter(|u| *u != except).collect();
        let mut distances: Vec<f64> = others.iter().map(|u| distance(*u)).collect();
        distances.sort_by(f64::total_cmp);
        let bound = distances.get(wanted - 1).copied().unwrap_or(f64::INFINITY) * (1.0 + TIE);
        let mut out: Vec<usize> = others.into_iter().filter(|u| distance(*u) <= bound).collect();
        out.sort_unstable();
        out
    }

    #[test]
    fn finds_what_a_full_search_finds() {
        for (case, (width, n, levels)) in
            [(1, 300, 40.0), (2, 300, 6.0), (3, 400, 1e9), (6, 250, 3.0), (0, 20, 1.0)].into_iter().enumerate()
        {
            let stream = Stream::new(case as u64, 9);
            // Few levels: many ties and many units at one point.
            let coordinates: Vec<f64> =
                (0..n * width).map(|i| (stream.uniform_at(i as u64) * levels).floor()).collect();
            let members: Vec<usize> = (0..n).filter(|u| u % 3 != 0).collect();
            let tree = Nearest::new(&coordinates, width, &members);
            for unit in 0..n {
                let at = &coordinates[unit * width..(unit + 1) * width];
                for wanted in [1, 3, 400] {
                    let found = tree.find(at, wanted, Some(unit));
                    let mut units: Vec<usize> =
                        found.points.iter().flat_map(|(_, p)| tree.units(*p)).copied().filter(|u| *u != unit).collect();
                    units.sort_unstable();
                    assert_eq!(units, slow(&coordinates, width, &members, at, wanted, unit), "case {case} unit {unit}");
                }
            }
        }
    }
}

//! The offers of one unit that can be optimal at some price of the budget: the upper convex hull of value over cost.

use std::cmp::Ordering;

use crate::allocate::Offer;

/// A point of the hull; `action` is `None` for doing nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) value: i64,
    pub(crate) cost: i64,
    pub(crate) action: Option<u32>,
}

/// Value gained per cost, as a fraction with a positive denominator: compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slope {
    pub(crate) value: i64,
    pub(crate) cost: i64,
}

impl Slope {
    pub(crate) fn between(from: Point, to: Point) -> Self {
        Self { value: to.value - from.value, cost: to.cost - from.cost }
    }

    pub(crate) fn compare(self, other: Self) -> Ordering {
        let left = i128::from(self.value) * i128::from(other.cost);
        left.cmp(&(i128::from(other.value) * i128::from(self.cost)))
    }
}

/// The hull from the best point without cost to the most valuable one: cost and value rise, slopes do not. At equal
/// value the cheaper offer wins, at equal cost and value the lower action number, and doing nothing before all.
pub(crate) fn upper_hull<'a>(offers: impl Iterator<Item = &'a Offer>) -> Vec<Point> {
    let mut sorted: Vec<Offer> = offers.copied().collect();
    sorted.sort_unstable_by(|a, b| {
        a.cost_micros.cmp(&b.cost_micros).then(b.value_micros.cmp(&a.value_micros)).then(a.action.cmp(&b.action))
    });
    let mut hull = vec![Point { value: 0, cost: 0, action: None }];
    for offer in sorted {
        let point = Point { value: offer.value_micros, cost: offer.cost_micros, action: Some(offer.action) };
        let top = hull[hull.len() - 1];
        if point.value <= top.value {
            continue;
        }
        if point.cost == top.cost {
            // Only the start can tie in cost: later points of one cost come in falling value.
            hull[0] = point;
            continue;
        }
        while let [.., before, last] = hull.as_slice() {
            if Slope::between(*last, point).compare(Slope::between(*before, *last)) != Ordering::Greater {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(offers: &[(i64, i64)], expect: &[Option<u32>]) {
        let offers: Vec<Offer> = (0_u32..)
            .zip(offers)
            .map(|(action, &(value_micros, cost_micros))| Offer { action, value_micros, cost_micros })
            .collect();
        assert_eq!(upper_hull(offers.iter()).iter().map(|p| p.action).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn only_offers_that_can_be_optimal_stay() {
        check(&[], &[None]);
        check(&[(-1, 1), (0, 0), (0, 5)], &[None]);
        check(&[(4, 0), (4, 0), (9, 0)], &[Some(2)]);
        check(&[(5, 5), (5, 5)], &[None, Some(0)]);
        check(&[(1, 2), (5, 3), (6, 9)], &[None, Some(1), Some(2)]);
        // On one line: all stay, so that a budget can stop between them.
        check(&[(2, 1), (4, 2), (6, 3)], &[None, Some(0), Some(1), Some(2)]);
        check(&[(3, 4), (3, 2)], &[None, Some(1)]);
    }
}

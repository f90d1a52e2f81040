//! W-shaped: first, middle and last touches stand out.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// 30 % each to the first, the middle and the last touch, 10 % evenly to all others.
///
/// Source of the shares: the W-shaped model of Adobe Marketo Measure and HubSpot, 30/30/30/10 over the touches of first
/// contact, lead creation and opportunity creation. **Paths here carry no such milestones**, so the touch in the middle of
/// the path stands for lead creation and the last touch for opportunity creation: the shape is theirs, the touches are
/// not. Where milestones are known, cut the path at them. With an even number of touches the two in the middle share,
/// so that a path read backwards has the same weights backwards. Three or four touches have no others, and the three
/// shares are renormalised; two share evenly; one takes all. The shares are a choice, not an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WShaped;

const PEAK: f64 = 0.3;
const REST: f64 = 0.1;

impl Rule for WShaped {
    fn name(&self) -> &'static str {
        "w"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|_, _, weights| {
            let n = weights.len();
            if n < 3 {
                weights.fill(1.0 / n as f64);
                return;
            }
            let middle = (n - 1) / 2..n / 2 + 1;
            let others = n - 2 - middle.len();
            let rest = if others > 0 { REST } else { 0.0 };
            let sum = 3.0 * PEAK + rest;
            weights.fill(rest / sum / others.max(1) as f64);
            let share = PEAK / sum / middle.len() as f64;
            weights[middle].fill(share);
            weights[0] = PEAK / sum;
            weights[n - 1] = PEAK / sum;
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::models::testing::check_weights;

    #[test]
    fn three_peaks() {
        check_weights("w", "a", &[1.0]);
        check_weights("w", "a b", &[0.5; 2]);
        check_weights("w", "a b c", &[1.0 / 3.0; 3]);
        check_weights("w", "a b c d", &[1.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0, 1.0 / 3.0]);
        check_weights("w", "a b c d e", &[0.3, 0.05, 0.3, 0.05, 0.3]);
        check_weights("w", "a b c d e f", &[0.3, 0.05, 0.15, 0.15, 0.05, 0.3]);
    }
}

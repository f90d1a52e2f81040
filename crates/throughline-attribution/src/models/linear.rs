//! Linear: equal shares.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// Equal credit to every touch: wₜ = 1/n. A channel that occurs twice receives two shares.
///
/// Source: the rule models of Adobe Analytics ("Linear") and `ChannelAttribution`. It rewards frequency: a channel that
/// repeats itself cheaply gains credit without having changed anything. For one share per different channel, see
/// [`ShapleySimplified`](super::shapley_simplified::ShapleySimplified).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Linear;

impl Rule for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|_, _, weights| {
            let share = 1.0 / weights.len() as f64;
            weights.fill(share);
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::models::testing::{check_credits, check_weights};

    #[test]
    fn every_touch_shares() {
        check_weights("linear", "a", &[1.0]);
        check_weights("linear", "a b a b", &[0.25; 4]);
        check_credits(
            "linear",
            &[("a b a", 3.0, 30.0, 9.0), ("b", 1.0, -4.0, 0.0)],
            &[("a", 2.0, 20.0), ("b", 2.0, 6.0)],
        );
    }
}

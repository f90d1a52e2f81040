//! First touch.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// All credit to the first touch: w₁ = 1.
///
/// Source: the rule models of Adobe Analytics ("First Touch") and `ChannelAttribution`. It answers "what opened these
/// journeys"; it moves with the lookback window, since an older touch outside it would have been first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct First;

impl Rule for First {
    fn name(&self) -> &'static str {
        "first"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|_, _, weights| {
            if let Some(first) = weights.first_mut() {
                *first = 1.0;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::models::testing::check_weights;

    #[test]
    fn the_first_touch_takes_all() {
        check_weights("first", "a", &[1.0]);
        check_weights("first", "a b a", &[1.0, 0.0, 0.0]);
    }
}

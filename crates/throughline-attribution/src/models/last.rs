//! Last touch.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// All credit to the last touch: wₙ = 1.
///
/// Source: the rule models of Adobe Analytics ("Last Touch") and `ChannelAttribution`. It answers "what closed these
/// journeys", and flatters channels that people use when already decided, such as brand search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Last;

impl Rule for Last {
    fn name(&self) -> &'static str {
        "last"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|_, _, weights| {
            if let Some(last) = weights.last_mut() {
                *last = 1.0;
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use crate::models::testing::check_weights;

    #[test]
    fn the_last_touch_takes_all() {
        check_weights("last", "a", &[1.0]);
        check_weights("last", "a b a", &[0.0, 0.0, 1.0]);
    }
}

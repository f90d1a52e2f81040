//! Participation: full credit to everyone present.

use crate::rule::Weigher;
use crate::{AttributionError, Conservation, PathTable, Rule};

/// The whole conversion to every different channel of the path.
///
/// Source: Adobe Analytics ("Participation"). Credits add up to more than the conversions by definition, so this model
/// is exempt from conservation, says so in its result, and must not be summed over channels. Repeated touches of one
/// channel share that channel's credit equally.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Participation;

impl Rule for Participation {
    fn name(&self) -> &'static str {
        "participation"
    }

    fn conservation(&self) -> Conservation {
        Conservation::Exempt
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|path, tally, weights| {
            tally.each(path.steps, |i, _, count| weights[i] = 1.0 / f64::from(count));
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Model;
    use crate::models::testing::{check_credits, check_weights, table};

    #[test]
    fn everyone_counts_fully() {
        check_weights("participation", "a b a", &[0.5, 1.0, 0.5]);
        check_credits(
            "participation",
            &[("a b a", 2.0, 8.0, 1.0), ("b", 1.0, 1.0, 0.0)],
            &[("a", 2.0, 8.0), ("b", 3.0, 9.0)],
        );
        let credits = Participation.attribute(&table(&[("a b", 1.0, 0.0, 0.0)])).expect("credits");
        assert_eq!(credits.conservation(), Conservation::Exempt);
    }
}

//! The simplified Shapley value: equal shares of the different channels of a path.

use crate::rule::Weigher;
use crate::{AttributionError, PathTable, Rule};

/// Equal credit to every *different* channel of a path: 1 / |set of channels|; repeated touches share their channel's.
///
/// Source: K. Zhao, S. H. Mahboobi, S. R. Bagheri, "Shapley value methods for attribution modeling in online
/// advertising", arXiv:1804.05327 (2018). This is the exact Shapley value of the game v(S) = conversions of all paths
/// whose channels lie within S, in closed form. Failure mode: journeys without conversion do not enter, so a
/// channel that is merely everywhere is credited like one that persuades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShapleySimplified;

impl Rule for ShapleySimplified {
    fn name(&self) -> &'static str {
        "shapley_simplified"
    }

    fn weigher<'t>(&self, _: &'t PathTable) -> Result<Weigher<'t>, AttributionError> {
        Ok(Box::new(|path, tally, weights| {
            tally.each(path.steps, |i, different, count| weights[i] = 1.0 / f64::from(different) / f64::from(count));
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::testing::{check_weights, table};
    use crate::{Model, PathTable};

    #[test]
    fn different_channels_share() {
        check_weights("shapley_simplified", "a", &[1.0]);
        check_weights("shapley_simplified", "a b a", &[0.25, 0.5, 0.25]);
        check_weights("shapley_simplified", "a a a", &[1.0 / 3.0; 3]);
    }

    /// Shapley's formula over all coalitions: Σ_S |S|! (n − |S| − 1)! / n! · (v(S ∪ c) − v(S)).
    fn by_definition(table: &PathTable, channel: usize) -> f64 {
        let n = table.channels().len();
        let sets: Vec<usize> = table.paths().map(|p| p.steps.iter().fold(0, |set, s| set | 1 << s)).collect();
        let worth = |coalition: usize| -> f64 {
            let inside = sets.iter().zip(table.units().conversions).filter(|(set, _)| **set & !coalition == 0);
            inside.map(|(_, c)| c).sum()
        };
        let factorial = |k: usize| (1..=k).map(|i| i as f64).product::<f64>();
        (0..1_usize << n)
            .filter(|s| s >> channel & 1 == 0)
            .map(|s| {
                let size = s.count_ones() as usize;
                let weight = factorial(size) * factorial(n - size - 1) / factorial(n);
                weight * (worth(s | 1 << channel) - worth(s))
            })
            .sum()
    }

    #[test]
    fn it_is_the_shapley_value_of_the_co_occurrence_game() {
        let table = table(&[
            ("a b c", 5.0, 0.0, 1.0),
            ("a a", 2.0, 0.0, 0.0),
            ("d b b c", 3.0, 0.0, 0.0),
            ("d", 1.0, 0.0, 4.0),
        ]);
        let credits = ShapleySimplified.attribute(&table).expect("credits");
        for (i, credit) in credits.channels().iter().enumerate() {
            assert!((credit.conversions - by_definition(&table, i)).abs() < 1e-12, "{credit:?}");
        }
    }
}

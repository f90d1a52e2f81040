//! The models, one file each: parameters, definition, algorithm and tests.

pub mod first;

pub mod last;

pub mod last_non_direct;

pub mod linear;

pub mod time_decay;

pub mod position;

pub mod w_shaped;

pub mod participation;

pub mod same_touch;

pub mod shapley_simplified;

pub mod shapley_ordered;

pub mod shapley;

pub mod shao_li;

pub mod leave_one_out;

pub mod markov;

pub mod path;

pub mod hazard;

pub mod logistic;

/// Accepts an absent parameter, for models that have none.
pub(crate) fn no_parameter(model: &'static str, given: Option<&str>) -> Result<(), crate::AttributionError> {
    match given {
        None => Ok(()),
        Some(given) => Err(crate::AttributionError::BadParameter {
            model,
            given: given.chars().take(80).collect(),
            expected: "nothing after the name",
        }),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use crate::{Outcome, PathTable, read_spec};

    /// One path per row: steps by blanks, conversions, value, nulls. The ages of a path's touches are the numbers after `@`,
    /// in days.
    pub(crate) fn table(rows: &[(&str, f64, f64, f64)]) -> PathTable {
        let mut builder = PathTable::builder();
        for &(path, conversions, value, nulls) in rows {
            let (mut steps, mut ages) = (Vec::new(), Vec::new());
            for step in path.split(' ') {
                let (name, days) = step.split_once('@').unwrap_or((step, ""));
                steps.push(name);
                ages.extend(days.parse::<i64>().ok().map(|d| d * 86_400_000_000));
            }
            let ages = (!ages.is_empty()).then_some(ages.as_slice());
            assert!(
                builder.push(&steps, ages, Outcome { conversions, value, nulls }).is_some(),
                "{path} is a good row"
            );
        }
        let (table, diagnostics) = builder.build();
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        table
    }

    /// The weights of one path's touches under a model, to 1e-12.
    #[track_caller]
    pub(crate) fn check_weights(spec: &str, path: &str, expect: &[f64]) {
        let table = table(&[(path, 1.0, 10.0, 0.0)]);
        let model = read_spec(spec).expect("a model");
        let weights = model.path_weights(&table).expect("weights");
        let same = weights.of(0).iter().zip(expect).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(
            same && weights.of(0).len() == expect.len(),
            "{spec} of {path}: {:?} against {expect:?}",
            weights.of(0)
        );
        // What the touches of a channel receive is what the channel receives.
        let credits = model.attribute(&table).expect("credits");
        for (channel, weight) in weights.by_channel(&table, 0) {
            let credit = &credits.channels()[channel as usize];
            assert!((credit.conversions - weight).abs() < 1e-12 && (credit.value - 10.0 * weight).abs() < 1e-11);
        }
    }

    /// Credits of conversions by channel, to 1e-12.
    #[track_caller]
    pub(crate) fn check_credits(spec: &str, rows: &[(&str, f64, f64, f64)], expect: &[(&str, f64, f64)]) {
        let credits = read_spec(spec).expect("a model").attribute(&table(rows)).expect("credits");
        let got: Vec<_> = credits.channels().iter().map(|c| (c.channel.as_str(), c.conversions, c.value)).collect();
        let same = got.len() == expect.len()
            && got
                .iter()
                .zip(expect)
                .all(|(a, b)| a.0 == b.0 && (a.1 - b.1).abs() < 1e-12 && (a.2 - b.2).abs() < 1e-11);
        assert!(same, "{spec}: {got:?} against {expect:?}");
    }
}

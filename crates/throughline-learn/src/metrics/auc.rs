//! Area under the ROC curve with DeLong's standard error.

use throughline_core::{Diagnostic, Estimate, Level};

use super::Predicted;
use crate::LearnError;

/// The area under the ROC curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Auc {
    /// P(score of an event > score of another row) + ½ P(equal); ½ is chance. `None` where all rows are of one class
    /// (`TL750`).
    pub value: Option<f64>,
    /// The area less ½ with DeLong's interval, so that its p-value is that of chance. `None` with fewer than 2 rows of a
    /// class, and where scores separate the classes or all tie (`TL752`): its variance is then 0 and says nothing.
    pub above_half: Option<Estimate>,
    /// What to know about the answer.
    pub diagnostics: Vec<Diagnostic>,
}

/// The area under the ROC curve, ties counting one half.
///
/// Variance: with V₁₀ of an event the share of other rows below it, and V₀₁ of another row the share of events above it
/// (each tie one half), Var = s²(V₁₀) / events + s²(V₀₁) / others (DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988).
/// Assumes independent rows. Work: proportional to the distinct scores.
pub fn auc(predicted: &Predicted, level: Level) -> Result<Auc, LearnError> {
    let (events, others) = (predicted.events, predicted.rows - predicted.events);
    let mut found = Auc { value: None, above_half: None, diagnostics: Vec::new() };
    if events == 0 || others == 0 {
        found.diagnostics.push(one_class(predicted));
        return Ok(found);
    }
    let (p, n) = (events as f64, others as f64);
    // Twice the number of pairs in order: a whole number, exact.
    let (mut above, mut twice) = (0_u128, 0_u128);
    for block in &predicted.blocks {
        let other = u128::from(block.rows - block.events);
        twice += other * (2 * above + u128::from(block.events));
        above += u128::from(block.events);
    }
    let value = twice as f64 / (2.0 * p * n);
    found.value = Some(value);
    let (mut of_events, mut of_others, mut events_above, mut others_above) = (0.0, 0.0, 0.0, 0.0);
    for block in &predicted.blocks {
        let (mine, rest) = (block.events as f64, (block.rows - block.events) as f64);
        let below = n - others_above - rest;
        of_events += mine * ((below + rest / 2.0) / n - value).powi(2);
        of_others += rest * ((events_above + mine / 2.0) / p - value).powi(2);
        events_above += mine;
        others_above += rest;
    }
    if predicted.blocks.len() == 1 || twice == 0 || value >= 1.0 {
        let what = if predicted.blocks.len() == 1 { "all scores are equal" } else { "scores separate the classes" };
        found.diagnostics.push(Diagnostic::warning("TL752", format!("{what}: the area has no standard error")));
    } else if events > 1 && others > 1 {
        let variance = of_events / (p - 1.0) / p + of_others / (n - 1.0) / n;
        let estimate = Estimate::wald(value - 0.5, variance.sqrt(), None, predicted.rows, level, "delong")?;
        found.above_half = Some(estimate);
    }
    Ok(found)
}

/// The area of scores `a` less that of scores `b` for the same rows, with DeLong's paired interval. `None` with fewer than 2
/// rows of a class.
///
/// # Errors
/// Lengths that differ, no rows, scores that are not finite.
pub fn auc_between(a: &[f64], b: &[f64], event: &[bool], level: Level) -> Result<Option<Estimate>, LearnError> {
    let (first, second) = (components(a, event)?, components(b, event)?);
    let (mut value, mut variance) = (0.0, 0.0);
    for class in [true, false] {
        let each = first.iter().zip(&second).zip(event).filter(|(_, e)| **e == class);
        let mut each: Vec<f64> = each.map(|((a, b), _)| a - b).collect();
        if each.len() < 2 {
            return Ok(None);
        }
        each.sort_unstable_by(f64::total_cmp);
        let n = each.len() as f64;
        let mean = each.iter().sum::<f64>() / n;
        variance += each.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
        value = mean;
    }
    let rows = event.len() as u64;
    Ok(Some(Estimate::wald(value, variance.sqrt(), None, rows, level, "delong_paired")?))
}

/// V₁₀ of events and V₀₁ of others, in the order of the rows.
fn components(score: &[f64], event: &[bool]) -> Result<Vec<f64>, LearnError> {
    let predicted = Predicted::new(score, event)?;
    let (p, n) = (predicted.events as f64, (predicted.rows - predicted.events) as f64);
    let (mut events_above, mut others_above) = (0.0, 0.0);
    let mut of_block = Vec::with_capacity(predicted.blocks.len());
    for block in &predicted.blocks {
        let (mine, rest) = (block.events as f64, (block.rows - block.events) as f64);
        of_block.push(((n - others_above - rest / 2.0) / n.max(1.0), (events_above + mine / 2.0) / p.max(1.0)));
        events_above += mine;
        others_above += rest;
    }
    // Blocks fall by score.
    let find = |s: f64| predicted.blocks.partition_point(|b| b.score > s);
    let one = |(s, e): (&f64, &bool)| {
        let (of_event, of_other) = of_block[find(*s)];
        if *e { of_event } else { of_other }
    };
    Ok(score.iter().zip(event).map(one).collect())
}

pub(super) fn one_class(predicted: &Predicted) -> Diagnostic {
    let what = if predicted.events == 0 { "no row" } else { "every row" };
    Diagnostic::warning("TL750", format!("{what} of {} has the event", predicted.rows))
}

#[cfg(test)]
mod tests {
    use throughline_stats::stream::Stream;

    use super::*;

    fn area(score: &[f64], event: &[bool]) -> Auc {
        auc(&Predicted::new(score, event).expect("counts"), Level::P95).expect("an area")
    }

    #[test]
    fn equals_all_pairs_and_the_textbook_variance() {
        for seed in 0..40 {
            let stream = Stream::new(seed, 50);
            let n = 12 + stream.index_at(0, 20);
            let score: Vec<f64> = (0..n).map(|i| stream.index_at(3 * i + 1, 2 + seed % 9) as f64).collect();
            let event: Vec<bool> = (0..n).map(|i| i < 2 || (i > 3 && stream.index_at(3 * i + 2, 2) == 0)).collect();
            let psi = |x: f64, y: f64| if x > y { 1.0 } else { f64::from(u8::from(x == y)) / 2.0 };
            let of = |class: bool| -> Vec<f64> {
                score.iter().zip(&event).filter(|(_, e)| **e == class).map(|(s, _)| *s).collect()
            };
            let (x, y) = (of(true), of(false));
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            let v10: Vec<f64> = x.iter().map(|x| mean(&y.iter().map(|y| psi(*x, *y)).collect::<Vec<_>>())).collect();
            let v01: Vec<f64> = y.iter().map(|y| mean(&x.iter().map(|x| psi(*x, *y)).collect::<Vec<_>>())).collect();
            let variance = |v: &[f64]| v.iter().map(|a| (a - mean(v)).powi(2)).sum::<f64>() / (v.len() - 1) as f64;
            let found = area(&score, &event);
            assert!((found.value.expect("both classes") - mean(&v10)).abs() < 1e-12);
            if let Some(e) = found.above_half {
                let expect = (variance(&v10) / x.len() as f64 + variance(&v01) / y.len() as f64).sqrt();
                assert!((e.std_error.expect("wald") - expect).abs() < 1e-12);
            }
            // Against constant scores the paired difference is the area less one half, with the same error.
            let flat = vec![0.0; score.len()];
            let paired = auc_between(&score, &flat, &event, Level::P95).expect("areas").expect("two of each");
            assert!((paired.value - (mean(&v10) - 0.5)).abs() < 1e-12);
            let itself = auc_between(&score, &score, &event, Level::P95).expect("areas").expect("two of each");
            assert_eq!((itself.value, itself.std_error), (0.0, Some(0.0)));
        }
    }

    #[test]
    fn one_class_constant_and_separating_scores_are_said() {
        let codes = |score: &[f64], event: &[bool]| {
            let found = area(score, event);
            (found.value, found.above_half.is_some(), found.diagnostics.first().map(|d| d.code.clone()))
        };
        assert_eq!(codes(&[1.0, 2.0], &[true, true]), (None, false, Some("TL750".into())));
        assert_eq!(codes(&[1.0, 1.0, 1.0], &[true, false, true]), (Some(0.5), false, Some("TL752".into())));
        assert_eq!(codes(&[3.0, 2.0, 1.0], &[true, true, false]), (Some(1.0), false, Some("TL752".into())));
        assert_eq!(codes(&[1.0, 2.0, 3.0], &[true, true, false]), (Some(0.0), false, Some("TL752".into())));
        assert!(Predicted::new(&[f64::INFINITY], &[true]).is_err() && Predicted::new(&[], &[]).is_err());
    }
}

//! Whether probabilities of pairs mean what they say, and what to do where they do not.

use serde::Serialize;
use throughline_identity::{Calibration, Decision, DrawnFrom};
use throughline_stats::dist::normal_quantile;
use throughline_stats::logistic::{LogisticRegression, Rows};
use throughline_stats::survey::{Drawn, sampled_share};

use super::accuracy::{LEVEL, Sampled};

/// Upper ends of the bins of probability.
const BINS: [f64; 7] = [0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 1.0];
/// Labels that a recalibration needs, …
const LABELS: usize = 50;
/// … and of them, of each kind.
const OF_EACH: usize = 10;

/// The pairs of a range of probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// Probabilities from here …
    pub from: f64,
    /// … to here.
    pub to: f64,
    /// What the pairs say on average.
    pub said: f64,
    /// The share that is true.
    pub found: Sampled,
}

/// Reliability, and the recalibration that the next run applies.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reliability {
    /// Bins that have labels.
    pub bins: Vec<Bin>,
    /// Weights are multiplied by this; 1 where they mean what they say.
    pub slope: Option<Fitted>,
    /// The log-odds of a pair whose records say nothing.
    pub intercept: Option<Fitted>,
    /// Whether linking applies it, or why not.
    pub note: String,
}

/// A fitted number with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Fitted {
    /// The number.
    pub value: f64,
    /// Its interval.
    pub interval: Option<(f64, f64)>,
}

/// A label and how its pair was drawn.
fn labels(decisions: &[Decision]) -> Vec<(&DrawnFrom, bool)> {
    decisions.iter().filter_map(|d| Some((d.drawn.as_ref()?, d.same?))).collect()
}

/// Compares what pairs say with what people decided.
pub(super) fn reliability(decisions: &[Decision]) -> Reliability {
    let labels = labels(decisions);
    let mut bins = Vec::new();
    let mut from = 0.0;
    for to in BINS {
        let inside = |p: f64| p >= from && (p < to || to >= 1.0);
        let within: Vec<_> = labels.iter().filter(|(drawn, _)| inside(drawn.probability)).collect();
        let sample: Vec<Drawn> =
            within.iter().map(|(d, same)| Drawn { inclusion: d.inclusion, part: *same, whole: true }).collect();
        if let Some(share) = sampled_share(&sample, LEVEL) {
            let weight: f64 = within.iter().map(|(d, _)| 1.0 / d.inclusion).sum();
            let said = within.iter().map(|(d, _)| d.probability / d.inclusion).sum::<f64>() / weight;
            bins.push(Bin { from, to, said, found: share.into() });
        }
        from = to;
    }
    let (fitted, note) = match fit(&labels) {
        Ok(fitted) => (Some(fitted), format!("linking applies it: {} labels", labels.len())),
        Err(why) => (None, why),
    };
    Reliability { bins, slope: fitted.map(|f| f.0), intercept: fitted.map(|f| f.1), note }
}

/// The recalibration that linking applies, where there are labels enough.
pub(crate) fn calibration(decisions: &[Decision]) -> Option<Calibration> {
    let (slope, intercept) = fit(&labels(decisions)).ok()?;
    Some(Calibration { slope: slope.value, intercept: intercept.value })
}

/// J. Platt's scaling (1999): logistic regression of the label on the weight, each label counted by
/// the inverse of the probability with which its pair was drawn. Increasing, so that the order of pairs stays.
fn fit(labels: &[(&DrawnFrom, bool)]) -> Result<(Fitted, Fitted), String> {
    let same = labels.iter().filter(|(_, same)| *same).count();
    if labels.len() < LABELS || same < OF_EACH || labels.len() - same < OF_EACH {
        let other = labels.len() - same;
        return Err(format!(
            "not recalibrated: that needs {LABELS} labels, {OF_EACH} of each kind; there are {same} joined and {other} parted"
        ));
    }
    let x: Vec<f64> = labels.iter().map(|(d, _)| d.weight_bits * std::f64::consts::LN_2).collect();
    let y: Vec<f64> = labels.iter().map(|(_, same)| f64::from(*same)).collect();
    let total: f64 = labels.iter().map(|(d, _)| 1.0 / d.inclusion).sum();
    // Weights that add up to the number of labels, so that errors are those of so many.
    let weights: Vec<f64> = labels.iter().map(|(d, _)| labels.len() as f64 / (d.inclusion * total)).collect();
    let rows = Rows { x: &x, columns: 1, y: &y, weights: Some(&weights) };
    let fit = LogisticRegression::default().fit(&rows).map_err(|e| format!("not recalibrated: {e}"))?;
    let (Some(&intercept), Some(&slope)) = (fit.coefficients.first(), fit.coefficients.get(1)) else {
        return Err("not recalibrated: nothing was fitted".into());
    };
    if !fit.findings.is_empty() || slope <= 0.0 {
        return Err("not recalibrated: the labels do not rise with the probability in a way that can be fitted".into());
    }
    let z = normal_quantile(f64::midpoint(1.0, LEVEL));
    let of = |value: f64, place: usize| {
        let error = fit.std_errors.get(place).copied().flatten();
        Fitted { value, interval: error.map(|e| (value - z * e, value + z * e)) }
    };
    Ok((of(slope, 1), of(intercept, 0)))
}

#[cfg(test)]
mod tests {
    use throughline_core::SubjectToken;
    use throughline_stats::logistic::sigmoid;
    use throughline_stats::stream::Stream;

    use super::*;

    /// Labels of a model that is overconfident by a factor of two in its log-odds.
    fn overconfident(n: u64) -> Vec<Decision> {
        let stream = Stream::new(3, 0);
        let of = |i: u64| {
            let weight_bits = 16.0 * stream.uniform_at(3 * i) - 8.0;
            let odds = weight_bits * std::f64::consts::LN_2;
            let inclusion = 0.1 + 0.8 * stream.uniform_at(3 * i + 1);
            let same = stream.uniform_at(3 * i + 2) < sigmoid(odds / 2.0);
            let drawn = DrawnFrom { draw: 1, inclusion, probability: sigmoid(odds), weight_bits, linked: false };
            let token = SubjectToken([0; 16]);
            Decision { token, other_token: token, same: Some(same), reason: String::new(), drawn: Some(drawn) }
        };
        (0..n).map(of).collect()
    }

    #[test]
    fn overconfidence_is_seen_and_mended_where_there_are_labels_enough() {
        let decisions = overconfident(1500);
        let found = reliability(&decisions);
        let slope = found.slope.expect("a slope");
        assert!((slope.value - 0.5).abs() < 0.1, "{found:?}");
        assert!(slope.interval.is_some_and(|(low, high)| low < 0.5 && 0.5 < high && high < 1.0));
        let last = found.bins.last().expect("bins");
        assert!(last.said > last.found.high && found.bins[0].said < found.bins[0].found.low, "{found:?}");
        let calibration = calibration(&decisions).expect("a calibration");
        assert!(calibration.probability(4.0) < sigmoid(4.0 * std::f64::consts::LN_2));
        let few = reliability(&decisions[..20]);
        assert!(few.slope.is_none() && few.note.contains("needs 50 labels"), "{few:?}");
    }
}

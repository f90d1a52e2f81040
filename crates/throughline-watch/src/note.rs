//! Sentences about figures.

use crate::detector::Judgement;
use crate::metric::Metric;
use crate::report::Status;

/// What a figure and its judgement say, in plain words.
pub(crate) fn note(metric: Metric, scope: &str, value: Option<f64>, judgement: &Judgement) -> String {
    let what = subject(metric, scope);
    let Some(value) = value else {
        return match judgement.usual {
            Some(usual) => format!("{what}: nothing to measure now, usually {}", figure(metric, usual)),
            None => format!("{what}: nothing to measure"),
        };
    };
    let now = figure(metric, value);
    match (judgement.status, judgement.usual) {
        (Status::First, _) | (_, None) => format!("{what}: {now}, first observation"),
        (Status::Ok, Some(_)) => format!("{what}: {now}, as usual"),
        (Status::Changed | Status::Alarm, Some(usual)) => {
            let verb = if value < usual { "fell" } else { "rose" };
            format!("{what} {verb} to {now}, usually {}{}", figure(metric, usual), relative(metric, value, usual))
        }
    }
}

/// The sentence for a figure that the last run had and this one has not.
pub(crate) fn vanished(metric: &str, scope: &str) -> String {
    format!("{metric} of `{scope}` was measured by the previous run and is gone")
}

fn subject(metric: Metric, scope: &str) -> String {
    let of = match scope.split_once("/source=") {
        Some((_, source)) if metric == Metric::QuarantineShare => format!("source `{source}`"),
        Some((table, source)) => format!("`{table}` from source `{source}`"),
        None => format!("`{scope}`"),
    };
    match metric {
        Metric::Rows => format!("rows of {of}"),
        Metric::RowsLastDay => format!("rows of {of} in the last day"),
        Metric::AgeHours => format!("age of the newest row of {of}"),
        Metric::NullShare => format!("share of missing values in {of}"),
        Metric::QuarantineShare => format!("share of refused rows of {of}"),
    }
}

fn figure(metric: Metric, value: f64) -> String {
    match metric {
        Metric::Rows | Metric::RowsLastDay => grouped(value),
        Metric::AgeHours if value >= 48.0 => format!("{:.1} days", value / 24.0),
        Metric::AgeHours => format!("{value:.1} hours"),
        Metric::NullShare | Metric::QuarantineShare => format!("{:.2} %", 100.0 * value),
    }
}

fn relative(metric: Metric, value: f64, usual: f64) -> String {
    let counts = matches!(metric, Metric::Rows | Metric::RowsLastDay);
    if counts && usual > 0.0 { format!(" ({:+.0} %)", 100.0 * (value - usual) / usual) } else { String::new() }
}

/// A number with a comma between groups of three digits.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(metric: Metric, scope: &str, value: Option<f64>, status: Status, usual: Option<f64>, expect: &str) {
        assert_eq!(note(metric, scope, value, &Judgement { status, usual, score: 0.0 }), expect);
    }

    #[test]
    fn sentences() {
        use Metric::{AgeHours, NullShare, QuarantineShare, Rows};
        use Status::{Alarm, Changed, First, Ok};
        let fell = "rows of `events` fell to 3,000, usually 12,000 (-75 %)";
        check(Rows, "events", Some(3000.0), Alarm, Some(12000.0), fell);
        check(Rows, "events", Some(999.0), First, None, "rows of `events`: 999, first observation");
        let source = "rows of `events` from source `shop`: 1,234,567, as usual";
        check(Rows, "events/source=shop", Some(1_234_567.0), Ok, Some(1_234_567.0), source);
        let rose = "share of missing values in `events.channel` rose to 40.00 %, usually 1.00 %";
        check(NullShare, "events.channel", Some(0.4), Alarm, Some(0.01), rose);
        let refused = "share of refused rows of source `shop` rose to 2.50 %, usually 0.00 %";
        check(QuarantineShare, "quarantine/source=shop", Some(0.025), Changed, Some(0.0), refused);
        let late = "age of the newest row of `spend` rose to 3.0 days, usually 24.0 hours";
        check(AgeHours, "spend", Some(72.0), Alarm, Some(24.0), late);
        check(AgeHours, "spend", None, First, None, "age of the newest row of `spend`: nothing to measure");
    }
}

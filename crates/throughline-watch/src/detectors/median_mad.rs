//! The robust median rule.

use serde::Deserialize;
use throughline_stats::quantile;

use crate::detector::{Component, Detector, Judgement, Series};
use crate::metric::Worse;
use crate::report::Status;

/// Makes the median absolute deviation of a normal distribution its standard deviation: 1 / Φ⁻¹(3/4).
const NORMAL_CONSISTENCY: f64 = 1.482_602_218_505_602;

/// Parameters of [`MedianMad`].
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MedianMadParams {
    /// Runs looked back on, 1 to 1000.
    pub history: usize,
    /// Scales beyond which a figure is `changed`; above 0.
    pub changed: f64,
    /// Scales beyond which it is an `alarm`; at least `changed`.
    pub alarm: f64,
}

impl Default for MedianMadParams {
    fn default() -> Self {
        Self { history: 10, changed: 3.0, alarm: 6.0 }
    }
}

/// score = (value − median) / max(1.4826 · MAD, floor), over the last `history` values; Hampel (1974), "The influence
/// curve and its role in robust estimation". `changed` beyond 3, `alarm` beyond 6 in the direction that is worse.
///
/// Half of the history may be wrong without moving the answer much. With fewer than three values the deviation says
/// nothing and the floor alone decides. It assumes that runs are comparable: a season within ten runs widens the scale.
#[derive(Debug, Clone, Copy)]
pub struct MedianMad {
    params: MedianMadParams,
}

impl Component for MedianMad {
    const NAME: &'static str = "median_mad";
    const DOC: &'static str = "distance from the median of the last runs in median absolute deviations, with a floor";
    type Params = MedianMadParams;

    fn new(params: MedianMadParams) -> Result<Self, String> {
        if !(1..=1000).contains(&params.history) {
            return Err(format!("history of {} runs is outside 1 to 1000", params.history));
        }
        if !params.changed.is_finite() || params.changed <= 0.0 {
            return Err(format!("changed of {} scales is not above 0", params.changed));
        }
        if !params.alarm.is_finite() || params.alarm < params.changed {
            return Err(format!("alarm of {} scales is below changed of {}", params.alarm, params.changed));
        }
        Ok(Self { params })
    }
}

impl Detector for MedianMad {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn judge(&self, series: &Series<'_>) -> Judgement {
        let past = &series.history[series.history.len().saturating_sub(self.params.history)..];
        let Some(usual) = median(past.iter().copied()) else {
            return Judgement { status: Status::First, usual: None, score: 0.0 };
        };
        let spread = median(past.iter().map(|x| (x - usual).abs())).unwrap_or(0.0);
        let scale = (NORMAL_CONSISTENCY * spread).max(series.floor.scale(usual)).max(f64::MIN_POSITIVE);
        // A difference of 1 over the smallest scale would be infinite; the answer stays a number.
        let score = ((series.value - usual) / scale).clamp(-1e6, 1e6);
        let bad = match series.worse {
            Worse::Higher => score > 0.0,
            Worse::Lower => score < 0.0,
            Worse::Either => true,
        };
        let status = if score.abs() <= self.params.changed {
            Status::Ok
        } else if score.abs() > self.params.alarm && bad {
            Status::Alarm
        } else {
            Status::Changed
        };
        Judgement { status, usual: Some(usual), score }
    }
}

fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile::quantile(&quantile::sorted(values), 0.5)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metric::{Floor, Noise};

    const FLOOR: Floor = Floor { relative: 0.05, absolute: 1.0, noise: Noise::None };

    fn judge(history: &[f64], value: f64, worse: Worse) -> Judgement {
        let rule = MedianMad::new(MedianMadParams::default()).expect("the defaults are accepted");
        rule.judge(&Series { history, value, floor: FLOOR, worse })
    }

    #[track_caller]
    fn check(history: &[f64], value: f64, worse: Worse, expect: Status) {
        let got = judge(history, value, worse);
        assert_eq!(got.status, expect, "{got:?}");
    }

    #[test]
    fn statuses() {
        check(&[], 5.0, Worse::Either, Status::First);
        check(&[100.0; 4], 100.0, Worse::Either, Status::Ok);
        // The floor of 5 %: 15 % is the last ok, 30 % the last changed.
        check(&[100.0; 4], 85.0, Worse::Either, Status::Ok);
        check(&[100.0; 4], 84.0, Worse::Either, Status::Changed);
        check(&[100.0; 4], 70.0, Worse::Lower, Status::Changed);
        check(&[100.0; 4], 69.0, Worse::Lower, Status::Alarm);
        check(&[100.0; 4], 131.0, Worse::Either, Status::Alarm);
        // The good direction never alarms.
        check(&[100.0; 4], 900.0, Worse::Lower, Status::Changed);
        check(&[0.0; 4], 0.0, Worse::Higher, Status::Ok);
        // A noisy past forgives what a quiet one does not.
        check(&[60.0, 140.0, 80.0, 120.0, 100.0], 60.0, Worse::Lower, Status::Ok);
    }

    #[test]
    fn one_broken_run_does_not_move_the_usual_value() {
        let got = judge(&[100.0, 0.0, 101.0, 99.0, 100.0], 100.0, Worse::Either);
        assert_eq!((got.usual, got.status), (Some(100.0), Status::Ok));
    }

    #[test]
    fn only_the_last_runs_count() {
        let mut history = vec![1e6; 50];
        history.extend([100.0; 10]);
        check(&history, 100.0, Worse::Either, Status::Ok);
    }

    #[test]
    fn parameters_out_of_bounds_are_refused() {
        let refused = |params| MedianMad::new(params).expect_err("out of bounds");
        let base = MedianMadParams::default();
        assert_eq!(refused(MedianMadParams { history: 0, ..base }), "history of 0 runs is outside 1 to 1000");
        assert_eq!(refused(MedianMadParams { changed: f64::NAN, ..base }), "changed of NaN scales is not above 0");
        assert_eq!(refused(MedianMadParams { alarm: 1.0, ..base }), "alarm of 1 scales is below changed of 3");
    }

    proptest! {
        #[test]
        fn scores_are_finite_and_follow_the_difference(
            history in proptest::collection::vec(-1e12_f64..1e12, 1..30), value in -1e12_f64..1e12,
        ) {
            let got = judge(&history, value, Worse::Either);
            let usual = got.usual.expect("there is a history");
            prop_assert!(got.score.is_finite());
            prop_assert!((got.score > 0.0) == (value > usual) && (got.score < 0.0) == (value < usual));
        }
    }
}

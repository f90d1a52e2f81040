//! Tables and tests of a report, as JSON.

use serde_json::{Map, Value, json};
use throughline_core::Level;

use super::honest::EventStudy;
use crate::{EvidenceError, Joint, WaldTest};

/// Simultaneous bands over more estimates than this are left out: they take the eigenvectors of their correlation.
const MOST_IN_BAND: usize = 200;

/// Bounds on the trends for which sets are shown, relative to what is seen before the treatment.
const BOUNDS: [f64; 6] = [0.0, 0.25, 0.5, 1.0, 1.5, 2.0];

/// Some of several estimates.
pub(super) fn select(joint: &Joint, of: &[usize]) -> Result<Joint, EvidenceError> {
    let one = |j: &usize| {
        let mut weights = vec![0.0; joint.len()];
        weights[*j] = 1.0;
        (joint.names()[*j].clone(), weights)
    };
    joint.combine(&of.iter().map(one).collect::<Vec<_>>())
}

/// Estimates with their intervals, alone and all at once.
pub(super) struct Points {
    pub(super) rows: Vec<Map<String, Value>>,
    critical_value: Option<f64>,
    level: Level,
}

impl Points {
    /// `{"level","critical_value","points":[{"value","std_error","interval","band","p_value","p_value_band",…}]}`.
    pub(super) fn json(self) -> Value {
        json!({ "level": self.level, "critical_value": self.critical_value, "points": self.rows })
    }
}

pub(super) fn points(joint: &Joint, level: Level, seed: u64) -> Result<Points, EvidenceError> {
    let band = if joint.len() <= MOST_IN_BAND { Some(joint.band(level, seed)?) } else { None };
    let mut points = Vec::new();
    for j in 0..joint.len() {
        let e = joint.estimate(j, level)?;
        let mut row = Map::new();
        row.insert("value".into(), json!(e.value));
        row.insert("std_error".into(), json!(e.std_error));
        row.insert("interval".into(), json!(e.interval()));
        row.insert("p_value".into(), json!(e.p_value));
        row.insert("band".into(), json!(band.as_ref().map(|b| b.intervals[j])));
        row.insert("p_value_band".into(), json!(band.as_ref().map(|b| b.p_values[j])));
        points.push(row);
    }
    Ok(Points { rows: points, critical_value: band.map(|b| b.critical_value), level })
}

/// The points of an event study in order of event time; the base period stands in it as 0 by definition.
pub(super) fn event_study(
    joint: &Joint,
    events: &[f64],
    base: Option<f64>,
    level: Level,
    seed: u64,
) -> Result<Value, EvidenceError> {
    let mut rows = points(joint, level, seed)?;
    for (row, e) in rows.rows.iter_mut().zip(events) {
        row.insert("event".into(), json!(e));
        row.insert("base".into(), json!(false));
    }
    if let Some(base) = base {
        let at = events.partition_point(|e| *e < base);
        let row = json!({ "event": base, "value": 0.0, "std_error": null, "interval": null, "p_value": null, "band": null,
            "p_value_band": null, "base": true });
        if let Value::Object(row) = row {
            rows.rows.insert(at, row);
        }
    }
    Ok(rows.json())
}

pub(super) fn wald(test: &WaldTest) -> Value {
    json!({ "statistic": test.statistic, "df": test.df, "p_value": test.p_value })
}

/// What is left of the effect when trends were not parallel.
pub(super) fn sensitivity(study: &EventStudy, level: Level) -> Result<Value, EvidenceError> {
    let theta = study.under_parallel_trends(level)?;
    let (change, slope) = study.scales();
    let (mut relative, mut smooth) = (Vec::new(), Vec::new());
    for bound in BOUNDS {
        let e = study.relative_magnitudes(bound, level)?;
        let identified = study.identified(bound)?;
        relative
            .push(json!({ "mbar": bound, "interval": e.interval(), "p_value": e.p_value, "identified": identified }));
        // Smoothness has no scale of its own: multiples of the largest change of slope that is seen.
        let m = bound * slope;
        let e = study.smoothness(m, level)?;
        smooth.push(json!({ "m": m, "value": e.value, "interval": e.interval(), "p_value": e.p_value }));
    }
    Ok(json!({
        "effect": "mean over the periods from the treatment on, against the last period before it",
        "value": theta.value,
        "interval": theta.interval(),
        "relative_magnitudes": relative,
        "breakdown_mbar": study.breakdown_relative(level)?,
        "smoothness": smooth,
        "breakdown_m": study.breakdown_smooth(level)?,
        "largest_change_before": change,
        "largest_change_of_slope_before": slope,
        "conservative": true,
    }))
}

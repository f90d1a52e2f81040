//! Whether what went wrong was noticed, when, and how often in vain.

use std::collections::BTreeMap;

use serde_json::Value;
use throughline_core::Timestamp;
use throughline_core::time::DAY_US;
use throughline_market::IncidentTruth;
use throughline_run::{each_row, tables};

use super::{Found, Row, Score, View};
use crate::failure::Failure;

pub(super) const SCORE: Score = Score {
    part: "watch",
    about: "Health observations of daily runs against the incidents that the market had. An incident is noticed when a run \
            between its first day and three days after its last has a metric of the status. `recall` is the share of \
            incidents noticed, `precision` the share of runs with the status that lie in such a span, `delay` the mean days \
            from the beginning of an incident to the run that noticed it, `false_per_week` runs with the status outside \
            every span, in a week. Only runs with a history of others are looked at.",
    take: |view| Box::pin(found(view)),
};

/// Days after its last one on which an incident may still be noticed.
const GRACE_DAYS: i64 = 3;
/// Runs with a history, at least.
const FEWEST: usize = 7;

/// A span of time in µs: from, to.
type Span = (i64, i64);

async fn found(view: &View<'_>) -> Result<Found, Failure> {
    let path = view.project.root.join("truth").join("incidents.csv");
    if !path.exists() {
        return Ok(Found::nothing("the truth of this project knows no incidents"));
    }
    // By the instant of a run: whether anything changed, and whether anything alarmed.
    let mut runs: BTreeMap<i64, (bool, bool)> = BTreeMap::new();
    each_row(view.stores, &tables::health(), &["status", "previous", "observed_at"], |row| {
        let at = row.get("observed_at").and_then(Value::as_str).and_then(|t| t.parse::<Timestamp>().ok());
        let (Some(at), Some(_)) = (at, row.get("previous").and_then(Value::as_f64)) else { return };
        let run = runs.entry(at.micros()).or_default();
        let status = row.get("status").and_then(Value::as_str).unwrap_or_default();
        *run = (run.0 || status == "changed" || status == "alarm", run.1 || status == "alarm");
    })
    .await?;
    if runs.len() < FEWEST {
        let why = format!(
            "{} runs on days of their own with a history, fewer than {FEWEST} (`throughline market step --run`)",
            runs.len()
        );
        return Ok(Found::nothing(why));
    }
    let fail =
        |source: csv::Error| Failure::Io { doing: "read", path: path.display().to_string(), source: source.into() };
    let mut reader = csv::Reader::from_path(&path).map_err(fail)?;
    let mut incidents = Vec::new();
    for row in reader.deserialize::<IncidentTruth>() {
        incidents.push(row.map_err(fail)?);
    }
    let runs: Vec<(i64, bool, bool)> = runs.into_iter().map(|(at, (changed, alarm))| (at, changed, alarm)).collect();
    let (first, last) = (runs.first().map_or(0, |r| r.0), runs.last().map_or(0, |r| r.0));
    let spans: Vec<(String, Span)> = incidents
        .into_iter()
        .filter_map(|i| {
            let day = |date: &str| format!("{date}T00:00:00Z").parse::<Timestamp>().ok().map(Timestamp::micros);
            Some((i.kind, (day(&i.from)?, day(&i.to)? + GRACE_DAYS * DAY_US)))
        })
        .filter(|(_, span)| span.0 < last && span.1 > first)
        .collect();
    let of = |name: &str, raised: &dyn Fn(&(i64, bool, bool)) -> bool| {
        let raised: Vec<i64> = runs.iter().filter(|r| raised(r)).map(|r| r.0).collect();
        measures(name, &raised, &spans, runs.len())
    };
    let mut rows = of("alarm", &|r| r.2);
    rows.extend(of("changed or alarm", &|r| r.1));
    Ok(Found::rows(rows))
}

/// The measures of runs (days apart) on which a status was raised.
fn measures(name: &str, raised: &[i64], spans: &[(String, Span)], runs: usize) -> Vec<Row> {
    let within = |at: i64, (from, to): Span| at > from && at <= to;
    let noticed: Vec<Option<i64>> =
        spans.iter().map(|(_, span)| raised.iter().find(|at| within(**at, *span)).map(|at| at - span.0)).collect();
    let delays: Vec<f64> = noticed.iter().flatten().map(|us| *us as f64 / DAY_US as f64).collect();
    let right = raised.iter().filter(|at| spans.iter().any(|(_, span)| within(**at, *span))).count();
    let missed: Vec<&str> =
        spans.iter().zip(&noticed).filter(|(_, n)| n.is_none()).map(|((kind, _), _)| kind.as_str()).collect();
    let ratio = |a: usize, b: usize| (b > 0).then(|| a as f64 / b as f64);
    let recall =
        Row::of(name, "recall", ratio(delays.len(), spans.len()), spans.len(), "no incident on the days watched");
    let recall = if missed.is_empty() { recall } else { recall.say(format!("not noticed: {}", missed.join(", "))) };
    let mean = (!delays.is_empty()).then(|| delays.iter().sum::<f64>() / delays.len() as f64);
    vec![
        recall,
        Row::of(name, "precision", ratio(right, raised.len()), raised.len(), "never raised"),
        Row::of(name, "delay", mean, delays.len(), "nothing was noticed").in_unit("days"),
        Row::new(name, "false_per_week", 7.0 * (raised.len() - right) as f64 / runs.max(1) as f64, runs),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incidents_are_noticed_in_their_span_and_not_outside() {
        let day = |d: i64| d * DAY_US;
        let spans = vec![("spend_spike".to_owned(), (day(10), day(15))), ("late_feed".to_owned(), (day(30), day(35)))];
        let rows = measures("alarm", &[day(12), day(13), day(20)], &spans, 42);
        let value = |measure: &str| rows.iter().find(|r| r.measure == measure).and_then(|r| r.value);
        assert_eq!(value("recall"), Some(0.5));
        assert_eq!(rows[0].note, "not noticed: late_feed");
        assert_eq!(value("precision"), Some(2.0 / 3.0));
        assert_eq!(value("delay"), Some(2.0));
        assert_eq!(value("false_per_week"), Some(7.0 / 42.0));
        // A run at the very beginning of an incident's first day has seen nothing of it.
        assert_eq!(measures("alarm", &[day(10)], &spans, 42)[0].value, Some(0.0));
        assert_eq!(measures("alarm", &[], &[], 42)[0].value, None);
    }
}

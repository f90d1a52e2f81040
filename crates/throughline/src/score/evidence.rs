//! What experiments say, against the effects that the market knows.

use serde_json::{Value, json};
use throughline_market::{Arm, Moment, Truth};
use throughline_run::MetricConfig;
use throughline_stats::sum::exact_sum;

use super::known::{Known, UNKNOWN};
use super::{Found, Row, Score, View};

pub(super) const SCORE: Score = Score {
    part: "evidence",
    about: "Each experiment's effects against the known ones: the mean, over the people in the test, of what the \
            arm changes in the window after the day of the test. `error` is the estimate less the known effect; \
            `coverage` says whether the interval holds the known effect. The truth counts every purchase of a person; \
            the experiment sees those that could be linked, so what stays unlinked draws its effects towards 0.",
    take: |view| Box::pin(std::future::ready(Ok(found(view)))),
};

/// An effect as the run read it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimated {
    value: f64,
    interval: (f64, f64),
    level: f64,
    n: usize,
}

impl Estimated {
    fn read(estimate: &Value) -> Option<Self> {
        let set = estimate["set"].as_array()?;
        let end =
            |pair: Option<&Value>, place: usize, open: f64| pair.map_or(open, |p| p[place].as_f64().unwrap_or(open));
        Some(Self {
            value: estimate["value"].as_f64()?,
            interval: (end(set.first(), 0, f64::NEG_INFINITY), end(set.last(), 1, f64::INFINITY)),
            level: estimate["level"].as_f64()?,
            n: usize::try_from(estimate["n"].as_u64().unwrap_or(0)).unwrap_or(usize::MAX),
        })
    }
}

fn found(view: &View<'_>) -> Found {
    let stage = view.metrics("prove");
    let readings: Vec<&Value> = stage.iter().flat_map(|m| m["experiments"].as_array().into_iter().flatten()).collect();
    if readings.is_empty() {
        return Found::nothing("the last run read no experiment");
    }
    let (mut rows, mut details) = (Vec::new(), Vec::new());
    for of in &readings {
        let experiment = of["experiment"].as_str().unwrap_or_default();
        for comparison in of["reading"]["comparisons"].as_array().into_iter().flatten() {
            let text = |key: &str| comparison[key].as_str().unwrap_or_default();
            let (arm, metric) = (text("arm"), text("metric"));
            let several = if readings.len() > 1 { format!("{experiment}: ") } else { String::new() };
            let name = format!("{several}{arm} {metric}");
            match known(view, experiment, metric, arm, text("control")) {
                Ok((kind, effect)) => {
                    let read = Estimated::read(&comparison["estimate"]);
                    rows.extend(compared(&name, read, effect, &kind.unit(view.currency()), text("estimate_absent")));
                    details
                        .push(json!({ "experiment": experiment, "arm": arm, "metric": metric, "known_effect": effect,
                                         "estimate": comparison["estimate"] }));
                }
                Err(why) => rows.push(Row::undefined(name, "error", 0, why)),
            }
        }
    }
    Found::Rows { rows, details }
}

/// The known effect of an arm on a metric, or why there is none.
fn known(view: &View<'_>, experiment: &str, metric: &str, arm: &str, control: &str) -> Result<(Known, f64), String> {
    let kind = metric_of(view, experiment, metric).and_then(Known::of).ok_or(UNKNOWN)?;
    let parse = |name: &str| name.parse::<Arm>().map_err(|unknown| unknown.to_string());
    let (arm, control) = (parse(arm)?, parse(control)?);
    effect(view.truth, kind, arm, control).map(|e| (kind, e)).ok_or_else(|| "nobody was in the test".to_owned())
}

/// The configuration of a metric, as it stands now.
pub(super) fn metric_of<'v>(view: &View<'v>, experiment: &str, metric: &str) -> Option<&'v MetricConfig> {
    let all = view.project.experiments.iter().map(|e| &e.value.config);
    let of = all.into_iter().find(|e| e.name.value == experiment)?;
    of.metrics.iter().find(|m| m.name.value == metric)
}

/// Mean effect on the day of the test over the people who were in it.
fn effect(truth: &Truth, kind: Known, arm: Arm, control: Arm) -> Option<f64> {
    let tested = truth.persons.iter().filter(|p| p.reachable(Moment::Test));
    let people: Vec<f64> = tested.map(|p| kind.effect(p.at(Moment::Test), arm, control)).collect();
    let n = people.len();
    (n > 0).then(|| exact_sum(people) / n as f64)
}

fn compared(name: &str, read: Option<Estimated>, effect: f64, unit: &str, absent: &str) -> Vec<Row> {
    let known = |n| Row::new(name, "known_effect", effect, n).in_unit(unit);
    let Some(read) = read else {
        let why = if absent.is_empty() { "the reading has no estimate" } else { absent };
        return vec![known(0), Row::undefined(name, "estimate", 0, why), Row::undefined(name, "coverage", 0, why)];
    };
    let (low, high) = read.interval;
    vec![
        known(read.n),
        Row::new(name, "estimate", read.value, read.n).in_unit(unit).within(read.interval),
        Row::new(name, "error", read.value - effect, read.n).in_unit(unit),
        Row::covered(name, usize::from(low <= effect && effect <= high), 1, read.level),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_market::{Outlook, PersonTruth};

    #[test]
    fn the_known_effect_is_the_mean_over_those_who_were_tested() {
        let person = |tested: bool, probability: [f64; 3]| -> PersonTruth {
            let outlook = |probability| Outlook { probability, ..Outlook::default() };
            let person = json!({ "crm_id": "", "email": "", "contactable": tested, "tested": tested,
                                 "test": outlook(probability), "decision": outlook([0.0; 3]) });
            serde_json::from_value(person).expect("a person")
        };
        let persons =
            vec![person(true, [0.125, 0.25, 0.5]), person(true, [0.25, 0.75, 0.25]), person(false, [0.0, 1.0, 1.0])];
        let truth = Truth { channels: Vec::new(), persons };
        assert_eq!(effect(&truth, Known::Purchase, Arm::EmailOffer, Arm::None), Some(0.3125));
        let nobody = Truth { channels: Vec::new(), persons: Vec::new() };
        assert_eq!(effect(&nobody, Known::Purchase, Arm::EmailOffer, Arm::None), None);
    }

    #[test]
    fn an_interval_holds_the_known_effect_or_does_not() {
        let estimate = json!({ "value": 0.5, "set": [[0.25, 0.75]], "level": 0.95, "n": 40 });
        let covered = |effect: f64| {
            let rows = compared("a b", Estimated::read(&estimate), effect, "EUR", "");
            rows.iter().find(|r| r.measure == "coverage").and_then(|r| r.value)
        };
        assert_eq!((covered(0.25), covered(0.76), covered(0.0)), (Some(1.0), Some(0.0), Some(0.0)));
        let open = json!({ "value": 0.5, "set": [[null, 0.75]], "level": 0.95, "n": 40 });
        assert_eq!(Estimated::read(&open).map(|e| e.interval), Some((f64::NEG_INFINITY, 0.75)));
        let absent = compared("a b", None, 0.1, "EUR", "nobody bought");
        assert!(absent.iter().any(|r| r.note == "nobody bought") && absent[0].value == Some(0.1));
    }
}

//! Runs by the clock: every so many minutes, with jitter, so that many installations do not knock on one door at once.
//!
//! When each schedule was last served is kept in the ledger, in one switch that changes together with the record of the run
//! that serves it. A run serves every schedule whose stages are among its own, so that an hourly scoring does not follow
//! on the heels of a nightly run, and never puts that off.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use throughline_core::Timestamp;
use throughline_govern::State;
use throughline_run::approvals;
use throughline_run::project::ScheduleConfig;

use super::runner::{Order, start};
use crate::app::Shared;
use crate::problem::ApiError;

const MINUTE_MICROS: i64 = 60_000_000;

/// The switch that says when each schedule was last served.
pub(crate) const SERVED: &str = "schedules_served";

type Served = BTreeMap<String, Timestamp>;

/// When a schedule is due next, after a run that began at `last` (at once without one).
///
/// The jitter is `u · jitter_minutes` with `u` uniform in `[0, 1)` from SHA-256 of the schedule's name and `last`: spread
/// over installations, and the same each time it is asked for.
pub(crate) fn due(schedule: &ScheduleConfig, last: Option<Timestamp>, started: Timestamp) -> Timestamp {
    let Some(last) = last else { return started };
    let hash =
        Sha256::new().chain_update(schedule.name.as_bytes()).chain_update(last.micros().to_be_bytes()).finalize();
    let draw = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    // At most 2^32 · 6e7 · 2^32 / 2^32, which is below 2^58.
    let jitter = (i128::from(schedule.jitter_minutes) * i128::from(MINUTE_MICROS) * i128::from(draw)) >> 32;
    let jitter = i64::try_from(jitter).unwrap_or(0);
    last.plus_micros(i64::from(schedule.every_minutes.get()) * MINUTE_MICROS + jitter)
}

/// The stages a run goes through, as places in the order of the line.
fn reach(stage: Option<&String>, from: Option<&String>, names: &[&str]) -> std::ops::Range<usize> {
    let place = |name: &String| names.iter().position(|n| n == name).unwrap_or(names.len());
    match (stage, from) {
        (Some(stage), _) => place(stage)..place(stage) + 1,
        (None, Some(from)) => place(from)..names.len(),
        (None, None) => 0..names.len(),
    }
}

/// Whether a run of that order does what the schedule asks for.
fn serves(order: &Order, schedule: &ScheduleConfig, names: &[&str]) -> bool {
    let (does, asked) = (
        reach(order.stage.as_ref(), order.from.as_ref(), names),
        reach(schedule.stage.as_ref(), schedule.from.as_ref(), names),
    );
    does.start <= asked.start && does.end >= asked.end
}

/// What the switch says once a run of that order begins: the schedules it serves count from now.
pub(crate) async fn served_by(app: &Shared, order: &Order) -> Result<Value, ApiError> {
    let names = throughline_run::stage_names();
    let mut served = served(app).await?;
    let project = app.project();
    let schedules = &project.config.value.schedule;
    served.retain(|name, _| schedules.iter().any(|s| s.name == *name));
    for schedule in schedules.iter().filter(|s| serves(order, s, &names)) {
        served.insert(schedule.name.clone(), app.now());
    }
    Ok(json!(served))
}

/// When each schedule was last served.
async fn served(app: &Shared) -> Result<Served, ApiError> {
    let kept = app.ledger().switch(SERVED).await?;
    Ok(kept.map(serde_json::from_value).transpose()?.unwrap_or_default())
}

/// Schedules with the instant they are due at, soonest first. One that was never served counts from the last run.
async fn plan(app: &Shared, started: Timestamp) -> Result<Vec<(ScheduleConfig, Timestamp)>, ApiError> {
    let served = served(app).await?;
    let last = app.ledger().runs(1).await?.pop().map(|r| r.started_at);
    let project = app.project();
    let schedules = project.config.value.schedule.iter();
    let mut plan: Vec<_> =
        schedules.map(|s| (s.clone(), due(s, served.get(&s.name).copied().or(last), started))).collect();
    plan.sort_by_key(|(_, at)| *at);
    Ok(plan)
}

/// When the next run is due.
pub(crate) async fn next(app: &Shared, started: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    Ok(plan(app, started).await?.first().map(|(_, at)| *at))
}

/// What is due now: of several, the one that does most, because it serves others as well.
async fn due_now(app: &Shared, started: Timestamp) -> Result<Option<Order>, ApiError> {
    let (names, now) = (throughline_run::stage_names(), app.now());
    let plan = plan(app, started).await?;
    let chosen = plan
        .into_iter()
        .filter(|(_, at)| *at <= now)
        .max_by_key(|(s, at)| (reach(s.stage.as_ref(), s.from.as_ref(), &names).len(), std::cmp::Reverse(*at)));
    Ok(chosen.map(|(schedule, _)| {
        let by = format!("schedule `{}`", schedule.name);
        Order { by_id: by.clone(), by, stage: schedule.stage, from: schedule.from, waits: true }
    }))
}

/// Starts due runs until the server stops: those that approvals wait for, then those by the clock.
pub(crate) async fn keep(app: Shared) {
    let started = app.now();
    match waits_for_a_run(&app).await {
        Ok(Some(id)) => app.runner.want(Order::of_approval(&id), started),
        Ok(None) => {}
        Err(error) => tracing::warn!(error = %crate::problem::chain(&error), "the approvals could not be read"),
    }
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if app.runner.is_running() {
            continue;
        }
        let order = match app.runner.wanted(app.now()) {
            Some(order) => Ok(Some(order)),
            None => due_now(&app, started).await,
        };
        let begun = match order {
            Ok(None) => continue,
            Ok(Some(order)) => start(&app, order).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = begun {
            tracing::warn!(error = %crate::problem::chain(&error), "a due run did not start");
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
    }
}

/// A request that was approved and not carried out before the server ended.
async fn waits_for_a_run(app: &Shared) -> Result<Option<String>, ApiError> {
    for row in app.ledger().approvals(&[State::Approved.to_string().as_str()], None, 1000).await? {
        let approval = approvals::read(row)?;
        if approval.kind == throughline_govern::ApprovalKind::Policy {
            return Ok(Some(approval.id));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn schedule(every: u32, jitter: u32) -> ScheduleConfig {
        let every_minutes = NonZeroU32::new(every).unwrap_or(NonZeroU32::MIN);
        ScheduleConfig { name: "nightly".into(), every_minutes, jitter_minutes: jitter, stage: None, from: None }
    }

    #[test]
    fn a_schedule_waits_its_interval_and_at_most_its_jitter() {
        let started = Timestamp::from_micros(5);
        assert_eq!(due(&schedule(60, 0), None, started), started);
        let mut spread = std::collections::BTreeSet::new();
        for i in 0..200 {
            let last = Timestamp::from_micros(1_770_000_000_000_000 + i);
            let wait = due(&schedule(60, 10), Some(last), started).micros() - last.micros();
            assert!((60 * MINUTE_MICROS..70 * MINUTE_MICROS).contains(&wait), "{wait}");
            spread.insert(wait / MINUTE_MICROS);
        }
        assert_eq!(spread.len(), 10, "every minute of the jitter is used");
        assert_eq!(due(&schedule(60, 0), Some(started), started).micros(), 60 * MINUTE_MICROS + 5);
    }

    #[test]
    fn a_run_serves_the_schedules_whose_stages_it_goes_through() {
        let names = ["ingest", "features", "model", "decide"];
        let asked = |stage: Option<&str>, from: Option<&str>| ScheduleConfig {
            stage: stage.map(str::to_owned),
            from: from.map(str::to_owned),
            ..schedule(60, 0)
        };
        let order = |stage: Option<&str>, from: Option<&str>| Order {
            stage: stage.map(str::to_owned),
            from: from.map(str::to_owned),
            ..Order::default()
        };
        let full = order(None, None);
        for schedule in [asked(None, None), asked(None, Some("model")), asked(Some("ingest"), None)] {
            assert!(serves(&full, &schedule, &names), "{schedule:?}");
        }
        let scoring = order(None, Some("features"));
        assert!(serves(&scoring, &asked(None, Some("features")), &names));
        assert!(serves(&scoring, &asked(Some("model"), None), &names));
        assert!(!serves(&scoring, &asked(None, None), &names));
        assert!(!serves(&order(Some("model"), None), &asked(None, Some("model")), &names));
        assert!(serves(&order(Some("decide"), None), &asked(None, Some("decide")), &names), "the same stages");
    }
}

//! Runs by the clock: every so many minutes, with jitter, so that many installations do not knock on one door at once.

use std::time::Duration;

use sha2::{Digest, Sha256};
use throughline_core::Timestamp;
use throughline_run::project::ScheduleConfig;

use super::runner::{Order, start};
use crate::app::Shared;

const MINUTE_MICROS: i64 = 60_000_000;

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

/// The next schedule due, and when.
pub(crate) async fn next(app: &Shared, started: Timestamp) -> Option<(ScheduleConfig, Timestamp)> {
    let last = app.ledger().runs(1).await.ok()?.pop().map(|r| r.started_at);
    let project = app.project();
    let schedules = project.config.value.schedule.iter();
    schedules.map(|s| (s.clone(), due(s, last, started))).min_by_key(|(_, at)| *at)
}

/// Starts due runs until the server stops.
pub(crate) async fn keep(app: Shared) {
    let started = app.now();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if app.runner.is_running() {
            continue;
        }
        let Some((schedule, at)) = next(&app, started).await else { continue };
        if at > app.now() {
            continue;
        }
        let by = format!("schedule `{}`", schedule.name);
        let order = Order { by_id: by.clone(), by, stage: schedule.stage, from: schedule.from };
        if let Err(error) = start(&app, order).await {
            tracing::warn!(%error, "a scheduled run did not start");
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
    }
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
}

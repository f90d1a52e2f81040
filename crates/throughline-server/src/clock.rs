//! The present instant of the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use throughline_core::Timestamp;
use throughline_run::Clock;

/// The present instant.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The machine's clock.
pub fn system() -> Clock {
    Clock::new(now)
}

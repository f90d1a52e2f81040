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

/// This process as holder of a lease: its number and the name of its machine, for ledgers that machines share.
pub fn holder() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    let machine = name.map(|n| n.trim().to_owned()).filter(|n| !n.is_empty()).unwrap_or_else(|| "unnamed".to_owned());
    format!("pid:{}@{machine}", std::process::id())
}

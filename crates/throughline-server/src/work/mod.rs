//! What the server does besides answering: runs, schedules, telling browsers what changed, carrying out approvals.

pub(crate) mod apply;
pub(crate) mod hub;
pub(crate) mod requests;
pub(crate) mod runner;
pub(crate) mod schedule;
pub(crate) mod watch;

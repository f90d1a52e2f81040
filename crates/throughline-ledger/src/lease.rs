//! The lease: one writer at a time, and a fence that stops writers who lost it.

use std::time::Duration;

use throughline_core::Timestamp;

/// A granted lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Grows by one with every acquisition; each later write names it.
    pub fence: u64,
    /// Who holds it, for people and for the check whether the holder still lives (such as `host:pid`).
    pub holder: String,
    /// When it was acquired.
    pub acquired_at: Timestamp,
    /// From when on others may take it over.
    pub expires_at: Timestamp,
}

/// A wish to hold the lease.
#[derive(Debug, Clone, Copy)]
pub struct LeaseRequest<'a> {
    /// Who asks.
    pub holder: &'a str,
    /// The present instant.
    pub now: Timestamp,
    /// How long the lease lasts unless renewed.
    pub ttl: Duration,
    /// The fence of a lease whose holder the caller found dead. Exactly that lease may be taken over before it expires;
    /// naming the fence keeps two rescuers from robbing each other.
    pub dead: Option<u64>,
}

/// `now + ttl`, saturating.
pub(crate) fn expiry(now: Timestamp, ttl: Duration) -> Timestamp {
    now.plus_micros(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}

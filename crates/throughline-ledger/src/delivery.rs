//! Envelopes of deliveries. The rows and receipts live in the lake; the ledger makes each batch happen once.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde_json::Value;
use throughline_core::Timestamp;

use crate::LedgerError;

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeliveryStatus {
    /// Begun; whether it arrived is not known.
    Pending,
    /// The destination has it.
    Delivered,
    /// The destination refused it; the same key may be tried again.
    Failed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl fmt::Display for DeliveryStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DeliveryStatus {
    type Err = LedgerError;
    fn from_str(text: &str) -> Result<Self, LedgerError> {
        Self::ALL
            .into_iter()
            .find(|s| s.name() == text)
            .ok_or_else(|| LedgerError::Unreadable { what: "delivery status", detail: text.to_owned() })
    }
}

/// A batch about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// The same for every attempt to send this batch, different for every other batch.
    pub idempotency_key: &'a str,
    /// Where it goes.
    pub destination: &'a str,
    /// Hash of the rows.
    pub digest: &'a str,
    /// How many rows.
    pub row_count: u64,
    /// Anything worth keeping: contract version, route, policy version.
    pub details: &'a Value,
    /// The present instant.
    pub now: Timestamp,
}

/// The envelope of a delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delivery {
    /// The key of the batch.
    pub idempotency_key: String,
    /// Where it goes.
    pub destination: String,
    /// How it stands.
    pub status: DeliveryStatus,
    /// Hash of the rows.
    pub digest: String,
    /// How many rows.
    pub row_count: u64,
    /// What was kept at the beginning, replaced by what was kept at completion.
    pub details: Value,
    /// How often it was begun: 1, and one more for each retry after a failure.
    pub attempts: u32,
    /// When it was first begun.
    pub created_at: Timestamp,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// The answer to beginning a delivery.
#[derive(Debug, Clone, PartialEq)]
pub enum DeliveryStart {
    /// Send it: the key is new, or its last attempt failed.
    Send(Delivery),
    /// The key is known and pending or delivered: look before sending again.
    Existing(Delivery),
}

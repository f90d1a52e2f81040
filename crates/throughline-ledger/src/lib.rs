#![doc = include_str!("../README.md")]

mod error;

mod lease;

mod run;

mod publication;

mod artefact;

mod delivery;

mod audit;

mod repository;

mod sqlite;

pub use artefact::{Artefact, EvidenceRecord, NewArtefact};
pub use audit::{AuditCheck, AuditEntry, AuditFault, AuditRecord, Hash};
pub use delivery::{Delivery, DeliveryStart, DeliveryStatus, NewDelivery};
pub use error::LedgerError;
pub use lease::{Lease, LeaseRequest};
pub use publication::{FingerprintRecord, Publication, Published};
pub use repository::{Answer, Repository};
pub use run::{NewRun, RunRecord, RunStatus};
pub use sqlite::SqliteLedger;

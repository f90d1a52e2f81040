#![doc = include_str!("../README.md")]

mod error;

mod lease;

mod run;

mod publication;

mod artefact;

mod delivery;

mod evidence;

mod audit;

mod people;

mod approval;

mod repository;

mod sqlite;

mod postgres;

mod place;

mod convert;

pub use approval::{ApprovalRow, ApprovalStore};
pub use artefact::{Artefact, NewArtefact};
pub use audit::{
    AuditCheck, AuditEntry, AuditFault, AuditKey, AuditRecord, ConsistencyProof, Hash, InclusionProof, PublicKey,
    SignedHead, TreeHead, check_records, empty_root, node_hash, verify_consistency, verify_inclusion,
};
pub use delivery::{Delivery, DeliveryStart, DeliveryStatus, NewDelivery};
pub use error::LedgerError;
pub use evidence::{EvidenceNote, EvidenceRecord, NewEvidenceNote};
pub use lease::{Lease, LeaseRequest};
pub use people::{ApiToken, PeopleStore, Session, User};
pub use place::LedgerPlace;
pub use postgres::PostgresLedger;
pub use publication::{FingerprintRecord, Publication, Published};
pub use repository::{Answer, AuditFilter, AuditLog, Repository};
pub use run::{NewRun, RunRecord, RunStatus};
pub use sqlite::SqliteLedger;
pub use throughline_postgres::{AddressError, PostgresAddress};

//! The ledger's promises. `suite` holds for every database; `sqlite` adds what is particular to a file,
//! `postgres` what is particular to a server.

mod people;
mod postgres;
mod sqlite;
mod suite;

/// Shortens the signatures of tests.
type Outcome = Result<(), Box<dyn std::error::Error>>;

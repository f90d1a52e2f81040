//! The ledger's promises. `suite` holds for every database; `sqlite` adds what is particular to a file.

mod people;
mod sqlite;
mod suite;

/// Shortens the signatures of tests.
type Outcome = Result<(), Box<dyn std::error::Error>>;

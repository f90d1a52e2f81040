//! The server's promises, over real connections.

mod access;
mod audit;
mod contract;
mod hardening;
mod house;
mod matrix;
mod oidc;
mod openapi;
mod pages;
mod schedules;
mod traces;
mod whole;

/// Shortens the signatures of tests.
type Outcome = Result<(), Box<dyn std::error::Error>>;

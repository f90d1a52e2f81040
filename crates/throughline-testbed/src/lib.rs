#![doc = include_str!("../README.md")]

mod postgres;

mod programs;

pub use postgres::{PostgresServer, Setup};
pub use programs::TestbedError;

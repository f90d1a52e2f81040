#![doc = include_str!("../README.md")]

mod address;

mod connect;

mod parameters;

pub use address::{AddressError, PostgresAddress};
pub use connect::ConnectError;

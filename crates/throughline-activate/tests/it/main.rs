//! Deliveries over small lakes and vaults in temporary folders.

mod config;
mod conservation;
mod crash;
mod delivery;
mod formats;
mod world;

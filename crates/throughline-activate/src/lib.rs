#![doc = include_str!("../README.md")]

mod error;

pub mod diagnostics;

mod config;

mod destination;

mod destinations;

mod registry;

mod route;

mod people;

mod fate;

mod batch;

mod prior;

mod part;

mod rows;

mod report;

mod deliver;

pub use config::{DestinationConfig, Fields, OnStale};
pub use deliver::{ActivateOutcome, Job, PlanOutcome, plan, send};
pub use destination::{
    Acknowledged, Adapter, Batch, BatchHead, Column, ColumnType, Deletion, Destination, Prepared, Receipt, Site,
};
pub use destinations::file::{Envelope, FileDrop, FileOptions, Format};
pub use error::ActivateError;
pub use fate::Reason;
pub use people::{People, Persons};
pub use prior::Prior;
pub use registry::{ADAPTERS, Entry};
pub use report::{ActivateReport, DeliveryPlan, Fates, PlannedBatch};
pub use route::Route;

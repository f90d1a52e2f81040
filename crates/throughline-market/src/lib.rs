#![doc = include_str!("../README.md")]

pub mod scenario;

pub mod diagnostics;

mod check;

mod demo;

mod plan;

mod noise;

mod channel;

mod arm;

mod person;

mod exposure;

mod response;

mod outcomes;

mod world;

mod truth;

mod score;

mod tables;

mod vendor;

mod truth_files;

mod project;

mod error;

#[cfg(test)]
mod statistical_tests;

pub use arm::{Arm, UnknownAction};
pub use channel::{Campaign, Channel, Touch, UnknownChannel};
pub use error::MarketError;
pub use outcomes::{Call, Return, Session, SignUp};
pub use person::{Permissions, Person, Segment};
pub use project::{read_truth, write_project_data};
pub use response::Purchase;
pub use scenario::Scenario;
pub use score::{PolicyScore, score_policy, score_policy_at};
pub use tables::DataFile;
pub use truth::{ChannelTruth, Moment, Outlook, PersonTruth, Truth};
pub use vendor::{VENDORS, VendorFile};
pub use world::{Life, World};

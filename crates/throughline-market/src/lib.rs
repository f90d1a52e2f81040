#![doc = include_str!("../README.md")]

pub mod scenario;

pub mod diagnostics;

mod check;

mod check_designs;

mod locate;

mod presets;

mod demo;

mod plan;

mod noise;

mod forms;

mod channel;

mod arm;

mod person;

mod exposure;

mod interventions;

mod incidents;

mod bots;

mod survey;

mod response;

mod outcomes;

mod world;

mod truth;

mod effects;

mod period_truth;

mod designs;

mod incident_truth;

mod curves;

mod touch_truth;

mod score;

mod tables;

mod canonical;

mod vendor;

mod truth_files;

mod project;

mod closed_loop;

mod error;

#[cfg(test)]
mod design_tests;

#[cfg(test)]
mod people_tests;

#[cfg(test)]
mod statistical_tests;

pub use arm::{Arm, UnknownAction};
pub use canonical::{Written, write_events};
pub use channel::{Campaign, Channel, Touch, UnknownChannel};
pub use closed_loop::{Delivery, LoopWorth, Standing, Step};
pub use curves::CurvePoint;
pub use designs::DesignTruth;
pub use effects::Effects;
pub use error::MarketError;
pub use forms::{Carryover, Saturation};
pub use incident_truth::IncidentTruth;
pub use incidents::{Fault, IncidentSpec};
pub use interventions::{GeoTestSpec, InterventionSpec, LotterySpec, OutreachSpec, RolloutSpec, VoucherSpec, WaveSpec};
pub use locate::locate;
pub use outcomes::{Call, Return, Session, SignUp};
pub use period_truth::PeriodTruth;
pub use person::{Permissions, Person, Segment};
pub use presets::{PRESETS, Preset};
pub use project::{read_truth, write_project_data, write_vendors};
pub use response::Purchase;
pub use scenario::Scenario;
pub use score::{PolicyScore, score_policy, score_policy_at};
pub use tables::DataFile;
pub use touch_truth::TouchTruth;
pub use truth::{ChannelTruth, Moment, Outlook, PersonTruth, Truth};
pub use vendor::{VENDORS, VendorFile};
pub use world::{Life, Sent, Source, World};

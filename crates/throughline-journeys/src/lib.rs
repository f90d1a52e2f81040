#![doc = include_str!("../README.md")]

mod error;

mod rules;

mod segments;

mod report;

mod bucket;

mod rows;

mod chunks;

mod build;

mod exec;

mod step;

pub use bucket::TIMELINE_COLUMNS;
pub use build::{Split, output_schema};
pub use error::JourneyError;
pub use exec::{JourneysExec, TIMELINE_ORDER};
pub use report::JourneyReport;
pub use rules::JourneyRules;
pub use segments::SegmentConfig;
pub use step::{JourneyInput, JourneyOutcome, journeys};
pub use throughline_paths::{ConversionConfig, JourneyConfig, config_id};

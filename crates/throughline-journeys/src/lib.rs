#![doc = include_str!("../README.md")]

mod error;

mod bucket;

mod rows;

mod step;

pub use error::JourneyError;
pub use step::{JourneyInput, JourneyOutcome, JourneyReport, journeys};
pub use throughline_paths::{ConversionConfig, JourneyConfig, config_id};

#![doc = include_str!("../README.md")]

mod config;

mod error;

mod build;

mod rows;

mod step;

pub use build::{Journey, Rule, Signal, SignalKind, build};
pub use config::{ConversionConfig, JourneyConfig, NullJourneys, TouchUnit, Transform};
pub use error::JourneyError;
pub use step::{JourneyInput, JourneyOutcome, JourneyReport, journeys};

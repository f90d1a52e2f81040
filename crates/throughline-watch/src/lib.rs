#![doc = include_str!("../README.md")]

mod error;

mod metric;

mod detector;

mod detectors;

mod registry;

mod watched;

mod measure;

mod history;

mod note;

mod report;

mod observe;

pub use detector::{Component, Detector, Judgement, Series};
pub use detectors::median_mad::{MedianMad, MedianMadParams};
pub use error::WatchError;
pub use metric::{Floor, Metric, Noise, Observation, Worse};
pub use observe::{WatchInput, WatchOutcome, observe};
pub use registry::{DETECTORS, Entry, detector};
pub use report::{HealthRow, Status, WatchReport};

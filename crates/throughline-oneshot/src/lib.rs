#![doc = include_str!("../README.md")]

pub mod answer;

pub mod assign;

pub mod attribute;

pub mod command;

pub mod coverage;

pub mod credit_truth;

pub mod design;

pub mod diagnostics;

pub mod effect;

pub mod error;

pub mod experiment;

pub mod files;

pub mod geo;

pub mod iv;

pub mod journeys;

pub mod panel;

pub mod power;

pub mod rd;

pub mod record;

pub mod switchback;

pub mod touchpoint;

pub mod uplift;

pub mod verify;

pub mod yaml;

pub use answer::Answer;
pub use command::OneShotCommand;
pub use error::OneShotError;
pub use verify::{Check, Group};

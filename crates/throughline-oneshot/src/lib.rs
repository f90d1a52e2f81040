#![doc = include_str!("../README.md")]

pub mod answer;

pub mod command;

pub mod coverage;

pub mod diagnostics;

pub mod effect;

pub mod error;

pub mod experiment;

pub mod design;

pub mod assign;

pub mod switchback;

pub mod power;

pub mod yaml;

pub mod files;

pub mod geo;

pub mod panel;

pub mod record;
pub mod iv;

pub mod rd;

pub mod verify;

pub use answer::Answer;
pub use command::OneShotCommand;
pub use error::OneShotError;
pub use verify::{Check, Group};

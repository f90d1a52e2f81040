#![doc = include_str!("../README.md")]

pub mod answer;

pub mod diagnostics;

pub mod effect;

pub mod error;

pub mod experiment;

pub mod files;

pub mod verify;

pub use answer::Answer;
pub use error::OneShotError;
pub use verify::{Check, Group};

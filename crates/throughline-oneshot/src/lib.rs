#![doc = include_str!("../README.md")]

pub mod answer;

pub mod diagnostics;

pub mod error;

pub mod experiment;

pub mod files;

pub mod iv;

pub mod rd;

pub mod verify;

pub use answer::Answer;
pub use error::OneShotError;
pub use verify::{Check, Group};

#![doc = include_str!("../README.md")]

pub mod answer;

pub mod diagnostics;

pub mod error;

pub mod experiment;

pub mod design;

pub mod assign;

pub mod switchback;

pub mod power;

pub mod yaml;

pub mod files;

pub mod verify;

pub use answer::Answer;
pub use error::OneShotError;
pub use verify::{Check, Group};

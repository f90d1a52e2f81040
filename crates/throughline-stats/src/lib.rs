#![doc = include_str!("../README.md")]

pub mod dist;

pub mod sum;

pub mod stream;

pub mod moments;

pub mod noncentral;

pub mod proportion;

pub mod survey;

pub mod quantile;

pub mod two_sample;

pub mod goodness;

pub mod logistic;

pub mod sparse_logistic;

pub mod chain;

pub mod parallel;

pub mod linalg;

pub mod ols;

pub mod hac;

pub mod partial;

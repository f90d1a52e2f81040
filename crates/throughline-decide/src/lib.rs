#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod policy;

mod check;

mod candidate;

mod feasible;

mod hull;

mod allocate;

mod explore;

mod plan;

mod decision;

mod ope;

pub use allocate::{Allocation, Allocator, Certificate, MAX_MICROS, Offer};
pub use candidate::{ActionView, Candidate};
pub use check::check_policy;
pub use decision::{Decision, DecisionArm, Ranked, Rationale, RationaleCode};
pub use error::DecideError;
pub use ope::{Logged, PairedLogged, ValueDifference, ValueEstimate, policy_difference, policy_value};
pub use plan::{Cycle, Decisions, Plan, PlanSummary, Planner, decide};
pub use policy::{Action, ActionKind, Constraints, FrequencyCap, Objective, Policy};

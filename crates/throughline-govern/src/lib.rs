#![doc = include_str!("../README.md")]

pub mod diagnostics;

mod error;

mod name;

mod role;

mod entities;

mod guard;

mod facts;

mod rule;

mod requirement;

mod text;

mod vote;

mod approval;

pub use approval::{Approval, Comment, NewApproval, State, Step};
pub use error::{ApprovalError, GovernError};
pub use facts::{ApprovalKind, Facts, PolicyFacts};
pub use guard::{Access, Guard, PUBLIC, Resource};
pub use requirement::{Needs, Requirement, Terms, rules_for};
pub use role::{Principal, Role, Scope, SignOff};
pub use rule::Rule;
pub use text::{MAX_TEXT, MAX_TITLE};
pub use vote::{Ballot, Choice, Vote};

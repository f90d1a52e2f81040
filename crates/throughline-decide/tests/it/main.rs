//! Policies, allocation, planning and off-policy evaluation.

mod allocate;
mod ope;
mod plan;
mod policy;
mod support;

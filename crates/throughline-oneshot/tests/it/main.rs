//! Commands as a user gives them.

mod effect;

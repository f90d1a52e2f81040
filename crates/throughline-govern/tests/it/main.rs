//! Access by role, by scope and by request; votes in any order.

mod matrix;
mod properties;
mod requests;
mod scopes;
mod support;

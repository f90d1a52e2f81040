//! The binary as people use it.

#![expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]

mod bad_input;
mod consent;
mod erase;
mod identity;
mod kills;
mod link;
mod market;
mod one_shot;
mod postgres;
mod serve;
mod snowplow;
mod support;
mod vendors;
mod whole_line;

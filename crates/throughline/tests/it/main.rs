//! The binary as people use it.

#![expect(clippy::print_stderr, reason = "a test that checks nothing must say so")]

mod attribution;
mod bad_input;
mod check;
mod consent;
mod elsewhere;
mod erase;
mod evidence;
mod experiments;
mod hostile;
mod identity;
mod kills;
mod link;
mod market;
mod one_shot;
mod postgres;
mod quarantine;
mod serve;
mod snowplow;
mod sources;
mod support;
mod vendors;
mod whole_line;

//! The binary as people use it.

mod bad_input;
mod kills;
mod one_shot;
mod support;
mod whole_line;

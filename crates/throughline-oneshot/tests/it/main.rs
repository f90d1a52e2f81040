//! Tests of the commands as a shell calls them.

mod iv;
mod rd;

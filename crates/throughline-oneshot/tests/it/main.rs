//! Tests of the commands as their users see them.

mod did;
mod series;
mod synth;
//! Tests of the commands as a shell calls them.

mod iv;
mod rd;
//! Commands as their users see them: flags in, JSON and text out.

mod experiment;
//! Commands as their users run them.

mod design;
mod verify_sequential;
//! Commands as a user gives them.

mod effect;

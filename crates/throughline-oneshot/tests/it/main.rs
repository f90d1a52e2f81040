//! Tests of the commands as their users see them.

mod attribute;
mod design;
mod did;
mod effect;
mod experiment;
mod iv;
mod rd;
mod series;
mod synth;
mod verify_sequential;

//! Tests of the commands as their users see them.

mod attribute;
mod design;
mod did;
mod effect;
mod experiment;
mod iv;
mod journeys;
mod rd;
mod series;
mod synth;
mod touchpoint;
mod uplift;
mod verify_attribution;
mod verify_sequential;

//! Tests of the commands as their users see them.

mod did;
mod series;
mod synth;

//! The one-shot commands as their users run them.

mod did;
//! Tests of the commands as their users see them.

mod synth;
//! Tests of the commands as their users see them.

mod series;

//! Tests of the commands as their users see them.

mod series;

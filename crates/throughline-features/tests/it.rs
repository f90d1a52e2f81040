//! What features see and what labels count, on a small lake.

mod consent;
mod labels;
mod line;
mod seen;

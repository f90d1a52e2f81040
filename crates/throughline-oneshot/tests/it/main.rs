//! Commands as their users run them.

mod design;
mod verify_sequential;

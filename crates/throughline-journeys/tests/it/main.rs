//! The operator on the engine.

mod exec;
mod timeline;

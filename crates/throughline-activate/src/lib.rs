//! The activate stage.

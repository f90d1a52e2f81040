//! The watch stage.

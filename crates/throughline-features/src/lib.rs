//! The features stage.

//! The identity stage.

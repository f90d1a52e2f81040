//! The journeys stage.

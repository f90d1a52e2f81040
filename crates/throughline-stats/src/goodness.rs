//! goodness.

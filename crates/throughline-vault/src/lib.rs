//! Sealed raw identifiers and the random tokens that stand for them.

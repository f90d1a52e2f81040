//! Randomness for keys and nonces: the one place of the workspace that asks the operating system for it.

use std::fmt;

use crate::VaultError;

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills the buffer. Bytes must never repeat: they become keys and nonces.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), VaultError>;
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), VaultError> {
        getrandom::fill(buffer).map_err(|e| VaultError::Entropy { detail: e.to_string() })
    }
}

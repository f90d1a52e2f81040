#![doc = include_str!("../README.md")]

mod aead;

mod error;

mod entropy;

mod key;

mod seal;

mod store;

mod vault;

mod tokenise;

mod intake;

mod reveal;

mod note;

mod erase;

pub use entropy::{Entropy, OsEntropy};
pub use error::VaultError;
pub use intake::Intake;
pub use key::{KeySource, MasterKey};
pub use reveal::{OpenFor, Opening, RawIdentifier, Revealed};
pub use tokenise::Tokenised;
pub use vault::{Vault, VaultStats};

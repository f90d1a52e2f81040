//! Identifiers: what kind they are, the random tokens that stand for them in the lake, and people.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What an identifier identifies. The raw value lives only in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum IdentifierKind {
    /// E-mail address.
    Email,
    /// Phone number.
    Phone,
    /// Device id.
    Device,
    /// Browser cookie or first-party visitor id.
    Cookie,
    /// Customer number of the CRM.
    Crm,
    /// Loyalty card.
    Loyalty,
    /// Advertising click id (gclid, fbclid, …).
    ClickId,
    /// A record known only within its own source (a row of a file).
    Record,
}

impl IdentifierKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 8] =
        [Self::Email, Self::Phone, Self::Device, Self::Cookie, Self::Crm, Self::Loyalty, Self::ClickId, Self::Record];

    /// The name used in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Device => "device",
            Self::Cookie => "cookie",
            Self::Crm => "crm",
            Self::Loyalty => "loyalty",
            Self::ClickId => "click_id",
            Self::Record => "record",
        }
    }

    /// The form in which two spellings of one identifier are equal: trimmed, e-mails in lower case, phones as digits
    /// with a leading plus where one was given. `None` when nothing is left.
    pub fn normalise(self, raw: &str) -> Option<String> {
        let trimmed = raw.trim();
        let normal = match self {
            Self::Email => trimmed.to_lowercase(),
            Self::Phone => {
                let digits: String = trimmed.chars().filter(char::is_ascii_digit).collect();
                if digits.is_empty() {
                    String::new()
                } else if trimmed.starts_with('+') {
                    format!("+{digits}")
                } else {
                    digits
                }
            }
            _ => trimmed.to_owned(),
        };
        (!normal.is_empty()).then_some(normal)
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is none of the known identifier kinds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown identifier kind `{name}` (known: email, phone, device, cookie, crm, loyalty, click_id, record)")]
pub struct UnknownIdentifierKind {
    /// What was given.
    pub name: String,
}

impl FromStr for IdentifierKind {
    type Err = UnknownIdentifierKind;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownIdentifierKind { name: text.to_owned() })
    }
}

/// A text that is not 32 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id (expected 32 hexadecimal digits)")]
pub struct BadId {
    /// What was given.
    pub text: String,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let mut bytes = [0_u8; 16];
                hex::decode_to_slice(text.trim(), &mut bytes)
                    .map_err(|_| BadId { text: text.chars().take(40).collect() })?;
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id_type!(
    /// A random 128-bit stand-in for one identifier. Nothing about the identifier can be computed from it.
    SubjectToken
);
id_type!(
    /// A person: 128 bits, stable across runs while the evidence about the person does not change.
    PersonId
);

impl PersonId {
    /// The person founded by a token: the first 128 bits of SHA-256 over a fixed prefix and the token.
    pub fn founded_by(token: SubjectToken) -> Self {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(b"throughline person v1");
        hash.update(token.0);
        let digest = hash.finalize();
        let mut id = [0_u8; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }

    /// The bucket of this person among `buckets` (its first 32 bits, big endian, modulo the count).
    pub fn bucket(self, buckets: u32) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]) % buckets.max(1)
    }

    /// A uniform number in [0, 1) from this person and a salt: the same for ever, independent between salts.
    pub fn unit_interval(self, salt: &str) -> f64 {
        Salted::new(salt).unit_interval(&self.0)
    }
}

/// Draws that depend on nothing but a salt and an identifier: the same for ever and in every program, independent between
/// salts. The draw is SHA-256(salt ‖ 0x00 ‖ id), its first 53 bits over 2⁵³.
#[derive(Debug, Clone)]
pub struct Salted(sha2::Sha256);

impl Salted {
    /// The draws of a salt; the salt is hashed once.
    pub fn new(salt: &str) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::new().chain_update(salt.as_bytes()).chain_update([0]))
    }

    /// The first 64 bits of the hash of the salt and `id`, big endian.
    pub fn word(&self, id: &[u8]) -> u64 {
        use sha2::Digest;
        let digest = self.0.clone().chain_update(id).finalize();
        let mut head = [0_u8; 8];
        head.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(head)
    }

    /// A uniform number in [0, 1) of `id`.
    pub fn unit_interval(&self, id: &[u8]) -> f64 {
        (self.word(id) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_normalise() {
        assert_eq!(IdentifierKind::Email.normalise(" A@B.example "), Some("a@b.example".into()));
        assert_eq!(IdentifierKind::Phone.normalise("+49 (30) 12-3"), Some("+4930123".into()));
        assert_eq!(IdentifierKind::Phone.normalise("n/a"), None);
        assert_eq!(IdentifierKind::Cookie.normalise("  "), None);
    }

    #[test]
    fn kinds_round_trip() {
        for kind in IdentifierKind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("mail".parse::<IdentifierKind>().is_err());
    }

    #[test]
    fn salted_units_are_uniform_and_independent() {
        let people: Vec<_> = (0..4000_u32)
            .map(|i| {
                let mut token = [0_u8; 16];
                token[..4].copy_from_slice(&i.to_be_bytes());
                PersonId::founded_by(SubjectToken(token))
            })
            .collect();
        let both = people.iter().filter(|p| p.unit_interval("a") < 0.5 && p.unit_interval("b") < 0.5).count();
        // Binomial(4000, 1/4): sd 27.4, so 140 is beyond five sigma.
        assert!((860..1140).contains(&both), "{both}");
    }
}

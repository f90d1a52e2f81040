//! Base64url text read bit by bit, as TCF and GPP strings are.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::SignalError;

const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Reads fields, most significant bit first.
#[derive(Debug, Clone)]
pub(super) struct Bits {
    what: &'static str,
    bytes: Vec<u8>,
    at: usize,
    end: usize,
}

impl Bits {
    /// Decodes a text: each character carries six bits. Lengths that base64 proper does not have (one character more than a
    /// multiple of four) occur in GPP strings, which pad to six bits; zero bits after the end make them whole.
    pub(super) fn decode(text: &str, what: &'static str) -> Result<Self, SignalError> {
        // Some tools write the padding that the specifications leave out.
        let text = text.trim_end_matches('=');
        let mut whole = text.to_owned();
        whole.extend(std::iter::repeat_n('A', (4 - text.len() % 4) % 4));
        let bytes = BASE64URL.decode(&whole).map_err(|_| SignalError::Encoding { what })?;
        Ok(Self { what, bytes, at: 0, end: text.len() * 6 })
    }

    /// The next `width` bits (at most 36 are asked for) as a number.
    pub(super) fn number(&mut self, field: &'static str, width: usize) -> Result<u64, SignalError> {
        let until = self.at + width;
        if until > self.end {
            return Err(SignalError::TooShort { what: self.what, field, bits: self.end });
        }
        let bit = |at: usize| u64::from(self.bytes[at / 8] >> (7 - at % 8) & 1);
        let value = (self.at..until).fold(0, |value, at| value << 1 | bit(at));
        self.at = until;
        Ok(value)
    }

    /// The next bit.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<bool, SignalError> {
        Ok(self.number(field, 1)? == 1)
    }

    /// The next at most 16 bits.
    pub(super) fn short(&mut self, field: &'static str, width: usize) -> Result<u16, SignalError> {
        Ok(u16::try_from(self.number(field, width.min(16))?).unwrap_or(u16::MAX))
    }

    /// The next number in Fibonacci coding: bit i stands for the i-th of 1, 2, 3, 5, …; a second 1 in a row ends it.
    pub(super) fn fibonacci(&mut self, field: &'static str) -> Result<u32, SignalError> {
        let (mut weight, mut next) = (1_u32, 2_u32);
        let (mut sum, mut before) = (0_u32, false);
        loop {
            let bit = self.flag(field)?;
            if bit && before {
                return Ok(sum);
            }
            if bit {
                sum = sum.saturating_add(weight);
            }
            before = bit;
            (weight, next) = (next, weight.saturating_add(next));
        }
    }
}

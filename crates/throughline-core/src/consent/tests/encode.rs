//! Encoders of the tests, written from the specifications and sharing nothing with the decoders: they build texts of zeros
//! and ones and cut them into characters.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Zeros and ones → base64url, padded with zeros to six bits.
pub(super) fn base64url(bits: &str) -> String {
    let padded = format!("{bits}{}", "0".repeat((6 - bits.len() % 6) % 6));
    padded
        .as_bytes()
        .chunks(6)
        .map(|six| {
            let text = std::str::from_utf8(six).expect("digits");
            char::from(ALPHABET[usize::from_str_radix(text, 2).expect("binary")])
        })
        .collect()
}

/// A number of so many bits.
pub(super) fn int(value: u64, width: usize) -> String {
    format!("{value:0width$b}")
}

/// A set of numbers from 1 up as a bit field.
pub(super) fn field(members: &[u16], width: u16) -> String {
    (1..=width).map(|n| if members.contains(&n) { '1' } else { '0' }).collect()
}

/// A number in Fibonacci coding (greedy, largest term first, then reversed and closed by a 1).
pub(super) fn fibonacci(number: u32) -> String {
    let mut terms = vec![1, 2];
    while terms[terms.len() - 1] <= number {
        terms.push(terms[terms.len() - 1] + terms[terms.len() - 2]);
    }
    let mut rest = number;
    let mut digits = String::new();
    for term in terms.iter().rev() {
        let taken = *term <= rest;
        if taken {
            rest -= term;
        }
        if taken || !digits.is_empty() {
            digits.push(if taken { '1' } else { '0' });
        }
    }
    digits.chars().rev().chain(['1']).collect()
}

/// A TC string in parts.
#[derive(Debug, Clone)]
pub(super) struct Tcf {
    pub(super) service_specific: bool,
    pub(super) consents: Vec<u16>,
    pub(super) interests: Vec<u16>,
    pub(super) purpose_one_not_asked: bool,
    pub(super) vendors: Vec<u16>,
    pub(super) interest_vendors: Vec<u16>,
    /// (purpose, type, vendors from, to)
    pub(super) restrictions: Vec<(u64, u64, u64, u64)>,
}

impl Default for Tcf {
    fn default() -> Self {
        Self {
            service_specific: true,
            consents: Vec::new(),
            interests: Vec::new(),
            purpose_one_not_asked: false,
            vendors: Vec::new(),
            interest_vendors: Vec::new(),
            restrictions: Vec::new(),
        }
    }
}

impl Tcf {
    /// Vendors with consent as a bit field, vendors with an interest as ranges, so that both forms are read.
    pub(super) fn text(&self) -> String {
        let seconds = 17_672_544_000_u64;
        let mut bits =
            [(2, 6), (seconds, 36), (seconds + 600, 36), (31, 12), (640, 12), (1, 6), (4, 6), (13, 6), (126, 12)]
                .iter()
                .map(|(value, width)| int(*value, *width))
                .collect::<String>();
        bits += &int(4, 6);
        bits += if self.service_specific { "10" } else { "00" };
        bits += &field(&[2], 12);
        bits += &field(&self.consents, 24);
        bits += &field(&self.interests, 24);
        bits += if self.purpose_one_not_asked { "1" } else { "0" };
        bits += &format!("{}{}", int(3, 6), int(4, 6));
        let most = self.vendors.iter().copied().max().unwrap_or(0);
        bits += &format!("{}0{}", int(most.into(), 16), field(&self.vendors, most));
        let most = self.interest_vendors.iter().copied().max().unwrap_or(0);
        bits += &format!("{}1{}", int(most.into(), 16), int(self.interest_vendors.len() as u64, 12));
        for vendor in &self.interest_vendors {
            bits += &format!("0{}", int((*vendor).into(), 16));
        }
        bits += &int(self.restrictions.len() as u64, 12);
        for (purpose, kind, from, to) in &self.restrictions {
            bits += &format!("{}{}{}1{}{}", int(*purpose, 6), int(*kind, 2), int(1, 12), int(*from, 16), int(*to, 16));
        }
        base64url(&bits)
    }
}

/// A GPP header for sections in rising order, each an entry of its own.
pub(super) fn gpp_header(ids: &[u32]) -> String {
    let mut bits = format!("{}{}{}", int(3, 6), int(1, 6), int(ids.len() as u64, 12));
    let mut last = 0;
    for id in ids {
        bits += &format!("0{}", fibonacci(id - last));
        last = *id;
    }
    base64url(&bits)
}

/// A section of the United States: version, so many notices, the opt-outs, and a few fields more.
pub(super) fn us(version: u64, notices: usize, opt_outs: &[u64]) -> String {
    let twos: String = opt_outs.iter().map(|value| int(*value, 2)).collect();
    base64url(&format!("{}{}{twos}{}", int(version, 6), "01".repeat(notices), "0".repeat(30)))
}

//! IAB Europe Transparency and Consent Framework: the core segment of a TC string, version 2.
//!
//! Source: IAB Tech Lab, "Consent string and vendor list formats v2" (TCF 2.2), CC-BY 3.0.

use super::bits::Bits;
use super::{Basis, Purpose, Signal, SignalError, Stance};
use crate::Timestamp;

const WHAT: &str = "the TC string";
/// Purpose 1, storing and reading on a device, which other purposes rest on.
const STORAGE: u8 = 1;
/// Purposes a legitimate interest may serve: not storage (1), and since version 2.2 not profiles and what is chosen by them
/// (3 to 6).
const INTEREST_MAY_SERVE: [u8; 6] = [2, 7, 8, 9, 10, 11];
/// TCF purposes that each purpose of ours needs, all of them. Linking people and writing to them are not among TCF's
/// purposes: a TC string is silent about both.
const NEEDS: [(Purpose, &[u8]); 3] = [
    (Purpose::Measurement, &[STORAGE, 7]),
    (Purpose::Advertising, &[STORAGE, 2, 3, 4]),
    (Purpose::Personalisation, &[STORAGE, 5, 6]),
];

/// What a publisher restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestrictionKind {
    /// The purpose is flatly not allowed.
    NotAllowed,
    /// Only with consent.
    RequireConsent,
    /// Only by legitimate interest.
    RequireLegitimateInterest,
}

/// A publisher restriction: what vendors may not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restriction {
    /// The TCF purpose.
    pub purpose: u8,
    /// What is restricted; `None` for the undefined value 3, which forbids.
    pub kind: Option<RestrictionKind>,
    /// The vendors, as ranges.
    pub vendors: VendorSet,
}

/// Vendors as ranges of ids, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VendorSet(Vec<(u16, u16)>);

impl VendorSet {
    /// Whether a vendor is in it.
    pub fn contains(&self, vendor: u16) -> bool {
        self.0.iter().any(|&(from, to)| (from..=to).contains(&vendor))
    }

    /// How many vendors are in it, when ranges do not overlap.
    pub fn len(&self) -> usize {
        self.0.iter().map(|&(from, to)| usize::from(to - from) + 1).sum()
    }

    /// Whether no vendor is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn read(bits: &mut Bits, field: &'static str) -> Result<Self, SignalError> {
        let most = bits.short(field, 16)?;
        if bits.flag(field)? {
            return Self::read_ranges(bits, field);
        }
        let mut set = Self::default();
        for vendor in 1..=most {
            if bits.flag(field)? {
                match set.0.last_mut() {
                    Some((_, to)) if *to + 1 == vendor => *to = vendor,
                    _ => set.0.push((vendor, vendor)),
                }
            }
        }
        Ok(set)
    }

    fn read_ranges(bits: &mut Bits, field: &'static str) -> Result<Self, SignalError> {
        let mut set = Self::default();
        for _ in 0..bits.short(field, 12)? {
            let is_range = bits.flag(field)?;
            let from = bits.short(field, 16)?;
            let to = if is_range { bits.short(field, 16)? } else { from };
            if from > to || from == 0 {
                let found = u32::from(from);
                return Err(SignalError::Value {
                    what: WHAT,
                    field,
                    found,
                    expected: "ranges that begin at 1 and rise",
                });
            }
            set.0.push((from, to));
        }
        Ok(set)
    }
}

/// The core segment of a TC string. Purposes are bits from 1 up: bit 0 of the number is purpose 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TcString {
    /// When it was first made.
    pub created: Timestamp,
    /// When it was last changed.
    pub last_updated: Timestamp,
    /// Consent management platform and its version.
    pub cmp: (u16, u16),
    /// Two letters of the language of the dialogue.
    pub language: String,
    /// Version of the vendor list.
    pub vendor_list_version: u16,
    /// Version of the policy (4 is TCF 2.2).
    pub policy_version: u8,
    /// Whether it is for one site or group of sites only, as every valid string is today.
    pub is_service_specific: bool,
    /// Special features opted in.
    pub special_features: u32,
    /// Purposes consented to.
    pub consents: u32,
    /// Purposes with a legitimate interest made known and not objected to.
    pub interests: u32,
    /// Whether purpose 1 was not asked for, where the law of the publisher does not demand it.
    pub purpose_one_not_asked: bool,
    /// Two letters of the publisher's country.
    pub publisher_country: String,
    /// Vendors consented to.
    pub vendor_consents: VendorSet,
    /// Vendors with a legitimate interest.
    pub vendor_interests: VendorSet,
    /// Publisher restrictions.
    pub restrictions: Vec<Restriction>,
}

impl TcString {
    /// Reads the core segment. Segments after the first `.` (disclosed vendors, publisher purposes) are not read.
    pub fn parse(text: &str) -> Result<Self, SignalError> {
        let core = text.trim().split('.').next().unwrap_or_default();
        let mut bits = Bits::decode(core, WHAT)?;
        let version = bits.short("Version", 6)?;
        if version != 2 {
            return Err(SignalError::Version { what: WHAT, found: version.into(), known: "2" });
        }
        let b = &mut bits;
        Ok(Self {
            created: instant(b, "Created")?,
            last_updated: instant(b, "LastUpdated")?,
            cmp: (b.short("CmpId", 12)?, b.short("CmpVersion", 12)?),
            language: {
                b.short("ConsentScreen", 6)?;
                letters(b, "ConsentLanguage")?
            },
            vendor_list_version: b.short("VendorListVersion", 12)?,
            policy_version: u8::try_from(b.short("TcfPolicyVersion", 6)?).unwrap_or(u8::MAX),
            is_service_specific: b.flag("IsServiceSpecific")?,
            special_features: {
                b.flag("UseNonStandardTexts")?;
                set(b, "SpecialFeatureOptIns", 12)?
            },
            consents: set(b, "PurposesConsent", 24)?,
            interests: set(b, "PurposesLITransparency", 24)?,
            purpose_one_not_asked: b.flag("PurposeOneTreatment")?,
            publisher_country: letters(b, "PublisherCC")?,
            vendor_consents: VendorSet::read(b, "VendorConsents")?,
            vendor_interests: VendorSet::read(b, "VendorLegitimateInterests")?,
            restrictions: restrictions(b)?,
        })
    }

    /// The stance on one TCF purpose, for a vendor or, without one, for whoever asked.
    ///
    /// Consent: the purpose's bit (and the vendor's) is 1. Legitimate interest: the same with the bits of the interest, for
    /// purposes it may serve; a bit 0 means not made known or objected to. A publisher's restriction overrides for its
    /// vendors. A string that is not service-specific is no longer valid: it can forbid but not permit.
    pub fn purpose(&self, purpose: u8, vendor: Option<u16>) -> Stance {
        let has = |bits: u32| (1..=24).contains(&purpose) && bits >> (purpose - 1) & 1 == 1;
        let listed = |vendors: &VendorSet| vendor.is_none_or(|v| vendors.contains(v));
        let consent = has(self.consents) && listed(&self.vendor_consents);
        let may = INTEREST_MAY_SERVE.contains(&purpose);
        let interest = may && has(self.interests) && listed(&self.vendor_interests);
        let restricted = vendor.and_then(|v| {
            self.restrictions.iter().find(|r| r.purpose == purpose && r.vendors.contains(v)).map(|r| r.kind)
        });
        let (consent, interest) = match restricted {
            None => (consent, interest),
            Some(Some(RestrictionKind::RequireConsent)) => (consent, false),
            Some(Some(RestrictionKind::RequireLegitimateInterest)) => (false, interest),
            Some(Some(RestrictionKind::NotAllowed) | None) => {
                return Stance::denied(Basis::None, format!("TCF purpose {purpose} is not allowed by the publisher"));
            }
        };
        match (consent || interest, self.is_service_specific) {
            (true, false) => Stance::unknown("the TC string is not service-specific"),
            (true, true) if consent => Stance::granted(Basis::Consent, format!("TCF purpose {purpose} consented")),
            (true, true) => {
                Stance::granted(Basis::LegitimateInterest, format!("TCF purpose {purpose} by legitimate interest"))
            }
            (false, _) => Stance::denied(Basis::Consent, format!("TCF purpose {purpose} not consented")),
        }
    }

    /// The signal for a vendor or, without one, for whoever asked: each purpose needs several of TCF's, see the module.
    pub fn signal(&self, vendor: Option<u16>) -> Signal {
        Signal::new(NEEDS.map(|(purpose, needed)| {
            let asked = needed.iter().filter(|n| **n != STORAGE || !self.purpose_one_not_asked);
            (purpose, Stance::all_of(asked.map(|n| self.purpose(*n, vendor))))
        }))
    }
}

/// Reads a TC string into a signal.
pub fn tcf(text: &str, vendor: Option<u16>) -> Result<Signal, SignalError> {
    Ok(TcString::parse(text)?.signal(vendor))
}

/// Tenths of a second since 1970.
fn instant(bits: &mut Bits, field: &'static str) -> Result<Timestamp, SignalError> {
    // 36 bits of tenths are below 10^11, which fits in microseconds.
    let micros = bits.number(field, 36)?.saturating_mul(100_000);
    Ok(Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)))
}

/// Two letters, six bits each, `A` is 0.
fn letters(bits: &mut Bits, field: &'static str) -> Result<String, SignalError> {
    let mut text = String::new();
    for _ in 0..2 {
        let found = bits.number(field, 6)?;
        let letter = u8::try_from(found).ok().filter(|n| *n < 26).map(|n| char::from(b'A' + n));
        let found = u32::try_from(found).unwrap_or(u32::MAX);
        text.push(letter.ok_or(SignalError::Value { what: WHAT, field, found, expected: "a letter, 0 to 25" })?);
    }
    Ok(text)
}

/// A bit field whose first bit is number 1.
fn set(bits: &mut Bits, field: &'static str, width: usize) -> Result<u32, SignalError> {
    let mut found = 0;
    for index in 0..width {
        found |= u32::from(bits.flag(field)?) << index;
    }
    Ok(found)
}

fn restrictions(bits: &mut Bits) -> Result<Vec<Restriction>, SignalError> {
    const FIELD: &str = "PubRestrictions";
    let count = bits.short(FIELD, 12)?;
    (0..count)
        .map(|_| {
            let purpose = u8::try_from(bits.short(FIELD, 6)?).unwrap_or(u8::MAX);
            let kind = match bits.short(FIELD, 2)? {
                0 => Some(RestrictionKind::NotAllowed),
                1 => Some(RestrictionKind::RequireConsent),
                2 => Some(RestrictionKind::RequireLegitimateInterest),
                _ => None,
            };
            Ok(Restriction { purpose, kind, vendors: VendorSet::read_ranges(bits, FIELD)? })
        })
        .collect()
}

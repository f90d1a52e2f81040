//! IAB Global Privacy Platform: a header that names sections, and the sections joined by `~`.
//!
//! Source: IAB Tech Lab, GPP "Consent string specification" and section ids (CC-BY 3.0).

use super::bits::Bits;
use super::us_privacy::{SECTIONS, us_privacy};
use super::{Signal, SignalError, tcf};

const WHAT: &str = "the GPP string";
const HEADER: &str = "the GPP header";
/// Header, and signal integrity: they state no permission.
const SILENT: [u32; 2] = [3, 4];

/// A GPP string taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GppString<'t> {
    /// Each section: its number and its text.
    pub sections: Vec<(u32, &'t str)>,
}

impl<'t> GppString<'t> {
    /// Reads the header: type 3 (6 bits), version 1 (6 bits), then the section ids as a range in Fibonacci coding (count of
    /// entries in 12 bits; each entry one bit for "range", the distance from the id before, and for a range the distance
    /// to its end).
    pub fn parse(text: &'t str) -> Result<Self, SignalError> {
        let mut parts = text.trim().split('~');
        let mut bits = Bits::decode(parts.next().unwrap_or_default(), HEADER)?;
        let kind = bits.short("Type", 6)?;
        if kind != 3 {
            return Err(SignalError::Value { what: HEADER, field: "Type", found: kind.into(), expected: "3" });
        }
        let version = bits.short("Version", 6)?;
        if version != 1 {
            return Err(SignalError::Version { what: HEADER, found: version.into(), known: "1" });
        }
        let texts: Vec<&str> = parts.collect();
        let ids = section_ids(&mut bits, texts.len())?;
        if ids.len() != texts.len() {
            return Err(SignalError::Sections { named: ids.len(), found: texts.len() });
        }
        Ok(Self { sections: ids.into_iter().zip(texts).collect() })
    }

    /// The strictest of all sections. A section that this library does not read may hold a refusal, so beside one nothing
    /// is granted.
    pub fn signal(&self, vendor: Option<u16>) -> Result<Signal, SignalError> {
        let mut signal = Signal::default();
        let mut all_read = true;
        for &(id, text) in &self.sections {
            match section(id, text, vendor)? {
                Some(said) => signal = signal.strictest(&said),
                None => all_read &= SILENT.contains(&id),
            }
        }
        Ok(if all_read { signal } else { signal.without_grants("a section of the GPP string is not read") })
    }
}

/// What a section says; `None` for those that are not read.
fn section(id: u32, text: &str, vendor: Option<u16>) -> Result<Option<Signal>, SignalError> {
    match id {
        2 => tcf(text, vendor).map(Some),
        6 => us_privacy(text).map(Some),
        _ => SECTIONS.iter().find(|section| section.id == id).map(|section| section.signal(text)).transpose(),
    }
}

/// The ids the header names; at most one more than there are sections, so that a hostile range stays small.
fn section_ids(bits: &mut Bits, sections: usize) -> Result<Vec<u32>, SignalError> {
    const FIELD: &str = "SectionIds";
    let mut ids: Vec<u32> = Vec::new();
    for _ in 0..bits.short(FIELD, 12)? {
        let is_range = bits.flag(FIELD)?;
        let last = ids.last().copied().unwrap_or(0);
        let from = last.saturating_add(bits.fibonacci(FIELD)?);
        let to = if is_range { from.saturating_add(bits.fibonacci(FIELD)?) } else { from };
        ids.extend((from..=to).take((sections + 1).saturating_sub(ids.len())));
    }
    Ok(ids)
}

/// Reads a GPP string into a signal. A bare TC string (it begins with `C`) is read as one.
pub fn gpp(text: &str, vendor: Option<u16>) -> Result<Signal, SignalError> {
    if text.trim().is_empty() {
        return Err(SignalError::Form { what: WHAT, expected: "a header and sections joined by ~" });
    }
    if text.trim().starts_with('C') {
        return tcf(text, vendor);
    }
    GppString::parse(text)?.signal(vendor)
}

//! Signals of the United States, where use is permitted until a person opts out: the US Privacy string and the sections
//! of a GPP string for the nation and its states.
//!
//! Sources: IAB Tech Lab, US Privacy string v1; GPP, US National and state specifications (CC-BY 3.0). They speak of
//! selling, sharing and targeted advertising, all of which sending people to an advertising platform may be, so each can
//! forbid `advertising` and only all together permit it. They are silent about other purposes.

use super::bits::Bits;
use super::{Basis, Purpose, Signal, SignalError, Stance};

/// A section of GPP that is read: where its opt-out fields stand in the core segment. After the version (6 bits) come
/// notices of two bits each, then the opt-outs of two bits each, then fields that are not read.
#[derive(Debug, Clone, Copy)]
pub(super) struct UsSection {
    /// Number of the section.
    pub(super) id: u32,
    /// Its name in GPP's interface.
    pub(super) name: &'static str,
    /// Highest version read; the fields before the opt-outs are the same in all of them.
    latest: u16,
    notices: usize,
    opt_outs: &'static [&'static str],
}

const SALE_AND_ADS: &[&str] = &["SaleOptOut", "TargetedAdvertisingOptOut"];

const fn state(id: u32, name: &'static str, notices: usize) -> UsSection {
    UsSection { id, name, latest: 1, notices, opt_outs: SALE_AND_ADS }
}

/// The sections read.
pub(super) const SECTIONS: [UsSection; 16] = [
    UsSection {
        id: 7,
        name: "usnat",
        latest: 2,
        notices: 6,
        opt_outs: &["SaleOptOut", "SharingOptOut", "TargetedAdvertisingOptOut"],
    },
    UsSection { id: 8, name: "usca", latest: 1, notices: 3, opt_outs: &["SaleOptOut", "SharingOptOut"] },
    state(9, "usva", 3),
    state(10, "usco", 3),
    state(11, "usut", 4),
    state(12, "usct", 3),
    state(13, "usfl", 3),
    state(14, "usmt", 3),
    state(15, "usor", 3),
    state(16, "ustx", 3),
    state(17, "usde", 3),
    state(18, "usia", 4),
    state(19, "usne", 3),
    state(20, "usnh", 3),
    state(21, "usnj", 3),
    state(22, "ustn", 3),
];

impl UsSection {
    /// Reads the section: core segment, then sub-sections after `.`, of which the one of type 1 holds Global Privacy
    /// Control. Opt-outs: 0 not applicable or no notice given, 1 opted out, 2 did not opt out. 0 is not permission.
    pub(super) fn signal(&self, text: &str) -> Result<Signal, SignalError> {
        let mut segments = text.split('.');
        let mut bits = Bits::decode(segments.next().unwrap_or_default(), self.name)?;
        let version = bits.short("Version", 6)?;
        if version == 0 || version > self.latest {
            let known = if self.latest == 1 { "1" } else { "1 and 2" };
            return Err(SignalError::Version { what: self.name, found: version.into(), known });
        }
        for _ in 0..self.notices {
            bits.number("notices", 2)?;
        }
        let mut stances = Vec::new();
        for field in self.opt_outs.iter().copied() {
            let name = self.name;
            stances.push(match bits.number(field, 2)? {
                0 => Stance::unknown(format!("{name}: {field} not applicable or no notice given")),
                1 => Stance::denied(Basis::OptOut, format!("{name}: {field} is opted out")),
                2 => Stance::granted(Basis::OptOut, format!("{name}: {field} not opted out")),
                _ => return Err(SignalError::Value { what: name, field, found: 3, expected: "0, 1 or 2" }),
            });
        }
        let mut signal = Signal::new([(Purpose::Advertising, Stance::all_of(stances))]);
        for segment in segments {
            let mut bits = Bits::decode(segment, self.name)?;
            if bits.number("SubsectionType", 2)? == 1 && bits.flag("Gpc")? {
                signal = signal.strictest(&super::gpc::set());
            }
        }
        Ok(signal)
    }
}

/// Reads a US Privacy string such as `1YNN`: version 1, notice given, sale opted out, covered by the limited service
/// provider agreement; each `Y`, `N` or `-` (not applicable). No opt-out permits only where notice was given.
pub fn us_privacy(text: &str) -> Result<Signal, SignalError> {
    let form = SignalError::Form { what: "the US Privacy string", expected: "1 and three of Y, N, -" };
    let [b'1', fields @ ..] = text.trim().as_bytes() else { return Err(form) };
    let Ok(fields) = <[u8; 3]>::try_from(fields) else { return Err(form) };
    let fields = fields.map(|c| c.to_ascii_uppercase());
    if !fields.iter().all(|c| matches!(c, b'Y' | b'N' | b'-')) {
        return Err(form);
    }
    let stance = match fields {
        [_, b'Y', _] => Stance::denied(Basis::OptOut, "US Privacy: sale is opted out"),
        [b'Y', b'N', _] => Stance::granted(Basis::OptOut, "US Privacy: sale not opted out, notice given"),
        _ => Stance::unknown("US Privacy: not applicable or no notice given"),
    };
    Ok(Signal::new([(Purpose::Advertising, stance)]))
}

//! Global Privacy Control: a browser's request not to sell or share (header `Sec-GPC: 1`, property
//! `navigator.globalPrivacyControl`). Source: W3C, Global Privacy Control.

use super::{Basis, Purpose, Signal, SignalError, Stance};

/// Reads the header or the property. Set, it denies advertising; not set, it says nothing: absence is not permission.
pub fn gpc(text: &str) -> Result<Signal, SignalError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" => Ok(set()),
        "" | "0" | "false" => Ok(Signal::default()),
        _ => {
            Err(SignalError::Word { what: "Global Privacy Control", field: "the value", expected: "1, 0, true, false" })
        }
    }
}

/// The signal when the control is set.
pub(super) fn set() -> Signal {
    Signal::new([(Purpose::Advertising, Stance::denied(Basis::OptOut, "Global Privacy Control is set"))])
}

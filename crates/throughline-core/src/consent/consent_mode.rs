//! Google Consent Mode: the fields, and the strings `gcs` and `gcd` that Google's tags send.
//!
//! Sources: Google's developer guide to consent mode (the fields); the strings are not documented by Google, their letters
//! are as Markus Baersch and Simo Ahava determined them (simoahava.com, consent mode v2).

use super::{Basis, ConsentState, Purpose, Signal, SignalError, Stance};

const WHAT: &str = "Consent Mode";
const WORDS: &str = "granted, denied (or yes, no, unset as GA4 exports)";

/// The fields. What is not set is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsentMode {
    /// Storage such as cookies for advertising.
    pub ad_storage: ConsentState,
    /// Storage for analytics.
    pub analytics_storage: ConsentState,
    /// Sending user data to Google for advertising.
    pub ad_user_data: ConsentState,
    /// Personalised advertising.
    pub ad_personalization: ConsentState,
    /// Storage for personalisation; `None` when the site does not use the field.
    pub personalization_storage: Option<ConsentState>,
}

impl ConsentMode {
    /// Reads the words of one field; `None` and the empty text are unset.
    pub fn state(word: Option<&str>, field: &'static str) -> Result<ConsentState, SignalError> {
        match word.map(|w| w.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "unset" | "not_set" | "unspecified") => Ok(ConsentState::Unknown),
            Some("granted" | "yes" | "true" | "1") => Ok(ConsentState::Granted),
            Some("denied" | "no" | "false" | "0") => Ok(ConsentState::Denied),
            Some(_) => Err(SignalError::Word { what: WHAT, field, expected: WORDS }),
        }
    }

    /// Measurement needs `analytics_storage`. Advertising needs `ad_storage` and `ad_user_data`: people are sent to a
    /// platform, which is what the latter is about. Personalisation needs `ad_personalization`, and
    /// `personalization_storage` where it is used. The mode is silent about linking and messaging.
    pub fn signal(&self) -> Signal {
        let ads = [stance(self.ad_storage, "ad_storage"), stance(self.ad_user_data, "ad_user_data")];
        let personal = [stance(self.ad_personalization, "ad_personalization")];
        let stored = self.personalization_storage.map(|s| stance(s, "personalization_storage"));
        Signal::new([
            (Purpose::Measurement, stance(self.analytics_storage, "analytics_storage")),
            (Purpose::Advertising, Stance::all_of(ads)),
            (Purpose::Personalisation, Stance::all_of(personal.into_iter().chain(stored))),
        ])
    }
}

fn stance(state: ConsentState, field: &'static str) -> Stance {
    match state {
        ConsentState::Granted => Stance::granted(Basis::Consent, format!("{field} granted")),
        ConsentState::Denied => Stance::denied(Basis::Consent, format!("{field} denied")),
        ConsentState::Unknown => Stance::unknown(format!("{field} not set")),
    }
}

/// Reads `gcs`: `G1` and a digit each for `ad_storage` and `analytics_storage` (1 granted, 0 denied, `-` not set). It says
/// nothing about `ad_user_data`, so it can deny advertising but not grant it.
pub fn gcs(text: &str) -> Result<Signal, SignalError> {
    let form = SignalError::Form { what: "gcs", expected: "G1 and two digits, for example G111" };
    let digit = |c: u8| match c {
        b'1' => Some(ConsentState::Granted),
        b'0' => Some(ConsentState::Denied),
        b'-' => Some(ConsentState::Unknown),
        _ => None,
    };
    let [b'G' | b'g', b'1', ads, analytics] = *text.trim().as_bytes() else { return Err(form) };
    let (Some(ad_storage), Some(analytics_storage)) = (digit(ads), digit(analytics)) else { return Err(form) };
    Ok(ConsentMode { ad_storage, analytics_storage, ..ConsentMode::default() }.signal())
}

/// Reads `gcd`: `1`, then a digit and a letter for each of `ad_storage`, `analytics_storage`, `ad_user_data` and
/// `ad_personalization`, then digits. The letter holds default and update, and only the update is what the person said:
///
/// | update \ default | none | denied | granted |
/// |---|---|---|---|
/// | none | `l` | `p` | `t` |
/// | denied | `m` | `q` | `u` |
/// | granted | `n` | `r` | `v` |
///
/// A default without an update (`p`, `t`) is unknown: the site said it, not the person.
pub fn gcd(text: &str) -> Result<Signal, SignalError> {
    let form = SignalError::Form { what: "gcd", expected: "11, four letters with digits between, and digits" };
    let [b'1', pairs @ ..] = text.trim().as_bytes() else { return Err(form) };
    let (pairs, tail) = pairs.split_at_checked(8).ok_or_else(|| form.clone())?;
    if tail.is_empty() || !tail.iter().all(u8::is_ascii_alphanumeric) {
        return Err(form);
    }
    let mut states = [ConsentState::Unknown; 4];
    for (state, pair) in states.iter_mut().zip(pairs.chunks_exact(2)) {
        *state = match pair {
            [b'0'..=b'9', b'l' | b'p' | b't'] => ConsentState::Unknown,
            [b'0'..=b'9', b'm' | b'q' | b'u'] => ConsentState::Denied,
            [b'0'..=b'9', b'n' | b'r' | b'v'] => ConsentState::Granted,
            _ => return Err(form),
        };
    }
    let [ad_storage, analytics_storage, ad_user_data, ad_personalization] = states;
    let mode =
        ConsentMode { ad_storage, analytics_storage, ad_user_data, ad_personalization, personalization_storage: None };
    Ok(mode.signal())
}

//! Snowplow's event `consent_preferences` (enhanced consent).
//!
//! Source: Snowplow, "Track consent and GDPR on web"; schema `consent_preferences/1-0-0`.

use super::{Basis, Categories, ConsentState, Signal, SignalError, Stance};

const WORDS: &str = "allow_all, allow_selected, deny_all, withdrawn, expired, pending, implicit_consent";

/// Reads the type of the event and its scopes (a JSON list, or names joined by commas).
///
/// - `allow_all` grants what the scopes stand for, without scopes what a banner asks about.
/// - `allow_selected` grants what the scopes stand for and denies the rest of what the banner asks about.
/// - `deny_all` denies all of it. `withdrawn` and `expired` deny what the scopes stand for, without scopes all of it: use
///   must stop.
/// - `pending` and `implicit_consent` say nothing: implied agreement is not permission.
pub fn snowplow(event_type: &str, scopes: &str, categories: &Categories<'_>) -> Result<Signal, SignalError> {
    let named: Vec<_> = names(scopes)?.iter().flat_map(|name| categories.purposes(name)).collect();
    let asked = categories.asked();
    let or_all = |purposes: &[_]| if purposes.is_empty() { asked.clone() } else { purposes.to_vec() };
    let word = event_type.trim().to_ascii_lowercase();
    let (granted, denied) = match word.as_str() {
        "allow_all" => (or_all(&named), Vec::new()),
        "allow_selected" => (named.clone(), asked.iter().copied().filter(|p| !named.contains(p)).collect()),
        "deny_all" | "deny" => (Vec::new(), asked.iter().copied().chain(named).collect()),
        "withdrawn" | "expired" => (Vec::new(), or_all(&named)),
        "pending" | "implicit_consent" | "implicit" => (Vec::new(), Vec::new()),
        _ => return Err(SignalError::Word { what: "Snowplow's consent", field: "event_type", expected: WORDS }),
    };
    let stance = |state| Stance { state, basis: Basis::Consent, why: word.clone().into() };
    let granted = granted.into_iter().map(|p| (p, stance(ConsentState::Granted)));
    Ok(Signal::new(granted.chain(denied.into_iter().map(|p| (p, stance(ConsentState::Denied))))))
}

fn names(scopes: &str) -> Result<Vec<String>, SignalError> {
    let scopes = scopes.trim();
    if scopes.starts_with('[') {
        let form = SignalError::Form { what: "Snowplow's scopes", expected: "a list of texts" };
        return serde_json::from_str(scopes).map_err(|_| form);
    }
    Ok(scopes.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect())
}

//! Segment's consent object: `context.consent.categoryPreferences`, category → true or false.
//!
//! Source: Segment, "Consent management in Segment".

use serde_json::Value;

use super::{Basis, Categories, Signal, SignalError, Stance};

const FORM: SignalError =
    SignalError::Form { what: "Segment's consent", expected: "an object with categoryPreferences of true and false" };

/// Reads the preferences out of a whole event, its context, its consent object, or as they are. Where two categories stand
/// for one purpose, the strictest counts.
pub fn segment(json: &str, categories: &Categories<'_>) -> Result<Signal, SignalError> {
    let value: Value = serde_json::from_str(json).map_err(|_| FORM)?;
    let found = ["/context/consent/categoryPreferences", "/consent/categoryPreferences", "/categoryPreferences", ""]
        .into_iter()
        .find_map(|place| value.pointer(place));
    let Some(Value::Object(preferences)) = found else { return Err(FORM) };
    let mut signal = Signal::default();
    for (category, preference) in preferences {
        let Value::Bool(agreed) = preference else { return Err(FORM) };
        for purpose in categories.purposes(category) {
            let why = format!("category for {purpose} {}", if *agreed { "accepted" } else { "refused" });
            let stance =
                if *agreed { Stance::granted(Basis::Consent, why) } else { Stance::denied(Basis::Consent, why) };
            signal.add(purpose, stance);
        }
    }
    Ok(signal)
}

//! Adobe's consents and preferences (XDM): `consents.collect.val` and its siblings.
//!
//! Source: Adobe Experience Platform, "Consents and Preferences data type".

use serde_json::Value;

use super::{Basis, Purpose, Signal, SignalError, Stance};

const WHAT: &str = "Adobe's consents";
const FORM: SignalError =
    SignalError::Form { what: WHAT, expected: "an object with collect, share, personalize or marketing" };
const WORDS: &str = "y, n, p, u, dy, dn, LI, CT, CP, VI, PI";
/// Keys of `marketing` that are no channels.
const NOT_CHANNELS: [&str; 2] = ["preferred", "any"];
/// Channels on which a person is written to; calls are not.
const WRITTEN: [&str; 6] = ["email", "sms", "postalMail", "push", "inApp", "whatsApp"];

/// Reads the object, bare or under `consents` (and under `xdm` of a collection request). Measurement is `collect`,
/// advertising `share`, personalisation `personalize.content`, messaging `marketing`: of one `channel`, which falls back to
/// `any`, or without a channel the strictest of `any` and the channels that are written on.
pub fn adobe(json: &str, channel: Option<&str>) -> Result<Signal, SignalError> {
    let value: Value = serde_json::from_str(json).map_err(|_| FORM)?;
    let places = ["/xdm/consents", "/consents", ""];
    let Some(Value::Object(consents)) = places.into_iter().find_map(|place| value.pointer(place)) else {
        return Err(FORM);
    };
    let mut signal = Signal::default();
    let direct = [
        ("collect", Purpose::Measurement, consents.get("collect")),
        ("share", Purpose::Advertising, consents.get("share")),
        ("personalize.content", Purpose::Personalisation, value_at(consents.get("personalize"), "content")),
    ];
    for (field, purpose, choice) in direct {
        if let Some(choice) = choice {
            signal.add(purpose, stance(choice, field)?);
        }
    }
    if let Some(Value::Object(marketing)) = consents.get("marketing") {
        let any = marketing.get("any");
        match channel {
            Some(channel) => {
                if let Some(choice) = marketing.get(channel).filter(|_| !NOT_CHANNELS.contains(&channel)).or(any) {
                    signal.add(Purpose::Messaging, stance(choice, "marketing")?);
                }
            }
            None => {
                for choice in any.into_iter().chain(WRITTEN.iter().filter_map(|c| marketing.get(*c))) {
                    signal.add(Purpose::Messaging, stance(choice, "marketing")?);
                }
            }
        }
    }
    Ok(signal)
}

fn value_at<'v>(value: Option<&'v Value>, key: &str) -> Option<&'v Value> {
    value?.get(key)
}

/// The stance of one choice. A default (`dy`) is not what the customer said, and a use that rests on contract, law or a
/// vital or public interest is no permission for marketing: both are unknown.
fn stance(choice: &Value, field: &'static str) -> Result<Stance, SignalError> {
    let word = SignalError::Word { what: WHAT, field: "val", expected: WORDS };
    let Some(val) = choice.get("val").and_then(Value::as_str) else { return Err(word) };
    Ok(match val {
        "y" => Stance::granted(Basis::Consent, format!("{field} is y")),
        "LI" => Stance::granted(Basis::LegitimateInterest, format!("{field} is LI")),
        "n" | "dn" => Stance::denied(Basis::Consent, format!("{field} is {val}")),
        "p" | "u" | "dy" | "CT" | "CP" | "VI" | "PI" => Stance::unknown(format!("{field} is {val}")),
        _ => return Err(word),
    })
}

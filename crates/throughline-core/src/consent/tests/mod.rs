//! Consent: what signals say, and the laws by which statements combine.

mod encode;
mod laws;
mod signals;
mod strings;

use super::*;

/// Checks what a signal grants and denies.
#[track_caller]
fn says(signal: Result<Signal, SignalError>, expect: &str) {
    match signal {
        Ok(signal) => assert_eq!(signal.consent().to_string(), expect, "{signal:?}"),
        Err(error) => panic!("{error} instead of {expect}"),
    }
}

/// Checks that a signal is refused, by a part of the message.
#[track_caller]
fn refused(signal: Result<Signal, SignalError>, expect: &str) {
    match signal {
        Ok(signal) => panic!("{signal:?} instead of an error about {expect}"),
        Err(error) => assert!(error.to_string().contains(expect), "{error}"),
    }
}

#[test]
fn unknown_is_not_permission() -> Result<(), ConsentError> {
    let consent: Consent = "messaging=granted;advertising=denied".parse()?;
    assert!(consent.allows(Purpose::Messaging));
    assert!(!consent.allows(Purpose::Advertising));
    assert!(!consent.allows(Purpose::Measurement));
    assert_eq!(consent.to_string(), "advertising=denied;messaging=granted");
    assert_eq!(consent.to_string().parse::<Consent>()?, consent);
    Ok(())
}

#[test]
fn a_withdrawal_outranks_an_earlier_grant() -> Result<(), ConsentError> {
    let before: Consent = "granted".parse()?;
    let after = before.then(&"messaging=denied".parse()?);
    assert!(!after.allows(Purpose::Messaging) && after.allows(Purpose::Linking));
    assert!("messaging=perhaps".parse::<Consent>().is_err());
    assert!("mail=granted".parse::<Consent>().is_err());
    Ok(())
}

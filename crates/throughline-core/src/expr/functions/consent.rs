//! Consent signals as the project's own text (`purpose=state;…`), for the field `consent` of a source. Each reads one
//! signal; see `crate::consent` for what they mean. NULL gives NULL. A signal that cannot be read gives `unreadable: …`
//! with the reason, which is no permission whatever it is combined with.

use std::fmt::Display;

use super::{Param, Returns, Spec};
use crate::consent::{
    Categories, Consent, ConsentMode, Signal, SignalError, UNREADABLE, adobe, gcd, gcs, gpc, gpp, segment, snowplow,
    tcf, us_privacy,
};
use crate::expr::ty::Type::{Int, Text};
use crate::expr::value::Value;

const T: Param = Param::Is(Text);
const I: Param = Param::Is(Int);

const fn signal(
    name: &'static str,
    params: &'static [Param],
    usage: &'static str,
    doc: &'static str,
    kernel: fn(&[Value]) -> Value,
) -> Spec {
    Spec { name, params, optional: 0, variadic: false, returns: Returns::Is(Text), usage, doc, kernel }
}

pub(super) const TABLE: &[Spec] = &[
    Spec {
        optional: 1,
        ..signal(
            "consent_mode",
            &[T, T, T, T, T],
            "consent_mode(ad_storage, analytics_storage, ad_user_data, ad_personalization [, personalization_storage])",
            "The fields of Google Consent Mode; NULL and 'unset' say nothing.",
            consent_mode,
        )
    },
    signal("consent_gcs", &[T], "consent_gcs(text)", "Google's `gcs`, for example G111.", |args| match args {
        [Value::Text(t)] => told(gcs(t)),
        _ => Value::Null,
    }),
    signal("consent_gcd", &[T], "consent_gcd(text)", "Google's `gcd`, for example 11r1r1r1r5.", |args| match args {
        [Value::Text(t)] => told(gcd(t)),
        _ => Value::Null,
    }),
    Spec {
        optional: 1,
        ..signal("consent_tcf", &[T, I], "consent_tcf(text [, vendor])", "An IAB TCF string, version 2.", |args| {
            string(args, tcf)
        })
    },
    Spec {
        optional: 1,
        ..signal(
            "consent_gpp",
            &[T, I],
            "consent_gpp(text [, vendor])",
            "An IAB GPP string; the strictest section.",
            |args| string(args, gpp),
        )
    },
    signal(
        "consent_usp",
        &[T],
        "consent_usp(text)",
        "An IAB US Privacy string, for example 1YNN.",
        |args| match args {
            [Value::Text(t)] => told(us_privacy(t)),
            _ => Value::Null,
        },
    ),
    signal(
        "consent_gpc",
        &[Param::Same],
        "consent_gpc(value)",
        "Global Privacy Control as a Bool, a number or a text.",
        |args| match args {
            [Value::Text(t)] => told(gpc(t)),
            [Value::Bool(set)] => told(gpc(if *set { "1" } else { "0" })),
            [Value::Int(n)] => told(gpc(&n.to_string())),
            _ => Value::Null,
        },
    ),
    Spec {
        optional: 1,
        variadic: true,
        ..signal(
            "consent_segment",
            &[T, T],
            "consent_segment(json [, category, purpose, …])",
            "Segment's category preferences; pairs name the purposes of categories.",
            |args| match args {
                [Value::Text(json), pairs @ ..] => with_categories(pairs, |categories| segment(json, categories)),
                _ => Value::Null,
            },
        )
    },
    Spec {
        optional: 1,
        ..signal(
            "consent_adobe",
            &[T, T],
            "consent_adobe(json [, channel])",
            "Adobe's consents (XDM); the channel of `marketing` is for messaging.",
            |args| match args {
                [Value::Text(json)] => told(adobe(json, None)),
                [Value::Text(json), channel] => told(adobe(json, channel.as_str())),
                _ => Value::Null,
            },
        )
    },
    Spec {
        optional: 1,
        variadic: true,
        ..signal(
            "consent_snowplow",
            &[T, T, T],
            "consent_snowplow(event_type, scopes [, scope, purpose, …])",
            "Snowplow's event consent_preferences; pairs name the purposes of scopes.",
            |args| match args {
                [Value::Text(event), scopes, pairs @ ..] => with_categories(pairs, |categories| {
                    snowplow(event, scopes.as_str().unwrap_or_default(), categories)
                }),
                _ => Value::Null,
            },
        )
    },
    Spec {
        variadic: true,
        ..signal(
            "consent_all",
            &[T],
            "consent_all(consent, …)",
            "The strictest of several consents; NULL ones are passed over.",
            all,
        )
    },
];

/// The text of a consent in canonical form.
fn text(consent: &Consent) -> Value {
    let text = consent.to_string();
    Value::made_text(if text.is_empty() { "unknown".to_owned() } else { text })
}

fn told(signal: Result<Signal, SignalError>) -> Value {
    signal.map_or_else(unreadable, |signal| text(&signal.consent()))
}

fn unreadable(error: impl Display) -> Value {
    Value::made_text(format!("{UNREADABLE}: {error}"))
}

fn consent_mode(args: &[Value]) -> Value {
    let state = |index: usize, field| ConsentMode::state(args.get(index).and_then(Value::as_str), field);
    let read = || {
        Ok(ConsentMode {
            ad_storage: state(0, "ad_storage")?,
            analytics_storage: state(1, "analytics_storage")?,
            ad_user_data: state(2, "ad_user_data")?,
            ad_personalization: state(3, "ad_personalization")?,
            personalization_storage: match args.get(4) {
                Some(Value::Text(_)) => Some(state(4, "personalization_storage")?),
                _ => None,
            },
        })
    };
    told(read().map(|mode| mode.signal()))
}

/// A TCF or GPP string, for a vendor where one is stated. A vendor id outside 1 to 65,535 is nobody's.
fn string(args: &[Value], read: fn(&str, Option<u16>) -> Result<Signal, SignalError>) -> Value {
    match args {
        [Value::Text(t)] => told(read(t, None)),
        [Value::Text(t), Value::Int(vendor)] => told(read(t, Some(u16::try_from(*vendor).unwrap_or(0)))),
        _ => Value::Null,
    }
}

/// The pairs of names and purposes after the other arguments.
fn with_categories(pairs: &[Value], read: impl FnOnce(&Categories<'_>) -> Result<Signal, SignalError>) -> Value {
    let texts: Option<Vec<&str>> = pairs.iter().map(Value::as_str).collect();
    let Some(texts) = texts else { return Value::Null };
    let (pairs, rest) = texts.as_chunks::<2>();
    if !rest.is_empty() {
        return unreadable("a name without its purpose");
    }
    Categories::new(pairs.iter().map(|[name, purpose]| (*name, *purpose)))
        .map_or_else(unreadable, |categories| told(read(&categories)))
}

fn all(args: &[Value]) -> Value {
    let mut strictest: Option<Consent> = None;
    for part in args.iter().filter_map(Value::as_str) {
        if part.starts_with(UNREADABLE) {
            return Value::made_text(part.to_owned());
        }
        match part.parse::<Consent>() {
            Ok(said) => strictest = Some(strictest.unwrap_or_default().strictest(&said)),
            Err(error) => return unreadable(error),
        }
    }
    strictest.map_or(Value::Null, |consent| text(&consent))
}

//! The rules that turn one person's signals into journeys. Pure: no tables here.

use std::collections::BTreeSet;

use throughline_core::time::DAY_US;

use crate::config::{JourneyConfig, NullJourneys, TouchUnit, Transform};

/// What a signal is for one conversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignalKind {
    /// A touch of a channel.
    Touch {
        /// Its channel.
        channel: String,
    },
    /// A touch that may not be used for measurement.
    TouchWithoutConsent {
        /// Its channel.
        channel: String,
    },
    /// The conversion.
    Conversion,
}

/// One signal of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Occurrence in µs.
    pub at: i64,
    /// What it is.
    pub kind: SignalKind,
}

impl Signal {
    /// A signal at a time.
    pub const fn new(at: i64, kind: SignalKind) -> Self {
        Self { at, kind }
    }

    fn channel(&self) -> Option<&str> {
        match &self.kind {
            SignalKind::Touch { channel } | SignalKind::TouchWithoutConsent { channel } => Some(channel),
            SignalKind::Conversion => None,
        }
    }
}

/// Why a touch is in the path or not. The README lists what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A step of the path.
    Kept,
    /// Further touch of the same channel in one session.
    SameSession,
    /// Dropped by the path transform.
    RepeatedChannel,
    /// Too long before the conversion.
    OutsideLookback,
    /// Direct traffic after a known channel.
    DirectIgnored,
    /// Measurement was not granted.
    NoConsent,
    /// More touches than the limit.
    OverLimit,
}

impl Rule {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::SameSession => "same_session",
            Self::RepeatedChannel => "repeated_channel",
            Self::OutsideLookback => "outside_lookback",
            Self::DirectIgnored => "direct_ignored",
            Self::NoConsent => "no_consent",
            Self::OverLimit => "over_limit",
        }
    }
}

/// One journey: indices into the person's signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// The conversion's index; `None` for a journey that ended in none.
    pub conversion: Option<usize>,
    /// Touches considered: (index, session, rule), in time order.
    pub touches: Vec<(usize, u32, Rule)>,
}

impl Journey {
    /// The channels of the kept touches.
    pub fn path<'a>(&self, signals: &'a [Signal]) -> Vec<&'a str> {
        self.kept().filter_map(|i| signals[i].channel()).collect()
    }

    /// Indices of the kept touches.
    pub fn kept(&self) -> impl Iterator<Item = usize> + '_ {
        self.touches.iter().filter(|(_, _, rule)| *rule == Rule::Kept).map(|(i, _, _)| *i)
    }
}

/// Builds the journeys of one person for one conversion. `signals` are in time order, a touch before a conversion at the
/// same instant. A journey restarts after each conversion. A conversion without any kept touch is a journey with an
/// empty path, so that conversions are never lost.
pub fn build(config: &JourneyConfig, signals: &[Signal]) -> Vec<Journey> {
    let mut journeys = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (i, signal) in signals.iter().enumerate() {
        if signal.kind == SignalKind::Conversion {
            journeys.push(Journey { conversion: Some(i), touches: judge(config, signals, &open, signal.at) });
            open.clear();
        } else {
            open.push(i);
        }
    }
    let keep_rest = match config.null_journeys {
        NullJourneys::Remainder => true,
        NullJourneys::NeverConverted => journeys.is_empty(),
        NullJourneys::None => false,
    };
    if let Some(&last) = open.last().filter(|_| keep_rest) {
        let journey = Journey { conversion: None, touches: judge(config, signals, &open, signals[last].at) };
        if journey.kept().next().is_some() {
            journeys.push(journey);
        }
    }
    journeys
}

/// Applies the rules in their order: consent, lookback, sessions, direct, transform, limit.
fn judge(config: &JourneyConfig, signals: &[Signal], open: &[usize], end: i64) -> Vec<(usize, u32, Rule)> {
    let mut touches: Vec<(usize, u32, Rule)> = sessions(config, signals, open)
        .map(|(i, session)| {
            let rule = if matches!(signals[i].kind, SignalKind::TouchWithoutConsent { .. }) {
                Rule::NoConsent
            } else if end - signals[i].at > config.lookback_days.micros() {
                Rule::OutsideLookback
            } else {
                Rule::Kept
            };
            (i, session, rule)
        })
        .collect();
    if config.unit == TouchUnit::Session {
        drop_where(&mut touches, Rule::SameSession, {
            let mut seen: BTreeSet<(u32, &str)> = BTreeSet::new();
            move |i, session| signals[i].channel().is_some_and(|c| !seen.insert((session, c)))
        });
    }
    let direct = config.direct_channel.as_str();
    let others = touches.iter().any(|(i, _, r)| *r == Rule::Kept && signals[*i].channel() != Some(direct));
    if config.ignore_direct && others {
        drop_where(&mut touches, Rule::DirectIgnored, |i, _| signals[i].channel() == Some(direct));
    }
    match config.transform {
        Transform::None => {}
        Transform::Exposure => {
            let mut previous: Option<&str> = None;
            drop_where(&mut touches, Rule::RepeatedChannel, |i, _| {
                let repeated = previous == signals[i].channel();
                previous = signals[i].channel();
                repeated
            });
        }
        Transform::First => {
            let mut seen: BTreeSet<&str> = BTreeSet::new();
            drop_where(&mut touches, Rule::RepeatedChannel, |i, _| {
                signals[i].channel().is_some_and(|c| !seen.insert(c))
            });
        }
    }
    let kept = touches.iter().filter(|(_, _, r)| *r == Rule::Kept).count();
    let mut surplus = kept.saturating_sub(config.max_touches);
    drop_where(&mut touches, Rule::OverLimit, |_, _| {
        let over = surplus > 0;
        surplus = surplus.saturating_sub(1);
        over
    });
    touches
}

/// Marks kept touches that a predicate names, in time order.
fn drop_where(touches: &mut [(usize, u32, Rule)], rule: Rule, mut is_dropped: impl FnMut(usize, u32) -> bool) {
    for touch in touches.iter_mut().filter(|t| t.2 == Rule::Kept) {
        if is_dropped(touch.0, touch.1) {
            touch.2 = rule;
        }
    }
}

/// Numbers the sessions: a pause longer than the limit starts a new one.
fn sessions<'a>(
    config: &JourneyConfig,
    signals: &'a [Signal],
    open: &'a [usize],
) -> impl Iterator<Item = (usize, u32)> + 'a {
    let pause = i64::from(config.session_minutes).saturating_mul(DAY_US / 1440);
    let mut session = 0;
    let mut previous: Option<i64> = None;
    open.iter().map(move |&i| {
        let at = signals[i].at;
        if previous.is_some_and(|p| at - p > pause) {
            session += 1;
        }
        previous = Some(at);
        (i, session)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use throughline_core::Lookback;

    /// Signals in words: `10:search` is a touch at minute 10, `10:!` a conversion, `10:-ads` a touch without consent.
    fn signals(text: &str) -> Vec<Signal> {
        text.split_whitespace()
            .map(|word| {
                let (minute, what) = word.split_once(':').expect("minute:what");
                let at = minute.parse::<i64>().expect("a minute") * (DAY_US / 1440);
                let kind = match what.strip_prefix('-') {
                    Some(channel) => SignalKind::TouchWithoutConsent { channel: channel.into() },
                    None if what == "!" => SignalKind::Conversion,
                    None => SignalKind::Touch { channel: what.into() },
                };
                Signal::new(at, kind)
            })
            .collect()
    }

    #[track_caller]
    fn check(config: &JourneyConfig, text: &str, expect: &str) {
        let signals = signals(text);
        let got: Vec<String> = build(config, &signals)
            .iter()
            .map(|j| format!("{}{}", j.path(&signals).join(">"), if j.conversion.is_some() { "!" } else { "." }))
            .collect();
        assert_eq!(got.join(" "), expect, "{text}");
    }

    #[test]
    fn journeys_end_in_a_conversion_or_in_none() {
        let config = JourneyConfig::default();
        check(&config, "", "");
        check(&config, "0:a 100:b 200:!", "a>b!");
        check(&config, "0:a 100:! 200:b", "a! b.");
        check(&config, "0:!", "!");
        check(&config, "0:! 1:!", "! !");
        check(&config, "5:a 5:!", "a!");
    }

    #[test]
    fn sessions_count_a_channel_once() {
        let session = JourneyConfig::default();
        check(&session, "0:a 30:a 31:b 100:a 200:!", "a>b>a!");
        let touch = JourneyConfig { unit: TouchUnit::Touch, ..session };
        check(&touch, "0:a 30:a 31:b 100:a 200:!", "a>a>b>a!");
    }

    #[test]
    fn lookback_consent_and_direct() {
        let config =
            JourneyConfig { lookback_days: Lookback::new(1.0).expect("in bounds"), ..JourneyConfig::default() };
        check(&config, "0:a 1440:b 1441:!", "b!");
        check(&config, "0:-a 100:b 200:!", "b!");
        check(&config, "0:-a", "");
        let last_non_direct = JourneyConfig { ignore_direct: true, ..config };
        check(&last_non_direct, "0:a 100:direct 200:!", "a!");
        check(&last_non_direct, "100:direct 200:!", "direct!");
    }

    #[test]
    fn transforms_and_null_journeys() {
        let base = JourneyConfig { unit: TouchUnit::Touch, ..JourneyConfig::default() };
        let exposure = JourneyConfig { transform: Transform::Exposure, ..base.clone() };
        check(&exposure, "0:d 1:a 2:b 3:b 4:c 5:d 6:c 7:c 8:!", "d>a>b>c>d>c!");
        let first = JourneyConfig { transform: Transform::First, ..base.clone() };
        check(&first, "0:d 1:a 2:b 3:b 4:c 5:d 6:c 7:c 8:!", "d>a>b>c!");
        let never = JourneyConfig { null_journeys: NullJourneys::NeverConverted, ..base.clone() };
        check(&never, "0:a 1:! 2:b", "a!");
        check(&never, "0:a 2:b", "a>b.");
        let limited = JourneyConfig { max_touches: 2, ..base };
        check(&limited, "0:a 1:b 2:c 3:!", "b>c!");
    }

    #[test]
    fn every_touch_considered_is_accounted_for() {
        let signals = signals("0:a 10:a 20:-b 100:c 200:!");
        let journeys = build(&JourneyConfig::default(), &signals);
        let rules: Vec<&str> = journeys[0].touches.iter().map(|t| t.2.name()).collect();
        assert_eq!(rules, ["kept", "same_session", "no_consent", "kept"]);
    }
}

//! The laws of combination, and that nothing a signal may hold makes a reader panic.

use proptest::prelude::*;

use super::*;
use crate::Timestamp;

fn state() -> impl Strategy<Value = ConsentState> {
    prop::sample::select(vec![ConsentState::Unknown, ConsentState::Granted, ConsentState::Denied])
}

fn consent() -> impl Strategy<Value = Consent> {
    prop::collection::vec(state(), Purpose::ALL.len()).prop_map(|states| {
        let mut consent = Consent::default();
        Purpose::ALL.into_iter().zip(states).for_each(|(p, s)| consent.set(p, s));
        consent
    })
}

fn signal() -> impl Strategy<Value = Signal> {
    let basis = prop::sample::select(vec![Basis::None, Basis::Consent, Basis::LegitimateInterest, Basis::OptOut]);
    let stance = (state(), basis, "[ab]").prop_map(|(state, basis, why)| Stance { state, basis, why: why.into() });
    prop::collection::vec((prop::sample::select(Purpose::ALL.to_vec()), stance), 0..6).prop_map(Signal::new)
}

fn statements() -> impl Strategy<Value = Vec<(&'static str, i64, Consent)>> {
    prop::collection::vec((prop::sample::select(vec!["crm", "shop", "web"]), 0_i64..4, consent()), 0..8)
}

fn standing(statements: &[(&str, i64, Consent)]) -> Standing {
    let mut standing = Standing::default();
    for (source, at, said) in statements {
        standing.say(source, Timestamp::from_micros(*at), said);
    }
    standing
}

proptest! {
    #[test]
    fn the_strictest_is_a_semilattice(a in consent(), b in consent(), c in consent()) {
        prop_assert_eq!(a.clone().strictest(&b), b.clone().strictest(&a));
        let left = a.clone().strictest(&b).strictest(&c);
        prop_assert_eq!(left, a.clone().strictest(&b.clone().strictest(&c)));
        prop_assert_eq!(a.clone().strictest(&a), a.clone());
        prop_assert_eq!(a.clone().strictest(&Consent::default()), a.clone());
        for purpose in Purpose::ALL {
            let denied = [&a, &b].iter().any(|s| s.state(purpose) == ConsentState::Denied);
            let both = a.clone().strictest(&b);
            prop_assert_eq!(both.state(purpose) == ConsentState::Denied, denied);
            prop_assert_eq!(both.allows(purpose), !denied && (a.allows(purpose) || b.allows(purpose)));
        }
    }

    #[test]
    fn signals_combine_as_their_states_do(a in signal(), b in signal(), c in signal()) {
        prop_assert_eq!(a.clone().strictest(&b), b.clone().strictest(&a));
        let left = a.clone().strictest(&b).strictest(&c);
        prop_assert_eq!(left, a.clone().strictest(&b.clone().strictest(&c)));
        prop_assert_eq!(a.clone().strictest(&a), a.clone());
        let both = a.clone().strictest(&b).consent();
        prop_assert_eq!(both, a.consent().strictest(&b.consent()));
    }

    #[test]
    fn what_stands_does_not_depend_on_the_order_of_arrival(
        said in statements(), turn in any::<prop::sample::Index>(), by_length in any::<bool>(),
    ) {
        let mut shuffled = said.clone();
        shuffled.rotate_left(turn.index(said.len() + 1) % said.len().max(1));
        shuffled.sort_by_key(|(source, _, consent)| by_length.then(|| (source.len(), consent.to_string().len())));
        prop_assert_eq!(standing(&said), standing(&shuffled));
        let twice: Vec<_> = said.iter().chain(&said).cloned().collect();
        prop_assert_eq!(standing(&said), standing(&twice));
    }

    /// Against the definition: for each source the strictest of its latest statements on the purpose; over sources the
    /// strictest.
    #[test]
    fn what_stands_is_the_latest_of_each_source(said in statements()) {
        let got = standing(&said);
        for purpose in Purpose::ALL {
            let mut expect = ConsentState::Unknown;
            for source in ["crm", "shop", "web"] {
                let spoke = || said.iter().filter(|(s, _, c)| *s == source && c.state(purpose) != ConsentState::Unknown);
                let latest = spoke().map(|(_, at, _)| *at).max();
                let of_source = spoke().filter(|(_, at, _)| Some(*at) == latest).map(|(_, _, c)| c.state(purpose)).max();
                expect = expect.max(of_source.unwrap_or_default());
            }
            prop_assert_eq!(got.consent().state(purpose), expect);
        }
    }

    /// An event is permitted exactly when it grants and what stands, up to its instant or after all, does not deny.
    #[test]
    fn events_are_judged_by_what_stands(said in statements(), recompute in any::<bool>()) {
        let events: Vec<Said> = said.iter()
            .map(|(source, at, consent)| Said { source, at: Timestamp::from_micros(*at), consent })
            .collect();
        let withdrawal = if recompute { Withdrawal::Recompute } else { Withdrawal::Forward };
        let after = standing(&said).consent();
        for purpose in Purpose::ALL {
            let verdicts = judge(&events, purpose, withdrawal);
            let mut removed = RemovedByConsent::new("events", purpose);
            for ((_, at, consent), verdict) in said.iter().zip(&verdicts) {
                let heard: Vec<_> = said.iter().filter(|(_, t, _)| t <= at).cloned().collect();
                let then = standing(&heard).consent();
                let denied = then.state(purpose) == ConsentState::Denied
                    || recompute && after.state(purpose) == ConsentState::Denied;
                let expect = match consent.state(purpose) {
                    ConsentState::Unknown => Some(Refusal::Unknown),
                    ConsentState::Denied => Some(Refusal::Denied),
                    ConsentState::Granted => denied.then_some(Refusal::Withdrawn),
                };
                prop_assert_eq!(*verdict, expect);
                removed.count(*verdict);
            }
            prop_assert_eq!(removed.considered, said.len() as u64);
            prop_assert_eq!(removed.removed(), verdicts.iter().flatten().count() as u64);
        }
    }

    #[test]
    fn bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), vendor in any::<Option<u16>>()) {
        read_all(&String::from_utf8_lossy(&bytes), vendor);
    }

    #[test]
    fn bits_are_answered(head in "(C|D|DBA|DBABM~C|DBABr~B|B)", bits in "[01]{0,600}", vendor in any::<Option<u16>>()) {
        read_all(&format!("{head}{}", encode::base64url(&bits)), vendor);
    }

    #[test]
    fn made_strings_read_back(
        consents in prop::collection::btree_set(1_u16..=24, 0..24),
        interests in prop::collection::btree_set(1_u16..=24, 0..24),
        vendors in prop::collection::btree_set(1_u16..400, 0..40),
        interest_vendors in prop::collection::btree_set(1_u16..=u16::MAX, 0..10),
    ) {
        let made = encode::Tcf {
            consents: consents.iter().copied().collect(),
            interests: interests.iter().copied().collect(),
            vendors: vendors.iter().copied().collect(),
            interest_vendors: interest_vendors.iter().copied().collect(),
            ..encode::Tcf::default()
        };
        let read = TcString::parse(&made.text()).expect("a valid string");
        let as_bits = |set: &std::collections::BTreeSet<u16>| set.iter().fold(0_u32, |bits, n| bits | 1 << (n - 1));
        prop_assert_eq!((read.consents, read.interests), (as_bits(&consents), as_bits(&interests)));
        for vendor in 1..400 {
            prop_assert_eq!(read.vendor_consents.contains(vendor), vendors.contains(&vendor));
            prop_assert_eq!(read.vendor_interests.contains(vendor), interest_vendors.contains(&vendor));
        }
        prop_assert_eq!(read.vendor_interests.len(), interest_vendors.len());
    }
}

/// Every reader on one text; an answer or an error, never a panic, and never a grant where the text is refused.
fn read_all(text: &str, vendor: Option<u16>) {
    let none = Categories::default();
    let read = [
        tcf(text, vendor),
        gpp(text, vendor),
        us_privacy(text),
        gcs(text),
        gcd(text),
        gpc(text),
        segment(text, &none),
        adobe(text, Some("email")),
        snowplow(text, text, &none),
    ];
    for signal in read.into_iter().flatten() {
        let consent = signal.consent();
        assert_eq!(consent.to_string().parse::<Consent>(), Ok(consent));
    }
}

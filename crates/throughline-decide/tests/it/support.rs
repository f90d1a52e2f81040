//! What the tests share.

use std::collections::BTreeSet;
use std::path::PathBuf;

use throughline_core::consent::ConsentState;
use throughline_core::{Consent, EvidenceTier, Level, PersonId, Share, SubjectToken};
use throughline_decide::{Action, ActionKind, ActionView, Candidate, Constraints, Cycle, Objective, Policy};
use throughline_stats::stream::Stream;

pub(crate) fn uniform(stream: u64, i: u64) -> f64 {
    Stream::new(20, stream).uniform_at(i)
}

/// A file of the reference data, or `None` (said in the output) where it is absent.
#[expect(clippy::print_stderr, reason = "a test that has nothing to read says so")]
pub(crate) fn reference(file: &str) -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var("THROUGHLINE_REFERENCE").unwrap_or_else(|_| default.to_owned());
    let path = PathBuf::from(root).join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("reference data absent: {} (set THROUGHLINE_REFERENCE)", path.display());
    None
}

pub(crate) fn person(i: u32) -> PersonId {
    let mut token = [0_u8; 16];
    token[..4].copy_from_slice(&i.to_be_bytes());
    PersonId::founded_by(SubjectToken(token))
}

#[expect(clippy::unnecessary_wraps, reason = "the form of the policy's field")]
pub(crate) fn share(value: f64) -> Option<Share> {
    Some(Share::new(value).expect("a share"))
}

pub(crate) fn action(name: &str, cost_micros: i64) -> Action {
    Action {
        name: name.to_owned(),
        kind: ActionKind::Send,
        arm: Some(name.to_owned()),
        cost_micros,
        channel: None,
        consent: Vec::new(),
        eligibility: None,
        cooldown_days: 0.0,
    }
}

/// `none` (position 0), `mail` for 1 and `call` for 3, margin 10 per unit of outcome, no limits.
pub(crate) fn policy() -> Policy {
    let none = Action { kind: ActionKind::None, arm: None, ..action("none", 0) };
    Policy {
        version: "v1".to_owned(),
        objective: Objective::IncrementalProfit,
        actions: vec![none, action("mail", 1_000_000), action("call", 3_000_000)],
        margin: 10.0,
        outcome_is_money: false,
        constraints: Constraints::default(),
        salt: "salt".to_owned(),
    }
}

pub(crate) fn scored(effect: f64) -> ActionView {
    ActionView { effect: Some(effect), ..ActionView::default() }
}

/// A person with the given effects of `mail` and `call`.
pub(crate) fn candidate(i: u32, mail: f64, call: f64) -> Candidate {
    Candidate {
        person: person(i),
        actions: vec![ActionView::default(), scored(mail), scored(call)],
        consent: Consent::all(ConsentState::Granted),
        contacts_in_window: 0,
        score_expired: false,
    }
}

pub(crate) fn cycle(id: &str) -> Cycle {
    Cycle {
        id: id.to_owned(),
        evidence_tier: EvidenceTier::Randomised,
        level: Level::P95,
        top_n: 3,
        held: BTreeSet::new(),
    }
}

/// Two-sided p-value of `hits` successes in `n` draws of probability `p`: all outcomes no likelier than the observed.
pub(crate) fn binomial_p(hits: u32, n: u32, p: f64) -> f64 {
    let mut log = f64::from(n) * (1.0 - p).ln();
    let mut pmf = vec![log];
    for k in 1..=n {
        log += (f64::from(n - k + 1) / f64::from(k)).ln() + p.ln() - (1.0 - p).ln();
        pmf.push(log);
    }
    let observed = pmf[hits as usize];
    pmf.iter().filter(|l| **l <= observed + 1e-9).map(|l| l.exp()).sum::<f64>().min(1.0)
}

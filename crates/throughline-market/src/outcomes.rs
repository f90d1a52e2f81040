//! What else people do: sessions with baskets, calls, sign-ups, returns. All of it follows from touches and purchases and
//! moves neither, so that it leaves every counterfactual as it is.

use throughline_core::EventKind;

use crate::noise::{Noise, Purpose};
use crate::scenario::OutcomeSpec;
use crate::{Life, Person, Purchase, Touch};

/// A visit to the shop: what followed on a click or visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The touch that began it, a position in [`Life::touches`].
    pub touch: usize,
    /// Pages seen, 1 to 12.
    pub pages: u32,
    /// Whether something was put into the basket.
    pub cart: bool,
}

/// A phone call to the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// The touch whose number was called, a position in [`Life::touches`].
    pub touch: usize,
    /// Day of the market, from 0.
    pub day: u32,
    /// Second of the day.
    pub second: u32,
    /// How long it took, in seconds; 0 for calls that nobody answered.
    pub duration_s: u32,
}

/// A purchase brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Return {
    /// The purchase, a position in [`Life::purchases`].
    pub purchase: usize,
    /// Day of the market, from 0; always a written one.
    pub day: u32,
    /// Second of the day.
    pub second: u32,
    /// What was paid back, in millionths of the currency unit.
    pub value_micros: i64,
}

/// An account opened in the shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignUp {
    /// The touch that began the session in which it happened, a position in [`Life::touches`].
    pub touch: usize,
}

/// Calls come within four hours.
const CALL_WITHIN_S: f64 = 4.0 * 3_600.0;
const LAST_SECOND: u32 = 86_399;

/// Whether a touch begins a session.
fn begins_session(touch: &Touch) -> bool {
    matches!(touch.kind, EventKind::Click | EventKind::Visit | EventKind::EmailClicked)
}

/// The sessions of a person, one for each click and visit of the written days, in order.
pub(crate) fn sessions(spec: &OutcomeSpec, noise: &Noise, touches: &[Touch], days: u32) -> Vec<Session> {
    let begun = touches.iter().enumerate().filter(|(_, t)| t.day < days && begins_session(t));
    begun
        .map(|(touch, t)| {
            let unit = |slot| noise.unit(Purpose::Session, t.day, slot_of(touch, slot));
            Session { touch, pages: 1 + pages(unit(0)), cart: unit(1) < spec.cart_share }
        })
        .collect()
}

/// The calls of a person, in the order of their touches.
pub(crate) fn calls(spec: &OutcomeSpec, noise: &Noise, touches: &[Touch], days: u32) -> Vec<Call> {
    let begun = touches.iter().enumerate().filter(|(_, t)| t.day < days && begins_session(t));
    begun
        .filter_map(|(touch, t)| {
            let unit = |slot| noise.unit(Purpose::Call, t.day, slot_of(touch, slot));
            let answered = unit(2) < spec.answered_share;
            let duration_s = if answered { 20 + whole(-180.0 * (1.0 - unit(3)).ln()) } else { 0 };
            let second = (t.second + 30 + whole(CALL_WITHIN_S * unit(1))).min(LAST_SECOND);
            (unit(0) < spec.call_rate).then_some(Call { touch, day: t.day, second, duration_s })
        })
        .collect()
}

/// The account that a person without one opened, at most one.
pub(crate) fn sign_up(
    spec: &OutcomeSpec,
    person: &Person,
    noise: &Noise,
    sessions: &[Session],
    touches: &[Touch],
) -> Option<SignUp> {
    // Whoever has a card has an account already.
    let mut tried = sessions.iter().filter(|_| !person.has_card);
    let opens =
        |s: &&Session| noise.unit(Purpose::SignUp, touches[s.touch].day, slot_of(s.touch, 0)) < spec.sign_up_rate;
    tried.find(opens).map(|s| SignUp { touch: s.touch })
}

/// What is brought back on the written days.
pub(crate) fn returns(spec: &OutcomeSpec, noise: &Noise, purchases: &[Purchase], days: u32) -> Vec<Return> {
    let brought = purchases.iter().enumerate().filter_map(|(purchase, p)| {
        let unit = |slot| noise.unit(Purpose::Return, p.day, slot);
        let day = p.day + 1 + whole(f64::from(spec.return_days) * unit(1));
        let back = Return { purchase, day, second: p.second, value_micros: p.value_micros };
        (unit(0) < spec.return_share && day < days).then_some(back)
    });
    brought.collect()
}

/// Four numbers a touch.
fn slot_of(touch: usize, slot: u32) -> u32 {
    u32::try_from(touch % 1_024).unwrap_or(0) * 4 + slot
}

/// Geometric with mean 2, at most 11.
fn pages(u: f64) -> u32 {
    whole(((1.0 - u).ln() / (2.0_f64 / 3.0).ln()).min(11.0))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn whole(x: f64) -> u32 {
    x as u32
}

impl Life {
    /// The instant at which a session ends, in seconds after it began: half a minute a page.
    pub const fn session_seconds(session: &Session) -> u32 {
        30 * session.pages
    }
}

#[cfg(test)]
mod tests {
    use crate::{Scenario, World};

    #[test]
    fn outcomes_come_in_the_stated_shares_and_after_their_causes() {
        let scenario = Scenario::default().with_people(3_000);
        let world = World::simulate(&scenario, 3).expect("the demo is valid");
        let spec = &scenario.outcomes;
        let lives = world.lives();
        let check = |name: &str, count: usize, share: f64, n: usize| {
            let (n, count) = (n as f64, count as f64);
            let z = (count - n * share) / (n * share * (1.0 - share)).sqrt();
            assert!(z.abs() < 3.5, "{name}: {count} of {n} against {share}, z = {z}");
        };
        let sessions: usize = lives.iter().map(|l| l.sessions.len()).sum();
        check("carts", lives.iter().flat_map(|l| &l.sessions).filter(|s| s.cart).count(), spec.cart_share, sessions);
        check("calls", lives.iter().map(|l| l.calls.len()).sum(), spec.call_rate, sessions);
        let calls: Vec<_> = lives.iter().flat_map(|l| &l.calls).collect();
        check("answered", calls.iter().filter(|c| c.duration_s > 0).count(), spec.answered_share, calls.len());
        for life in lives {
            for call in &life.calls {
                let touch = life.touches[call.touch];
                assert!(call.day == touch.day && call.second >= touch.second.min(86_399));
            }
            for back in &life.returns {
                assert!(back.day > life.purchases[back.purchase].day && back.day < scenario.days);
            }
            assert!(life.sign_up.is_none() || !life.person.has_card);
        }
        let early = |l: &crate::Life| l.purchases.iter().filter(|p| p.day + spec.return_days < scenario.days).count();
        let back = lives.iter().flat_map(|l| l.returns.iter().map(move |r| l.purchases[r.purchase].day));
        let back = back.filter(|day| day + spec.return_days < scenario.days).count();
        check("returns", back, spec.return_share, lives.iter().map(early).sum());
    }
}

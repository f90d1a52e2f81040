//! People: what they are, what is known of them, and how their wish to buy moves.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use throughline_core::{ConsentState, Purpose};
use throughline_stats::dist;

use crate::Arm;
use crate::noise::{self, Noise, Purpose as For};
use crate::scenario::{ArmSpec, IntentSpec, Scenario, SegmentSpec};

const FIRST: [&str; 20] = [
    "ada", "ben", "cleo", "dario", "elif", "finn", "greta", "hugo", "ines", "jonas", "kira", "luis", "mara", "nils",
    "olga", "pavel", "rosa", "samir", "tilda", "yusuf",
];
const LAST: [&str; 20] = [
    "acker", "berg", "costa", "dahl", "engel", "fischer", "garcia", "holm", "ivanov", "jansen", "keller", "lopez",
    "meyer", "novak", "olsen", "petit", "rossi", "silva", "toth", "weber",
];

/// The three kinds of people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Segment {
    /// Known for a short time.
    New,
    /// Ordinary customers.
    Regular,
    /// The best customers.
    Vip,
}

impl Segment {
    /// The name used in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Regular => "regular",
            Self::Vip => "vip",
        }
    }
}

/// What somebody agreed to, by position in [`Purpose::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions([ConsentState; Purpose::ALL.len()]);

impl Permissions {
    /// Whether a purpose was granted.
    pub fn allows(self, purpose: Purpose) -> bool {
        Purpose::ALL.into_iter().zip(self.0).any(|(p, state)| p == purpose && state == ConsentState::Granted)
    }

    /// The state of a purpose.
    pub fn state(self, purpose: Purpose) -> ConsentState {
        let found = Purpose::ALL.into_iter().zip(self.0).find(|(p, _)| *p == purpose);
        found.map_or(ConsentState::Unknown, |(_, state)| state)
    }

    /// Some purposes and their states as sources write them: `purpose=state` joined by `;`.
    pub fn text(self, purposes: &[Purpose]) -> String {
        let wanted = Purpose::ALL.into_iter().zip(self.0).filter(|(p, _)| purposes.contains(p));
        wanted.map(|(p, state)| format!("{p}={}", state.name())).collect::<Vec<_>>().join(";")
    }
}

/// A person. The public fields and names can be known to the business; the others are the truth behind them. Names are
/// made when asked for: a large market draws far more people than it writes addresses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Person {
    /// Number of the person, from 0.
    pub number: u32,
    /// Segment, as the CRM knows it.
    pub segment: Segment,
    /// How many devices the person uses, each with a cookie of its own.
    pub devices: u32,
    /// Whether the person has a loyalty card.
    pub has_card: bool,
    /// Permissions.
    pub consent: Permissions,
    /// Region of residence, a position in [`REGIONS`](Self::REGIONS).
    pub region: u32,
    /// Days between the person's first order and day 0.
    pub tenure_days: u32,
    /// Coupons used last year, which tells price sensitivity with noise.
    pub coupons: u32,
    pub(crate) noise: Noise,
    pub(crate) price_sensitivity: f64,
    pub(crate) annoyed: bool,
    pub(crate) log_odds: f64,
    pub(crate) basket: f64,
    pub(crate) store_share: f64,
}

impl Person {
    /// The regions.
    pub const REGIONS: [&str; 4] = ["north", "east", "south", "west"];
    /// Draws a person.
    pub(crate) fn draw(scenario: &Scenario, noise: &Noise, number: u32) -> Self {
        let unit = |slot| noise.unit(For::Trait, 0, slot);
        let (segment, spec) = segment(scenario, unit(0));
        let price_sensitivity = unit(1);
        let tenure = match segment {
            Segment::New => 90.0,
            Segment::Regular => 900.0,
            Segment::Vip => 2_000.0,
        };
        Self {
            number,
            segment,
            devices: if unit(4) < 0.45 { 2 } else { 1 },
            has_card: unit(5) < spec.loyalty_share,
            consent: permissions(scenario, noise),
            region: noise.index(For::Trait, 0, 12, 4),
            tenure_days: whole(1.0 + tenure * unit(13)),
            coupons: noise::poisson(unit(14), 6.0 * price_sensitivity, 20),
            noise: *noise,
            price_sensitivity,
            annoyed: unit(15) < spec.annoyed_share,
            log_odds: spec.log_odds + scenario.purchase.spread * noise.normal(For::Trait, 0, 16),
            basket: spec.basket * (0.25 * noise.normal(For::Trait, 0, 17) - 0.5 * 0.25 * 0.25).exp(),
            store_share: spec.store_share,
        }
    }

    fn code(&self, slot: u32) -> u64 {
        self.noise.stream(For::Trait).u64_at(self.noise.at(0, slot))
    }

    fn one_of(&self, slot: u32, names: &[&'static str; 20]) -> &'static str {
        names.get(self.noise.index(For::Trait, 0, slot, 20) as usize).copied().unwrap_or(names[0])
    }

    /// First name, in small letters.
    pub fn first_name(&self) -> &'static str {
        self.one_of(2, &FIRST)
    }

    /// Last name, in small letters.
    pub fn last_name(&self) -> &'static str {
        self.one_of(3, &LAST)
    }

    /// E-mail address.
    pub fn email(&self) -> String {
        format!("{}.{}.{:05}@people.example", self.first_name(), self.last_name(), self.number)
    }

    /// Phone number in the international form, of a range that is nobody's.
    pub fn phone(&self) -> String {
        format!("+4915550{:07}", self.number)
    }

    /// Customer number.
    pub fn crm_id(&self) -> String {
        format!("C{:06}", self.number)
    }

    /// Number of the loyalty card, when the person has one.
    pub fn loyalty_id(&self) -> Option<String> {
        self.has_card.then(|| format!("L{:010}", self.code(6) % 10_000_000_000))
    }

    /// The cookie of a device, as a number.
    pub fn cookie_code(&self, device: u32) -> u64 {
        self.code(8 + device)
    }

    /// The cookie of a device.
    pub fn cookie(&self, device: u32) -> String {
        format!("ck_{:016x}", self.cookie_code(device))
    }

    /// Name of the region.
    pub fn region_name(&self) -> &'static str {
        Self::REGIONS.get(self.region as usize).copied().unwrap_or(Self::REGIONS[0])
    }

    /// Whether marketing e-mail may be sent.
    pub fn contactable(&self) -> bool {
        self.consent.allows(Purpose::Messaging)
    }

    /// Log-odds that the arm's e-mail adds on its first day.
    pub(crate) fn lift(&self, scenario: &Scenario, arm: Arm) -> f64 {
        let Some(spec) = arm_spec(scenario, arm) else { return 0.0 };
        if self.annoyed {
            return spec.annoyed;
        }
        let by_segment = match self.segment {
            Segment::New => spec.new,
            Segment::Regular => spec.regular,
            Segment::Vip => spec.vip,
        };
        by_segment + spec.price_slope * (self.price_sensitivity - 0.5)
    }
}

/// The numbers of an e-mail arm; `None` for the arm that sends nothing.
pub(crate) const fn arm_spec(scenario: &Scenario, arm: Arm) -> Option<&ArmSpec> {
    match arm {
        Arm::None => None,
        Arm::EmailOffer => Some(&scenario.experiment.offer),
        Arm::EmailNews => Some(&scenario.experiment.news),
    }
}

fn segment(scenario: &Scenario, u: f64) -> (Segment, &SegmentSpec) {
    let segments = &scenario.segments;
    if u < segments.new.share {
        (Segment::New, &segments.new)
    } else if u < segments.new.share + segments.regular.share {
        (Segment::Regular, &segments.regular)
    } else {
        (Segment::Vip, &segments.vip)
    }
}

/// Purposes are drawn one by one; who refuses one tends to refuse others (a common normal factor, weight 0.6).
fn permissions(scenario: &Scenario, noise: &Noise) -> Permissions {
    let common = noise.normal(For::Consent, 0, 0);
    let mut slot = 0;
    Permissions(Purpose::ALL.map(|purpose| {
        slot += 1;
        let score = 0.6 * common + 0.8 * noise.normal(For::Consent, 0, slot);
        let granted = scenario.consent.granted.get(&purpose).copied().unwrap_or(0.0);
        if dist::normal_cdf(score) < granted {
            ConsentState::Granted
        } else if noise.unit(For::Consent, 1, slot) < scenario.consent.unknown {
            ConsentState::Unknown
        } else {
            ConsentState::Denied
        }
    }))
}

/// Intent on days 0, …, `days` − 1: `swing · cos(2π (t / period + phase))` plus a stationary first-order autoregression.
pub(crate) fn intent(spec: &IntentSpec, noise: &Noise, days: u32) -> Vec<f64> {
    let period = spec.shortest_days + (spec.longest_days - spec.shortest_days) * noise.unit(For::Trait, 0, 20);
    let phase = noise.unit(For::Trait, 0, 21);
    let mut deviation = 0.0;
    (0..days)
        .map(|day| {
            deviation = spec.persistence * deviation + spec.noise * noise.normal(For::Intent, day, 0);
            spec.swing * (TAU * (f64::from(day) / period + phase)).cos() + deviation
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "day counts are small and positive")]
fn whole(days: f64) -> u32 {
    days as u32
}

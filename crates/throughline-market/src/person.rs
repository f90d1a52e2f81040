//! People: what they are, what is known of them, and how their wish to buy moves.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use throughline_core::{Consent, Purpose};
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
const REGIONS: [&str; 4] = ["north", "east", "south", "west"];

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

/// A person. The public fields can be known to the business; the others are the truth behind them.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// Number of the person, from 0.
    pub number: u32,
    /// Segment, as the CRM knows it.
    pub segment: Segment,
    /// E-mail address.
    pub email: String,
    /// Customer number.
    pub crm_id: String,
    /// Loyalty card, when the person has one.
    pub loyalty_id: Option<String>,
    /// Cookie of each device, one or two.
    pub cookies: Vec<String>,
    /// Permissions.
    pub consent: Consent,
    /// Region of residence.
    pub region: &'static str,
    /// Days between the person's first order and day 0.
    pub tenure_days: u32,
    /// Coupons used last year, which tells price sensitivity with noise.
    pub coupons: u32,
    pub(crate) price_sensitivity: f64,
    pub(crate) annoyed: bool,
    pub(crate) log_odds: f64,
    pub(crate) basket: f64,
    pub(crate) store_share: f64,
}

impl Person {
    /// Draws a person.
    pub(crate) fn draw(scenario: &Scenario, noise: &Noise, number: u32) -> Self {
        let unit = |slot| noise.unit(For::Trait, 0, slot);
        let (segment, spec) = segment(scenario, unit(0));
        let price_sensitivity = unit(1);
        let name = |slot, names: &[&'static str; 20]| names[noise.index(For::Trait, 0, slot, 20) as usize];
        let devices = if unit(4) < 0.45 { 2 } else { 1 };
        let code = |slot| noise.stream(For::Trait).u64_at(noise.at(0, slot));
        let tenure = match segment {
            Segment::New => 90.0,
            Segment::Regular => 900.0,
            Segment::Vip => 2_000.0,
        };
        Self {
            number,
            segment,
            email: format!("{}.{}.{number:05}@people.example", name(2, &FIRST), name(3, &LAST)),
            crm_id: format!("C{number:06}"),
            loyalty_id: (unit(5) < spec.loyalty_share).then(|| format!("L{:010}", code(6) % 10_000_000_000)),
            cookies: (0..devices).map(|device| format!("ck_{:016x}", code(8 + device))).collect(),
            consent: consent(scenario, noise),
            region: REGIONS[noise.index(For::Trait, 0, 12, 4) as usize],
            tenure_days: whole(1.0 + tenure * unit(13)),
            coupons: noise::poisson(unit(14), 6.0 * price_sensitivity, 20),
            price_sensitivity,
            annoyed: unit(15) < spec.annoyed_share,
            log_odds: spec.log_odds + scenario.purchase.spread * noise.normal(For::Trait, 0, 16),
            basket: spec.basket * (0.25 * noise.normal(For::Trait, 0, 17) - 0.5 * 0.25 * 0.25).exp(),
            store_share: spec.store_share,
        }
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
fn consent(scenario: &Scenario, noise: &Noise) -> Consent {
    let common = noise.normal(For::Consent, 0, 0);
    let pairs: Vec<String> = Purpose::ALL
        .into_iter()
        .zip(1..)
        .map(|(purpose, slot)| {
            let score = 0.6 * common + 0.8 * noise.normal(For::Consent, 0, slot);
            let granted = scenario.consent.granted.get(&purpose).copied().unwrap_or(0.0);
            if dist::normal_cdf(score) < granted {
                format!("{purpose}=granted")
            } else if noise.unit(For::Consent, 1, slot) < scenario.consent.unknown {
                format!("{purpose}=unknown")
            } else {
                format!("{purpose}=denied")
            }
        })
        .collect();
    // The text just made is one that core reads; nothing granted is the safe answer otherwise.
    pairs.join(";").parse().unwrap_or_default()
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

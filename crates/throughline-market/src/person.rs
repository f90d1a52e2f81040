//! People: what they are, what is known of them, and how their wish to buy moves.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};
use throughline_core::{ConsentState, Purpose};
use throughline_stats::dist;

use crate::Arm;
use crate::noise::{self, Noise, Purpose as For};
use crate::scenario::{ArmSpec, IntentSpec, PopulationSpec, Scenario, SegmentSpec};

const FIRST: [&str; 20] = [
    "ada", "ben", "cleo", "dario", "elif", "finn", "greta", "hugo", "ines", "jonas", "kira", "luis", "mara", "nils",
    "olga", "pavel", "rosa", "samir", "tilda", "yusuf",
];
const LAST: [&str; 20] = [
    "acker", "berg", "costa", "dahl", "engel", "fischer", "garcia", "holm", "ivanov", "jansen", "keller", "lopez",
    "meyer", "novak", "olsen", "petit", "rossi", "silva", "toth", "weber",
];

/// Areas of a region.
pub(crate) const AREAS_PER_REGION: u32 = 10;

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
    /// Permissions on day 0; see [`allows_on`](Self::allows_on) for later days.
    pub consent: Permissions,
    /// Region of residence on day 0, a position in [`REGIONS`](Self::REGIONS).
    pub region: u32,
    /// Area of residence on day 0: ten to a region, which is `area / 10`.
    pub area: u32,
    /// The day on which the person moves, and to which area.
    pub moves: Option<(u32, u32)>,
    /// Number of the first person of the household; the person's own where nobody else lives there.
    pub household: u32,
    /// Whether the second device is the first of the other person of the household.
    pub shares_device: bool,
    /// The first day on which the person is no customer any more; `u32::MAX` for those who stay beyond all days drawn.
    pub(crate) churn_day: u32,
    /// The day on which each granted purpose is withdrawn, by position in [`Purpose::ALL`]; `u32::MAX` for never.
    pub(crate) withdrawn: [u32; Purpose::ALL.len()],
    /// Days between the person's first order and day 0.
    pub tenure_days: u32,
    /// Coupons used last year, which tells price sensitivity with noise.
    pub coupons: u32,
    pub(crate) noise: Noise,
    pub(crate) price_sensitivity: f64,
    pub(crate) annoyed: bool,
    /// Log-odds of the segment, around which `log_odds` of its people spread.
    pub(crate) base_log_odds: f64,
    pub(crate) log_odds: f64,
    pub(crate) basket: f64,
    pub(crate) store_share: f64,
}

impl Person {
    /// The regions.
    pub const REGIONS: [&str; 4] = ["north", "east", "south", "west"];
    /// How many areas there are, ten to a region.
    pub const AREAS: u32 = 4 * AREAS_PER_REGION;

    /// The area lived in on a day.
    pub fn area_on(&self, day: u32) -> u32 {
        self.moves.filter(|(from, _)| *from <= day).map_or(self.area, |(_, area)| area)
    }

    /// The region lived in on a day.
    pub fn region_on(&self, day: u32) -> u32 {
        self.area_on(day) / AREAS_PER_REGION
    }

    /// Name of an area, such as `north_03`.
    pub fn area_name(area: u32) -> String {
        let region = Self::REGIONS.get((area / AREAS_PER_REGION) as usize).copied().unwrap_or(Self::REGIONS[0]);
        format!("{region}_{:02}", area % AREAS_PER_REGION)
    }

    /// Street and place of the household on a day.
    pub fn address_on(&self, day: u32) -> String {
        let home = self.noise.of(self.household);
        let moved = u32::from(self.moves.is_some_and(|(from, _)| from <= day));
        // Who moves leaves the household's address.
        let home = if moved == 1 { self.noise } else { home };
        let number = 1 + home.index(For::Trait, 1 + moved, 29, 9_000);
        format!("{number} {} street, {}", LAST[(number % 20) as usize], Self::area_name(self.area_on(day)))
    }

    /// Whether a purpose is permitted on a day: granted on day 0 and not withdrawn by then.
    pub fn allows_on(&self, purpose: Purpose, day: u32) -> bool {
        let withdrawn = Purpose::ALL.into_iter().zip(self.withdrawn).any(|(p, from)| p == purpose && from <= day);
        self.consent.allows(purpose) && !withdrawn
    }

    /// What was withdrawn, and on which day, before the end of a span of days.
    pub fn withdrawals(&self, days: u32) -> impl Iterator<Item = (Purpose, u32)> {
        Purpose::ALL.into_iter().zip(self.withdrawn).filter(move |(_, day)| *day < days)
    }

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
        let home = Home::draw(&scenario.population, noise, number);
        let region = noise.index(For::Trait, 0, 12, 4);
        let leaves = noise::geometric(unit(28), spec.churn_per_day);
        let moves = unit(23) < scenario.population.mover_share;
        let day = |slot| noise.index(For::Trait, 0, slot, scenario.all_days());
        Self {
            number,
            segment,
            devices: if home.shares_device || unit(4) < 0.45 { 2 } else { 1 },
            area: region * AREAS_PER_REGION + noise.index(For::Trait, 0, 22, AREAS_PER_REGION),
            moves: moves.then(|| (day(24), noise.index(For::Trait, 0, 25, Self::AREAS))),
            household: home.head,
            shares_device: home.shares_device,
            churn_day: leaves,
            withdrawn: withdrawals(scenario, noise),
            has_card: unit(5) < spec.loyalty_share,
            consent: permissions(scenario, noise),
            region,
            tenure_days: whole(1.0 + tenure * unit(13)),
            coupons: noise::poisson(unit(14), 6.0 * price_sensitivity, 20),
            noise: *noise,
            price_sensitivity,
            annoyed: unit(15) < spec.annoyed_share,
            base_log_odds: spec.log_odds,
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
        let head = Self { noise: self.noise.of(self.household), ..*self };
        head.one_of(3, &LAST)
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
        if device == 1 && self.shares_device {
            let other = self.noise.of(self.number ^ 1);
            return Self { noise: other, ..*self }.code(8);
        }
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

    /// Whether marketing messages may be sent on a day.
    pub fn contactable_on(&self, day: u32) -> bool {
        self.allows_on(Purpose::Messaging, day)
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

/// With whom a person lives.
struct Home {
    head: u32,
    shares_device: bool,
}

impl Home {
    /// People 2k and 2k + 1 live together with the scenario's probability, drawn for both from the first one's numbers.
    fn draw(spec: &PopulationSpec, noise: &Noise, number: u32) -> Self {
        let first = noise.of(number & !1);
        let together = first.unit(For::Trait, 0, 26) < spec.household_share;
        let shared = together && number % 2 == 1 && first.unit(For::Trait, 0, 27) < spec.shared_device_share;
        Self { head: if together { number & !1 } else { number }, shares_device: shared }
    }
}

/// The day on which each granted purpose is withdrawn.
fn withdrawals(scenario: &Scenario, noise: &Noise) -> [u32; Purpose::ALL.len()] {
    let mut slot = 0;
    Purpose::ALL.map(|_| {
        slot += 1;
        if noise.unit(For::ConsentChange, 1, slot) < scenario.consent.withdrawn_share {
            1 + noise.index(For::ConsentChange, 2, slot, scenario.all_days().max(2) - 1)
        } else {
            u32::MAX
        }
    })
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

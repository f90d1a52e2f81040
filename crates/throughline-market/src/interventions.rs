//! What is done to people beside the e-mail test: designs whose effect a reader of the files can recover, each with its own
//! difficulty.
//!
//! | Design | What moves | Difficulty |
//! |---|---|---|
//! | geo test | a channel's reach in some areas | spills over to neighbouring areas |
//! | roll-out | log-odds in areas, from their wave's day on | areas differ in when they begin |
//! | send-time lottery | the chance that a newsletter is opened | opening is chosen, only the slot is random |
//! | voucher | log-odds and price of everyone above a score | the score follows the wish to buy |
//! | outreach | log-odds of those whom staff chose to call | they chose by what no file tells |
//!
//! All of it follows areas, traits and intent, never purchases: a counterfactual is the same market with the design's field
//! changed and every random number kept.

use serde::{Deserialize, Serialize};
use throughline_stats::dist;

use crate::Person;
use crate::noise::{Noise, Purpose};
use crate::plan::Plan;

/// The designs in use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InterventionSpec {
    /// Log-odds taken from an e-mail for each e-mail with an offer or news in the 28 days before.
    pub fatigue: f64,
    /// More or less of a channel in some areas.
    pub geo_test: Option<GeoTestSpec>,
    /// Something new that comes to areas in waves.
    pub rollout: Option<RolloutSpec>,
    /// A newsletter that goes out to half of its readers at a better hour.
    pub lottery: Option<LotterySpec>,
    /// A voucher for everyone above a score.
    pub voucher: Option<VoucherSpec>,
    /// Calls to those whom staff chose.
    pub outreach: Option<OutreachSpec>,
}

/// A test by area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeoTestSpec {
    /// The channel.
    pub channel: String,
    /// Its first day.
    pub from_day: u32,
    /// How many days.
    pub days: u32,
    /// Factor on reach in the treated areas; 0 turns the channel off.
    pub factor: f64,
    /// How many of the 40 areas are treated, drawn at random.
    pub treated_areas: u32,
    /// Share of the change that reaches an untreated area between two treated ones; half of it with one.
    #[serde(default)]
    pub spillover: f64,
}

/// A staggered roll-out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutSpec {
    /// Log-odds added where it has come.
    pub lift: f64,
    /// The waves; areas of none keep waiting.
    pub waves: Vec<WaveSpec>,
}

/// A wave of a roll-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaveSpec {
    /// The day on which it begins.
    pub day: u32,
    /// How many areas, drawn at random.
    pub areas: u32,
}

/// A send-time lottery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LotterySpec {
    /// The newsletter of this day or the next one after it.
    pub day: u32,
    /// Days over which outcomes count.
    pub window_days: u32,
    /// Probability of the better hour.
    pub share: f64,
    /// Factor on the probability of opening at the better hour.
    pub boost: f64,
}

/// A voucher by score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherSpec {
    /// The day on which vouchers go out.
    pub day: u32,
    /// Days over which a voucher works.
    pub window_days: u32,
    /// Score, 0 to 100, from which on a voucher is sent; above 100 for nobody.
    pub cut: f64,
    /// Log-odds added.
    pub lift: f64,
    /// Share of the list price given away.
    pub discount: f64,
}

/// Calls to chosen people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutreachSpec {
    /// The day of the calls.
    pub day: u32,
    /// Days over which a call works.
    pub window_days: u32,
    /// Log-odds of being called.
    pub log_odds: f64,
    /// Slope of it on coupons used, less their mean of three, over three: what files tell.
    pub on_coupons: f64,
    /// Slope of it on the day's intent: what no file tells.
    pub on_intent: f64,
    /// Log-odds added to a purchase on the first day.
    pub lift: f64,
    /// Days in which that halves.
    pub half_life_days: f64,
}

/// What the designs do in each area.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Area {
    pub(crate) treated: bool,
    /// Factor on the tested channel's reach while the test runs.
    pub(crate) factor: f64,
    /// The wave's day, for areas of a wave.
    pub(crate) launch: Option<u32>,
}

/// Draws the areas of the designs, with the numbers of nobody.
pub(crate) fn areas(spec: &InterventionSpec, seed: u64) -> Vec<Area> {
    let noise = Noise::new(seed, u32::MAX);
    let order = |slot: u32| {
        let mut areas: Vec<usize> = (0..Person::AREAS as usize).collect();
        areas.sort_by(|a, b| {
            let key = |area: &usize| noise.unit(Purpose::Area, slot, u32::try_from(*area).unwrap_or(0));
            key(a).total_cmp(&key(b))
        });
        areas
    };
    let mut areas = vec![Area { factor: 1.0, ..Area::default() }; Person::AREAS as usize];
    if let Some(test) = &spec.geo_test {
        for area in order(0).into_iter().take(test.treated_areas as usize) {
            areas[area].treated = true;
            areas[area].factor = test.factor;
        }
        let count = areas.len();
        for area in (0..count).filter(|a| !areas[*a].treated).collect::<Vec<_>>() {
            let beside = [(area + count - 1) % count, (area + 1) % count];
            let treated = beside.into_iter().filter(|a| areas[*a].treated).count() as f64;
            areas[area].factor = 1.0 + test.spillover * (test.factor - 1.0) * treated / 2.0;
        }
    }
    if let Some(rollout) = &spec.rollout {
        let mut order = order(1).into_iter();
        for wave in &rollout.waves {
            order.by_ref().take(wave.areas as usize).for_each(|area| areas[area].launch = Some(wave.day));
        }
    }
    areas
}

/// The score by which vouchers go out, 0 to 100, uniform over people and rising with the wish to buy: the normal
/// distribution function of 0.7 times the person's standardised own log-odds and noise.
pub(crate) fn voucher_score(plan: &Plan, person: &Person) -> f64 {
    let spread = plan.scenario.purchase.spread.max(1e-9);
    let own = (person.log_odds - person.base_log_odds) / spread;
    let noise = person.noise.normal(Purpose::Voucher, 0, 0);
    let score = 100.0 * dist::normal_cdf(0.7 * own + 0.51_f64.sqrt() * noise);
    // Two decimals, as in a file.
    (score * 100.0).round() / 100.0
}

/// Whether a person gets a voucher.
pub(crate) fn has_voucher(plan: &Plan, spec: &VoucherSpec, person: &Person) -> bool {
    person.contactable_on(spec.day) && voucher_score(plan, person) >= spec.cut
}

/// Whether staff call a person, who may be called.
pub(crate) fn is_called(spec: &OutreachSpec, person: &Person, intent: &[f64]) -> bool {
    let today = intent.get(spec.day as usize).copied().unwrap_or(0.0);
    let x = spec.log_odds + spec.on_coupons * (f64::from(person.coupons) - 3.0) / 3.0 + spec.on_intent * today;
    person.contactable_on(spec.day) && person.noise.unit(Purpose::Outreach, 0, 0) < 1.0 / (1.0 + (-x).exp())
}

/// Whether a person's newsletter goes out at the better hour.
pub(crate) fn wins(spec: &LotterySpec, person: &Person) -> bool {
    person.noise.unit(Purpose::Lottery, 0, 0) < spec.share
}

/// Adds what the designs add to a person's log-odds, and takes what they take from prices, day by day.
pub(crate) fn act(plan: &Plan, person: &Person, intent: &[f64], log_odds: &mut [f64], price: &mut [f64]) {
    let spec = &plan.scenario.interventions;
    if let Some(rollout) = &spec.rollout {
        for (day, x) in (0_u32..).zip(log_odds.iter_mut()) {
            let launch = plan.areas.get(person.area_on(day) as usize).and_then(|a| a.launch);
            if launch.is_some_and(|from| from <= day) {
                *x += rollout.lift;
            }
        }
    }
    if let Some(voucher) = spec.voucher.as_ref().filter(|v| has_voucher(plan, v, person)) {
        let end = ((voucher.day + voucher.window_days) as usize).min(log_odds.len());
        for day in (voucher.day as usize).min(end)..end {
            log_odds[day] += voucher.lift;
            price[day] = f64::min(price[day], plan.price[day] * (1.0 - voucher.discount));
        }
    }
    if let Some(outreach) = spec.outreach.as_ref().filter(|o| is_called(o, person, intent)) {
        let window = log_odds.iter_mut().skip(outreach.day as usize).take(outreach.window_days as usize);
        for (day, x) in (0_u32..).zip(window) {
            *x += outreach.lift * (-f64::from(day) / outreach.half_life_days).exp2();
        }
    }
}

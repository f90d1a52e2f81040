//! What a market is made of. Every field has the demo's value as default.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use throughline_core::{Diagnostic, Purpose, Timestamp};

use crate::{Carryover, IncidentSpec, InterventionSpec, Saturation};

/// A market. The default is the demo: 5,000 people over 90 days with an e-mail test on day 60.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// `throughline/v1`.
    #[serde(rename = "apiVersion")]
    pub api_version: String,
    /// `Market`.
    pub kind: String,
    /// Number of people, 1 to 100 million. Above 200,000 a market is streamed: written, never held.
    pub people: u32,
    /// Days written to files, 1 to 730.
    pub days: u32,
    /// Days for which a closed loop may go on after them. Everything is drawn for both, so that going on changes nothing
    /// that was written; together at most 730.
    pub later_days: u32,
    /// Midnight (UTC) at which day 0 begins.
    pub start: Timestamp,
    /// ISO 4217 code of the currency of every amount.
    pub currency: String,
    /// Kinds of people.
    pub segments: Segments,
    /// Who lives together, who moves, and who is no person at all.
    pub population: PopulationSpec,
    /// How the wish to buy moves.
    pub intent: IntentSpec,
    /// Permissions.
    pub consent: ConsentSpec,
    /// What moves everybody on a day.
    pub calendar: CalendarSpec,
    /// The channels in use, by name.
    pub channels: BTreeMap<String, ChannelSpec>,
    /// Pairs of channels that work better or worse together.
    pub interactions: Vec<Interaction>,
    /// Up to this factor on its reach a channel grows when a larger budget is delivered in a closed loop; 1 to 10.
    pub most_budget: f64,
    /// Budgets that change on a day: planned, or delivered in a closed loop.
    pub budgets: Vec<BudgetChange>,
    /// How wishes become purchases.
    pub purchase: PurchaseSpec,
    /// What else people do.
    pub outcomes: OutcomeSpec,
    /// The e-mail test.
    pub experiment: ExperimentSpec,
    /// What else is done to people, at random and not.
    pub interventions: InterventionSpec,
    /// What goes wrong in the files, every day.
    pub faults: FaultSpec,
    /// What goes wrong on known days.
    pub incidents: Vec<IncidentSpec>,
}

/// The three kinds of people; their shares sum to one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segments {
    /// Known for a short time.
    pub new: SegmentSpec,
    /// Ordinary customers.
    pub regular: SegmentSpec,
    /// The best customers.
    pub vip: SegmentSpec,
}

/// One kind of people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentSpec {
    /// Share of all people.
    pub share: f64,
    /// Log-odds of a purchase on a day without wish or touch.
    pub log_odds: f64,
    /// Mean order value at list price, in currency units.
    pub basket: f64,
    /// Share with a loyalty card.
    pub loyalty_share: f64,
    /// Share of purchases made in a store.
    pub store_share: f64,
    /// Share of people whom e-mails put off.
    pub annoyed_share: f64,
    /// Probability that a customer of this kind leaves for good on a day.
    #[serde(default)]
    pub churn_per_day: f64,
}

/// Who lives together, who moves, and who is no person at all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PopulationSpec {
    /// Probability that two people with neighbouring numbers share name and address.
    pub household_share: f64,
    /// Probability that the two of a household share a device, and so a cookie.
    pub shared_device_share: f64,
    /// Share of people who move to another area on some day.
    pub mover_share: f64,
    /// Programs that click on advertisements every day, for each thousand people.
    pub bots_per_thousand: f64,
}

/// Intent: a cycle of the person's own period and phase plus a first-order autoregression, on the log-odds scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntentSpec {
    /// Height of the cycle.
    pub swing: f64,
    /// Shortest period in days.
    pub shortest_days: f64,
    /// Longest period in days.
    pub longest_days: f64,
    /// Standard deviation of the daily innovation.
    pub noise: f64,
    /// Carry-over of the deviation to the next day, 0 to 1.
    pub persistence: f64,
}

/// Permissions, drawn for each person and purpose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentSpec {
    /// Probability that a purpose was granted; 0 for purposes left out.
    pub granted: BTreeMap<Purpose, f64>,
    /// Probability that a purpose not granted is unknown rather than denied.
    pub unknown: f64,
    /// Probability that a granted purpose is withdrawn on some day.
    #[serde(default)]
    pub withdrawn_share: f64,
}

/// What moves everybody on a day: the week, a trend, and windows such as holidays, promotions and a competitor's campaign.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CalendarSpec {
    /// Log-odds added on each day of the week, Monday first: seven, or none.
    pub weekdays: Vec<f64>,
    /// Log-odds added each day since day 0.
    pub trend_per_day: f64,
    /// Spans of days that differ.
    pub windows: Vec<WindowSpec>,
}

/// A span of days that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowSpec {
    /// What it is.
    pub name: String,
    /// Its first day.
    pub from_day: u32,
    /// How many days.
    pub days: u32,
    /// Log-odds added.
    #[serde(default)]
    pub lift: f64,
    /// Share of the list price given away on every order.
    #[serde(default)]
    pub discount: f64,
}

/// When a channel runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlightSpec {
    /// Its first day.
    pub from_day: u32,
    /// How many days.
    pub days: u32,
    /// Factor on reach.
    #[serde(default = "one")]
    pub factor: f64,
    /// Only in these regions; everywhere when empty.
    #[serde(default)]
    pub regions: Vec<String>,
}

fn one() -> f64 {
    1.0
}

const fn weekly() -> u32 {
    7
}

/// How a channel reaches and moves people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelSpec {
    /// Mean touches a day at intent 0 (for e-mail: probability that a newsletter is opened; for other messages:
    /// probability that one is sent on its day).
    pub reach: f64,
    /// Slope of log reach on intent: how strongly the channel follows the wish to buy.
    #[serde(default)]
    pub targeting: f64,
    /// Probability that what is shown (or opened) is clicked.
    #[serde(default)]
    pub click_rate: f64,
    /// Log-odds added at full saturation.
    pub effect: f64,
    /// How long a touch lasts.
    pub carryover: Carryover,
    /// How touches wear off.
    pub saturation: Saturation,
    /// Cost of an impression or a message sent, in currency units.
    #[serde(default)]
    pub cost_per_impression: f64,
    /// Cost of a click, in currency units.
    #[serde(default)]
    pub cost_per_click: f64,
    /// Currency units a day, before prices react: demand beyond it is paced evenly over the day. The realised cost
    /// varies around it as touches do.
    #[serde(default)]
    pub daily_budget: Option<f64>,
    /// Auctions: the price of a day is that of the mean day times (demand / mean demand) to this power.
    #[serde(default)]
    pub price_elasticity: f64,
    /// Days between messages of the channels that send on fixed days.
    #[serde(default = "weekly")]
    pub every_days: u32,
    /// When the channel runs; always when empty.
    #[serde(default)]
    pub flights: Vec<FlightSpec>,
    /// Campaigns; one of the channel's name when empty.
    #[serde(default)]
    pub campaigns: Vec<CampaignSpec>,
}

/// A channel's budget from a day on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BudgetChange {
    /// The channel.
    pub channel: String,
    /// The first day of it.
    pub from_day: u32,
    /// Currency units a day. Above the day's demand the channel reaches more people, up to `most_budget` times as many.
    pub daily_budget: f64,
}

/// A campaign of a channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignSpec {
    /// Name in files.
    pub name: String,
    /// Slope of the log share of this campaign on intent.
    #[serde(default)]
    pub targeting: f64,
    /// Factor on what a touch adds to the adstock.
    pub strength: f64,
}

/// An effect of two channels together: `effect · pull(first) · pull(second)` log-odds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interaction {
    /// One channel.
    pub first: String,
    /// The other.
    pub second: String,
    /// Log-odds when both are saturated.
    pub effect: f64,
}

/// Purchases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurchaseSpec {
    /// Standard deviation of people's own log-odds.
    pub spread: f64,
    /// Days until a purchase is forgotten, 1 to 60.
    pub recovery_days: u32,
    /// Log-odds taken away on the day after a purchase, falling to 0 linearly.
    pub suppression: f64,
    /// Standard deviation of log order values, 0 to 1.5.
    pub value_spread: f64,
    /// Contribution margin as a share of the list price.
    pub margin: f64,
}

/// What people do beside buying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutcomeSpec {
    /// Share of sessions in which something is put into the basket.
    pub cart_share: f64,
    /// Probability that a session leads to a call.
    pub call_rate: f64,
    /// Share of calls that are answered.
    pub answered_share: f64,
    /// Probability that somebody without a card opens an account in a session.
    pub sign_up_rate: f64,
    /// Share of purchases brought back.
    pub return_share: f64,
    /// Days within which they are, 1 to 365.
    pub return_days: u32,
}

/// The e-mail test and the campaign decided afterwards: both start on a day and work over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentSpec {
    /// Day of the assignment.
    pub day: u32,
    /// Days over which outcomes count.
    pub window_days: u32,
    /// Days in which an e-mail's effect halves.
    pub half_life_days: f64,
    /// The e-mail with a discount.
    pub offer: ArmSpec,
    /// The e-mail with news.
    pub news: ArmSpec,
}

/// One e-mail of the test. The rest of the probability goes to sending nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmSpec {
    /// Probability of assignment.
    pub probability: f64,
    /// Cost of sending, in currency units.
    pub send_cost: f64,
    /// Share of the list price given away on every order within the window.
    pub discount: f64,
    /// Log-odds added on the first day for new people.
    pub new: f64,
    /// The same for regulars.
    pub regular: f64,
    /// The same for the best customers.
    pub vip: f64,
    /// Added per unit of price sensitivity above one half.
    pub price_slope: f64,
    /// Replaces all of the above for people whom e-mails put off.
    pub annoyed: f64,
}

/// What goes wrong in the files. Truth is unaffected: copies carry the id of the original, and malformed rows come in
/// addition to the real ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Rows written twice.
    pub duplicate_share: f64,
    /// Extra rows with an unreadable time or a negative amount.
    pub malformed_share: f64,
    /// Rows received one to three days after they happened.
    pub late_share: f64,
}

impl Scenario {
    /// Every day that can ever be written.
    pub(crate) const fn all_days(&self) -> u32 {
        self.days.saturating_add(self.later_days)
    }

    /// Every fault of the scenario; empty when it can be simulated.
    pub fn validate(&self) -> Vec<Diagnostic> {
        crate::check::check(self)
    }

    /// The demo with another number of people.
    #[must_use]
    pub fn with_people(mut self, people: u32) -> Self {
        self.people = people;
        self
    }
}

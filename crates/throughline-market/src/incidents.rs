//! What goes wrong on known days: in the world, where people feel it, or in the files alone, where only readers do.

use serde::{Deserialize, Serialize};

use crate::Person;
use crate::plan::Plan;

/// Something that goes wrong on some days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IncidentSpec {
    /// Its first day.
    pub from_day: u32,
    /// How many days.
    pub days: u32,
    /// What goes wrong.
    pub fault: Fault,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Advertising events are not recorded. A fault of files.
    TrackingLoss {
        /// Share of them.
        share: f64,
    },
    /// On-line orders are recorded twice, the second time under a new id. A fault of files.
    DoubleFiring {
        /// Share of them.
        share: f64,
    },
    /// A channel costs more than it should; nobody sees more of it.
    SpendSpike {
        /// The channel.
        channel: String,
        /// Factor on its prices.
        factor: f64,
    },
    /// Programs click on a channel's advertisements.
    BotTraffic {
        /// The channel.
        channel: String,
        /// How many programs.
        bots: u32,
        /// Clicks of each a day.
        clicks_per_day: f64,
    },
    /// The shop asks a wrong price, and people react.
    PriceError {
        /// Factor on list prices.
        factor: f64,
        /// Log-odds added for each halving of the price.
        response: f64,
    },
    /// People buy less and less, and stay there.
    SlowDecline {
        /// Log-odds lost at the end.
        depth: f64,
    },
    /// On-line orders arrive later. A fault of files.
    LateFeed {
        /// Days of delay.
        delay_days: u32,
    },
    /// On-line orders carry their value under another name. A fault of files.
    SchemaChange {},
    /// A policy writes to everybody who may be written to, and puts them off.
    HarmfulPolicy {
        /// Log-odds added while it runs; negative.
        lift: f64,
    },
}

impl Fault {
    /// The name in files.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::TrackingLoss { .. } => "tracking_loss",
            Self::DoubleFiring { .. } => "double_firing",
            Self::SpendSpike { .. } => "spend_spike",
            Self::BotTraffic { .. } => "bot_traffic",
            Self::PriceError { .. } => "price_error",
            Self::SlowDecline { .. } => "slow_decline",
            Self::LateFeed { .. } => "late_feed",
            Self::SchemaChange {} => "schema_change",
            Self::HarmfulPolicy { .. } => "harmful_policy",
        }
    }

    /// The series in which it shows first.
    pub fn series(&self) -> String {
        match self {
            Self::TrackingLoss { .. } => "ad_events.rows".to_owned(),
            Self::DoubleFiring { .. } => "web_orders.rows".to_owned(),
            Self::SpendSpike { channel, .. } => format!("spend.{channel}"),
            Self::BotTraffic { channel, .. } => format!("ad_events.{channel}"),
            Self::PriceError { .. } => "orders.mean_value".to_owned(),
            Self::SlowDecline { .. } | Self::HarmfulPolicy { .. } => "orders.rows".to_owned(),
            Self::LateFeed { .. } => "web_orders.delay".to_owned(),
            Self::SchemaChange {} => "web_orders.value".to_owned(),
        }
    }
}

impl IncidentSpec {
    /// Whether it runs on a day.
    pub fn runs_on(&self, day: u32) -> bool {
        (self.from_day..self.from_day.saturating_add(self.days)).contains(&day)
    }

    /// The first day after it.
    pub fn end_day(&self) -> u32 {
        self.from_day.saturating_add(self.days)
    }
}

/// Adds what incidents add to a person's log-odds, and changes the prices asked, day by day.
pub(crate) fn act(plan: &Plan, person: &Person, log_odds: &mut [f64], price: &mut [f64]) {
    for incident in &plan.scenario.incidents {
        let days = (0_u32..).zip(log_odds.iter_mut().zip(price.iter_mut()));
        let running = days.filter(|(day, _)| incident.runs_on(*day));
        match &incident.fault {
            Fault::PriceError { factor, response } => running.for_each(|(_, (x, price))| {
                *x -= response * factor.log2();
                *price *= factor;
            }),
            Fault::HarmfulPolicy { lift } => {
                running.filter(|(day, _)| person.contactable_on(*day)).for_each(|(_, (x, _))| *x += lift);
            }
            Fault::SlowDecline { depth } => {
                let days = f64::from(incident.days.max(1));
                let after = (0_u32..).zip(log_odds.iter_mut()).skip(incident.from_day as usize);
                after.for_each(|(day, x)| *x -= depth * (f64::from(day - incident.from_day + 1) / days).min(1.0));
            }
            _ => {}
        }
    }
}

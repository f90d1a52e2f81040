//! The demo's numbers. Retargeting and brand search follow the wish to buy and do little; social does much and is seen
//! early: credit by last click is wrong in a known direction.

use throughline_core::{Purpose, Timestamp};

use crate::scenario::{
    ArmSpec, CalendarSpec, CampaignSpec, ChannelSpec, ConsentSpec, ExperimentSpec, FaultSpec, IntentSpec, Interaction,
    OutcomeSpec, PopulationSpec, PurchaseSpec, Scenario, SegmentSpec, Segments,
};
use crate::{Carryover, Channel, InterventionSpec, Saturation};

/// 2026-01-05, a Monday.
const START: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

/// The channels of the demo.
const CHANNELS: [Channel; 8] = [
    Channel::PaidSearch,
    Channel::PaidSocial,
    Channel::Display,
    Channel::Retargeting,
    Channel::Email,
    Channel::Organic,
    Channel::Direct,
    Channel::Referral,
];

impl Default for Scenario {
    fn default() -> Self {
        Self {
            api_version: "throughline/v1".to_owned(),
            kind: "Market".to_owned(),
            people: 5_000,
            days: 90,
            later_days: 0,
            start: START,
            currency: "EUR".to_owned(),
            segments: segments(),
            population: PopulationSpec::default(),
            intent: IntentSpec { swing: 0.9, shortest_days: 18.0, longest_days: 45.0, noise: 0.3, persistence: 0.7 },
            consent: consent(),
            calendar: CalendarSpec::default(),
            channels: CHANNELS.into_iter().map(|c| (c.name().to_owned(), channel(c))).collect(),
            interactions: vec![Interaction {
                first: Channel::PaidSocial.name().to_owned(),
                second: Channel::PaidSearch.name().to_owned(),
                effect: 0.5,
            }],
            most_budget: 1.0,
            budgets: Vec::new(),
            purchase: PurchaseSpec {
                spread: 0.4,
                recovery_days: 14,
                suppression: 1.5,
                value_spread: 0.5,
                margin: 0.35,
            },
            outcomes: OutcomeSpec {
                cart_share: 0.15,
                call_rate: 0.01,
                answered_share: 0.85,
                sign_up_rate: 0.04,
                return_share: 0.06,
                return_days: 21,
            },
            experiment: experiment(),
            interventions: InterventionSpec::default(),
            incidents: Vec::new(),
            faults: FaultSpec { duplicate_share: 0.005, malformed_share: 0.001, late_share: 0.01 },
        }
    }
}

fn segments() -> Segments {
    let segment = |share, log_odds, basket, loyalty_share, store_share, annoyed_share| SegmentSpec {
        share,
        log_odds,
        basket,
        loyalty_share,
        store_share,
        annoyed_share,
        churn_per_day: 0.0,
    };
    Segments {
        new: segment(0.45, -6.1, 45.0, 0.10, 0.10, 0.08),
        regular: segment(0.40, -5.3, 60.0, 0.45, 0.20, 0.10),
        vip: segment(0.15, -4.6, 95.0, 0.80, 0.30, 0.20),
    }
}

fn consent() -> ConsentSpec {
    let granted = [
        (Purpose::Measurement, 0.93),
        (Purpose::Linking, 0.92),
        (Purpose::Personalisation, 0.88),
        (Purpose::Advertising, 0.80),
        (Purpose::Messaging, 0.82),
    ];
    ConsentSpec { granted: granted.into_iter().collect(), unknown: 0.4, withdrawn_share: 0.0 }
}

/// (reach, targeting, click rate, effect, half-life, saturation, cost per impression, cost per click)
const fn numbers(channel: Channel) -> [f64; 8] {
    match channel {
        Channel::PaidSearch => [0.012, 1.3, 0.0, 0.8, 2.0, 4.0, 0.0, 0.55],
        Channel::PaidSocial => [0.05, 0.0, 0.05, 1.6, 5.0, 3.0, 0.12, 0.80],
        Channel::Display => [0.06, 0.1, 0.01, 0.5, 4.0, 3.0, 0.03, 0.50],
        Channel::Retargeting => [0.10, 0.8, 0.10, 0.15, 2.0, 3.0, 0.03, 0.40],
        Channel::Email => [0.25, 0.4, 0.15, 0.7, 3.0, 2.5, 0.001, 0.0],
        Channel::Organic => [0.03, 0.9, 0.0, 0.1, 2.0, 3.0, 0.0, 0.0],
        Channel::Direct => [0.03, 1.1, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0],
        _ => [0.008, 0.3, 0.0, 1.0, 4.0, 2.0, 0.0, 0.0],
    }
}

/// (name, targeting, strength) of each campaign.
const fn campaigns(channel: Channel) -> &'static [(&'static str, f64, f64)] {
    match channel {
        Channel::PaidSearch => &[("brand", 0.8, 0.15), ("generic", 0.0, 1.0)],
        Channel::PaidSocial => &[("prospecting", 0.0, 1.0), ("lookalike", 0.3, 0.8)],
        Channel::Display => &[("banner", 0.0, 1.0)],
        Channel::Retargeting => &[("basket_reminder", 0.0, 1.0)],
        Channel::Email => &[("newsletter", 0.0, 1.0)],
        _ => &[],
    }
}

fn channel(channel: Channel) -> ChannelSpec {
    let [reach, targeting, click_rate, effect, half_life_days, saturation, impression, click] = numbers(channel);
    ChannelSpec {
        reach,
        targeting,
        click_rate,
        effect,
        carryover: Carryover::Geometric { half_life_days },
        saturation: Saturation::Exponential { scale: saturation },
        cost_per_impression: impression,
        cost_per_click: click,
        daily_budget: None,
        price_elasticity: 0.0,
        every_days: 7,
        flights: Vec::new(),
        campaigns: campaigns(channel)
            .iter()
            .map(|&(name, targeting, strength)| CampaignSpec { name: name.to_owned(), targeting, strength })
            .collect(),
    }
}

fn experiment() -> ExperimentSpec {
    ExperimentSpec {
        day: 60,
        window_days: 14,
        half_life_days: 6.0,
        offer: ArmSpec {
            probability: 1.0 / 3.0,
            send_cost: 0.02,
            discount: 0.10,
            new: 0.6,
            regular: 1.3,
            vip: 0.15,
            price_slope: 1.0,
            annoyed: -0.8,
        },
        news: ArmSpec {
            probability: 1.0 / 3.0,
            send_cost: 0.02,
            discount: 0.0,
            new: 0.25,
            regular: 0.15,
            vip: 0.3,
            price_slope: 0.0,
            annoyed: -0.6,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_is_valid_and_starts_on_a_midnight() {
        assert_eq!(Scenario::default().validate(), []);
        assert_eq!(START.to_string(), "2026-01-05T00:00:00Z");
    }
}

//! What a channel causes, where channels interact: three answers to three questions, all by counterfactual simulation.
//!
//! - **Leave-one-out** ([`World::truth`]): what would be lost without the channel, everything else as it is. Where channels
//!   help each other the losses add up to more than all of them bring.
//! - **Marginal**: what one percent more of its touches would bring, times a hundred: the slope at today's volume.
//! - **Shapley**: the mean of what it adds to the channels before it, over all orders. These add up to what all bring
//!   together. Source: Shapley (1953). Each person's is exact, over the channels that reached them; in a market of more
//!   than [`ASKED`] people it is that of a sample of people, every so-manieth, with its standard error. Cost doubles with
//!   each channel that reached a person.

use serde::{Deserialize, Serialize};

use crate::response::{self, Channels, Drive};
use crate::{Channel, Life, World};

/// People over whom the Shapley values are taken.
const ASKED: usize = 400;
/// One percent more.
const STEP: f64 = 0.01;

/// What a channel causes, beside leaving it out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Effects {
    /// Mean purchases per hundred percent more touches, at the margin.
    pub marginal_conversions: f64,
    /// Shapley value, in mean purchases.
    pub shapley_conversions: f64,
    /// Its standard error; 0 where everybody was asked.
    pub shapley_std_error: f64,
}

impl World {
    /// The marginal effect and the Shapley value of each channel, by [`Channel::index`].
    pub fn effects(&self) -> Vec<Effects> {
        let step = self.lives().len().div_ceil(ASKED).max(1);
        let parts = self.each_life(|life| {
            let drive = self.drive(life);
            let asked = (life.person.number as usize).is_multiple_of(step);
            (self.marginal(life, &drive), asked.then(|| self.shapley(life, &drive)))
        });
        let people = parts.len() as f64;
        let asked: Vec<&Vec<f64>> = parts.iter().filter_map(|(_, shapley)| shapley.as_ref()).collect();
        let sampled = asked.len() as f64;
        let of = |channel: usize| {
            let mean = asked.iter().map(|s| s[channel]).sum::<f64>() / sampled.max(1.0);
            let squares: f64 = asked.iter().map(|s| (s[channel] - mean).powi(2)).sum();
            let variance = squares / (sampled - 1.0).max(1.0);
            // Sampling without replacement: nothing is uncertain when everybody was asked.
            let unasked = (1.0 - sampled / people.max(1.0)).max(0.0);
            Effects {
                marginal_conversions: parts.iter().map(|(marginal, _)| marginal[channel]).sum(),
                shapley_conversions: mean * people,
                shapley_std_error: people * (variance / sampled.max(1.0) * unasked).sqrt(),
            }
        };
        (0..Channel::COUNT).map(of).collect()
    }

    /// Mean purchases of a person whom only these channels reach.
    fn with(&self, life: &Life, drive: &Drive<'_>, present: Channels) -> f64 {
        let course = drive.course_of(present, &life.sent);
        response::expect(self.plan(), &course, self.plan().recovery.len() - 1, self.written()).purchases
    }

    fn marginal(&self, life: &Life, drive: &Drive<'_>) -> Vec<f64> {
        let now = self.with(life, drive, Channels::ALL);
        let more = |channel: Channel| {
            let grown = drive.grown(channel, 1.0 + STEP, &life.touches);
            (self.with(life, &grown, Channels::ALL) - now) / STEP
        };
        Channel::ALL.into_iter().map(|c| if drive.reached_by(c) { more(c) } else { 0.0 }).collect()
    }

    fn shapley(&self, life: &Life, drive: &Drive<'_>) -> Vec<f64> {
        let tested = |c: Channel| c == Channel::Email && !life.sent.is_empty();
        let players: Vec<Channel> = Channel::ALL.into_iter().filter(|c| drive.reached_by(*c) || tested(*c)).collect();
        // The worth of each coalition, by the bits of its players.
        let worth: Vec<f64> = (0_usize..1 << players.len())
            .map(|bits| {
                let present = (0..players.len()).filter(|i| bits >> i & 1 == 1);
                self.with(life, drive, present.fold(Channels::NONE, |set, i| set.with(players[i])))
            })
            .collect();
        let weights = weights(players.len());
        let mut values = vec![0.0; Channel::COUNT];
        for (i, player) in players.iter().enumerate() {
            let without = (0..worth.len()).filter(|bits| bits >> i & 1 == 0);
            values[player.index()] =
                without.map(|bits| weights[bits.count_ones() as usize] * (worth[bits | 1 << i] - worth[bits])).sum();
        }
        values
    }
}

/// `s! (n − s − 1)! / n!` for coalitions of `s` others among `n` players.
fn weights(players: usize) -> Vec<f64> {
    let n = players as f64;
    let mut weight = 1.0 / n.max(1.0);
    (0..players)
        .map(|s| {
            let this = weight;
            weight *= (s as f64 + 1.0) / (n - s as f64 - 1.0).max(1.0);
            this
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn weights_are_those_of_the_orders() {
        assert_eq!(weights(3), [1.0 / 3.0, 1.0 / 6.0, 1.0 / 3.0]);
        assert_eq!(weights(1), [1.0]);
        assert!(weights(0).is_empty());
    }

    #[test]
    fn shapley_values_add_up_and_agree_with_leaving_out_where_nothing_interacts() {
        let scenario = Scenario::default().with_people(150);
        let world = World::simulate(&scenario, 3).expect("valid");
        let (truth, effects) = (world.truth(), world.effects());
        let all = |present| {
            let drives = world.lives().iter().map(|l| (l, world.drive(l)));
            drives.map(|(l, d)| world.with(l, &d, present)).sum::<f64>()
        };
        let together = all(Channels::ALL) - all(Channels::NONE);
        let sum: f64 = effects.iter().map(|e| e.shapley_conversions).sum();
        assert!((sum - together).abs() < 1e-9 * together, "{sum} {together}");
        assert!(effects.iter().all(|e| e.shapley_std_error == 0.0), "everybody was asked");
        // Purchases are nearly additive in small effects, and paid search and social help each other: what both bring
        // together is counted twice when each is left out.
        let out = |c: Channel| truth.channels.iter().find(|t| t.channel == c).expect("in use").true_conversions;
        for channel in [Channel::PaidSocial, Channel::PaidSearch] {
            let shapley = effects[channel.index()].shapley_conversions;
            assert!(shapley > 0.0 && shapley < out(channel), "{channel}: {shapley} of {}", out(channel));
        }
        assert_eq!(effects[Channel::Direct.index()].shapley_conversions, 0.0, "causes nothing");
    }

    #[test]
    fn the_slope_is_the_whole_where_touches_do_not_saturate_and_nothing_where_they_do() {
        let of = |saturation| {
            let mut scenario = Scenario::default().with_people(150);
            scenario.interactions.clear();
            let spec = scenario.channels.get_mut("paid_social").expect("in the demo");
            spec.carryover = crate::Carryover::Window { days: 3 };
            spec.saturation = saturation;
            let world = World::simulate(&scenario, 3).expect("valid");
            let truth = world.truth();
            let told = truth.channels.iter().find(|c| c.channel == Channel::PaidSocial).expect("in use");
            (told.marginal_conversions, told.true_conversions)
        };
        let (slope, whole) = of(crate::Saturation::Exponential { scale: 1_000.0 });
        assert!(whole > 0.0 && (slope / whole - 1.0).abs() < 0.02, "{slope} of {whole}");
        let (slope, whole) = of(crate::Saturation::Steps { at: vec![0.1] });
        assert!(whole > 0.0 && slope == 0.0, "{slope} of {whole}");
    }

    #[test]
    fn a_sample_covers_everybody() {
        let scenario = Scenario::default().with_people(1_200);
        let world = World::simulate(&scenario, 3).expect("valid");
        let all: f64 =
            world.lives().iter().map(|l| world.shapley(l, &world.drive(l))[Channel::PaidSocial.index()]).sum();
        let told = world.effects()[Channel::PaidSocial.index()];
        assert!(told.shapley_std_error > 0.0);
        assert!((told.shapley_conversions - all).abs() < 3.5 * told.shapley_std_error, "{told:?} against {all}");
    }
}

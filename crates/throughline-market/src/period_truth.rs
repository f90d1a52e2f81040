//! What each channel caused in spans of days, without the rest of the truth: what a study over many small markets asks.

use crate::response;
use crate::{Channel, Life, Purchase, World};

/// What a channel caused in successive spans of days: the market minus the same market without any of the channel's touches.
#[derive(Debug, Clone, PartialEq)]
pub struct PeriodTruth {
    /// Channel.
    pub channel: Channel,
    /// Mean incremental purchases of each span, given people and touches; exact.
    pub conversions: Vec<f64>,
    /// Mean incremental value of each span, in currency units; exact.
    pub value: Vec<f64>,
}

impl World {
    /// What each channel in use caused in the spans of days that end before `ends` (rising, at most the written days): the first
    /// from day 0, each other from the end before it.
    pub fn truth_by_period(&self, ends: &[u32]) -> Vec<PeriodTruth> {
        let used: Vec<Channel> = Channel::ALL.into_iter().filter(|c| self.plan().channel(*c).is_some()).collect();
        let parts = self.each_life(|life| {
            let drive = self.drive(life);
            let upto = |without: Option<Channel>| -> Vec<[f64; 2]> {
                let course = drive.course(without, &life.sent);
                let recovered = self.plan().recovery.len() - 1;
                let sums = ends.iter().map(|end| response::expect(self.plan(), &course, recovered, 0..*end));
                sums.map(|e| [e.purchases, e.paid * life.person.basket]).collect()
            };
            let whole = upto(None);
            let less = |channel: &Channel| -> Vec<[f64; 2]> {
                let tested = *channel == Channel::Email && !life.sent.is_empty();
                if !tested && !drive.reached_by(*channel) {
                    return vec![[0.0; 2]; ends.len()];
                }
                let without = upto(Some(*channel));
                whole.iter().zip(&without).map(|(a, b)| [a[0] - b[0], a[1] - b[1]]).collect()
            };
            used.iter().map(less).collect::<Vec<_>>()
        });
        let total = |at: usize, what: usize| -> Vec<f64> {
            let upto = |e: usize| parts.iter().map(|p| p[at][e][what]).sum::<f64>();
            let sums: Vec<f64> = (0..ends.len()).map(upto).collect();
            sums.iter().enumerate().map(|(e, s)| if e == 0 { *s } else { s - sums[e - 1] }).collect()
        };
        let truth = |(at, channel): (usize, &Channel)| PeriodTruth {
            channel: *channel,
            conversions: total(at, 0),
            value: total(at, 1),
        };
        used.iter().enumerate().map(truth).collect()
    }

    /// What a person would have bought on the written days if a channel had never touched them, with the same random numbers: the
    /// outcome of somebody whom an experiment holds out.
    pub fn held_out_purchases(&self, life: &Life, channel: Channel) -> Vec<Purchase> {
        let course = self.drive(life).course(Some(channel), &life.sent);
        let recovered = self.plan().recovery.len() - 1;
        response::draw(self.plan(), &life.person, &self.noise(life), &course, recovered, self.written())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scenario;

    #[test]
    fn spans_add_up_to_the_truth_of_all_days() {
        let scenario = Scenario::default().with_people(120);
        let world = World::simulate(&scenario, 5).expect("valid");
        let (spans, truth) = (world.truth_by_period(&[30, 60, 90]), world.truth());
        assert_eq!(spans.len(), truth.channels.len());
        for (by_span, whole) in spans.iter().zip(&truth.channels) {
            assert_eq!(by_span.channel, whole.channel);
            let (sum, value): (f64, f64) = (by_span.conversions.iter().sum(), by_span.value.iter().sum());
            assert!((sum - whole.true_conversions).abs() < 1e-9, "{}: {sum}", whole.channel);
            assert!((value - whole.true_value).abs() < 1e-7, "{}: {value}", whole.channel);
        }
    }

    #[test]
    fn a_world_without_a_channel_is_the_realised_one() {
        let world = World::simulate(&Scenario::default().with_people(300), 5).expect("valid");
        let count = |channel| -> i64 {
            let count = |n: usize| i64::try_from(n).expect("a small number");
            let less = |l: &Life| count(l.purchases.len()) - count(world.held_out_purchases(l, channel).len());
            world.lives().iter().map(less).sum()
        };
        for told in world.truth().channels {
            assert_eq!(count(told.channel), told.realised_conversions, "{}", told.channel);
        }
    }
}
